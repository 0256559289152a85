//! A store that counts what it is asked, and fails where it is told to.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use agent_memory_host::store::{
    Act, ActId, AgentKey, AgentVersion, Agents, Amendment, Audit, Backend, Commit, Committed, ComponentKey,
    ConversationKey, Cursor, Dump, Effect, Ended, Erased, Erasure, Health, Held, IdentityKey, Kept, Loaded,
    MemoryStore, MetricRow, Published, Read, Replaces, SavedSession, Sealed, Sessions, Store, StoreError,
    StoredSession, Swept, Timestamp, Transfer, VersionKey,
};
use async_trait::async_trait;
use tokio::sync::Notify;

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

/// What becomes of one call, whatever is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It is refused: nothing is done.
    Refused,
    /// Nothing is done, and the error says that this is not known.
    LostBefore,
    /// It is done, and the answer is lost.
    LostAfter,
    /// Nothing is done, and no answer comes: see [`FaultyStore::stuck`].
    HangsBefore,
    /// It is done, and no answer comes: see [`FaultyStore::stuck`].
    HangsAfter,
}

/// A store that fails where it is told to, over one that does not.
pub struct FaultyStore<S = MemoryStore> {
    store: S,
    faults: Mutex<HashSet<Fault>>,
    /// After how many further calls one meets with trouble.
    trouble: Mutex<Option<(u64, Trouble)>>,
    stuck: Notify,
    /// Hands out leave to make a call, where every call has to wait for that.
    gate: Option<Arc<Gate>>,
    loads: AtomicU64,
    commits: AtomicU64,
}

/// Lets the calls of a store through one by one, so that a test decides the order of those of several runtimes.
#[derive(Default)]
pub struct Gate {
    is_closed: AtomicBool,
    arrived: Notify,
    leave: Notify,
}

impl Gate {
    /// From now on every call waits to be let through.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
    }

    /// Waits until somebody stands before the gate.
    pub async fn arrival(&self) {
        self.arrived.notified().await;
    }

    /// Lets one call through.
    pub fn let_one_through(&self) {
        self.leave.notify_one();
    }

    async fn pass(&self) {
        if self.is_closed.load(Ordering::Relaxed) {
            self.arrived.notify_one();
            self.leave.notified().await;
        }
    }
}

impl Default for FaultyStore {
    fn default() -> Self {
        Self::over(MemoryStore::new())
    }
}

impl<S: Backend> FaultyStore<S> {
    /// Over this store.
    pub fn over(store: S) -> Self {
        Self {
            store,
            faults: Mutex::default(),
            trouble: Mutex::default(),
            stuck: Notify::new(),
            gate: None,
            loads: AtomicU64::default(),
            commits: AtomicU64::default(),
        }
    }

    /// Has every call wait before this gate while it is closed.
    pub fn behind(self, gate: Arc<Gate>) -> Self {
        Self { gate: Some(gate), ..self }
    }

    /// Fails at these places, and nowhere else, from now on.
    pub fn fail(&self, faults: &[Fault]) {
        *lock(&self.faults) = faults.iter().copied().collect();
    }

    /// Has one call meet with trouble: the next one, or one after so many others.
    pub fn trouble(&self, after: u64, trouble: Trouble) {
        *lock(&self.trouble) = Some((after, trouble));
    }

    /// From here on nothing meets with trouble. Answers whether something has.
    pub fn no_more_trouble(&self) -> bool {
        lock(&self.trouble).take().is_none()
    }

    /// Waits until a call hangs, which nobody should wait for.
    pub async fn stuck(&self) {
        self.stuck.notified().await;
    }

    /// How often a caller's memory was read.
    pub fn loads(&self) -> u64 {
        self.loads.load(Ordering::Relaxed)
    }

    /// How often a commit was asked for.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// One call, which may fail before and after it is carried out.
    async fn ask<T: Send>(
        &self,
        before: Option<Fault>,
        after: Option<Fault>,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        if let Some(gate) = &self.gate {
            gate.pass().await;
        }
        self.check(before, Effect::Rejected)?;
        match self.next_trouble() {
            None => {
                let answer = call.await?;
                self.check(after, Effect::Unknown)?;
                Ok(answer)
            }
            Some(Trouble::Refused) => Err(failed("refused", Effect::Rejected)),
            Some(Trouble::LostBefore) => Err(failed("lost", Effect::Unknown)),
            Some(Trouble::LostAfter) => {
                call.await?;
                Err(failed("lost", Effect::Unknown))
            }
            Some(Trouble::HangsBefore) => self.hang().await,
            Some(Trouble::HangsAfter) => {
                call.await?;
                self.hang().await
            }
        }
    }

    fn check(&self, fault: Option<Fault>, effect: Effect) -> Result<(), StoreError> {
        match fault.filter(|fault| lock(&self.faults).contains(fault)) {
            Some(fault) => Err(failed(&format!("{fault:?}"), effect)),
            None => Ok(()),
        }
    }

    fn next_trouble(&self) -> Option<Trouble> {
        let mut planned = lock(&self.trouble);
        match planned.take()? {
            (0, trouble) => Some(trouble),
            (after, trouble) => {
                *planned = Some((after - 1, trouble));
                None
            }
        }
    }

    async fn hang<T>(&self) -> Result<T, StoreError> {
        self.stuck.notify_one();
        std::future::pending().await
    }
}

fn failed(reason: &str, effect: Effect) -> StoreError {
    StoreError::Failed { place: "the test".into(), reason: reason.to_owned(), effect }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl<S: Backend> Store for FaultyStore<S> {
    async fn load(&self, read: Read) -> Result<Loaded, StoreError> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        self.ask(Some(Fault::Load), None, self.store.load(read)).await
    }

    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.ask(Some(Fault::CommitRejected), Some(Fault::CommitUnknown), self.store.commit(commit)).await
    }

    async fn ended(&self, conversation: ConversationKey, now: Timestamp) -> Result<Option<Ended>, StoreError> {
        self.ask(None, None, self.store.ended(conversation, now)).await
    }

    async fn amend(&self, amendment: Amendment) -> Result<bool, StoreError> {
        self.ask(None, None, self.store.amend(amendment)).await
    }

    async fn erase(&self, erasure: Erasure) -> Result<Erased, StoreError> {
        self.ask(Some(Fault::Erase), None, self.store.erase(erasure)).await
    }

    async fn export(&self, identity: IdentityKey, now: Timestamp) -> Result<Held, StoreError> {
        self.ask(None, None, self.store.export(identity, now)).await
    }

    async fn identities(
        &self,
        after: Option<IdentityKey>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<IdentityKey>, StoreError> {
        self.ask(None, None, self.store.identities(after, limit, now)).await
    }

    async fn claim(&self, keys: Sealed) -> Result<Sealed, StoreError> {
        self.ask(None, None, self.store.claim(keys)).await
    }

    async fn health(&self, now: Timestamp) -> Result<Health, StoreError> {
        self.ask(None, None, self.store.health(now)).await
    }

    async fn sweep(&self, now: Timestamp) -> Result<Swept, StoreError> {
        self.ask(None, None, self.store.sweep(now)).await
    }

    async fn metric_rows(&self, now: Timestamp) -> Result<Vec<MetricRow>, StoreError> {
        self.ask(None, None, self.store.metric_rows(now)).await
    }
}

#[async_trait]
impl<S: Backend> Sessions for FaultyStore<S> {
    async fn save_session(
        &self,
        session: SavedSession,
        replaces: Replaces,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let save = self.store.save_session(session, replaces, now);
        self.ask(Some(Fault::SaveSession), Some(Fault::SaveSessionUnknown), save).await
    }

    async fn load_session(
        &self,
        conversation: ConversationKey,
        now: Timestamp,
    ) -> Result<Option<StoredSession>, StoreError> {
        self.ask(None, None, self.store.load_session(conversation, now)).await
    }

    async fn delete_session(&self, conversation: ConversationKey) -> Result<(), StoreError> {
        self.ask(None, None, self.store.delete_session(conversation)).await
    }

    async fn overdue_sessions(&self, now: Timestamp, limit: usize) -> Result<Vec<ConversationKey>, StoreError> {
        self.ask(None, None, self.store.overdue_sessions(now, limit)).await
    }
}

#[async_trait]
impl<S: Backend> Agents for FaultyStore<S> {
    async fn publish_agent(
        &self,
        version: AgentVersion,
        bytes: Option<Vec<u8>>,
        now: Timestamp,
    ) -> Result<Published, StoreError> {
        self.ask(None, None, self.store.publish_agent(version, bytes, now)).await
    }

    async fn agents(&self) -> Result<Vec<AgentVersion>, StoreError> {
        self.ask(None, None, self.store.agents()).await
    }

    async fn agent_version(&self, agent: AgentKey, version: VersionKey) -> Result<Option<AgentVersion>, StoreError> {
        self.ask(None, None, self.store.agent_version(agent, version)).await
    }

    async fn current_agent(&self, agent: AgentKey) -> Result<Option<AgentVersion>, StoreError> {
        self.ask(None, None, self.store.current_agent(agent)).await
    }

    async fn component(&self, component: ComponentKey) -> Result<Option<Vec<u8>>, StoreError> {
        self.ask(None, None, self.store.component(component)).await
    }

    async fn withdraw_agent(&self, agent: AgentKey, now: Timestamp) -> Result<bool, StoreError> {
        self.ask(None, None, self.store.withdraw_agent(agent, now)).await
    }
}

#[async_trait]
impl<S: Backend> Audit for FaultyStore<S> {
    async fn record_act(&self, act: Act) -> Result<(), StoreError> {
        self.ask(Some(Fault::RecordAct), None, self.store.record_act(act)).await
    }

    async fn acts(
        &self,
        after: Option<(Timestamp, ActId)>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Act>, StoreError> {
        self.ask(None, None, self.store.acts(after, limit, now)).await
    }
}

#[async_trait]
impl<S: Backend> Transfer for FaultyStore<S> {
    async fn dump(&self, after: Option<Cursor>) -> Result<Dump, StoreError> {
        self.ask(None, None, self.store.dump(after)).await
    }

    async fn restore(&self, kept: Vec<Kept>) -> Result<(), StoreError> {
        self.ask(None, None, self.store.restore(kept)).await
    }

    async fn integrity(&self) -> Result<Vec<String>, StoreError> {
        self.ask(None, None, self.store.integrity()).await
    }
}
