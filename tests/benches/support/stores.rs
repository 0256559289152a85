//! SQLite stores with callers in them, and beside one the same file for plain statements.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use agent_memory_host::store::{Backend, SqliteStore, Store};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::plain::Template;
use crate::{callers, fill};

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
    let store: Arc<dyn Backend> = Arc::new(SqliteStore::open(path)?);
    tokio.block_on(fill::fill(&store, 0..callers))
}
