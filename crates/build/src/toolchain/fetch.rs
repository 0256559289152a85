//! Fetching what a machine lacks.

use std::fs::File;
use std::path::Path;
use std::process::Command;

use super::TARGET;
use crate::{Progress, process};

/// What a person types on Debian.
pub(super) const DEBIAN_COMMAND: &str =
    "apt-get update && apt-get install -y --no-install-recommends rustc-web rust-web-src";

/// Something that can be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fetch {
    /// The target, by rustup.
    Target,
    /// Debian's packages.
    Packages(Apt),
}

/// How packages can be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Apt {
    /// We are root.
    AsRoot,
    /// With a `sudo` that asks no password.
    WithSudo,
}

/// A command that did not fetch what it was meant to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// The command, as it could be typed.
    pub command: String,
    /// What it printed.
    pub message: String,
}

impl Fetch {
    pub(super) fn run(self, folder: &Path, report: &dyn Fn(Progress<'_>)) -> Result<(), Failed> {
        let command = match self {
            Self::Target => format!("rustup target add {TARGET}"),
            Self::Packages(Apt::AsRoot) => DEBIAN_COMMAND.to_owned(),
            Self::Packages(Apt::WithSudo) => DEBIAN_COMMAND.replace("apt-get", "sudo -n apt-get"),
        };
        report(Progress::Fetching { command: &command });
        let result = match self {
            Self::Target => process::output(process::rust_program("rustup", folder).args(["target", "add", TARGET])),
            // Somebody else's apt may be at work: wait for it.
            Self::Packages(_) => process::output(
                Command::new("sh")
                    .arg("-c")
                    .arg(command.replace("apt-get", "apt-get -o DPkg::Lock::Timeout=600"))
                    .env("DEBIAN_FRONTEND", "noninteractive"),
            ),
        };
        result.map(drop).map_err(|message| Failed { command, message })
    }
}

impl Apt {
    pub(super) fn find() -> Option<Self> {
        process::output(Command::new("apt-get").arg("--version")).ok()?;
        if process::output(Command::new("id").arg("-u")).is_ok_and(|id| id == "0") {
            return Some(Self::AsRoot);
        }
        process::output(Command::new("sudo").args(["-n", "true"])).is_ok().then_some(Self::WithSudo)
    }
}

/// Waits until no other process of this user fetches anything. The turn ends when the file is dropped.
///
/// Neither rustup nor apt can be counted on when started twice at once. Where the lock cannot be had, they are
/// started all the same: to fail now and then is better than always.
pub(super) fn take_turn() -> Option<File> {
    let file = File::create(process::cargo_home()?.join(".agent-memory-wasm-lock")).ok()?;
    file.lock().ok()?;
    Some(file)
}
