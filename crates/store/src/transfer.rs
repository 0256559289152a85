//! From one store to another.

mod copy;
mod kept;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

pub use self::copy::{Copied, CopyError, Tally, copy};
pub use self::kept::{Kept, KeptCaller, KeptMark, KeptRow, MarkRecord, Remembered};
use crate::StoreError;

/// Gives all that a store keeps, and takes what another has given.
#[async_trait]
pub trait Transfer: Send + Sync + 'static {
    /// A part of all that the store keeps: the first, or the one that comes after another. Whoever reads part after
    /// part gets each thing exactly once, expired or not, if nobody writes meanwhile. Callers come before metric rows.
    async fn dump(&self, after: Option<Cursor>) -> Result<Dump, StoreError>;

    /// Puts things in, in place of what is there under the same keys. It can be repeated, and it may do a part of it
    /// before an error. Of [`Kept::Totals`] the count of erasures is raised and never lowered, and keys that are
    /// [claimed](crate::Store::claim) already stay. Callers have to come before their metric rows, as in a dump.
    async fn restore(&self, kept: Vec<Kept>) -> Result<(), StoreError>;

    /// What the engine itself finds wrong with how it keeps everything, in its words, which never have what is kept.
    /// By default nothing, for an engine that has no such check or makes it whenever it reads.
    async fn integrity(&self) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }
}

/// A part of all that a store keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dump {
    /// What is in it. It may be nothing, also if there is more to come.
    pub kept: Vec<Kept>,
    /// Where the next part begins. None: that was all.
    pub next: Option<Cursor>,
}

/// Where a part of a dump begins. Only the store that has made it can read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor(#[serde(with = "serde_bytes")] pub Vec<u8>);
