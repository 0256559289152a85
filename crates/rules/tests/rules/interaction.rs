//! A1 to A8, as far as they are not the store's.

use agent_memory_rules::{
    Commitment, Erased, Handoff, Interaction, Metric, Outcome, Report, Settlement, amend, floor_to_hour, settle,
};
use proptest::prelude::*;

use crate::support::*;

fn handoff(reason: Option<&str>, destination: Option<&str>) -> Handoff {
    Handoff { reason: reason.map(str::to_owned), destination: destination.map(str::to_owned) }
}

fn pairs(metrics: &[Metric]) -> Vec<(&str, &str)> {
    metrics.iter().map(|metric| (metric.name.as_str(), metric.value.as_str())).collect()
}

/// The report of a conversation after whose commit an interaction stands.
fn settled(conversation: &Conversation, standing: Option<Interaction>, first: bool) -> Report {
    let commitment = Commitment { erased: Erased::Nothing, standing, first };
    settle(conversation.propose().draft, Settlement::Committed(commitment))
}

/// The interaction that a conversation proposes.
fn interaction(conversation: &Conversation) -> Interaction {
    conversation.propose().interaction.unwrap().interaction
}

#[test]
fn a1_the_first_conversation_is_recorded_with_its_hour_and_outcome() {
    let mut conversation = Conversation::new(CHEESE);
    conversation.outcome =
        Outcome { qa: Some("resolved".to_owned()), handoff: Some(handoff(Some("refund"), Some("billing"))) };
    let proposed = conversation.propose_at(NOW, NOW + 3 * HOUR).interaction.unwrap().interaction;
    assert_eq!(proposed.began, HOUR_OF_NOW);
    assert_eq!(
        pairs(&proposed.metrics),
        [
            ("REPEAT_CALLER_CONV_ID", "call-1"),
            ("REPEAT_CALLER_DATETIME", "2026-03-02T10:00:00Z"),
            ("REPEAT_CALLER_QA", "resolved"),
            ("REPEAT_CALLER_HANDOFF_REASON", "refund"),
            ("REPEAT_CALLER_HANDOFF_TO", "billing"),
        ],
    );
}

#[test]
fn a1_without_a_handoff_in_the_outcome_the_last_one_asked_for_counts() {
    let mut conversation = Conversation::new(CHEESE);
    conversation.requested_handoff = Some(handoff(None, Some("cheese desk")));
    assert_eq!(pairs(&interaction(&conversation).metrics)[2..], [("REPEAT_CALLER_HANDOFF_TO", "cheese desk")]);
    conversation.outcome.handoff = Some(handoff(Some("refund"), None));
    assert_eq!(pairs(&interaction(&conversation).metrics)[2..], [("REPEAT_CALLER_HANDOFF_REASON", "refund")]);
}

#[test]
fn a2_an_interaction_expires_one_window_after_the_conversation_began() {
    let conversation = Conversation::new(&repeat_caller(r#""analytics_enabled": true, "retention_days": 30"#));
    let proposal = conversation.propose_at(NOW, NOW + 5 * DAY).interaction.unwrap();
    assert_eq!(proposal.interaction.expires, HOUR_OF_NOW + 30 * DAY);
    assert_eq!(proposal.stands_after, HOUR_OF_NOW - 25 * DAY, "what began then has expired");
    let expired = conversation.propose_at(NOW, HOUR_OF_NOW + 30 * DAY);
    assert_eq!(expired.interaction, None, "it would have expired already");
}

#[test]
fn a3_a_later_conversation_is_told_of_the_first() {
    let conversation = Conversation::new(CHEESE);
    let first = interaction(&conversation);
    let report = settled(&conversation, Some(first), false);
    assert!(!report.first_interaction);
    assert_eq!(
        pairs(&report.metrics),
        [("REPEAT_CALLER_CONV_ID", "call-1"), ("REPEAT_CALLER_DATETIME", "2026-03-02T10:00:00Z")],
        "what the first did not have is left out",
    );
}

#[test]
fn a4_of_two_ends_at_once_one_is_first_and_the_other_is_told_of_it() {
    let conversation = Conversation::new(CHEESE);
    let standing = interaction(&conversation);
    let first = settled(&conversation, Some(standing.clone()), true);
    let second = settled(&conversation, Some(standing.clone()), false);
    assert!(first.first_interaction && first.metrics.is_empty());
    assert!(!second.first_interaction);
    assert_eq!(second.metrics, standing.metrics);
}

#[test]
fn a5_without_analytics_nothing_is_recorded_or_shown() {
    let conversation = Conversation::new(&repeat_caller(r#""state_keys": ["cheese_type"]"#));
    assert_eq!(conversation.propose().interaction, None);
    let report = settled(&conversation, None, false);
    assert!(!report.first_interaction);
    assert_eq!(report.metrics, []);
}

#[test]
fn a7_an_interaction_is_no_field() {
    let conversation = Conversation::new(CHEESE);
    let proposal = conversation.propose();
    assert!(proposal.interaction.is_some());
    assert_eq!(proposal.patch, []);
}

#[test]
fn a8_an_outcome_known_later_changes_what_it_speaks_of() {
    let mut conversation = Conversation::new(CHEESE);
    conversation.outcome =
        Outcome { qa: Some("open".to_owned()), handoff: Some(handoff(Some("refund"), Some("billing"))) };
    let first = interaction(&conversation);
    let with_qa = amend(first.clone(), Outcome { qa: Some("resolved".to_owned()), handoff: None });
    assert_eq!(pairs(&with_qa.metrics)[2], ("REPEAT_CALLER_QA", "resolved"));
    assert_eq!(with_qa.metrics[3..], first.metrics[3..], "the handoff is as it was");
    let with_handoff = amend(with_qa, Outcome { qa: None, handoff: Some(handoff(None, Some("cheese desk"))) });
    assert_eq!(
        pairs(&with_handoff.metrics)[2..],
        [("REPEAT_CALLER_QA", "resolved"), ("REPEAT_CALLER_HANDOFF_TO", "cheese desk")],
    );
    assert_eq!((with_handoff.began, with_handoff.expires), (first.began, first.expires));
}

#[test]
fn e3_an_erased_caller_is_neither_first_nor_told_of_anything() {
    let conversation = Conversation::new(CHEESE);
    let standing = Some(interaction(&conversation));
    let commitment = Commitment { erased: Erased::Everything, standing, first: true };
    let report = settle(conversation.propose().draft, Settlement::Committed(commitment));
    assert!(!report.first_interaction);
    assert_eq!(report.metrics, []);
}

fn any_outcome() -> impl Strategy<Value = Outcome> {
    let text = || prop::option::of("[a-z]{1,3}");
    let handoff = (text(), text()).prop_map(|(reason, destination)| Handoff { reason, destination });
    (text(), prop::option::of(handoff)).prop_map(|(qa, handoff)| Outcome { qa, handoff })
}

proptest! {
    #[test]
    fn a_a_record_stands_exactly_as_long_as_the_configuration_retains_it(
        hours in 0..2_000_i64, now in 0..4_000_000_000_i64, days in 1..=90_i64,
    ) {
        let conversation = Conversation::new(&repeat_caller(&format!(r#""analytics_enabled": true, "retention_days": {days}"#)));
        let stands_after = conversation.propose_at(now, now).interaction.unwrap().stands_after;
        let began = floor_to_hour(now) - days * DAY + (hours - 1_000) * HOUR;
        prop_assert_eq!(began > stands_after, began + days * DAY > now);
        prop_assert_eq!(stands_after % HOUR, 0);
    }

    #[test]
    fn a_the_last_word_on_each_part_of_an_outcome_stands(outcomes in prop::collection::vec(any_outcome(), 1..5)) {
        let mut conversation = Conversation::new(CHEESE);
        conversation.outcome = outcomes[0].clone();
        let amended = outcomes[1..].iter().cloned().fold(interaction(&conversation), amend);
        let qa = outcomes.iter().rev().find_map(|outcome| outcome.qa.clone());
        let handoff = outcomes.iter().rev().find_map(|outcome| outcome.handoff.clone()).unwrap_or_default();
        let expected = [
            ("REPEAT_CALLER_CONV_ID", Some("call-1".to_owned())),
            ("REPEAT_CALLER_DATETIME", Some("2026-03-02T10:00:00Z".to_owned())),
            ("REPEAT_CALLER_QA", qa),
            ("REPEAT_CALLER_HANDOFF_REASON", handoff.reason),
            ("REPEAT_CALLER_HANDOFF_TO", handoff.destination),
        ];
        let expected = expected.into_iter().filter_map(|(name, value)| Some(Metric { name: name.to_owned(), value: value? }));
        prop_assert_eq!(amended.metrics, expected.collect::<Vec<_>>());
    }
}
