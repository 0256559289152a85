//! What the errors of the driver and of the server mean to the caller of a store.

use std::{error::Error as _, io, path::PathBuf};

use agent_memory_store::{Effect, StoreError};
use tokio_postgres::{
    Error,
    error::{DbError, Severity, SqlState},
};

/// Why an operation failed, before it is known what that means to its caller.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Before anything could have been written for good.
    Undone(Error),
    /// After something may have been.
    Unknown(Error),
    /// What was read makes no sense. The text never has what was read.
    Damaged(&'static str),
    /// It is not done, for a reason that the caller of the store is told.
    Refused(StoreError),
}

/// The result of something done on a connection.
pub(crate) type Attempt<T> = Result<T, Failure>;

impl Failure {
    /// Whether the same may succeed at once: nothing was written, and the reason may be gone.
    pub(crate) fn can_be_repeated(&self, only_reads: bool) -> bool {
        let lost = |error: &Error| error.code().is_none() || is_left_open(error);
        match self {
            Self::Undone(error) | Self::Unknown(error) if is_conflict(error) => true,
            Self::Undone(error) => lost(error),
            Self::Unknown(error) => only_reads && lost(error),
            Self::Damaged(_) | Self::Refused(_) => false,
        }
    }

    /// Whether the connection must not be used any more.
    pub(crate) fn spoils_connection(&self) -> bool {
        match self {
            Self::Undone(error) | Self::Unknown(error) => {
                let is_final = |code: &SqlState| *code == SqlState::READ_ONLY_SQL_TRANSACTION;
                error.code().is_none_or(is_final) || is_left_open(error)
            }
            Self::Damaged(_) | Self::Refused(_) => false,
        }
    }

    /// What the caller is told.
    pub(crate) fn into_error(self, place: &str, only_reads: bool) -> StoreError {
        let place = place.to_owned();
        let (error, may_have_written) = match self {
            Self::Refused(error) => return error,
            Self::Damaged(what) => return StoreError::Damaged { place, what: what.to_owned() },
            Self::Undone(error) => (error, false),
            Self::Unknown(error) => (error, !only_reads),
        };
        if let Some(said) = error.as_db_error() {
            return from_server(said.code(), said.parsed_severity(), place, may_have_written);
        }
        match may_have_written {
            true => StoreError::Failed {
                place,
                reason: "the connection was lost before the answer came".to_owned(),
                effect: Effect::Unknown,
            },
            false => StoreError::Unavailable { place, reason: "the connection was lost: try again".to_owned() },
        }
    }
}

/// What the caller is told of an error that the server has sent.
fn from_server(code: &SqlState, severity: Option<Severity>, place: String, may_have_written: bool) -> StoreError {
    let failed = |reason: String, effect| StoreError::Failed { place: place.clone(), reason, effect };
    if leaves_open(code, severity) {
        let effect = if may_have_written { Effect::Unknown } else { Effect::Rejected };
        return match is_shutdown(code) {
            true => failed("the server was stopped; try again".to_owned(), effect),
            false => failed(format!("the connection was ended ({}); try again", engine_text(code)), effect),
        };
    }
    // The server says these of statements, all of whose effects it has taken back.
    match *code {
        SqlState::READ_ONLY_SQL_TRANSACTION => StoreError::ReadOnly { place },
        SqlState::DISK_FULL => StoreError::Full { place },
        SqlState::QUERY_CANCELED => {
            failed("the server took too long; try again, or raise `statement_timeout`".to_owned(), Effect::Rejected)
        }
        _ if CONFLICTS.contains(code) => {
            failed("too many others write the same; try again".to_owned(), Effect::Rejected)
        }
        SqlState::INSUFFICIENT_PRIVILEGE => StoreError::Unavailable {
            place,
            reason: "its user may not do that: make it the owner of the store's schema".to_owned(),
        },
        SqlState::UNDEFINED_TABLE | SqlState::UNDEFINED_COLUMN => {
            StoreError::Damaged { place, what: "its tables are not those of this version".to_owned() }
        }
        SqlState::DATA_CORRUPTED | SqlState::INDEX_CORRUPTED => StoreError::Damaged { place, what: engine_text(code) },
        _ => failed(engine_text(code), Effect::Rejected),
    }
}

/// Why no connection was made.
pub(crate) fn from_connecting(error: &Error, place: &str) -> StoreError {
    let place = place.to_owned();
    let unavailable = |reason: String| StoreError::Unavailable { place: place.clone(), reason };
    if let Some(code) = error.code() {
        return unavailable(match *code {
            SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
                "the server refuses the user or the password: check the URL".to_owned()
            }
            SqlState::INVALID_CATALOG_NAME => "there is no such database: create it, or name another".to_owned(),
            SqlState::TOO_MANY_CONNECTIONS => {
                "it takes no more connections: raise its `max_connections`, or lower `pool_size`".to_owned()
            }
            SqlState::CANNOT_CONNECT_NOW | SqlState::ADMIN_SHUTDOWN => {
                "it is starting or stopping: try again".to_owned()
            }
            _ => format!("it refuses connections ({})", engine_text(code)),
        });
    }
    let refused = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    match refused.map(|refused| (refused, refused.kind(), refused.raw_os_error())) {
        // The driver's way to say that no server takes writes.
        Some((_, io::ErrorKind::PermissionDenied, None)) => StoreError::ReadOnly { place },
        Some((refused, io::ErrorKind::TimedOut, _) | (refused, _, Some(_))) => {
            unavailable(format!("it does not answer ({refused}): start it, or check host and port"))
        }
        _ => unavailable(format!("no connection can be made ({error}): check host, `sslmode` and `sslrootcert`")),
    }
}

/// A newer version has made the tables.
pub(crate) fn too_new(place: &str, found: u32, known: u32) -> StoreError {
    StoreError::TooNew { path: PathBuf::from(place), found, known }
}

/// That others' writes were in the way.
const CONFLICTS: [SqlState; 2] = [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED];

/// Whether nothing else is wrong than that others' writes were in the way.
fn is_conflict(error: &Error) -> bool {
    error.code().is_some_and(|code| CONFLICTS.contains(code)) && !is_left_open(error)
}

/// Whether the server ends the connection, or does not say what has become of the statement.
fn is_left_open(error: &Error) -> bool {
    error.as_db_error().is_some_and(|said: &DbError| leaves_open(said.code(), said.parsed_severity()))
}

/// The same. What is so bad that the connection ends may have happened after the transaction was committed; class 08
/// is of connections, and comes from poolers too.
fn leaves_open(code: &SqlState, severity: Option<Severity>) -> bool {
    matches!(severity, Some(Severity::Fatal | Severity::Panic))
        || code.code().starts_with("08")
        || *code == SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN
        || is_shutdown(code)
}

/// Whether the server stops, or starts.
fn is_shutdown(code: &SqlState) -> bool {
    [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN, SqlState::CANNOT_CONNECT_NOW].contains(code)
}

/// The server's own code. Its text is left out: it may quote the statement or what is in it.
fn engine_text(code: &SqlState) -> String {
    format!("PostgreSQL: error {}", code.code())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w4_what_the_server_does_not_answer_for_is_unknown() {
        let error = Some(Severity::Error);
        let told = |code: &str, severity, may_have_written| {
            from_server(&SqlState::from_code(code), severity, "there".to_owned(), may_have_written)
        };
        for (code, severity) in [
            ("08006", error),
            ("08P01", error),
            ("40003", error),
            ("57P01", error),
            // The disk of the log is full after the commit was written to it.
            ("53100", Some(Severity::Panic)),
            ("25006", Some(Severity::Fatal)),
            ("40001", Some(Severity::Fatal)),
            ("57014", Some(Severity::Fatal)),
            ("57P05", Some(Severity::Fatal)),
        ] {
            assert_eq!(told(code, severity, true).effect(), Effect::Unknown, "{code}");
            assert_eq!(told(code, severity, false).effect(), Effect::Rejected, "{code}");
        }
        for code in ["25006", "40001", "40P01", "53100", "57014", "42501", "XX000"] {
            for severity in [error, None] {
                assert_eq!(told(code, severity, true).effect(), Effect::Rejected, "{code}");
            }
        }
        assert!(matches!(told("53100", error, true), StoreError::Full { .. }));
    }
}
