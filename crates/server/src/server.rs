//! The service, from the socket to the last answer.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use agent_memory_host::keys::Keys;
use agent_memory_host::store::Backend;
use agent_memory_host::{ActKind, AgentDefinition, BuildError, Runtime, SystemClock};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use hyper_util::rt::TokioTimer;
use jiff::SignedDuration;

use crate::access::Tokens;
use crate::agents::Agents;
use crate::analytics::Figures;
use crate::compiler::Compiler;
use crate::connection::Guarded;
use crate::conversations::Conversations;
use crate::observability::Observations;
use crate::rate::{Large, Rate};
use crate::service::{Service, Shared};
use crate::{MOST_IDLE, Options, Problem, TlsFiles, TokenError, routes, upkeep};

/// How long the head of a request may take to arrive.
const HEAD_TIME: Duration = Duration::from_secs(10);

/// How many connections there may be at once, if the process may open twice as many files.
const CONNECTIONS: u64 = 10_000;

/// How many publications, and how many imports, are served at once.
const LARGE_AT_ONCE: usize = 2;

/// How long requests that are being served may take once the service is to stop.
const GRACE: Duration = Duration::from_secs(30);

/// A service that listens.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<RustlsConfig>,
    service: Service,
}

/// Why the service does not serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Others could reach it, and it has no tokens.
    #[error(
        "{address} can be reached from other machines, and there are no tokens: make one with `agent-memory token`, and name its file with --tokens"
    )]
    Unprotected {
        /// Where it was to listen.
        address: SocketAddr,
    },
    /// Conversations would be ended at once, or not before they are deleted.
    #[error(
        "conversations cannot be ended after {} seconds without a call: allow them from 1 second to {} seconds, before \
         their sessions are deleted",
        idle.as_secs_f64(), MOST_IDLE.as_secs()
    )]
    Idle {
        /// After how long they were to be ended.
        idle: Duration,
    },
    /// The tokens cannot be used.
    #[error(transparent)]
    Tokens(#[from] TokenError),
    /// The address cannot be used.
    #[error("nobody can listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The certificate cannot be used.
    #[error("the certificate {path} and its key cannot be used: {source}", path = path.display())]
    Certificate {
        /// The certificate.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The sandbox cannot be set up.
    #[error(transparent)]
    Runtime(#[from] BuildError),
    /// The connection to the network failed.
    #[error("the service has stopped: {0}")]
    Stopped(#[source] io::Error),
}

impl Server {
    /// Sets the service up, and listens. Nothing is answered before it [runs](Server::run).
    ///
    /// # Errors
    /// If the address, the idle time, the tokens, the certificate, the store or the sandbox cannot be used, and if others
    /// could reach a service that has no tokens.
    pub async fn bind(store: Arc<dyn Backend>, keys: Keys, options: Options) -> Result<Self, ServeError> {
        let Options {
            listen,
            tokens,
            tls,
            requests_per_second,
            idle,
            sweep_every,
            code_cache,
            compiler,
            workers,
            limits,
        } = options;
        if tokens.is_none() && !listen.ip().is_loopback() {
            return Err(ServeError::Unprotected { address: listen });
        }
        if !(Duration::from_secs(1)..=MOST_IDLE).contains(&idle) {
            return Err(ServeError::Idle { idle });
        }
        let tokens = tokens.as_deref().map(Tokens::open).transpose()?;
        let tls = match tls {
            Some(files) => Some(certificate(files).await?),
            None => None,
        };
        let listening = |source| ServeError::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).map_err(listening)?;
        listener.set_nonblocking(true).map_err(listening)?;
        let address = listener.local_addr().map_err(listening)?;

        let clock = Arc::new(SystemClock);
        let runtime = Runtime::builder(store, keys).clock(clock.clone()).limits(limits).code_cache(&code_cache);
        let runtime = match workers {
            Some(workers) => runtime.workers(workers),
            None => runtime,
        };
        let runtime = runtime.build().await?;
        let observations = Arc::new(Observations::new());
        let agents = Arc::new(Agents::new(runtime.clone(), Compiler::new(compiler, &code_cache)));
        let idle = SignedDuration::try_from(idle).map_err(|_| ServeError::Idle { idle })?;
        let conversations =
            Conversations::new(runtime.clone(), Arc::clone(&agents), clock.clone(), idle, Arc::clone(&observations));
        let figures = Figures::new(runtime.administration(), Arc::clone(&observations));
        let rate = requests_per_second.map(Rate::new);
        let (publications, imports) = (Large::new(LARGE_AT_ONCE), Large::new(LARGE_AT_ONCE));
        let service = Shared {
            runtime,
            clock,
            agents,
            conversations,
            figures,
            observations,
            tokens,
            rate,
            publications,
            imports,
            sweep_every,
        };
        Ok(Self { listener, address, tls, service: Service::new(service) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What answers requests, for who asks without a network.
    #[cfg(feature = "fuzzing")]
    #[doc(hidden)]
    pub fn router(&self) -> axum::Router {
        routes::router(self.service.clone())
    }

    /// Publishes an agent, as `PUT /v1/agents/...` does.
    ///
    /// # Errors
    /// The problem that a client would be told.
    pub async fn publish(&self, definition: AgentDefinition) -> Result<(), Problem> {
        let administration = self.service.runtime.administration();
        let act = administration.begin_act(ActKind::Publish, Some(&definition.scope)).await?;
        self.service.agents.publish(definition).await?;
        administration.complete_act(act, []).await?;
        Ok(())
    }

    /// Serves until it is to stop. Requests that are being served then are answered first.
    ///
    /// # Errors
    /// If the network fails.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<(), ServeError> {
        let upkeep = upkeep::start(&self.service);
        let handle = Handle::new();
        let stopping = handle.clone();
        let stop = tokio::spawn(async move {
            stop.await;
            stopping.graceful_shutdown(Some(GRACE));
        });
        let router = routes::router(self.service);
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let connections = connections();
        let served = match self.tls {
            Some(tls) => {
                let server = axum_server::from_tcp_rustls(self.listener, tls).map_err(ServeError::Stopped)?;
                let mut server = server.map(|inner| Guarded::new(inner, connections, HEAD_TIME));
                be_patient(server.http_builder());
                server.handle(handle).serve(service).await
            }
            None => {
                let server = axum_server::from_tcp(self.listener).map_err(ServeError::Stopped)?;
                let mut server = server.map(|inner| Guarded::new(inner, connections, HEAD_TIME));
                be_patient(server.http_builder());
                server.handle(handle).serve(service).await
            }
        };
        stop.abort();
        upkeep.stop().await;
        served.map_err(ServeError::Stopped)
    }
}

/// The description of the API, as OpenAPI in JSON.
pub fn api_description() -> String {
    routes::description().to_pretty_json().unwrap_or_default()
}

/// How many connections there may be at once. Files are left for the store and for compilers.
fn connections() -> usize {
    let files = rlimit::increase_nofile_limit(2 * CONNECTIONS).unwrap_or_else(|error| {
        tracing::warn!(%error, "it is not known how many files this process may open");
        CONNECTIONS
    });
    usize::try_from((files / 2).min(CONNECTIONS)).unwrap_or(usize::MAX)
}

/// Says how long a client may take to ask.
fn be_patient(builder: &mut hyper_util::server::conn::auto::Builder<hyper_util::rt::TokioExecutor>) {
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIME);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(HEAD_TIME).keep_alive_timeout(HEAD_TIME);
}

async fn certificate(TlsFiles { certificate, key }: TlsFiles) -> Result<RustlsConfig, ServeError> {
    // It may be there already, if somebody else in this process has set it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config = RustlsConfig::from_pem_file(&certificate, &key).await;
    config.map_err(|source| ServeError::Certificate { path: certificate, source })
}
