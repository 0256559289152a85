//! Running cargo and its friends.
//!
//! We may ourselves run under cargo (`cargo run`, `cargo test`), which then has put settings for *its* build into our
//! environment, and the user may have settings for host builds there. Neither is meant for the build of a guest.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where packages come from is a matter of the machine. Everything else of cargo's variables is about one build.
const KEPT: [&str; 7] = [
    "CARGO_BUILD_JOBS",
    "CARGO_HOME",
    "CARGO_HTTP_",
    "CARGO_NET_",
    "CARGO_REGISTRIES_",
    "CARGO_REGISTRY_",
    "CARGO_SOURCE_",
];

/// The variables by which the user says where cargo is to put its files.
const TARGET_FOLDER: [&str; 2] = ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"];

/// A program of the Rust tool-chain that is in charge of a folder, without the settings of other builds.
pub(crate) fn rust_program(name: &str, folder: &Path) -> Command {
    let mut command = Command::new(name);
    command.current_dir(folder).stdin(Stdio::null());
    // Somebody may look for a fault of ours, not of rustup's.
    command.env_remove("RUST_BACKTRACE");
    for (variable, _) in std::env::vars_os() {
        if is_of_another_build(&variable) {
            command.env_remove(variable);
        }
    }
    command
}

/// Lets the user's choice of the target folder through, as it was meant where the user is.
pub(crate) fn keep_target_folder(command: &mut Command) {
    for variable in TARGET_FOLDER {
        if let Some(value) = std::env::var_os(variable).filter(|value| !value.is_empty())
            && let Ok(folder) = std::path::absolute(value)
        {
            command.env(variable, folder);
        }
    }
}

/// Runs a command and gives what it wrote to standard output. The error is what it wrote to standard error.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    match command.stdin(Stdio::null()).output() {
        Ok(output) if output.status.success() => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Err(not_started(command.get_program(), &error)),
    }
}

/// The folder in which cargo keeps what all projects share.
pub(crate) fn cargo_home() -> Option<PathBuf> {
    match std::env::var_os("CARGO_HOME").filter(|home| !home.is_empty()) {
        Some(home) => Some(home.into()),
        None => std::env::home_dir().map(|home| home.join(".cargo")),
    }
}

/// Why a program did not even start.
pub(crate) fn not_started(program: &OsStr, error: &io::Error) -> String {
    let program = program.display();
    match error.kind() {
        io::ErrorKind::NotFound => format!("there is no program `{program}` on the search path"),
        _ => format!("`{program}` cannot be started: {error}"),
    }
}

fn is_of_another_build(variable: &OsStr) -> bool {
    let Some(name) = variable.to_str() else { return false };
    let cargo = name == "CARGO" || name.starts_with("CARGO_") && !KEPT.iter().any(|kept| name.starts_with(kept));
    let rust = ["RUSTC", "RUSTDOC", "RUSTFLAGS", "RUST_RECURSION_COUNT"].iter().any(|set| name.starts_with(set));
    cargo || rust
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_another_build_are_told_from_those_of_the_machine() {
        for variable in [
            "CARGO",
            "CARGO_BUILD_RUSTFLAGS",
            "CARGO_BUILD_TARGET",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_INCREMENTAL",
            "CARGO_MANIFEST_DIR",
            "CARGO_PKG_NAME",
            "CARGO_PROFILE_RELEASE_LTO",
            "CARGO_TARGET_DIR",
            "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER",
            "RUSTC",
            "RUSTC_BOOTSTRAP",
            "RUSTC_WRAPPER",
            "RUSTDOCFLAGS",
            "RUSTFLAGS",
        ] {
            assert!(is_of_another_build(OsStr::new(variable)), "{variable}");
        }
        for variable in ["CARGO_HOME", "CARGO_NET_OFFLINE", "CARGO_REGISTRIES_OURS_TOKEN", "PATH", "RUSTUP_HOME"] {
            assert!(!is_of_another_build(OsStr::new(variable)), "{variable}");
        }
    }

    #[test]
    fn a_rust_program_starts_without_the_settings_of_the_build_that_this_test_belongs_to() {
        assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some(), "run by cargo");
        let command = rust_program("cargo", Path::new("."));
        assert!(command.get_envs().any(|(name, value)| name == "CARGO_MANIFEST_DIR" && value.is_none()));
    }

    #[test]
    fn a_missing_program_is_said_to_be_missing() {
        let error = output(&mut Command::new("agent-memory-no-such-program")).unwrap_err();
        assert_eq!(error, "there is no program `agent-memory-no-such-program` on the search path");
    }
}
