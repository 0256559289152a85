//! What a turn reads, sets and gives back.

use std::sync::Arc;

use agent_memory_host::{
    CallError, Json, MemoryFailure, NewConversation, NoIdentifier, Outcome, Role, Settings, StartError, TurnOutcome,
    Utterance,
};
use agent_memory_tests::{Desk, Fault, FaultyStore, call, configuration, returned, set, value};
use serde_json::{Value, json};

const CALLER: &str = "+441632960001";

/// What the caller has remembered from a conversation that set these.
async fn remember(desk: &Desk, fields: &[(&str, Value)]) {
    let mut conversation = desk.call_from(CALLER).await;
    for (key, value) in fields {
        set(&mut conversation, key, value).await;
    }
    conversation.end(Outcome::default()).await.unwrap();
}

#[tokio::test]
async fn m1_a_turn_reads_the_store_once_and_its_reads_never() {
    let store = Arc::new(FaultyStore::default());
    let desk = Desk::with(store.clone(), &configuration(""), |builder| builder).await;
    let mut conversation = desk.call_from(CALLER).await;
    assert_eq!(store.loads(), 1, "the start");
    for turn in 2..5 {
        call(&mut conversation, "memory_fields", &json!({})).await;
        assert_eq!(store.loads(), turn);
    }
    let start = NewConversation { caller_number: Some("anonymous".into()), ..Default::default() };
    let mut withheld = desk.start(start).await;
    let before = store.loads();
    let turn = call(&mut withheld, "memory_len", &json!({})).await;
    assert_eq!((turn.identifier, store.loads()), (Err(NoIdentifier::Withheld), before), "nobody's memory is not read");
}

#[tokio::test]
async fn m2_memory_gives_values_presence_count_and_all_fields() {
    let desk = Desk::new("").await;
    remember(&desk, &[("cheese_type", json!("brie")), ("mood", json!({"level": 3, "up": true}))]).await;
    let mut conversation = desk.call_from(CALLER).await;
    let get = async |conversation: &mut _, function, key| value(conversation, function, &json!({"key": key})).await;
    assert_eq!(get(&mut conversation, "memory_get", "cheese_type").await, json!("brie"));
    assert_eq!(get(&mut conversation, "memory_get", "booking_day").await, json!(null));
    assert_eq!(get(&mut conversation, "memory_contains", "mood").await, json!(true));
    assert_eq!(get(&mut conversation, "memory_contains", "booking_day").await, json!(false));
    assert_eq!(value(&mut conversation, "memory_len", &json!({})).await, json!(2));
    let all = json!({"cheese_type": "brie", "mood": {"level": 3, "up": true}});
    assert_eq!(value(&mut conversation, "memory_fields", &json!({})).await, all);
}

#[tokio::test]
async fn m3_a_value_set_in_this_conversation_is_not_in_memory() {
    let desk = Desk::new("").await;
    let mut conversation = desk.call_from(CALLER).await;
    set(&mut conversation, "cheese_type", &json!("brie")).await;
    assert_eq!(value(&mut conversation, "memory_fields", &json!({})).await, json!({}));
    assert_eq!(value(&mut conversation, "get", &json!({"key": "cheese_type"})).await, json!("brie"));
    conversation.end(Outcome::default()).await.unwrap();

    let mut next = desk.call_from(CALLER).await;
    assert_eq!(value(&mut next, "memory_fields", &json!({})).await, json!({"cheese_type": "brie"}));
    let mut stranger = desk.call_from("+441632960002").await;
    assert_eq!(value(&mut stranger, "memory_len", &json!({})).await, json!(0));
}

#[tokio::test]
async fn m4_a_field_is_gone_from_the_second_it_expires() {
    let desk = Desk::new(r#""retention_days": 1"#).await;
    remember(&desk, &[("cheese_type", json!("brie"))]).await;
    let mut conversation = desk.call_from(CALLER).await;
    desk.set_clock("2026-03-03T09:59:59Z");
    assert_eq!(value(&mut conversation, "memory_len", &json!({})).await, json!(1));
    desk.set_clock("2026-03-03T10:00:00Z");
    assert_eq!(value(&mut conversation, "memory_len", &json!({})).await, json!(0), "nothing has swept it");
}

#[tokio::test]
async fn m5_when_memory_cannot_be_read_the_embedder_decides() {
    let store = Arc::new(FaultyStore::default());
    let failing = Desk::with(store.clone(), &configuration(""), |builder| builder).await;
    remember(&failing, &[("cheese_type", json!("brie"))]).await;
    let mut conversation = failing.call_from(CALLER).await;
    set(&mut conversation, "mood", &json!("good")).await;
    store.fail(&[Fault::Load]);
    let error = conversation.call("memory_len", Json::empty_object()).await.unwrap_err();
    assert!(matches!(error, CallError::Store(_)), "{error}");
    let error = failing.agent.start(NewConversation::default()).await.err().unwrap();
    assert!(matches!(error, StartError::Store(_)), "{error}");
    store.fail(&[]);
    assert_eq!(value(&mut conversation, "get", &json!({"key": "mood"})).await, json!("good"), "nothing is lost");

    let lenient = |builder: agent_memory_host::RuntimeBuilder| builder.memory_failure(MemoryFailure::EmptyMemory);
    let desk = Desk::with(store.clone(), &configuration(""), lenient).await;
    let mut conversation = desk.call_from(CALLER).await;
    store.fail(&[Fault::Load]);
    let turn = call(&mut conversation, "memory_len", &json!({})).await;
    assert_eq!((returned(&turn), turn.memory_unavailable), (json!(0), true));
    store.fail(&[]);
    let turn = call(&mut conversation, "memory_len", &json!({})).await;
    assert_eq!((returned(&turn), turn.memory_unavailable), (json!(1), false));
}

#[tokio::test]
async fn s1_state_holds_anything_for_the_whole_conversation() {
    let desk = Desk::new("").await;
    let mut conversation = desk.call_from(CALLER).await;
    let nested = json!({"lines": [{"item": "brie", "count": 2}], "": null});
    set(&mut conversation, "cart", &nested).await;
    let opaque = json!({"key": "since", "type_name": "datetime", "bytes": [0, 255, 7]});
    value(&mut conversation, "set_opaque", &opaque).await;
    let state = value(&mut conversation, "state", &json!({})).await;
    assert_eq!(state["cart"], nested);
    assert_eq!(state["since"], json!({"type_name": "datetime", "bytes": [0, 255, 7]}));
    let keys: Vec<_> = conversation.state().into_iter().map(|(key, value)| (key, value.is_some())).collect();
    assert_eq!(keys, [("cart".to_owned(), true), ("since".to_owned(), false)]);
    assert_eq!(value(&mut conversation, "remove", &json!({"key": "cart"})).await, json!(true));
    assert_eq!(value(&mut conversation, "remove", &json!({"key": "cart"})).await, json!(false));
}

#[tokio::test]
async fn v2_v3_what_memory_cannot_hold_is_refused_when_it_is_set() {
    let desk = Desk::new("").await;
    let mut conversation = desk.call_from(CALLER).await;
    set(&mut conversation, "mood", &json!("good")).await;
    let refusals = [
        ("set", json!({"key": "mood", "value": {"a": {"b": [1]}}}), "mood"),
        ("set_opaque", json!({"key": "mood", "type_name": "datetime", "bytes": []}), "datetime"),
    ];
    for (function, arguments, named) in refusals {
        let turn = call(&mut conversation, function, &arguments).await;
        let TurnOutcome::Failed(error) = &turn.outcome else { panic!("{turn:?}") };
        assert!(error.message.contains(named), "{error:?}");
    }
    assert_eq!(value(&mut conversation, "get", &json!({"key": "mood"})).await, json!("good"));
}

#[tokio::test]
async fn v4_numbers_keep_their_exact_text() {
    let desk = Desk::new("").await;
    let text = r#"{"key": "mood", "value": [1.0, 12345678901234567890, 1e400, -0.0, 0.1000]}"#;
    let mut conversation = desk.call_from(CALLER).await;
    conversation.call("set", Json::parse(text).unwrap()).await.unwrap();
    conversation.end(Outcome::default()).await.unwrap();
    let mut next = desk.call_from(CALLER).await;
    let turn = next.call("memory_get", Json::parse(r#"{"key": "mood"}"#).unwrap()).await.unwrap();
    let TurnOutcome::Returned(value) = turn.outcome else { panic!("{turn:?}") };
    assert_eq!(value.as_str(), "[1.0, 12345678901234567890, 1e400, -0.0, 0.1000]");
}

#[tokio::test]
async fn w6_a_function_that_fails_keeps_what_it_did() {
    let desk = Desk::new("").await;
    let mut conversation = desk.call_from(CALLER).await;
    let turn = call(&mut conversation, "set_then_fail", &json!({"key": "mood", "value": "bad"})).await;
    assert!(matches!(turn.outcome, TurnOutcome::Failed(_)), "{turn:?}");
    assert!(!turn.say.is_empty());
    assert_eq!(value(&mut conversation, "get", &json!({"key": "mood"})).await, json!("bad"));
}

#[tokio::test]
async fn effects_come_in_order_under_their_python_names() {
    let desk = Desk::new("").await;
    let mut conversation = desk.call_from(CALLER).await;
    let metric = json!({"name": "booked", "value": 1.50, "write_once": true});
    let turn = call(&mut conversation, "metric", &metric).await;
    assert_eq!(serde_json::to_value(&turn.actions).unwrap()[0]["name"], "write_metric");
    assert_eq!(call(&mut conversation, "metric", &metric).await.actions.len(), 0, "once in the conversation");
    let events = value(&mut conversation, "metric_events", &json!({})).await;
    assert_eq!(events, json!([{"name": "booked", "value": 1.5}]));

    let handoff = json!({"destination": "billing", "reason": "refund"});
    let turn = call(&mut conversation, "handoff", &handoff).await;
    let actions = serde_json::to_value(&turn.actions).unwrap();
    assert_eq!(actions, json!([{"name": "call_handoff", "arguments": handoff}]), "defaults are left out");
    let turn = call(&mut conversation, "act", &json!({"name": "goto_flow", "arguments": {"name": "x"}})).await;
    assert_eq!(serde_json::to_value(&turn.actions).unwrap()[0]["arguments"], json!({"name": "x"}));
    assert_eq!(call(&mut conversation, "say", &json!({"text": "Hello."})).await.say, ["Hello."]);
}

#[tokio::test]
async fn malformed_json_from_a_function_is_an_error_to_it_and_no_more() {
    let desk = Desk::new("").await;
    let mut conversation = desk.call_from(CALLER).await;
    for place in ["state", "metric", "handoff", "act", "request"] {
        for text in ["{", "", "{\"a\": 1} x", "\u{0}"] {
            let arguments = json!({"place": place, "text": text});
            let turn = call(&mut conversation, "malformed", &arguments).await;
            assert!(returned(&turn).as_str().is_some_and(|error| error.contains("InvalidJson")), "{place}: {turn:?}");
            assert!(turn.actions.is_empty(), "{place}");
        }
    }
    let turn = call(&mut conversation, "malformed", &json!({"place": "log", "text": "[1"})).await;
    assert_eq!(serde_json::to_value(&turn.logs).unwrap()[0]["fields"], json!({"fields": "[1"}));
}

#[tokio::test]
async fn functions_see_the_conversation_as_the_embedder_gave_it() {
    let desk = Desk::new("").await;
    let mut conversation = desk
        .start(NewConversation {
            id: Some("call-1".into()),
            caller_number: Some(CALLER.into()),
            callee_number: Some("+441632960100".into()),
            channel: "sip.polyai".into(),
            sip_headers: vec![("X-Customer-Id".into(), "42".into())],
            integration_attributes: Some(Json::parse(r#"{"customer_id": 42}"#).unwrap()),
            ..Default::default()
        })
        .await;
    conversation.set(Settings {
        language: Some("en-GB".into()),
        history: vec![Utterance { role: Role::User, text: "Hi".into() }],
        ..Default::default()
    });
    let seen = value(&mut conversation, "attributes", &json!({})).await;
    for (name, expected) in [
        ("id", json!("call-1")),
        ("account_id", json!("local")),
        ("env", json!("sandbox")),
        ("channel", json!("sip.polyai")),
        ("caller_number", json!(CALLER)),
        ("callee_number", json!("+441632960100")),
        ("language", json!("en-GB")),
    ] {
        assert_eq!(seen[name], expected, "{name} of {seen}");
    }
    let history = value(&mut conversation, "history", &json!({})).await;
    assert_eq!(history, json!([{"role": "user", "text": "Hi"}]));
}

#[tokio::test]
async fn a_call_that_cannot_be_made_says_why_and_changes_nothing() {
    let desk = Desk::new("").await;
    let mut conversation = desk.call_from(CALLER).await;
    let unknown = conversation.call("bok", Json::empty_object()).await.unwrap_err().to_string();
    assert!(unknown.contains("\"bok\"") && unknown.contains("memory_get"), "{unknown}");
    assert!(!unknown.contains("end_function"), "{unknown}");
    let arguments = conversation.call("say", Json::parse("[1]").unwrap()).await.unwrap_err().to_string();
    assert!(arguments.contains("say") && arguments.contains("object"), "{arguments}");
    let turn = call(&mut conversation, "say", &json!({"txt": 1})).await;
    let TurnOutcome::Failed(error) = &turn.outcome else { panic!("{turn:?}") };
    assert_eq!(error.name, "invalid-arguments");
    assert!(error.message.contains("text"), "{error:?}");
}
