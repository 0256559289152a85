//! No input makes the reader of scenarios panic, and values come through it unchanged.

use agent_memory_testing::Scenario;
use proptest::collection::{hash_map, vec};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Pieces from which texts are made that are nearly scenarios.
fn piece() -> impl Strategy<Value = String> {
    const PIECES: [&str; 46] = [
        "conversations:",
        "\n",
        "\n  ",
        "\n    - ",
        "- ",
        "? ",
        ": ",
        "{",
        "}",
        "[",
        "]",
        ",",
        "\"",
        "'",
        "id",
        "at",
        "turns",
        "call",
        "arguments",
        "after",
        "expect",
        "state",
        "config",
        "&a ",
        "*a",
        "!!str ",
        "!x ",
        "|\n",
        ">-\n",
        "---\n",
        "...\n",
        "%YAML 1.2\n",
        "#",
        "\t",
        "null",
        "true",
        ".inf",
        "0x1F",
        "1.0",
        "\u{feff}",
        "\u{0}",
        "<<: ",
        "é",
        "\r\n",
        "\\ud83d",
        "2026-03-02T10:20:00Z",
    ];
    prop_oneof![9 => proptest::sample::select(&PIECES[..]).prop_map(str::to_owned), 1 => any::<String>()]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            hash_map(any::<String>(), inner, 0..6).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_text_makes_it_panic(text: String) {
        let _ = Scenario::parse(&text, "scenario.yaml");
    }

    #[test]
    fn no_text_that_looks_like_a_scenario_makes_it_panic(pieces in vec(piece(), 0..40)) {
        let _ = Scenario::parse(&pieces.concat(), "scenario.yaml");
    }

    #[test]
    fn v4_json_values_come_through_unchanged(value in value()) {
        let text = json!({"conversations": [{"turns": [{"call": "x", "arguments": value}]}]}).to_string();
        let scenario = Scenario::parse(&text, "scenario.json").unwrap();
        let arguments = scenario.conversations[0].turns[0].arguments.as_ref();
        // An argument of `null` is one that is not given.
        prop_assert_eq!(arguments.map_or("null", |json| json.as_str()), value.to_string());
    }

    #[test]
    fn v4_json_values_in_yaml_come_through_unchanged(value in value()) {
        // The comment makes it YAML and no JSON.
        let text = format!("# YAML\nconversations: [{{turns: [{{call: x, arguments: {value}}}]}}]");
        let scenario = Scenario::parse(&text, "scenario.yaml").unwrap();
        let arguments = scenario.conversations[0].turns[0].arguments.as_ref();
        prop_assert_eq!(arguments.map_or("null", |json| json.as_str()), value.to_string());
    }
}
