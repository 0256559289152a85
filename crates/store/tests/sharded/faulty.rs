//! A shard that fails, and that takes its time.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use agent_memory_store::{
    Act, ActId, AgentKey, AgentVersion, Agents, Amendment, Audit, Commit, Committed, ComponentKey, ConversationKey,
    Cursor, Dump, Effect, Ended, Erased, Erasure, Erasures, Health, Held, IdentityKey, Kept, KeptKey, KeptMark, Loaded,
    MetricRow, Published, Read, Register, RegisterKey, Registers, Replacement, Replaces, SavedSession, Sealed,
    Sessions, Shard, Store, StoreError, StoredSession, Swept, Timestamp, Transfer, VersionKey,
};
use async_trait::async_trait;
use futures::future::BoxFuture;

/// What happens to an operation.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// It is not carried out, and says so.
    Rejected,
    /// It is not carried out, and nobody knows.
    Lost,
    /// It is carried out, and nobody knows.
    Unanswered,
}

/// When what happens: a list that is gone through by all operations on all shards.
#[derive(Default)]
pub(crate) struct Faults {
    /// For each operation a fault, and how often it lets others go first.
    plan: Mutex<std::vec::IntoIter<(Option<Fault>, u8)>>,
    is_away: AtomicBool,
    /// The names of all operations.
    calls: Mutex<Vec<String>>,
    /// What happens to the operation of a name that comes after a number of others of that name.
    nth: Mutex<Option<(&'static str, usize, Fault)>>,
    /// What happens after the next operation of a name was carried out, and before it is answered.
    then: Mutex<Option<(&'static str, BoxFuture<'static, ()>)>>,
}

pub(crate) struct FaultyShard {
    inner: Arc<dyn Shard>,
    faults: Arc<Faults>,
}

impl Faults {
    /// Begins a plan. After its end nothing goes wrong.
    pub(crate) fn plan(&self, plan: Vec<(Option<Fault>, u8)>) {
        *self.plan.lock().unwrap() = plan.into_iter();
    }

    /// Makes everything be rejected, or not any more.
    pub(crate) fn away(&self, is_away: bool) {
        self.is_away.store(is_away, Ordering::SeqCst);
    }

    /// Makes something happen once, after the next operation of a name was carried out, and before it is answered.
    pub(crate) fn after(&self, method: &'static str, then: impl Future<Output = ()> + Send + 'static) {
        *self.then.lock().unwrap() = Some((method, Box::pin(then)));
    }

    async fn carried_out(&self, method: &str) {
        let then = self.then.lock().unwrap().take_if(|(of, _)| *of == method);
        if let Some((_, then)) = then {
            then.await;
        }
    }

    /// Makes an operation of a name fail: the one that comes after a number of others of that name.
    pub(crate) fn at(&self, method: &'static str, after: usize, fault: Fault) {
        *self.nth.lock().unwrap() = Some((method, after, fault));
    }

    /// The names of all operations since this was asked last.
    pub(crate) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    fn its_turn(&self, method: &str) -> Option<Fault> {
        let mut nth = self.nth.lock().unwrap();
        let (_, after, fault) = nth.as_mut().filter(|(of, ..)| *of == method)?;
        let fault = *fault;
        match after.checked_sub(1) {
            Some(left) => {
                *after = left;
                None
            }
            None => {
                *nth = None;
                Some(fault)
            }
        }
    }

    async fn next(&self, method: &str) -> Option<Fault> {
        self.calls.lock().unwrap().push(method.to_owned());
        if self.is_away.load(Ordering::SeqCst) {
            return Some(Fault::Rejected);
        }
        if let Some(fault) = self.its_turn(method) {
            return Some(fault);
        }
        let (fault, patience) = self.plan.lock().unwrap().next()?;
        for _ in 0..patience {
            tokio::task::yield_now().await;
        }
        fault
    }
}

impl FaultyShard {
    pub(crate) fn all(stores: Vec<Arc<dyn Shard>>, faults: &Arc<Faults>) -> Vec<Arc<dyn Shard>> {
        let faulty = |inner| Arc::new(Self { inner, faults: Arc::clone(faults) }) as Arc<dyn Shard>;
        stores.into_iter().map(faulty).collect()
    }
}

fn failed(effect: Effect) -> StoreError {
    StoreError::Failed { place: "here".to_owned(), reason: "a test wants it to".to_owned(), effect }
}

/// Implements a trait by asking the store within, with faults.
macro_rules! forward {
    ($($trait:ident { $($method:ident($($argument:ident: $type:ty),*) -> $answer:ty;)* })*) => {
        $(
            #[async_trait]
            impl $trait for FaultyShard {
                $(
                    async fn $method(&self, $($argument: $type),*) -> Result<$answer, StoreError> {
                        match self.faults.next(stringify!($method)).await {
                            None => {
                                let answer = self.inner.$method($($argument),*).await;
                                self.faults.carried_out(stringify!($method)).await;
                                answer
                            }
                            Some(Fault::Rejected) => Err(failed(Effect::Rejected)),
                            Some(Fault::Lost) => Err(failed(Effect::Unknown)),
                            Some(Fault::Unanswered) => {
                                self.inner.$method($($argument),*).await?;
                                Err(failed(Effect::Unknown))
                            }
                        }
                    }
                )*
            }
        )*
    };
}

forward! {
    Store {
        load(read: Read) -> Loaded;
        commit(commit: Commit) -> Committed;
        ended(conversation: ConversationKey, now: Timestamp) -> Option<Ended>;
        amend(amendment: Amendment) -> bool;
        erase(erasure: Erasure) -> Erased;
        export(identity: IdentityKey, now: Timestamp) -> Held;
        identities(after: Option<IdentityKey>, limit: usize, now: Timestamp) -> Vec<IdentityKey>;
        sweep(now: Timestamp) -> Swept;
        metric_rows(now: Timestamp) -> Vec<MetricRow>;
        claim(keys: Sealed) -> Sealed;
        health(now: Timestamp) -> Health;
    }
    Sessions {
        save_session(session: SavedSession, replaces: Replaces, now: Timestamp) -> bool;
        load_session(conversation: ConversationKey, now: Timestamp) -> Option<StoredSession>;
        delete_session(conversation: ConversationKey) -> ();
        overdue_sessions(now: Timestamp, limit: usize) -> Vec<ConversationKey>;
    }
    Agents {
        publish_agent(version: AgentVersion, bytes: Option<Vec<u8>>, now: Timestamp) -> Published;
        agents() -> Vec<AgentVersion>;
        agent_version(agent: AgentKey, version: VersionKey) -> Option<AgentVersion>;
        current_agent(agent: AgentKey) -> Option<AgentVersion>;
        component(component: ComponentKey) -> Option<Vec<u8>>;
        withdraw_agent(agent: AgentKey, now: Timestamp) -> bool;
    }
    Audit {
        record_act(act: Act) -> ();
        acts(after: Option<(Timestamp, ActId)>, limit: usize, now: Timestamp) -> Vec<Act>;
    }
    Transfer {
        dump(after: Option<Cursor>) -> Dump;
        restore(kept: Vec<Kept>) -> ();
    }
    Registers {
        register(key: RegisterKey) -> Option<Register>;
        replace_register(replacement: Replacement) -> Option<Register>;
        put_registers(registers: Vec<(RegisterKey, Register)>) -> ();
        registers(after: Option<RegisterKey>, limit: usize) -> Vec<(RegisterKey, Register)>;
    }
    Shard {
        count_erasure() -> Erasures;
        erase_as(erasure: Erasure, number: Erasures) -> Erased;
        renumber_erasure(identity: IdentityKey, key: Option<String>, from: Erasures, to: Erasures) -> ();
        mark_unless(mark: KeptMark, now: Timestamp) -> Option<Ended>;
        overdue_since(now: Timestamp, limit: usize) -> Vec<(Timestamp, ConversationKey)>;
        remove(keys: Vec<KeptKey>) -> ();
    }
}
