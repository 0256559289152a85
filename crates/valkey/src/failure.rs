//! What goes wrong on the way to a server, and what a store says about it.

use agent_memory_store::{Effect, StoreError};
use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::settings::{Durability, Settings};

/// Whether something that failed may have been done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Intent {
    Read,
    Write,
}

/// Why a command has no answer.
pub(crate) enum Failure {
    /// It failed.
    Command(RedisError),
    /// It was carried out, but not everywhere where it had to.
    Unacknowledged,
    /// The server does not know the function.
    NoFunction,
    /// No connection was free in time. Nothing was sent.
    Crowded,
    /// No connection could be made. Nothing was sent.
    NotConnected(RedisError),
}

impl From<RedisError> for Failure {
    fn from(error: RedisError) -> Self {
        let response = ErrorKind::Server(ServerErrorKind::ResponseError);
        let unknown = error.kind() == response && error.detail().is_some_and(|detail| detail == "Function not found");
        if unknown { Self::NoFunction } else { Self::Command(error) }
    }
}

impl Failure {
    /// What a store says about it.
    pub(crate) fn told(self, settings: &Settings, intent: Intent) -> StoreError {
        let place = settings.place();
        let effect = if intent == Intent::Write { Effect::Unknown } else { Effect::Rejected };
        let failed = |reason: String, effect| StoreError::Failed { place: place.clone(), reason, effect };
        match self {
            Self::Unacknowledged => {
                let reason = match settings.durability {
                    Durability::Async | Durability::Replica => format!(
                        "not {} replicas have acknowledged a write within {} ms",
                        settings.replicas,
                        settings.acknowledge.as_millis()
                    ),
                    Durability::Aof | Durability::ReplicaAof => {
                        format!("a write was not on the disks within {} ms", settings.acknowledge.as_millis())
                    }
                };
                failed(format!("{reason}: it may be lost; try again"), Effect::Unknown)
            }
            Self::Crowded => StoreError::Overloaded { place },
            Self::NotConnected(error) => not_opened(&place, settings, &error),
            Self::NoFunction => failed("a server does not keep its functions".to_owned(), Effect::Rejected),
            Self::Command(error) => {
                let code = error.code().unwrap_or_default().to_owned();
                match (error.kind(), code.as_str()) {
                    (_, "OOM") => StoreError::Full { place },
                    (_, "NOAUTH" | "WRONGPASS" | "NOPERM") | (ErrorKind::AuthenticationFailed, _) => {
                        not_opened(&place, settings, &error)
                    }
                    (_, "MISCONF" | "NOREPLICAS" | "READONLY" | "CLUSTERDOWN" | "MASTERDOWN" | "LOADING") => {
                        failed(format!("a server takes no writes ({code}): try again"), effect)
                    }
                    _ if error.is_timeout() => {
                        let within = settings.timeout.as_millis();
                        away(&place, format!("no answer came within {within} ms"), effect)
                    }
                    (ErrorKind::Io | ErrorKind::ClusterConnectionNotFound, _) => {
                        away(&place, "it cannot be reached".to_owned(), effect)
                    }
                    (_, "") => failed(format!("the connection failed ({})", error.category()), effect),
                    (_, code) => failed(format!("a server refused a command ({code})"), effect),
                }
            }
        }
    }
}

/// That a server does not answer.
fn away(place: &str, reason: String, effect: Effect) -> StoreError {
    let place = place.to_owned();
    match effect {
        Effect::Rejected => {
            StoreError::Unavailable { place, reason: format!("{reason}: start it, or check the network") }
        }
        Effect::Unknown => StoreError::Failed { place, reason: format!("{reason}: try again"), effect },
    }
}

/// Why no connection is there.
pub(crate) fn not_opened(place: &str, settings: &Settings, error: &RedisError) -> StoreError {
    let text = error.to_string();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let place = place.to_owned();
    if says(&["cluster support disabled"]) {
        let reason = "it is no cluster: set `cluster-enabled yes`, also for a single server".to_owned();
        return StoreError::UnsuitableServer { place, reason };
    }
    let reason = if error.kind() == ErrorKind::AuthenticationFailed
        || says(&["WRONGPASS", "NOAUTH", "AuthenticationFailed", "uthentication"])
    {
        match &settings.password {
            Some(_) => "the user or the password is wrong",
            None => "it wants a password: put `:password@` or `user:password@` before the host",
        }
    } else if says(&["NOPERM", "No permissions"]) {
        "the user may not do what a store does: docs/valkey.md says what that is"
    } else if says(&["ertificate", "TLS", "tls"]) {
        "no encrypted connection can be made: check its certificate, `ca`, and whether the port is for TLS"
    } else {
        "no connection can be made: start it, or check host, port and network"
    };
    StoreError::Unavailable { place, reason: reason.to_owned() }
}
