//! What can go wrong with a store.

use std::path::PathBuf;

/// What an operation that failed has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: it can be tried again, or left.
    Rejected,
    /// It may have happened or not. Every operation of a store can be repeated safely to find out.
    Unknown,
}

/// Why a store did not do what it was asked to. No message holds an identifier, a key's value or a caller's data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The URL names no store that this build knows.
    #[error("{url:?} names no store: use `memory:` or `sqlite:PATH`")]
    UnknownUrl {
        /// What was given, without any password.
        url: String,
    },
    /// The file is not one of this store's.
    #[error("{path} is no Agent Memory store ({reason}): name another file, or move this one away")]
    NotAStore {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        reason: String,
    },
    /// The file was written by a newer version.
    #[error("{path} has format {found}, and this version knows formats up to {known}: upgrade agent-memory")]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format known.
        known: u32,
    },
    /// The database engine has a bug that loses data.
    #[error("SQLite {found} can lose commits; {needed} or newer is needed: build with the bundled SQLite")]
    OutdatedEngine {
        /// The engine's version.
        found: String,
        /// The oldest that will do.
        needed: String,
    },
    /// The store cannot be opened or reached.
    #[error("the store at {place} cannot be used: {reason}")]
    Unavailable {
        /// Where it is.
        place: String,
        /// Why not, and what to do.
        reason: String,
    },
    /// The server is too old for it, or not set up for it.
    #[error("the server at {place} cannot keep a store: {reason}")]
    UnsuitableServer {
        /// Where it is.
        place: String,
        /// What it lacks, and what to do.
        reason: String,
    },
    /// More is asked for at once than may wait.
    #[error("the store at {place} is overloaded: too many operations wait for it; try again later, or give it more")]
    Overloaded {
        /// Where it is.
        place: String,
    },
    /// There is no room left.
    #[error("the store at {place} has no room left: free some space, then try again; nothing was lost")]
    Full {
        /// Where it is.
        place: String,
    },
    /// The store may be read and not written.
    #[error("the store at {place} is read-only: make it writable, then try again")]
    ReadOnly {
        /// Where it is.
        place: String,
    },
    /// What was read makes no sense.
    #[error("the store at {place} is damaged ({what}): restore it from a backup")]
    Damaged {
        /// Where it is.
        place: String,
        /// What is wrong, without what was read.
        what: String,
    },
    /// One of several stores that are used as one failed.
    #[error("shard {shard:?}: {error}")]
    Shard {
        /// Its name in the map.
        shard: String,
        /// How it failed.
        error: Box<StoreError>,
        /// What the operation has done on all of them.
        effect: Effect,
    },
    /// A store is one of several by another map, or cannot be one of them.
    #[error("shard {shard:?} does not go with this map: {reason}")]
    OtherMap {
        /// Its name in the map.
        shard: String,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// An operation failed in a way that has no name of its own.
    #[error("the store at {place} failed: {reason}")]
    Failed {
        /// Where it is.
        place: String,
        /// What the engine said.
        reason: String,
        /// What the operation has done.
        effect: Effect,
    },
}

impl StoreError {
    /// What the operation has done.
    pub fn effect(&self) -> Effect {
        match self {
            Self::Failed { effect, .. } | Self::Shard { effect, .. } => *effect,
            _ => Effect::Rejected,
        }
    }

    /// Whether what was read makes no sense, in this store or in one of several. No further attempt will do better then.
    pub fn is_damaged(&self) -> bool {
        match self {
            Self::Damaged { .. } => true,
            Self::Shard { error, .. } => error.is_damaged(),
            _ => false,
        }
    }
}
