//! `agent-memory run`

use serde_json::json;

use crate::support::{Folder, assert_transcript, probe, root};

/// One call that leaves a cheese, with an expectation that can be made wrong.
fn one_call(expected: &str) -> String {
    format!(
        r#"
config: {{ memory: {{ repeat_caller: {{ state_keys: [cheese_type] }} }} }}
conversations:
  - id: call-1
    at: 2026-03-02T10:20:00Z
    caller_number: "+441632960001"
    turns:
      - {{ call: book, arguments: {{ cheese_type: brie }}, expect: {{ returns: "{expected}" }} }}
"#
    )
}

const HOLDS: &str = "Picked brie. Which day?";

#[test]
fn the_example_plays_from_its_source() {
    let folder = Folder::new();
    let scenario = root().join("examples/cheese-shop/scenario.yaml");
    let ran = folder.run(&["run", scenario.to_str().unwrap(), "--json"]).expect(0);
    let lines = ran.json_lines();
    assert_eq!(lines.len(), 7);
    for line in &lines {
        let members: Vec<_> = line.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, ["at", "commit", "conversation", "failures", "memory", "metrics", "turns"]);
        assert_eq!(line["failures"], json!([]));
    }
    assert_eq!(lines[0]["at"], "2026-03-02T10:20:00Z");
    assert_eq!(lines[0]["commit"]["keys"]["cheese_type"], json!({"kept": true, "expires_at": "2026-05-31T10:00:00Z"}));
    assert_eq!(lines[1]["metrics"]["REPEAT_CALLER_CONV_ID"], "first-call");
    assert_eq!(ran.err, "");
}

#[test]
fn a_wrong_expectation_ends_with_1_and_a_readable_difference() {
    let folder = Folder::with_scenario(&one_call("Booked gouda."));
    let ran = folder.play(&[]).expect(1);
    assert_transcript("wrong-expectation.txt", &ran.out);
    let lines = folder.play(&["--json"]).expect(1).json_lines();
    let failure = "call-1, turn 1 `book` (scenario.yaml:8): `returns`\n    expected: \"Booked gouda.\"\n    came:     \
                   \"Picked brie. Which day?\"";
    assert_eq!(lines[0]["failures"], json!([failure]));
}

#[test]
fn what_goes_wrong_in_functions_is_told_in_words() {
    let scenario = r#"
config: { memory: { repeat_caller: { state_keys: [cheese_type, mood] } } }
conversations:
  - id: call-1
    at: 2026-03-02T10:20:00Z
    turns:
      - { call: fail, arguments: { message: "no cheese\ntoday" } }
      - { call: say, arguments: { text: "a\e[2Jb" } }
      - { call: log, arguments: { level: error, content: careful, is_pii: true, fields: { a: 1 } } }
      - { call: handoff, arguments: { destination: billing, reason: refund }, after: 1h30m }
      - { call: set, arguments: { key: cheese_type, value: brie } }
    end: false
    outcome: { qa: resolved, handoff: { reason: refund, to: billing } }
  - id: call-2
    caller_number: "+441632960001"
    turns:
      - { call: set, arguments: { key: cheese_type, value: 2026-03-02T10:20:00Z } }
      - { call: set, arguments: { key: mood, value: null } }
      - { call: set, arguments: { key: unlisted, value: 1 } }
"#;
    let folder = Folder::with_scenario(scenario);
    let ran = folder.run(&["run", "scenario.yaml", "--functions", &probe()]).expect(0);
    let traces = |line: &&str| !line.trim_start().starts_with("at ") && !line.contains(".rs:");
    assert_transcript(
        "in-words.txt",
        &ran.out.lines().filter(traces).map(|line| format!("{line}\n")).collect::<String>(),
    );
}

#[test]
fn what_a_sandbox_stops_has_a_name_and_the_conversation_goes_on() {
    let scenario = r#"
conversations:
  - turns:
      - { call: loop_forever, expect: { error: time-limit } }
      - { call: allocate_forever, expect: { error: memory-limit } }
      - { call: say_much, arguments: { bytes: 1000000, calls: 10 }, expect: { error: output-limit, say: [] } }
      - { call: recurse_forever, expect: { error: trap } }
      - { call: unreachable, expect: { error: trap } }
      - { call: count, expect: { returns: 1, error: null } }
"#;
    let folder = Folder::with_scenario(scenario);
    let ran = folder.run(&["run", "scenario.yaml", "--functions", &probe(), "--json"]).expect(0);
    let line = ran.json_lines().remove(0);
    let outcomes: Vec<_> =
        line["turns"].as_array().unwrap().iter().map(|turn| turn["outcome"].as_str().unwrap()).collect();
    let stopped = "stopped";
    assert_eq!(outcomes, ["returned", stopped, stopped, stopped, stopped, stopped, "returned", "returned"]);
}

#[test]
fn an_unknown_function_is_told_with_the_known_ones() {
    let folder = Folder::with_scenario("conversations: [{ turns: [{ call: bok }, { call: book, arguments: [1] }] }]");
    let lines = folder.play(&["--json"]).expect(1).json_lines();
    let failures: Vec<_> = lines[0]["failures"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    assert!(failures[0].contains("there is no function \"bok\"; the agent has book, hand_over"), "{failures:?}");
    assert!(failures[1].contains("have to be a JSON object"), "{failures:?}");
}

#[test]
fn the_command_line_wins_over_the_scenario() {
    let folder = Folder::with_scenario(&format!("functions: nowhere\n{}", one_call(HOLDS)));
    folder.write("config.json", "{}");
    let line = folder.play(&["--config", "config.json", "--json"]).expect(0).json_lines().remove(0);
    assert_eq!(line["commit"]["status"], "memory-off");
    folder.run(&["run", "scenario.yaml"]).expect_refusal(&["nowhere does not exist"]);
}

#[test]
fn c5_without_a_configuration_memory_is_off() {
    let folder = Folder::with_scenario("conversations: [{ caller_number: '+441632960001' }]");
    let line = folder.play(&["--json"]).expect(0).json_lines().remove(0);
    assert_eq!((&line["commit"]["status"], &line["memory"]), (&json!("memory-off"), &json!({})));
}

#[test]
fn the_clock_stands_at_the_real_time_where_nothing_else_is_said() {
    let folder = Folder::with_scenario("conversations: [{}]");
    let before = jiff::Timestamp::now().as_second();
    let at =
        folder.play(&["--json"]).expect(0).json_lines()[0]["at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert!((before..=jiff::Timestamp::now().as_second()).contains(&at.as_second()));
    assert_eq!(at.subsec_nanosecond(), 0);
}

#[test]
fn a_scenario_without_functions_is_refused() {
    let folder = Folder::with_scenario("conversations: [{}]");
    folder.run(&["run", "scenario.yaml"]).expect_refusal(&["does not say which functions to call", "--functions"]);
}

#[test]
fn a_misspelt_key_is_told_with_its_line_and_the_nearest() {
    let folder = Folder::with_scenario("conversations:\n  - turns:\n      - call: book\n        argumens: {}\n");
    folder.play(&[]).expect_refusal(&["scenario.yaml:4:9: unknown key `argumens`; did you mean `arguments`?"]);
    folder.run(&["run", "nowhere.yaml"]).expect_refusal(&["nowhere.yaml cannot be read"]);
}

#[test]
fn c6_all_mistakes_of_a_configuration_are_told_at_once() {
    let folder = Folder::with_scenario("conversations: [{}]");
    folder.write(
        "config.json",
        r#"{"memory": {"repeat_caller": {
            "analytics_enabled": 1, "state_keys": "cheese_type", "retention_days": 91, "nested_values": "yes",
            "identifier_blaklist": []
        }}}"#,
    );
    folder.play(&["--config", "config.json"]).expect_refusal(&[
        "the configuration config.json has 5 mistakes:",
        "memory.repeat_caller.analytics_enabled: ",
        "memory.repeat_caller.state_keys: ",
        "memory.repeat_caller.retention_days: ",
        "memory.repeat_caller.nested_values: ",
        "memory.repeat_caller.identifier_blaklist",
    ]);
    folder.play(&["--config", "nowhere.json"]).expect_refusal(&["the configuration nowhere.json cannot be read"]);
}

#[test]
fn a_configuration_in_the_scenario_is_named_by_its_line() {
    let folder =
        Folder::with_scenario("conversations: [{}]\nconfig: { memory: { repeat_caller: { retention_days: 91 } } }");
    folder.play(&[]).expect_refusal(&["the configuration scenario.yaml:2 has a mistake:"]);
}

#[test]
fn a_store_that_cannot_be_used_is_told_before_anything_else() {
    let folder = Folder::with_scenario("this is no scenario: [");
    std::fs::create_dir(folder.path("folder")).unwrap();
    folder.write("notes.txt", "no store");
    for (url, reason) in [
        ("sqlite:folder", "folder"),
        ("sqlite:notes.txt", "notes.txt is no Agent Memory store"),
        ("sqlite:no/such/folder/memory.db", "memory.db"),
        ("carrier-pigeon:coop", "names no store"),
    ] {
        folder.play(&["--store", url]).expect_refusal(&[reason]);
    }
    assert_eq!(folder.names(), ["folder", "notes.txt", "scenario.yaml"]);
    assert_eq!(std::fs::read(folder.path("notes.txt")).unwrap(), b"no store");
}

#[test]
fn a_conversation_that_has_ended_in_the_store_is_not_played_again() {
    let folder = Folder::with_scenario(&one_call(HOLDS));
    folder.play(&["--store", "sqlite:memory.db"]).expect(0);
    folder.play(&["--store", "sqlite:memory.db"]).expect_refusal(&["\"call-1\"", "scenario.yaml:4", "already ended"]);
}
