//! Callers into an empty store.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use agent_memory_host::store::{Backend, Kept};
use tokio::task::JoinSet;

use crate::callers;

/// How many callers are put in at once.
const BATCH: u64 = 2048;

/// How many tasks do so. What comes together shares a transaction, which writes a page once that several callers are on.
const FILLERS: u64 = 4;

/// Puts in the callers of these numbers.
pub(crate) async fn fill(store: &Arc<dyn Backend>, numbers: Range<u64>) -> anyhow::Result<()> {
    let next = Arc::new(AtomicU64::new(numbers.start));
    let mut tasks = JoinSet::new();
    for _ in 0..FILLERS {
        let (store, next, end) = (Arc::clone(store), Arc::clone(&next), numbers.end);
        tasks.spawn(async move {
            loop {
                let from = next.fetch_add(BATCH, Ordering::Relaxed);
                let batch: Vec<Kept> = (from..end.min(from + BATCH)).flat_map(callers::kept).collect();
                if batch.is_empty() {
                    return anyhow::Ok(());
                }
                store.restore(batch).await?;
            }
        });
    }
    finish(tasks).await
}

/// Waits for all of them.
pub(crate) async fn finish(mut tasks: JoinSet<anyhow::Result<()>>) -> anyhow::Result<()> {
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(())
}
