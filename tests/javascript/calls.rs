//! What functions are called, with what, and what they ask for.

use std::sync::Arc;

use agent_memory_host::{CallError, Json, LogLevel, NewConversation, RequestError, Requests, TurnOutcome};
use agent_memory_tests::{call, root, value};
use async_trait::async_trait;
use serde_json::json;

use crate::support::{AGENT, Desk, at};

#[tokio::test]
async fn a_function_is_called_in_either_spelling_of_its_name_and_an_asynchronous_one_is_awaited() {
    let desk = Desk::new("").await;
    let names = desk.functions();
    assert_eq!(names[..4], ["start_function", "end_function", "read_memory", "get"]);
    let mut conversation = desk.call().await;
    for name in ["book_table", "bookTable"] {
        let turn = call(&mut conversation, name, &json!({ "seats": 4 })).await;
        assert!(matches!(&turn.outcome, TurnOutcome::Returned(seats) if seats.as_str() == "4"), "{:?}", turn.outcome);
        assert_eq!((turn.function.as_str(), turn.say), (name, vec!["Booked 4.".to_owned()]));
    }
    assert_eq!(value(&mut conversation, "bookTwice", &json!({})).await, json!([1, 2]));
    for name in ["booktable", "book_tab_le", "cancel"] {
        let error = conversation.call(name, Json::empty_object()).await.unwrap_err();
        assert!(matches!(error, CallError::UnknownFunction { .. }), "{error}");
    }
}

#[tokio::test]
async fn arguments_that_do_not_fit_are_named_with_what_was_expected() {
    let desk = Desk::new("").await;
    let mut conversation = desk.call().await;
    for (arguments, problem) in [
        (json!({}), "`seats` is missing"),
        (json!({ "seats": "four" }), "`seats`: expected a number, found a text"),
        (json!({ "seats": 4, "seat": 4 }), "`seat` is no parameter: did you mean `seats`?"),
    ] {
        let turn = call(&mut conversation, "book_table", &arguments).await;
        let TurnOutcome::Failed(error) = turn.outcome else { panic!("{:?}", turn.outcome) };
        let place = at("bookTable", "").replace("at bookTable (", "").rsplit_once(':').unwrap().0.to_owned();
        let expected = format!("`book_table` ({place}) cannot be called like that: {problem}");
        assert_eq!((error.name.as_str(), error.message), ("invalid-arguments", expected));
    }
}

#[tokio::test]
async fn a_call_between_functions_that_goes_wrong_is_told_with_its_line() {
    let desk = Desk::new("").await;
    let mut conversation = desk.call().await;
    for (function, name, message, trace) in [
        ("bookBadly", "ArgumentsError", "`seat` is no parameter: did you mean `seats`?", at("bookBadly", "bookTable(")),
        (
            "bookNothing",
            "TypeError",
            "there is no function `bokTable`: did you mean `book",
            at("bookNothing", "return"),
        ),
    ] {
        let turn = call(&mut conversation, function, &json!({})).await;
        let TurnOutcome::Failed(error) = turn.outcome else { panic!("{:?}", turn.outcome) };
        assert_eq!(error.name, name);
        assert!(error.message.contains(message), "{}", error.message);
        assert_eq!(error.trace, trace);
    }
}

#[tokio::test]
async fn effects_have_the_names_and_parameters_that_they_have_in_every_language() {
    let desk = Desk::new("").await;
    let conversation = NewConversation {
        channel: "sip.polyai".into(),
        sip_headers: vec![("X-Customer-Id".into(), "42".into())],
        ..NewConversation::default()
    };
    let mut conversation = desk.start(conversation).await;
    let turn = call(&mut conversation, "everything_else", &json!({})).await;
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
    assert_eq!((log.content.as_str(), log.is_pii, log.fields.as_str()), ("careful", true, r#"{"seen":[1]}"#));
    assert!(matches!(log.level, LogLevel::Warning));
    let TurnOutcome::Returned(returned) = turn.outcome else { panic!("{:?}", turn.outcome) };
    assert_eq!(returned.as_str(), r#"[[{"name":"cheese","value":"brie"}],"+441632960001","sip.polyai","42"]"#);
}

/// Answers `quote` with what it was given.
struct Platform;

#[async_trait]
impl Requests for Platform {
    async fn answer(&self, _: &str, name: &str, arguments: Json) -> Result<Json, RequestError> {
        match name {
            "quote" => Ok(arguments),
            "broken" => Err(RequestError::Failed("the till is broken".into())),
            _ => Err(RequestError::Unanswered),
        }
    }
}

#[tokio::test]
async fn the_platform_answers_requests_or_the_function_is_told_that_it_does_not() {
    let functions = root().join(AGENT);
    let desk = Desk::with(&functions, "", |builder| builder.requests(Arc::new(Platform))).await;
    let mut conversation = desk.call().await;
    assert_eq!(value(&mut conversation, "ask", &json!({ "name": "quote" })).await, json!({ "cheese": "brie" }));
    let unanswered = value(&mut conversation, "ask", &json!({ "name": "translate" })).await;
    assert_eq!(unanswered["isUnanswered"], true);
    let failed = value(&mut conversation, "ask", &json!({ "name": "broken" })).await;
    assert_eq!(failed["isUnanswered"], false);
    assert_eq!(failed["message"], "RequestError: the request for `broken` failed: the till is broken");
}
