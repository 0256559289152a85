//! Where things are, and how cargo is started on them.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::Command;

use agent_memory_build::Progress;
use anyhow::{Context, bail};
use cargo_metadata::{Artifact, Message, Metadata, MetadataCommand};

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.ancestors().nth(2).unwrap_or(own)
}

/// What cargo knows of the workspace.
pub(crate) fn metadata() -> anyhow::Result<Metadata> {
    let output = output(&mut cargo(["metadata", "--no-deps", "--format-version=1"]))?;
    Ok(MetadataCommand::parse(String::from_utf8_lossy(&output))?)
}

/// The cargo that started us, on the whole workspace.
///
/// What it told us of ourselves is taken back: packages that look at it would be built again each time that the
/// task and a person take turns.
pub(crate) fn cargo<const N: usize>(arguments: [&str; N]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    for (variable, _) in std::env::vars_os() {
        let ours = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE"];
        if variable.to_str().is_some_and(|name| ours.iter().any(|prefix| name.starts_with(prefix))) {
            command.env_remove(variable);
        }
    }
    command
}

/// All programs of the workspace's tests, and those that they start, built with the features that they share.
pub(crate) fn test_programs() -> anyhow::Result<Vec<Artifact>> {
    artifacts(&mut cargo(["test", "--workspace", "--no-run", "--message-format", "json-render-diagnostics"]))
}

/// What a build makes that prints its messages as JSON.
pub(crate) fn artifacts(build: &mut Command) -> anyhow::Result<Vec<Artifact>> {
    let output = output(build)?;
    let messages = Message::parse_stream(output.as_slice());
    let artifacts = messages.filter_map(|message| match message {
        Ok(Message::CompilerArtifact(artifact)) => Some(Ok(artifact)),
        Ok(_) => None,
        Err(error) => Some(Err(error.into())),
    });
    artifacts.collect()
}

/// The program of this name that is no test.
pub(crate) fn program(name: &str, programs: &[Artifact]) -> anyhow::Result<PathBuf> {
    let program = programs.iter().find(|artifact| artifact.target.name == name && artifact.target.is_bin());
    let program = program.and_then(|artifact| artifact.executable.as_ref());
    Ok(program.with_context(|| format!("{name} was not built"))?.into())
}

/// Runs a command to its end; it may write where we write.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let program = command.get_program().to_owned();
    let status = command.status().with_context(|| format!("cannot start {}", program.display()))?;
    if !status.success() {
        bail!("{} failed ({status})", Path::new(&program).file_name().unwrap_or(&program).display());
    }
    Ok(())
}

/// Runs a command to its end, and gives what it writes to standard output. What it writes to standard error becomes the
/// error if it fails.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<Vec<u8>> {
    let output = command.output().with_context(|| format!("cannot start {}", command.get_program().display()))?;
    if !output.status.success() {
        bail!("{}\n({})", String::from_utf8_lossy(&output.stderr).trim_end(), output.status);
    }
    Ok(output.stdout)
}

/// Shows on a terminal what a build is doing, and nothing of it in a pipe.
pub(crate) fn show(progress: Progress<'_>) {
    // Of a compilation the beginning is enough.
    if std::io::stderr().is_terminal() && !matches!(progress, Progress::Compiled { .. }) {
        eprintln!("{progress}");
    }
}
