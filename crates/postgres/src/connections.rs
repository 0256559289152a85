//! Connections: a pool, the queue before it, and how often something is tried.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use agent_memory_store::{Effect, StoreError};
use deadpool_postgres::{Connect, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError},
    task::JoinHandle,
    time::timeout,
};
use tokio_postgres::{AsyncMessage, Client, Config, Error, Row, Statement, types::ToSql};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{
    failure::{Attempt, Failure, from_connecting},
    settings::Settings,
    tls,
};

/// How often something is tried that can be repeated.
const TRIES: u32 = 10;

/// What the network may take besides what the server may take.
const GRACE: Duration = Duration::from_secs(2);

/// For how long the server may work on what reads or deletes much.
const LONG: Duration = Duration::from_secs(600);

/// A parameter of a statement.
pub(crate) type Parameter<'a> = &'a (dyn ToSql + Sync);

/// What an operation is like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It only reads, and can be repeated however it ended.
    Read,
    /// It reads much.
    LongRead,
    /// It writes.
    Write,
    /// It writes or deletes much.
    LongWrite,
}

/// The connections of a store.
pub(crate) struct Connections {
    pool: Pool,
    /// One permit for each connection that there may be.
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
    settings: Settings,
}

/// A connection that is in use.
#[derive(Clone)]
pub(crate) struct Connection(Arc<Lease>);

struct Lease {
    object: Option<Object>,
    /// Whether it must not be used again: nobody knows what it is in the middle of.
    spoiled: AtomicBool,
    _permit: OwnedSemaphorePermit,
}

/// A transaction of several statements, which ends with the connection unless it is committed.
pub(crate) struct Transaction<'a>(&'a Connection);

impl Connections {
    /// Connects to nothing yet. An error says what is wrong with the certificates.
    pub(crate) fn new(settings: Settings) -> Result<Self, StoreError> {
        let unavailable = |reason| StoreError::Unavailable { place: settings.place.clone(), reason };
        let tls = tls::connector(&settings.verification).map_err(unavailable)?;
        let config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_connect(settings.driver.clone(), Connector { tls }, config);
        let pool = Pool::builder(manager).max_size(settings.pool_size).build();
        let pool = pool.map_err(|error| unavailable(error.to_string()))?;
        let permits = Arc::new(Semaphore::new(settings.pool_size));
        Ok(Self { pool, permits, waiting: AtomicUsize::new(0), settings })
    }

    pub(crate) fn place(&self) -> &str {
        &self.settings.place
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Does something on a connection, again if that is safe and may help.
    pub(crate) async fn run<T, F, A>(&self, kind: Kind, operation: F) -> Result<T, StoreError>
    where
        F: Fn(Connection) -> A,
        A: Future<Output = Attempt<T>>,
    {
        let only_reads = matches!(kind, Kind::Read | Kind::LongRead);
        let deadline = GRACE
            + match kind {
                Kind::Read | Kind::Write => self.settings.statement_timeout,
                Kind::LongRead | Kind::LongWrite => LONG,
            };
        let mut tries = 0;
        loop {
            tries += 1;
            let connection = self.get().await?;
            match timeout(deadline, operation(connection.clone())).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(failure)) => {
                    if failure.spoils_connection() {
                        connection.spoil();
                    }
                    if tries == TRIES || !failure.can_be_repeated(only_reads) {
                        return Err(failure.into_error(self.place(), only_reads));
                    }
                }
                Err(_) => {
                    connection.spoil();
                    return Err(StoreError::Failed {
                        place: self.place().to_owned(),
                        reason: format!("there was no answer for {} s", deadline.as_secs()),
                        effect: if only_reads { Effect::Rejected } else { Effect::Unknown },
                    });
                }
            }
        }
    }

    /// A connection that nobody else uses.
    async fn get(&self) -> Result<Connection, StoreError> {
        let permit = self.permit().await?;
        // The driver limits how long a host may take to accept a connection, and not how long it may take to greet.
        let driver = &self.settings.driver;
        let hosts = u32::try_from(driver.get_hosts().len()).unwrap_or(u32::MAX);
        let deadline = driver.get_connect_timeout().copied().unwrap_or_default().saturating_mul(hosts) + GRACE;
        let unavailable = |reason| StoreError::Unavailable { place: self.place().to_owned(), reason };
        match timeout(deadline, self.pool.get()).await {
            Ok(Ok(object)) => Ok(Connection(Arc::new(Lease {
                object: Some(object),
                spoiled: AtomicBool::new(false),
                _permit: permit,
            }))),
            Ok(Err(PoolError::Backend(error))) => Err(from_connecting(&error, self.place())),
            Ok(Err(error)) => Err(unavailable(error.to_string())),
            Err(_) => Err(unavailable(format!(
                "it does not answer within {} s: check that it is running, and can be reached from here",
                deadline.as_secs()
            ))),
        }
    }

    /// Waits until there is a connection to be had, unless too many wait already.
    async fn permit(&self) -> Result<OwnedSemaphorePermit, StoreError> {
        match Arc::clone(&self.permits).try_acquire_owned() {
            Ok(permit) => return Ok(permit),
            Err(TryAcquireError::NoPermits | TryAcquireError::Closed) => {}
        }
        let overloaded = || StoreError::Overloaded { place: self.place().to_owned() };
        let waits = Waits::begin(&self.waiting);
        if waits.others >= self.settings.queue {
            return Err(overloaded());
        }
        match timeout(self.settings.queue_timeout, Arc::clone(&self.permits).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(overloaded()),
        }
    }
}

/// That an operation waits, as long as this lives.
struct Waits<'a> {
    waiting: &'a AtomicUsize,
    /// How many waited before.
    others: usize,
}

impl<'a> Waits<'a> {
    fn begin(waiting: &'a AtomicUsize) -> Self {
        Self { others: waiting.fetch_add(1, Ordering::Relaxed), waiting }
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Connection {
    /// A prepared statement, which this connection keeps.
    pub(crate) async fn prepare(&self, sql: &str) -> Attempt<Statement> {
        let object = self.object()?;
        object.prepare_cached(sql).await.map_err(Failure::Undone)
    }

    /// Runs one statement as a transaction of its own.
    pub(crate) async fn query(&self, sql: &str, parameters: &[Parameter<'_>]) -> Attempt<Vec<Row>> {
        let statement = self.prepare(sql).await?;
        self.object()?.query(&statement, parameters).await.map_err(Failure::Unknown)
    }

    /// Runs one statement as a transaction of its own, and answers how many rows it has changed.
    pub(crate) async fn execute(&self, sql: &str, parameters: &[Parameter<'_>]) -> Attempt<u64> {
        let statement = self.prepare(sql).await?;
        self.object()?.execute(&statement, parameters).await.map_err(Failure::Unknown)
    }

    /// Runs a statement between others in a transaction, all of which are sent at once: one round trip. If the
    /// statement fails, nothing is written, and the transaction is over.
    pub(crate) async fn query_and_execute(
        &self,
        (query, query_parameters): (&str, &[Parameter<'_>]),
        (execute, execute_parameters): (&str, &[Parameter<'_>]),
    ) -> Attempt<Vec<Row>> {
        let query = self.prepare(query).await?;
        let execute = self.prepare(execute).await?;
        let object = self.object()?;
        // Polled in this order, they are sent in this order; each answer is waited for, so that nothing is left over.
        let (begun, rows, executed, committed) = tokio::join!(
            biased;
            object.batch_execute("BEGIN"),
            object.query(&query, query_parameters),
            object.execute(&execute, execute_parameters),
            object.batch_execute("COMMIT"),
        );
        begun.map_err(Failure::Unknown)?;
        let rows = rows.map_err(Failure::Unknown)?;
        executed.map_err(Failure::Unknown)?;
        committed.map_err(Failure::Unknown)?;
        Ok(rows)
    }

    /// Begins a transaction that others' writes show in as they are committed.
    pub(crate) async fn begin(&self) -> Attempt<Transaction<'_>> {
        self.begin_by("BEGIN").await
    }

    /// Begins a transaction that sees one moment, and may take long.
    pub(crate) async fn snapshot(&self) -> Attempt<Transaction<'_>> {
        let sql = format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = {}",
            LONG.as_millis()
        );
        self.begin_by(&sql).await
    }

    /// Begins a transaction that may take long.
    pub(crate) async fn begin_long(&self) -> Attempt<Transaction<'_>> {
        self.begin_by(&format!("BEGIN; SET LOCAL statement_timeout = {}", LONG.as_millis())).await
    }

    async fn begin_by(&self, sql: &str) -> Attempt<Transaction<'_>> {
        let object = self.object()?;
        // Until it is committed. Who stops waiting in the middle leaves a connection that is of no use.
        self.0.spoiled.store(true, Ordering::Relaxed);
        object.batch_execute(sql).await.map_err(Failure::Undone)?;
        Ok(Transaction(self))
    }

    fn spoil(&self) {
        self.0.spoiled.store(true, Ordering::Relaxed);
    }

    fn object(&self) -> Attempt<&Object> {
        self.0.object.as_ref().ok_or(Failure::Damaged("a connection was used after its end"))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if *self.spoiled.get_mut() {
            // Out of the pool, and closed.
            drop(self.object.take().map(Object::take));
        }
    }
}

impl Transaction<'_> {
    pub(crate) async fn query(&self, sql: &str, parameters: &[Parameter<'_>]) -> Attempt<Vec<Row>> {
        let statement = self.0.prepare(sql).await?;
        self.0.object()?.query(&statement, parameters).await.map_err(Failure::Undone)
    }

    pub(crate) async fn execute(&self, sql: &str, parameters: &[Parameter<'_>]) -> Attempt<u64> {
        let statement = self.0.prepare(sql).await?;
        self.0.object()?.execute(&statement, parameters).await.map_err(Failure::Undone)
    }

    /// Runs statements without parameters.
    pub(crate) async fn batch(&self, sql: &str) -> Attempt<()> {
        self.0.object()?.batch_execute(sql).await.map_err(Failure::Undone)
    }

    pub(crate) async fn commit(self) -> Attempt<()> {
        self.0.object()?.batch_execute("COMMIT").await.map_err(Failure::Unknown)?;
        self.0.0.spoiled.store(false, Ordering::Relaxed);
        Ok(())
    }
}

/// Makes connections.
struct Connector {
    tls: MakeRustlsConnect,
}

impl Connect for Connector {
    fn connect(
        &self,
        config: &Config,
    ) -> Pin<Box<dyn Future<Output = Result<(Client, JoinHandle<()>), Error>> + Send + '_>> {
        let config = config.clone();
        Box::pin(async move {
            let (client, mut connection) = config.connect(self.tls.clone()).await?;
            let task = tokio::spawn(async move {
                while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
                    if is_unreplicated(&message) {
                        // The answer that follows would say that all is well. Without it, the outcome is unknown.
                        return;
                    }
                }
            });
            Ok((client, task))
        })
    }
}

/// Whether the server says that somebody has cancelled a commit's waiting for its synchronous standby: it is on the
/// primary's disk, and nowhere else. The notice is known by the function in the server that sends it, as its text
/// depends on the server's language.
fn is_unreplicated(message: &AsyncMessage) -> bool {
    matches!(message, AsyncMessage::Notice(notice) if notice.routine() == Some("SyncRepWaitForLSN"))
}
