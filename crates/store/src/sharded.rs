//! Several stores as one. `docs/shards.md` has the protocol and its costs.

mod claim;
mod commit;
mod leaving;
mod map;
mod moving;
mod opening;
mod sessions;
mod spread;
mod store;
mod transfer;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, atomic::AtomicU64},
};

use self::claim::Claim;
pub use self::map::{MapError, ShardMap, ShardOfMap, Slot};
pub use self::moving::{MoveError, Moved, move_slots};
use crate::{ConversationKey, Effect, IdentityKey, InteractionId, Shard, StoreError};

/// Several stores that are used as one.
///
/// All that is held on a caller is on one of them, by the caller's slot; a conversation's session is on one by the
/// conversation's slot. The first is the directory: it has the agents, the administrative acts, what is remembered of
/// the keys, and the one count of erasures.
///
/// When one of them is away, those whose slots it has get the error, others go on. What asks all of them fails then,
/// with an error that names it.
///
/// ```
/// use std::sync::Arc;
///
/// use agent_memory_store::{IdentityKey, MemoryStore, Read, Shard, ShardMap, ShardedStore, Store};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let map = ShardMap::parse(
///     r#"{"agent_memory_shards": 1, "shards": [
///         {"name": "a", "url": "memory:a", "slots": "0-2047"},
///         {"name": "b", "url": "memory:b", "slots": "2048-4095"}
///     ]}"#,
/// )?;
/// // One store for each shard, in the order of the map.
/// let stores: Vec<Arc<dyn Shard>> = vec![Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new())];
/// let store = ShardedStore::open(map, stores).await?;
/// let read = Read { identity: Some(IdentityKey([7; 32])), conversation: None, now: 1_767_225_600 };
/// assert!(store.load(read).await?.fields.is_empty());
/// # Ok(())
/// # }
/// ```
pub struct ShardedStore {
    map: ShardMap,
    /// In the order of the map, which has at least one.
    members: Vec<Member>,
    directory: Member,
    /// A number of erasures that the directory is known to have counted.
    erasures: AtomicU64,
    /// Where the interactions of the callers are that were restored. Metric rows come after their callers, and do not
    /// say whose they are.
    restored: Mutex<HashMap<InteractionId, Slot>>,
}

/// One of the stores.
#[derive(Clone)]
struct Member {
    name: Arc<str>,
    store: Arc<dyn Shard>,
}

impl ShardedStore {
    fn member(&self, slot: Slot) -> &Member {
        self.members.get(self.map.owner(slot)).unwrap_or(&self.directory)
    }

    fn of_caller(&self, identity: &IdentityKey) -> &Member {
        self.member(Slot::of_caller(identity))
    }

    fn of_conversation(&self, conversation: &ConversationKey) -> &Member {
        self.member(Slot::of_conversation(conversation))
    }
}

impl fmt::Debug for ShardedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShardedStore").field("map", &self.map).finish_non_exhaustive()
    }
}

impl Member {
    /// What the store answers, or an error that names it.
    async fn ask<T>(&self, answer: impl Future<Output = Result<T, StoreError>> + Send) -> Result<T, StoreError> {
        answer.await.map_err(|error| self.error(error))
    }

    fn error(&self, error: StoreError) -> StoreError {
        let effect = error.effect();
        StoreError::Shard { shard: self.name.to_string(), error: Box::new(error), effect }
    }

    /// A conversation's claim, if this store has it.
    async fn claim(&self, conversation: &ConversationKey) -> Result<Option<Claim>, StoreError> {
        let register = self.ask(self.store.register(Claim::key(conversation))).await?;
        self.read_claim(register)
    }

    fn read_claim(&self, register: Option<crate::Register>) -> Result<Option<Claim>, StoreError> {
        let damaged = || self.error(claim::damaged(&self.name));
        register.map(|register| Claim::read(&register).ok_or_else(damaged)).transpose()
    }
}

/// An error of an operation of which something was done already.
fn unfinished(error: StoreError) -> StoreError {
    match error {
        StoreError::Shard { shard, error, .. } => StoreError::Shard { shard, error, effect: Effect::Unknown },
        other => other,
    }
}
