//! How long one writer waits for a commit.

use std::time::Instant;

use agent_memory_host::store::{Committed, Store};
use anyhow::ensure;

use crate::by_turns::median;
use crate::callers::{self, Chance};
use crate::plain;
use crate::report::{Report, Target};
use crate::stores::{CALLERS, Pair};

const ROUNDS: u64 = 3_000;
const WARM_UP: u64 = 300;

pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    let tokio = super::tokio()?;
    let pair = Pair::fill(&tokio)?;
    let plain = plain::connection(&pair.plain)?;
    let mut chance = Chance::new(2);
    let (mut ours_times, mut plain_times) = (Vec::new(), Vec::new());
    for round in 0..WARM_UP + ROUNDS {
        let (number, conversation) = (chance.below(CALLERS), round + 1);
        let (commit, rows) = (callers::commit(number, conversation), pair.template.rows(number, conversation)?);

        let ours = || {
            let began = Instant::now();
            let committed = tokio.block_on(pair.store.commit(commit))?;
            let time = began.elapsed();
            ensure!(matches!(committed, Committed::Now(_)), "a conversation was committed before");
            anyhow::Ok(time)
        };
        let theirs = || {
            let began = Instant::now();
            plain::transaction(&plain, [&rows])?;
            anyhow::Ok(began.elapsed())
        };
        // The disk may still be busy with what came first: that is each of them as often.
        let (ours, theirs) = if round % 2 == 0 {
            let ours = ours()?;
            (ours, theirs()?)
        } else {
            let theirs = theirs()?;
            (ours()?, theirs)
        };
        if round >= WARM_UP {
            ours_times.push(ours);
            plain_times.push(theirs);
        }
    }
    let (ours, theirs) = (median(ours_times), median(plain_times));
    report.add(
        "commit latency, one writer, SQLite : plain transaction",
        ours.as_secs_f64() / theirs.as_secs_f64(),
        Target::AtMost(1.3),
        format!("{ours:.1?} against {theirs:.1?}"),
    );
    Ok(())
}
