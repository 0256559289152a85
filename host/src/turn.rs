//! What a turn gives back.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::bindings::functions::{CallError, Failure};
use crate::{Json, NoIdentifier};

/// What a turn gave back: what the function returned, and what it asked for, in order.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Turn {
    /// The function that was called.
    pub function: String,
    /// How it went.
    pub outcome: TurnOutcome,
    /// What it said. Nothing, if the turn was stopped (rule W6).
    pub say: Vec<String>,
    /// What else it asked for, for the embedder to carry out. Nothing, if the turn was stopped (W6).
    pub actions: Vec<Action>,
    /// What its author logged. Kept even if the turn was stopped.
    pub logs: Vec<LogEntry>,
    /// Whether memory was read for a known caller, or the reason for which there is no identifier (I9).
    pub identifier: Result<(), NoIdentifier>,
    /// Whether the store could not be read and the turn ran with empty memory, as the embedder chose (M5).
    pub memory_unavailable: bool,
    /// How long it took, from the read of memory to the state that it left.
    pub elapsed: Duration,
}

/// How a turn went.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum TurnOutcome {
    /// The function returned this.
    Returned(Json),
    /// The function failed. All that it did before still stands (W6).
    Failed(FunctionError),
    /// The sandbox ended it, and the state is as it was when the turn began (W6).
    Stopped(Stop),
}

/// What a function that failed says about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionError {
    /// The error's name: its type in the function's language.
    pub name: String,
    /// Its message.
    pub message: String,
    /// Where it came from, in the author's own files and lines. May be empty.
    pub trace: String,
}

impl From<CallError> for FunctionError {
    fn from(error: CallError) -> Self {
        let (name, message, trace) = match error {
            CallError::UnknownFunction => {
                ("unknown-function".into(), "the component does not know its own function".into(), String::new())
            }
            CallError::InvalidArguments(problem) => ("invalid-arguments".into(), problem, String::new()),
            CallError::Failed(Failure { name, message, trace }) => (name, message, trace),
        };
        Self { name, message, trace }
    }
}

/// Why the sandbox ended a turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// Why.
    pub reason: StopReason,
    /// What happened, and what the author can do.
    pub message: String,
    /// The functions on the stack of a trap, innermost first. May be empty.
    pub trace: String,
}

impl From<Stop> for FunctionError {
    /// The stop as the error that a turn is reported with.
    fn from(Stop { reason, message, trace }: Stop) -> Self {
        Self { name: reason.name().to_owned(), message, trace }
    }
}

/// Why the sandbox ended a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum StopReason {
    /// It ran for longer than [`Limits::turn_time`](crate::Limits::turn_time).
    TimeLimit,
    /// It wanted more memory than [`Limits::memory_bytes`](crate::Limits::memory_bytes).
    MemoryLimit,
    /// It handed over more than [`Limits::output_bytes`](crate::Limits::output_bytes).
    OutputLimit,
    /// It did what no program may: unreachable code, a division by zero, an endless recursion.
    Trap,
    /// The [worker process](crate::workers) that it ran in ended, which need not be its own doing. The state is as it was
    /// when the turn began (rule W6), nothing that it said, asked for or logged is left, and the conversation goes on.
    Worker,
}

impl StopReason {
    /// The reason's name: `time-limit`, `memory-limit`, `output-limit`, `trap` or `worker`.
    pub fn name(self) -> &'static str {
        match self {
            Self::TimeLimit => "time-limit",
            Self::MemoryLimit => "memory-limit",
            Self::OutputLimit => "output-limit",
            Self::Trap => "trap",
            Self::Worker => "worker",
        }
    }
}

/// Something that a function asked for. Names and parameters are those of Python's `conv`; defaults are left out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Action {
    /// Its name, such as `call_handoff` or `write_metric`.
    pub name: String,
    /// Its arguments: an object.
    pub arguments: Json,
}

/// An entry of an author's log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LogEntry {
    /// How much it matters.
    pub level: LogLevel,
    /// The message.
    pub content: String,
    /// Whether the author says that it holds personal data.
    pub is_pii: bool,
    /// Further fields: an object.
    pub fields: Json,
}

/// How much a log entry matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// For information.
    Info,
    /// Something may be wrong.
    Warning,
    /// Something is wrong.
    Error,
}
