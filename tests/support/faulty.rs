//! A store that counts what it is asked, and fails where it is told to.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use agent_memory_host::store::{
    Act, ActId, AgentKey, AgentVersion, Agents, Amendment, Audit, Commit, Committed, ComponentKey, ConversationKey,
    Cursor, Dump, Effect, Ended, Erased, Erasure, Health, Held, IdentityKey, Kept, Loaded, MemoryStore, MetricRow,
    Published, Read, Replaces, SavedSession, Sealed, Sessions, Store, StoreError, StoredSession, Swept, Timestamp,
    Transfer, VersionKey,
};
use async_trait::async_trait;

/// A place to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// Nothing can be read.
    Load,
    /// A commit is refused: nothing is written.
    CommitRejected,
    /// A commit is written, and its answer is lost.
    CommitUnknown,
    /// A session cannot be saved.
    SaveSession,
    /// A session is saved, and the answer is lost.
    SaveSessionUnknown,
    /// Nobody can be erased.
    Erase,
    /// No act can be recorded.
    RecordAct,
}

/// A [`MemoryStore`] that fails where it is told to.
#[derive(Default)]
pub struct FaultyStore {
    store: MemoryStore,
    faults: Mutex<HashSet<Fault>>,
    loads: AtomicU64,
    commits: AtomicU64,
}

impl FaultyStore {
    /// Fails at these places, and nowhere else, from now on.
    pub fn fail(&self, faults: &[Fault]) {
        *self.faults.lock().expect("not poisoned") = faults.iter().copied().collect();
    }

    /// How often a caller's memory was read.
    pub fn loads(&self) -> u64 {
        self.loads.load(Ordering::Relaxed)
    }

    /// How often a commit was asked for.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    fn check(&self, fault: Fault, effect: Effect) -> Result<(), StoreError> {
        if !self.faults.lock().expect("not poisoned").contains(&fault) {
            return Ok(());
        }
        Err(StoreError::Failed { place: "the test".into(), reason: format!("{fault:?}"), effect })
    }
}

#[async_trait]
impl Store for FaultyStore {
    async fn load(&self, read: Read) -> Result<Loaded, StoreError> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        self.check(Fault::Load, Effect::Rejected)?;
        self.store.load(read).await
    }

    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.check(Fault::CommitRejected, Effect::Rejected)?;
        let committed = self.store.commit(commit).await?;
        self.check(Fault::CommitUnknown, Effect::Unknown)?;
        Ok(committed)
    }

    async fn ended(&self, conversation: ConversationKey, now: Timestamp) -> Result<Option<Ended>, StoreError> {
        self.store.ended(conversation, now).await
    }

    async fn amend(&self, amendment: Amendment) -> Result<bool, StoreError> {
        self.store.amend(amendment).await
    }

    async fn erase(&self, erasure: Erasure) -> Result<Erased, StoreError> {
        self.check(Fault::Erase, Effect::Rejected)?;
        self.store.erase(erasure).await
    }

    async fn export(&self, identity: IdentityKey, now: Timestamp) -> Result<Held, StoreError> {
        self.store.export(identity, now).await
    }

    async fn identities(
        &self,
        after: Option<IdentityKey>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<IdentityKey>, StoreError> {
        self.store.identities(after, limit, now).await
    }

    async fn claim(&self, keys: Sealed) -> Result<Sealed, StoreError> {
        self.store.claim(keys).await
    }

    async fn health(&self, now: Timestamp) -> Result<Health, StoreError> {
        self.store.health(now).await
    }

    async fn sweep(&self, now: Timestamp) -> Result<Swept, StoreError> {
        self.store.sweep(now).await
    }

    async fn metric_rows(&self, now: Timestamp) -> Result<Vec<MetricRow>, StoreError> {
        self.store.metric_rows(now).await
    }
}

#[async_trait]
impl Sessions for FaultyStore {
    async fn save_session(
        &self,
        session: SavedSession,
        replaces: Replaces,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.check(Fault::SaveSession, Effect::Rejected)?;
        let saved = self.store.save_session(session, replaces, now).await?;
        self.check(Fault::SaveSessionUnknown, Effect::Unknown)?;
        Ok(saved)
    }

    async fn load_session(
        &self,
        conversation: ConversationKey,
        now: Timestamp,
    ) -> Result<Option<StoredSession>, StoreError> {
        self.store.load_session(conversation, now).await
    }

    async fn delete_session(&self, conversation: ConversationKey) -> Result<(), StoreError> {
        self.store.delete_session(conversation).await
    }

    async fn overdue_sessions(&self, now: Timestamp, limit: usize) -> Result<Vec<ConversationKey>, StoreError> {
        self.store.overdue_sessions(now, limit).await
    }
}

#[async_trait]
impl Agents for FaultyStore {
    async fn publish_agent(
        &self,
        version: AgentVersion,
        bytes: Option<Vec<u8>>,
        now: Timestamp,
    ) -> Result<Published, StoreError> {
        self.store.publish_agent(version, bytes, now).await
    }

    async fn agents(&self) -> Result<Vec<AgentVersion>, StoreError> {
        self.store.agents().await
    }

    async fn agent_version(&self, agent: AgentKey, version: VersionKey) -> Result<Option<AgentVersion>, StoreError> {
        self.store.agent_version(agent, version).await
    }

    async fn current_agent(&self, agent: AgentKey) -> Result<Option<AgentVersion>, StoreError> {
        self.store.current_agent(agent).await
    }

    async fn component(&self, component: ComponentKey) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.component(component).await
    }

    async fn withdraw_agent(&self, agent: AgentKey, now: Timestamp) -> Result<bool, StoreError> {
        self.store.withdraw_agent(agent, now).await
    }
}

#[async_trait]
impl Audit for FaultyStore {
    async fn record_act(&self, act: Act) -> Result<(), StoreError> {
        self.check(Fault::RecordAct, Effect::Rejected)?;
        self.store.record_act(act).await
    }

    async fn acts(
        &self,
        after: Option<(Timestamp, ActId)>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Act>, StoreError> {
        self.store.acts(after, limit, now).await
    }
}

#[async_trait]
impl Transfer for FaultyStore {
    async fn dump(&self, after: Option<Cursor>) -> Result<Dump, StoreError> {
        self.store.dump(after).await
    }

    async fn restore(&self, kept: Vec<Kept>) -> Result<(), StoreError> {
        self.store.restore(kept).await
    }
}
