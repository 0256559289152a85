//! Whether a store gets slower as it fills: commits and reads per second with ever more identifiers in it.
//!
//! ```sh
//! cargo bench -p agent-memory-tests --bench scale                              # every store, 10,000 to 1,000,000
//! cargo bench -p agent-memory-tests --bench scale -- postgres --identities 10000,100000
//! ```
//!
//! Each identifier has five fields of 60 bytes, a first interaction, a mark and a metric row, put in as an administrator
//! would move them from another store. Then, for each size, 32 tasks commit what a returning caller's conversation ends
//! with (a patch of two fields, a repeat of the first interaction, a mark) for callers chosen at random, and 32 tasks read a
//! caller's fields, for a few seconds each. The servers are started here, with `fsync` as in production. Processor time is
//! counted for each commit and each read: in this process, and on the whole machine, which should have nothing else to do.

#![allow(missing_docs, reason = "a program has no users of its code")]

#[path = "../support/callers.rs"]
mod callers;
mod cpu;
#[path = "../support/fill.rs"]
mod fill;
mod subjects;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use agent_memory_host::store::{Backend, Commit, Read, StoreError};
use anyhow::{Context, bail};

use callers::{Chance, NOW, identity};
use cpu::Used;
use subjects::Subject;

/// How many tasks ask at once.
const TASKS: u64 = 32;

fn main() -> anyhow::Result<()> {
    let (mut sizes, mut seconds, mut names) = (vec![10_000, 100_000, 1_000_000], 5, Vec::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--identities" => {
                let list = arguments.next().context("--identities needs numbers, with commas between")?;
                sizes = list.split(',').map(str::parse).collect::<Result<_, _>>()?;
            }
            "--seconds" => seconds = arguments.next().context("--seconds needs a number")?.parse()?,
            // Cargo says so to every benchmark.
            "--bench" => {}
            name if subjects::NAMES.contains(&name) => names.push(name.to_owned()),
            other => {
                bail!("unknown argument {other:?}: give --identities, --seconds, or {}", subjects::NAMES.join(", "))
            }
        }
    }
    if !sizes.is_sorted() {
        bail!("--identities has to grow: what is there stays there");
    }
    if names.is_empty() {
        names = subjects::NAMES.map(str::to_owned).to_vec();
    }
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    println!(
        "{:<10} {:>11} {:>10} {:>9} {:>9} {:>16} {:>10} {:>16} {:>10}",
        "store",
        "identifiers",
        "commits/s",
        "p50",
        "p99",
        "CPU here, in all",
        "reads/s",
        "CPU here, in all",
        "bytes each"
    );
    for name in names {
        tokio.block_on(measure(&name, &sizes, Duration::from_secs(seconds)))?;
    }
    Ok(())
}

async fn measure(name: &str, sizes: &[u64], time: Duration) -> anyhow::Result<()> {
    let subject = Subject::start(name).await?;
    let mut filled = 0;
    for &size in sizes {
        fill::fill(&subject.store, filled..size).await?;
        filled = size;
        subject.settle()?;
        let bytes = subject.bytes()? / size.max(1);
        let commits = Arc::new(AtomicU64::new(0));
        let committed = all(&subject.store, time, move |store, chance| {
            let number = commits.fetch_add(1, Ordering::Relaxed);
            let commit: Commit = callers::commit(chance.below(size), size << 20 | number);
            async move { store.commit(commit).await.map(drop) }
        })
        .await?;
        let read = all(&subject.store, time, move |store, chance| {
            let read = Read { identity: Some(identity(chance.below(size))), conversation: None, now: NOW };
            async move { store.load(read).await.map(|loaded| assert!(loaded.fields.len() >= 5, "everybody is there")) }
        })
        .await?;
        println!(
            "{name:<10} {size:>11} {:>10.0} {:>7.2}ms {:>7.2}ms {:>13} µs {:>10.0} {:>13} µs {bytes:>10}",
            committed.per_second,
            committed.p50,
            committed.p99,
            committed.processor(),
            read.per_second,
            read.processor()
        );
    }
    Ok(())
}

/// How it went.
struct Figures {
    per_second: f64,
    /// In milliseconds.
    p50: f64,
    p99: f64,
    /// Processor time of each, in microseconds: in this process, and in all.
    here: f64,
    everywhere: f64,
}

impl Figures {
    fn processor(&self) -> String {
        format!("{:.0}, {:.0}", self.here, self.everywhere)
    }
}

/// Has all tasks ask again and again, for a time.
async fn all<F: Future<Output = Result<(), StoreError>> + Send>(
    store: &Arc<dyn Backend>,
    time: Duration,
    ask: impl Fn(Arc<dyn Backend>, &mut Chance) -> F + Clone + Send + 'static,
) -> anyhow::Result<Figures> {
    let (began, used) = (Instant::now(), Used::now()?);
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let (store, ask, mut chance) = (Arc::clone(store), ask.clone(), Chance::new(task));
            tokio::spawn(async move {
                let mut times = Vec::new();
                while began.elapsed() < time {
                    let asked = Instant::now();
                    ask(Arc::clone(&store), &mut chance).await?;
                    times.push(asked.elapsed());
                }
                Ok::<_, StoreError>(times)
            })
        })
        .collect();
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await??);
    }
    let (took, used) = (began.elapsed().as_secs_f64(), Used::now()?.since(used));
    times.sort_unstable();
    let at = |part: f64| {
        let index = (times.len() as f64 * part) as usize;
        times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
    };
    let each = |used: Duration| used.as_secs_f64() * 1e6 / times.len() as f64;
    let (here, everywhere) = (each(used.here), each(used.everywhere));
    Ok(Figures { per_second: times.len() as f64 / took, p50: at(0.5), p99: at(0.99), here, everywhere })
}
