//! What a caller's fields take to read, with many callers in the store and with few.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use agent_memory_host::store::{Read, SqliteStore, Store};
use anyhow::ensure;
use tokio::runtime::Runtime;

use crate::by_turns::median;
use crate::callers::{self, Chance, NOW};
use crate::report::{Report, Target};
use crate::stores;

const MANY: u64 = 1_000_000;
const FEW: u64 = 10_000;

/// How many reads there are in a slice, and how many slices are measured of each, after those that warm up.
const READS: usize = 2_000;
const SLICES: usize = 40;
const WARM_UP: usize = 10;

pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    let tokio = super::tokio()?;
    let folder = tempfile::tempdir()?;
    let (many, few) = (folder.path().join("many.db"), folder.path().join("few.db"));
    let began = Instant::now();
    stores::fill(&tokio, &few, FEW)?;
    stores::fill(&tokio, &many, MANY)?;
    let filled = began.elapsed();
    let (many, few) = (open(&many)?, open(&few)?);
    let mut chance = Chance::new(3);
    let (mut many_times, mut few_times) = (Vec::new(), Vec::new());
    for slice in 0..WARM_UP + SLICES {
        for (store, callers, times) in [(&many, MANY, &mut many_times), (&few, FEW, &mut few_times)] {
            let read = read(&tokio, store, callers, &mut chance)?;
            if slice >= WARM_UP {
                times.extend(read);
            }
        }
    }
    let (many, few) = (median(many_times), median(few_times));
    report.add(
        "store read, 1,000,000 callers : 10,000 callers, SQLite",
        many.as_secs_f64() / few.as_secs_f64(),
        Target::AtMost(1.5),
        format!("{many:.1?} against {few:.1?}; filled in {:.0} s", filled.as_secs_f64()),
    );
    Ok(())
}

/// Opens a store as a process finds it that has been started on a warm machine: the operating system has all of the file
/// in its cache, and has it from reading. What it has from writing stands there page by page, which is slower to find.
fn open(path: &Path) -> anyhow::Result<SqliteStore> {
    let mut file = File::open(path)?;
    file.sync_all()?;
    #[cfg(target_os = "linux")]
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
    io::copy(&mut file, &mut io::sink())?;
    Ok(SqliteStore::open_existing(path)?)
}

/// Reads callers at random.
fn read(tokio: &Runtime, store: &SqliteStore, callers: u64, chance: &mut Chance) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::with_capacity(READS);
    for _ in 0..READS {
        let read = Read { identity: Some(callers::identity(chance.below(callers))), conversation: None, now: NOW };
        let began = Instant::now();
        let loaded = tokio.block_on(store.load(read))?;
        times.push(began.elapsed());
        ensure!(loaded.fields.len() == 5, "a caller is not there");
    }
    Ok(times)
}
