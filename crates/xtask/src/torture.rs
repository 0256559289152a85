//! What is tried for hours: rounds of `tests/torture`, until every subject has its full number. It can be stopped at any
//! time, goes on where it was, and adds up.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use serde::{Deserialize, Serialize};

use crate::workspace;

/// The program that plays rounds.
const PROGRAM: &str = "agent-memory-torture";

/// How long a subject is played before the next one has its turn, so that a run of any length has something of all.
const SLICE: Duration = Duration::from_secs(60);

/// Plays these subjects, or all, until each has its full number of rounds or the time is over.
pub(crate) fn run(names: &[String], limit: Option<Duration>, report: bool) -> anyhow::Result<()> {
    eprintln!("building");
    let program = workspace::program(PROGRAM, &workspace::test_programs()?)?;
    let subjects = subjects(&program, names)?;
    let mut progress = Progress::read()?;
    let began = Instant::now();
    let is_over = || limit.is_some_and(|limit| began.elapsed() >= limit);
    while !report && !is_over() {
        let mut is_complete = true;
        for subject in subjects.iter().filter(|subject| subject.obstacle.is_none()) {
            if progress.of(subject).rounds >= subject.full || is_over() {
                continue;
            }
            is_complete = false;
            let slice = limit.map_or(SLICE, |limit| limit.saturating_sub(began.elapsed()).min(SLICE));
            play(&program, subject, slice, &mut progress)?;
            println!("{:<12} {}", subject.name, progress.of(subject).describe(subject));
        }
        if is_complete {
            break;
        }
    }
    print_report(&subjects, &progress)
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
    /// The rounds in which something was found.
    found: Vec<u64>,
}

impl Played {
    fn describe(&self, subject: &Subject) -> String {
        let found = match self.found.as_slice() {
            [] => String::new(),
            found => format!("; found in rounds {}", found.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")),
        };
        format!("{} of {} rounds in {:.0} s: {}{found}", self.rounds, subject.full, self.seconds, self.figures)
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

    fn of(&self, subject: &Subject) -> Played {
        self.0.get(&subject.name).cloned().unwrap_or_default()
    }
}

fn subjects(program: &PathBuf, names: &[String]) -> anyhow::Result<Vec<Subject>> {
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

/// Plays a subject for a while, and keeps what came of each round as soon as it is told.
fn play(program: &PathBuf, subject: &Subject, slice: Duration, progress: &mut Progress) -> anyhow::Result<()> {
    let before = progress.of(subject);
    let mut child = Command::new(program)
        .args(["play", &subject.name, "--from", &before.rounds.to_string()])
        .args(["--rounds", &(subject.full - before.rounds).to_string()])
        .args(["--seconds", &slice.as_secs().max(1).to_string()])
        .current_dir(workspace::root())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))?;
    let began = Instant::now();
    let mut wrong = 0;
    for line in BufReader::new(child.stdout.take().context("it has no output")?).lines() {
        let Round { round, figures } = serde_json::from_str(&line?).context("what it prints is no round")?;
        let played = progress.0.entry(subject.name.clone()).or_default();
        played.rounds = round + 1;
        played.seconds = before.seconds + began.elapsed().as_secs_f64();
        if figures.all_wrong() > 0 {
            wrong += figures.all_wrong();
            played.found.push(round);
            println!("{}: round {round} found something: {figures}", subject.name);
        }
        played.figures.merge(figures);
        progress.write()?;
    }
    let status = child.wait()?;
    ensure!(status.success() || wrong > 0, "{}: a round could not be played ({status})", subject.name);
    Ok(())
}

/// Prints the table that stands in `docs/reliability.md`, and fails if anything was ever found.
fn print_report(subjects: &[Subject], progress: &Progress) -> anyhow::Result<()> {
    println!("\n{}, {}\n", date()?, machine());
    println!("| Subject | A round | Rounds | Figures | Time |\n|---|---|---|---|---|");
    let mut wrong = 0;
    for subject in subjects {
        let Subject { name, about, full, obstacle } = subject;
        let Played { rounds, seconds, figures, .. } = progress.of(subject);
        wrong += figures.all_wrong();
        let figures = match obstacle {
            Some(obstacle) if rounds == 0 => obstacle.clone(),
            _ => figures.to_string(),
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

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processor.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    format!("{cores} cores of {}", model.map_or("an unknown processor", |(_, name)| name))
}
