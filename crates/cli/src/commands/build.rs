//! `agent-memory build`

use std::io::IsTerminal;

use anstream::eprint;

use super::Verdict;
use crate::arguments::Build;
use crate::{functions, output};

pub(crate) fn build(arguments: &Build) -> anyhow::Result<Verdict> {
    let built = functions::build(&arguments.path, std::io::stderr().is_terminal())?;
    eprint!("{}", built.diagnostics);
    agent_memory_build::write_atomically(&arguments.output, &built.bytes)?;
    output::text(&format!("{}: {} bytes\n", arguments.output.display(), built.bytes.len()))?;
    Ok(Verdict::Good)
}
