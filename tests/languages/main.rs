//! One agent in every language: the same conversations, the same expectations.
#![allow(clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::path::Path;
use std::sync::Arc;

use agent_memory_host::store::MemoryStore;
use agent_memory_host::{AgentDefinition, ManualClock};
use agent_memory_testing::{Scenario, play};
use agent_memory_tests::{root, runtime};

/// Plays the scenario of the Rust example with the functions of another folder.
async fn plays(folder: &str) {
    let example = root().join("examples/cheese-shop");
    let scenario = Scenario::load(example.join("scenario.yaml")).unwrap_or_else(|error| panic!("{error}"));
    let source = root().join("examples").join(folder);
    let functions = agent_memory_build::build(Path::new(&source), &Default::default());
    let functions = functions.unwrap_or_else(|error| panic!("{error}")).bytes;
    let configuration = std::fs::read_to_string(example.join("config.json")).unwrap();
    let clock = Arc::new(ManualClock::new("2026-01-01T00:00:00Z".parse().unwrap()));
    let runtime = runtime(Arc::new(MemoryStore::new())).clock(clock.clone()).build().unwrap();
    let definition = AgentDefinition { scope: scenario.scope.clone(), functions, configuration };
    let agent = runtime.load_agent(definition).await.unwrap_or_else(|error| panic!("{error}"));
    let results = play(&scenario, &agent, &clock).await.unwrap_or_else(|error| panic!("{error}"));
    let failures: Vec<_> = results.into_iter().flat_map(|result| result.failures).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[tokio::test]
async fn the_cheese_shop_in_rust() {
    plays("cheese-shop").await;
}

#[tokio::test]
async fn the_cheese_shop_in_python() {
    plays("cheese-shop-python").await;
}

#[tokio::test]
async fn the_cheese_shop_in_javascript() {
    plays("cheese-shop-javascript").await;
}

#[tokio::test]
async fn the_cheese_shop_in_typescript() {
    plays("cheese-shop-typescript").await;
}
