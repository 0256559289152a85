//! The targets of fuzzing, tried with inputs that are made blindly of those that are kept: a round of inputs by its number.

use agent_memory_fuzz::{Limit, Played, play, target};

use crate::{Figures, Setting, Subject, no_obstacle};

/// Subjects that try so many inputs in a round, which takes some seconds, and so many rounds that it takes half an hour of one
/// core or more.
macro_rules! subjects {
    ($($constant:ident = $target:literal: $inputs:literal inputs, $full:literal rounds, $text:literal;)+) => {
        $(
            pub(crate) const $constant: Subject = Subject {
                name: concat!("fuzz-", $target),
                about: $text,
                full: $full,
                obstacle: no_obstacle,
                round: |_: &Setting, number| Ok(round($target, number, $inputs)),
            };
        )+
    };
}

subjects! {
    COMPONENTS = "components": 500 inputs, 250 rounds, "500 inputs as components from strangers";
    CONFIGURATION = "configuration": 400_000 inputs, 370 rounds, "400,000 inputs as configurations";
    FRAMES = "frames": 8_000_000 inputs, 440 rounds, "8,000,000 inputs as messages of workers";
    HTTP = "http": 2_000 inputs, 620 rounds, "2,000 inputs as requests to the service";
    IDENTIFIERS = "identifiers": 400_000 inputs, 430 rounds, "400,000 inputs as identifiers";
    POLICY = "policy": 9_000 inputs, 490 rounds, "9,000 inputs as calls of the policy, held against the rules";
    RECORDS = "records": 600_000 inputs, 540 rounds, "600,000 inputs as records and sessions";
    SCENARIO = "scenario": 300_000 inputs, 410 rounds, "300,000 inputs as scenarios";
    VALUES = "values": 650_000 inputs, 450 rounds, "650,000 inputs as values";
}

/// A panic of a target is counted, and its input is kept in `target/fuzz/found`.
fn round(name: &str, number: u64, inputs: u64) -> Figures {
    let Played { inputs, found } = play(target(name), number, Limit::Inputs(inputs));
    for found in &found {
        eprintln!("{name}: {}: {}", found.path.display(), found.message);
    }
    let mut figures = Figures::default();
    figures.tried("inputs", inputs);
    figures.wrong("broken promises", found.len() as u64);
    figures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_a_subject() {
        let targets = agent_memory_fuzz::TARGETS.iter().map(|target| format!("fuzz-{}", target.name));
        let subjects = crate::SUBJECTS.iter().map(|subject| subject.name).filter(|name| name.starts_with("fuzz-"));
        assert!(targets.eq(subjects.map(str::to_owned)));
    }

    #[test]
    fn a_round_is_made_from_its_number() {
        let figures = round("frames", 1, 100);
        assert_eq!(figures.all_wrong(), 0);
        assert!(figures.count("inputs") >= 100);
    }
}
