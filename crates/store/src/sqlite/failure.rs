//! What SQLite's errors mean to the caller of a store.

use std::{io, path::PathBuf};

use rusqlite::{ErrorCode, ffi};

use crate::{Effect, StoreError};

/// Why an operation failed, before it is known what that means for the file and for the caller.
#[derive(Debug)]
pub(super) enum Failure {
    /// SQLite said so.
    Engine(rusqlite::Error),
    /// What was read makes no sense. The text never has what was read.
    Damaged(&'static str),
}

/// The result of something done within a transaction.
pub(super) type Attempt<T> = Result<T, Failure>;

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Engine(error)
    }
}

impl Failure {
    /// Whether the connection that it happened on has to be opened anew: what it holds of the file may be stale.
    pub(super) fn spoils_connection(&self) -> bool {
        matches!(
            self.code(),
            Some(
                ErrorCode::SystemIoFailure
                    | ErrorCode::DiskFull
                    | ErrorCode::CannotOpen
                    | ErrorCode::ReadOnly
                    | ErrorCode::DatabaseCorrupt
                    | ErrorCode::NotADatabase
                    | ErrorCode::FileLockingProtocolFailed
            )
        )
    }

    /// Whether another process holds a lock that is needed.
    pub(super) fn is_busy(&self) -> bool {
        matches!(self.code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
    }

    /// What the caller is told. The effect is that of the operation if SQLite's own error does not settle it.
    pub(super) fn into_error(self, place: &str, effect: Effect) -> StoreError {
        let place = place.to_owned();
        let error = match self {
            Self::Damaged(what) => return StoreError::Damaged { place, what: what.to_owned() },
            Self::Engine(error) => error,
        };
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::Full { place },
            Some(ErrorCode::ReadOnly) => StoreError::ReadOnly { place },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                StoreError::Damaged { place, what: engine_text(&error) }
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Failed {
                place,
                reason: "another process is writing; try again".to_owned(),
                effect: Effect::Rejected,
            },
            Some(ErrorCode::CannotOpen) => StoreError::Unavailable {
                place,
                reason: format!("{}: check that it is still there and may be read and written", engine_text(&error)),
            },
            Some(ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied) => StoreError::Unavailable {
                place,
                reason: "access is denied: check who may read and write it".to_owned(),
            },
            Some(_) => StoreError::Failed { place, reason: engine_text(&error), effect },
            // No error of SQLite's: a column does not have the type that the layout gives it.
            None => StoreError::Damaged { place, what: "a column has the wrong type".to_owned() },
        }
    }

    fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Engine(error) => error.sqlite_error_code(),
            Self::Damaged(_) => None,
        }
    }
}

/// What the operating system's refusal to make or look at a file means.
pub(super) fn from_io(error: &io::Error, path: PathBuf) -> StoreError {
    let place = path.display().to_string();
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full { place },
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => StoreError::ReadOnly { place },
        _ => StoreError::Unavailable { place, reason: format!("{error}: check the path") },
    }
}

/// SQLite's own words for an error's kind. Its longer message is left out: it may quote the statement.
fn engine_text(error: &rusqlite::Error) -> String {
    let code = error.sqlite_extended_error_code().unwrap_or(ffi::SQLITE_ERROR);
    format!("SQLite: {} ({code})", ffi::code_to_str(code))
}
