//! A worker as a process.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use super::{VARIABLE, WorkerCommand};

/// Where Linux has the program that runs, also after its file was replaced.
const THIS_PROGRAM: &str = "/proc/self/exe";

/// A process that is killed when this is dropped.
pub(super) struct Process {
    child: Option<Child>,
}

impl Process {
    /// Starts a program as a worker, with a connection to it and nothing else.
    pub(super) fn start(command: &WorkerCommand) -> io::Result<(Self, UnixStream)> {
        let (ours, theirs) = UnixStream::pair()?;
        let child = Command::new(&command.program)
            .args(&command.arguments)
            .env_clear()
            .env(VARIABLE, "1")
            .current_dir("/")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok((Self { child: Some(child) }, ours))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        // It fails if the process is gone, which is as good.
        let _ = child.kill();
        let wait = move || {
            if let Ok(status) = child.wait() {
                tracing::debug!(%status, "a worker has ended");
            }
        };
        // To give back much memory takes the kernel some milliseconds, which is not for a thread that others wait for.
        if let Err(error) = thread::Builder::new().name("agent-memory-wait".into()).spawn(wait) {
            tracing::warn!(%error, "a worker that has ended stays in the list of processes");
        }
    }
}

/// How to start this program once more.
pub(super) fn this_program() -> io::Result<WorkerCommand> {
    let program = if Path::new(THIS_PROGRAM).exists() { PathBuf::from(THIS_PROGRAM) } else { std::env::current_exe()? };
    Ok(WorkerCommand { program, arguments: Vec::new() })
}
