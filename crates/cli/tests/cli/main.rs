//! The command, run as people run it.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test has nobody else to tell")]

mod backups;
mod bench;
mod check;
mod command;
mod demo;
mod leaks;
mod new;
mod run;
mod sealing;
mod servers;
mod store;
mod support;
