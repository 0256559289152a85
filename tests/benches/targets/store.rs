//! The SQLite store: against plain statements that write the same rows, and against itself with fewer callers.

pub(crate) mod commits;
mod group_commit;
pub(crate) mod latency;
pub(crate) mod reads;

use tokio::runtime::Runtime;

fn tokio() -> anyhow::Result<Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}
