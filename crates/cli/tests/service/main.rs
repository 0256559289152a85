//! The service, run as people run it and spoken with over HTTP.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test has nobody else to tell")]

mod access;
mod agents;
mod analytics;
mod audit;
mod bad_input;
mod clients;
mod conversations;
mod crashes;
mod dashboard;
#[cfg(target_os = "linux")]
mod disks;
mod fuzz;
#[cfg(unix)]
mod leaks;
mod memory;
mod processes;
mod readme;
mod support;
mod telemetry;
mod tools;
mod workers;
