//! The way to `wasm32-unknown-unknown`, whatever the machine.
//!
//! Whoever builds functions need not know any of this: what is there is used, and what is missing is fetched. In this
//! order:
//!
//! 1. **The target**, if the Rust tool-chain in use has it.
//! 2. **Debian's packages** `rustc-web` and `rust-web-src`, if they are there: a compiler and the sources of the
//!    standard library, which cargo then builds along with the project.
//! 3. **`rustup target add`**, where there is rustup.
//! 4. **`apt-get install`** of those packages, for root or with a `sudo` that asks no password, where there is apt.
//! 5. An error that says what to type.
//!
//! What is there comes before what has to be fetched, so that a machine that cannot reach Rust's servers does not try
//! to at every build.
//!
//! The variable [`VARIABLE`] forces one [`Way`]: `target`, `rustup` or `debian`.

mod decision;
mod fetch;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;

use crate::Progress;
use crate::process;
use decision::{Facts, Step};
pub use fetch::Failed;
use fetch::Fetch;

/// The target that guests are compiled for.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// The environment variable that forces a [`Way`].
pub const VARIABLE: &str = "AGENT_MEMORY_WASM_TOOLCHAIN";

/// A way to the wasm target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The target of the Rust tool-chain in use. Nothing is fetched.
    Target,
    /// The same, after `rustup target add`.
    Rustup,
    /// Debian's packages, fetched if they are missing.
    Debian,
}

impl Way {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Target, Self::Rustup, Self::Debian];

    /// The name that the variable has for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Target => "target",
            Self::Rustup => "rustup",
            Self::Debian => "debian",
        }
    }

    /// The way that the variable asks for, if it is set.
    ///
    /// # Errors
    ///
    /// [`ToolchainError::Setting`] if it is set to something else.
    pub fn from_environment() -> Result<Option<Self>, ToolchainError> {
        match std::env::var_os(VARIABLE) {
            None => Ok(None),
            Some(value) if value.is_empty() => Ok(None),
            Some(value) => value.to_string_lossy().parse().map(Some),
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Way {
    type Err = ToolchainError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|way| way.name() == text)
            .ok_or_else(|| ToolchainError::Setting { value: text.to_owned() })
    }
}

/// Why a machine cannot compile for wasm.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ToolchainError {
    /// The variable has a value that it cannot have.
    #[error("{VARIABLE} is `{value}`: set it to `target`, `rustup` or `debian`, or not at all")]
    Setting {
        /// The value.
        value: String,
    },
    /// There is no cargo.
    #[error("there is no `cargo` on the search path: install Rust as https://rustup.rs says")]
    NoCargo,
    /// Cargo cannot be started.
    #[error("{message}")]
    Cargo {
        /// Why not.
        message: String,
    },
    /// There is no way to the target.
    #[error("this machine cannot compile for {TARGET}{}", remedy(*forced, tried))]
    Unavailable {
        /// The way that was asked for.
        forced: Option<Way>,
        /// What was tried to get there.
        tried: Vec<Failed>,
    },
}

fn remedy(forced: Option<Way>, tried: &[Failed]) -> String {
    let rustup = format!("rustup target add {TARGET}");
    let debian = fetch::DEBIAN_COMMAND;
    let mut text = forced.map(|way| format!(" the way `{way}`")).unwrap_or_default();
    for Failed { command, message } in tried {
        text += &format!("\n`{command}` was tried, and failed:\n{message}");
    }
    // What to do comes last, where it is seen.
    text += &match forced {
        None => format!("\nType one of these, the second as root on Debian 12 or later:\n  {rustup}\n  {debian}"),
        Some(Way::Debian) => format!("\nType, as root on Debian 12 or later:\n  {debian}"),
        Some(Way::Target | Way::Rustup) => format!("\nType:\n  {rustup}"),
    };
    text
}

/// A tool-chain that compiles for wasm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toolchain(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// The Rust tool-chain in use, which has the target.
    Installed,
    /// A compiler with the sources of the standard library.
    FromSource { rustc: PathBuf, linker: PathBuf },
}

impl Toolchain {
    /// A name for folders: what different tool-chains compile does not mix.
    pub fn name(&self) -> &'static str {
        match &self.0 {
            Kind::Installed => "installed",
            Kind::FromSource { .. } => "from-source",
        }
    }

    /// Has a `cargo build` use it.
    pub(crate) fn apply(&self, cargo_build: &mut Command) {
        cargo_build.args(["--target", TARGET]);
        match &self.0 {
            Kind::Installed => {}
            Kind::FromSource { rustc, linker } => {
                cargo_build
                    .arg("-Zbuild-std=std,panic_abort")
                    .env("RUSTC", rustc)
                    .env("RUSTC_BOOTSTRAP", "1")
                    .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
            }
        }
    }

    /// The folder that the standard library's sources are in, by all its names. None where there are no sources.
    pub(crate) fn standard_library(&self, folder: &Path) -> Vec<PathBuf> {
        let mut rustc = match &self.0 {
            Kind::Installed => process::rust_program("rustc", folder),
            Kind::FromSource { rustc, .. } => Command::new(rustc),
        };
        let Ok(sysroot) = process::output(rustc.args(["--print", "sysroot"])) else { return Vec::new() };
        let sources = Path::new(&sysroot).join("lib/rustlib/src/rust");
        // Debian keeps them elsewhere and links to them.
        std::fs::canonicalize(&sources).map(|real| vec![sources, real]).unwrap_or_default()
    }
}

/// A tool-chain for the projects in a folder, if one is there. Fetches nothing.
///
/// # Errors
///
/// [`ToolchainError::Unavailable`] if something would have to be fetched.
pub fn find(way: Option<Way>, folder: &Path) -> Result<Toolchain, ToolchainError> {
    let facts = Facts { apt: None, ..Facts::gather(way, folder) };
    match decision::next_step(way, &facts, &[]) {
        Step::Use(kind) => Ok(Toolchain(kind)),
        // All that is left for rustup is to say so.
        Step::Fetch(Fetch::Target) if facts.target => Ok(Toolchain(Kind::Installed)),
        Step::Fetch(_) | Step::GiveUp => Err(ToolchainError::Unavailable { forced: way, tried: Vec::new() }),
    }
}

/// A tool-chain for the projects in a folder. Whatever is missing is fetched, which `report` is told of.
///
/// # Errors
///
/// [`ToolchainError::Unavailable`] if it could not be fetched.
pub fn prepare(way: Option<Way>, folder: &Path, report: &dyn Fn(Progress<'_>)) -> Result<Toolchain, ToolchainError> {
    let mut lock = None;
    let mut tried: Vec<Fetch> = Vec::new();
    let mut failed = Vec::new();
    loop {
        match decision::next_step(way, &Facts::gather(way, folder), &tried) {
            Step::Use(kind) => return Ok(Toolchain(kind)),
            // Another process may have been fetching the same: look again once it is our turn.
            Step::Fetch(_) if lock.is_none() => lock = Some(fetch::take_turn()),
            Step::Fetch(fetch) => {
                failed.extend(fetch.run(folder, report).err());
                tried.push(fetch);
            }
            Step::GiveUp => return Err(ToolchainError::Unavailable { forced: way, tried: failed }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_is_read_from_its_name_and_from_nothing_else() {
        for way in Way::ALL {
            assert_eq!(way.name().parse::<Way>().unwrap(), way);
        }
        let error = "Debian".parse::<Way>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "AGENT_MEMORY_WASM_TOOLCHAIN is `Debian`: set it to `target`, `rustup` or `debian`, or not at all"
        );
    }

    #[test]
    fn the_last_resort_says_what_to_type_and_what_was_tried() {
        let tried = vec![Failed { command: "rustup target add x".to_owned(), message: "no network".to_owned() }];
        assert_eq!(
            ToolchainError::Unavailable { forced: None, tried }.to_string(),
            "this machine cannot compile for wasm32-unknown-unknown\n\
             `rustup target add x` was tried, and failed:\n\
             no network\n\
             Type one of these, the second as root on Debian 12 or later:\n  \
             rustup target add wasm32-unknown-unknown\n  \
             apt-get update && apt-get install -y --no-install-recommends rustc-web rust-web-src"
        );
    }

    #[test]
    fn a_forced_way_is_told_what_it_lacks_alone() {
        let message = |way| ToolchainError::Unavailable { forced: Some(way), tried: Vec::new() }.to_string();
        assert_eq!(
            message(Way::Target),
            "this machine cannot compile for wasm32-unknown-unknown the way `target`\n\
             Type:\n  \
             rustup target add wasm32-unknown-unknown"
        );
        assert_eq!(
            message(Way::Debian),
            "this machine cannot compile for wasm32-unknown-unknown the way `debian`\n\
             Type, as root on Debian 12 or later:\n  \
             apt-get update && apt-get install -y --no-install-recommends rustc-web rust-web-src"
        );
    }
}
