//! What the standard library has in agents, by the target that they are compiled for: `wasm32-unknown-unknown`, which
//! builds have, or `wasm32-wasip2`, for which authors compile themselves.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, LazyLock};

use agent_memory_host::store::MemoryStore;
use agent_memory_host::{AgentDefinition, Conversation, ManualClock, NewConversation, TurnOutcome};
use agent_memory_testing::{Scenario, play};
use agent_memory_tests::{call, clock, configuration, returned, root, runtime, rust_agent, scope, value};
use serde_json::json;

const TARGET: &str = "wasm32-wasip2";

/// Whether the target can be tested here. Under CI, it is missing only where `cargo xtask test` has tried to fetch it, and
/// names it among what was skipped.
fn is_there() -> bool {
    let rustc = Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]).output();
    if rustc.is_ok_and(|found| Path::new(String::from_utf8_lossy(&found.stdout).trim()).is_dir()) {
        return true;
    }
    let excused = std::env::var("AGENT_MEMORY_TEST_WITHOUT").unwrap_or_default();
    let is_excused = excused.split(',').any(|name| name == TARGET);
    let is_ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty());
    let advice = format!("the target is not installed: `rustup target add {TARGET}`");
    assert!(!is_ci || is_excused, "{advice}");
    println!("skipped: {advice}");
    false
}

/// Builds a package as its author would, without anything of ours.
fn component(folder: &Path) -> Vec<u8> {
    let target = root().join("target/wasm/wasip2");
    let mut cargo = Command::new(env!("CARGO"));
    // Nothing that whoever runs the tests has chosen for builds of the host.
    cargo.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS").env_remove("CARGO_TARGET_DIR");
    cargo.args(["build", "--quiet", "--release", "--target", TARGET, "--target-dir"]).arg(&target);
    let output = cargo.current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let name = folder.file_name().unwrap().to_str().unwrap().replace('-', "_");
    let file = target.join(TARGET).join("release").join(name).with_extension("wasm");
    // As it is given to `agent-memory`, which takes it as it is.
    agent_memory_build::build(&file, &Default::default()).unwrap().bytes
}

/// An agent that uses what of the standard library depends on the target.
static STANDARD: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = root().join("target/tests/rust/standard");
    rust_agent(
        &folder,
        r#"
use std::hash::{BuildHasher, RandomState};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use agent_memory_sdk::{Conversation, Error, export, function};

export!(now, elapsed, random, print, read, address, var, vars, args, spawn, panic);

#[function]
fn now(_: &Conversation) -> Result<u64, Error> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())
}

#[function]
fn elapsed(_: &Conversation) -> bool {
    let start = Instant::now();
    while start.elapsed().is_zero() {}
    true
}

#[function]
fn random(_: &Conversation) -> String {
    RandomState::new().hash_one(0).to_string()
}

#[function]
fn print(_: &Conversation, text: String) {
    println!("{text}");
}

#[function]
fn read(_: &Conversation, path: String) -> Result<String, Error> {
    Ok(std::fs::read_to_string(path)?)
}

#[function]
fn address(_: &Conversation) -> Result<bool, Error> {
    std::net::TcpStream::connect("127.0.0.1:80")?;
    Ok(true)
}

#[function]
fn var(_: &Conversation) -> Option<String> {
    std::env::var("PATH").ok()
}

#[function]
fn vars(_: &Conversation) -> usize {
    std::env::vars().count()
}

#[function]
fn args(_: &Conversation) -> usize {
    std::env::args().count()
}

#[function]
fn spawn(_: &Conversation) {
    let _ = std::thread::spawn(|| ());
}

#[function]
fn panic(_: &Conversation) {
    panic!("no cheese");
}
"#,
    );
    folder
});

/// A conversation with that agent, and the clock that it sees.
async fn conversation(functions: Vec<u8>) -> (Conversation, Arc<ManualClock>) {
    let clock = clock();
    let runtime = runtime(Arc::new(MemoryStore::new())).clock(clock.clone()).build().await.unwrap();
    let definition = AgentDefinition { scope: scope(), functions, configuration: configuration("") };
    let agent = runtime.load_agent(definition).await.unwrap();
    (agent.start(NewConversation::default()).await.unwrap().conversation, clock)
}

/// Files and the network are an error of the standard library, and no more.
async fn has_nothing_of_the_machine(conversation: &mut Conversation) {
    for (function, arguments) in [("read", json!({ "path": "/etc/passwd" })), ("address", json!({}))] {
        match call(conversation, function, &arguments).await.outcome {
            TurnOutcome::Failed(error) => assert_eq!(error.name, "Error", "{}", error.message),
            outcome => panic!("{function}: {outcome:?}"),
        }
    }
}

async fn has_neither_variables_nor_arguments(conversation: &mut Conversation) {
    assert_eq!(value(conversation, "var", &json!({})).await, json!(null));
    assert_eq!(value(conversation, "args", &json!({})).await, 0);
}

/// The function is stopped, and says in the log why.
async fn panics(conversation: &mut Conversation, function: &str, message: &str) {
    let turn = call(conversation, function, &json!({})).await;
    assert!(matches!(turn.outcome, TurnOutcome::Stopped(_)), "{:?}", turn.outcome);
    assert!(turn.logs.iter().any(|log| log.content.contains(message)), "{:?}", turn.logs);
}

#[tokio::test]
async fn the_example_plays_alike() {
    if !is_there() {
        return;
    }
    let example = root().join("examples/cheese-shop");
    let scenario = Scenario::load(example.join("scenario.yaml")).unwrap();
    let configuration = fs::read_to_string(example.join("config.json")).unwrap();
    let functions = component(&example);
    let clock = clock();
    let runtime = runtime(Arc::new(MemoryStore::new())).clock(clock.clone()).build().await.unwrap();
    let definition = AgentDefinition { scope: scenario.scope.clone(), functions, configuration };
    let agent = runtime.load_agent(definition).await.unwrap();
    for result in play(&scenario, &agent, &clock).await.unwrap() {
        assert_eq!(result.failures, [] as [String; 0]);
    }
}

#[tokio::test]
async fn the_standard_library_has_clocks_and_random_numbers_and_nothing_of_the_machine() {
    if !is_there() {
        return;
    }
    let (mut conversation, clock) = conversation(component(&STANDARD)).await;

    // 2026-03-02T10:20:00Z
    assert_eq!(value(&mut conversation, "now", &json!({})).await, 1_772_446_800);
    clock.set("2026-03-02T11:20:00Z".parse().unwrap());
    assert_eq!(value(&mut conversation, "now", &json!({})).await, 1_772_450_400);
    assert_eq!(value(&mut conversation, "elapsed", &json!({})).await, true);
    let first = value(&mut conversation, "random", &json!({})).await;
    assert_ne!(first, value(&mut conversation, "random", &json!({})).await);

    let turn = call(&mut conversation, "print", &json!({ "text": "brie" })).await;
    assert_eq!(returned(&turn), json!(null));
    assert_eq!(turn.logs.iter().map(|log| &*log.content).collect::<Vec<_>>(), ["brie"]);

    has_nothing_of_the_machine(&mut conversation).await;
    has_neither_variables_nor_arguments(&mut conversation).await;
    assert_eq!(value(&mut conversation, "vars", &json!({})).await, 0);
    panics(&mut conversation, "spawn", ": failed to spawn thread: ").await;
    panics(&mut conversation, "panic", "src/lib.rs:64:5: no cheese").await;
}

#[tokio::test]
async fn the_target_of_builds_has_neither_clocks_nor_random_numbers() {
    let built = agent_memory_build::build(&STANDARD, &Default::default()).unwrap_or_else(|error| panic!("{error}"));
    let (mut conversation, _) = conversation(built.bytes).await;
    for function in ["now", "elapsed"] {
        panics(&mut conversation, function, ": time not implemented on this platform").await;
    }
    let first = value(&mut conversation, "random", &json!({})).await;
    assert_eq!(first, value(&mut conversation, "random", &json!({})).await);

    let turn = call(&mut conversation, "print", &json!({ "text": "brie" })).await;
    assert_eq!((returned(&turn), turn.logs.len()), (json!(null), 0));

    has_nothing_of_the_machine(&mut conversation).await;
    has_neither_variables_nor_arguments(&mut conversation).await;
    panics(&mut conversation, "vars", ": not supported on this platform").await;
    panics(&mut conversation, "spawn", ": failed to spawn thread: ").await;
    panics(&mut conversation, "panic", "src/lib.rs:64:5: no cheese").await;
}
