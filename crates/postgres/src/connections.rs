//! Connections: a pool, the queue before it, and how often something is tried.

use std::{
    future::{Future, pending, poll_fn},
    net::SocketAddr,
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
    net::lookup_host,
    sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError},
    task::JoinHandle,
    time::timeout,
};
use tokio_postgres::{
    AsyncMessage, Client, Config, Error, Row, Statement,
    config::{Host, LoadBalanceHosts},
    types::ToSql,
};
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
        let connector = Connector { tls, hosts: settings.hosts.clone() };
        let manager = Manager::from_connect(settings.driver.clone(), connector, config);
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
        let hosts = u32::try_from(self.settings.hosts.len()).unwrap_or(u32::MAX);
        let deadline = patience(&self.settings.driver).saturating_mul(hosts) + GRACE;
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
        self.to_its_end(async {
            let statement = self.prepare(sql).await?;
            self.object()?.query(&statement, parameters).await.map_err(Failure::Unknown)
        })
        .await
    }

    /// Runs one statement as a transaction of its own, and answers how many rows it has changed.
    pub(crate) async fn execute(&self, sql: &str, parameters: &[Parameter<'_>]) -> Attempt<u64> {
        self.to_its_end(async {
            let statement = self.prepare(sql).await?;
            self.object()?.execute(&statement, parameters).await.map_err(Failure::Unknown)
        })
        .await
    }

    /// Waits for an answer. Who stops waiting for it leaves a connection that is of no use: the server may be busy with
    /// the statement for long, and whatever comes next on the connection would wait for that.
    async fn to_its_end<T>(&self, answer: impl Future<Output = Attempt<T>>) -> Attempt<T> {
        let before = self.0.spoiled.swap(true, Ordering::Relaxed);
        let answer = answer.await;
        self.0.spoiled.store(before, Ordering::Relaxed);
        answer
    }

    /// Runs a statement between others in a transaction, all of which are sent at once: one round trip. If the
    /// statement fails, nothing is written, and the transaction is over.
    pub(crate) async fn query_and_execute(
        &self,
        query: (&str, &[Parameter<'_>]),
        execute: (&str, &[Parameter<'_>]),
    ) -> Attempt<Vec<Row>> {
        self.to_its_end(self.send_together(query, execute)).await
    }

    async fn send_together(
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
    /// A prepared statement, which the connection keeps.
    pub(crate) async fn prepare(&self, sql: &str) -> Attempt<Statement> {
        self.0.prepare(sql).await
    }

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

/// Makes connections: to the first host that will do.
///
/// The driver can go through hosts itself, but limits only how long one may take to accept a connection. One that
/// stands still accepts it, and never greets.
struct Connector {
    tls: MakeRustlsConnect,
    hosts: Vec<(Host, u16)>,
}

/// A connection, and the task that reads from it.
type Made = Result<(Client, JoinHandle<()>), Error>;

/// For how long one host may take until it can be used.
fn patience(driver: &Config) -> Duration {
    driver.get_connect_timeout().copied().unwrap_or_default()
}

impl Connect for Connector {
    /// If no host has said why it will not do, this does not end, as `first_made` does not.
    fn connect(&self, config: &Config) -> Pin<Box<dyn Future<Output = Made> + Send + '_>> {
        let config = config.clone();
        Box::pin(async move {
            let hosts = in_order(&config, self.hosts.clone()).into_iter();
            let attempts: Vec<_> = hosts.map(|(host, port)| self.reach(&config, host, port)).collect();
            first_made(patience(&config), attempts).await
        })
    }
}

impl Connector {
    /// Connects to one host. Of several addresses each has its share of the time.
    async fn reach(&self, config: &Config, host: Host, port: u16) -> Made {
        let mut config = config.clone();
        config.port(port);
        let name = match &host {
            Host::Tcp(name) => name,
            #[cfg(unix)]
            Host::Unix(path) => return self.greet(config.host_path(path)).await,
        };
        config.host(name);
        let addresses: Vec<SocketAddr> = match lookup_host((name.as_str(), port)).await {
            Ok(addresses) => addresses.collect(),
            // The driver says what is wrong with the name.
            Err(_) => return self.greet(&config).await,
        };
        let share = patience(&config) / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
        let attempts = in_order(&config, addresses).into_iter().map(|address| {
            let mut config = config.clone();
            config.hostaddr(address.ip());
            async move { self.greet(&config).await }
        });
        first_made(share, attempts.collect()).await
    }

    async fn greet(&self, config: &Config) -> Made {
        let (client, mut connection) = config.connect(self.tls.clone()).await?;
        let task = tokio::spawn(async move {
            while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
                if is_unreplicated(&message) {
                    // The answer that follows would say that all is well. Without it, the outcome is unknown.
                    return;
                }
            }
        });
        // Who waits for a lock and is gone is noticed within a second. It is asked for here, and not with the other
        // settings, as servers on some systems refuse it, and would refuse the connection.
        match client.batch_execute("SET client_connection_check_interval = 1000").await {
            Err(error) if error.code().is_none() => Err(error),
            Ok(()) | Err(_) => Ok((client, task)),
        }
    }
}

/// As they are, or in any order, as the URL has it.
fn in_order<T>(config: &Config, mut all: Vec<T>) -> Vec<T> {
    if config.get_load_balance_hosts() == LoadBalanceHosts::Random {
        all.sort_by_cached_key(|_| getrandom::u32().unwrap_or_default());
    }
    all
}

/// The first connection that one of several attempts makes, each begun after the last and within a time of its own;
/// otherwise why the last that has said so will not do. If none has said why, this does not end: whoever waits for it
/// knows for how long.
async fn first_made(each: Duration, attempts: Vec<impl Future<Output = Made>>) -> Made {
    let mut refused = None;
    for attempt in attempts {
        match timeout(each, attempt).await {
            Ok(Ok(made)) => return Ok(made),
            Ok(Err(error)) => refused = Some(error),
            Err(_) => {}
        }
    }
    match refused {
        Some(error) => Err(error),
        None => pending().await,
    }
}

/// Whether the server says that somebody has cancelled a commit's waiting for its synchronous standby: it is on the
/// primary's disk, and nowhere else. The notice is known by the function in the server that sends it, as its text
/// depends on the server's language.
fn is_unreplicated(message: &AsyncMessage) -> bool {
    matches!(message, AsyncMessage::Notice(notice) if notice.routine() == Some("SyncRepWaitForLSN"))
}
