//! What is tried for hours. Each [`Subject`] goes in rounds, and a round is made from its number, so that one in which
//! something was found can be repeated: exactly, but where processes are stopped at a moment and while others compute, and
//! where inputs are made of a corpus that has grown. A few rounds of each are tests; `cargo xtask torture` plays all.

mod deeds;
mod disk;
mod figures;
mod fuzz;
pub mod kills;
mod ledger;
mod life;
mod migration;
mod place;
pub mod power_cuts;
mod process;
mod sequences;

use std::path::PathBuf;

pub use disk::Disk;
pub use figures::Figures;
pub use life::Life;
pub use migration::Migration;

use agent_memory_build::write_atomically;
use agent_memory_tests::{component, root};

/// One kind of torture.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What happens in a round.
    pub about: &'static str,
    /// After how many rounds its result is a full one.
    pub full: u64,
    /// Why it cannot be played here, and what to do, if so.
    pub obstacle: fn() -> Option<String>,
    /// Plays a round. Whatever was found wrong is counted; an error means that the round could not be played.
    pub round: fn(&Setting, u64) -> anyhow::Result<Figures>,
}

/// Where rounds are played.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The program that plays rounds, to be started once more for what a round kills.
    program: PathBuf,
    /// The component of its agent: built once, and not by each of those processes.
    functions: PathBuf,
}

impl Setting {
    /// Builds what the program needs.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn new(program: PathBuf) -> anyhow::Result<Self> {
        let functions = root().join("target/torture/probe.wasm");
        write_atomically(&functions, &component("probe"))?;
        Ok(Self { program, functions })
    }
}

/// Everything that there is.
pub const SUBJECTS: &[Subject] = &[
    Subject {
        name: "power-cuts",
        about: "64 conversations at a time end while the power of their disk is cut, ten times in a row",
        full: 1000,
        obstacle: Disk::obstacle,
        round: power_cuts::round,
    },
    Subject {
        name: "kills",
        about: "64 conversations at a time end while their process is killed, four times in a row, and then one that migrates",
        full: 100,
        obstacle: no_obstacle,
        round: kills::round,
    },
    sequences::SUBJECT,
    fuzz::COMPONENTS,
    fuzz::CONFIGURATION,
    fuzz::FRAMES,
    fuzz::HTTP,
    fuzz::IDENTIFIERS,
    fuzz::POLICY,
    fuzz::RECORDS,
    fuzz::SCENARIO,
    fuzz::VALUES,
];

/// For what can be played everywhere.
pub fn no_obstacle() -> Option<String> {
    None
}
