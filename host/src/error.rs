//! What can go wrong, one type for each family of operations.

use std::borrow::Cow;
use std::time::Duration;

use agent_memory_keys::KeysError;
use agent_memory_store::StoreError;

use crate::{ComponentId, ConfigurationError};

/// Why a runtime cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The sandbox cannot be set up on this machine with these limits.
    #[error("the sandbox cannot be set up: {0}")]
    Sandbox(String),
    /// The policy component is none.
    #[error("the policy component cannot be used: {0}")]
    Policy(#[source] ComponentError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store was used with other keys.
    #[error(
        "the store is sealed by other keys than these: give those that it was first used with; without them nothing in \
        it can be read by anybody"
    )]
    OtherKeys,
    /// The store is sealed, and no keys were given.
    #[error("the store is sealed: give the keys that it was first used with, and do not open it as plain text")]
    SealedStore,
    /// The store is not sealed, and keys were given.
    #[error("the store is in plain text: open it as that, or use keys with a new store")]
    PlaintextStore,
    /// The store has something in it from before there were keys.
    #[error("the store was written before 0.1.0, when there were no keys yet: use a new one")]
    KeylessStore,
    /// Worker processes cannot be started.
    #[error("worker processes cannot be started: {0}")]
    Workers(String),
    /// The folder for compiled code cannot be used.
    #[error("compiled code cannot be kept in {path}: {reason}; name another folder")]
    Cache {
        /// The folder.
        path: std::path::PathBuf,
        /// Why not.
        reason: String,
    },
}

/// Why an agent cannot be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The functions are not a component that can run here.
    #[error(transparent)]
    Component(#[from] ComponentError),
    /// The configuration has mistakes, all of which are listed (rule C6).
    #[error("the configuration has {}", mistakes(.0))]
    Configuration(Vec<ConfigurationError>),
    /// The component was [left to the catalogue](crate::Agent::leave_component_to_catalogue), and is not there.
    #[error("the component {0} is not in the store any more: publish the agent again")]
    NotInCatalogue(ComponentId),
    /// The store, which has the component, failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its functions could not be asked what they are.
    #[error("the agent's functions could not be asked what they are: {0}")]
    Busy(#[from] Busy),
    /// The policy failed.
    #[error(transparent)]
    Policy(#[from] PolicyFailure),
}

/// Why a component cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ComponentError {
    /// The bytes are no WebAssembly.
    #[error("this is no WebAssembly component ({}); build one with `agent-memory build`", shortened(.reason))]
    NotWebAssembly {
        /// What is wrong.
        reason: String,
    },
    /// It is a core module.
    #[error(
        "this is a core WebAssembly module, not a component; build it with `agent-memory build`, or encode it with \
         `wasm-tools component new`"
    )]
    CoreModule,
    /// It exports no functions.
    #[error(
        "the component exports no `agent:memory/functions@0.1.0`{}; it has to be built for the world \
         `functions-component` of agent:memory@0.1.0", exports(.found)
    )]
    NoFunctions {
        /// What it exports.
        found: Vec<String>,
    },
    /// It imports what is not provided.
    #[error("the component imports {}", imports(.0))]
    ForbiddenImports(Vec<ForbiddenImport>),
    /// It fits the contract by name and not by type.
    #[error("the component does not fit the contract agent:memory@0.1.0: {}; build it with the current SDK", shortened(.0))]
    WrongType(String),
    /// It cannot be compiled, or needs more than a sandbox has.
    #[error("the component cannot be compiled: {}", shortened(.0))]
    Uncompilable(String),
    /// Its list of functions cannot be read.
    #[error("the component cannot list its functions: {0}")]
    Undescribed(String),
    /// It has two functions of one name.
    #[error("the component has two functions named {:?}; rename one", shortened(.0))]
    DuplicateFunction(String),
    /// A function's parameters are no JSON Schema.
    #[error("the parameters of the function {:?} are no JSON Schema of an object: {problem}", shortened(.function))]
    BadParameters {
        /// The function.
        function: String,
        /// What is wrong.
        problem: String,
    },
}

/// An import that is not provided, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForbiddenImport {
    /// Its name.
    pub name: String,
    /// What to do.
    pub advice: String,
}

/// Why a conversation cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The conversation's id has been used, and that conversation has ended.
    #[error("a conversation of this id has already ended; give the new one an id of its own")]
    AlreadyEnded,
    /// The id is empty or longer than 256 bytes.
    #[error("a conversation's id has 1 to 256 bytes; this one has {0}")]
    BadId(usize),
    /// What was given of the conversation cannot be used.
    #[error("the conversation cannot start: {0}")]
    Invalid(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// `start_function` could not run.
    #[error("the conversation has not begun: {0}")]
    Busy(#[from] Busy),
    /// The policy failed.
    #[error(transparent)]
    Policy(#[from] PolicyFailure),
}

/// Why a function was not called. A function that was called and failed is a [`Turn`](crate::Turn).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// There is no function of that name.
    #[error("there is no function {name:?}; {}", candidates(.known))]
    UnknownFunction {
        /// The name.
        name: String,
        /// The functions that there are.
        known: Vec<String>,
    },
    /// The arguments are no object.
    #[error("the arguments of {function:?} have to be a JSON object: {problem}")]
    Arguments {
        /// The function.
        function: String,
        /// What is wrong.
        problem: String,
    },
    /// The conversation has ended.
    #[error("the conversation has ended; start a new one")]
    Ended,
    /// Memory could not be read, and the embedder chose that turns fail then (M5).
    #[error("the caller's memory could not be read, so the function was not called: {0}")]
    Store(#[from] StoreError),
    /// Too many others are running.
    #[error("the function was not called: {0}")]
    Busy(#[from] Busy),
    /// The policy failed.
    #[error(transparent)]
    Policy(#[from] PolicyFailure),
}

/// Why a saved session cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResumeError {
    /// The bytes are no session, or one of a newer version.
    #[error("this is no session that this version can read: {0}")]
    Unreadable(String),
    /// It belongs to another agent, or to a version of it that is not loaded.
    #[error("the session belongs to a version of the agent that is not loaded here; load that version, then resume")]
    UnknownVersion,
    /// There is none.
    #[error("no session of this conversation is stored: it never began, or is more than 24 hours old")]
    NotFound,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a session was not saved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SaveError {
    /// Another has saved the conversation since this session was loaded, or has begun one of the same id.
    #[error("another call has changed the conversation meanwhile; open it again, and call again")]
    Conflict,
    /// The store failed, and may have saved it. It can be saved again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a conversation's end is not complete. Ending it again is always safe (W4).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EndError {
    /// Another has changed the conversation since this session was loaded: nothing was written.
    #[error("another call has changed the conversation meanwhile; open it again, and end it then")]
    Conflict,
    /// The store failed before the commit: nothing was written.
    #[error("nothing was committed ({0}); end the conversation again")]
    Rejected(#[source] StoreError),
    /// The store failed and may have committed.
    #[error("it is not known whether the store has committed ({0}); end the conversation again to find out")]
    Unknown(#[source] StoreError),
    /// The store has committed, and what came after it failed.
    #[error("everything is committed, but the session could not be closed ({0}); end the conversation again")]
    Committed(#[source] StoreError),
    /// `end_function` could not run: nothing was written.
    #[error("the conversation has not ended: {0}")]
    Busy(#[from] Busy),
    /// The policy failed: nothing was written.
    #[error(transparent)]
    Policy(#[from] PolicyFailure),
}

/// Why administration failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdministrationError {
    /// The identifier is none.
    #[error("this is no identifier ({0}); give the number or text that the caller is known by")]
    NoIdentifier(&'static str),
    /// The conversation has not ended, or so long ago that nothing of it is kept.
    #[error("no ended conversation of this id is kept")]
    UnknownConversation,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The policy failed.
    #[error(transparent)]
    Policy(#[from] PolicyFailure),
    /// What the store holds cannot be read.
    #[error("what the store holds cannot be read ({0}); restore it from a backup")]
    Damaged(&'static str),
    /// What has expired is deleted, and the keys that sealed it could not be destroyed.
    #[error(transparent)]
    Keys(#[from] KeysError),
}

/// A turn was refused: as many as may run at once were running for as long as it could wait. It can be tried again.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("as many turns as may run at once were running for {longest_wait:?}; try again, or allow more of them")]
pub struct Busy {
    /// The [`Limits::longest_wait`](crate::Limits::longest_wait).
    pub longest_wait: Duration,
}

/// Why a turn did not take place. The function is known to be there.
#[derive(Debug)]
pub(crate) enum TurnError {
    Store(StoreError),
    Busy(Busy),
    Policy(PolicyFailure),
}

impl From<StoreError> for TurnError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Busy> for TurnError {
    fn from(error: Busy) -> Self {
        Self::Busy(error)
    }
}

impl From<PolicyFailure> for TurnError {
    fn from(error: PolicyFailure) -> Self {
        Self::Policy(error)
    }
}

impl From<TurnError> for CallError {
    fn from(error: TurnError) -> Self {
        match error {
            TurnError::Store(error) => Self::Store(error),
            TurnError::Busy(error) => Self::Busy(error),
            TurnError::Policy(error) => Self::Policy(error),
        }
    }
}

impl From<TurnError> for StartError {
    fn from(error: TurnError) -> Self {
        match error {
            TurnError::Store(error) => Self::Store(error),
            TurnError::Busy(error) => Self::Busy(error),
            TurnError::Policy(error) => Self::Policy(error),
        }
    }
}

impl From<TurnError> for EndError {
    fn from(error: TurnError) -> Self {
        match error {
            TurnError::Store(error) => Self::Rejected(error),
            TurnError::Busy(error) => Self::Busy(error),
            TurnError::Policy(error) => Self::Policy(error),
        }
    }
}

/// The policy component failed or refused what the host gave it: a mistake in Agent Memory, not in a function.
#[derive(Debug, thiserror::Error)]
#[error("the policy component failed ({0}); please report this")]
pub struct PolicyFailure(pub(crate) String);

fn mistakes(errors: &[ConfigurationError]) -> String {
    let count = if errors.len() == 1 { "a mistake".into() } else { format!("{} mistakes", errors.len()) };
    let lines: Vec<_> = errors.iter().map(|error| format!("\n  {error}")).collect();
    format!("{count}:{}", lines.concat())
}

fn exports(found: &[String]) -> String {
    if found.is_empty() {
        return " (it exports nothing)".into();
    }
    format!(" (it exports {})", listed(found, ", ", |name| shortened(name).into_owned()))
}

fn imports(imports: &[ForbiddenImport]) -> String {
    listed(imports, "; ", |import| format!("`{}`, {}", shortened(&import.name), import.advice))
}

/// The first of a list that a stranger made, and how many more there are.
fn listed<T>(all: &[T], joint: &str, text: impl Fn(&T) -> String) -> String {
    const LISTED: usize = 8;
    let texts: Vec<_> = all.iter().take(LISTED).map(text).collect();
    let more = match all.len().saturating_sub(LISTED) {
        0 => String::new(),
        more => format!("{joint}and {more} more"),
    };
    texts.join(joint) + &more
}

/// As much of a text that a stranger had a part in as somebody will read.
pub(crate) fn shortened(text: &str) -> Cow<'_, str> {
    const CHARACTERS: usize = 400;
    match text.char_indices().nth(CHARACTERS).and_then(|(end, _)| text.get(..end)) {
        Some(start) => format!("{start}...").into(),
        None => text.into(),
    }
}

fn candidates(known: &[String]) -> String {
    if known.is_empty() { "the agent has none to call".into() } else { format!("the agent has {}", known.join(", ")) }
}
