//! The host with real components: every turn here runs in a sandbox.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test has nobody else to tell")]

mod components;
mod concurrency;
mod damage;
mod endings;
mod invariants;
mod limits;
mod orders;
mod overrun;
mod platform;
mod requests;
mod sandbox;
mod sealing;
mod turns;
mod versions;
mod workers;
