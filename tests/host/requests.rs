//! What functions ask the platform for, and how long they may wait for it.

use std::sync::Arc;
use std::time::Duration;

use agent_memory_host::store::MemoryStore;
use agent_memory_host::{Conversation, Json, Limits, StopReason, Turn, TurnOutcome};
use agent_memory_tests::{Desk, call, configuration, returned, set, value};
use serde_json::json;

use crate::platform::{Platform, request};

const CALLER: &str = "+441632960001";

/// The probe with this platform, and with limits that differ from the defaults.
async fn desk(platform: &Arc<Platform>, change: impl FnOnce(&mut Limits)) -> Desk {
    let mut limits = Limits::default();
    change(&mut limits);
    let requests = platform.clone();
    Desk::with(Arc::new(MemoryStore::new()), &configuration(""), |builder| builder.limits(limits).requests(requests))
        .await
}

fn is_out_of_time(turn: &Turn) -> bool {
    matches!(&turn.outcome, TurnOutcome::Stopped(stop) if stop.reason == StopReason::TimeLimit)
}

#[tokio::test]
async fn an_answer_reaches_the_function_as_it_was_given() {
    let desk = desk(&Platform::new(), |_| {}).await;
    let mut conversation = desk.call_from(CALLER).await;
    let text = r#"{"name": "echo", "arguments": [1.0, 12345678901234567890, "é"]}"#;
    let turn = conversation.call("request", Json::parse(text).unwrap()).await.unwrap();
    let TurnOutcome::Returned(answer) = turn.outcome else { panic!("{turn:?}") };
    assert_eq!(answer.as_str(), r#"[1.0, 12345678901234567890, "é"]"#);
    let asked = value(&mut conversation, "request", &request("conversation")).await;
    assert_eq!(asked, json!(conversation.id()), "the platform is told who asks");
}

#[tokio::test]
async fn a_request_without_an_answer_is_an_error_that_says_why() {
    let answered = desk(&Platform::new(), |_| {}).await;
    let unanswered = Desk::new("").await;
    for (desk, name, expected) in [
        (&answered, "broken", "the model is asleep"),
        (&answered, "unknown", "`unknown`"),
        (&unanswered, "echo", "`echo`"),
    ] {
        let turn = call(&mut desk.call_from(CALLER).await, "request", &request(name)).await;
        let TurnOutcome::Failed(error) = &turn.outcome else { panic!("{name}: {turn:?}") };
        assert_eq!(error.name, "RequestError");
        assert!(error.message.contains(expected), "{name}: {error:?}");
    }
}

#[tokio::test]
async fn a_request_counts_as_output() {
    let desk = desk(&Platform::new(), |_| {}).await;
    let mut conversation = desk.call_from(CALLER).await;
    let large = json!({"name": "echo", "arguments": "x".repeat(1 << 20)});
    let turn = call(&mut conversation, "request", &large).await;
    assert!(matches!(&turn.outcome, TurnOutcome::Stopped(stop) if stop.reason == StopReason::OutputLimit), "{turn:?}");
}

/// The answer comes when another turn, begun after the question, has used up all of its time.
#[tokio::test(flavor = "current_thread")]
async fn the_time_that_an_answer_takes_does_not_count_and_the_time_after_it_does() {
    let limit = Duration::from_millis(250);
    let platform = Platform::new();
    let desk = desk(&platform, |limits| limits.turn_time = limit).await;
    let mut asking = desk.call_from(CALLER).await;
    let mut timing = desk.call_from("+441632960002").await;
    let wait = request("wait");

    let answer = wait_for_a_limit(&platform, &mut timing);
    let (turn, ()) = tokio::join!(call(&mut asking, "request", &wait), answer);
    assert_eq!(returned(&turn), json!({"prompt": "which cheese?"}));
    assert!(turn.elapsed >= limit);

    let answer = wait_for_a_limit(&platform, &mut timing);
    let (turn, ()) = tokio::join!(call(&mut asking, "request_then_loop", &wait), answer);
    assert!(is_out_of_time(&turn), "{turn:?}");
    assert!(turn.elapsed >= 2 * limit, "it waited for a limit, and had its own after that: {:?}", turn.elapsed);
}

/// Answers a `wait` when a turn of this conversation has run out of time since it came in.
async fn wait_for_a_limit(platform: &Platform, timing: &mut Conversation) {
    platform.asked().await;
    assert!(is_out_of_time(&call(timing, "loop_forever", &json!({})).await));
    platform.answer_one();
}

#[tokio::test]
async fn w6_a_turn_that_is_dropped_while_it_waits_has_not_happened() {
    let platform = Platform::new();
    let desk = desk(&platform, |limits| limits.concurrent_turns = 1).await;
    let mut conversation = desk.call_from(CALLER).await;
    set(&mut conversation, "mood", &json!("good")).await;
    let before = conversation.session().to_bytes();
    // As many that a place which is not given back would be missed.
    let wait = request("wait");
    for _ in 0..50 {
        tokio::select! {
            turn = call(&mut conversation, "request", &wait) => panic!("it was answered: {turn:?}"),
            () = platform.asked() => {}
        }
        assert_eq!(conversation.session().to_bytes(), before);
    }
    assert_eq!(value(&mut conversation, "get", &json!({"key": "mood"})).await, json!("good"));
}
