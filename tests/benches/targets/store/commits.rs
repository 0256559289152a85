//! Durable commits per second with 64 writers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use agent_memory_host::store::{Commit, Committed, Store};
use anyhow::ensure;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::group_commit::Plain;
use crate::by_turns::median;
use crate::callers::{self, Chance};
use crate::fill::finish;
use crate::plain::{self, Rows};
use crate::report::{Report, Target};
use crate::stores::{CALLERS, Pair};

const WRITERS: u64 = 64;

/// How many conversations a writer commits in a slice, one after another.
const EACH: u64 = 100;

/// How many slices of each are measured, after those that warm up.
const SLICES: u64 = 24;
const WARM_UP: u64 = 4;

pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    let tokio = super::tokio()?;
    let pair = Pair::fill(&tokio)?;
    let plain = Plain::start(plain::connection(&pair.plain)?);
    let mut chance = Chance::new(1);
    let (mut ours_times, mut plain_times) = (Vec::new(), Vec::new());
    for slice in 0..WARM_UP + SLICES {
        // What is to be committed is made before the clock starts.
        let mut all = Vec::new();
        for writer in 0..WRITERS {
            let first = (slice * WRITERS + writer) * EACH + 1;
            all.push(
                (first..first + EACH).map(|conversation| (chance.below(CALLERS), conversation)).collect::<Vec<_>>(),
            );
        }
        let commits = |each: &Vec<(u64, u64)>| each.iter().map(|&(number, at)| callers::commit(number, at)).collect();
        let rows = |each: &Vec<(u64, u64)>| each.iter().map(|&(number, at)| pair.template.rows(number, at)).collect();
        let commits = all.iter().map(commits).collect();
        let rows = all.iter().map(rows).collect::<anyhow::Result<_>>()?;
        // The disk may still be busy with what came first: that is each of them as often.
        let (ours, theirs) = if slice % 2 == 0 {
            let ours = ours(&tokio, &pair, commits)?;
            (ours, theirs(&tokio, &plain, rows)?)
        } else {
            let theirs = theirs(&tokio, &plain, rows)?;
            (ours(&tokio, &pair, commits)?, theirs)
        };
        if slice >= WARM_UP {
            ours_times.push(ours);
            plain_times.push(theirs);
        }
    }
    let per_second = |times: Vec<Duration>| (WRITERS * EACH) as f64 / median(times).as_secs_f64();
    let (ours, theirs) = (per_second(ours_times), per_second(plain_times));
    report.add(
        "durable commits/s, 64 writers, SQLite : plain group commit",
        ours / theirs,
        Target::AtLeast(0.8),
        format!("{ours:.0}/s against {theirs:.0}/s"),
    );
    Ok(())
}

/// Has each writer commit what it has to.
fn ours(tokio: &Runtime, pair: &Pair, all: Vec<Vec<Commit>>) -> anyhow::Result<Duration> {
    let began = Instant::now();
    tokio.block_on(async {
        let mut writers = JoinSet::new();
        for commits in all {
            let store = Arc::clone(&pair.store);
            writers.spawn(async move {
                for commit in commits {
                    let committed = store.commit(commit).await?;
                    ensure!(matches!(committed, Committed::Now(_)), "a conversation was committed before");
                }
                Ok(())
            });
        }
        finish(writers).await
    })?;
    Ok(began.elapsed())
}

/// Has each writer write its rows.
fn theirs(tokio: &Runtime, plain: &Plain, all: Vec<Vec<Rows>>) -> anyhow::Result<Duration> {
    let began = Instant::now();
    tokio.block_on(async {
        let mut writers = JoinSet::new();
        for rows in all {
            let plain = plain.clone();
            writers.spawn(async move {
                for rows in rows {
                    plain.write(rows).await?;
                }
                Ok(())
            });
        }
        finish(writers).await
    })?;
    Ok(began.elapsed())
}
