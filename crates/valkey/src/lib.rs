//! Agent Memory's store in a Valkey cluster.
//!
//! `docs/valkey.md` says what is in which key, how a commit happens once across two slots, and what is promised when a
//! server is lost.
//!
//! ```no_run
//! use agent_memory_valkey::ValkeyStore;
//!
//! # async fn example() -> Result<(), agent_memory_store::StoreError> {
//! let store = ValkeyStore::open("valkey://:password@cache-1:6379,cache-2:6379/?prefix=shop:&replicas=1").await?;
//! # Ok(())
//! # }
//! ```

mod agents;
mod audit;
mod buckets;
mod bytes;
mod callers;
mod cluster;
mod commits;
mod failure;
mod library;
mod names;
mod reply;
mod server;
mod sessions;
mod settings;
mod survey;
mod sweep;
mod transfer;

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

pub use self::settings::{Durability, Settings};

use agent_memory_store::{
    Act, ActId, AgentKey, AgentVersion, Agents, Amendment, Audit, Commit, Committed, ComponentKey, ConversationKey,
    Cursor, Dump, Ended, Erased, Erasure, Health, Held, IdentityKey, Kept, Loaded, MetricRow, Published, Read,
    Replaces, SavedSession, Sealed, Sessions, Store, StoreError, StoredSession, Swept, Timestamp, Transfer, VersionKey,
};
use async_trait::async_trait;

use self::{callers::COUNTED, cluster::Cluster, names::Names};

/// Keeps everything in a Valkey cluster.
///
/// Any number of processes may share it. It follows the cluster when slots move or a replica takes over, and goes on
/// by itself when a cluster that was away is back.
pub struct ValkeyStore {
    cluster: Cluster,
    names: Names,
    /// A number of erasures that the store had carried out at some time.
    erasures: AtomicU64,
}

impl ValkeyStore {
    /// Opens the store that a URL names, and puts its functions into the cluster.
    ///
    /// # Errors
    /// - [`StoreError::UnknownUrl`]: it is no URL of a Valkey cluster.
    /// - [`StoreError::Unavailable`]: a parameter makes no sense, or the cluster cannot be reached.
    /// - [`StoreError::UnsuitableServer`]: it is no cluster, older than Valkey 9, deletes what has not expired when it
    ///   is full, or has no log although one is waited for.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        Self::connect(Settings::from_url(url)?).await
    }

    /// Opens the store that settings describe.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub async fn connect(settings: Settings) -> Result<Self, StoreError> {
        let place = settings.place();
        let settings = settings.check().map_err(|reason| StoreError::Unavailable { place, reason })?;
        let names = Names::new(&settings.prefix);
        let cluster = Cluster::connect(settings).await?;
        let store = Self { cluster, names, erasures: AtomicU64::new(0) };
        // A user who may not use keys of this prefix is told so here.
        store.erasures.store(store.erasures(COUNTED).await?, Ordering::Relaxed);
        Ok(store)
    }
}

impl fmt::Debug for ValkeyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ValkeyStore").field("place", &self.cluster.place()).finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for ValkeyStore {
    async fn load(&self, read: Read) -> Result<Loaded, StoreError> {
        let _entered = self.cluster.enter()?;
        self.load_caller(read).await
    }

    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        let _entered = self.cluster.enter()?;
        self.commit_once(commit).await
    }

    async fn ended(&self, conversation: ConversationKey, now: Timestamp) -> Result<Option<Ended>, StoreError> {
        let _entered = self.cluster.enter()?;
        self.mark_of(conversation, now).await
    }

    async fn amend(&self, amendment: Amendment) -> Result<bool, StoreError> {
        let _entered = self.cluster.enter()?;
        self.amend_interaction(amendment).await
    }

    async fn erase(&self, erasure: Erasure) -> Result<Erased, StoreError> {
        let _entered = self.cluster.enter()?;
        self.erase_caller(erasure).await
    }

    async fn export(&self, identity: IdentityKey, now: Timestamp) -> Result<Held, StoreError> {
        let _entered = self.cluster.enter()?;
        self.export_caller(identity, now).await
    }

    async fn identities(
        &self,
        after: Option<IdentityKey>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<IdentityKey>, StoreError> {
        let _entered = self.cluster.enter()?;
        self.held_callers(after, limit, now).await
    }

    async fn sweep(&self, now: Timestamp) -> Result<Swept, StoreError> {
        let _entered = self.cluster.enter()?;
        self.sweep_everything(now).await
    }

    async fn metric_rows(&self, now: Timestamp) -> Result<Vec<MetricRow>, StoreError> {
        let _entered = self.cluster.enter()?;
        self.all_rows(now).await
    }

    async fn health(&self, now: Timestamp) -> Result<Health, StoreError> {
        let _entered = self.cluster.enter()?;
        self.count_everything(now).await
    }

    async fn claim(&self, keys: Sealed) -> Result<Sealed, StoreError> {
        let _entered = self.cluster.enter()?;
        self.claim_keys(keys).await
    }
}

#[async_trait]
impl Sessions for ValkeyStore {
    async fn save_session(
        &self,
        session: SavedSession,
        replaces: Replaces,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let _entered = self.cluster.enter()?;
        self.put_session(session, replaces, now).await
    }

    async fn load_session(
        &self,
        conversation: ConversationKey,
        now: Timestamp,
    ) -> Result<Option<StoredSession>, StoreError> {
        let _entered = self.cluster.enter()?;
        self.session(conversation, now).await
    }

    async fn delete_session(&self, conversation: ConversationKey) -> Result<(), StoreError> {
        let _entered = self.cluster.enter()?;
        self.drop_session(conversation).await
    }

    async fn overdue_sessions(&self, now: Timestamp, limit: usize) -> Result<Vec<ConversationKey>, StoreError> {
        let _entered = self.cluster.enter()?;
        self.overdue(now, limit).await
    }
}

#[async_trait]
impl Agents for ValkeyStore {
    async fn publish_agent(
        &self,
        version: AgentVersion,
        bytes: Option<Vec<u8>>,
        now: Timestamp,
    ) -> Result<Published, StoreError> {
        let _entered = self.cluster.enter()?;
        self.publish(version, bytes, now).await
    }

    async fn agents(&self) -> Result<Vec<AgentVersion>, StoreError> {
        let _entered = self.cluster.enter()?;
        self.current_versions().await
    }

    async fn agent_version(&self, agent: AgentKey, version: VersionKey) -> Result<Option<AgentVersion>, StoreError> {
        let _entered = self.cluster.enter()?;
        self.version(agent, version).await
    }

    async fn current_agent(&self, agent: AgentKey) -> Result<Option<AgentVersion>, StoreError> {
        let _entered = self.cluster.enter()?;
        self.current_version(agent).await
    }

    async fn component(&self, component: ComponentKey) -> Result<Option<Vec<u8>>, StoreError> {
        let _entered = self.cluster.enter()?;
        self.component_bytes(component).await
    }

    async fn withdraw_agent(&self, agent: AgentKey, now: Timestamp) -> Result<bool, StoreError> {
        let _entered = self.cluster.enter()?;
        self.withdraw(agent, now).await
    }
}

#[async_trait]
impl Audit for ValkeyStore {
    async fn record_act(&self, act: Act) -> Result<(), StoreError> {
        let _entered = self.cluster.enter()?;
        self.put_act(act).await
    }

    async fn acts(
        &self,
        after: Option<(Timestamp, ActId)>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Act>, StoreError> {
        let _entered = self.cluster.enter()?;
        self.list_acts(after, limit, now).await
    }
}

#[async_trait]
impl Transfer for ValkeyStore {
    async fn dump(&self, after: Option<Cursor>) -> Result<Dump, StoreError> {
        let _entered = self.cluster.enter()?;
        self.dump_part(after).await
    }

    async fn restore(&self, kept: Vec<Kept>) -> Result<(), StoreError> {
        let _entered = self.cluster.enter()?;
        self.restore_all(kept).await
    }
}
