//! V1 to V5.

use std::collections::BTreeMap;

use agent_memory_rules::{Configuration, Json, KeyRules, Limits, SetError, State, StateValue};
use proptest::prelude::*;

use crate::support::*;

const NESTED_VALUES: &str = r#"{"memory": {"repeat_caller": {"state_keys": ["cheese_type"], "nested_values": true}}}"#;

fn state(source: &str, limits: Limits) -> State {
    let configured = Configuration::parse(source, limits).unwrap();
    State::empty(KeyRules::from_settings(&configured.configuration.to_settings()).unwrap())
}

fn set(source: &str, value: &str) -> Result<(), SetError> {
    state(source, Limits::default()).set("cheese_type".to_owned(), json(value))
}

#[test]
fn v1_a_memory_key_takes_scalars_and_flat_values() {
    for value in ["\"brie\"", "1.0", "true", "null", "{}", "[]", r#"{"a": "b", "c": null}"#, "[1, true, \"[{\"]"] {
        assert_eq!(set(CHEESE, value), Ok(()), "{value}");
    }
}

#[test]
fn v2_a_nested_value_is_refused_with_the_path_of_the_nesting() {
    for (value, path) in [
        ("[[]]", "/0"),
        ("[1, \"[\", {}]", "/2"),
        (r#"{"lines": [1]}"#, "/lines"),
        (r#"{"a": {"b": {}}, "c": {}}"#, "/a"),
        (r#"{"\u0061/~\"": {}}"#, "/a~1~0\""),
        (r#"{"": []}"#, "/"),
    ] {
        let refused = SetError::Nested { key: "cheese_type".to_owned(), path: path.to_owned() };
        assert_eq!(set(CHEESE, value), Err(refused), "{value}");
        assert_eq!(set(NESTED_VALUES, value), Ok(()), "{value}");
    }
    assert_eq!(state(CHEESE, Limits::default()).set("mood".to_owned(), json("[[]]")), Ok(()), "no memory key");
}

#[test]
fn v2_a_refused_value_leaves_what_stood_there() {
    let mut conversation = Conversation::new(CHEESE);
    conversation.set("cheese_type", "\"brie\"").unwrap();
    conversation.set("cheese_type", "[[]]").unwrap_err();
    assert_eq!(patch(&conversation.propose()), [("cheese_type", "\"brie\"")]);
}

#[test]
fn v3_null_can_be_set_and_is_not_written() {
    let mut conversation = Conversation::new(CHEESE);
    conversation.set("cheese_type", " null ").unwrap();
    conversation.turn(Vec::new(), |sandbox| assert_eq!(sandbox.state().get("cheese_type"), Some(&json("null"))));
    assert_eq!(patch(&conversation.propose()), []);
}

#[test]
fn v3_an_opaque_value_is_refused_with_its_types_name() {
    let mut state = state(NESTED_VALUES, Limits::default());
    let refused = SetError::Opaque { key: "cheese_type".to_owned(), type_name: "datetime".to_owned() };
    assert_eq!(state.set("cheese_type".to_owned(), opaque("datetime")), Err(refused));
    assert_eq!(state.set("mood".to_owned(), opaque("datetime")), Ok(()));
}

#[test]
fn v4_a_value_keeps_its_exact_text() {
    for value in ["1.0", "12345678901234567890", "1e400", "-0", "0.10", r#"{"b": 1.50, "a" :[]}"#, "\"\\u00e9\\/\""] {
        let mut conversation = Conversation::new(NESTED_VALUES);
        conversation.set("cheese_type", &format!("\r\n\t {value} ")).unwrap();
        assert_eq!(patch(&conversation.propose()), [("cheese_type", value)]);
    }
}

#[test]
fn v4_what_is_no_json_is_refused_without_showing_it() {
    for value in ["", "secret", "{\"secret\"", "[1,]", "01", "'secret'", "\"\u{1}\"", "NaN", "1 2"] {
        let error = set(CHEESE, value).unwrap_err();
        assert!(matches!(error, SetError::InvalidJson { .. }), "{value}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    let half = "the value of `cheese_type` is no JSON: a text has an escape that stands for half a character (a lone surrogate)";
    assert_eq!(set(CHEESE, r#"{"a": "\ud83d"}"#).unwrap_err().to_string(), half);
    assert_eq!(set(CHEESE, r#"["\ud83d\ude00"]"#), Ok(()));
}

#[test]
fn v4_json_has_at_most_128_levels_under_any_key() {
    let levels = |count| format!("{}1{}", "[".repeat(count), "]".repeat(count));
    let mut state = state(NESTED_VALUES, Limits::default());
    for key in ["cheese_type", "mood"] {
        assert_eq!(state.set(key.to_owned(), json(&levels(128))), Ok(()));
        let error = state.set(key.to_owned(), json(&levels(129))).unwrap_err();
        assert!(matches!(error, SetError::InvalidJson { .. }));
        assert!(state.set(key.to_owned(), json(&levels(100_000))).is_err());
        assert_eq!(state.set(key.to_owned(), json(&format!("[[], {}]", levels(127)))), Ok(()));
        assert!(state.set(key.to_owned(), json(&format!("[[], {}]", levels(128)))).is_err());
    }
}

#[test]
fn v5_keys_values_and_the_whole_state_have_a_largest_size() {
    let limits = Limits { key_bytes: 11, value_bytes: 6, state_keys: 1, state_bytes: 30 };
    let mut state = state(&repeat_caller(r#""state_keys": ["cheese_type"]"#), limits);

    assert_eq!(state.set("cheese_types".to_owned(), json("1")), Err(SetError::KeyTooLong { actual: 12, limit: 11 }));

    assert_eq!(state.set("cheese_type".to_owned(), json(" \"brie\" ")), Ok(()), "11 and 6 bytes");
    let too_large = SetError::ValueTooLarge { key: "cheese_type".to_owned(), actual: 7, limit: 6 };
    assert_eq!(state.set("cheese_type".to_owned(), json("\"gouda\"")), Err(too_large));

    let opaque = |bytes| StateValue::Opaque(agent_memory_rules::OpaqueValue { type_name: "set".to_owned(), bytes });
    let too_large = SetError::StateTooLarge { key: "a".to_owned(), actual: 31, limit: 30 };
    assert_eq!(state.set("a".to_owned(), opaque(vec![0; 10])), Err(too_large));
    assert_eq!(state.set("a".to_owned(), opaque(vec![0; 9])), Ok(()), "1, 3 and 9 bytes");
    let too_large = SetError::StateTooLarge { key: "b".to_owned(), actual: 32, limit: 30 };
    assert_eq!(state.set("b".to_owned(), json("1")), Err(too_large));

    assert_eq!(state.get("b"), None, "nothing is half-written");
    assert!(state.remove("a"));
    assert_eq!(state.set("b".to_owned(), json("1")), Ok(()), "what was removed makes room");
}

#[test]
fn v5_limits_have_defaults() {
    let defaults = Limits { key_bytes: 128, value_bytes: 8_192, state_keys: 64, state_bytes: 262_144 };
    assert_eq!(Limits::default(), defaults);
}

#[test]
fn v5_the_names_of_keys_that_are_gone_are_kept_up_to_the_states_size() {
    let mut state = state(CHEESE, Limits { state_bytes: 10, ..Limits::default() });
    let gone = |state: &State| -> Vec<String> {
        let entries = state.clone().into_entries().into_iter();
        entries.filter(|entry| entry.value.is_none()).map(|entry| entry.key).collect()
    };
    for key in ["aaaaa", "bbbbb", "ccccc"] {
        state.set(key.to_owned(), json("1")).unwrap();
        assert!(state.remove(key));
    }
    assert_eq!(gone(&state), ["aaaaa", "bbbbb"], "another would be too much");
    state.set("d".repeat(200), json("1")).unwrap_err();
    assert_eq!(gone(&state), ["aaaaa", "bbbbb"]);
    state.set("aaaaa".to_owned(), json("1")).unwrap();
    state.set("ccccc".to_owned(), json("no JSON")).unwrap_err();
    assert_eq!(gone(&state), ["bbbbb", "ccccc"], "the first is there again and made room");
    state.set("d".to_owned(), json("no JSON")).unwrap_err();
    assert_eq!(gone(&state), ["bbbbb", "ccccc"]);
}

/// Where a value nests, found in the parsed value.
fn nested_member(value: &str) -> Option<String> {
    let is_nested = |value: &serde_json::Value| value.is_array() || value.is_object();
    let path = |name: &str| format!("/{}", name.replace('~', "~0").replace('/', "~1"));
    match serde_json::from_str(value).unwrap() {
        serde_json::Value::Array(elements) => elements.iter().position(is_nested).map(|index| path(&index.to_string())),
        serde_json::Value::Object(members) => {
            members.iter().find(|(_, value)| is_nested(value)).map(|(name, _)| path(name))
        }
        _ => None,
    }
}

proptest! {
    #[test]
    fn v_a_memory_key_takes_a_value_exactly_if_it_is_flat(value in any_json()) {
        let nested = nested_member(&value);
        let refused = nested.map(|path| SetError::Nested { key: "cheese_type".to_owned(), path });
        prop_assert_eq!(set(CHEESE, &value), refused.map_or(Ok(()), Err));
        prop_assert_eq!(set(NESTED_VALUES, &value), Ok(()));
    }

    #[test]
    fn v_a_value_keeps_its_exact_text(value in any_json(), before in "[ \t\r\n]{0,3}", after in "[ \t\r\n]{0,3}") {
        let mut state = state(NESTED_VALUES, Limits::default());
        prop_assert_eq!(state.set("cheese_type".to_owned(), json(&format!("{before}{value}{after}"))), Ok(()));
        prop_assert_eq!(state.get("cheese_type"), Some(&StateValue::Json(Json(value))));
    }

    #[test]
    fn v_what_a_parser_takes_is_taken_and_nothing_else(text in r#"[\[\]{}:,"\\u0-9d. a-]{0,12}"#) {
        let is_json = serde_json::from_str::<serde_json::Value>(&text).is_ok();
        prop_assert_eq!(set(NESTED_VALUES, &text).is_ok(), is_json);
    }

    #[test]
    fn v_the_state_is_never_larger_than_its_limit(
        limit in 0..60_u32, sets in prop::collection::vec(("[a-c]{1,2}", any_json()), 0..20),
    ) {
        let mut state = state(CHEESE, Limits { state_bytes: limit, ..Limits::default() });
        let mut expected: BTreeMap<String, String> = BTreeMap::new();
        for (key, value) in sets {
            let mut with_this = expected.clone();
            with_this.insert(key.clone(), value.clone());
            let size: usize = with_this.iter().map(|(key, value)| key.len() + value.len()).sum();
            let (actual, limit) = (size as u64, u64::from(limit));
            let answer = state.set(key.clone(), json(&value));
            if actual > limit {
                prop_assert_eq!(answer, Err(SetError::StateTooLarge { key, actual, limit }));
            } else {
                prop_assert_eq!(answer, Ok(()));
                expected = with_this;
            }
            let read = state.entries().map(|(key, value)| (key.to_owned(), value.clone())).collect::<BTreeMap<_, _>>();
            let expected = expected.iter().map(|(key, value)| (key.clone(), json(value)));
            prop_assert_eq!(read, expected.collect::<BTreeMap<_, _>>());
        }
    }
}
