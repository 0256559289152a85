//! Worker processes, in which turns run.
//!
//! Language runtimes such as Python's map and unmap much memory for every sandbox. The kernel does that for one thread of a
//! process at a time, so that two threads are slower than one; two processes are twice as fast. Workers also keep
//! guests away from keys and store: a worker gets compiled code and turns, and nothing else.
//!
//! By default a worker is the same program, started once more. It has to be told so before anything else:
//!
//! ```
//! use agent_memory_host::workers;
//!
//! fn main() {
//!     // In a worker this never returns.
//!     workers::serve_if_worker();
//!     // ... where the program begins, and at some time calls `RuntimeBuilder::workers`.
//! }
//! ```
//!
//! A worker has no environment, no file but its connection to the program, and runs as long as that. If one dies, the
//! turns that it had are [stopped](crate::StopReason::Worker), another one is started, and every conversation goes on.
//! What comes from a worker is not trusted: one that does not keep to the protocol is killed.

#[cfg(unix)]
mod channel;
#[cfg(unix)]
mod pool;
#[cfg(unix)]
mod process;
#[cfg(unix)]
mod protocol;
#[cfg(unix)]
mod remote;
#[cfg(unix)]
mod serve;
#[cfg(unix)]
mod supervisor;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

#[cfg(all(unix, feature = "fuzzing"))]
#[doc(hidden)]
pub use channel::reread_frames;
#[cfg(unix)]
pub(crate) use pool::Pool;
#[cfg(unix)]
pub(crate) use remote::Remote;

/// What tells a process that it is a worker.
const VARIABLE: &str = "AGENT_MEMORY_WORKER";

/// Which workers there are, and what runs in them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WorkerOptions {
    /// How many there are. Default: as many as the machine has cores for this process.
    pub count: NonZeroUsize,
    /// Whose turns they run. Default: [`WorkerAgents::Runtimes`].
    pub agents: WorkerAgents,
    /// The program that they run, which has to call [`serve_if_worker`]. None, the default: this program.
    pub command: Option<WorkerCommand>,
    /// How long a worker may take to end a turn that has no time left, or that nobody waits for, before it is taken to hang
    /// and is killed. Default: 5 s.
    pub grace: Duration,
}

/// Whose turns run in workers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WorkerAgents {
    /// Those of agents that bring a language runtime, as all do in Python and JavaScript: the components that import WASI.
    /// The sandboxes of others are made in microseconds, and threads of one process do not get in each other's way.
    #[default]
    Runtimes,
    /// Those of all agents, to keep every guest away from keys and store.
    All,
}

/// A program, and how it is started.
#[derive(Clone, Debug)]
pub struct WorkerCommand {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        let count = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self { count, agents: WorkerAgents::default(), command: None, grace: Duration::from_secs(5) }
    }
}

/// Makes this process a worker, if it was started as one: then it runs turns until the program that started it has no
/// more, and ends without returning. Otherwise this does nothing.
///
/// A program that uses workers calls it before anything else, so that nothing that it opens is open in a worker.
pub fn serve_if_worker() {
    if std::env::var_os(VARIABLE).is_some() {
        #[cfg(unix)]
        std::process::exit(if serve::serve().is_ok() { 0 } else { 1 });
    }
}
