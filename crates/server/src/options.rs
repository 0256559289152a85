//! How to serve.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use agent_memory_host::Limits;
use agent_memory_host::workers::WorkerOptions;

use crate::CompilerCommand;

/// The longest that a conversation may be left alone before it is ended: it has to be before its session is deleted, a
/// day after its last turn (rule P4), with time left to try again if the store is away.
pub const MOST_IDLE: Duration = Duration::from_secs(23 * 60 * 60);

/// How to serve.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen. Port 0 is any that is free.
    pub listen: SocketAddr,
    /// The file of tokens. Without one the service only listens on its own machine, and whoever reaches it may do
    /// everything.
    pub tokens: Option<PathBuf>,
    /// The certificate and its key. Without them requests travel unencrypted.
    pub tls: Option<TlsFiles>,
    /// How many requests a client may make each second. None: any number. Default: 1,000.
    pub requests_per_second: Option<NonZeroU32>,
    /// After how long without a call a conversation is ended: from a second to [`MOST_IDLE`]. Default: 30 minutes.
    pub idle: Duration,
    /// How often what has expired is deleted. None: never, because somebody else does it. Default: once an hour.
    pub sweep_every: Option<Duration>,
    /// The folder for compiled code.
    pub code_cache: PathBuf,
    /// How to start a process that compiles components. None: they are compiled in this process, which is only for
    /// components that are trusted.
    pub compiler: Option<CompilerCommand>,
    /// The processes that functions run in: see [`agent_memory_host::workers`]. None, the default: this one.
    pub workers: Option<WorkerOptions>,
    /// What a turn may use.
    pub limits: Limits,
}

/// A certificate and its key, in PEM.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The chain of certificates.
    pub certificate: PathBuf,
    /// The key.
    pub key: PathBuf,
}

impl Options {
    /// The defaults.
    pub fn new(listen: SocketAddr, code_cache: PathBuf) -> Self {
        Self {
            listen,
            tokens: None,
            tls: None,
            requests_per_second: NonZeroU32::new(1000),
            idle: Duration::from_secs(30 * 60),
            sweep_every: Some(Duration::from_secs(60 * 60)),
            code_cache,
            compiler: None,
            workers: None,
            limits: Limits::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use agent_memory_host::keys::Keys;
    use agent_memory_host::store::MemoryStore;

    use super::*;
    use crate::{ServeError, Server};

    #[tokio::test]
    async fn p4_conversations_have_to_be_ended_before_their_sessions_are_deleted() {
        let cache = tempfile::tempdir().unwrap();
        let mut options = Options::new("127.0.0.1:0".parse().unwrap(), cache.path().into());
        for idle in [Duration::ZERO, Duration::from_millis(999), MOST_IDLE + Duration::from_secs(1), Duration::MAX] {
            options.idle = idle;
            let served = Server::bind(Arc::new(MemoryStore::new()), Keys::ephemeral(), options.clone()).await;
            assert!(matches!(served.err(), Some(ServeError::Idle { .. })), "{idle:?}");
        }
        options.idle = MOST_IDLE;
        Server::bind(Arc::new(MemoryStore::new()), Keys::ephemeral(), options).await.unwrap();
    }
}
