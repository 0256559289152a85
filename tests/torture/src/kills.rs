//! Kills: a process is killed at any moment, and what it had handed to the operating system is there.

use agent_memory_host::store::Durability;

use crate::disk::scratch;
use crate::ledger::Ledger;
use crate::life::Life;
use crate::process::Process;
use crate::{Figures, Setting, migration};

/// How often a process is killed in a round: each goes on where the one before was killed, and the last migrates a file.
pub const KILLS: u64 = 5;

/// Plays a round.
///
/// # Errors
/// If no process can be started.
pub fn round(setting: &Setting, round: u64) -> anyhow::Result<Figures> {
    let mut chance = fastrand::Rng::with_seed(round);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let (folder, mut figures) = (scratch()?, Figures::default());
    let mut ledger = Ledger::new(folder.path());
    for _ in 1..KILLS {
        let (folder, functions, durability) = (folder.path().to_owned(), setting.functions.clone(), Durability::Full);
        let life = Life { folder, functions, life: ledger.life(), seed: chance.u64(..), durability };
        let mut process = Process::start(setting, &[&["live".to_owned()][..], &life.arguments()?].concat())?;
        let is_at_work = process.work_for_a_while(&mut chance)?;
        let deeds = process.kill()?;
        figures.tried("kills", 1);
        // What was told may be read later, and was told before.
        ledger.note(deeds.into_iter().map(|(_, deed)| (true, deed)), &mut figures);
        runtime.block_on(ledger.check(&mut figures));
        figures.wrong("gave up", u64::from(!is_at_work));
        if !is_at_work {
            break;
        }
    }
    runtime.block_on(migration::round(setting, &mut chance, &mut figures))?;
    figures.tried("kills", 1);
    Ok(figures)
}
