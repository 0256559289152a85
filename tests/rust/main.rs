//! Functions in Rust on the real host.

#![allow(clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod guide;
mod targets;
