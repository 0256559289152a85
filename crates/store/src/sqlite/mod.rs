//! The store in one SQLite file. `docs/sqlite.md` has its layout and the reasons for it.

mod acts;
mod agents;
mod caller;
mod failure;
mod open;
#[cfg(test)]
mod orders;
mod read;
mod readers;
mod record;
mod schema;
mod scrub;
mod sessions;
mod shard;
mod survey;
mod sweep;
#[cfg(test)]
mod tests;
mod transfer;
mod worker;
mod write;
mod writer;

use std::{
    fmt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use async_trait::async_trait;

pub use self::open::Durability;
use self::{
    open::Location,
    readers::{LongReads, Readers, snapshot},
    scrub::Means,
    survey::{Census, Listing, Part},
    writer::Writer,
};
use crate::{
    Act, ActId, AgentKey, AgentVersion, Agents, Amendment, Audit, Commit, Committed, ComponentKey, ConversationKey,
    Cursor, Dump, Effect, Ended, Erased, Erasure, Health, Held, IdentityKey, Kept, Loaded, MetricRow, Published, Read,
    Replaces, SavedSession, Sealed, Sessions, Store, StoreError, StoredSession, Swept, Timestamp, Transfer, VersionKey,
};

/// How many connections read at once at most.
const MOST_READERS: usize = 16;

/// Keeps everything in one SQLite file.
///
/// Several processes may share the file: all can read while one writes, and those that write take turns. Every
/// operation is durable when it returns: it survives the process and the machine.
///
/// Dropping the store carries out what is queued, and waits for that.
///
/// ```
/// use agent_memory_store::{IdentityKey, Read, SqliteStore, Store};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let folder = tempfile::tempdir()?;
/// let store = SqliteStore::open(folder.path().join("memory.db"))?;
/// let read = Read { identity: Some(IdentityKey([7; 32])), conversation: None, now: 1_767_225_600 };
/// assert!(store.load(read).await?.fields.is_empty());
/// # Ok(())
/// # }
/// ```
pub struct SqliteStore {
    location: Arc<Location>,
    counters: Arc<Counters>,
    readers: Readers,
    long_reads: LongReads,
    writer: Writer,
}

/// What a store has done since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Calls of [`Store::load`] that were answered.
    pub loads: u64,
    /// Calls of [`Store::commit`] that were answered.
    pub commits: u64,
    /// Transactions that wrote. What is asked for at the same time shares one.
    pub transactions: u64,
    /// How often the log was emptied at the end of a sweep or an erasure.
    pub checkpoints: u64,
}

#[derive(Default)]
struct Counters {
    loads: AtomicU64,
    commits: AtomicU64,
    transactions: AtomicU64,
    checkpoints: AtomicU64,
}

impl SqliteStore {
    /// Opens a store, and makes its file if there is none. Only the file's owner can read it then.
    ///
    /// # Errors
    /// Nothing is written to a file that is refused.
    ///
    /// - [`StoreError::Unavailable`]: it is a folder or no ordinary file, or its folder is missing.
    /// - [`StoreError::ReadOnly`]: the file or its folder may not be written, or is marked as read-only.
    /// - [`StoreError::Full`]: there is no room for an empty store.
    /// - [`StoreError::NotAStore`]: it is no SQLite file, or one of another application.
    /// - [`StoreError::TooNew`]: a newer version has written it.
    /// - [`StoreError::OutdatedEngine`]: this program was linked with a SQLite that can lose commits.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::start(Location::open(path.as_ref(), true, Durability::Full)?, None)
    }

    /// Opens a store that is there already.
    ///
    /// # Errors
    /// Those of [`open`](Self::open); [`StoreError::Unavailable`] if there is no such file, and
    /// [`StoreError::NotAStore`] if it is empty.
    pub fn open_existing(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::start(Location::open(path.as_ref(), false, Durability::Full)?, None)
    }

    /// Like [`open`](Self::open), with commits that may wait less for the disk. For tests that have to show that they
    /// notice what is lost then.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    #[doc(hidden)]
    pub fn open_with(path: impl AsRef<Path>, durability: Durability) -> Result<Self, StoreError> {
        Self::start(Location::open(path.as_ref(), true, durability)?, None)
    }

    /// What the store has done since it was opened.
    pub fn statistics(&self) -> Statistics {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Statistics {
            loads: count(&self.counters.loads),
            commits: count(&self.counters.commits),
            transactions: count(&self.counters.transactions),
            checkpoints: count(&self.counters.checkpoints),
        }
    }

    fn start(
        (location, connection): (Location, rusqlite::Connection),
        means: Option<Means>,
    ) -> Result<Self, StoreError> {
        let means = means.unwrap_or_else(|| Means::of(&connection));
        let location = Arc::new(location);
        let counters = Arc::new(Counters::default());
        let no_thread = |error: std::io::Error| StoreError::Unavailable {
            place: location.place().to_owned(),
            reason: format!("no thread can be started ({error}): raise the limit on threads"),
        };
        let threads = thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            readers: Readers::new(Arc::clone(&location), threads.min(MOST_READERS)),
            long_reads: LongReads::start(Arc::clone(&location)).map_err(no_thread)?,
            writer: Writer::start(Arc::clone(&location), connection, means, Arc::clone(&counters))
                .map_err(no_thread)?,
            counters,
            location,
        })
    }
}

impl Drop for SqliteStore {
    /// The connection that writes is closed last: it alone can tidy up the log.
    fn drop(&mut self) {
        self.long_reads.close();
        self.readers.close();
        self.writer.close();
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("place", &self.location.place()).finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn load(&self, read: Read) -> Result<Loaded, StoreError> {
        let loaded = self.readers.read(|connection| read::load(connection, &read))?;
        self.counters.loads.fetch_add(1, Ordering::Relaxed);
        Ok(loaded)
    }

    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        let committed = self.writer.write(|connection| write::commit(connection, commit)).await?;
        self.counters.commits.fetch_add(1, Ordering::Relaxed);
        Ok(committed)
    }

    async fn ended(&self, conversation: ConversationKey, now: Timestamp) -> Result<Option<Ended>, StoreError> {
        self.readers.read(|connection| snapshot(connection, |connection| read::ended(connection, &conversation, now)))
    }

    async fn amend(&self, amendment: Amendment) -> Result<bool, StoreError> {
        self.writer.write(|connection| write::amend(connection, amendment)).await
    }

    async fn erase(&self, erasure: Erasure) -> Result<Erased, StoreError> {
        self.writer.delete(|connection| write::erase(connection, erasure)).await
    }

    async fn export(&self, identity: IdentityKey, now: Timestamp) -> Result<Held, StoreError> {
        self.long_reads.read(move |connection| read::export(connection, &identity, now)).await
    }

    async fn identities(
        &self,
        after: Option<IdentityKey>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<IdentityKey>, StoreError> {
        let mut listing = Listing::new(after, limit, now);
        loop {
            let part = self.long_reads.read(move |connection| listing.step(connection)).await?;
            match part {
                Part::More(further) => listing = further,
                Part::All(identities) => return Ok(identities),
            }
        }
    }

    async fn sweep(&self, now: Timestamp) -> Result<Swept, StoreError> {
        self.writer.sweep(now).await
    }

    async fn metric_rows(&self, now: Timestamp) -> Result<Vec<MetricRow>, StoreError> {
        self.long_reads.read(move |connection| read::metric_rows(connection, now)).await
    }

    async fn claim(&self, keys: Sealed) -> Result<Sealed, StoreError> {
        // Whoever only wants to look need not wait for those who write.
        if let Some(claimed) = self.readers.read(read::claimed)? {
            return Ok(claimed);
        }
        self.writer.write(move |connection| write::claim(connection, keys)).await
    }

    async fn health(&self, now: Timestamp) -> Result<Health, StoreError> {
        let mut census = Census::new(now);
        loop {
            let part = self.long_reads.read(move |connection| census.step(connection)).await?;
            match part {
                Part::More(further) => census = further,
                Part::All(health) => return Ok(health),
            }
        }
    }
}

#[async_trait]
impl Sessions for SqliteStore {
    async fn save_session(
        &self,
        session: SavedSession,
        replaces: Replaces,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.writer.write(move |connection| sessions::save(connection, &session, replaces, now)).await
    }

    async fn load_session(
        &self,
        conversation: ConversationKey,
        now: Timestamp,
    ) -> Result<Option<StoredSession>, StoreError> {
        self.readers.read(|connection| sessions::load(connection, &conversation, now))
    }

    async fn delete_session(&self, conversation: ConversationKey) -> Result<(), StoreError> {
        self.writer.write(move |connection| sessions::delete(connection, &conversation)).await
    }

    async fn overdue_sessions(&self, now: Timestamp, limit: usize) -> Result<Vec<ConversationKey>, StoreError> {
        let overdue = self.long_reads.read(move |connection| sessions::overdue(connection, now, limit)).await?;
        Ok(overdue.into_iter().map(|(_, conversation)| conversation).collect())
    }
}

#[async_trait]
impl Agents for SqliteStore {
    async fn publish_agent(
        &self,
        version: AgentVersion,
        bytes: Option<Vec<u8>>,
        now: Timestamp,
    ) -> Result<Published, StoreError> {
        self.writer.write(move |connection| agents::publish(connection, &version, bytes.as_deref(), now)).await
    }

    async fn agents(&self) -> Result<Vec<AgentVersion>, StoreError> {
        self.long_reads.read(agents::all_current).await
    }

    async fn agent_version(&self, agent: AgentKey, version: VersionKey) -> Result<Option<AgentVersion>, StoreError> {
        self.readers.read(|connection| agents::version(connection, &agent, &version))
    }

    async fn current_agent(&self, agent: AgentKey) -> Result<Option<AgentVersion>, StoreError> {
        self.readers.read(|connection| agents::current(connection, &agent))
    }

    async fn component(&self, component: ComponentKey) -> Result<Option<Vec<u8>>, StoreError> {
        self.long_reads.read(move |connection| agents::component(connection, &component)).await
    }

    async fn withdraw_agent(&self, agent: AgentKey, now: Timestamp) -> Result<bool, StoreError> {
        self.writer.write(move |connection| agents::withdraw(connection, &agent, now)).await
    }
}

#[async_trait]
impl Audit for SqliteStore {
    async fn record_act(&self, act: Act) -> Result<(), StoreError> {
        self.writer.write(move |connection| acts::record(connection, &act)).await
    }

    async fn acts(
        &self,
        after: Option<(Timestamp, ActId)>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Act>, StoreError> {
        self.long_reads.read(move |connection| acts::after(connection, after, limit, now)).await
    }
}

#[async_trait]
impl Transfer for SqliteStore {
    async fn dump(&self, after: Option<Cursor>) -> Result<Dump, StoreError> {
        let place = transfer::Place::read(after.as_ref()).ok_or_else(|| StoreError::Failed {
            place: self.location.place().to_owned(),
            reason: "a part of a dump was asked for that another store has named".to_owned(),
            effect: Effect::Rejected,
        })?;
        self.long_reads.read(move |connection| transfer::dump(connection, place)).await
    }

    async fn restore(&self, kept: Vec<Kept>) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| kept.into_iter().try_for_each(|kept| transfer::restore(connection, kept)))
            .await
    }

    async fn integrity(&self) -> Result<Vec<String>, StoreError> {
        self.long_reads.read(read::integrity).await
    }
}

impl Counters {
    fn transaction(&self) {
        self.transactions.fetch_add(1, Ordering::Relaxed);
    }

    fn checkpoint(&self) {
        self.checkpoints.fetch_add(1, Ordering::Relaxed);
    }
}
