//! What functions are called with, what they ask for, and how they fail.

use std::sync::Arc;

use agent_memory_host::{CallError, Json, LogLevel, NewConversation, RequestError, Requests, TurnOutcome};
use async_trait::async_trait;
use serde_json::{Value, json};

use agent_memory_tests::built;

use crate::support::{Desk, agent_folder, call, failure, state, value};

const CALLER: &str = "+441632960001";

#[tokio::test]
async fn functions_are_described_as_language_models_want_it() {
    let desk = Desk::probe("{}").await;
    let functions = desk.agent.functions();
    let function = functions.iter().find(|function| function.name == "book_table").unwrap();
    assert_eq!(function.description, "Books a table.");
    let schema: Value = function.parameters.to().unwrap();
    assert_eq!(
        schema,
        json!({
            "type": "object",
            "properties": {
                "seats": {"type": "integer", "description": "How many people come."},
                "where": {"enum": ["inside", "outside"], "type": "string", "default": "inside"},
            },
            "required": ["seats"],
        })
    );
    let annotations: Value = function.annotations.as_ref().unwrap().to().unwrap();
    assert_eq!(annotations["latency_control"]["delay_before_responses_start"], 1);
}

#[tokio::test]
async fn arguments_that_do_not_fit_are_named_with_what_was_expected() {
    let desk = Desk::probe("{}").await;
    let mut conversation = desk.call_from(CALLER).await;
    for (arguments, problem) in [
        (json!({}), "`seats` is missing"),
        (json!({"seats": "four"}), "`seats`: expected an integer, found a text"),
        (json!({"seats": 4, "seat": 4}), "`seat` is no parameter: did you mean `seats`?"),
        (json!({"seats": 4, "where": "below"}), "`where`: expected one of `inside`, `outside`, found another text"),
    ] {
        let error = failure(&mut conversation, "book_table", arguments).await;
        let expected = format!("`book_table` (probe/calls.py:15) cannot be called like that: {problem}");
        assert_eq!((error.name.as_str(), error.message), ("invalid-arguments", expected));
    }
    let error = conversation.call("book_tabel", Json::empty_object()).await.unwrap_err();
    assert!(matches!(error, CallError::UnknownFunction { .. }), "{error}");
}

#[tokio::test]
async fn functions_call_one_another_within_the_turn() {
    let desk = Desk::probe("{}").await;
    let mut conversation = desk.call_from(CALLER).await;
    let turn = call(&mut conversation, "book_twice", json!({})).await;
    assert_eq!(turn.say, ["Booked 1 inside.", "Booked 2 outside."]);
    let error = failure(&mut conversation, "call_what_there_is_not", json!({})).await;
    assert_eq!(error.name, "KeyError");
    assert!(error.message.contains("there is no function `book_tabel`: did you mean `book_table`?"), "{error:?}");
    assert!(error.trace.contains("File \"probe/calls.py\", line 26, in call_what_there_is_not\n"), "{}", error.trace);
}

#[tokio::test]
async fn effects_have_the_names_and_parameters_that_they_have_in_every_language() {
    let desk = Desk::probe("{}").await;
    let start = NewConversation {
        caller_number: Some(CALLER.into()),
        channel: "sip.polyai".into(),
        sip_headers: vec![("X-Customer-Id".into(), "42".into())],
        ..Default::default()
    };
    let mut conversation = desk.agent.start(start).await.unwrap().conversation;
    let turn = call(&mut conversation, "ask_for_effects", json!({})).await;
    let actions: Vec<_> = turn.actions.iter().map(|action| (action.name.as_str(), action.arguments.as_str())).collect();
    assert_eq!(
        actions,
        [
            ("write_metric", r#"{"name":"cheese","value":"brie","write_once":true}"#),
            ("call_handoff", r#"{"destination":"cheesemonger","reason":"forty kilos","sip_headers":{"X-A":"1"}}"#),
            ("goto_flow", r#"{"name":"payment"}"#),
            ("send_sms", r#"{"to_number":"+1","from_number":"+2","content":"hi"}"#),
        ]
    );
    assert_eq!(turn.say, ["Hello."]);
    let log = &turn.logs[0];
    assert_eq!((log.level, log.content.as_str(), log.is_pii), (LogLevel::Warning, "careful", true));
    assert!(log.fields.as_str().starts_with(r#"{"seen":[1],"where":"<module 'probe.shelf'"#), "{:?}", log.fields);
    let TurnOutcome::Returned(returned) = turn.outcome else { panic!("{:?}", turn.outcome) };
    assert_eq!(returned.as_str(), r#"["cheese","+441632960001","sip.polyai","42"]"#);
}

/// Answers `api.quote` with what it was given.
struct Platform;

#[async_trait]
impl Requests for Platform {
    async fn answer(&self, _: &str, name: &str, arguments: Json) -> Result<Json, RequestError> {
        match name {
            "api.quote" => Ok(arguments),
            "api.broken" => Err(RequestError::Failed("the till is broken".into())),
            _ => Err(RequestError::Unanswered),
        }
    }
}

#[tokio::test]
async fn the_platform_answers_requests_or_the_function_is_told_that_it_does_not() {
    let probe = built(&agent_folder("probe"));
    let desk = Desk::with(probe, "{}", |builder| builder.requests(Arc::new(Platform))).await;
    let mut conversation = desk.call_from(CALLER).await;
    assert_eq!(value(&mut conversation, "ask", json!({"name": "quote"})).await, json!({"cheese": "brie"}));
    for (name, expected) in [
        ("translate", "NotAnsweredError: `api.translate` can only be answered by the platform"),
        ("broken", "RequestError: `api.broken` was not answered: the till is broken"),
    ] {
        let found = value(&mut conversation, "ask", json!({"name": name})).await;
        assert!(found.as_str().unwrap().starts_with(expected), "{found}");
    }
}

#[tokio::test]
async fn w6_an_exception_is_told_with_its_type_its_message_and_the_authors_own_lines() {
    let desk = Desk::probe("{}").await;
    let mut conversation = desk.call_from(CALLER).await;
    let turn = call(&mut conversation, "fail", json!({})).await;
    assert_eq!(turn.say, ["I'll have a look."]);
    let TurnOutcome::Failed(error) = turn.outcome else { panic!("{:?}", turn.outcome) };
    assert_eq!((error.name.as_str(), error.message.as_str()), ("NoCheese", "no feta today"));
    assert_eq!(
        error.trace,
        r#"Traceback (most recent call last):
  File "probe/calls.py", line 51, in fail
    shelf.find("feta")
  File "probe/shelf.py", line 9, in find
    return {"brie": 3}[name]
KeyError: 'feta'

Which led to:

Traceback (most recent call last):
  File "probe/calls.py", line 53, in fail
    raise shelf.NoCheese("no feta today") from error
NoCheese: no feta today"#
    );
    assert_eq!(state(&conversation, "looked"), Some(json!(true)), "what it did before stands");
}
