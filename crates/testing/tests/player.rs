//! Scenarios that are played on a real agent: the probe of `tests/agents`, which does what it is told.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test has nobody else to tell")]

use std::sync::Arc;

use agent_memory_host::store::{Backend, MemoryStore};
use agent_memory_host::{AgentDefinition, StartError};
use agent_memory_testing::{ConversationResult, Desk, PlayError, Scenario};
use agent_memory_tests::{Fault, FaultyStore, clock, component, configuration, runtime, scope};
use serde_json::{Value, json};

/// A desk with the probe on this store, with analytics.
async fn desk_on(store: Arc<dyn Backend>) -> Desk {
    let clock = clock();
    let runtime = runtime(store).clock(clock.clone()).build().await.unwrap();
    let configuration = configuration(r#""analytics_enabled": true"#);
    let definition = AgentDefinition { scope: scope(), functions: component("probe"), configuration };
    Desk::with(runtime, clock, definition).await.unwrap()
}

async fn desk() -> Desk {
    desk_on(Arc::new(MemoryStore::new())).await
}

/// Plays a scenario of these conversations.
async fn play_at(desk: &Desk, conversations: &str) -> Vec<ConversationResult> {
    let text = format!("conversations:\n{}", conversations.trim_start_matches('\n'));
    let scenario = Scenario::parse(&text, "scenario.yaml").unwrap_or_else(|mistakes| panic!("{mistakes}"));
    desk.play(&scenario).await.unwrap()
}

async fn play(conversations: &str) -> Vec<ConversationResult> {
    play_at(&desk().await, conversations).await
}

/// The failures of a scenario of one conversation.
async fn failures(conversation: &str) -> Vec<String> {
    play(conversation).await.remove(0).failures
}

#[tokio::test]
async fn a_result_is_one_line_of_the_documented_form() {
    let results = play(
        r#"
  - id: call-1
    caller_number: "+441632960001"
    state: { probe_start: true, probe_end: set }
    turns:
      - { call: set, arguments: { key: cheese_type, value: brie } }
      - { call: set, arguments: { key: unlisted, value: 1.0 } }
      - { call: say, arguments: { text: Hello } }
      - { call: metric, arguments: { name: booked, value: 1.0 } }
      - { call: log, arguments: { level: warning, content: careful, is_pii: true, fields: { a: 1.0 } } }
      - { call: fail, arguments: { message: no cheese } }
    outcome: { qa: resolved }
"#,
    )
    .await;
    let line = serde_json::to_string(&results[0]).unwrap();
    assert!(!line.contains('\n'));
    let mut value: Value = serde_json::from_str(&line).unwrap();
    let keys: Vec<_> =
        ["\"conversation\"", "\"at\"", "\"turns\"", "\"commit\"", "\"metrics\"", "\"memory\"", "\"failures\""]
            .map(|key| line.find(key).unwrap())
            .into();
    assert!(keys.is_sorted(), "{line}");
    for turn in value["turns"].as_array_mut().unwrap() {
        assert!(turn["micros"].take().as_u64().unwrap() > 0);
    }
    let trace = value["turns"][6]["error"]["trace"].take();
    assert!(trace.is_string());
    let quiet = |call: &str| {
        json!({
            "call": call, "outcome": "returned", "returns": null, "say": [], "actions": [], "logs": [], "error": null,
            "micros": null,
        })
    };
    let with = |mut turn: Value, members: Value| {
        turn.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        turn
    };
    let expected = json!({
        "conversation": "call-1",
        "at": "2026-03-02T10:20:00Z",
        "turns": [
            quiet("start_function"),
            quiet("set"),
            quiet("set"),
            with(quiet("say"), json!({"say": ["Hello"]})),
            with(quiet("metric"), json!({
                "actions": [{"name": "write_metric", "arguments": {"name": "booked", "value": 1.0}}],
            })),
            with(quiet("log"), json!({
                "logs": [{"level": "warning", "content": "careful", "is_pii": true, "fields": {"a": 1.0}}],
            })),
            with(quiet("fail"), json!({
                "outcome": "error", "error": {"name": "ProbeFailed", "message": "no cheese", "trace": null},
            })),
            quiet("end_function"),
        ],
        "commit": {
            "status": "committed",
            "identifier": "known",
            "keys": {
                "started": {"kept": false, "reason": "not-in-state-keys"},
                "cheese_type": {"kept": true, "expires_at": "2026-05-31T10:00:00Z"},
                "unlisted": {"kept": false, "reason": "not-in-state-keys"},
                "ended": {"kept": false, "reason": "not-in-state-keys"},
            },
            "first_interaction": true,
            "warnings": [],
        },
        "metrics": {},
        "memory": {"cheese_type": "brie"},
        "failures": [],
    });
    assert_eq!(value, expected);
}

#[tokio::test]
async fn expectations_that_hold_leave_no_failure() {
    let results = play(
        r#"
  - id: call-1
    caller_number: "+441632960001"
    turns:
      - call: set
        arguments: { key: cheese_type, value: brie }
        expect: { returns: null, say: [], state: { cheese_type: brie, never_set: null }, error: null }
      - { call: say, arguments: { text: Hello }, expect: { say: [Hello] } }
      - { call: fail, arguments: { message: no cheese today }, expect: { error: ProbeFailed } }
      - { call: fail, arguments: { message: no cheese today }, expect: { error: no cheese } }
      - { call: fail, arguments: { message: no cheese }, expect: { error: { name: ProbeFailed, message: no cheese } } }
    expect: { said: [Hello], memory: { cheese_type: brie }, commit: { cheese_type: kept }, metrics: {} }
  - caller_number: "+44 1632 960001"
    turns:
      - { call: memory_fields, expect: { returns: { cheese_type: brie } } }
      - { call: set, arguments: { key: mood, value: null } }
    expect:
      commit: { mood: null }
      metrics: { REPEAT_CALLER_CONV_ID: call-1, REPEAT_CALLER_DATETIME: 2026-03-02T10:00:00Z }
"#,
    )
    .await;
    results.iter().for_each(ConversationResult::assert_ok);
}

#[tokio::test]
async fn what_does_not_hold_is_told_with_what_was_expected_and_what_came() {
    let failures = failures(
        r#"
  - id: call-1
    caller_number: "+441632960001"
    turns:
      - call: set
        arguments: { key: cheese_type, value: brie }
        expect: { returns: done, state: { cheese_type: gouda, mood: happy }, error: ProbeFailed }
      - { call: fail, arguments: { message: no cheese }, expect: { returns: brie, error: null } }
      - { call: say, arguments: { text: Hello }, expect: { say: [Hello, Goodbye] } }
      - call: memory_fields
        expect:
          returns: { a: a long value that does not fit on a line, b: [1, 2, 3], c: another long value, d: 4 }
    expect:
      said: []
      memory: { cheese_type: brie, mood: happy }
      commit: { cheese_type: not-in-state-keys, mood: kept }
      metrics: { REPEAT_CALLER_CONV_ID: call-0 }
"#,
    )
    .await;
    let expected = r#"
call-1, turn 1 `set` (scenario.yaml:5): `returns`
    expected: "done"
    came:     null
call-1, turn 1 `set` (scenario.yaml:5): `state` of `cheese_type`
    expected: "gouda"
    came:     "brie"
call-1, turn 1 `set` (scenario.yaml:5): `state` of `mood`
    expected: "happy"
    came:     nothing under this key
call-1, turn 1 `set` (scenario.yaml:5): `error`
    expected: an error with the name "ProbeFailed", or a message with it
    came:     no error
call-1, turn 2 `fail` (scenario.yaml:8): `returns`
    expected: "brie"
    came:     the function failed: ProbeFailed: no cheese
call-1, turn 2 `fail` (scenario.yaml:8): `error`
    expected: no error
    came:     ProbeFailed: no cheese
call-1, turn 3 `say` (scenario.yaml:9): `say`
    expected: ["Hello","Goodbye"]
    came:     ["Hello"]
call-1, turn 4 `memory_fields` (scenario.yaml:10): `returns` (- expected, + came)
    - {
    -   "a": "a long value that does not fit on a line",
    -   "b": [
    -     1,
    -     2,
    -     3
    -   ],
    -   "c": "another long value",
    -   "d": 4
    - }
    + {}
call-1 (scenario.yaml:2): `said`
    expected: []
    came:     ["Hello"]
call-1 (scenario.yaml:2): `memory`
    expected: {"cheese_type":"brie","mood":"happy"}
    came:     {"cheese_type":"brie"}
call-1 (scenario.yaml:2): `commit` of `cheese_type`
    expected: not-in-state-keys
    came:     kept
call-1 (scenario.yaml:2): `commit` of `mood`
    expected: kept
    came:     no function set this key
call-1 (scenario.yaml:2): `metrics`
    expected: {"REPEAT_CALLER_CONV_ID":"call-0"}
    came:     {}"#;
    assert_eq!(format!("\n{}", failures.join("\n")), expected);
}

#[tokio::test]
async fn v4_numbers_are_compared_by_their_exact_text() {
    let failures = failures(
        r#"
  - caller_number: "+441632960001"
    turns:
      - { call: set, arguments: { key: cheese_type, value: [1.0, 12345678901234567890123] } }
      - { call: get, arguments: { key: cheese_type }, expect: { returns: [1.0, 12345678901234567890123] } }
      - { call: get, arguments: { key: cheese_type }, expect: { returns: [1, 12345678901234567890123] } }
    expect: { memory: { cheese_type: [1.0, 12345678901234567890123] } }
"#,
    )
    .await;
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert!(failures[0].contains("turn 3"), "{failures:?}");
}

#[tokio::test]
async fn a_call_that_cannot_be_made_is_a_failure_and_the_next_turn_follows() {
    let result = play(
        r#"
  - turns:
      - { call: bok }
      - { call: say, arguments: [1] }
      - { call: say, arguments: { text: Hello } }
    expect: { said: [Hello] }
"#,
    )
    .await
    .remove(0);
    let [unknown, arguments] = result.failures.as_slice() else { panic!("{:?}", result.failures) };
    assert!(unknown.contains("turn 1 `bok` (scenario.yaml:3): there is no function \"bok\""), "{unknown}");
    assert!(unknown.contains("memory_get") && unknown.contains("recurse_forever"), "{unknown}");
    assert!(arguments.contains("turn 2 `say` (scenario.yaml:4): the arguments of \"say\" have to be a JSON object"));
    let names = result.turns.iter().map(|turn| turn.error.as_ref().map_or("", |error| &error.name));
    assert_eq!(names.collect::<Vec<_>>(), ["", "unknown-function", "invalid-arguments", "", ""]);
}

#[tokio::test]
async fn w6_a_turn_that_is_stopped_says_why_and_the_conversation_goes_on() {
    let result = play(
        r#"
  - caller_number: "+441632960001"
    turns:
      - { call: set_then_trap, arguments: { key: cheese_type, value: brie }, expect: { error: trap, say: [] } }
      - { call: set, arguments: { key: mood, value: happy } }
    expect: { memory: { mood: happy } }
"#,
    )
    .await
    .remove(0);
    result.assert_ok();
    let turn = serde_json::to_value(&result.turns[1]).unwrap();
    assert_eq!((&turn["outcome"], &turn["error"]["name"]), (&json!("stopped"), &json!("trap")));
    assert_eq!(turn["logs"][0]["content"], "logged before the end");
}

#[tokio::test]
async fn the_clock_moves_only_by_at_and_after() {
    let desk = desk().await;
    let results = play_at(
        &desk,
        r#"
  - caller_number: "+441632960001"
    turns:
      - { call: set, arguments: { key: cheese_type, value: brie } }
      - { call: state, after: 1h30m }
      - { call: state }
  - at: 2026-05-31T10:59:59+01:00
    caller_number: "+441632960001"
    turns: [{ call: memory_fields, expect: { returns: { cheese_type: brie } } }]
  - caller_number: "+441632960001"
    turns: [{ call: memory_fields, after: 3601s, expect: { returns: {} } }]
"#,
    )
    .await;
    results.iter().for_each(ConversationResult::assert_ok);
    let times: Vec<_> = results[0].turns.iter().map(|turn| turn.at.to_string()).collect();
    let (first, later) = ("2026-03-02T10:20:00Z", "2026-03-02T11:50:00Z");
    // `start_function` comes first and `end_function` last.
    assert_eq!(times, [first, first, later, later, later]);
    assert_eq!(results[2].at.to_string(), "2026-05-31T09:59:59Z");
    assert_eq!(desk.now().to_string(), "2026-05-31T11:00:00Z");
}

#[tokio::test]
async fn a_clock_cannot_be_moved_out_of_time() {
    let text = "conversations:\n  - { at: 9999-12-30T22:00:00Z, turns: [{ call: state, after: 1000h }] }";
    let error = desk().await.play(&Scenario::parse(text, "scenario.yaml").unwrap()).await.unwrap_err();
    assert!(matches!(error, PlayError::Clock { .. }), "{error}");
}

#[tokio::test]
async fn w5_an_open_conversation_has_a_preview_and_leaves_nothing() {
    let results = play(
        r#"
  - id: call-1
    caller_number: "+441632960001"
    turns: [{ call: set, arguments: { key: cheese_type, value: brie } }]
  - caller_number: "+441632960001"
    end: false
    turns: [{ call: set, arguments: { key: cheese_type, value: gouda } }]
    expect: { commit: { cheese_type: kept }, metrics: {}, memory: { cheese_type: brie } }
"#,
    )
    .await;
    results[1].assert_ok();
    let line = serde_json::to_value(&results[1]).unwrap();
    assert_eq!(line["commit"]["status"], "preview");
    assert_eq!(line["turns"].as_array().unwrap().len(), 2, "no `end_function`");
}

#[tokio::test]
async fn start_function_can_be_left_out() {
    let result = play("  - { start: false, state: { probe_start: true } }").await.remove(0);
    assert_eq!(result.turns.iter().map(|turn| turn.call.as_str()).collect::<Vec<_>>(), ["end_function"]);
}

#[tokio::test]
async fn functions_see_what_the_scenario_says_of_the_conversation() {
    let result = play(
        r#"
  - id: call-1
    caller_number: "+441632960001"
    callee_number: "+441632960100"
    channel: webchat.polyai
    sip_headers: { X-Customer-Id: "42" }
    integration_attributes: { customer_id: 42 }
    state: { from_: x }
    settings:
      language: en-GB
      variant_name: north
      current_flow: order
      current_step: choose
      history: [{ role: user, text: Hello }, { role: agent, text: Good day }]
      transcript_alternatives: [bree]
      variant: { phone: 1.0 }
      real_time_config: { a: b }
    turns:
      - { call: attributes }
      - { call: history }
      - { call: state, expect: { returns: { from_: x } } }
"#,
    )
    .await
    .remove(0);
    result.assert_ok();
    let attributes = result.turn("attributes").unwrap().returns.as_ref().unwrap().as_str();
    for part in [
        "call-1",
        "+441632960001",
        "+441632960100",
        "webchat.polyai",
        "X-Customer-Id",
        "42",
        "customer_id",
        "en-GB",
        "north",
        "order",
        "choose",
        "bree",
        "1.0",
        "real_time_config",
    ] {
        assert!(attributes.contains(part), "{part} is not in {attributes}");
    }
    let history = result.turn("history").unwrap().returns.as_ref().unwrap().as_str();
    assert!(history.contains("Hello") && history.contains("Good day"), "{history}");
}

#[tokio::test]
async fn a_state_value_that_json_has_no_word_for_equals_nothing() {
    let failures = failures(
        r#"
  - turns:
      - call: set_opaque
        arguments: { key: when, type_name: datetime, bytes: [1] }
        expect: { state: { when: null } }
"#,
    )
    .await;
    assert!(failures[0].contains("came:     a value that JSON has no word for"), "{failures:?}");
}

#[tokio::test]
async fn a_store_that_fails_at_the_commit_is_a_failure_of_the_conversation() {
    let store = Arc::new(FaultyStore::default());
    let desk = desk_on(store.clone()).await;
    store.fail(&[Fault::CommitRejected]);
    let conversations = r#"
  - caller_number: "+441632960001"
    turns: [{ call: set, arguments: { key: cheese_type, value: brie } }]
    expect: { memory: {}, commit: { cheese_type: kept } }
"#;
    let result = play_at(&desk, conversations).await.remove(0);
    let line = serde_json::to_value(&result).unwrap();
    let commit = json!({
        "status": "failed", "identifier": "known", "keys": {}, "first_interaction": false, "warnings": [],
    });
    assert_eq!(line["commit"], commit);
    assert_eq!(result.failures.len(), 1, "{:?}", result.failures);
    assert!(result.failures[0].contains("nothing was committed"), "{:?}", result.failures);
}

#[tokio::test]
async fn m5_a_store_that_cannot_be_read_fails_the_turn() {
    let store = Arc::new(FaultyStore::default());
    let desk = desk_on(store.clone()).await;
    store.fail(&[Fault::Load]);
    let scenario = Scenario::parse("conversations: [{ caller_number: '+441632960001' }]", "scenario.yaml").unwrap();
    let error = desk.play(&scenario).await.unwrap_err();
    assert!(matches!(&error, PlayError::Start { source: StartError::Store(_), .. }), "{error}");
    assert!(error.to_string().starts_with("the conversation at scenario.yaml:1 cannot start: "), "{error}");
}

#[tokio::test]
async fn an_id_that_has_ended_before_cannot_start_again() {
    let desk = desk().await;
    let conversation = "  - { id: call-1, caller_number: '+441632960001' }";
    play_at(&desk, conversation).await;
    let scenario = Scenario::parse(&format!("conversations:\n{conversation}"), "scenario.yaml").unwrap();
    let error = desk.play(&scenario).await.unwrap_err();
    assert!(matches!(&error, PlayError::Start { source: StartError::AlreadyEnded, .. }), "{error}");
    assert!(error.to_string().starts_with("the conversation \"call-1\" at scenario.yaml:2 cannot start: "), "{error}");
}
