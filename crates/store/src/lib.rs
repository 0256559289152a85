//! Where Agent Memory keeps what it remembers.
//!
//! A store decides nothing and can read nothing. It is handed 32-byte keys, sealed bytes and full hours, and its
//! whole logic is to insert what is not there yet, to compare an expiry with the time that it is given, and to
//! remember which conversations it has committed. What the bytes mean is known to the codec above it, so that
//! sealing them changes nothing here.
//!
//! [`MemoryStore`] keeps everything in this process, [`SqliteStore`] in one file. Both pass the same conformance
//! suite, which every further store has to pass unchanged.

#[cfg(feature = "conformance")]
pub mod conformance;
mod error;
mod memory;
mod sqlite;
mod types;
mod url;

pub use error::{Effect, StoreError};
pub use memory::MemoryStore;
pub use sqlite::{SqliteStore, Statistics};
pub use types::{
    Amendment, Commit, Committed, ConversationKey, Ended, Erased, ErasedSince, Erasure, Erasures, Field, Held,
    IdentityKey, Interaction, InteractionId, Loaded, Mark, MetricRow, NewInteraction, NewRow, Read, Recorded, RowId,
    SavedSession, Sealed, Settled, Swept, Timestamp,
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

    /// Deletes for good what has expired, sessions included: afterwards no copy is in the store's own files. It may
    /// do so in parts: after an error the next sweep does the rest, and counts only that.
    async fn sweep(&self, now: Timestamp) -> Result<Swept, StoreError>;

    /// The metric rows that have not expired, by the hour they began in and then by id.
    async fn metric_rows(&self, now: Timestamp) -> Result<Vec<MetricRow>, StoreError>;
}

/// Keeps running conversations.
#[async_trait]
pub trait Sessions: Send + Sync + 'static {
    /// Saves a session in place of the one saved before.
    async fn save_session(&self, session: SavedSession) -> Result<(), StoreError>;

    /// The session last saved, unless it has expired.
    async fn load_session(&self, conversation: ConversationKey, now: Timestamp) -> Result<Option<Sealed>, StoreError>;

    /// Deletes a session. Deleting what is not there is no error.
    async fn delete_session(&self, conversation: ConversationKey) -> Result<(), StoreError>;
}

/// A store that keeps both.
pub trait Backend: Store + Sessions {}

impl<T: Store + Sessions> Backend for T {}
