//! What a store has to offer beside [`Backend`](crate::Backend) to be one of several that are used as one.
//!
//! It is as little as [`ShardedStore`](crate::ShardedStore) needs, and decides nothing: what registers and numbers
//! mean is known above.

use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{
    Backend, ConversationKey, Ended, Erased, Erasure, Erasures, IdentityKey, InteractionId, KeptMark, RowId,
    StoreError, Timestamp,
};

/// Names a register.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RegisterKey(#[serde(with = "serde_bytes")] pub Vec<u8>);

/// A few bytes under a key, which are replaced as a whole.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Register {
    /// The bytes.
    #[serde(with = "serde_bytes")]
    pub value: Vec<u8>,
    /// A sweep at this time or later deletes it. Until then it is there, whatever the time. None: it stays.
    pub expires: Option<Timestamp>,
}

/// A register that is to take the place of another.
#[derive(Clone, Debug)]
pub struct Replacement {
    /// The register.
    pub key: RegisterKey,
    /// What has to be there. None: nothing.
    pub from: Option<Register>,
    /// What takes its place.
    pub to: Register,
    /// A conversation whose session is deleted in the same moment, if the register is replaced.
    pub ends: Option<ConversationKey>,
}

/// Names a thing that a store keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeptKey {
    /// A caller: the record with all fields, the interaction and the remembered erasures. Neither marks nor rows.
    Caller(IdentityKey),
    /// A committed conversation.
    Mark(ConversationKey),
    /// A conversation as analytics see it.
    Row(InteractionId, RowId),
    /// A session.
    Session(ConversationKey),
    /// A register.
    Register(RegisterKey),
}

impl fmt::Debug for RegisterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RegisterKey(..)")
    }
}

impl fmt::Debug for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { value, expires } = self;
        write!(f, "Register({} bytes, expires: {expires:?})", value.len())
    }
}

/// Keeps registers. They are nobody's memory: no count of what is held has them, nor has a dump.
///
/// Every method is atomic and durable like those of [`Store`](crate::Store).
#[async_trait]
pub trait Registers: Send + Sync + 'static {
    /// What is in a register.
    async fn register(&self, key: RegisterKey) -> Result<Option<Register>, StoreError>;

    /// Replaces a register if what is there is exactly what the replacement is made from. Answers what is there then:
    /// the new one, also if it was there already, or whatever kept it from being replaced. A session is deleted only if
    /// the register was replaced by this call.
    async fn replace_register(&self, replacement: Replacement) -> Result<Option<Register>, StoreError>;

    /// Puts registers in, in place of what is there under the same keys.
    async fn put_registers(&self, registers: Vec<(RegisterKey, Register)>) -> Result<(), StoreError>;

    /// Up to `limit` registers by key, from the first one after `after`.
    async fn registers(
        &self,
        after: Option<RegisterKey>,
        limit: usize,
    ) -> Result<Vec<(RegisterKey, Register)>, StoreError>;
}

/// A store that can be one of several.
#[async_trait]
pub trait Shard: Backend + Registers {
    /// Counts an erasure that is carried out elsewhere. Answers how many there were with it.
    async fn count_erasure(&self) -> Result<Erasures, StoreError>;

    /// Erases like [`Store::erase`](crate::Store::erase), but counts nothing: the erasure is remembered under the
    /// given number, in place of an earlier one's.
    async fn erase_as(&self, erasure: Erasure, number: Erasures) -> Result<Erased, StoreError>;

    /// Gives an erasure of a caller or of a key another number, if it is remembered under the given one. If not,
    /// nothing happens.
    async fn renumber_erasure(
        &self,
        identity: IdentityKey,
        key: Option<String>,
        from: Erasures,
        to: Erasures,
    ) -> Result<(), StoreError>;

    /// Puts a mark in unless one of the conversation stands: one that expires after `now`. Answers with the one that
    /// stood already. Nothing else is written: the mark's caller need not be known.
    async fn mark_unless(&self, mark: KeptMark, now: Timestamp) -> Result<Option<Ended>, StoreError>;

    /// What [`Sessions::overdue_sessions`](crate::Sessions::overdue_sessions) answers, with the times since when.
    async fn overdue_since(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Timestamp, ConversationKey)>, StoreError>;

    /// Deletes things, whatever they hold. What is not there is no error. Copies of them may be left until the next
    /// sweep.
    async fn remove(&self, keys: Vec<KeptKey>) -> Result<(), StoreError>;
}
