//! What a function can see of the world outside: nothing that it was not given.

use std::sync::Arc;
use std::time::Duration;

use agent_memory_host::store::MemoryStore;
use agent_memory_host::{
    Agent, AgentDefinition, Conversation, Interfaces, Limits, LogLevel, ManualClock, NewConversation, StopReason, Turn,
    TurnOutcome,
};
use agent_memory_tests::{Desk, call, clock, component, configuration, root, runtime, scope, set, value};
use serde_json::{Value, json};

const CALLER: &str = "+441632960001";

/// The agent that looks for what WASI could give it.
struct WasiDesk {
    agent: Agent,
    clock: Arc<ManualClock>,
}

impl WasiDesk {
    async fn new(change: impl FnOnce(&mut Limits)) -> Self {
        let mut limits = Limits::default();
        change(&mut limits);
        let clock = clock();
        let runtime = runtime(Arc::new(MemoryStore::new())).clock(clock.clone()).limits(limits).build().await.unwrap();
        let definition =
            AgentDefinition { scope: scope(), functions: component("wasi-probe"), configuration: configuration("") };
        Self { agent: runtime.load_agent(definition).await.unwrap(), clock }
    }

    async fn start(&self) -> Conversation {
        self.agent.start(NewConversation::default()).await.unwrap().conversation
    }

    /// What a function returns, in a conversation of its own.
    async fn ask(&self, function: &str) -> Value {
        value(&mut self.start().await, function, &json!({})).await
    }
}

fn stop(turn: &Turn) -> (StopReason, &str) {
    match &turn.outcome {
        TurnOutcome::Stopped(stop) => (stop.reason, &stop.message),
        outcome => panic!("{} was not stopped: {outcome:?}", turn.function),
    }
}

#[tokio::test]
async fn nothing_in_memory_outlives_a_turn() {
    let desk = Desk::new("").await;
    let mut conversation = desk.call_from(CALLER).await;
    for _ in 0..3 {
        assert_eq!(value(&mut conversation, "count", &json!({})).await, json!(1));
    }
    // A sandbox that failed is no other.
    call(&mut conversation, "panic", &json!({"message": "no cheese left"})).await;
    assert_eq!(value(&mut conversation, "count", &json!({})).await, json!(1));
}

#[tokio::test]
async fn conversations_at_once_share_nothing() {
    let desk = Desk::new("").await;
    let conversations = (0..16).map(|i| {
        let desk = &desk;
        async move {
            let mut conversation = desk.call_from(&format!("+4416329600{i:02}")).await;
            for turn in 0..4 {
                set(&mut conversation, "mood", &json!([i, turn])).await;
                assert_eq!(value(&mut conversation, "state", &json!({})).await, json!({"mood": [i, turn]}));
                assert_eq!(value(&mut conversation, "count", &json!({})).await, json!(1));
            }
        }
    });
    futures::future::join_all(conversations).await;
}

#[tokio::test]
async fn the_wall_clock_is_the_embedders_and_stands_still_within_a_turn() {
    let desk = WasiDesk::new(|_| {}).await;
    for time in ["2026-03-02T10:20:00Z", "2031-12-31T23:59:59.999Z", "1999-01-01T00:00:00.25Z", "1970-01-01T00:00:00Z"]
    {
        let time: jiff::Timestamp = time.parse().unwrap();
        desk.clock.set(time);
        let expected = json!({"seconds": time.as_second(), "nanoseconds": time.subsec_nanosecond()});
        assert_eq!(desk.ask("wall_clock").await, json!([expected, expected]));
    }
}

#[tokio::test]
async fn the_monotonic_clock_runs() {
    let elapsed = WasiDesk::new(|_| {}).await.ask("monotonic_elapsed").await;
    assert!(elapsed.as_u64().is_some_and(|nanoseconds| nanoseconds > 0), "{elapsed}");
}

#[tokio::test]
async fn random_numbers_differ_between_turns() {
    let desk = WasiDesk::new(|_| {}).await;
    let mut conversation = desk.start().await;
    let mut numbers = Vec::new();
    for _ in 0..4 {
        let two = value(&mut conversation, "random", &json!({})).await;
        numbers.extend(two.as_array().unwrap().iter().map(|number| number.as_u64().unwrap()));
    }
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 8, "{numbers:?}");
}

#[tokio::test]
async fn there_is_no_environment_and_no_file() {
    let desk = WasiDesk::new(|_| {}).await;
    assert!(std::env::vars().count() > 0, "this process has one");
    assert_eq!(desk.ask("environment").await, json!({"variables": [], "arguments": []}));
    assert_eq!(desk.ask("preopens").await, json!([]));
}

#[tokio::test]
async fn what_is_printed_becomes_entries_of_the_log() {
    let desk = WasiDesk::new(|_| {}).await;
    let mut conversation = desk.start().await;
    for (output, level) in [("stdout", LogLevel::Info), ("stderr", LogLevel::Warning)] {
        let arguments = json!({"output": output, "text": "one\ntwo\n", "times": 2});
        let turn = call(&mut conversation, "print", &arguments).await;
        let logged: Vec<_> = turn.logs.iter().map(|entry| (entry.level, entry.content.as_str())).collect();
        assert_eq!(logged, [(level, "one"), (level, "two"), (level, "one"), (level, "two")]);
    }
}

#[tokio::test]
async fn a_function_that_prints_too_much_goes_on_and_the_rest_is_lost() {
    let desk = WasiDesk::new(|_| {}).await;
    let line = format!("{}\n", "x".repeat(999));
    let arguments = json!({"output": "stdout", "text": line, "times": 1_000});
    let turn = call(&mut desk.start().await, "print", &arguments).await;
    assert!(matches!(turn.outcome, TurnOutcome::Returned(_)), "{:?}", turn.outcome);
    let printed: usize = turn.logs.iter().map(|entry| entry.content.len()).sum();
    assert_eq!((turn.logs.len(), printed), (66, 65 * 999 + 536), "64 KiB with the ends of lines");
}

#[tokio::test(flavor = "current_thread")]
async fn w6_a_function_that_waits_without_computing_runs_out_of_time() {
    let desk = WasiDesk::new(|limits| limits.turn_time = Duration::from_millis(100)).await;
    let mut conversation = desk.start().await;
    for _ in 0..3 {
        let turn = call(&mut conversation, "wait_forever", &json!({})).await;
        assert_eq!(stop(&turn), (StopReason::TimeLimit, "it ran for longer than a turn may"));
    }
    value(&mut conversation, "preopens", &json!({})).await;
}

#[tokio::test]
async fn w6_a_function_that_hoards_what_the_host_gives_is_stopped() {
    let desk = WasiDesk::new(|_| {}).await;
    let turn = call(&mut desk.start().await, "hoard_forever", &json!({})).await;
    assert_eq!(stop(&turn), (StopReason::Trap, "cannot allocate another handle: store handle limit exceeded"));
}

#[tokio::test]
async fn a_function_cannot_end_the_host() {
    let desk = WasiDesk::new(|_| {}).await;
    let mut conversation = desk.start().await;
    let turn = call(&mut conversation, "exit", &json!({})).await;
    assert_eq!(stop(&turn), (StopReason::Trap, "it ended its program with status 0: a function has to return"));
    value(&mut conversation, "preopens", &json!({})).await;
}

#[test]
fn the_policy_imports_nothing_and_is_small() {
    let policy = std::fs::read(root().join("host/src/policy.wasm")).unwrap();
    let interfaces = Interfaces::of(&policy).unwrap();
    assert_eq!(interfaces.imports, [""; 0]);
    let exports = ["agent:memory/memory@0.1.0", "agent:memory/policy@0.1.0", "agent:memory/state@0.1.0"];
    let mut found = interfaces.exports;
    found.sort();
    assert_eq!(found, exports);
    assert!(policy.len() < 400_000, "it has {} bytes", policy.len());
}

#[test]
fn functions_in_rust_import_nothing_but_the_contract() {
    let mut imports = Interfaces::of(&component("probe")).unwrap().imports;
    imports.sort();
    let contract = ["agent:memory/conversation@0.1.0", "agent:memory/memory@0.1.0", "agent:memory/state@0.1.0"];
    assert_eq!(imports, contract);
}
