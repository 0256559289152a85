//! W2, W3, W4, W5 and E1.

use agent_memory_rules::{
    CommitStatus, Commitment, DropReason, Erased, Identity, KeyOutcome, OffReason, Proposal, Report, Settlement,
    floor_to_hour, settle,
};
use proptest::prelude::*;

use crate::support::*;

/// What becomes of each key.
fn outcomes(report: &Report) -> Vec<(&str, KeyOutcome)> {
    report.keys.iter().map(|report| (report.key.as_str(), report.outcome)).collect()
}

fn committed(proposal: Proposal, erased: Erased) -> Report {
    settle(proposal.draft, Settlement::Committed(Commitment { erased, standing: None, first: false }))
}

fn dropped(reason: DropReason) -> KeyOutcome {
    KeyOutcome::Dropped(reason)
}

#[test]
fn w2_the_patch_has_the_memory_keys_that_were_set_and_no_other() {
    let mut conversation = Conversation::new(CHEESE);
    conversation.state = vec![from_platform("booking_day", "\"Friday\"")];
    conversation.set("mood", "\"good\"").unwrap();
    conversation.set("cheese_type", "\"brie\"").unwrap();
    conversation.set("cheese_type", "\"gouda\"").unwrap();
    assert_eq!(patch(&conversation.propose()), [("cheese_type", "\"gouda\"")]);
}

#[test]
fn w4_a_commit_is_remembered_for_the_retention_window() {
    let mut conversation = Conversation::new(&repeat_caller(
        r#""state_keys": ["a"], "retention_days": 30, "retention_days_by_key": {"a": 7}"#,
    ));
    conversation.set("a", "1").unwrap();
    assert_eq!(conversation.propose().mark_expires, HOUR_OF_NOW + 30 * DAY);
}

#[test]
fn w5_the_report_says_of_each_key_that_was_set_what_becomes_of_it() {
    let mut conversation = Conversation::new(&repeat_caller(r#""state_keys": ["a", "b", "c", "d", "e"]"#));
    conversation.state = vec![from_platform("e", "1")];
    conversation.set("mood", "1").unwrap();
    conversation.set("b", "null").unwrap();
    conversation.set("a", "1").unwrap();
    conversation.set("c", "1").unwrap();
    conversation.remove("c");
    conversation.set("d", "[[]]").unwrap_err();
    conversation.set("a", "[[]]").unwrap_err();
    let report = committed(conversation.propose(), Erased::Nothing);
    assert_eq!(report.status, CommitStatus::Committed);
    assert_eq!(
        outcomes(&report),
        [
            ("mood", dropped(DropReason::NotInStateKeys)),
            ("b", dropped(DropReason::Null)),
            ("a", KeyOutcome::Kept(HOUR_OF_NOW + 90 * DAY)),
            ("c", dropped(DropReason::Removed)),
            ("d", dropped(DropReason::NotStorable)),
        ],
        "in the order in which functions first touched them",
    );
}

#[test]
fn w5_where_several_reasons_apply_the_first_is_given() {
    let mut conversation = Conversation::new(CHEESE);
    conversation.set("mood", "null").unwrap();
    conversation.remove("mood");
    conversation.set("cheese_type", "null").unwrap();
    conversation.set("cheese_type", "[[]]").unwrap_err();
    conversation.set("booking_day", "[[]]").unwrap_err();
    conversation.remove("booking_day");
    let reasons = |conversation: &Conversation, erased| {
        outcomes(&committed(conversation.propose(), erased)).into_iter().map(|(_, outcome)| outcome).collect::<Vec<_>>()
    };
    assert_eq!(
        reasons(&conversation, Erased::Nothing),
        [dropped(DropReason::NotInStateKeys), dropped(DropReason::Null), dropped(DropReason::Removed)],
    );
    let erased_keys = Erased::Keys(vec!["cheese_type".to_owned(), "mood".to_owned(), "unset".to_owned()]);
    assert_eq!(
        reasons(&conversation, erased_keys),
        [dropped(DropReason::Erased), dropped(DropReason::Erased), dropped(DropReason::Removed)],
    );
    assert_eq!(reasons(&conversation, Erased::Everything), [dropped(DropReason::Erased); 3]);
    conversation.caller = calling_from("anonymous");
    assert_eq!(reasons(&conversation, Erased::Everything), [dropped(DropReason::NoIdentifier); 3]);
}

#[test]
fn w5_without_an_identifier_every_key_is_dropped() {
    for (source, number, off, status) in [
        (CHEESE, "anonymous", OffReason::Withheld, CommitStatus::NoIdentifier),
        ("{}", NUMBER, OffReason::MemoryOff, CommitStatus::MemoryOff),
    ] {
        let mut conversation = Conversation { caller: calling_from(number), ..Conversation::new(source) };
        conversation.set("cheese_type", "\"brie\"").unwrap();
        let proposal = conversation.propose();
        assert_eq!(proposal.identity, Identity::Off(off));
        assert_eq!(patch(&proposal), []);
        let report = committed(proposal, Erased::Nothing);
        assert_eq!((report.status, report.off), (status, Some(off)));
        assert_eq!(outcomes(&report), [("cheese_type", dropped(DropReason::NoIdentifier))]);
    }
}

#[test]
fn w5_a_preview_shows_what_the_end_would_say() {
    let mut conversation = Conversation::new(CHEESE);
    conversation.set("cheese_type", "\"brie\"").unwrap();
    let preview = settle(conversation.propose().draft, Settlement::Preview);
    let report = committed(conversation.propose(), Erased::Nothing);
    assert_eq!(preview.status, CommitStatus::Preview);
    assert_eq!(preview.keys, report.keys);
    assert_eq!(preview.metrics, []);
    assert!(!preview.first_interaction);
    conversation.caller = calling_from("anonymous");
    let preview = settle(conversation.propose().draft, Settlement::Preview);
    assert_eq!((preview.status, preview.off), (CommitStatus::Preview, Some(OffReason::Withheld)));
}

#[test]
fn e1_each_field_expires_on_its_own_counted_from_the_hour_of_its_commit() {
    let mut conversation = Conversation::new(&repeat_caller(
        r#""state_keys": ["a", "b"], "retention_days": 30, "retention_days_by_key": {"b": 7}"#,
    ));
    conversation.set("a", "1").unwrap();
    conversation.set("b", "1").unwrap();
    let proposal = conversation.propose_at(NOW, NOW + 2 * HOUR);
    let times: Vec<_> = proposal.patch.iter().map(|field| (field.written, field.expires)).collect();
    let written = HOUR_OF_NOW + 2 * HOUR;
    assert_eq!(times, [(written, written + 30 * DAY), (written, written + 7 * DAY)]);
    assert_eq!(proposal.draft.keys[1].outcome, KeyOutcome::Kept(written + 7 * DAY));
}

#[derive(Clone, Debug)]
enum Step {
    Set(String, String),
    Remove(String),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => ("[a-d]", any_json()).prop_map(|(key, value)| Step::Set(key, value)),
        1 => "[a-d]".prop_map(Step::Remove),
    ]
}

proptest! {
    #[test]
    fn w_the_patch_and_the_report_agree(
        steps in prop::collection::vec(any_step(), 0..12),
        state_keys in prop::collection::btree_set("[a-d]", 0..4),
        number in prop::sample::select(vec![NUMBER, "anonymous"]),
    ) {
        let source = repeat_caller(&format!(r#""state_keys": {:?}"#, Vec::from_iter(&state_keys)));
        let mut conversation = Conversation { caller: calling_from(number), ..Conversation::new(&source) };
        let mut tried = Vec::new();
        for step in steps {
            match step {
                Step::Set(key, value) => {
                    let _ = conversation.set(&key, &value);
                    if !tried.contains(&key) {
                        tried.push(key);
                    }
                }
                Step::Remove(key) => {
                    conversation.remove(&key);
                }
            }
        }
        let proposal = conversation.propose();
        let mut reported: Vec<_> = proposal.draft.keys.iter().map(|report| report.key.clone()).collect();
        let kept: Vec<_> = proposal
            .draft
            .keys
            .iter()
            .filter_map(|report| match report.outcome {
                KeyOutcome::Kept(expires) => Some((report.key.clone(), expires)),
                KeyOutcome::Dropped(_) => None,
            })
            .collect();
        let written: Vec<_> = proposal.patch.iter().map(|field| (field.key.clone(), field.expires)).collect();
        prop_assert_eq!(&kept, &written);
        reported.sort();
        tried.sort();
        prop_assert_eq!(reported, tried);
        for field in &proposal.patch {
            prop_assert!(state_keys.contains(&field.key));
            prop_assert_ne!(&field.value.0, "null");
            let stands = conversation.state.iter().find(|entry| entry.key == field.key).unwrap();
            prop_assert_eq!(&stands.value, &Some(json(&field.value.0)));
        }
        prop_assert!(number == NUMBER || written.is_empty());
    }

    #[test]
    fn w_a_settled_report_keeps_what_was_not_erased(
        keys in prop::collection::btree_set("[a-d]", 0..4), erased in prop::collection::vec("[a-d]", 0..4),
    ) {
        let mut conversation = Conversation::new(&repeat_caller(r#""state_keys": ["a", "b"]"#));
        for key in &keys {
            conversation.set(key, "\"2026-03-02T10:20:30Z\"").unwrap();
        }
        let draft = conversation.propose().draft;
        let report = committed(conversation.propose(), Erased::Keys(erased.clone()));
        prop_assert_eq!(report.keys.len(), draft.keys.len());
        for (after, before) in report.keys.iter().zip(&draft.keys) {
            let is_erased = erased.contains(&before.key);
            prop_assert_eq!(&after.key, &before.key);
            prop_assert_eq!(after.outcome, if is_erased { dropped(DropReason::Erased) } else { before.outcome });
            let is_warned = report.warnings.iter().any(|warning| warning.key == after.key);
            prop_assert_eq!(is_warned, matches!(after.outcome, KeyOutcome::Kept(_)), "only what is stored is warned of");
        }
    }

    #[test]
    fn e_no_field_outlives_its_retention(now in -1_000_000_000_000..1_000_000_000_000_i64, days in 1..=90_i64) {
        let mut conversation = Conversation::new(&repeat_caller(&format!(r#""state_keys": ["a"], "retention_days": {days}"#)));
        conversation.set("a", "1").unwrap();
        let proposal = conversation.propose_at(now, now);
        let field = &proposal.patch[0];
        prop_assert!(field.expires <= now + days * DAY);
        prop_assert!(field.expires > now + days * DAY - HOUR);
        prop_assert_eq!([field.written, field.expires, proposal.mark_expires].map(|time| time % HOUR), [0; 3]);
        prop_assert_eq!(field.written, floor_to_hour(now));
    }

    #[test]
    fn e_no_time_brings_the_rules_down(began: i64, now: i64, number in ".{0,8}") {
        let mut conversation = Conversation { caller: calling_from(&number), ..Conversation::new(CHEESE) };
        conversation.set("cheese_type", "1").unwrap();
        let proposal = conversation.propose_at(began, now);
        prop_assert!(proposal.patch.iter().all(|field| field.written <= now && field.written <= field.expires));
    }
}
