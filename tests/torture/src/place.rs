//! Where a store is, and how it is used: the same by the process that dies and by who looks at what it has left.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use agent_memory_host::AgentDefinition;
use agent_memory_host::keys::{Keys, Source};
use agent_memory_host::store::{Durability, SqliteStore};
use agent_memory_tests::{Desk, clock, scope, sealed_runtime};
use anyhow::Context as _;

/// How many conversations a caller has. They come one after the other, so that many of a caller's end at once.
pub(crate) const CONVERSATIONS: u64 = 4;

/// The numbers of a life's conversations begin at a multiple of this.
pub(crate) const LIFE: u64 = 1_000_000;

/// After how many lives what was committed has expired: each is a day later than the one before.
pub(crate) const RETENTION: u64 = 3;

/// What every conversation of a caller sets, beside a key of its own.
pub(crate) const SHARED: [&str; 2] = ["one", "other"];

/// The folder of a store and its keys.
#[derive(Clone, Debug)]
pub(crate) struct Place(pub(crate) PathBuf);

impl Place {
    pub(crate) fn store(&self) -> PathBuf {
        self.0.join("memory.db")
    }

    /// Opens it on the day of a life. It is made if it is not there.
    pub(crate) async fn open(
        &self,
        functions: Vec<u8>,
        life: u64,
        durability: Durability,
    ) -> anyhow::Result<(Desk, Keys)> {
        let keys = Keys::open(&Source::File(self.0.join("memory.db.keys")), true).context("the keys")?;
        let store = SqliteStore::open_with(self.store(), durability).context("the store")?;
        let clock = clock();
        let runtime = sealed_runtime(Arc::new(store), keys.clone()).clock(clock.clone());
        let runtime = runtime.build().await.context("the runtime")?;
        let definition = AgentDefinition { scope: scope(), functions, configuration: configuration() };
        let agent = runtime.load_agent(definition).await.context("the agent")?;
        let desk = Desk { runtime, agent, clock };
        desk.advance_days(i64::try_from(life)?);
        Ok((desk, keys))
    }
}

impl From<&Path> for Place {
    fn from(folder: &Path) -> Self {
        Self(folder.to_owned())
    }
}

fn configuration() -> String {
    let own = (0..CONVERSATIONS).map(own_key);
    let keys: Vec<String> = own.chain(SHARED.map(str::to_owned)).collect();
    serde_json::json!({ "memory": { "repeat_caller": {
        "state_keys": keys, "analytics_enabled": true, "retention_days": RETENTION,
    } } })
    .to_string()
}

/// A conversation's id.
pub(crate) fn id(number: u64) -> String {
    format!("call-{number}")
}

/// The number of a conversation, by its id.
pub(crate) fn number(id: &str) -> Option<u64> {
    id.strip_prefix("call-")?.parse().ok()
}

/// Whose conversation it is.
pub(crate) fn caller(number: u64) -> u64 {
    number / CONVERSATIONS
}

/// The number that a caller calls from.
pub(crate) fn phone(caller: u64) -> String {
    format!("+4416{caller:010}")
}

/// The key that a conversation sets and no other of the caller's.
pub(crate) fn own_key(number: u64) -> String {
    format!("own_{}", number % CONVERSATIONS)
}
