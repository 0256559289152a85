//! How long a running conversation is kept (P4).

use crate::timestamp::{HOUR, Timestamp};

/// How long after a conversation's last activity its session is deleted, in seconds.
pub const SESSION_LIFETIME: i64 = 24 * HOUR;

/// When a session is to be deleted if nothing happens after `now`. To the second: it dies with the conversation (P1).
pub(crate) fn session_expiry(now: Timestamp) -> Timestamp {
    now.saturating_add(SESSION_LIFETIME)
}
