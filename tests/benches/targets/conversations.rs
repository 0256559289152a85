//! Whole conversations: how many a second there are, of those that there are without the sandbox.

use std::sync::Arc;

use agent_memory_bench::{Bench, FUNCTIONS, Figures, Workload};
use agent_memory_host::Runtime;
use agent_memory_host::keys::Keys;
use agent_memory_host::store::{Backend, SqliteStore};

use crate::report::{Report, Target};

/// How many clients play at once.
const CLIENTS: u32 = 32;

/// More than `agent-memory bench` plays, so that a run differs little from the next.
const WORKLOAD: Workload = Workload { identities: 100_000, conversations: 10_000, turns: 3, seed: 1 };

pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let measured = tokio.block_on(async {
        let folder = tempfile::tempdir()?;
        let store: Arc<dyn Backend> = Arc::new(SqliteStore::open(folder.path().join("bench.db"))?);
        let keys = Keys::ephemeral();
        let runtime = Runtime::builder(Arc::clone(&store), keys.clone()).build().await?;
        let bench = Bench::prepare(&runtime, store, keys, FUNCTIONS.to_vec(), WORKLOAD, |_| {}).await?;
        anyhow::Ok(bench.measure(CLIENTS).await?)
    })?;
    let in_words = |figures: &Figures| {
        let processor = figures.cpu_us_per_turn() * f64::from(WORKLOAD.turns);
        format!("{:.0}/s with {processor:.0} µs of processor time each", figures.conversations_per_s())
    };
    report.add(
        "whole conversations per second, Rust, 32 clients, SQLite: of bare",
        measured.ratio(),
        Target::AtLeast(0.5),
        format!("{}; bare {}", in_words(&measured.sandboxed), in_words(&measured.bare)),
    );
    Ok(())
}
