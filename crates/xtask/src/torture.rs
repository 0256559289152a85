//! What is tried for hours: rounds of `tests/torture`, until every subject has its full number. It can be stopped at any
//! time, goes on where it was, and adds up.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use serde::{Deserialize, Serialize};

use crate::workspace;

/// The program that plays rounds.
const PROGRAM: &str = "agent-memory-torture";

/// How long a subject is played before the next one has its turn, so that a run of any length has something of all.
const SLICE: Duration = Duration::from_secs(60);

/// Plays these subjects, or all, until each has its full number of rounds or the time is over: as many at once as there
/// are processors.
pub(crate) fn run(names: &[String], limit: Option<Duration>, report: bool) -> anyhow::Result<()> {
    eprintln!("building");
    let program = build()?;
    let subjects = subjects(&program, names)?;
    let _only = if report { None } else { Some(Progress::lock()?) };
    let waiting = subjects.iter().filter(|subject| subject.obstacle.is_none()).collect();
    let progress = Progress::read()?;
    let turns =
        Turns { waiting: Mutex::new(waiting), progress: Mutex::new(progress), has_failed: AtomicBool::new(false) };
    if !report {
        turns.play_again(&program)?;
        let deadline = limit.map(|limit| Instant::now() + limit);
        thread::scope(|scope| {
            let players: Vec<_> = (0..processors()).map(|_| scope.spawn(|| turns.play(&program, deadline))).collect();
            players.into_iter().try_for_each(|player| player.join().unwrap_or_else(|panic| resume_unwind(panic)))
        })?;
    }
    print_report(&subjects, &turns.progress())
}

/// Builds the program as the tests have it built, with its assertions, but optimised: so more is tried in an hour. What is
/// compiled already of the dependencies serves for it.
fn build() -> anyhow::Result<PathBuf> {
    // A test, which has its own program built beside it: so the features are those of all tests.
    let arguments =
        ["test", "--workspace", "--test", "kills", "--no-run", "--message-format", "json-render-diagnostics"];
    let mut command = workspace::cargo(arguments);
    command.env("CARGO_PROFILE_DEV_OPT_LEVEL", "2").env("CARGO_INCREMENTAL", "0");
    workspace::program(PROGRAM, &workspace::artifacts(&mut command)?)
}

/// Whose turn it is, and what was played.
struct Turns<'subjects> {
    waiting: Mutex<VecDeque<&'subjects Subject>>,
    progress: Mutex<Progress>,
    /// Whether a round could not be played, so that all are to stop.
    has_failed: AtomicBool,
}

impl<'subjects> Turns<'subjects> {
    fn waiting(&self) -> MutexGuard<'_, VecDeque<&'subjects Subject>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Plays the rounds again in which something was found earlier: it may be mended.
    fn play_again(&self, program: &Path) -> anyhow::Result<()> {
        let subjects = self.waiting().clone();
        for subject in subjects {
            let found = self.progress().of(subject).found;
            for round in found.into_keys() {
                self.play_rounds(program, subject, round..round + 1, SLICE)?;
            }
        }
        Ok(())
    }

    /// Plays one subject after the other, a slice of each, until none is left or the time is over.
    fn play(&self, program: &Path, deadline: Option<Instant>) -> anyhow::Result<()> {
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let slice = left.map_or(SLICE, |left| left.min(SLICE));
            if slice.is_zero() || self.has_failed.load(Ordering::Relaxed) {
                return Ok(());
            }
            let Some(subject) = self.waiting().pop_front() else { return Ok(()) };
            let rounds = self.progress().of(subject).rounds;
            if rounds >= subject.full {
                continue;
            }
            let played = self.play_rounds(program, subject, rounds..subject.full, slice);
            played.inspect_err(|_| self.has_failed.store(true, Ordering::Relaxed))?;
            println!("{:<12} {}", subject.name, self.progress().of(subject).describe(subject));
            self.waiting().push_back(subject);
        }
    }

    /// Plays rounds until the time is over, and keeps what came of each as soon as it is told.
    fn play_rounds(
        &self,
        program: &Path,
        subject: &Subject,
        rounds: Range<u64>,
        limit: Duration,
    ) -> anyhow::Result<()> {
        let before = self.progress().of(subject).seconds;
        let mut next = rounds.start;
        let mut child = Command::new(program)
            .args(["play", &subject.name, "--from", &rounds.start.to_string()])
            .args(["--rounds", &(rounds.end - rounds.start).to_string()])
            .args(["--seconds", &limit.as_secs().max(1).to_string()])
            .current_dir(workspace::root())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let began = Instant::now();
        let add = |Round { round, figures }| {
            let mut progress = self.progress();
            let played = progress.of_mut(subject);
            played.seconds = before + began.elapsed().as_secs_f64();
            if figures.all_wrong() > 0 {
                println!("{}: round {round} found something: {figures}", subject.name);
            }
            played.add(round, figures);
            progress.write()
        };
        for line in BufReader::new(child.stdout.take().context("it has no output")?).lines() {
            let round: Round = serde_json::from_str(&line?).context("what it prints is no round")?;
            next = round.round + 1;
            add(round)?;
        }
        let status = child.wait()?;
        // A signal: it was the round that has ended the process, and not the other way round.
        if status.code().is_none() {
            let wrong = BTreeMap::from([("ends of the process".to_owned(), 1)]);
            return add(Round { round: next, figures: Figures { wrong, ..Default::default() } });
        }
        ensure!(status.success(), "{}: a round could not be played ({status})", subject.name);
        Ok(())
    }
}

/// A subject, as the program describes it.
#[derive(Deserialize)]
struct Subject {
    name: String,
    about: String,
    full: u64,
    obstacle: Option<String>,
}

/// Counts by name, as the program tells them: of what was tried, and of what must never happen.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Figures {
    tried: BTreeMap<String, u64>,
    wrong: BTreeMap<String, u64>,
}

impl Figures {
    fn merge(&mut self, other: Self) {
        for (sums, counts) in [(&mut self.tried, other.tried), (&mut self.wrong, other.wrong)] {
            for (name, count) in counts {
                *sums.entry(name).or_default() += count;
            }
        }
    }

    fn all_wrong(&self) -> u64 {
        self.wrong.values().sum()
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.tried.iter().chain(&self.wrong);
        f.write_str(&counts.map(|(name, count)| format!("{count} {name}")).collect::<Vec<_>>().join(", "))
    }
}

/// What was played of a subject.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Played {
    rounds: u64,
    seconds: f64,
    figures: Figures,
    /// The rounds in which something was found, and their figures. They are played again when what was found is mended.
    found: BTreeMap<u64, Figures>,
    /// Those in which nothing was found any more when they were played again. That it is mended is not said by this: not all
    /// rounds come out the same each time.
    #[serde(default)]
    once_found: BTreeSet<u64>,
}

impl Played {
    /// Takes in what came of a round.
    fn add(&mut self, round: u64, figures: Figures) {
        if self.found.remove(&round).is_some() {
            self.once_found.insert(round);
        }
        self.rounds = self.rounds.max(round + 1);
        if figures.all_wrong() > 0 {
            self.once_found.remove(&round);
            self.found.insert(round, figures);
        } else {
            self.figures.merge(figures);
        }
    }

    /// The figures of all rounds.
    fn sums(&self) -> Figures {
        let mut sums = self.figures.clone();
        self.found.values().for_each(|figures| sums.merge(figures.clone()));
        sums
    }

    fn describe(&self, subject: &Subject) -> String {
        format!("{} of {} rounds in {:.0} s: {}", self.rounds, subject.full, self.seconds, self.result())
    }

    /// The figures of all rounds, and in which something was found.
    fn result(&self) -> String {
        let mut result = self.sums().to_string();
        for (what, rounds) in [
            ("found in rounds", self.found.keys().copied().collect::<Vec<_>>()),
            ("found once, and not again, in rounds", self.once_found.iter().copied().collect()),
        ] {
            if !rounds.is_empty() {
                let rounds: Vec<_> = rounds.iter().map(u64::to_string).collect();
                result += &format!("; {what} {}", rounds.join(", "));
            }
        }
        result
    }
}

/// What was played so far, kept in a file.
#[derive(Default, Serialize, Deserialize)]
#[serde(transparent)]
struct Progress(BTreeMap<String, Played>);

impl Progress {
    fn path() -> anyhow::Result<PathBuf> {
        Ok(workspace::metadata()?.target_directory.join("torture").join("progress.json").into())
    }

    /// Sees to it that no other process plays: each would undo what the other adds. It holds for as long as the file is open.
    fn lock() -> anyhow::Result<File> {
        let path = Self::path()?.with_extension("lock");
        fs::create_dir_all(path.parent().unwrap_or(&path))?;
        let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        file.try_lock().context("rounds are being played already: stop that first, or wait until it is done")?;
        Ok(file)
    }

    fn read() -> anyhow::Result<Self> {
        let path = Self::path()?;
        if !path.exists() {
            return Ok(Self::default());
        }
        let place = path.display();
        let text = fs::read(&path).with_context(|| format!("cannot read {place}"))?;
        serde_json::from_slice(&text).with_context(|| format!("{place} is damaged: remove it to begin again"))
    }

    fn write(&self) -> anyhow::Result<()> {
        agent_memory_build::write_atomically(&Self::path()?, &serde_json::to_vec_pretty(self)?)?;
        Ok(())
    }

    fn of_mut(&mut self, subject: &Subject) -> &mut Played {
        self.0.entry(subject.name.clone()).or_default()
    }

    fn of(&self, subject: &Subject) -> Played {
        self.0.get(&subject.name).cloned().unwrap_or_default()
    }
}

fn subjects(program: &Path, names: &[String]) -> anyhow::Result<Vec<Subject>> {
    let listed = workspace::output(Command::new(program).arg("list"))?;
    let lines = serde_json::Deserializer::from_slice(&listed).into_iter::<Subject>();
    let all = lines.collect::<Result<Vec<_>, _>>()?;
    for name in names {
        let known = || all.iter().map(|subject| subject.name.as_str()).collect::<Vec<_>>().join(", ");
        ensure!(all.iter().any(|subject| subject.name == *name), "there is no subject {name:?}: use {}", known());
    }
    Ok(all.into_iter().filter(|subject| names.is_empty() || names.contains(&subject.name)).collect())
}

/// A round, as the program tells it.
#[derive(Deserialize)]
struct Round {
    round: u64,
    figures: Figures,
}

/// Prints the table that stands in `docs/reliability.md`, and fails if anything was found that is found still.
fn print_report(subjects: &[Subject], progress: &Progress) -> anyhow::Result<()> {
    println!("\n{}, {}\n", date()?, machine());
    println!("| Subject | A round | Rounds | Figures | Time |\n|---|---|---|---|---|");
    let mut wrong = 0;
    for subject in subjects {
        let Subject { name, about, full, obstacle } = subject;
        let played = progress.of(subject);
        let (rounds, seconds) = (played.rounds, played.seconds);
        wrong += played.sums().all_wrong();
        let figures = match obstacle {
            Some(obstacle) if rounds == 0 => obstacle.clone(),
            _ => played.result(),
        };
        println!("| `{name}` | {about} | {rounds} of {full} | {figures} | {:.0} min |", seconds / 60.0);
    }
    if wrong > 0 {
        bail!("{wrong} things were found: `cargo xtask torture --help` tells how to play a round again");
    }
    Ok(())
}

fn date() -> anyhow::Result<String> {
    let date = workspace::output(Command::new("date").args(["-u", "+%Y-%m-%d"]))?;
    Ok(String::from_utf8_lossy(&date).trim().to_owned())
}

fn processors() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

fn machine() -> String {
    let cores = processors();
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processor.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    format!("{cores} cores of {}", model.map_or("an unknown processor", |(_, name)| name))
}
