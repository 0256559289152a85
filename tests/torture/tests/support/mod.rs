//! What these tests have in common.
#![allow(dead_code, reason = "not every test needs all of it")]

use std::env;

use agent_memory_torture::{Disk, Setting};

/// The program that plays rounds.
pub(crate) fn setting() -> Setting {
    Setting::new(env!("CARGO_BIN_EXE_agent-memory-torture").into()).unwrap()
}

/// Whether disks can be mounted here. Under CI that may be missing only where `cargo xtask test` has tried, and names it
/// among what was skipped.
pub(crate) fn has_disks() -> bool {
    let Some(obstacle) = Disk::obstacle() else { return true };
    let excused = env::var("AGENT_MEMORY_TEST_WITHOUT").unwrap_or_default();
    let is_excused = excused.split(',').any(|name| name == "disks");
    let is_ci = env::var_os("CI").is_some_and(|value| !value.is_empty());
    assert!(!is_ci || is_excused, "{obstacle}");
    println!("skipped: {obstacle}");
    false
}
