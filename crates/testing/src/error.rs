//! What can go wrong with a scenario.

use std::fmt;
use std::path::PathBuf;

use agent_memory_host::{BuildError, LoadError, StartError};

/// Why a scenario cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// The file cannot be read.
    #[error("the scenario {path} cannot be read: {source}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file is larger than [`MAX_BYTES`](crate::MAX_BYTES).
    #[error("the scenario {path} is larger than 1 MiB; make several of it", path = path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// It has mistakes, all of which are listed.
    #[error(transparent)]
    Mistakes(#[from] Mistakes),
    /// The configuration that it names cannot be read.
    #[error("the configuration {path} cannot be read: {source}", path = path.display())]
    Configuration {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The configuration's file is larger than [`MAX_BYTES`](crate::MAX_BYTES).
    #[error("the configuration {path} is larger than 1 MiB; is this the right file?", path = path.display())]
    ConfigurationTooLarge {
        /// The file.
        path: PathBuf,
    },
}

/// All mistakes of one scenario, in the order of its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes {
    /// The scenario's file, or what stands for it.
    pub source_name: String,
    /// The mistakes: at least one.
    pub mistakes: Vec<Mistake>,
}

/// A mistake in a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The line, counted from 1.
    pub line: usize,
    /// The column, counted from 1, in characters.
    pub column: usize,
    /// What was found and what is allowed.
    pub message: String,
}

/// Why a conversation could not be played to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlayError {
    /// It could not start.
    #[error("{conversation} cannot start: {source}")]
    Start {
        /// Which one.
        conversation: String,
        /// Why not.
        source: StartError,
    },
    /// `after` moves the clock past the end of time.
    #[error("{turn}: `after` moves the clock out of the years that it knows")]
    Clock {
        /// Which turn.
        turn: String,
    },
}

/// Why a desk cannot be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeskError {
    /// The runtime cannot be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The functions or the configuration cannot be used.
    #[error(transparent)]
    Load(#[from] LoadError),
}

impl std::error::Error for Mistakes {}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Mistake { line, column, message }) in self.mistakes.iter().enumerate() {
            let newline = if index == 0 { "" } else { "\n" };
            write!(f, "{newline}{}:{line}:{column}: {message}", self.source_name)?;
        }
        Ok(())
    }
}
