//! Real database servers for tests and benchmarks.
//!
//! A server has a free port and a folder of its own, and ends with the process that started it, also when that is
//! killed. Nothing here is published, and nothing is meant for production.

pub mod postgres;
mod process;
pub mod valkey;

pub use process::{Process, Signal, free_port};

use std::{io, path::PathBuf};

/// Why a server is not there.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// A program is not installed.
    #[error("{program} is missing: {install}")]
    Missing {
        /// The program, or where it was looked for.
        program: String,
        /// What installs it.
        install: String,
    },
    /// A program has failed.
    #[error("{program} failed: {output}")]
    Failed {
        /// The program.
        program: String,
        /// What it said.
        output: String,
    },
    /// A server ended, or did not answer in time, when it was started.
    #[error("{program} does not answer; its log is\n{log}")]
    Silent {
        /// The program.
        program: String,
        /// The end of its log.
        log: String,
    },
    /// The operating system refused something.
    #[error("{path}: {source}")]
    System {
        /// What it is about.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}
