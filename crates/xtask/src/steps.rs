//! A sequence of checks, of which each says how it went.

use std::fmt;
use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// How a step that did not fail went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It found nothing wrong.
    Passed,
    /// It was left out, and why.
    Skipped(String),
}

/// The steps so far.
pub(crate) struct Steps {
    logs: PathBuf,
    began: Instant,
    done: Vec<Done>,
}

struct Done {
    name: String,
    took: Duration,
    result: anyhow::Result<Outcome>,
}

impl Steps {
    /// None so far. What their commands write goes to files in this folder.
    pub(crate) fn new(logs: PathBuf) -> Self {
        Self { logs, began: Instant::now(), done: Vec::new() }
    }

    /// Runs one, and prints its line. When one fails the others still run: whoever mends the first wants to know.
    pub(crate) fn run(&mut self, name: &str, step: impl FnOnce(&Log) -> anyhow::Result<Outcome>) {
        print!("{name:<40}");
        flush();
        let began = Instant::now();
        let log = Log { path: self.logs.join(format!("{}.log", name.replace(' ', "-"))) };
        let result = log.clear().and_then(|()| step(&log));
        let done = Done { name: name.to_owned(), took: began.elapsed(), result };
        println!("{done}");
        if let Err(error) = &done.result {
            println!("{error:#}");
        }
        self.done.push(done);
    }

    /// Names a suite that was left out, though it is no step of its own.
    pub(crate) fn skip(&mut self, name: &str, reason: String) {
        self.done.push(Done { name: name.to_owned(), took: Duration::ZERO, result: Ok(Outcome::Skipped(reason)) });
    }

    /// Prints the summary, and fails if a step has.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        println!("\n{}", self.summary());
        match self.done.iter().filter(|done| done.result.is_err()).count() {
            0 => Ok(()),
            1 => bail!("a step has failed"),
            several => bail!("{several} steps have failed"),
        }
    }

    fn summary(&self) -> String {
        let (mut passed, mut failed, mut skipped) = (0, Vec::new(), Vec::new());
        for Done { name, result, .. } in &self.done {
            match result {
                Ok(Outcome::Passed) => passed += 1,
                Ok(Outcome::Skipped(reason)) => skipped.push(format!("skipped: {name}: {reason}")),
                Err(_) => failed.push(format!("failed: {name}")),
            }
        }
        let counts = format!("{passed} passed, {} failed, {} skipped", failed.len(), skipped.len());
        let mut lines = vec![format!("{counts}, in {}", seconds(self.began.elapsed()))];
        lines.extend(failed);
        if skipped.is_empty() {
            skipped.push("skipped: nothing".to_owned());
        }
        lines.extend(skipped);
        lines.join("\n")
    }
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.result {
            Ok(Outcome::Passed) => "passed",
            Ok(Outcome::Skipped(_)) => "skipped",
            Err(_) => "FAILED",
        };
        write!(f, "{word:<8}{:>9}", seconds(self.took))
    }
}

/// Where a step's commands write.
pub(crate) struct Log {
    path: PathBuf,
}

impl Log {
    /// Runs a command to its end. Its output is kept, and becomes the error if it fails.
    pub(crate) fn run(&self, command: &mut Command) -> anyhow::Result<Outcome> {
        let file = File::options().create(true).append(true).open(&self.path)?;
        let from = file.metadata()?.len();
        let program = command.get_program().to_owned();
        let status = command
            .stdout(file.try_clone()?)
            .stderr(file)
            .status()
            .with_context(|| format!("cannot start {}", program.display()))?;
        if status.success() {
            return Ok(Outcome::Passed);
        }
        let output = fs::read(&self.path)?;
        let output = output.get(usize::try_from(from)?..).unwrap_or_default();
        bail!("{}\n({status}; kept in {})", String::from_utf8_lossy(output).trim_end(), self.path.display());
    }

    fn clear(&self) -> anyhow::Result<()> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        File::create(&self.path).with_context(|| format!("cannot write {}", self.path.display()))?;
        Ok(())
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

fn flush() {
    // A closed standard output shows at the next line that is printed.
    let _ = std::io::stdout().flush();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps() -> (tempfile::TempDir, Steps) {
        let folder = tempfile::tempdir().unwrap();
        let logs = folder.path().join("logs");
        (folder, Steps::new(logs))
    }

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn the_last_lines_name_what_failed_and_what_was_skipped() {
        let (_folder, mut steps) = steps();
        steps.run("one", |_| Ok(Outcome::Passed));
        steps.run("two", |_| bail!("it is broken"));
        steps.run("three", |_| Ok(Outcome::Skipped("too slow".to_owned())));
        steps.skip("a part of one", "not on this machine".to_owned());
        let summary = steps.summary();
        let (counts, rest) = summary.split_once('\n').unwrap();
        assert!(counts.starts_with("1 passed, 1 failed, 2 skipped, in "), "{counts}");
        assert_eq!(rest, "failed: two\nskipped: three: too slow\nskipped: a part of one: not on this machine");
        assert_eq!(steps.finish().unwrap_err().to_string(), "a step has failed");
    }

    #[test]
    fn nothing_skipped_is_said_too() {
        let (_folder, mut steps) = steps();
        steps.run("one", |_| Ok(Outcome::Passed));
        assert!(steps.summary().ends_with("\nskipped: nothing"));
        steps.finish().unwrap();
    }

    #[test]
    fn what_a_failing_command_writes_becomes_the_error() {
        let (_folder, mut steps) = steps();
        steps.run("some commands", |log| {
            log.run(&mut shell("echo all is well"))?;
            log.run(&mut shell("echo here; echo there >&2; exit 3"))
        });
        let error = steps.done[0].result.as_ref().unwrap_err().to_string();
        assert!(error.starts_with("here\nthere\n(exit status: 3; kept in "), "{error}");
        let log = fs::read_to_string(steps.logs.join("some-commands.log")).unwrap();
        assert_eq!(log, "all is well\nhere\nthere\n");
    }
}
