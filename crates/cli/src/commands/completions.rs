//! `agent-memory completions`

use clap::CommandFactory;
use clap_complete::Shell;

use super::Verdict;
use crate::arguments::Cli;
use crate::output;

pub(crate) fn completions(shell: Shell) -> anyhow::Result<Verdict> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "agent-memory", &mut script);
    output::data(&String::from_utf8(script)?)?;
    Ok(Verdict::Good)
}
