//! Every folder of `scenarios` has a scenario with mistakes, and `error.txt`: what is said about them.
//!
//! With `AGENT_MEMORY_BLESS` set, `error.txt` is written anew instead of compared.

use std::fs;
use std::path::Path;

use agent_memory_testing::{ConfigurationSource, ErrorExpectation, Mistakes, Scenario, ScenarioError};

#[test]
fn every_mistake_is_reported_with_its_place() {
    let mut wrong = Vec::new();
    let mut cases = 0;
    for case in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")).unwrap() {
        let case = case.unwrap().path();
        let (text, name) = ["scenario.yaml", "scenario.json"]
            .into_iter()
            .find_map(|name| Some((fs::read_to_string(case.join(name)).ok()?, name)))
            .unwrap();
        let came = match Scenario::parse(&text, name) {
            Ok(_) => "no mistake\n".to_owned(),
            Err(mistakes) => format!("{mistakes}\n"),
        };
        let error = case.join("error.txt");
        if std::env::var_os("AGENT_MEMORY_BLESS").is_some() {
            fs::write(&error, &came).unwrap();
        }
        let expected = fs::read_to_string(&error).unwrap_or_default();
        if came != expected {
            wrong.push(format!("{}\nexpected:\n{expected}came:\n{came}", case.display()));
        }
        cases += 1;
    }
    assert!(cases > 15, "only {cases} cases were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_form_of_the_documentation_is_understood() {
    let text = r#"
functions: ./functions
config: ./config.json
account: acme
conversations:
  - id: call-1
    at: 2026-03-02T10:20:00Z
    caller_number: "+441632960001"
    callee_number: "+441632960100"
    channel: sip.polyai
    sip_headers: { X-Customer-Id: "42" }
    integration_attributes: { customer_id: 42 }
    state: { from_: "x" }
    settings: { language: en-GB, variant: { a: 1.0 }, history: [{ role: user, text: Hello }] }
    turns:
      - call: book
        arguments: { cheese_type: brie, pieces: 12345678901234567890 }
        after: 1h30m
        expect: { returns: "Booked brie for Friday.", say: [], state: { cheese_type: brie }, error: null }
    start: false
    outcome: { qa: resolved, handoff: { reason: refund, to: billing } }
    expect:
      said: ["..."]
      memory: { cheese_type: brie }
      commit: { cheese_type: kept, mood: not-in-state-keys }
      metrics: { REPEAT_CALLER_CONV_ID: call-1 }
"#;
    let scenario = Scenario::parse(text, "folder/scenario.yaml").unwrap();
    assert_eq!(scenario.functions.as_deref(), Some(Path::new("folder/./functions")));
    assert!(matches!(&scenario.configuration, Some(ConfigurationSource::File(path)) if path.ends_with("config.json")));
    assert_eq!((scenario.scope.account.as_str(), scenario.scope.environment.as_str()), ("acme", "sandbox"));
    let [script] = scenario.conversations.as_slice() else { panic!("one conversation") };
    assert_eq!(script.at.unwrap().to_string(), "2026-03-02T10:20:00Z");
    assert!(script.conversation.skip_start_function && script.end);
    assert_eq!(script.conversation.sip_headers, [("X-Customer-Id".to_owned(), "42".to_owned())]);
    assert_eq!(script.conversation.integration_attributes.as_ref().unwrap().as_str(), r#"{"customer_id":42}"#);
    assert_eq!(script.conversation.settings.language.as_deref(), Some("en-GB"));
    assert_eq!(script.conversation.settings.more.as_ref().unwrap().as_str(), r#"{"variant":{"a":1.0}}"#);
    assert_eq!(script.outcome.handoff.as_ref().unwrap().to.as_deref(), Some("billing"));
    let [turn] = script.turns.as_slice() else { panic!("one turn") };
    let arguments = turn.arguments.as_ref().unwrap();
    assert_eq!(arguments.as_str(), r#"{"cheese_type":"brie","pieces":12345678901234567890}"#);
    assert_eq!(turn.after.as_secs(), 5400);
    assert_eq!(turn.expect.error, Some(ErrorExpectation::None));
    assert_eq!(turn.expect.say.as_deref(), Some(&[][..]));
    assert_eq!(script.expect.commit.len(), 2);
    assert_eq!(script.expect.metrics.as_ref().unwrap().len(), 1);
}

#[test]
fn durations_may_be_combined() {
    for (text, seconds) in
        [("500ms", 0), ("30s", 30), ("5m", 300), ("2h", 7200), ("1d", 86400), ("91d", 7_862_400), ("1h30m", 5400)]
    {
        let yaml = format!("conversations: [{{turns: [{{call: x, after: {text}}}]}}]");
        let scenario = Scenario::parse(&yaml, "scenario.yaml").unwrap();
        assert_eq!(scenario.conversations[0].turns[0].after.as_secs(), seconds, "{text}");
    }
}

#[test]
fn a_scenario_larger_than_one_mebibyte_is_refused() {
    let text = format!("conversations: [{{}}] # {}", "x".repeat(agent_memory_testing::MAX_BYTES));
    let Mistakes { mistakes, .. } = Scenario::parse(&text, "scenario.yaml").unwrap_err();
    assert!(mistakes[0].message.contains("larger than 1 MiB"));
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let message = Scenario::load("no/such/scenario.yaml").unwrap_err().to_string();
    assert!(message.starts_with("the scenario no/such/scenario.yaml cannot be read: "), "{message}");
    let message = Scenario::load(env!("CARGO_MANIFEST_DIR")).unwrap_err().to_string();
    assert!(message.contains("cannot be read"), "{message}");
}

#[test]
#[cfg(unix)]
fn a_file_without_end_is_not_read_to_its_end() {
    assert!(matches!(Scenario::load("/dev/zero"), Err(ScenarioError::TooLarge { .. })));
    let configuration = ConfigurationSource::File("/dev/zero".into()).read();
    assert!(matches!(configuration, Err(ScenarioError::ConfigurationTooLarge { .. })));
}
