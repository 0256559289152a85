//! The command, run as people run it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test has nobody else to tell")]

mod check;
mod command;
mod demo;
mod run;
mod store;
mod support;
