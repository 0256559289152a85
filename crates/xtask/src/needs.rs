//! What tests need that a machine may lack. Under CI it is fetched; where it is missing all the same, tests leave out
//! what needs it, and the last lines of `cargo xtask test` say so.

use std::path::Path;
use std::process::Command;

use agent_memory_build::toolchain::{self, Way};

use crate::steps::Outcome;
use crate::workspace;

/// The target of Rust that authors may compile for by themselves.
const WASIP2: &str = "wasm32-wasip2";

/// The browser that looks at the dashboard.
const BROWSER: &str = "/usr/bin/chromium";

/// Where Debian keeps PostgreSQL 15.
const POSTGRES: &str = "/usr/lib/postgresql/15/bin/postgres";

/// Mounts a disk that is a file, and unmounts it.
const MOUNT_A_DISK: &str = "folder=$(mktemp -d) && cd \"$folder\" && mkdir disk && truncate -s 8M image \
    && mkfs.ext4 -q -F image && mount -o loop image disk && umount disk; code=$?; rm -rf \"$folder\"; exit $code";

/// Something that tests need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// A way to the wasm target.
    Way(Way),
    /// The target for functions that need clocks.
    Wasip2,
    /// A browser.
    Browser,
    /// A database server.
    Postgres,
    /// What counts instructions.
    Valgrind,
    /// Disks whose power can be cut, which only root may mount.
    Disks,
    /// What copies a SQLite file that is used.
    Sqlite3,
}

impl Need {
    /// Everything that there is to need.
    fn all() -> impl Iterator<Item = Self> {
        Way::ALL.into_iter().map(Self::Way).chain([
            Self::Wasip2,
            Self::Browser,
            Self::Postgres,
            Self::Valgrind,
            Self::Disks,
            Self::Sqlite3,
        ])
    }

    /// What is not there.
    pub(crate) fn missing() -> Vec<Self> {
        Self::all().filter(|need| !need.is_there()).collect()
    }

    /// What tests are told that it is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Way(way) => way.name(),
            Self::Wasip2 => WASIP2,
            Self::Browser => "chromium",
            Self::Postgres => "postgresql",
            Self::Valgrind => "valgrind",
            Self::Disks => "disks",
            Self::Sqlite3 => "sqlite3",
        }
    }

    /// The package all of whose tests need it, if there is one.
    pub(crate) fn package(self) -> Option<&'static str> {
        match self {
            Self::Postgres => Some("agent-memory-postgres"),
            Self::Way(_) | Self::Wasip2 | Self::Browser | Self::Valgrind | Self::Disks | Self::Sqlite3 => None,
        }
    }

    /// What is left out without it.
    pub(crate) fn left_out(self) -> String {
        match self {
            Self::Way(way) => format!("builds of guests the way `{way}`"),
            Self::Wasip2 => format!("functions in Rust for {WASIP2}"),
            Self::Browser => "the dashboard in a browser".to_owned(),
            Self::Postgres => "the PostgreSQL store".to_owned(),
            Self::Valgrind => "how many instructions native parts take".to_owned(),
            Self::Disks => "power cuts, and disks that are full or stop".to_owned(),
            Self::Sqlite3 => "backups of SQLite files".to_owned(),
        }
    }

    /// Why it is missing, and what to do.
    pub(crate) fn advice(self) -> &'static str {
        match self {
            Self::Way(Way::Target) => "the target is not installed: `rustup target add wasm32-unknown-unknown`",
            Self::Way(Way::Rustup) => "there is no rustup, or it cannot fetch the target",
            Self::Way(Way::Debian) => "the packages are not installed: `apt-get install rustc-web rust-web-src`",
            Self::Wasip2 => "the target is not installed: `rustup target add wasm32-wasip2`",
            Self::Browser => "there is no /usr/bin/chromium: `apt-get install chromium`",
            Self::Postgres => "there is no /usr/lib/postgresql/15: `apt-get install postgresql-15`",
            Self::Valgrind => "there is no valgrind: `apt-get install valgrind`",
            Self::Disks => "no disk can be mounted: run it as root, with loop devices, and `apt-get install e2fsprogs`",
            Self::Sqlite3 => "there is no sqlite3: `apt-get install sqlite3`",
        }
    }

    fn is_there(self) -> bool {
        match self {
            Self::Way(way) => toolchain::find(Some(way), workspace::root()).is_ok(),
            Self::Wasip2 => {
                let rustc = Command::new("rustc").args(["--print", "target-libdir", "--target", WASIP2]).output();
                rustc.is_ok_and(|found| Path::new(String::from_utf8_lossy(&found.stdout).trim()).is_dir())
            }
            Self::Browser => Path::new(BROWSER).exists(),
            Self::Postgres => Path::new(POSTGRES).exists(),
            Self::Valgrind => Command::new("valgrind").arg("--version").output().is_ok(),
            Self::Sqlite3 => Command::new("sqlite3").arg("-version").output().is_ok(),
            // Where devices and mounting are kept from containers, nothing but trying tells.
            Self::Disks => Command::new("sh").args(["-c", MOUNT_A_DISK]).output().is_ok_and(|ran| ran.status.success()),
        }
    }

    /// Tries to fetch it. The summary names what could not be had.
    fn fetch(self) {
        let run = |program: &str, arguments: &[&str]| {
            let _ = Command::new(program).args(arguments).env("DEBIAN_FRONTEND", "noninteractive").output();
        };
        let install = |package: &str| {
            run("apt-get", &["update"]);
            let options = ["-o", "DPkg::Lock::Timeout=600", "install", "-y", "--no-install-recommends"];
            run("apt-get", &[&options[..], &[package]].concat());
        };
        match self {
            // It is for the user to change the tool-chain that everything is compiled with.
            Self::Way(Way::Target) => {}
            Self::Way(way) => {
                let _ = toolchain::prepare(Some(way), workspace::root(), &workspace::show);
            }
            Self::Wasip2 => run("rustup", &["target", "add", WASIP2]),
            Self::Browser => install("chromium"),
            Self::Postgres => install("postgresql-15"),
            Self::Valgrind => install("valgrind"),
            Self::Disks => install("e2fsprogs"),
            Self::Sqlite3 => install("sqlite3"),
        }
    }
}

/// Fetches what building guests needs, and under CI, where nobody minds, also what else tests need.
pub(crate) fn set_up() -> anyhow::Result<Outcome> {
    toolchain::prepare(Way::from_environment()?, workspace::root(), &workspace::show)?;
    if crate::is_ci() {
        Need::missing().into_iter().for_each(Need::fetch);
    }
    Ok(Outcome::Passed)
}
