//! The report of a conversation's end.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// What a conversation's end has written, key by key (rule W5). It holds no value and no identifier.
///
/// Serialized, it is the `commit` of the command's JSON output; `metrics` stand beside it there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CommitReport {
    /// How it went.
    pub status: CommitStatus,
    /// Whether the caller has an identifier, or why not (I9).
    #[serde(serialize_with = "identifier")]
    pub identifier: Result<(), NoIdentifier>,
    /// What became of each key that a function set, in the order in which they were first set.
    #[serde(serialize_with = "keys")]
    pub keys: Vec<(String, KeyOutcome)>,
    /// Whether this was the caller's first conversation in the retention window (A1). False without analytics.
    pub first_interaction: bool,
    /// What authors should know of what they store.
    pub warnings: Vec<Warning>,
    /// For a repeat caller, what is recorded of the first interaction (A3). Empty otherwise.
    #[serde(skip)]
    pub metrics: BTreeMap<String, String>,
}

/// How a commit went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CommitStatus {
    /// All that was to be written is written.
    Committed,
    /// There was nobody to remember.
    NoIdentifier,
    /// The configuration has no memory.
    MemoryOff,
    /// Nothing was written: the conversation goes on.
    Preview,
}

/// Why there is no identifier (I9). An ordinary outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoIdentifier {
    /// The configuration has no memory (C5).
    MemoryOff,
    /// There is no caller's number.
    NoCallerNumber,
    /// The caller's number is withheld (I4).
    Withheld,
    /// The configured source yields nothing (I5).
    SourceEmpty,
    /// The identifier is on the blacklist (I7).
    Blacklisted,
}

/// What became of a key that a function set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyOutcome {
    /// It is remembered, until then.
    Kept(Timestamp),
    /// It is not, and why.
    Dropped(DropReason),
}

/// Why a key is not remembered (W5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DropReason {
    /// The caller has no identifier, or memory is off.
    NoIdentifier,
    /// The caller's data was erased after the conversation had begun (E3).
    Erased,
    /// The configuration does not list the key.
    NotInStateKeys,
    /// It was set and then removed (S2).
    Removed,
    /// Its last value was null (V3).
    Null,
    /// Every value was refused (V2, V3, V5).
    NotStorable,
}

/// Something about a stored value that its author should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// What.
    pub code: WarningCode,
    /// The key.
    pub key: String,
}

/// What a stored value may be warned of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum WarningCode {
    /// It is a date-time finer than the hour, or has one as a member (P2).
    FineTimestamp,
}

/// Writes `known`, or the reason.
pub(crate) fn identifier<S: Serializer>(
    identifier: &Result<(), NoIdentifier>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match identifier {
        Ok(()) => serializer.serialize_str("known"),
        Err(reason) => reason.serialize(serializer),
    }
}

fn keys<S: Serializer>(keys: &[(String, KeyOutcome)], serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(keys.len()))?;
    for (key, outcome) in keys {
        map.serialize_entry(key, outcome)?;
    }
    map.end()
}

impl Serialize for KeyOutcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        match self {
            Self::Kept(expires) => {
                map.serialize_entry("kept", &true)?;
                map.serialize_entry("expires_at", expires)?;
            }
            Self::Dropped(reason) => {
                map.serialize_entry("kept", &false)?;
                map.serialize_entry("reason", reason)?;
            }
        }
        map.end()
    }
}
