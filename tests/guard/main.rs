//! What one turn of things costs, counted rather than timed, so that nothing gets slower by and by: wasmtime's fuel for
//! what runs in guests, and instructions under callgrind for what runs natively.
//!
//! `expected.json` has what is expected. Whatever costs more, or less, than its tolerance allows fails: who made something
//! dearer has to want it, and what was won is to be kept. This accepts what is measured:
//!
//! ```sh
//! AGENT_MEMORY_BLESS=1 cargo test -p agent-memory-tests --test guard
//! ```

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail as tests do")]

#[path = "../benches/support/callers.rs"]
mod callers;
mod expected;
mod guests;
mod natives;
