//! The commands.

mod analytics;
mod audit;
mod bench;
mod build;
mod check;
mod completions;
mod copy;
mod demo;
mod keys;
mod memory;
mod move_slots;
mod new;
mod run;
mod serve;
mod sweep;
mod token;
mod verify;

use crate::arguments::Command;

/// What a command that could do its work has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// All is well.
    Good,
    /// An expectation or a check failed.
    Bad,
}

/// Does what was asked for. An error means that the input or the usage is wrong, or the store cannot be used.
pub(crate) async fn execute(command: Command) -> anyhow::Result<Verdict> {
    match command {
        Command::Demo => demo::demo().await,
        Command::New(arguments) => new::new(&arguments),
        Command::Build(arguments) => build::build(&arguments),
        Command::Check(arguments) => check::check(&arguments).await,
        Command::Run(arguments) => run::run(&arguments).await,
        Command::Memory(command) => memory::memory(&command).await,
        Command::Sweep(arguments) => sweep::sweep(&arguments).await,
        Command::Analytics(arguments) => analytics::analytics(&arguments).await,
        Command::Audit(arguments) => audit::audit(&arguments).await,
        Command::Verify(arguments) => verify::verify(&arguments).await,
        Command::Copy(arguments) => copy::copy(&arguments).await,
        Command::MoveSlots(arguments) => move_slots::move_slots(&arguments).await,
        Command::Keys(command) => keys::keys(&command),
        Command::Serve(arguments) => serve::serve(arguments).await,
        Command::Token(arguments) => token::token(arguments),
        Command::Bench(arguments) => bench::bench(&arguments).await,
        Command::CompileComponent { .. } => anyhow::bail!("this is for `agent-memory serve` alone"),
        Command::Completions { shell } => completions::completions(shell),
    }
}
