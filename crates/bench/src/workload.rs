//! Who calls, and what happens in a call.

use agent_memory_host::{Json, Scope};
use fastrand::Rng;
use uuid::Uuid;

/// The function that every turn calls.
pub const FUNCTION: &str = "turn";

/// The account of all callers of benchmarks, in whatever store.
pub const ACCOUNT: &str = "agent-memory-bench";

/// What is remembered of every caller.
pub(crate) const FIELDS: [&str; 5] = ["field_0", "field_1", "field_2", "field_3", "field_4"];

/// What every turn reads.
pub(crate) const READ: [&str; 3] = ["field_0", "field_1", "field_2"];

/// What the second turn sets.
pub(crate) const SET: [&str; 2] = ["field_3", "field_4"];

/// How long every text is.
pub(crate) const TEXT_BYTES: usize = 60;

/// How many characters a turn reads.
pub(crate) const CHARACTERS: usize = READ.len() * TEXT_BYTES;

/// The turn that sets keys.
const SETTING_TURN: u32 = 2;

/// Remembers for a day: what a benchmark leaves in a store is gone by the next day's sweep.
pub(crate) const CONFIGURATION: &str = r#"{"memory": {"repeat_caller": {
    "state_keys": ["field_0", "field_1", "field_2", "field_3", "field_4"], "retention_days": 1}}}"#;

/// How much is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workload {
    /// How many callers are remembered when it begins, by each of the two ways.
    pub identities: u64,
    /// How many conversations are played for each number of clients, in each of the two ways.
    pub conversations: u64,
    /// How many turns a conversation has.
    pub turns: u32,
    /// Where chance begins: the same callers call in the same order, and say the same.
    pub seed: u64,
}

impl Default for Workload {
    /// 100,000 callers, 2,000 conversations of 3 turns.
    fn default() -> Self {
        Self { identities: 100_000, conversations: 2_000, turns: 3, seed: 1 }
    }
}

/// A conversation that is to be played.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Its id.
    pub(crate) id: String,
    /// The caller's number.
    pub(crate) caller: String,
    /// What the second turn sets.
    pub(crate) texts: [String; 2],
    /// How many turns it has.
    pub(crate) turns: u32,
}

impl Workload {
    /// The conversation of a number. Two conversations of one number differ in their ids alone.
    pub(crate) fn plan(&self, number: u64) -> Plan {
        let mut chance = Rng::with_seed(self.seed.rotate_left(32) ^ number);
        Plan {
            id: Uuid::new_v4().to_string(),
            caller: caller_number(chance.u64(0..self.identities.max(1))),
            texts: [text(&mut chance), text(&mut chance)],
            turns: self.turns,
        }
    }

    /// What is remembered of a caller when the benchmark begins, by key.
    pub(crate) fn memory(&self, caller: u64) -> [(&'static str, String); 5] {
        let mut chance = Rng::with_seed(!self.seed.rotate_left(32) ^ caller);
        FIELDS.map(|key| (key, text(&mut chance)))
    }
}

impl Plan {
    /// What a turn sets: something if it is the second.
    pub(crate) fn set_in(&self, turn: u32) -> Option<&[String; 2]> {
        (turn == SETTING_TURN).then_some(&self.texts)
    }

    /// The arguments with which a turn calls the function.
    pub(crate) fn arguments(&self, turn: u32) -> Json {
        let texts = self.set_in(turn).map(|[first, second]| serde_json::json!({ "first": first, "second": second }));
        texts.and_then(|texts| Json::from_value(&texts).ok()).unwrap_or_else(Json::empty_object)
    }
}

/// The number of the caller with this index.
pub(crate) fn caller_number(index: u64) -> String {
    format!("+441632{index:08}")
}

/// The scope of one way of playing, which no other run has.
pub(crate) fn scope(run: &str, environment: &str) -> Scope {
    Scope { account: ACCOUNT.into(), project: run.into(), environment: environment.into() }
}

/// A text of words' letters.
fn text(chance: &mut Rng) -> String {
    (0..TEXT_BYTES).map(|_| chance.alphanumeric()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_decides_all_but_the_ids() {
        let workload = Workload::default();
        let (one, again) = (workload.plan(7), workload.plan(7));
        assert_eq!((&one.caller, &one.texts), (&again.caller, &again.texts));
        assert_ne!(one.id, again.id);
        let other = Workload { seed: 2, ..workload }.plan(7);
        assert_ne!(one.texts, other.texts);
        assert_ne!(workload.plan(8).texts, one.texts);
        assert_eq!(workload.memory(3), workload.memory(3));
        assert_ne!(workload.memory(3), workload.memory(4));
    }

    #[test]
    fn every_caller_is_one_of_those_that_are_remembered() {
        let workload = Workload { identities: 3, ..Workload::default() };
        let known: Vec<_> = (0..3).map(caller_number).collect();
        let callers: Vec<_> = (0..100).map(|number| workload.plan(number).caller).collect();
        assert!(callers.iter().all(|caller| known.contains(caller)));
        assert!(known.iter().all(|known| callers.contains(known)), "somebody never calls");
    }

    #[test]
    fn only_the_second_turn_sets_something() {
        let plan = Workload::default().plan(1);
        assert_eq!([1, 2, 3].map(|turn| plan.set_in(turn).is_some()), [false, true, false]);
        assert_eq!(plan.arguments(1).as_str(), "{}");
        let texts: std::collections::BTreeMap<String, String> = plan.arguments(2).to().unwrap();
        assert_eq!(texts.into_values().collect::<Vec<_>>(), plan.texts);
        assert!(plan.texts.iter().all(|text| text.len() == TEXT_BYTES));
    }
}
