//! Memory and state, as Python has them, with the real rules behind them.

use agent_memory_host::{Json, KeyOutcome, NewConversation, Outcome, Session, TurnOutcome};
use agent_memory_tests::{configuration, json as to_json};
use serde_json::{Value, json};

use crate::support::{Desk, call, failure, state, value};

const CALLER: &str = "+441632960001";

/// A desk whose caller has remembered something.
async fn with_memory() -> Desk {
    let desk = Desk::probe(&configuration("")).await;
    let mut conversation = desk.call_from(CALLER).await;
    value(&mut conversation, "put", json!({"key": "cheese_type", "value": "brie"})).await;
    value(&mut conversation, "put", json!({"key": "mood", "value": {"level": 3, "up": true}})).await;
    conversation.end(Outcome::default()).await.unwrap();
    desk
}

#[tokio::test]
async fn m2_memory_reads_as_a_mapping() {
    let desk = with_memory().await;
    let mut conversation = desk.call_from(CALLER).await;
    let fields = json!({"cheese_type": "brie", "mood": {"level": 3, "up": true}});
    let expected = json!({
        "get": "brie", "get_default": "brie", "by_key": "brie", "in": true, "len": 2, "fields": fields,
    });
    assert_eq!(value(&mut conversation, "remembered", json!({"key": "cheese_type"})).await, expected);
    let expected = json!({
        "get": null, "get_default": "default", "by_key": "KeyError 'booking_day'", "in": false, "len": 2,
        "fields": fields,
    });
    assert_eq!(value(&mut conversation, "remembered", json!({"key": "booking_day"})).await, expected);
    let error = failure(&mut conversation, "assign_memory", json!({})).await;
    assert_eq!(error.name, "TypeError");
    assert!(error.message.contains("set `conv.state['cheese_type']`"), "{error:?}");
    assert!(error.trace.contains("File \"probe/values.py\", line "), "{error:?}");
}

#[tokio::test]
async fn m3_what_is_set_in_this_conversation_is_not_in_memory() {
    let desk = with_memory().await;
    let mut conversation = desk.call_from(CALLER).await;
    value(&mut conversation, "put_attribute", json!({"key": "cheese_type", "value": "feta"})).await;
    let found = value(&mut conversation, "remembered", json!({"key": "cheese_type"})).await;
    assert_eq!(found["get"], "brie");
    assert_eq!(value(&mut conversation, "look_attribute", json!({"key": "cheese_type"})).await, "feta");
    assert_eq!(value(&mut conversation, "look_attribute", json!({"key": "nothing"})).await, Value::Null);
    assert_eq!(failure(&mut conversation, "look", json!({"key": "nothing"})).await.name, "KeyError");
}

#[tokio::test]
async fn s1_values_that_json_has_no_word_for_survive_between_turns() {
    let desk = Desk::probe(&configuration("")).await;
    let mut conversation = desk.call_from(CALLER).await;
    value(&mut conversation, "put_all_special", json!({})).await;
    for _ in 0..2 {
        let same = value(&mut conversation, "special_values_are_the_same", json!({})).await;
        assert!(same.as_object().unwrap().values().all(|same| *same == json!(true)), "{same}");
    }
    // A session that is carried elsewhere has them too.
    let bytes = conversation.session().to_bytes();
    let session = Session::from_bytes(&bytes).unwrap();
    let mut conversation = desk.agent.resume(session).unwrap();
    let same = value(&mut conversation, "special_values_are_the_same", json!({})).await;
    assert_eq!(same["datetime"], json!(true));
}

#[tokio::test]
async fn v3_under_a_memory_key_they_are_refused_by_their_types_names() {
    let desk = Desk::probe(&configuration("")).await;
    let mut conversation = desk.call_from(CALLER).await;
    for (kind, name) in [
        ("datetime", "datetime"),
        ("set", "set"),
        ("enum", "Size"),
        ("object", "Cart"),
        ("decimal", "Decimal"),
        ("uuid", "UUID"),
        ("bytes", "bytes"),
        ("nan", "float"),
    ] {
        let error = failure(&mut conversation, "put_special", json!({"key": "mood", "kind": kind})).await;
        assert_eq!(error.name, "OpaqueValueError", "{error:?}");
        assert!(error.message.contains(&format!("a `{name}` is opaque")), "{error:?}");
    }
    assert_eq!(state(&conversation, "mood"), None);
    value(&mut conversation, "put_special", json!({"key": "mood", "kind": "tuple"})).await;
    assert_eq!(state(&conversation, "mood"), Some(json!([1, "two"])), "a tuple is an array, as everywhere in JSON");
}

#[tokio::test]
async fn v2_a_nested_value_is_refused_when_it_is_set() {
    let desk = Desk::probe(&configuration("")).await;
    let mut conversation = desk.call_from(CALLER).await;
    value(&mut conversation, "put", json!({"key": "mood", "value": "good"})).await;
    let error = failure(&mut conversation, "put", json!({"key": "mood", "value": {"a": {"b": [1]}}})).await;
    assert_eq!(error.name, "NestedValueError");
    assert!(error.message.contains("`mood`") && error.message.contains("`/a`"), "{error:?}");
    assert_eq!(state(&conversation, "mood"), Some(json!("good")));

    let desk = Desk::probe(&configuration(r#""nested_values": true"#)).await;
    let mut conversation = desk.call_from(CALLER).await;
    value(&mut conversation, "put", json!({"key": "mood", "value": {"a": {"b": [1]}}})).await;
    conversation.end(Outcome::default()).await.unwrap();
    let mut next = desk.call_from(CALLER).await;
    let found = value(&mut next, "remembered", json!({"key": "mood"})).await;
    assert_eq!(found["by_key"], json!({"a": {"b": [1]}}), "the structure, not its text");
}

#[tokio::test]
async fn v2_a_change_in_place_counts_and_one_that_breaks_a_rule_is_undone() {
    let desk = Desk::probe(&configuration("")).await;
    let mut conversation = desk.call_from(CALLER).await;
    for key in ["cart", "cheese_type"] {
        value(&mut conversation, "put", json!({"key": key, "value": ["brie"]})).await;
    }
    value(&mut conversation, "append", json!({"key": "cart", "value": {"nested": ["x"]}})).await;
    value(&mut conversation, "append", json!({"key": "cheese_type", "value": "feta"})).await;
    assert_eq!(state(&conversation, "cheese_type"), Some(json!(["brie", "feta"])));

    let error = failure(&mut conversation, "append_to_both", json!({"value": "gouda"})).await;
    assert_eq!(error.name, "NestedValueError", "{error:?}");
    assert_eq!(state(&conversation, "cheese_type"), Some(json!(["brie", "feta"])), "it is what it was");
    assert_eq!(state(&conversation, "cart"), Some(json!(["brie", {"nested": ["x"]}, "gouda"])), "others stay");

    let error = failure(&mut conversation, "append_to_both_and_fail", json!({"value": "edam"})).await;
    assert_eq!((&*error.name, &*error.message), ("RuntimeError", "after both"));
    assert_eq!(state(&conversation, "cart").unwrap().as_array().unwrap().len(), 4);
    let report = conversation.end(Outcome::default()).await.unwrap().report;
    let (_, kept) = report.keys.iter().find(|(key, _)| key == "cheese_type").unwrap();
    assert!(matches!(kept, KeyOutcome::Kept { .. }), "{report:?}");
}

#[tokio::test]
async fn s2_looking_is_not_setting_and_what_is_removed_is_not_remembered() {
    let desk = with_memory().await;
    let start = NewConversation {
        caller_number: Some(CALLER.into()),
        state: vec![("mood".into(), to_json(&json!(["from the platform"])))],
        ..Default::default()
    };
    let mut conversation = desk.agent.start(start).await.unwrap().conversation;
    value(&mut conversation, "only_look_at_everything", json!({})).await;
    value(&mut conversation, "put", json!({"key": "booking_day", "value": "Friday"})).await;
    value(&mut conversation, "delete", json!({"key": "booking_day"})).await;
    let report = conversation.end(Outcome::default()).await.unwrap().report;
    let keys: Vec<_> = report.keys.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["booking_day"], "{report:?}");
}

#[tokio::test]
async fn v4_long_integers_keep_all_their_digits() {
    let desk = Desk::probe(&configuration("")).await;
    let mut conversation = desk.call_from(CALLER).await;
    let text = r#"{"key": "mood", "value": [12345678901234567890123, 1.0, -0.0]}"#;
    let turn = conversation.call("put", Json::parse(text).unwrap()).await.unwrap();
    assert!(matches!(turn.outcome, TurnOutcome::Returned(_)), "{turn:?}");
    conversation.end(Outcome::default()).await.unwrap();
    let mut next = desk.call_from(CALLER).await;
    let turn = call(&mut next, "remembered", json!({"key": "mood"})).await;
    let TurnOutcome::Returned(found) = turn.outcome else { panic!("{turn:?}") };
    assert!(found.as_str().contains(r#""get":[12345678901234567890123,1.0,-0.0]"#), "{}", found.as_str());
    let turn = call(&mut next, "long_integer", json!({"digits": 6000})).await;
    let TurnOutcome::Returned(found) = turn.outcome else { panic!("{turn:?}") };
    assert_eq!(found.as_str().len(), 6001);
}

#[tokio::test]
async fn v5_what_is_too_large_is_refused_with_its_size() {
    let desk = Desk::probe(&configuration("")).await;
    let mut conversation = desk.call_from(CALLER).await;
    let error = failure(&mut conversation, "put", json!({"key": "mood", "value": "x".repeat(9000)})).await;
    assert_eq!(error.name, "ValueTooLargeError");
    assert!(error.message.contains("9002 bytes where 8192 are allowed"), "{error:?}");
    let error = failure(&mut conversation, "put", json!({"key": "k".repeat(200), "value": 1})).await;
    assert_eq!(error.name, "KeyTooLongError");
    let error = failure(&mut conversation, "put", json!({"key": "free", "value": "x".repeat(300 << 10)})).await;
    assert_eq!(error.name, "StateTooLargeError");
}
