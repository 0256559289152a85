//! Administrative acts, as a store keeps them.

use serde::{Deserialize, Serialize};

use crate::{Sealed, Timestamp};

/// An administrative act's random id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ActId(pub [u8; 16]);

/// Something that an administrator did: an erasure, an export, a sweep. It has nothing that leads to a caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// Its random id.
    pub id: ActId,
    /// The hour in which it was done (P1).
    pub at: Timestamp,
    /// When it is to be forgotten.
    pub expires: Timestamp,
    /// What it was.
    pub record: Sealed,
}
