//! Plays rounds of one subject, and prints the figures of each as a line of JSON. `cargo xtask torture` starts it.

use std::io::Write as _;
use std::panic::catch_unwind;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use agent_memory_torture::{Figures, Life, Migration, SUBJECTS, Setting, Subject};
use anyhow::Context as _;
use clap::{Parser, Subcommand};
use serde_json::json;

/// Rounds of torture
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List the subjects as lines of JSON: name, what a round does, how many make a full result, what is in the way
    List,
    /// Play rounds of a subject
    Play {
        /// Its name
        subject: String,
        /// The first round's number: the same number plays the same round
        #[arg(long, default_value_t = 0)]
        from: u64,
        /// How many rounds at most
        #[arg(long, default_value_t = 1)]
        rounds: u64,
        /// Begin no round after so many seconds
        #[arg(long)]
        seconds: Option<u64>,
    },
    /// Work on a store until somebody puts an end to it, and tell of all that is done
    #[command(hide = true)]
    Live(Life),
    /// Bring a file to the present format
    #[command(hide = true)]
    Migrate(Migration),
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::List => {
            for Subject { name, about, full, obstacle, .. } in SUBJECTS {
                print(&json!({ "name": name, "about": about, "full": full, "obstacle": obstacle() }))?;
            }
            Ok(())
        }
        Command::Live(life) => life.live(),
        Command::Migrate(migration) => migration.run(),
        Command::Play { subject, from, rounds, seconds } => {
            play(find(&subject)?, from, rounds, seconds.map(Duration::from_secs))
        }
    }
}

fn find(name: &str) -> anyhow::Result<&'static Subject> {
    SUBJECTS.iter().find(|subject| subject.name == name).with_context(|| {
        let names: Vec<_> = SUBJECTS.iter().map(|subject| subject.name).collect();
        format!("there is no subject {name:?}: use one of {}", names.join(", "))
    })
}

/// Fails if a round cannot be played. That something was found is said in its line.
fn play(subject: &Subject, from: u64, rounds: u64, limit: Option<Duration>) -> anyhow::Result<()> {
    if let Some(obstacle) = (subject.obstacle)() {
        anyhow::bail!("{}: {obstacle}", subject.name);
    }
    let setting = Setting::new(std::env::current_exe()?)?;
    let began = Instant::now();
    for number in (from..).take(usize::try_from(rounds)?) {
        if limit.is_some_and(|limit| began.elapsed() >= limit) {
            break;
        }
        let played = catch_unwind(|| (subject.round)(&setting, number));
        // What has panicked is shown by then.
        let figures = played.unwrap_or_else(|_| {
            let mut figures = Figures::default();
            figures.wrong("panics", 1);
            Ok(figures)
        });
        print(&json!({ "round": number, "figures": figures.with_context(|| format!("round {number}"))? }))?;
    }
    Ok(())
}

fn print(line: &serde_json::Value) -> anyhow::Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}")?;
    output.flush()?;
    Ok(())
}
