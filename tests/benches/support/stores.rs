//! SQLite stores with callers in them, and beside one the same file for plain statements.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use agent_memory_host::store::{Kept, SqliteStore, Store, Transfer};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::callers;
use crate::plain::Template;

/// How many callers are put in at once.
const BATCH: u64 = 2048;

/// How many tasks do so. What comes together shares a transaction, which writes a page once that several callers are on.
const FILLERS: u64 = 4;

/// How many callers commits are made for.
pub(crate) const CALLERS: u64 = 100_000;

/// Two stores with the same callers in them.
pub(crate) struct Pair {
    pub(crate) store: Arc<SqliteStore>,
    /// The file that plain statements write to.
    pub(crate) plain: PathBuf,
    pub(crate) template: Template,
    _folder: TempDir,
}

impl Pair {
    /// Fills a store, and copies its file.
    pub(crate) fn fill(tokio: &Runtime) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let (ours, plain) = (folder.path().join("ours.db"), folder.path().join("plain.db"));
        fill(tokio, &ours, CALLERS)?;
        // What the store itself writes for a caller who returns is what the plain statements are to write. It is
        // committed with a number that no measured commit has.
        let sample = callers::commit(0, 0);
        let conversation = sample.conversation;
        tokio.block_on(SqliteStore::open_existing(&ours)?.commit(sample))?;
        let template = Template::read(&ours, &conversation)?;
        fs::copy(&ours, &plain)?;
        Ok(Self { store: Arc::new(SqliteStore::open_existing(&ours)?), plain, template, _folder: folder })
    }
}

/// Makes a store with so many callers in it.
pub(crate) fn fill(tokio: &Runtime, path: &Path, callers: u64) -> anyhow::Result<()> {
    let store = Arc::new(SqliteStore::open(path)?);
    let next = Arc::new(AtomicU64::new(0));
    let fill = move |store: Arc<SqliteStore>, next: Arc<AtomicU64>| async move {
        loop {
            let from = next.fetch_add(BATCH, Ordering::Relaxed);
            let batch: Vec<Kept> = (from..callers.min(from + BATCH)).flat_map(callers::kept).collect();
            if batch.is_empty() {
                return anyhow::Ok(());
            }
            store.restore(batch).await?;
        }
    };
    tokio.block_on(async {
        let mut tasks = JoinSet::new();
        for _ in 0..FILLERS {
            tasks.spawn(fill(Arc::clone(&store), Arc::clone(&next)));
        }
        finish(tasks).await
    })
}

/// Waits for all of them.
pub(crate) async fn finish(mut tasks: JoinSet<anyhow::Result<()>>) -> anyhow::Result<()> {
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(())
}
