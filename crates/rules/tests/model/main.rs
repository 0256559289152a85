//! Plays random conversations with the rules and with a small model of them, and compares all that can be seen: memory,
//! state and reports, and through the reports the interactions.
//!
//! The model knows the rules from their description alone, and shares no code with them. What an end proposes and what
//! it commits are two steps with anything in between, so that the ends of several conversations are interleaved, while
//! time, configurations and erasures move on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "these are tests")]

mod model;
mod played;
mod world;

use std::cell::RefCell;
use std::collections::BTreeMap;

use agent_memory_rules::{KeyOutcome, Report};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use model::Model;
use played::Played;
use world::*;

/// How often something happened.
type Counts = BTreeMap<String, u32>;

#[test]
fn the_rules_do_what_the_model_does() {
    let counts = RefCell::new(Counts::new());
    let mut runner = TestRunner::new(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) });
    let result = runner.run(&any_story(), |(configs, steps)| play(&configs, steps, &mut counts.borrow_mut()));
    result.unwrap_or_else(|error| panic!("{error}"));
    // A story in which nothing happens would prove nothing.
    for event in [
        "Kept",
        "NoIdentifier",
        "Erased",
        "NotInStateKeys",
        "Removed",
        "Null",
        "NotStorable",
        "MemoryOff",
        "NoCallerNumber",
        "Withheld",
        "SourceEmpty",
        "Blacklisted",
        "first",
        "repeat",
        "warned",
        "remembered",
        "hidden",
        "raced",
    ] {
        let count = counts.borrow().get(event).copied().unwrap_or_default();
        assert!(count >= 20, "{event}: {count} times");
    }
}

fn play(configs: &[Config], steps: Vec<Step>, counts: &mut Counts) -> Result<(), TestCaseError> {
    let mut model = Model::new(START);
    let mut played = Played::default();
    for step in steps {
        let now = model.now();
        match step {
            Step::Wait(seconds) => model.wait(seconds),
            Step::Begin { caller, config, platform } => {
                played.begin(&configs[config], caller, &platform, now);
                model.begin(&configs[config], caller, &platform);
            }
            Step::In { conversation, action } => {
                let possible: Vec<_> =
                    (0..model.conversations()).filter(|index| is_possible(&model, *index, &action)).collect();
                if !possible.is_empty() {
                    act(&mut model, &mut played, possible[conversation % possible.len()], action, counts)?;
                }
            }
        }
    }
    Ok(())
}

/// Whether a conversation is where something can happen.
fn is_possible(model: &Model, conversation: usize, action: &Action) -> bool {
    match action {
        Action::Set { .. } | Action::Remove { .. } | Action::Preview(_) | Action::Propose(_) => {
            !model.is_proposed(conversation) && !model.is_committed(conversation)
        }
        Action::Commit => model.is_proposed(conversation),
        Action::Amend(_) => model.is_committed(conversation),
        Action::Erase { .. } => model.who(conversation).is_some(),
    }
}

fn act(
    model: &mut Model,
    played: &mut Played,
    conversation: usize,
    action: Action,
    counts: &mut Counts,
) -> Result<(), TestCaseError> {
    let now = model.now();
    let mut count = |event: &str| *counts.entry(event.to_owned()).or_default() += 1;
    match action {
        Action::Set { key, value } => {
            let is_hidden = model.hides_something(conversation);
            let seen = model.set(conversation, KEYS[key], value);
            for (event, happened) in [("remembered", !seen.memory.is_empty()), ("hidden", is_hidden)] {
                if happened {
                    count(event);
                }
            }
            prop_assert_eq!(played.set(conversation, KEYS[key], &VALUES[value], now), seen);
        }
        Action::Remove { key } => {
            let seen = model.remove(conversation, KEYS[key]);
            prop_assert_eq!(played.remove(conversation, KEYS[key], now), seen);
        }
        Action::Preview(ending) => {
            prop_assert_eq!(played.preview(conversation, &ending, now), model.preview(conversation, &ending));
        }
        Action::Propose(ending) => {
            played.propose(conversation, &ending, now);
            model.propose(conversation, &ending);
        }
        Action::Commit => {
            if model.races_with_another(conversation) {
                count("raced");
            }
            let report = model.commit(conversation);
            prop_assert_eq!(played.commit(conversation, now), report.clone());
            events(&report).iter().for_each(|event| count(event));
        }
        Action::Erase { key } => {
            let (who, key) = (model.who(conversation).unwrap(), key.map(|key| KEYS[key]));
            played.erase(who, key);
            model.erase(who, key);
        }
        Action::Amend(ending) => {
            played.amend(conversation, &ending);
            model.amend(conversation, &ending);
        }
    }
    Ok(())
}

/// What a report is an example of.
fn events(report: &Report) -> Vec<String> {
    let outcome = |outcome| match outcome {
        KeyOutcome::Kept(_) => "Kept".to_owned(),
        KeyOutcome::Dropped(reason) => format!("{reason:?}"),
    };
    let mut events: Vec<_> = report.keys.iter().map(|key| outcome(key.outcome)).collect();
    events.extend(report.off.map(|reason| format!("{reason:?}")));
    let others = [
        ("first", report.first_interaction),
        ("repeat", !report.metrics.is_empty()),
        ("warned", !report.warnings.is_empty()),
    ];
    events.extend(others.iter().filter(|(_, happened)| *happened).map(|(event, _)| (*event).to_owned()));
    events
}
