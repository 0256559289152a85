//! A ring that a program keeps.

use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{Change, Changed, parse, read_bounded, text_of};
use crate::ring::Ring;
use crate::secret::SecretText;
use crate::{KeysError, Source};

/// The environment variable that tells the program what is to be replaced.
const REPLACES: &str = "AGENT_MEMORY_KEYS_REPLACES";

/// How long a program may take.
const TIME: Duration = Duration::from_secs(30);
/// How often a change is tried when others make some too.
const TRIES: u32 = 6;
/// As much of what a program says is shown, in characters.
const SHOWN: usize = 500;

/// A program that keeps a ring.
pub(crate) struct Program {
    name: String,
    words: Vec<String>,
    time: Duration,
}

/// A run that came to nothing.
struct Failure {
    /// Whether the program ended by itself and said so: it may do better another time.
    refused: bool,
    error: KeysError,
}

impl Program {
    pub(crate) fn new(command: &str) -> Result<Self, KeysError> {
        let words = shlex::split(command).filter(|words| words.first().is_some_and(|word| !word.is_empty()));
        let words = words.ok_or(KeysError::UnknownSource { reason: "the command has no program or an open quote" })?;
        Ok(Self { name: Source::program(command), words, time: TIME })
    }

    pub(crate) fn place(&self) -> String {
        format!("the program `{}`", self.name)
    }

    /// The ring, and its text.
    pub(crate) fn read(&self) -> Result<(Ring, SecretText), KeysError> {
        let text = text_of(&self.place(), self.run("get", None).map_err(|failure| failure.error)?)?;
        Ok((parse(&self.place(), &text)?, text))
    }

    pub(crate) fn change(&self, change: &Change<'_>) -> Result<Changed, KeysError> {
        let mut pause = Duration::from_millis(20);
        let mut tries = 0;
        loop {
            tries += 1;
            let (before, replaced) = self.read()?;
            let after = change(&before)?;
            if after == before {
                return Ok(Changed { before, after, written: false });
            }
            match self.run("put", Some((&after, &replaced))) {
                // Whoever seals with keys that are kept nowhere loses what was sealed.
                Ok(_) => {
                    let kept = self.read()?.0;
                    return match kept.clone().merged(&after) {
                        Ok(both) if both == kept => Ok(Changed { before, after, written: true }),
                        _ => Err(KeysError::NotKept { program: self.name.clone() }),
                    };
                }
                Err(failure) if !failure.refused || tries == TRIES => return Err(failure.error),
                Err(_) => thread::sleep(pause),
            }
            pause *= 2;
        }
    }

    /// Runs the program, and gives what it wrote to standard output.
    fn run(&self, verb: &str, put: Option<(&Ring, &SecretText)>) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let deadline = Instant::now() + self.time;
        let mut words = self.words.iter();
        let mut command = Command::new(words.next().map_or("", String::as_str));
        command.args(words).arg(verb).stdout(Stdio::piped()).stderr(Stdio::piped()).env_remove(REPLACES);
        // A group of its own, so that all that it started can be ended with it.
        command.process_group(0);
        match put {
            Some((_, replaced)) => {
                command.stdin(Stdio::piped()).env(REPLACES, hexadecimal(&Sha256::digest(replaced.expose())))
            }
            None => command.stdin(Stdio::null()),
        };
        let child = command.spawn().map_err(|error| self.failed(format!("cannot be started: {error}"), &[]))?;
        let mut child = Running { child, ended: false };
        let text = put.map(|(ring, _)| ring.to_text());
        if let (Some(mut stdin), Some(text)) = (child.child.stdin.take(), text) {
            // Who does not read to the end is told apart by the exit code.
            thread::spawn(move || stdin.write_all(text.expose().as_bytes()));
        }
        let output =
            child.child.stdout.take().map(|mut stdout| in_background(move || drained(&mut stdout, read_bounded)));
        let errors = child.child.stderr.take().map(|mut stderr| {
            let shown = |stderr: &mut ChildStderr| {
                let mut errors = Vec::new();
                stderr.take(4 * SHOWN as u64).read_to_end(&mut errors).map(|_| errors)
            };
            in_background(move || drained(&mut stderr, shown))
        });
        let (Some(output), Some(errors)) = (output, errors) else {
            return Err(self.failed("cannot be talked to".to_owned(), &[]));
        };
        let seconds = self.time.as_secs();
        let late = |_| self.failed(format!("did not end within {seconds} s"), &[]);
        let received = (wait_for(&output, deadline).map_err(late)?, wait_for(&errors, deadline).map_err(late)?);
        let status = child.wait(deadline).ok_or(RecvTimeoutError::Timeout).map_err(late)?;
        let errors = received.1.unwrap_or_default();
        if !status.success() {
            return Err(Failure { refused: true, ..self.failed(format!("failed at `{verb}` ({status})"), &errors) });
        }
        received.0.map_err(|error| self.failed(format!("cannot be read from at `{verb}`: {error}"), &errors))
    }

    fn failed(&self, what: String, stderr: &[u8]) -> Failure {
        let stderr = String::from_utf8_lossy(stderr);
        let shown = stderr.trim().chars().map(|char| if char.is_control() { ' ' } else { char }).take(SHOWN).collect();
        let error = KeysError::Command { program: self.name.clone(), what, stderr: shown };
        Failure { refused: false, error }
    }
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Program({})", self.name)
    }
}

/// A program that is ended, with all that it started, when nobody waits for it any more.
struct Running {
    child: Child,
    ended: bool,
}

impl Running {
    fn wait(&mut self, deadline: Instant) -> Option<ExitStatus> {
        let mut pause = Duration::from_micros(200);
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => {
                    self.ended = true;
                    return Some(status);
                }
                Ok(None) if Instant::now() < deadline => thread::sleep(pause),
                _ => return None,
            }
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

/// Reads as much as is wanted, and the rest so that the program need not wait for that.
fn drained<R: Read, T>(from: &mut R, read: impl FnOnce(&mut R) -> io::Result<T>) -> io::Result<T> {
    let wanted = read(from)?;
    io::copy(from, &mut io::sink())?;
    Ok(wanted)
}

fn in_background<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Receiver<T> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(work()));
    receiver
}

fn wait_for<T>(receiver: &Receiver<T>, deadline: Instant) -> Result<T, RecvTimeoutError> {
    receiver.recv_timeout(deadline.saturating_duration_since(Instant::now()))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_takes_too_long_is_ended_with_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let trace = folder.path().join("trace");
        // The inner shell outlives the outer one, and holds its standard output.
        let script = format!("(while :; do echo >> {}; sleep 0.02; done) & exit 0", trace.display());
        let words = ["sh", "-c", &script].map(String::from).to_vec();
        let program = Program { name: "sh".to_owned(), words, time: Duration::from_secs(1) };
        let error = program.read().unwrap_err().to_string();
        assert_eq!(error, "the program `sh` that has the keys did not end within 1 s");
        let length = || std::fs::metadata(&trace).map_or(0, |trace| trace.len());
        let ended = (0..100).any(|_| {
            let before = length();
            thread::sleep(Duration::from_millis(100));
            before > 0 && length() == before
        });
        assert!(ended);
    }
}
