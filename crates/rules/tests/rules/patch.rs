//! What administrators may put into memory: the rules of functions.

use agent_memory_rules::{
    DropReason, GivenField, IdentifierKind, Identity, Json, KeyOutcome, OffReason, Patch, Proposal, Timestamp, patch,
};
use proptest::prelude::*;

use crate::support::*;

fn given(key: &str, value: &str) -> GivenField {
    GivenField { key: key.to_owned(), value: Json(value.to_owned()), expires: None }
}

fn proposed(configuration: &str, text: &str, fields: Vec<GivenField>) -> Proposal {
    let (settings, kind) = (settings(configuration), IdentifierKind::Phone);
    patch(Patch { settings, kind, text: text.to_owned(), fields, now: NOW }).unwrap()
}

fn outcomes(proposal: &Proposal) -> Vec<(&str, KeyOutcome)> {
    proposal.draft.keys.iter().map(|report| (report.key.as_str(), report.outcome)).collect()
}

fn dropped(reason: DropReason) -> KeyOutcome {
    KeyOutcome::Dropped(reason)
}

#[test]
fn an_administrators_fields_are_written_by_the_rules_of_functions() {
    let fields = vec![
        given("cheese_type", "\"brie\""),
        given("cheese_type", "\"edam\""),
        given("booking_day", "[[1]]"),
        given("mood", "1"),
    ];
    let proposal = proposed(CHEESE, "+44 1632 960001", fields);
    assert!(matches!(&proposal.identity, Identity::Known(identifier) if identifier.text() == NUMBER));
    let [field] = &proposal.patch[..] else { panic!("one field is written") };
    assert_eq!((field.key.as_str(), field.value.0.as_str()), ("cheese_type", "\"edam\""));
    assert_eq!((field.written, field.expires), (HOUR_OF_NOW, HOUR_OF_NOW + 90 * DAY));
    assert_eq!(
        outcomes(&proposal),
        [
            ("cheese_type", KeyOutcome::Kept(HOUR_OF_NOW + 90 * DAY)),
            ("booking_day", dropped(DropReason::NotStorable)),
            ("mood", dropped(DropReason::NotInStateKeys)),
        ]
    );
    assert!(proposal.interaction.is_none(), "nobody has called");
}

#[test]
fn null_is_nothing_that_could_be_put_into_memory() {
    let proposal = proposed(CHEESE, NUMBER, vec![given("cheese_type", "null")]);
    assert_eq!(outcomes(&proposal), [("cheese_type", dropped(DropReason::Null))]);
}

#[test]
fn who_has_no_memory_is_given_none() {
    let blacklist = repeat_caller(r#""state_keys": ["a"], "identifier_blacklist": ["+4416*"]"#);
    for (configuration, text, reason) in [
        (blacklist.as_str(), NUMBER, OffReason::Blacklisted),
        ("{}", NUMBER, OffReason::MemoryOff),
        (CHEESE, "anonymous", OffReason::Withheld),
        (CHEESE, " ", OffReason::NoCallerNumber),
    ] {
        let proposal = proposed(configuration, text, vec![given("a", "1")]);
        assert_eq!(proposal.identity, Identity::Off(reason));
        assert_eq!(outcomes(&proposal), [("a", dropped(DropReason::NoIdentifier))]);
        assert!(proposal.patch.is_empty());
    }
}

#[test]
fn what_has_expired_already_is_not_written() {
    let field = |expires| GivenField { expires: Some(expires), ..given("cheese_type", "1") };
    for expires in [NOW, HOUR_OF_NOW + HOUR - 1] {
        let proposal = proposed(CHEESE, NUMBER, vec![field(expires)]);
        assert_eq!(outcomes(&proposal), [("cheese_type", dropped(DropReason::NotStorable))]);
        assert!(proposal.patch.is_empty());
    }
}

proptest! {
    #[test]
    fn e1_nothing_that_is_given_outlives_its_retention(after in -10 * DAY..200 * DAY, days in 1_i64..=90) {
        let configuration = repeat_caller(&format!(r#""state_keys": ["a"], "retention_days": {days}"#));
        let expires: Timestamp = NOW + after;
        let field = GivenField { expires: Some(expires), ..given("a", "1") };
        for field in proposed(&configuration, NUMBER, vec![field]).patch {
            prop_assert!(NOW < field.expires && field.expires <= expires);
            prop_assert!(field.expires <= HOUR_OF_NOW + days * DAY);
            prop_assert_eq!(field.expires % HOUR, 0);
        }
    }
}
