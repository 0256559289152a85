//! What the tests of the whole have in common: agents built from `tests/agents`, and a short way to talk with them.
#![allow(clippy::expect_used, clippy::panic, reason = "a test has nobody else to tell")]

mod encode;
mod faulty;
pub mod guide;
mod package;

pub use encode::{FUNCTIONS_ALONE, encode};
pub use faulty::{Fault, FaultyStore, Gate, Trouble};
pub use package::rust_agent;

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use agent_memory_build::Options;
use agent_memory_host::keys::Keys;
use agent_memory_host::store::{Backend, MemoryStore};
use agent_memory_host::workers::{WorkerAgents, WorkerCommand, WorkerOptions};
use agent_memory_host::{
    Agent, AgentDefinition, Clock as _, Conversation, Json, ManualClock, NewConversation, Runtime, RuntimeBuilder,
    Scope, Turn, TurnOutcome,
};
use jiff::SignedDuration;
use serde_json::Value;

/// Names a policy component to be tested in place of the built-in one.
const POLICY: &str = "AGENT_MEMORY_POLICY";

/// Names a program to run every turn in: the worker beside these tests.
const WORKER: &str = "AGENT_MEMORY_TEST_WORKER";

/// An agent of `tests/agents`, built from its source, once for each process.
pub fn component(name: &str) -> Vec<u8> {
    static AGENTS: Mutex<Option<HashMap<String, Vec<u8>>>> = Mutex::new(None);
    // Of the tests that need an agent which does not build, each says why.
    let mut agents = AGENTS.lock().unwrap_or_else(PoisonError::into_inner);
    let agents = agents.get_or_insert_default();
    let path = root().join("tests/agents").join(name);
    agents.entry(name.to_owned()).or_insert_with(|| built(&path)).clone()
}

/// The component of sources. Components and what builds them are kept between runs, and one is built at a time.
pub fn built(path: &Path) -> Vec<u8> {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock();
    let options = Options { cache: Some(&cache()), ..Options::default() };
    agent_memory_build::build(path, &options).unwrap_or_else(|error| panic!("{error}")).bytes
}

/// The folder in which tests keep tools, components and compiled code.
pub fn cache() -> PathBuf {
    root().join("target/tests/cache")
}

/// The folder of the whole project.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests has a parent").to_owned()
}

/// The policy component that is tested: the one that the host has built in, or the one that the environment names.
pub fn policy() -> PathBuf {
    std::env::var_os(POLICY).map_or_else(|| root().join("host/src/policy.wasm"), PathBuf::from)
}

/// Sets up a runtime with the policy that is to be tested, and with compiled code kept between tests.
pub fn runtime(store: Arc<dyn Backend>) -> RuntimeBuilder {
    let keys = keys_of(&store);
    sealed_runtime(store, keys)
}

/// The same, with keys of its own.
pub fn sealed_runtime(store: Arc<dyn Backend>, keys: Keys) -> RuntimeBuilder {
    let policy = std::fs::read(policy()).expect("the policy to be tested can be read");
    let builder = Runtime::builder(store, keys).code_cache(root().join("target/tests/code")).policy(policy);
    match std::env::var_os(WORKER) {
        Some(program) => builder.workers(workers(program.into(), Vec::new())),
        None => builder,
    }
}

/// One worker for the turns of all agents.
pub fn workers(program: PathBuf, arguments: Vec<String>) -> WorkerOptions {
    let mut options = WorkerOptions::default();
    options.count = NonZeroUsize::MIN;
    options.agents = WorkerAgents::All;
    options.command = Some(WorkerCommand { program, arguments });
    options
}

/// The keys of a store: the same for all runtimes that share it, and no other's, so that no test destroys another's.
fn keys_of(store: &Arc<dyn Backend>) -> Keys {
    type OfStores = HashMap<usize, (Weak<dyn Backend>, Keys)>;
    static KEYS: LazyLock<Mutex<OfStores>> = LazyLock::new(Mutex::default);
    let mut keys = KEYS.lock().unwrap_or_else(PoisonError::into_inner);
    // Another store may be where one was that is gone.
    keys.retain(|_, (store, _)| store.strong_count() > 0);
    let address = Arc::as_ptr(store).addr();
    keys.entry(address).or_insert_with(|| (Arc::downgrade(store), Keys::ephemeral())).1.clone()
}

/// A clock that stands at 2026-03-02T10:20:00Z until it is set.
pub fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new("2026-03-02T10:20:00Z".parse().expect("a time")))
}

/// The scope that tests use.
pub fn scope() -> Scope {
    Scope { account: "local".into(), project: "local".into(), environment: "sandbox".into() }
}

/// A configuration with these members beside the state keys `cheese_type`, `booking_day` and `mood`.
pub fn configuration(more: &str) -> String {
    let comma = if more.is_empty() { "" } else { ", " };
    let keys = r#""state_keys": ["cheese_type", "booking_day", "mood"]"#;
    format!(r#"{{"memory": {{"repeat_caller": {{{keys}{comma}{more}}}}}}}"#)
}

/// The probe agent on a fresh in-memory store, with a clock.
pub struct Desk {
    /// The runtime.
    pub runtime: Runtime,
    /// The agent.
    pub agent: Agent,
    /// The clock.
    pub clock: Arc<ManualClock>,
}

impl Desk {
    /// The probe agent with these members of the configuration.
    pub async fn new(more: &str) -> Self {
        Self::with(Arc::new(MemoryStore::new()), &configuration(more), |builder| builder).await
    }

    /// The probe agent on a store, with a configuration, and with what `change` does to the runtime.
    pub async fn with(
        store: Arc<dyn Backend>,
        configuration: &str,
        change: impl FnOnce(RuntimeBuilder) -> RuntimeBuilder,
    ) -> Self {
        let keys = keys_of(&store);
        Self::sealed(store, keys, configuration, change).await
    }

    /// The same, with keys that other processes have too.
    pub async fn sealed(
        store: Arc<dyn Backend>,
        keys: Keys,
        configuration: &str,
        change: impl FnOnce(RuntimeBuilder) -> RuntimeBuilder,
    ) -> Self {
        let clock = clock();
        let runtime = change(sealed_runtime(store, keys).clock(clock.clone())).build().await.expect("a runtime");
        let definition =
            AgentDefinition { scope: scope(), functions: component("probe"), configuration: configuration.to_owned() };
        let agent = runtime.load_agent(definition).await.expect("the probe loads");
        Self { runtime, agent, clock }
    }

    /// A conversation of a caller.
    pub async fn call_from(&self, number: &str) -> Conversation {
        self.start(NewConversation { caller_number: Some(number.into()), ..Default::default() }).await
    }

    /// A conversation.
    pub async fn start(&self, conversation: NewConversation) -> Conversation {
        self.agent.start(conversation).await.unwrap_or_else(|error| panic!("{error}")).conversation
    }

    /// Sets the clock to so many days after the opening.
    pub fn advance_days(&self, days: i64) {
        let opening = clock().now();
        self.clock.set(opening + SignedDuration::from_hours(24 * days));
    }

    /// Sets the clock.
    pub fn set_clock(&self, time: &str) {
        self.clock.set(time.parse().expect("a time"));
    }
}

/// JSON from a literal.
pub fn json(value: &Value) -> Json {
    Json::from_value(value).expect("JSON")
}

/// Calls a function.
pub async fn call(conversation: &mut Conversation, function: &str, arguments: &Value) -> Turn {
    conversation.call(function, json(arguments)).await.unwrap_or_else(|error| panic!("{error}"))
}

/// What a turn returned.
pub fn returned(turn: &Turn) -> Value {
    match &turn.outcome {
        TurnOutcome::Returned(value) => value.to().expect("JSON"),
        outcome => panic!("{} did not return: {outcome:?}, {:?}", turn.function, turn.logs),
    }
}

/// Calls a function that has to return.
pub async fn value(conversation: &mut Conversation, function: &str, arguments: &Value) -> Value {
    returned(&call(conversation, function, arguments).await)
}

/// Sets a key of the state, which has to work.
pub async fn set(conversation: &mut Conversation, key: &str, value_to_set: &Value) {
    let arguments = serde_json::json!({ "key": key, "value": value_to_set });
    value(conversation, "set", &arguments).await;
}
