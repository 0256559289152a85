//! What can go wrong.

use agent_memory_host::store::StoreError;
use agent_memory_host::{AdministrationError, CallError, EndError, LoadError, PolicyFailure, StartError};
use agent_memory_rules::InputError;

use crate::FUNCTION;

/// Why nothing can be measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// The functions cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The functions do not have the one that every turn calls.
    #[error(
        "they have no function `{FUNCTION}`, which every turn calls: begin with one of examples/benchmark; there is {}",
        if .known.is_empty() { "none at all".to_owned() } else { .known.join(", ") }
    )]
    NoFunction {
        /// The functions that they have.
        known: Vec<String>,
    },
    /// The function did not do what the workload asks of it.
    #[error("`{FUNCTION}` {problem}: begin with one of examples/benchmark")]
    Function {
        /// What it did instead.
        problem: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A conversation did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A turn could not be taken.
    #[error(transparent)]
    Call(#[from] CallError),
    /// A conversation did not end.
    #[error(transparent)]
    End(#[from] EndError),
    /// Callers could not be put into the store.
    #[error(transparent)]
    Fill(#[from] AdministrationError),
    /// The policy failed.
    #[error(transparent)]
    Policy(#[from] PolicyFailure),
    /// The rules refused what the workload gives them.
    #[error("the rules refused a conversation of the workload: {0}")]
    Rules(#[from] InputError),
    /// Memory was not what was put there.
    #[error("a caller's memory is not what was put into the store: {0}")]
    Memory(&'static str),
    /// A part of the work ended early.
    #[error("a task of the benchmark ended early: please report this")]
    Task,
}
