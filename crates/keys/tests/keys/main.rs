//! The keys as those who use them see them.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test has nobody else to tell")]

mod command;
mod environment;
mod file;
mod processes;
mod sealing;
mod vectors;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use agent_memory_keys::{Keys, Source};

/// A day in seconds.
pub(crate) const DAY: i64 = 24 * 60 * 60;

/// 2024-10-04, noon.
pub(crate) const NOON: i64 = 20_000 * DAY + DAY / 2;

/// A ring whose bytes are known, of 2024-10-04.
pub(crate) const RING: &str = r#"{
  "agent_memory_keys": 1,
  "id": "AAECAwQFBgcICQoLDA0ODw",
  "root": "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8",
  "versions": [
    {"number": 1, "day": "2024-10-04", "chain": "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8", "retired": "2024-10-04"},
    {"number": 2, "day": "2024-10-04", "chain": "YGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6e3x9fn8", "retired": null}
  ]
}
"#;

/// A ring file with this text.
pub(crate) fn ring_file(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("ring.json");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// The keys of a file that is there.
pub(crate) fn open(path: &Path) -> Keys {
    Keys::open(&Source::File(path.to_owned()), false).unwrap()
}

/// Runs the test of this name in another process, where it finds `role` in the environment.
pub(crate) fn again(test: &str, role: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--quiet"]).env(ROLE, role);
    command
}

/// What a test that runs in another process is to do there.
pub(crate) fn role() -> Option<String> {
    std::env::var(ROLE).ok()
}

const ROLE: &str = "AGENT_MEMORY_KEYS_TEST_ROLE";
