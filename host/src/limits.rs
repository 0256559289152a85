//! What a turn may use.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What one turn may use, and how large what it leaves may be. A turn that wants more is stopped, except where an
/// error can be given to the function instead (rule V5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Limits {
    /// How long a turn may run. Answers that it waits for do not count. Default: 5 s.
    pub turn_time: Duration,
    /// How much memory a turn may have, in bytes. Default: 96 MiB. JavaScript does not collect what is
    /// no longer used before it has some 60.
    pub memory_bytes: usize,
    /// How much a turn may hand over in what it says, asks for, logs and returns, in bytes, and how large all metrics
    /// of a conversation may be together. Default: 1 MiB.
    pub output_bytes: usize,
    /// The longest key, in bytes (V5). Default: 128.
    pub key_bytes: u32,
    /// The largest value under a memory key, in bytes (V5). Default: 8 KiB.
    pub value_bytes: u32,
    /// How many `state_keys` a configuration may list (V5). Default: 64.
    pub state_keys: u32,
    /// The largest state, keys and values together, in bytes (V5). Default: 256 KiB.
    pub state_bytes: u32,
    /// How many turns may run at once. More wait, and the agent that has the fewest running is the next. Default: 64.
    pub concurrent_turns: u32,
    /// How long a turn waits until it may run. Then it is refused as [`Busy`](crate::Busy), and has left no trace. Default: 10 s.
    pub longest_wait: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            turn_time: Duration::from_secs(5),
            memory_bytes: 96 << 20,
            output_bytes: 1 << 20,
            key_bytes: 128,
            value_bytes: 8 << 10,
            state_keys: 64,
            state_bytes: 256 << 10,
            concurrent_turns: 64,
            longest_wait: Duration::from_secs(10),
        }
    }
}
