//! One readable example for each rule, named by its number, and properties for each family of rules.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "these are tests")]

mod commit;
mod configuration;
mod identifier;
mod interaction;
mod memory;
mod patch;
mod privacy;
mod state;
mod support;
mod values;
