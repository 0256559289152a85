//! Conversations over HTTP.

use serde_json::json;

use crate::support::{SHOP, Service, command};

#[test]
fn a_conversation_is_started_called_previewed_and_ended() {
    let service = Service::with_shop("memory:", &[]);
    let started =
        service.post(&format!("{SHOP}/conversations"), json!({ "id": "one", "caller_number": "+441632960001" }));
    let started = started.expect(201);
    assert_eq!(started["conversation"], "one");
    assert_eq!(started["turn"]["say"], json!(["Welcome to the cheese shop. What may it be?"]));
    let conversation = format!("{SHOP}/conversations/one");

    let booked = service.book(&conversation, "brie").expect(200);
    assert_eq!(booked["turn"]["outcome"], "returned");
    assert_eq!(booked["turn"]["returns"], "Booked brie for Friday.");
    assert_eq!(booked["turn"]["actions"][0]["name"], "write_metric");

    let preview = service.post(&format!("{conversation}/preview"), json!({})).expect(200);
    assert_eq!(preview["commit"]["status"], "preview");
    assert_eq!(preview["commit"]["keys"]["cheese_type"]["kept"], true);
    assert_eq!(preview["commit"]["keys"]["mood"]["reason"], "not-in-state-keys");
    assert_eq!(service.remembered("+441632960001"), json!({}), "a preview writes nothing");
    assert_eq!(service.get(&conversation).expect(200)["ended"], false);

    let ended = service.post(&format!("{conversation}/end"), json!({ "outcome": { "qa": "resolved" } })).expect(200);
    assert_eq!(ended["commit"]["status"], "committed");
    assert_eq!(ended["commit"]["first_interaction"], true);
    assert_eq!(service.remembered("+441632960001"), json!({ "cheese_type": "brie", "booking_day": "Friday" }));

    // The next call of the same caller.
    let again = service.post(&format!("{SHOP}/conversations"), json!({ "caller_number": "+441632960001" })).expect(201);
    assert_eq!(again["turn"]["say"], json!(["You booked brie for Friday. Rebook?"]));
    let again = format!("{SHOP}/conversations/{}", again["conversation"].as_str().unwrap());
    let ended = service.post(&format!("{again}/end"), json!({})).expect(200);
    assert_eq!(ended["metrics"]["REPEAT_CALLER_CONV_ID"], "one");
    assert_eq!(ended["metrics"]["REPEAT_CALLER_QA"], "resolved");
}

#[test]
fn w4_ending_again_gives_the_first_report() {
    let service = Service::with_shop("memory:", &[]);
    for number in ["+441632960001", "anonymous"] {
        let conversation = service.call_from(number);
        service.book(&conversation, "brie").expect(200);
        let first = service.post(&format!("{conversation}/end"), json!({})).expect(200);
        let again = service.post(&format!("{conversation}/end"), json!({ "outcome": { "qa": "bad" } })).expect(200);
        assert_eq!(again["commit"], first["commit"]);
        assert!(again["turn"].is_null());
        assert_eq!(service.get(&conversation).expect(200)["commit"], first["commit"]);
        service.book(&conversation, "edam").expect_problem(409, "conversation-ended");
    }
}

#[test]
fn a8_an_outcome_is_added_after_the_end() {
    let service = Service::with_shop("memory:", &[]);
    let conversation = service.call_from("+441632960001");
    let outcome = json!({ "qa": "resolved", "handoff": { "reason": "refund", "to": "billing" } });
    let add = || {
        service
            .try_request("PUT", &format!("{conversation}/outcome"), &[], Some(outcome.to_string().as_bytes()))
            .unwrap()
    };
    add().expect_problem(404, "unknown-conversation");
    service.post(&format!("{conversation}/end"), json!({})).expect(200);
    assert_eq!(add().expect(200)["changed"], true);
    let repeat = service.call_from("+441632960001");
    let metrics = service.post(&format!("{repeat}/end"), json!({})).expect(200)["metrics"].clone();
    assert_eq!(metrics["REPEAT_CALLER_HANDOFF_TO"], "billing");
}

#[test]
fn a_repeated_request_is_answered_as_the_first_was_and_happens_once() {
    let service = Service::with_shop("memory:", &[]);
    let send = |path: &str, key: &str, body: serde_json::Value| {
        service.try_request("POST", path, &[("Idempotency-Key", key)], Some(body.to_string().as_bytes())).unwrap()
    };
    let start =
        || send(&format!("{SHOP}/conversations"), "start", json!({ "caller_number": "+441632960001" })).expect(201);
    let first = start();
    assert_eq!(start(), first, "one conversation, not two");

    let path = format!("{SHOP}/conversations/{}/calls", first["conversation"].as_str().unwrap());
    let book = json!({ "function": "book", "arguments": { "cheese_type": "brie" } });
    let booked = send(&path, "book", book.clone()).expect(200);
    assert_eq!(send(&path, "book", book.clone()).expect(200), booked, "to the microsecond: it did not run again");
    assert_ne!(send(&path, "book again", book).expect(200)["turn"]["micros"], 0);
    let other = json!({ "function": "book", "arguments": { "cheese_type": "edam" } });
    send(&path, "book", other).expect_problem(422, "idempotency-key-reused");
}

#[test]
fn a_conversation_that_nobody_ends_is_ended_by_the_service() {
    let service = Service::with_shop("memory:", &["--idle", "3"]);
    let (abandoned, busy) = (service.call_from("+441632960001"), service.call_from("+441632960002"));
    service.book(&abandoned, "brie").expect(200);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while service.get(&abandoned).expect(200)["ended"] == false {
        assert!(std::time::Instant::now() < deadline, "nobody has ended it: {}", service.log());
        // Both are as old; in one of them something happens.
        service.book(&busy, "edam").expect(200);
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    assert_eq!(service.remembered("+441632960001")["cheese_type"], "brie");
    service.book(&busy, "gouda").expect(200);
    assert_eq!(service.remembered("+441632960002"), json!({}));
}

#[test]
fn p4_no_conversation_may_be_idle_until_its_session_is_deleted() {
    for (idle, is_taken) in [("0", false), ("82800", true), ("82801", false), ("86400", false)] {
        // The store is none, so that nothing is served in any case.
        let output = command(&["serve", "--store", "none:", "--idle", idle]).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success());
        assert_eq!(!errors.contains("--idle"), is_taken, "{errors}");
    }
}

#[test]
fn calls_of_one_conversation_at_once_lose_nothing() {
    let service = Service::with_shop("memory:", &[]);
    let conversation = service.call_from("+441632960001");
    std::thread::scope(|scope| {
        for cheese in ["brie", "edam", "gouda", "stilton"] {
            let (service, conversation) = (&service, &conversation);
            scope.spawn(move || {
                for _ in 0..5 {
                    service.book(conversation, cheese).expect(200);
                }
            });
        }
    });
    let ended = service.post(&format!("{conversation}/end"), json!({})).expect(200);
    assert_eq!(ended["commit"]["keys"]["cheese_type"]["kept"], true);
}
