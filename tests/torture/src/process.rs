//! The process that is going to die, as its murderer sees it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::Setting;
use crate::deeds::Deed;

/// How long a process may take to begin.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process that tells of its deeds. It is killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    told: Receiver<(Instant, Deed)>,
    reader: Option<JoinHandle<()>>,
    deeds: Vec<(Instant, Deed)>,
}

impl Process {
    /// Starts the program once more, to do one of the things that only it knows.
    pub(crate) fn start(setting: &Setting, arguments: &[String]) -> anyhow::Result<Self> {
        let mut command = Command::new(&setting.program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let mut output = BufReader::new(child.stdout.take().context("it has no output")?);
        let (tell, told) = mpsc::channel();
        let reader = std::thread::spawn(move || {
            let mut line = String::new();
            while output.read_line(&mut line).is_ok_and(|read| read > 0) {
                // The last line may have no end: it was not told then.
                let deed = line.strip_suffix('\n').and_then(|line| line.parse().ok());
                if let Some(deed) = deed
                    && tell.send((Instant::now(), deed)).is_err()
                {
                    return;
                }
                line.clear();
            }
        });
        Ok(Self { child, told, reader: Some(reader), deeds: Vec::new() })
    }

    /// Waits until it has begun.
    ///
    /// # Errors
    /// If it ends without having begun.
    pub(crate) fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        loop {
            let told = self.told.recv_timeout(PATIENCE).context("it has not begun")?;
            let is_ready = told.1 == Deed::Ready;
            self.deeds.push(told);
            if is_ready {
                return Ok(());
            }
        }
    }

    /// Lets it work until a moment that chance says, now and then without waiting until it has begun. Answers whether it still
    /// does.
    ///
    /// # Errors
    /// If the system does not tell.
    pub(crate) fn work_for_a_while(&mut self, chance: &mut fastrand::Rng) -> anyhow::Result<bool> {
        let has_begun = chance.u8(0..8) == 0 || self.wait_until_ready().is_ok();
        std::thread::sleep(Duration::from_micros(chance.u64(0..300_000)));
        Ok(!self.has_given_up()? && has_begun)
    }

    /// Whether it has given up: nobody has killed it yet, nor taken its disk away. What it says of that is shown.
    ///
    /// # Errors
    /// If the system does not tell.
    fn has_given_up(&mut self) -> anyhow::Result<bool> {
        let has_ended = self.child.try_wait()?.is_some();
        if has_ended {
            let mut said = String::new();
            self.child.stderr.take().context("it cannot complain")?.read_to_string(&mut said)?;
            eprintln!("it has given up: {said}");
        }
        Ok(has_ended)
    }

    /// Kills it, and gives all that it has told, and when that was heard.
    pub(crate) fn kill(mut self) -> anyhow::Result<Vec<(Instant, Deed)>> {
        self.child.kill()?;
        self.child.wait()?;
        let mut deeds = std::mem::take(&mut self.deeds);
        deeds.extend(self.told.iter());
        Ok(deeds)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}
