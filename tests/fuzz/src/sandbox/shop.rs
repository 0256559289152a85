//! The cheese shop, to have conversations in.

use std::sync::Arc;
use std::time::Duration;

use agent_memory_host::keys::Keys;
use agent_memory_host::store::MemoryStore;
use agent_memory_host::{Agent, AgentDefinition, Limits, ManualClock, Runtime, Scope};

use crate::kept::root;

/// What remembers and counts everything that the cheese shop sets.
pub(crate) const CONFIGURATION: &str = r#"{"memory": {"repeat_caller": {"analytics_enabled": true,
    "state_keys": ["cheese_type", "booking_day", "mood"]}}}"#;

/// The cheese shop on an empty store, and what waits for it.
pub(crate) struct Shop {
    pub(crate) agent: Agent,
    pub(crate) tokio: tokio::runtime::Runtime,
}

impl Shop {
    pub(crate) fn new() -> Self {
        let tokio = on_this_thread();
        let agent = tokio.block_on(async {
            let runtime = runtime().build().await.expect("a runtime");
            let definition = AgentDefinition {
                scope: scope("account"),
                functions: component(),
                configuration: CONFIGURATION.into(),
            };
            runtime.load_agent(definition).await.expect("the cheese shop")
        });
        Self { agent, tokio }
    }
}

/// A runtime on an empty store, whose clock stands still.
pub(crate) fn runtime() -> agent_memory_host::RuntimeBuilder {
    let clock = ManualClock::new("2026-03-02T10:20:00Z".parse().expect("a time"));
    let builder = Runtime::builder(Arc::new(MemoryStore::new()), Keys::ephemeral()).clock(Arc::new(clock));
    builder.limits(limits()).code_cache(root().join("target/tests/code"))
}

/// What turns may use where there are many of them.
pub(crate) fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.turn_time = Duration::from_millis(500);
    limits.memory_bytes = 16 << 20;
    limits.concurrent_turns = 4;
    limits
}

/// The component of the cheese shop.
pub(crate) fn component() -> Vec<u8> {
    let path = root().join("crates/cli/src/cheese-shop.wasm");
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn scope(account: &str) -> Scope {
    Scope { account: account.into(), project: "project".into(), environment: "live".into() }
}

/// A runtime of tokio's without threads of its own, but for what blocks.
pub(crate) fn on_this_thread() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime of tokio's")
}
