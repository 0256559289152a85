//! What keys are called, and how long they live.

use agent_memory_store::{ConversationKey, IdentityKey, InteractionId, Timestamp};

/// How many buckets there are.
pub(crate) const BUCKETS: u16 = 4096;

/// For how many seconds a key lives at least: what has expired on its arrival is not refused by the server.
const SHORTEST: i64 = 60;

/// For how many seconds a key lives at most: a hundred years.
const LONGEST: i64 = 100 * 365 * 24 * 3600;

/// The first part of the names of a store's keys.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    prefix: String,
}

impl Names {
    pub(crate) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    pub(crate) fn bucket(&self, bucket: u16) -> Vec<u8> {
        format!("{}{{{bucket:04x}}}", self.prefix).into_bytes()
    }

    /// Where the store keeps what it knows of itself.
    pub(crate) fn root(&self) -> Vec<u8> {
        format!("{}{{store}}", self.prefix).into_bytes()
    }

    /// Where agents are kept, and acts.
    pub(crate) fn agents(&self) -> Vec<u8> {
        format!("{}{{agents}}", self.prefix).into_bytes()
    }
}

/// The name of a key in a bucket.
pub(crate) fn key(base: &[u8], kind: &str, name: &[u8]) -> Vec<u8> {
    [base, kind.as_bytes(), name].concat()
}

pub(crate) fn bucket_of_caller(identity: &IdentityKey) -> u16 {
    bucket(&identity.0)
}

pub(crate) fn bucket_of_conversation(conversation: &ConversationKey) -> u16 {
    bucket(&conversation.0)
}

/// Only for what is moved from another store: otherwise an interaction is in its caller's bucket.
pub(crate) fn bucket_of_interaction(interaction: &InteractionId) -> u16 {
    bucket(&interaction.0)
}

/// The first 12 bits, so that buckets are in the order of keys.
fn bucket(key: &[u8]) -> u16 {
    match key {
        [first, second, ..] => u16::from_be_bytes([*first, *second]) >> 4,
        _ => 0,
    }
}

/// For how many seconds of the server's clock something lives.
pub(crate) fn ttl(expires: Timestamp, now: Timestamp) -> i64 {
    expires.saturating_sub(now).clamp(SHORTEST, LONGEST)
}

/// A time as a score of a sorted set, as the library makes it.
pub(crate) fn score(time: Timestamp) -> String {
    const EXACT: Timestamp = 1 << 53;
    match time {
        EXACT.. => "+inf".to_owned(),
        ..-9_007_199_254_740_992 => "-inf".to_owned(),
        _ => time.to_string(),
    }
}

/// The full hour that a time is in (P1).
pub(crate) fn hour_of(time: Timestamp) -> Timestamp {
    time.saturating_sub(time.rem_euclid(3600))
}

/// The first second of the UTC day that a time is in.
pub(crate) fn day_of(time: Timestamp) -> Timestamp {
    time.saturating_sub(time.rem_euclid(24 * 3600))
}
