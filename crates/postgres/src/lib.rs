//! Agent Memory in PostgreSQL: one database for any number of processes and machines.
//!
//! A load is one round trip, and so is a commit; `docs/postgres.md` has the tables, what is promised in which mode, and
//! what happens when a server fails.

mod acts;
mod agents;
mod caller;
mod columns;
mod commit;
mod connections;
mod durability;
mod failure;
mod marks;
mod read;
mod registers;
mod schema;
mod sessions;
mod settings;
mod shard;
mod statements;
mod survey;
mod sweep;
mod tls;
mod transfer;

use std::fmt;

use agent_memory_store::{
    Act, ActId, AgentKey, AgentVersion, Agents, Amendment, Audit, Commit, Committed, ComponentKey, ConversationKey,
    Cursor, Dump, Effect, Ended, Erased, Erasure, Health, Held, IdentityKey, Kept, Loaded, MetricRow, Published, Read,
    Replaces, SavedSession, Sealed, Sessions, Store, StoreError, StoredSession, Swept, Timestamp, Transfer, VersionKey,
};
use async_trait::async_trait;

pub use self::durability::Durability;
use self::{
    connections::{Connections, Kind},
    settings::Settings,
    statements::Statements,
    transfer::Position,
};

/// Keeps everything in a schema of a PostgreSQL database.
///
/// Any number of processes may use it at once. An operation is as durable when it returns as the server's settings
/// make it: [`durability`](Self::durability) says what that is.
///
/// It belongs to the Tokio runtime that it was opened in. Dropping it closes its connections.
///
/// ```no_run
/// use agent_memory_postgres::{Durability, PostgresStore};
///
/// # async fn open() -> Result<(), agent_memory_store::StoreError> {
/// let store = PostgresStore::open("postgres://me:secret@db1,db2/memory", true).await?;
/// if !matches!(store.durability().await?, Durability::Replicated { .. }) {
///     eprintln!("commits are lost with the primary");
/// }
/// # Ok(())
/// # }
/// ```
pub struct PostgresStore {
    connections: Connections,
    statements: Statements,
}

impl PostgresStore {
    /// Opens the store that a URL names: `postgres://USER:PASSWORD@HOST:PORT/DATABASE?PARAMETERS`. Of several hosts,
    /// separated by commas, the one is used that takes writes, also after another has taken its place. The parameters
    /// are in `docs/postgres.md`.
    ///
    /// With `create`, tables are made if there are none; the database has to be there. Tables of an older version are
    /// changed to the present ones. Of several processes that do so at once one does it.
    ///
    /// # Errors
    /// - [`StoreError::UnknownUrl`]: the URL is of another kind.
    /// - [`StoreError::Unavailable`]: it says something that makes no sense, the server cannot be reached or refuses
    ///   the user, or there is no store and none is to be made.
    /// - [`StoreError::UnsuitableServer`]: the server is too old.
    /// - [`StoreError::TooNew`]: a newer version has made the tables.
    /// - [`StoreError::ReadOnly`]: the server is a standby, and tables would have to be made.
    pub async fn open(url: &str, create: bool) -> Result<Self, StoreError> {
        let connections = Connections::new(Settings::parse(url)?)?;
        schema::prepare(&connections, create).await?;
        Ok(Self { connections, statements: Statements::new() })
    }

    /// What an acknowledged commit survives, as the server is set up now.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub async fn durability(&self) -> Result<Durability, StoreError> {
        self.connections.run(Kind::Read, async |connection| durability::durability(&connection).await).await
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("place", &self.connections.place()).finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn load(&self, read: Read) -> Result<Loaded, StoreError> {
        let statements = &self.statements;
        self.connections
            .run(Kind::Read, |connection| async move { read::load(&connection, statements, read).await })
            .await
    }

    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        let (statements, commit) = (&self.statements, &commit);
        self.connections
            .run(Kind::Write, |connection| async move { commit::commit(&connection, statements, commit).await })
            .await
    }

    async fn ended(&self, conversation: ConversationKey, now: Timestamp) -> Result<Option<Ended>, StoreError> {
        self.connections
            .run(Kind::Write, |connection| async move { read::ended_for_good(&connection, &conversation, now).await })
            .await
    }

    async fn amend(&self, amendment: Amendment) -> Result<bool, StoreError> {
        let amendment = &amendment;
        self.connections.run(Kind::Write, |connection| async move { caller::amend(&connection, amendment).await }).await
    }

    async fn erase(&self, erasure: Erasure) -> Result<Erased, StoreError> {
        let erasure = &erasure;
        self.connections
            .run(Kind::LongWrite, |connection| async move {
                let transaction = connection.begin_long().await?;
                let erased = caller::erase(&transaction, erasure).await?;
                transaction.commit().await?;
                Ok(erased)
            })
            .await
    }

    async fn export(&self, identity: IdentityKey, now: Timestamp) -> Result<Held, StoreError> {
        self.connections
            .run(Kind::LongRead, |connection| async move {
                let transaction = connection.snapshot().await?;
                let held = read::export(&transaction, &identity, now).await?;
                transaction.commit().await?;
                Ok(held)
            })
            .await
    }

    async fn identities(
        &self,
        after: Option<IdentityKey>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<IdentityKey>, StoreError> {
        let after = after.as_ref();
        self.connections
            .run(Kind::LongRead, |connection| async move {
                let transaction = connection.snapshot().await?;
                let identities = survey::identities(&transaction, after, limit, now).await?;
                transaction.commit().await?;
                Ok(identities)
            })
            .await
    }

    async fn sweep(&self, now: Timestamp) -> Result<Swept, StoreError> {
        sweep::sweep(&self.connections, now).await
    }

    async fn metric_rows(&self, now: Timestamp) -> Result<Vec<MetricRow>, StoreError> {
        self.connections
            .run(Kind::LongRead, |connection| async move {
                let transaction = connection.snapshot().await?;
                let rows = read::metric_rows(&transaction, now).await?;
                transaction.commit().await?;
                Ok(rows)
            })
            .await
    }

    async fn claim(&self, keys: Sealed) -> Result<Sealed, StoreError> {
        let keys = &keys;
        self.connections.run(Kind::Write, |connection| async move { acts::claim(&connection, keys).await }).await
    }

    async fn health(&self, now: Timestamp) -> Result<Health, StoreError> {
        self.connections
            .run(Kind::LongRead, |connection| async move {
                let transaction = connection.snapshot().await?;
                let health = survey::health(&transaction, now).await?;
                transaction.commit().await?;
                Ok(health)
            })
            .await
    }
}

#[async_trait]
impl Sessions for PostgresStore {
    async fn save_session(
        &self,
        session: SavedSession,
        replaces: Replaces,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (statements, session) = (&self.statements, &session);
        self.connections
            .run(Kind::Write, |connection| async move {
                sessions::save(&connection, statements, session, replaces, now).await
            })
            .await
    }

    async fn load_session(
        &self,
        conversation: ConversationKey,
        now: Timestamp,
    ) -> Result<Option<StoredSession>, StoreError> {
        let statements = &self.statements;
        self.connections
            .run(
                Kind::Read,
                |connection| async move { sessions::load(&connection, statements, &conversation, now).await },
            )
            .await
    }

    async fn delete_session(&self, conversation: ConversationKey) -> Result<(), StoreError> {
        let statements = &self.statements;
        self.connections
            .run(
                Kind::Write,
                |connection| async move { sessions::delete(&connection, statements, &conversation).await },
            )
            .await
    }

    async fn overdue_sessions(&self, now: Timestamp, limit: usize) -> Result<Vec<ConversationKey>, StoreError> {
        self.connections
            .run(Kind::Read, |connection| async move { sessions::overdue(&connection, now, limit).await })
            .await
            .map(|overdue| overdue.into_iter().map(|(_, conversation)| conversation).collect())
    }
}

#[async_trait]
impl Agents for PostgresStore {
    async fn publish_agent(
        &self,
        version: AgentVersion,
        bytes: Option<Vec<u8>>,
        now: Timestamp,
    ) -> Result<Published, StoreError> {
        let (version, bytes) = (&version, bytes.as_deref());
        self.connections
            .run(Kind::LongWrite, |connection| async move {
                let transaction = connection.begin_long().await?;
                let published = agents::publish(&transaction, version, bytes, now).await?;
                transaction.commit().await?;
                Ok(published)
            })
            .await
    }

    async fn agents(&self) -> Result<Vec<AgentVersion>, StoreError> {
        self.connections.run(Kind::Read, async |connection| agents::all_current(&connection).await).await
    }

    async fn agent_version(&self, agent: AgentKey, version: VersionKey) -> Result<Option<AgentVersion>, StoreError> {
        self.connections
            .run(Kind::Read, |connection| async move { agents::version(&connection, &agent, &version).await })
            .await
    }

    async fn current_agent(&self, agent: AgentKey) -> Result<Option<AgentVersion>, StoreError> {
        self.connections.run(Kind::Read, |connection| async move { agents::current(&connection, &agent).await }).await
    }

    async fn component(&self, component: ComponentKey) -> Result<Option<Vec<u8>>, StoreError> {
        self.connections
            .run(Kind::LongRead, |connection| async move {
                let transaction = connection.snapshot().await?;
                let bytes = agents::component(&transaction, &component).await?;
                transaction.commit().await?;
                Ok(bytes)
            })
            .await
    }

    async fn withdraw_agent(&self, agent: AgentKey, now: Timestamp) -> Result<bool, StoreError> {
        self.connections
            .run(Kind::Write, |connection| async move {
                let transaction = connection.begin().await?;
                transaction.batch(agents::LOCK).await?;
                let withdrawn = agents::withdraw(&transaction, &agent, now).await?;
                transaction.commit().await?;
                Ok(withdrawn)
            })
            .await
    }
}

#[async_trait]
impl Audit for PostgresStore {
    async fn record_act(&self, act: Act) -> Result<(), StoreError> {
        let act = &act;
        self.connections.run(Kind::Write, |connection| async move { acts::record(&connection, act).await }).await
    }

    async fn acts(
        &self,
        after: Option<(Timestamp, ActId)>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Act>, StoreError> {
        self.connections
            .run(Kind::Read, |connection| async move { acts::after(&connection, after, limit, now).await })
            .await
    }
}

#[async_trait]
impl Transfer for PostgresStore {
    async fn dump(&self, after: Option<Cursor>) -> Result<Dump, StoreError> {
        let position = &Position::read(after.as_ref()).ok_or_else(|| StoreError::Failed {
            place: self.connections.place().to_owned(),
            reason: "a part of a dump was asked for that another store has named".to_owned(),
            effect: Effect::Rejected,
        })?;
        self.connections
            .run(Kind::LongRead, |connection| async move {
                let transaction = connection.snapshot().await?;
                let dump = transfer::dump(&transaction, position).await?;
                transaction.commit().await?;
                Ok(dump)
            })
            .await
    }

    async fn restore(&self, kept: Vec<Kept>) -> Result<(), StoreError> {
        let (statements, kept) = (&self.statements, &kept);
        self.connections
            .run(Kind::LongWrite, |connection| async move {
                let transaction = connection.begin_long().await?;
                transfer::restore(&transaction, statements, kept).await?;
                transaction.commit().await
            })
            .await
    }
}
