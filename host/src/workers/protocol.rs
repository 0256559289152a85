//! What a program and its workers say to each other.
//!
//! Each message is a frame: its length as four bytes, the lowest first, and the message in postcard. A worker is another
//! process of the same version, so that the messages need no versions of their own.

use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::bindings::functions;
use crate::sandbox::{TurnRequest, TurnResult};
use crate::{ComponentError, Json, Limits, RequestError};

/// The version that both have to be of.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The longest message that is taken from a worker: a state and an output within the default limits fit many times.
pub(super) const LONGEST_FROM_WORKER: usize = 64 << 20;

/// The longest message that a worker takes. It trusts whoever has started it.
pub(super) const LONGEST_TO_WORKER: usize = u32::MAX as usize;

/// How many bytes give a message's length.
pub(super) const LENGTH_BYTES: usize = size_of::<u32>();

/// Names what a worker has been given to do. No two of a program's are alike.
pub(super) type TaskId = u64;

/// Names a compiled component.
pub(super) type ProgramId = u64;

/// What a worker is told.
#[derive(Serialize, Deserialize)]
pub(super) enum ToWorker<Request = TurnRequest> {
    /// The first message.
    Begin { version: String, limits: Limits },
    /// Maps a component's compiled code. If that fails, all that is to be done with it fails.
    Load { program: ProgramId, code: PathBuf, can_wait: bool },
    /// Nothing more will be done with a component.
    Forget { program: ProgramId },
    /// Asks functions what they are.
    Describe { task: TaskId, program: ProgramId },
    /// Runs a turn.
    Run { task: TaskId, program: ProgramId, answers_requests: bool, request: Request },
    /// Nobody waits for a task any more. It is to be ended, and to be reported as done.
    Cancel { task: TaskId },
    /// Answers what a turn has requested.
    Answer { task: TaskId, answer: Result<Json, RequestError> },
}

/// What a worker says.
#[derive(Serialize, Deserialize)]
pub(super) enum FromWorker {
    /// The first message: it can run turns, or why it cannot.
    Ready { version: String, ready: Result<(), String> },
    /// A function requests something of the platform, and waits for the answer.
    Request { task: TaskId, name: String, arguments: Json },
    /// A task is over. Nothing more is said of it.
    Done { task: TaskId, done: Done },
}

/// How a task went.
#[derive(Serialize, Deserialize)]
pub(super) enum Done {
    Described(Result<Vec<functions::Function>, Undescribed>),
    Turn(Box<TurnResult>),
    /// The policy failed.
    Failed(String),
    /// It was cancelled.
    Cancelled,
}

/// Why functions do not say what they are.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Undescribed {
    WrongType(String),
    Other(String),
}

impl From<ComponentError> for Undescribed {
    fn from(error: ComponentError) -> Self {
        match error {
            ComponentError::WrongType(problem) => Self::WrongType(problem),
            ComponentError::Undescribed(problem) => Self::Other(problem),
            other => Self::Other(other.to_string()),
        }
    }
}

impl From<Undescribed> for ComponentError {
    fn from(error: Undescribed) -> Self {
        match error {
            Undescribed::WrongType(problem) => Self::WrongType(problem),
            Undescribed::Other(problem) => Self::Undescribed(problem),
        }
    }
}

/// A message as a frame.
pub(super) fn frame(message: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut frame = postcard::to_extend(message, vec![0; LENGTH_BYTES]).map_err(io::Error::other)?;
    let length = u32::try_from(frame.len() - LENGTH_BYTES).map_err(io::Error::other)?;
    if let Some(place) = frame.first_chunk_mut() {
        *place = length.to_le_bytes();
    }
    Ok(frame)
}
