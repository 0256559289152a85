//! How functions fail, and how the sandbox stops them.

use std::time::Duration;

use agent_memory_host::{Conversation, FunctionError, Limits, StopReason, TurnOutcome};
use agent_memory_tests::{call, root, value};
use serde_json::json;

use crate::support::{AGENT, Desk, at};

async fn failure(conversation: &mut Conversation, function: &str) -> FunctionError {
    match call(conversation, function, &json!({})).await.outcome {
        TurnOutcome::Failed(error) => error,
        outcome => panic!("{function}: {outcome:?}"),
    }
}

async fn stop(conversation: &mut Conversation, function: &str) -> (StopReason, String) {
    let turn = call(conversation, function, &json!({})).await;
    match turn.outcome {
        TurnOutcome::Stopped(stop) => {
            (stop.reason, turn.logs.into_iter().map(|log| log.content).collect::<Vec<_>>().join("\n"))
        }
        outcome => panic!("{function}: {outcome:?}"),
    }
}

#[tokio::test]
async fn an_error_has_its_name_its_message_and_the_authors_own_files_and_lines() {
    let desk = Desk::new("").await;
    let mut conversation = desk.call().await;
    let error = failure(&mut conversation, "fail").await;
    assert_eq!((error.name.as_str(), error.message.as_str()), ("NoCheese", "no brie"));
    let place = at("fail", "open(");
    assert_eq!(
        error.trace,
        format!(
            "at open (shelf.ts:12:9)\n{place}\ncaused by RangeError: an empty shelf\nat NoCheese (shelf.ts:7:36)\nat open \
             (shelf.ts:12:9)\n{place}"
        )
    );
    let error = failure(&mut conversation, "fail_later").await;
    assert_eq!((error.name.as_str(), error.message.as_str()), ("NoCheese", "no feta"));
    let place = at("failLater", "open(");
    assert!(error.trace.starts_with(&format!("at open (shelf.ts:12:9)\n{place}\n")), "{}", error.trace);
    let error = failure(&mut conversation, "recurse").await;
    assert_eq!((error.name.as_str(), error.message.as_str()), ("InternalError", "too much recursion"));
    assert_eq!(error.trace.lines().count(), 32);
}

#[tokio::test]
async fn w6_a_turn_that_uses_too_much_is_stopped_for_the_right_reason_and_the_conversation_goes_on() {
    let functions = root().join(AGENT);
    let mut limits = Limits::default();
    limits.turn_time = Duration::from_secs(1);
    let desk = Desk::with(&functions, "", |builder| builder.limits(limits)).await;
    let mut conversation = desk.call().await;
    value(&mut conversation, "set", &json!({ "key": "x", "value": 1 })).await;
    assert_eq!(stop(&mut conversation, "loop").await.0, StopReason::TimeLimit);
    assert_eq!(stop(&mut conversation, "wait_long").await.0, StopReason::TimeLimit);
    let (reason, log) = stop(&mut conversation, "wait_for_ever").await;
    assert_eq!(reason, StopReason::Trap);
    assert!(log.contains("event loop error"), "{log}");
    assert_eq!(value(&mut conversation, "get", &json!({ "key": "x" })).await, 1);
}

#[tokio::test]
async fn w6_a_turn_that_uses_up_its_memory_is_stopped_for_that() {
    let desk = Desk::new("").await;
    let mut conversation = desk.call().await;
    assert_eq!(stop(&mut conversation, "allocate").await.0, StopReason::MemoryLimit);
    assert_eq!(value(&mut conversation, "get", &json!({ "key": "started" })).await, true);
}

#[tokio::test]
async fn memory_that_is_no_longer_used_is_used_again() {
    let desk = Desk::new("").await;
    assert_eq!(value(&mut desk.call().await, "churn", &json!({})).await, 200_000_000);
}

#[tokio::test]
async fn what_a_function_returns_may_be_as_large_as_the_host_allows() {
    let desk = Desk::new("").await;
    let mut conversation = desk.call().await;
    let returned = value(&mut conversation, "large", &json!({ "bytes": 1_000_000 })).await;
    assert_eq!(returned.as_str().unwrap().len(), 1_000_000);
    let turn = call(&mut conversation, "large", &json!({ "bytes": 1_100_000 })).await;
    assert!(
        matches!(&turn.outcome, TurnOutcome::Stopped(stop) if stop.reason == StopReason::OutputLimit),
        "{:?}",
        turn.outcome
    );
}
