//! The connections to the cluster.

use std::{
    fs,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use agent_memory_store::{Effect, StoreError};
use redis::{
    Cmd, Pipeline, RedisResult, TlsCertificates, TlsMode, Value,
    cluster::ClusterClient,
    cluster_async::ClusterConnection,
    cluster_routing::{MultipleNodeRoutingInfo, ResponsePolicy, Route, RoutingInfo, SingleNodeRoutingInfo, SlotAddr},
};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{
    bytes::{Damaged, Decoded},
    failure::{Failure, Intent, not_opened},
    library::Library,
    server::suitable,
    settings::{Durability, Settings, address},
};

/// The connections to a cluster.
///
/// All reads, and writes that nobody waits for to arrive elsewhere, share one connection to each node. A `WAIT` holds
/// up its connection and concerns what was written through it. So writes that have to arrive elsewhere have connections
/// of their own, one for each that is under way, and their `WAIT` is sent right behind them.
pub(crate) struct Cluster {
    settings: Settings,
    place: String,
    client: ClusterClient,
    library: Library,
    shared: ClusterConnection,
    idle: Mutex<Vec<ClusterConnection>>,
    connections: Semaphore,
    queue: Semaphore,
}

impl Cluster {
    pub(crate) async fn connect(settings: Settings) -> Result<Self, StoreError> {
        let place = settings.place();
        let client = client(&settings, &place)?;
        let shared = client.get_async_connection().await.map_err(|error| not_opened(&place, &settings, &error))?;
        let cluster = Self {
            connections: Semaphore::new(settings.connections),
            queue: Semaphore::new(settings.queue),
            idle: Mutex::default(),
            library: Library::new(),
            settings,
            place,
            client,
            shared,
        };
        cluster.check_servers().await?;
        match cluster.load_library(RoutingInfo::MultiNode(on_all_primaries())).await {
            // A server that is full takes no functions. It may have them, and what is there can be erased with them; if
            // not, they are sent again when they are first called.
            Ok(()) | Err(StoreError::Full { .. }) => Ok(cluster),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// Lets an operation in, unless there are too many.
    pub(crate) fn enter(&self) -> Result<SemaphorePermit<'_>, StoreError> {
        self.queue.try_acquire().map_err(|_| StoreError::Overloaded { place: self.place.clone() })
    }

    /// Whether what was found has to be written once more, so that it is waited for.
    pub(crate) fn touch(&self) -> &'static [u8] {
        if self.settings.durability == Durability::Async { b"0" } else { b"1" }
    }

    /// Calls a function that only reads.
    pub(crate) async fn read(&self, base: &[u8], function: &str, arguments: &[&[u8]]) -> Result<Value, StoreError> {
        self.run(base, self.library.call(function, base, arguments), Intent::Read).await
    }

    /// Calls a function that writes.
    pub(crate) async fn write(&self, base: &[u8], function: &str, arguments: &[&[u8]]) -> Result<Value, StoreError> {
        self.run(base, self.library.call(function, base, arguments), Intent::Write).await
    }

    /// Sends a command that only reads to whoever has a bucket.
    pub(crate) async fn ask(&self, base: &[u8], command: Cmd) -> Result<Value, StoreError> {
        self.run(base, command, Intent::Read).await
    }

    /// Sends a command that writes to whoever has a bucket.
    pub(crate) async fn tell(&self, base: &[u8], command: Cmd) -> Result<Value, StoreError> {
        self.run(base, command, Intent::Write).await
    }

    /// What was read, unless it makes no sense.
    pub(crate) fn sound<T>(&self, decoded: Decoded<T>) -> Result<T, StoreError> {
        let damaged = |Damaged(what)| StoreError::Damaged { place: self.place.clone(), what: what.to_owned() };
        decoded.map_err(damaged)
    }

    /// What went wrong behind something that was done already.
    pub(crate) fn half_done(&self, error: StoreError) -> StoreError {
        match error.effect() {
            Effect::Unknown => error,
            Effect::Rejected => StoreError::Failed {
                place: self.place.clone(),
                reason: format!("only a part was done, because {error}: try again"),
                effect: Effect::Unknown,
            },
        }
    }

    async fn run(&self, base: &[u8], command: Cmd, intent: Intent) -> Result<Value, StoreError> {
        match self.run_once(base, command.clone(), intent).await {
            // A primary that has come to the cluster since does not know the functions yet.
            Err(Failure::NoFunction) => {
                let route = SingleNodeRoutingInfo::SpecificNode(Route::with_key(base, SlotAddr::Master));
                self.load_library(RoutingInfo::SingleNode(route)).await?;
                self.run_once(base, command, intent).await.map_err(|failure| failure.told(&self.settings, intent))
            }
            result => result.map_err(|failure| failure.told(&self.settings, intent)),
        }
    }

    async fn run_once(&self, base: &[u8], command: Cmd, intent: Intent) -> Result<Value, Failure> {
        let route = SingleNodeRoutingInfo::SpecificNode(Route::with_key(base, SlotAddr::Master));
        if intent == Intent::Read || self.settings.durability == Durability::Async {
            let answer = self.shared.clone().route_command(command, RoutingInfo::SingleNode(route)).await;
            return checked(answer?);
        }
        let mut pipeline = Pipeline::with_capacity(2);
        pipeline.add_command(command).add_command(self.acknowledgement());
        let mut values = self.exclusively(pipeline, route).await?.into_iter();
        let answer = checked(values.next().unwrap_or_default())?;
        self.acknowledged(checked(values.next().unwrap_or_default())?)?;
        Ok(answer)
    }

    /// Sends a pipeline through a connection that nobody else uses meanwhile.
    async fn exclusively(&self, pipeline: Pipeline, route: SingleNodeRoutingInfo) -> Result<Vec<Value>, Failure> {
        let turn = tokio::time::timeout(self.settings.timeout, self.connections.acquire()).await;
        let Ok(Ok(_turn)) = turn else { return Err(Failure::Crowded) };
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.client.get_async_connection().await.map_err(Failure::NotConnected)?,
        };
        let answer = connection.route_pipeline(pipeline, 0, 2, route).await;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        Ok(answer?)
    }

    /// The command that waits until what was written has arrived where it has to.
    fn acknowledgement(&self) -> Cmd {
        let milliseconds = u64::try_from(self.settings.acknowledge.as_millis()).unwrap_or(u64::MAX);
        let replicas = self.settings.replicas;
        let mut command;
        match self.settings.durability {
            Durability::Async | Durability::Replica => {
                command = redis::cmd("WAIT");
                command.arg(replicas);
            }
            Durability::Aof => {
                command = redis::cmd("WAITAOF");
                command.arg(1).arg(0);
            }
            Durability::ReplicaAof => {
                command = redis::cmd("WAITAOF");
                command.arg(1).arg(replicas);
            }
        }
        command.arg(milliseconds);
        command
    }

    fn acknowledged(&self, answer: Value) -> Result<(), Failure> {
        let replicas = i64::from(self.settings.replicas);
        let enough = match (self.settings.durability, answer) {
            (Durability::Replica, Value::Int(found)) => found >= replicas,
            (Durability::Aof, Value::Array(found)) => matches!(found[..], [Value::Int(1..), _]),
            (Durability::ReplicaAof, Value::Array(found)) => {
                matches!(found[..], [Value::Int(1..), Value::Int(there)] if there >= replicas)
            }
            _ => false,
        };
        if enough { Ok(()) } else { Err(Failure::Unacknowledged) }
    }

    /// Puts the functions into servers.
    async fn load_library(&self, routing: RoutingInfo) -> Result<(), StoreError> {
        let answer = self.shared.clone().route_command(self.library.load(), routing).await;
        let loaded = answer.map_err(Failure::from).and_then(checked);
        loaded.map(drop).map_err(|failure| failure.told(&self.settings, Intent::Read))
    }

    /// Refuses servers that cannot keep a store: all primaries have to say of themselves that they can, and every
    /// replica that answers, because it may be a primary tomorrow.
    async fn check_servers(&self) -> Result<(), StoreError> {
        let primaries = self.describe(MultipleNodeRoutingInfo::AllMasters).await;
        let mut texts = primaries.map_err(|error| not_opened(&self.place, &self.settings, &error))?;
        if texts.is_empty() {
            return self.sound(Err(Damaged("a server tells nothing of itself")));
        }
        // A replica that is away or stands still holds up nobody for long.
        let all = tokio::time::timeout(self.settings.connect, self.describe(MultipleNodeRoutingInfo::AllNodes)).await;
        if let Ok(Ok(all)) = all {
            texts.extend(all);
        }
        let unsuitable = |reason| StoreError::UnsuitableServer { place: self.place.clone(), reason };
        texts.iter().try_for_each(|text| suitable(text, self.settings.durability).map_err(unsuitable))
    }

    /// What servers say of themselves.
    async fn describe(&self, servers: MultipleNodeRoutingInfo) -> RedisResult<Vec<String>> {
        let mut command = redis::cmd("INFO");
        command.arg("server").arg("memory").arg("persistence");
        let answer = self.shared.clone().route_command(command, RoutingInfo::MultiNode((servers, None))).await?;
        let mut texts = Vec::new();
        collect_texts(&answer, &mut texts);
        Ok(texts)
    }
}

fn checked(value: Value) -> Result<Value, Failure> {
    Ok(value.extract_error()?)
}

fn on_all_primaries() -> (MultipleNodeRoutingInfo, Option<ResponsePolicy>) {
    (MultipleNodeRoutingInfo::AllMasters, Some(ResponsePolicy::AllSucceeded))
}

fn client(settings: &Settings, place: &str) -> Result<ClusterClient, StoreError> {
    let unavailable = |reason: String| StoreError::Unavailable { place: place.to_owned(), reason };
    let scheme = if settings.tls { "rediss" } else { "redis" };
    let nodes = settings.nodes.iter().map(|(host, port)| format!("{scheme}://{}", address(host, *port)));
    let mut builder = ClusterClient::builder(nodes)
        .use_protocol(redis::ProtocolVersion::RESP3)
        // They end when the time for the whole is over. The wait does not grow: it is counted in 64 bits, which a growing
        // one would leave.
        .retries(u32::MAX)
        .min_retry_wait(10)
        .max_retry_wait(200)
        .retry_wait_formula(200, 1)
        .connection_timeout(settings.connect)
        // Half of it: an attempt at a server that has fallen silent leaves time for another.
        .response_timeout(settings.timeout / 2 + Duration::from_millis(1))
        .overall_response_timeout(Some(settings.timeout));
    if let Some(user) = &settings.user {
        builder = builder.username(user);
    }
    if let Some(password) = &settings.password {
        builder = builder.password(password);
    }
    if settings.tls {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // Another thread may be faster, which is as good.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        builder = builder.tls(TlsMode::Secure);
    }
    if let Some(path) = &settings.ca {
        let root_cert = fs::read(path).map_err(|error| unavailable(format!("{}: {error}", path.display())))?;
        builder = builder.certs(TlsCertificates { client_tls: None, root_cert: Some(root_cert) });
    }
    builder.build().map_err(|error| unavailable(format!("no connection can be set up ({})", error.category())))
}

fn collect_texts(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::Map(pairs) => pairs.iter().for_each(|(_, value)| collect_texts(value, texts)),
        Value::Array(values) => values.iter().for_each(|value| collect_texts(value, texts)),
        Value::VerbatimString { text, .. } => texts.push(text.clone()),
        Value::BulkString(bytes) => texts.push(String::from_utf8_lossy(bytes).into_owned()),
        _ => {}
    }
}
