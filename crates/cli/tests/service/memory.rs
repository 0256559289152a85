//! Memory administration over HTTP.

use serde_json::{Value, json};

use crate::support::{SHOP, Service};

const CALLER: &str = "+441632960001";

#[test]
fn e3_a_caller_is_exported_and_erased() {
    let service = Service::with_shop("memory:", &[]);
    let conversation = service.call_from(CALLER);
    service.book(&conversation, "brie").expect(200);
    let running = service.call_from(CALLER);
    service.book(&running, "edam").expect(200);
    service.post(&format!("{conversation}/end"), json!({})).expect(200);

    let export = service.post(&format!("{SHOP}/memory/export"), json!({ "identifier": "+44 1632 960001" })).expect(200);
    assert_eq!(export["identifier_kind"], "phone");
    assert_eq!(export["fields"]["cheese_type"]["value"], "brie");
    assert_eq!(export["conversations"].as_array().unwrap().len(), 1);
    let key = json!({ "identifier": CALLER, "key": "booking_day" });
    assert_eq!(service.post(&format!("{SHOP}/memory/erase"), key).expect(200)["deleted"]["fields"], 1);
    let all = json!({ "identifier": CALLER });
    let deleted = service.post(&format!("{SHOP}/memory/erase"), all).expect(200)["deleted"].clone();
    assert_eq!(deleted, json!({ "fields": 1, "interactions": 1, "metrics": 1 }));
    // What began before the erase commits nothing.
    let ended = service.post(&format!("{running}/end"), json!({})).expect(200);
    assert_eq!(ended["commit"]["keys"]["cheese_type"]["reason"], "erased");
    assert_eq!(service.remembered(CALLER), json!({}));
}

#[test]
fn a_patch_is_written_by_the_rules_or_not_at_all() {
    let service = Service::with_shop("memory:", &[]);
    let patch = |fields: Value| {
        service.post(&format!("{SHOP}/memory/patch"), json!({ "identifier": CALLER, "fields": fields }))
    };
    let report = patch(json!({ "cheese_type": { "value": "brie" }, "booking_day": { "value": 1.0 } })).expect(200);
    assert_eq!(report["commit"]["keys"]["cheese_type"]["kept"], true);
    assert_eq!(service.remembered(CALLER), json!({ "cheese_type": "brie", "booking_day": 1.0 }));

    let answer = patch(json!({ "cheese_type": { "value": "edam" }, "mood": { "value": "good" } }));
    let problem: Value = serde_json::from_str(&answer.text).unwrap();
    answer.expect_problem(422, "not-storable");
    assert_eq!(problem["errors"], json!([{ "path": "fields.mood", "detail": "\"not-in-state-keys\"" }]));
    patch(json!({ "cheese_type": { "value": { "a": { "b": 1 } } } })).expect_problem(422, "not-storable");
    patch(json!({ "cheese_type": { "value": null } })).expect_problem(422, "not-storable");
    let past = json!({ "cheese_type": { "value": "edam", "expires_at": "2020-01-01T00:00:00Z" } });
    patch(past).expect_problem(422, "not-storable");
    assert_eq!(service.remembered(CALLER)["cheese_type"], "brie");

    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(30);
    let report = patch(json!({ "cheese_type": { "value": "edam", "expires_at": soon.to_string() } })).expect(200);
    let expires: jiff::Timestamp =
        report["commit"]["keys"]["cheese_type"]["expires_at"].as_str().unwrap().parse().unwrap();
    assert!(expires <= soon && soon.duration_since(expires) < jiff::SignedDuration::from_hours(1), "{expires}");

    // A blacklisted caller has no memory that anything could be put into.
    let blacklisted = json!({ "identifier": "+441632960999", "fields": { "cheese_type": { "value": "brie" } } });
    let detail = service.post(&format!("{SHOP}/memory/patch"), blacklisted).expect_problem(422, "not-storable");
    assert!(detail.contains("blacklisted"), "{detail}");
}

#[test]
fn what_was_exported_can_be_imported() {
    let service = Service::with_shop("memory:", &[]);
    for number in 0..300 {
        let fields = json!({ "cheese_type": { "value": format!("cheese {number}") } });
        let body = json!({ "identifier": format!("+4416329{number:05}"), "fields": fields });
        service.post(&format!("{SHOP}/memory/patch"), body).expect(200);
    }
    let lines = service.get("/v1/memory").text;
    assert_eq!(lines.lines().count(), 300);
    let other = Service::with_shop("memory:", &[]);
    let send = |lines: &str| {
        let kind = ("Content-Type", "application/x-ndjson");
        other.try_request("POST", &format!("{SHOP}/memory/import"), &[kind], Some(lines.as_bytes())).unwrap()
    };
    assert_eq!(send(&lines).expect(200), json!({ "written": 300, "refused": [] }));
    assert_eq!(other.remembered("+441632900299"), json!({ "cheese_type": "cheese 299" }));

    let mixed = [
        "not json",
        r#"{"identifier": "+441632960001", "fields": {"mood": {"value": "secret mood"}}}"#,
        "",
        r#"{"identifier": "+441632960001", "fields": {"cheese_type": {"value": "brie"}}}"#,
        r#"{"account": "another", "identifier": "+441632960001", "fields": {"cheese_type": {"value": "edam"}}}"#,
        r#"{"identifer": "+441632960001", "fields": {"cheese_type": {"value": "edam"}}}"#,
    ];
    let answer = send(&mixed.join("\n"));
    assert!(!answer.text.contains("secret mood") && !answer.text.contains("+4416"), "{}", answer.text);
    let answer = answer.expect(200);
    assert_eq!(answer["written"], 1);
    let lines: Vec<&Value> = answer["refused"].as_array().unwrap().iter().map(|refused| &refused["line"]).collect();
    assert_eq!(lines, [1, 2, 5, 6]);
    assert_eq!(other.remembered("+441632960001"), json!({ "cheese_type": "brie" }));
}

#[test]
fn p3_neither_identifier_nor_value_reaches_the_log() {
    let service = Service::with_shop("memory:", &[]);
    let conversation = service.call_from(CALLER);
    service.book(&conversation, "a secret cheese").expect(200);
    service.post(&format!("{conversation}/end"), json!({})).expect(200);
    service.remembered(CALLER);
    service.post(&format!("{SHOP}/memory/read"), json!({ "identifier": { "wrong": CALLER } }));
    service.post(&format!("{SHOP}/memory/erase"), json!({ "identifier": CALLER })).expect(200);
    let log = service.log();
    for secret in ["441632960001", "a secret cheese"] {
        assert!(!log.contains(secret), "{log}");
    }
}
