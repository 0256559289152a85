//! The Rust API for tests, with the cheese shop.
#![allow(clippy::unwrap_used, reason = "a test has nobody else to tell")]

use agent_memory_host::{DropReason, Handoff, IdentifierKind, NewConversation, Outcome};
use agent_memory_testing::{ConversationResult, Desk, DeskError, Scenario};
use jiff::SignedDuration;
use serde_json::json;

const CONFIGURATION: &str = r#"{"memory": {"repeat_caller": {
    "analytics_enabled": true, "state_keys": ["cheese_type", "booking_day"]
}}}"#;

fn cheese_shop() -> Vec<u8> {
    std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../cli/src/cheese-shop.wasm")).unwrap()
}

async fn desk() -> Desk {
    Desk::new(cheese_shop(), CONFIGURATION).await.unwrap()
}

async fn brie(desk: &Desk) -> ConversationResult {
    desk.call_from("+441632960001")
        .id("call-1")
        .turn("book", json!({"cheese_type": "brie", "booking_day": "Friday"}))
        .outcome(Outcome {
            qa: Some("resolved".into()),
            handoff: Some(Handoff { reason: Some("refund".into()), to: Some("billing".into()) }),
        })
        .end()
        .await
        .unwrap()
}

#[tokio::test]
async fn a_call_leaves_what_the_next_one_reads() {
    let desk = desk().await;
    let first = brie(&desk).await;
    first.assert_ok();
    first.assert_returned("book", "Booked brie for Friday.");
    assert_eq!(first.assert_kept("cheese_type").to_string(), "2026-04-01T10:00:00Z");
    first.assert_dropped("mood", DropReason::NotInStateKeys);
    first.assert_memory(json!({"cheese_type": "brie", "booking_day": "Friday"}));

    desk.advance(SignedDuration::from_hours(48));
    let second = desk.call_from("+44 1632 960001").end().await.unwrap();
    second.assert_said(["You booked brie for Friday. Rebook?"]);
    second.assert_metrics([
        ("REPEAT_CALLER_CONV_ID", "call-1"),
        ("REPEAT_CALLER_DATETIME", "2026-01-01T10:00:00Z"),
        ("REPEAT_CALLER_QA", "resolved"),
        ("REPEAT_CALLER_HANDOFF_REASON", "refund"),
        ("REPEAT_CALLER_HANDOFF_TO", "billing"),
    ]);
    assert_eq!(desk.stored("+441632960001").await.unwrap().len(), 2);
}

#[tokio::test]
async fn e1_nothing_is_left_when_the_clock_is_past_retention() {
    let desk = desk().await;
    brie(&desk).await;
    desk.set_time("2026-04-01T09:59:59Z".parse().unwrap());
    desk.call_from("+441632960001").leave_open().await.unwrap().assert_said(["You booked brie for Friday. Rebook?"]);
    desk.set_time("2026-04-01T10:00:00Z".parse().unwrap());
    desk.call_from("+441632960001").leave_open().await.unwrap().assert_memory(json!({}));
    assert!(desk.stored("+441632960001").await.unwrap().is_empty());
    assert_eq!(desk.administration().sweep().await.unwrap().deleted.fields, 2);
}

#[tokio::test]
async fn the_clock_moves_before_the_turn_that_follows() {
    let desk = desk().await;
    let minute = SignedDuration::from_mins(1);
    let arguments = json!({"cheese_type": "brie"});
    let call = desk.call_from("+441632960001").after(minute).after(minute).turn("book", arguments.clone());
    let result = call.turn("book", arguments).end().await.unwrap();
    let times: Vec<_> = result.turns.iter().map(|turn| turn.at.to_string()).collect();
    let (ten, later) = ("2026-01-01T10:00:00Z", "2026-01-01T10:02:00Z");
    assert_eq!(times, [ten, later, later, later]);
}

#[tokio::test]
async fn other_channels_and_administration_are_at_hand() {
    let desk = desk().await;
    let chat = NewConversation { channel: "webchat.polyai".into(), ..NewConversation::default() };
    let result = desk.call(chat).turn("book", json!({"cheese_type": "brie"})).end().await.unwrap();
    result.assert_dropped("cheese_type", DropReason::NoIdentifier);
    brie(&desk).await;
    let scope = Scenario::default().scope;
    let erased =
        desk.administration().erase(&scope, IdentifierKind::Phone, "+441632960001", None).await.unwrap().deleted;
    assert_eq!((erased.fields, erased.interactions), (2, 1));
    assert_eq!(desk.agent().functions().len(), 4);
}

#[tokio::test]
async fn a_desk_says_what_is_wrong_with_its_parts() {
    let error = Desk::new(b"not wasm".to_vec(), "{}").await.err().unwrap();
    assert!(matches!(error, DeskError::Load(_)), "{error}");
    let error = Desk::new(cheese_shop(), r#"{"memory": {"repeat_caler": {}}}"#).await.err().unwrap();
    assert!(error.to_string().contains("repeat_caller"), "{error}");
}

#[tokio::test]
#[should_panic(expected = "came:     \"Booked brie for Friday.\"")]
async fn an_assertion_shows_what_came() {
    brie(&desk().await).await.assert_returned("book", "Booked gouda for Friday.");
}

#[tokio::test]
#[should_panic(expected = "no turn called `hand_over`")]
async fn an_assertion_on_a_function_that_was_not_called_says_so() {
    brie(&desk().await).await.assert_returned("hand_over", "");
}

#[tokio::test]
#[should_panic(expected = "`commit` of `mood`\n    expected: kept\n    came:     not-in-state-keys")]
async fn an_assertion_on_a_key_shows_its_reason() {
    brie(&desk().await).await.assert_kept("mood");
}

#[tokio::test]
#[should_panic(expected = "expected: {}\n    came:     {\"booking_day\":\"Friday\",\"cheese_type\":\"brie\"}")]
async fn an_assertion_on_memory_shows_it() {
    brie(&desk().await).await.assert_memory(json!({}));
}
