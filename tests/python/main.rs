//! Agents in Python, built and run in sandboxes.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "tests fail so")]

mod calls;
mod guide;
mod memory;
mod sandbox;
mod scenarios;
mod suite;
mod support;
