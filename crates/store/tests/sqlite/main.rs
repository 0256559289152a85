//! What is particular to the store in a SQLite file.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests panic when something is wrong"
)]

mod crashes;
mod failures;
mod opening;
mod sharing;
mod support;
mod wiping;
