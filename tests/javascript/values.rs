//! Memory and state.

use agent_memory_host::{Json, NewConversation, Outcome, TurnOutcome};
use agent_memory_tests::{call, value};
use serde_json::json;

use crate::support::Desk;

/// The state that the platform gives to a conversation.
fn given(state: &[(&str, &str)]) -> NewConversation {
    let state = state.iter().map(|(key, text)| ((*key).to_owned(), Json::parse(*text).unwrap()));
    NewConversation { state: state.collect(), ..NewConversation::default() }
}

/// The JSON text of a key of the state.
fn text(conversation: &agent_memory_host::Conversation, key: &str) -> String {
    let state = conversation.state();
    let (_, value) = state.iter().find(|(found, _)| found == key).unwrap_or_else(|| panic!("no `{key}`"));
    value.as_ref().map(|json| json.as_str().to_owned()).unwrap_or_default()
}

#[tokio::test]
async fn m2_memory_is_read_by_key_by_iteration_and_as_a_copy() {
    let desk = Desk::new("").await;
    let mut first = desk.call().await;
    value(&mut first, "set", &json!({ "key": "cheese_type", "value": ["brie", 1] })).await;
    let memory = value(&mut first, "read_memory", &json!({})).await;
    assert_eq!((&memory["size"], &memory["cheese"], &memory["fields"]), (&json!(0), &json!(null), &json!({})));
    first.end(Outcome::default()).await.unwrap();

    let mut second = desk.call().await;
    assert_eq!(
        value(&mut second, "read_memory", &json!({})).await,
        json!({
            "cheese": ["brie", 1],
            "missing": true,
            "fallback": "x",
            "has": [true, false],
            "size": 2,
            "keys": ["cheese_type", "mood"],
            "fields": { "cheese_type": ["brie", 1], "mood": "ended" },
        })
    );
}

#[tokio::test]
async fn v4_numbers_keep_their_exact_text_through_state_memory_and_values() {
    let desk = Desk::new("").await;
    let mut conversation = desk
        .start(given(&[("price", "12.50"), ("order", r#"{"price":1.0,"id":12345678901234567890,"items":[]}"#)]))
        .await;
    let turn = call(&mut conversation, "pass_on", &json!({})).await;
    let TurnOutcome::Returned(returned) = turn.outcome else { panic!("{:?}", turn.outcome) };
    assert_eq!(returned.as_str(), "12.50");
    assert_eq!(text(&conversation, "mood"), "12.50");
    assert_eq!(text(&conversation, "order"), r#"{"price":1.0,"id":12345678901234567890,"items":["brie"]}"#);
    assert_eq!(text(&conversation, "price"), "12.50");

    for number in ["1.0", "-0", "1e400", "12345678901234567890", "[1.0,1]"] {
        let arguments = Json::parse(format!(r#"{{"key":"x","value":{number}}}"#)).unwrap();
        conversation.call("set", arguments).await.unwrap();
        assert_eq!(text(&conversation, "x"), number);
    }
}

#[tokio::test]
async fn v2_a_nested_value_is_refused_where_it_is_set_by_a_typed_error() {
    let desk = Desk::new("").await;
    let mut conversation = desk.call().await;
    let refusal =
        json!({ "name": "NestedValueError", "key": "cheese_type", "path": "/lines", "isOurs": true, "still": "brie" });
    assert_eq!(value(&mut conversation, "set_nested", &json!({})).await, refusal);

    let permissive = Desk::new(r#""nested_values": true"#).await;
    assert_eq!(value(&mut permissive.call().await, "set_nested", &json!({})).await, json!(null));
}

#[tokio::test]
async fn v2_a_value_that_is_changed_in_place_counts_as_set_and_is_undone_if_it_breaks_a_rule() {
    let desk = Desk::new("").await;
    let mut conversation = desk.start(given(&[("cheese_type", "[]"), ("others", "[]")])).await;
    assert_eq!(value(&mut conversation, "push", &json!({ "value": 1 })).await, "pushed");
    assert_eq!((text(&conversation, "cheese_type"), text(&conversation, "others")), ("[1]".into(), "[1]".into()));

    let turn = call(&mut conversation, "push", &json!({ "value": [2] })).await;
    let TurnOutcome::Failed(error) = turn.outcome else { panic!("{:?}", turn.outcome) };
    assert_eq!(error.name, "NestedValueError");
    assert!(
        error.message.starts_with("`cheese_type` is remembered, and a remembered value is flat"),
        "{}",
        error.message
    );
    assert_eq!((text(&conversation, "cheese_type"), text(&conversation, "others")), ("[1]".into(), "[1,[2]]".into()));
}

#[tokio::test]
async fn s1_values_that_json_has_no_word_for_survive_between_turns_and_are_refused_under_a_memory_key() {
    let desk = Desk::new("").await;
    let mut conversation = desk.call().await;
    value(&mut conversation, "set_rich", &json!({})).await;
    let turn = call(&mut conversation, "read_rich", &json!({})).await;
    let TurnOutcome::Returned(returned) = turn.outcome else { panic!("{:?}", turn.outcome) };
    assert_eq!(returned.as_str(), r#"["2026-03-02T00:00:00.000Z",[1,2,3],"bigint",{"id":12345678901234567890}]"#);
    let again = value(&mut conversation, "read_rich", &json!({})).await;
    assert_eq!(again[1], json!([1, 2, 3]));
    let refusal = value(&mut conversation, "set_rich_under_memory_key", &json!({})).await;
    assert!(refusal.as_str().unwrap().starts_with("`cheese_type` is remembered, and a `Date` is opaque"), "{refusal}");
}

#[tokio::test]
async fn w1_what_start_function_and_end_function_set_is_there() {
    let desk = Desk::new("").await;
    let mut conversation = desk.call().await;
    assert_eq!(value(&mut conversation, "get", &json!({ "key": "started" })).await, true);
    conversation.end(Outcome::default()).await.unwrap();
    let memory = value(&mut desk.call().await, "read_memory", &json!({})).await;
    assert_eq!(memory["fields"], json!({ "mood": "ended" }));
}
