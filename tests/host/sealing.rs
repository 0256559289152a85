//! What is sealed can be read for as long as it is held, and the audit trail has what was done.

use std::sync::Arc;

use agent_memory_host::keys::Keys;
use agent_memory_host::store::MemoryStore;
use agent_memory_host::{
    Act, ActKind, AdministrationError, BuildError, IdentifierKind, NewConversation, Outcome, Runtime,
};
use agent_memory_tests::{Desk, Fault, FaultyStore, Trouble, configuration, scope, set};
use serde_json::json;

const CALLER: &str = "+441632960001";

#[tokio::test]
async fn a6_metric_rows_can_be_read_for_as_long_as_they_are_held() {
    let desk = Desk::new(r#""analytics_enabled": true"#).await;
    // The conversation that begins first ends last: its row is held as long as the interaction that began later.
    desk.set_clock("2026-03-02T23:00:00Z");
    let mut early = desk.call_from(CALLER).await;
    desk.set_clock("2026-03-03T10:00:00Z");
    let mut late = desk.call_from(CALLER).await;
    for conversation in [&mut late, &mut early] {
        conversation.end(Outcome::default()).await.unwrap();
    }
    let administration = desk.runtime.administration();
    // The day on which the early one's own window is over is past, and its key destroyed.
    for (now, rows) in [("2026-06-01T00:30:00Z", 2), ("2026-06-01T09:59:59Z", 2), ("2026-06-01T10:00:00Z", 0)] {
        desk.set_clock(now);
        administration.sweep().await.unwrap();
        assert_eq!(administration.analytics().await.unwrap().totals.conversations, rows, "{now}");
    }
    // The sweep that found something is in the trail.
    let [act] = administration.acts(None).await.unwrap().0.try_into().unwrap();
    assert_eq!((act.act, act.counts["metrics"], act.scope), (ActKind::Sweep, 2, None));
}

#[tokio::test]
async fn e2_everything_held_can_be_read_on_every_day() {
    let desk = Desk::new(r#""analytics_enabled": true"#).await;
    let mut conversation = desk.call_from(CALLER).await;
    set(&mut conversation, "mood", &json!("good")).await;
    conversation.end(Outcome::default()).await.unwrap();
    let administration = desk.runtime.administration();
    for day in 0..90 {
        desk.advance_days(day);
        administration.sweep().await.unwrap();
        let held = administration.export(&scope(), IdentifierKind::Phone, CALLER).await.unwrap();
        assert_eq!((held.fields.len(), held.conversations.len()), (1, 1), "day {day}");
        assert!(held.first_interaction.is_some(), "day {day}");
        assert_eq!(administration.callers(None).await.unwrap().0.len(), 1, "day {day}");
        assert_eq!(administration.analytics().await.unwrap().totals.conversations, 1, "day {day}");
    }
}

#[tokio::test]
async fn c7_what_was_written_with_a_longer_retention_can_be_read_after_a_shorter_one() {
    let desk = Desk::new("").await;
    let mut conversation = desk.call_from(CALLER).await;
    set(&mut conversation, "mood", &json!("good")).await;
    conversation.end(Outcome::default()).await.unwrap();
    let functions = agent_memory_tests::component("probe");
    desk.agent.replace(functions, configuration(r#""retention_days": 1"#)).await.unwrap();
    let mut short = desk.call_from(CALLER).await;
    set(&mut short, "cheese_type", &json!("brie")).await;
    short.end(Outcome::default()).await.unwrap();
    desk.advance_days(30);
    let administration = desk.runtime.administration();
    administration.sweep().await.unwrap();
    // The identifier is there for as long as the field that is left.
    let (callers, _) = administration.callers(None).await.unwrap();
    assert_eq!(callers[0].fields.keys().collect::<Vec<_>>(), ["mood"]);
    assert_eq!(callers[0].identifier, CALLER);
}

#[tokio::test]
async fn a_store_belongs_to_the_keys_that_it_was_first_used_with() {
    let store = Arc::new(MemoryStore::new());
    let (ours, plain) = (Keys::ephemeral(), Keys::plaintext());
    Runtime::builder(store.clone(), ours.clone()).build().await.unwrap();
    Runtime::builder(store.clone(), ours).build().await.unwrap();
    let refusal = async |store: &Arc<MemoryStore>, keys: &Keys| {
        Runtime::builder(store.clone(), keys.clone()).build().await.err().unwrap()
    };
    assert!(matches!(refusal(&store, &Keys::ephemeral()).await, BuildError::OtherKeys));
    assert!(matches!(refusal(&store, &plain).await, BuildError::SealedStore));
    let store = Arc::new(MemoryStore::new());
    Runtime::builder(store.clone(), plain.clone()).build().await.unwrap();
    assert!(matches!(refusal(&store, &Keys::ephemeral()).await, BuildError::PlaintextStore));
}

#[tokio::test]
async fn e2_what_has_expired_cannot_be_read_though_the_store_could_not_be_swept() {
    let store = Arc::new(FaultyStore::default());
    let desk = Desk::sealed(store.clone(), Keys::ephemeral(), &configuration(""), |builder| builder).await;
    let mut conversation = desk.call_from(CALLER).await;
    set(&mut conversation, "mood", &json!("good")).await;
    conversation.end(Outcome::default()).await.unwrap();
    let began = desk.runtime.administration().callers(None).await.unwrap().0;
    assert_eq!(began.len(), 1);

    desk.advance_days(100);
    store.trouble(0, Trouble::Refused);
    assert!(matches!(desk.runtime.administration().sweep().await, Err(AdministrationError::Store(_))));
    assert!(store.no_more_trouble());
    // It is in the store still, for a clock that shows it.
    desk.set_clock("2026-03-02T10:00:00Z");
    assert!(desk.runtime.administration().get(&scope(), IdentifierKind::Phone, CALLER).await.is_err());
}

/// The acts of a kind, with whether they were completed.
fn kinds(acts: &[Act]) -> Vec<(ActKind, bool)> {
    acts.iter().map(|act| (act.act, act.completed)).collect()
}

#[tokio::test]
async fn an_act_is_noted_before_it_is_done() {
    let store = Arc::new(FaultyStore::default());
    let desk = Desk::with(store.clone(), &configuration(""), |builder| builder).await;
    let mut conversation = desk.call_from(CALLER).await;
    set(&mut conversation, "mood", &json!("good")).await;
    conversation.end(Outcome::default()).await.unwrap();
    let administration = desk.runtime.administration().by("alice");
    let erase = async || administration.erase(&scope(), IdentifierKind::Phone, CALLER, None).await;

    // What cannot be noted is not done.
    store.fail(&[Fault::RecordAct]);
    assert!(matches!(erase().await, Err(AdministrationError::Store(_))));
    store.fail(&[]);
    assert_eq!(administration.acts(None).await.unwrap().0, []);
    assert_eq!(
        desk.start(NewConversation { caller_number: Some(CALLER.into()), ..Default::default() })
            .await
            .remembered()
            .await
            .unwrap()
            .len(),
        1
    );

    // What breaks off shows.
    store.fail(&[Fault::Erase]);
    assert!(matches!(erase().await, Err(AdministrationError::Store(_))));
    store.fail(&[]);
    assert_eq!(kinds(&administration.acts(None).await.unwrap().0), [(ActKind::Erase, false)]);

    let receipt = erase().await.unwrap().receipt;
    let acts = administration.acts(None).await.unwrap().0;
    assert!(acts.contains(&receipt));
    assert_eq!((receipt.by.as_deref(), receipt.counts["fields"]), (Some("alice"), 1));
    assert_eq!(receipt.unreadable_from.unwrap().to_string(), "2026-06-01T00:00:00Z");
    // Nothing is left of nothing.
    assert_eq!(erase().await.unwrap().receipt.unreadable_from, None);
}
