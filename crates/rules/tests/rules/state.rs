//! S1 and S2.

use agent_memory_rules::{DropReason, InputError, KeyOutcome, StateEntry, StateValue, Touch, identify};
use proptest::prelude::*;

use crate::support::*;

fn keys(conversation: &mut Conversation) -> Vec<String> {
    conversation.turn(Vec::new(), |sandbox| sandbox.state().entries().map(|(key, _)| key.to_owned()).collect())
}

#[test]
fn s1_any_value_under_any_key_lasts_for_the_whole_conversation() {
    let mut conversation = Conversation::new(CHEESE);
    conversation.set("cart", r#"{"lines": [{"cheese": "brie", "grams": 200}]}"#).unwrap();
    conversation.set_value("seen_at", opaque("datetime")).unwrap();
    conversation.set("", "null").unwrap();
    conversation.turn(Vec::new(), |sandbox| {
        let state = sandbox.state();
        assert_eq!(state.get("cart"), Some(&json(r#"{"lines": [{"cheese": "brie", "grams": 200}]}"#)));
        assert_eq!(state.get("seen_at"), Some(&opaque("datetime")));
        assert_eq!(state.get(""), Some(&json("null")));
        assert_eq!(state.get("mood"), None);
    });
    assert_eq!(keys(&mut conversation), ["cart", "seen_at", ""], "in the order in which they were set");
}

#[test]
fn s1_a_key_is_removed_once() {
    let mut conversation = Conversation::new(CHEESE);
    conversation.set("mood", "1").unwrap();
    assert!(conversation.remove("mood"));
    assert!(!conversation.remove("mood"));
    assert!(!conversation.remove("other"));
    assert_eq!(keys(&mut conversation), Vec::<String>::new());
}

#[test]
fn s2_what_the_platform_put_there_is_read_and_not_set() {
    let mut conversation = Conversation::new(CHEESE);
    conversation.state = vec![from_platform("cheese_type", "\"brie\""), from_platform("mood", "1")];
    conversation.turn(Vec::new(), |sandbox| assert_eq!(sandbox.state().get("cheese_type"), Some(&json("\"brie\""))));
    assert_eq!(conversation.propose().draft.keys, [], "no function has set it");

    conversation.set("cheese_type", "\"brie\"").unwrap();
    assert_eq!(patch(&conversation.propose()), [("cheese_type", "\"brie\"")], "an equal value counts as set");
    assert_eq!(keys(&mut conversation), ["mood", "cheese_type"], "what functions touched stands behind the rest");
}

#[test]
fn s2_a_key_that_was_set_and_then_removed_writes_nothing() {
    let mut conversation = Conversation::new(CHEESE);
    conversation.set("cheese_type", "\"brie\"").unwrap();
    conversation.remove("cheese_type");
    let proposal = conversation.propose();
    assert_eq!(patch(&proposal), []);
    assert_eq!(proposal.draft.keys[0].outcome, KeyOutcome::Dropped(DropReason::Removed));

    conversation.set("cheese_type", "\"gouda\"").unwrap();
    assert_eq!(patch(&conversation.propose()), [("cheese_type", "\"gouda\"")]);
}

#[test]
fn s2_the_platforms_value_is_not_written_where_a_functions_was_refused() {
    let mut conversation = Conversation::new(CHEESE);
    conversation.state = vec![from_platform("cheese_type", "\"brie\"")];
    conversation.set("cheese_type", "[[]]").unwrap_err();
    let proposal = conversation.propose();
    assert_eq!(patch(&proposal), []);
    assert_eq!(proposal.draft.keys[0].outcome, KeyOutcome::Dropped(DropReason::NotStorable));
}

#[test]
fn s2_the_platforms_state_has_to_be_json_and_within_limits() {
    let problem = |entries: Vec<StateEntry>| match identify(&settings(CHEESE), &calling_from(NUMBER), entries, NOW) {
        Err(InputError::State(problem)) => problem,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        problem(vec![from_platform("from_", "secret")]),
        "the value of `from_` is no JSON: expected value at line 1 column 1",
    );
    let large = format!("\"{}\"", "x".repeat(200_000));
    assert_eq!(
        problem(vec![from_platform("a", &large), from_platform("b", &large)]),
        "with `b` the state has 400006 bytes, and at most 262144 are allowed",
    );
    let largest = vec![from_platform("a", &large), from_platform("b", &"1".repeat(262_144 - 200_002 - 2))];
    assert!(identify(&settings(CHEESE), &calling_from(NUMBER), largest, NOW).is_ok());
    let long = "k".repeat(1_000);
    let expected = format!("the value of `{}` is no JSON: EOF while parsing a value at line 1 column 0", &long[..128]);
    assert_eq!(problem(vec![from_platform(&long, "")]), expected);
    assert_eq!(problem(vec![from_platform("a", "1"), from_platform("a", "2")]), "the key `a` is there twice");
    let nested_under_memory_key = vec![from_platform("cheese_type", "[[1]]")];
    assert!(identify(&settings(CHEESE), &calling_from(NUMBER), nested_under_memory_key, NOW).is_ok(), "it is not set");
}

#[derive(Clone, Debug)]
enum Step {
    Set(String, String),
    BeRefused(String),
    Remove(String),
    BeginAnotherTurn,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => ("[a-d]", any_json()).prop_map(|(key, value)| Step::Set(key, value)),
        1 => "[a-d]".prop_map(Step::BeRefused),
        2 => "[a-d]".prop_map(Step::Remove),
        1 => Just(Step::BeginAnotherTurn),
    ]
}

/// The state as a list: what the platform put there, then what functions touched.
#[derive(Default)]
struct Expected {
    platform: Vec<(String, String)>,
    touched: Vec<(String, Option<String>, Touch)>,
}

impl Expected {
    fn has_value(&self, key: &str) -> bool {
        self.platform.iter().any(|(name, _)| name == key)
            || self.touched.iter().any(|(name, value, _)| name == key && value.is_some())
    }

    fn is_touched(&self, key: &str) -> bool {
        self.touched.iter().any(|(name, ..)| name == key)
    }

    fn touch(&mut self, key: &str) -> &mut (String, Option<String>, Touch) {
        if !self.is_touched(key) {
            let value = self.platform.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone());
            self.platform.retain(|(name, _)| name != key);
            self.touched.push((key.to_owned(), value, Touch::default()));
        }
        self.touched.iter_mut().find(|(name, ..)| name == key).unwrap()
    }
}

proptest! {
    #[test]
    fn s_state_is_a_list_that_remembers_what_functions_did(
        platform in prop::collection::btree_map("[a-d]", any_json(), 0..3),
        steps in prop::collection::vec(any_step(), 0..20),
    ) {
        let mut conversation = Conversation::new(CHEESE);
        conversation.state = platform.iter().map(|(key, value)| from_platform(key, value)).collect();
        let mut expected = Expected { platform: platform.into_iter().collect(), touched: Vec::new() };
        for step in steps {
            match step {
                Step::Set(key, value) => {
                    prop_assert_eq!(conversation.set(&key, &format!(" {value}\n")), Ok(()));
                    let (_, old, touched) = expected.touch(&key);
                    *old = Some(value);
                    *touched = Touch { assigned: true, removed: false, ..*touched };
                }
                Step::BeRefused(key) => {
                    prop_assert!(conversation.set(&key, "no JSON").is_err());
                    expected.touch(&key).2.refused = true;
                }
                Step::Remove(key) => {
                    prop_assert_eq!(conversation.remove(&key), expected.has_value(&key));
                    if expected.has_value(&key) || expected.is_touched(&key) {
                        let (_, value, touched) = expected.touch(&key);
                        *value = None;
                        touched.removed = true;
                    }
                }
                Step::BeginAnotherTurn => conversation.turn(Vec::new(), |_| ()),
            }
        }
        let value = |text: &String| json(text);
        let platform = expected.platform.iter().map(|(key, text)| (key.clone(), Some(value(text)), Touch::default()));
        let touched = expected.touched.iter().map(|(key, text, touched)| (key.clone(), text.as_ref().map(value), *touched));
        let expected: Vec<StateEntry> =
            platform.chain(touched).map(|(key, value, touched)| StateEntry { key, value, touched }).collect();
        prop_assert_eq!(&conversation.state, &expected);

        let read: Vec<(String, StateValue)> = conversation
            .turn(Vec::new(), |sandbox| sandbox.state().entries().map(|(key, value)| (key.to_owned(), value.clone())).collect());
        let values = expected.into_iter().filter_map(|entry| Some((entry.key, entry.value?)));
        prop_assert_eq!(read, values.collect::<Vec<_>>());
    }
}
