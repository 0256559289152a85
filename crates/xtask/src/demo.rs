//! The story that a newcomer sees first.

use std::io::IsTerminal;

use crate::workspace;

const PROJECT: &str = "examples/cheese-shop";
const SCENARIO: &str = "examples/cheese-shop/scenario.yaml";

/// Builds the cheese shop from source, which fetches whatever that needs, and plays its scenario.
pub(crate) fn run() -> anyhow::Result<()> {
    let options = agent_memory_build::Options { progress: Some(&workspace::show), ..Default::default() };
    agent_memory_build::build(&workspace::root().join(PROJECT), &options)?;

    // The first time this takes minutes, which only cargo's own progress makes bearable.
    let mut build = workspace::cargo(["build", "--package", "agent-memory-cli"]);
    if !std::io::stderr().is_terminal() {
        build.arg("--quiet");
    }
    workspace::run(&mut build)?;
    workspace::run(&mut workspace::cargo(["run", "--quiet", "--package", "agent-memory-cli", "--", "run", SCENARIO]))
}
