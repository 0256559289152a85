//! The project's own tasks. People and CI type the same: `cargo xtask test`.

mod contract;
mod demo;
mod guests;
mod needs;
mod steps;
mod test;
mod torture;
mod workspace;

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

/// The project's own tasks
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Play the cheese shop's story, with its functions built from source
    Demo,
    /// Check everything: formatting, lints, tests, guests built from source, documentation, dependencies
    Test {
        /// Leave out what takes long and seldom fails; the last lines name it
        #[arg(long)]
        fast: bool,
    },
    /// Try for hours what `test` tries for a moment: power cuts, kills, sequences of everything that can happen, bad input
    ///
    /// It goes on where it was when it was stopped, and adds up, in target/torture. Rounds in which something was found are
    /// played again first. A round is made from its number: play one yourself with `target/debug/agent-memory-torture play
    /// SUBJECT --from ROUND`.
    Torture {
        /// Play these, and not all
        subjects: Vec<String>,
        /// Stop after so many minutes, instead of when all is done
        #[arg(long)]
        minutes: Option<u64>,
        /// Only print what was found so far
        #[arg(long)]
        report: bool,
    },
    /// Build the WebAssembly components that are kept in the repository
    Guests {
        /// Only say whether they are up to date with their sources
        #[arg(long)]
        check: bool,
    },
    /// Write docs/contract.md, the reference page of wit/
    Contract {
        /// Only say whether it is up to date
        #[arg(long)]
        check: bool,
    },
}

fn main() -> ExitCode {
    let result = match Arguments::parse().task {
        Task::Demo => demo::run(),
        Task::Test { fast } => test::run(fast),
        Task::Torture { subjects, minutes, report } => {
            torture::run(&subjects, minutes.map(|minutes| Duration::from_secs(60 * minutes)), report)
        }
        Task::Guests { check: true } => guests::check(),
        Task::Guests { check: false } => guests::build(),
        Task::Contract { check: true } => contract::check(),
        Task::Contract { check: false } => contract::write(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether nobody minds what is installed here.
fn is_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty())
}
