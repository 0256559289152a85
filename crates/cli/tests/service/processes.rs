//! Several processes on one store.

#[cfg(unix)]
use std::sync::atomic::{AtomicUsize, Ordering};

#[cfg(unix)]
use serde_json::Value;
use serde_json::json;

use crate::support::{SHOP, Service};

#[test]
fn two_processes_serve_turns_of_one_conversation_in_turn() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("memory.db").display());
    // The agent is published by one of them alone.
    let services = [Service::with_shop(&url, &[]), Service::start(&url, &[])];
    let conversation = services[0].call_from("+441632960001");
    for (turn, cheese) in ["brie", "edam", "gouda", "stilton"].into_iter().enumerate() {
        let booked = services[(turn + 1) % 2].book(&conversation, cheese).expect(200);
        assert_eq!(booked["turn"]["returns"], format!("Booked {cheese} for Friday."));
    }
    let ended = services[0].post(&format!("{conversation}/end"), json!({})).expect(200);
    assert_eq!(services[1].post(&format!("{conversation}/end"), json!({})).expect(200)["commit"], ended["commit"]);
    services[1].book(&conversation, "brie").expect_problem(409, "conversation-ended");
    assert_eq!(services[1].remembered("+441632960001")["cheese_type"], "stilton");
}

#[test]
fn turns_at_once_in_two_processes_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("memory.db").display());
    let services = [Service::with_shop(&url, &[]), Service::start(&url, &[])];
    let conversation = services[0].call_from("+441632960001");
    let told: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|thread| {
                let (service, conversation) = (&services[thread % 2], &conversation);
                scope.spawn(move || {
                    let answers = (0..10).map(|_| service.book(conversation, "brie"));
                    answers
                        .filter(|answer| {
                            answer.status == 200 || {
                                assert_eq!(answer.status, 409);
                                false
                            }
                        })
                        .count()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert!(told > 0);
    let ended = services[1].post(&format!("{conversation}/end"), json!({})).expect(200);
    assert_eq!(ended["commit"]["status"], "committed");
}

#[test]
fn a_start_that_is_sent_to_two_processes_at_once_begins_one_conversation() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("memory.db").display());
    let services = [Service::with_shop(&url, &[]), Service::start(&url, &[])];
    let barrier = std::sync::Barrier::new(services.len());
    for number in 0..30 {
        let start = |service: &Service| {
            barrier.wait();
            let (key, body) = (format!("start {number}"), json!({ "caller_number": "+441632960001" }).to_string());
            let path = format!("{SHOP}/conversations");
            service.try_request("POST", &path, &[("Idempotency-Key", &key)], Some(body.as_bytes())).unwrap()
        };
        let [one, other] = std::thread::scope(|scope| {
            services.each_ref().map(|service| scope.spawn(move || start(service))).map(|thread| thread.join().unwrap())
        });
        assert_eq!(one.expect(201), other.expect(201));
    }
}

/// What a caller was told before the service stopped.
#[cfg(unix)]
struct Told {
    conversation: String,
    number: String,
    /// The last cheese whose booking was answered, and the one after it.
    booked: Option<String>,
    asked: Option<String>,
    commit: Option<Value>,
}

/// Holds conversations until the service answers no more.
#[cfg(unix)]
fn hold(service: &Service, thread: usize, answered: &AtomicUsize) -> Vec<Told> {
    let mut told = Vec::new();
    let send = |path: &str, body: Value| {
        let answer = service.try_request("POST", path, &[], Some(body.to_string().as_bytes())).ok()?;
        answered.fetch_add(1, Ordering::Relaxed);
        Some(answer)
    };
    loop {
        let number = format!("+4416329{thread:02}{:04}", told.len());
        let Some(started) = send(&format!("{SHOP}/conversations"), json!({ "caller_number": number })) else {
            return told;
        };
        let id = started.expect(201)["conversation"].as_str().unwrap().to_owned();
        let conversation = format!("{SHOP}/conversations/{id}");
        told.push(Told { conversation: conversation.clone(), number, booked: None, asked: None, commit: None });
        let last = told.last_mut().unwrap();
        for turn in 0..3 {
            let cheese = format!("cheese {turn}");
            last.asked = Some(cheese.clone());
            let call = json!({ "function": "book", "arguments": { "cheese_type": cheese } });
            let Some(booked) = send(&format!("{conversation}/calls"), call) else { return told };
            booked.expect(200);
            last.booked = Some(cheese);
        }
        let Some(ended) = send(&format!("{conversation}/end"), json!({})) else { return told };
        last.commit = Some(ended.expect(200)["commit"].clone());
    }
}

#[cfg(unix)]
#[test]
fn a_service_that_is_told_to_stop_while_it_is_busy_keeps_what_it_has_answered() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("memory.db").display());
    let mut service = Service::with_shop(&url, &["--rate", "0"]);
    let answered = AtomicUsize::new(0);
    let told: Vec<Told> = std::thread::scope(|scope| {
        let (service, answered) = (&service, &answered);
        let threads: Vec<_> = (0..8).map(|thread| scope.spawn(move || hold(service, thread, answered))).collect();
        while answered.load(Ordering::Relaxed) < 200 {
            assert!(!threads.iter().any(|thread| thread.is_finished()), "{}", service.log());
            std::thread::yield_now();
        }
        service.tell_to_stop();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(service.wait(), 0);

    let service = Service::start(&url, &[]);
    assert!(told.iter().any(|told| told.commit.is_some()));
    for Told { conversation, number, booked, asked, commit } in told {
        let ended = service.post(&format!("{conversation}/end"), json!({})).expect(200);
        assert!(commit.is_none_or(|commit| commit == ended["commit"]), "{ended}");
        let remembered = service.remembered(&number)["cheese_type"].as_str().map(str::to_owned);
        assert!(remembered == booked || remembered == asked, "{remembered:?}, {booked:?}, {asked:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_service_that_is_told_to_stop_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("memory.db").display());
    let mut service = Service::with_shop(&url, &[]);
    let conversation = service.call_from("+441632960001");
    service.book(&conversation, "brie").expect(200);
    assert_eq!(service.stop(), 0);
    let service = Service::start(&url, &[]);
    assert_eq!(service.post(&format!("{conversation}/end"), json!({})).expect(200)["commit"]["status"], "committed");
    assert_eq!(service.get(SHOP).expect(200)["project"], "local");
}
