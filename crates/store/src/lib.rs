//! Where Agent Memory keeps what it remembers.
//!
//! A store decides nothing and can read nothing. It is handed 32-byte keys, sealed bytes and full hours, and its
//! whole logic is to insert what is not there yet, to compare an expiry with the time that it is given, and to
//! remember which conversations it has committed. What the bytes mean is known to the codec above it, so that
//! sealing them changes nothing here.
//!
//! [`MemoryStore`] keeps everything in this process, [`SqliteStore`] in one file. [`ShardedStore`] makes one store of
//! several. All of them pass the same conformance suite, which every further store has to pass unchanged.

mod agents;
mod audit;
#[cfg(feature = "conformance")]
pub mod conformance;
mod error;
mod memory;
mod shard;
mod sharded;
mod sqlite;
mod transfer;
mod types;
mod url;

pub use agents::{AGENT_KEPT, AgentKey, AgentVersion, ComponentKey, Published, VersionKey};
pub use audit::{Act, ActId};
pub use error::{Effect, StoreError};
pub use memory::MemoryStore;
pub use shard::{KeptKey, Register, RegisterKey, Registers, Replacement, Shard};
pub use sharded::{MapError, MoveError, Moved, ShardMap, ShardOfMap, ShardedStore, Slot, move_slots};
#[doc(hidden)] // For tests of tests.
pub use sqlite::Durability;
pub use sqlite::{SqliteStore, Statistics};
pub use transfer::{
    Copied, CopyError, Cursor, Dump, Kept, KeptCaller, KeptMark, KeptRow, MarkRecord, Remembered, Tally, Transfer, copy,
};
pub use types::{
    Amendment, Commit, Committed, ConversationKey, Ended, Erased, ErasedSince, Erasure, Erasures, Field, Health, Held,
    IdentityKey, Interaction, InteractionId, Loaded, Mark, MetricRow, NewInteraction, NewRow, Read, Recorded, Replaces,
    Revision, RowId, SavedSession, Sealed, Settled, StoredSession, Swept, Timestamp,
};
pub use url::open_url;

use async_trait::async_trait;

/// Keeps callers' memory.
///
/// Every method is atomic: it happens as a whole, durably once it has returned `Ok`, or not at all, unless the error
/// says that its [`Effect`] is unknown. `now` is always the caller's: a store has no clock, and treats whatever
/// expires at or before `now` as if it were not there.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// What is held on a caller, in one read.
    async fn load(&self, read: Read) -> Result<Loaded, StoreError>;

    /// Commits a conversation, exactly once: a conversation that is committed already is left as it is, and
    /// answered with what was recorded then.
    ///
    /// 1. If a mark of the conversation stands: nothing is written, and the answer is [`Committed::Before`].
    /// 2. If the caller was erased after `commit.erasures`: nothing but the mark is written.
    /// 3. Fields replace those of the same key, except keys that were erased after `commit.erasures`, which are
    ///    left alone. Other fields stay as they are, expiry included.
    /// 4. The interaction is inserted unless one stands: one that expires after `now` and began after
    ///    `stands_after`.
    /// 5. The metric row is tied to the interaction that stands then, and expires with it.
    ///
    /// With `commit.ends_session` the conversation's session is deleted in each of these cases.
    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError>;

    /// What was recorded of a committed conversation, if it is one.
    async fn ended(&self, conversation: ConversationKey, now: Timestamp) -> Result<Option<Ended>, StoreError>;

    /// Replaces the record of a first interaction if it is still the one that the amendment was made from. Answers
    /// whether it was.
    async fn amend(&self, amendment: Amendment) -> Result<bool, StoreError>;

    /// Erases a caller or one of the caller's keys. The erasure is remembered until it expires, so that commits of
    /// conversations that began before it find it; a later one shortens none. Erasing a caller removes the fields,
    /// the interaction, the metric rows tied to it and to those whose place it took, and empties the marks of the
    /// caller's conversations: they keep only the conversation's key. Erasing a key removes that field alone.
    async fn erase(&self, erasure: Erasure) -> Result<Erased, StoreError>;

    /// All that is held on a caller.
    async fn export(&self, identity: IdentityKey, now: Timestamp) -> Result<Held, StoreError>;

    /// The callers on whom a field or an interaction is held that has not expired: up to `limit` of them, by key, from
    /// the first one after `after`. Who is added or removed while somebody reads page after page may be in none.
    async fn identities(
        &self,
        after: Option<IdentityKey>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<IdentityKey>, StoreError>;

    /// Deletes for good what has expired, sessions included: afterwards no copy is in the store's own files. It may
    /// do so in parts: after an error the next sweep does the rest, and counts only that.
    ///
    /// It also deletes, uncounted, administrative acts that have expired, the agents' versions that were replaced or
    /// withdrawn [`AGENT_KEPT`] ago, and the components that no version refers to any more.
    async fn sweep(&self, now: Timestamp) -> Result<Swept, StoreError>;

    /// The metric rows that have not expired, by the hour they began in and then by id.
    async fn metric_rows(&self, now: Timestamp) -> Result<Vec<MetricRow>, StoreError>;

    /// Says by which keys what is in the store is sealed: that is remembered if nothing is remembered of it yet.
    /// Answers what is remembered then. A store that was in use before it remembered such a thing answers with no
    /// bytes.
    async fn claim(&self, keys: Sealed) -> Result<Sealed, StoreError>;

    /// How much is held. All callers are read for it, which takes a while on a large store and is in nobody's way. It
    /// need not be of one moment if others write meanwhile.
    async fn health(&self, now: Timestamp) -> Result<Health, StoreError>;
}

/// Keeps running conversations.
///
/// A process that serves a turn loads the session, and saves it in place of the [`Revision`] that it has loaded: of two
/// that serve turns of one conversation at once, one is told that the other was faster. Nothing is locked, so nothing
/// has to be unlocked after a process has died.
#[async_trait]
pub trait Sessions: Send + Sync + 'static {
    /// Saves a session, unless something else is there than it may replace. Answers whether it is saved; if not,
    /// nothing was written. To repeat a save that was carried out, with the same revision, answers that it is saved.
    async fn save_session(&self, session: SavedSession, replaces: Replaces, now: Timestamp)
    -> Result<bool, StoreError>;

    /// The session last saved, unless it has expired.
    async fn load_session(
        &self,
        conversation: ConversationKey,
        now: Timestamp,
    ) -> Result<Option<StoredSession>, StoreError>;

    /// Deletes a session. Deleting what is not there is no error.
    async fn delete_session(&self, conversation: ConversationKey) -> Result<(), StoreError>;

    /// Up to `limit` conversations whose time to be ended has come, the longest overdue first. Those whose sessions
    /// have expired are none of them.
    async fn overdue_sessions(&self, now: Timestamp, limit: usize) -> Result<Vec<ConversationKey>, StoreError>;
}

/// Keeps agents: for each its current version, for a while those before it, and the components that they run.
#[async_trait]
pub trait Agents: Send + Sync + 'static {
    /// Makes a version its agent's current one, also one that was replaced or withdrawn before. The one that was
    /// current is kept as replaced in the hour of `now` (P1). A version that is there already gets the new record.
    ///
    /// `bytes` are the component's. They may be left out if it is known to be there; if it is not, nothing is written
    /// and the answer is [`Published::UnknownComponent`]. A component that is there is left as it is: its key tells
    /// its bytes.
    async fn publish_agent(
        &self,
        version: AgentVersion,
        bytes: Option<Vec<u8>>,
        now: Timestamp,
    ) -> Result<Published, StoreError>;

    /// The current version of every agent that has one, by the agent's key.
    async fn agents(&self) -> Result<Vec<AgentVersion>, StoreError>;

    /// A version, whether it is current, replaced or withdrawn, until a sweep deletes it.
    async fn agent_version(&self, agent: AgentKey, version: VersionKey) -> Result<Option<AgentVersion>, StoreError>;

    /// An agent's current version, if it has one.
    async fn current_agent(&self, agent: AgentKey) -> Result<Option<AgentVersion>, StoreError>;

    /// A component's bytes.
    async fn component(&self, component: ComponentKey) -> Result<Option<Vec<u8>>, StoreError>;

    /// Leaves an agent without a current version: the one that was current is kept as withdrawn in the hour of `now`
    /// (P1). Answers whether there was one.
    async fn withdraw_agent(&self, agent: AgentKey, now: Timestamp) -> Result<bool, StoreError>;
}

/// Keeps what administrators did.
#[async_trait]
pub trait Audit: Send + Sync + 'static {
    /// Records an act, in place of the one with the same id.
    async fn record_act(&self, act: Act) -> Result<(), StoreError>;

    /// Up to `limit` acts that have not expired, by their hour and then by id, from the first one after `after`.
    async fn acts(
        &self,
        after: Option<(Timestamp, ActId)>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Act>, StoreError>;
}

/// A store that keeps all of it.
pub trait Backend: Store + Sessions + Agents + Audit + Transfer {}

impl<T: Store + Sessions + Agents + Audit + Transfer> Backend for T {}
