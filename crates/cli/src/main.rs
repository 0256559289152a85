//! The `agent-memory` command: plays conversations, checks agents, and looks after what is remembered.

mod arguments;
mod commands;
mod failure;
mod functions;
mod output;
mod stores;
mod surroundings;
mod telemetry;
mod transcript;
mod words;

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

use arguments::{Cli, Command};
use commands::Verdict;

fn main() -> ExitCode {
    // In a worker of `serve` this never returns.
    agent_memory_host::workers::serve_if_worker();
    let cli = Cli::parse();
    let refused = agent_memory_host::refuse_core_dumps();
    if let Err(error) = refused.context("core dumps of this process cannot be switched off") {
        failure::report(&error);
        return ExitCode::from(2);
    }
    // A process of its own, with limits of its own, and one thread.
    if let Command::CompileComponent { code_cache } = &cli.command {
        return match agent_memory_server::compile_component(code_cache) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    let result = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(commands::execute(cli.command)));
    match result {
        Ok(Verdict::Good) => ExitCode::SUCCESS,
        Ok(Verdict::Bad) => ExitCode::from(1),
        // Whoever reads the output has seen enough.
        Err(error) if output::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            failure::report(&error);
            ExitCode::from(2)
        }
    }
}
