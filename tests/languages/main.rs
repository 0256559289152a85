//! One agent in every language: the same scenario, and the same of every turn and commit. And the agent that the project's
//! first page shows.
#![allow(clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use agent_memory_host::AgentDefinition;
use agent_memory_host::store::MemoryStore;
use agent_memory_testing::{ConfigurationSource, Scenario, play};
use agent_memory_tests::{built, clock, guide, root, runtime};

fn example(name: &str) -> PathBuf {
    root().join("examples").join(name)
}

/// What comes of a project's scenario, as JSON, without what differs from run to run.
async fn played(folder: &Path) -> String {
    let scenario = Scenario::load(folder.join("scenario.yaml")).unwrap_or_else(|error| panic!("{error}"));
    let configuration = scenario.configuration.as_ref().map(ConfigurationSource::read).unwrap().unwrap();
    let clock = clock();
    let runtime = runtime(Arc::new(MemoryStore::new())).clock(clock.clone()).build().await.unwrap();
    let functions = built(scenario.functions.as_deref().unwrap_or(folder));
    let definition = AgentDefinition { scope: scenario.scope.clone(), functions, configuration };
    let agent = runtime.load_agent(definition).await.unwrap_or_else(|error| panic!("{error}"));
    let mut results = play(&scenario, &agent, &clock).await.unwrap_or_else(|error| panic!("{error}"));
    for result in &mut results {
        assert_eq!(result.failures, [] as [String; 0], "{}", folder.display());
        result.turns.iter_mut().for_each(|turn| turn.micros = 0);
    }
    serde_json::to_string_pretty(&results).unwrap()
}

async fn plays_as_in_rust(name: &str) {
    let scenario = |name: &str| fs::read_to_string(example(name).join("scenario.yaml")).unwrap();
    assert_eq!(scenario(name), scenario("cheese-shop"), "{name}");
    assert_eq!(played(&example(name)).await, played(&example("cheese-shop")).await, "{name}");
}

#[tokio::test]
async fn the_cheese_shop_in_python() {
    plays_as_in_rust("cheese-shop-python").await;
}

#[tokio::test]
async fn the_cheese_shop_in_javascript() {
    plays_as_in_rust("cheese-shop-javascript").await;
}

#[tokio::test]
async fn the_cheese_shop_in_typescript() {
    plays_as_in_rust("cheese-shop-typescript").await;
}

#[tokio::test]
async fn what_the_first_page_shows_is_an_agent() {
    let folder = root().join("target/tests/languages");
    let files = guide::files("README.md");
    for (name, content) in &files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    assert_eq!(files.len(), 3);
    played(&folder.join("cheese-shop")).await;
}
