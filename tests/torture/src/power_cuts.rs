//! Power cuts: a process works on a disk whose power is cut at any moment.

use std::time::Instant;

use agent_memory_host::store::Durability;

use crate::disk::Disk;
use crate::ledger::Ledger;
use crate::life::Life;
use crate::process::Process;
use crate::{Figures, Setting};

/// How often the power is cut in a round, each time on what the cut before has left.
pub const CUTS: u64 = 10;

/// How large the disk is, in mebibytes.
const SIZE: u64 = 128;

/// Plays a round with all that keeps data safe.
///
/// # Errors
/// If there is no disk, or no process can be started.
pub fn round(setting: &Setting, round: u64) -> anyhow::Result<Figures> {
    round_with(setting, round, Durability::Full)
}

/// Plays a round with a store that waits less for the disk, which has to be noticed.
///
/// # Errors
/// If there is no disk, or no process can be started.
pub fn round_with(setting: &Setting, round: u64, durability: Durability) -> anyhow::Result<Figures> {
    let mut chance = fastrand::Rng::with_seed(round);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let (mut disk, mut figures) = (Disk::new(SIZE)?, Figures::default());
    let mut ledger = Ledger::new(disk.path());
    for _ in 0..CUTS {
        let (folder, functions) = (disk.path().to_owned(), setting.functions.clone());
        let life = Life { folder, functions, life: ledger.life(), seed: chance.u64(..), durability };
        let mut process = Process::start(setting, &[&["live".to_owned()][..], &life.arguments()?].concat())?;
        let is_at_work = process.work_for_a_while(&mut chance)?;
        let cut = Instant::now();
        disk.cut()?;
        let deeds = process.kill()?;
        disk.restart()?;
        figures.tried("power cuts", 1);
        ledger.note(deeds.into_iter().map(|(heard, deed)| (heard < cut, deed)), &mut figures);
        runtime.block_on(ledger.check(&mut figures));
        figures.wrong("gave up", u64::from(!is_at_work));
        if !is_at_work {
            break;
        }
    }
    Ok(figures)
}
