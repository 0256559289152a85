//! Scenarios of agents in Python: each has to go as it says.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use agent_memory_host::store::MemoryStore;
use agent_memory_host::{Agent, AgentDefinition, ManualClock};
use agent_memory_testing::{ConfigurationSource, ConversationResult, Scenario, play};
use agent_memory_tests::{built, root, runtime};
use serde_json::{Value, json};

use crate::support::agent_folder;

/// Plays the scenario of a project, with the configuration that it names or has.
async fn plays(folder: &Path) -> (Agent, Vec<ConversationResult>) {
    let scenario = Scenario::load(folder.join("scenario.yaml")).unwrap_or_else(|error| panic!("{error}"));
    let own = ConfigurationSource::File(folder.join("agent_settings/experimental_config.json"));
    let configuration =
        scenario.configuration.as_ref().unwrap_or(&own).read().unwrap_or_else(|error| panic!("{error}"));
    let clock = Arc::new(ManualClock::new("2026-01-01T00:00:00Z".parse().unwrap()));
    let runtime = runtime(Arc::new(MemoryStore::new())).clock(clock.clone()).build().await.unwrap();
    let definition = AgentDefinition { scope: scenario.scope.clone(), functions: built(folder), configuration };
    let agent = runtime.load_agent(definition).await.unwrap_or_else(|error| panic!("{error}"));
    let results = play(&scenario, &agent, &clock).await.unwrap_or_else(|error| panic!("{error}"));
    let failures: Vec<_> = results.iter().flat_map(|result| &result.failures).cloned().collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    (agent, results)
}

#[tokio::test]
async fn the_example_goes_like_its_siblings_in_other_languages() {
    let folder = root().join("examples/cheese-shop-python");
    for file in ["scenario.yaml", "config.json"] {
        let read = |folder: &Path| std::fs::read_to_string(folder.join(file)).unwrap();
        assert_eq!(read(&folder), read(&root().join("examples/cheese-shop")), "{file} is one file in two places");
    }
    plays(&folder).await;
}

#[tokio::test]
async fn the_documented_functions_run_as_they_stand() {
    plays(&agent_folder("picked")).await;
    plays(&agent_folder("rebook")).await;
}

#[tokio::test]
async fn a_project_of_the_platform_runs_unchanged() {
    let (agent, results) = plays(&agent_folder("ferry")).await;

    let functions = agent.functions();
    assert!(functions.len() >= 25, "{}", functions.len());
    let flows =
        functions.iter().filter_map(|function| function.annotations.as_ref()?.to::<Value>().ok()?.get("flow").cloned());
    let flows: BTreeSet<String> = flows.map(|flow| flow.as_str().unwrap().to_owned()).collect();
    assert_eq!(flows, ["book_crossing", "callback", "change_booking", "lost_property"].map(str::to_owned).into());

    // What the scenario has no words for: what functions ask for, in order, one by way of another.
    let conversation = |id: &str| results.iter().find(|result| result.conversation == id).unwrap();
    let asked = |id: &str, call: &str| -> Vec<(String, Value)> {
        let actions = &conversation(id).turn(call).unwrap().actions;
        actions.iter().map(|action| (action.name.clone(), action.arguments.to().unwrap())).collect()
    };
    let action = |name: &str, arguments: Value| (name.to_owned(), arguments);
    assert_eq!(
        asked("broken-answer", "find_booking"),
        [
            action("write_metric", json!({"name": "OUTCOME", "value": "HANDOFF"})),
            action(
                "call_handoff",
                json!({
                    "destination": "bookings",
                    "reason": "LOOKUP_FAILED",
                    "utterance": "One moment, I'll put you through.",
                    "sip_headers": {"X-Reason": "LOOKUP_FAILED"},
                })
            ),
        ]
    );
    assert_eq!(
        asked("books", "book_crossing.confirm"),
        [action("write_metric", json!({"name": "OUTCOME", "value": "BOOKED"})), action("exit_flow", json!({}))]
    );
    let metrics = [json!({"name": "STEPS_SEEN", "value": 3}), json!({"name": "BOOKED", "value": "island"})];
    assert_eq!(asked("books", "end_function"), metrics.map(|arguments| action("write_metric", arguments)));
    let logged = &conversation("books").turns[0].logs;
    assert!(logged.iter().any(|entry| entry.content == "call started"), "`plog` is there: {logged:?}");
}
