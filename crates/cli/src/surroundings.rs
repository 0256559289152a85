//! What commands find around them: the clock, the folder for compiled functions.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use agent_memory_host::{Administration, BuildError, Clock, ManualClock, Runtime, SystemClock};
use agent_memory_testing::cache_folder;
use anstream::{eprint, eprintln};
use owo_colors::OwoColorize;

use crate::arguments::Stored;
use crate::stores::{self, OpenStore};

/// How often progress is shown.
const SHOWN: Duration = Duration::from_millis(200);

/// A runtime that keeps compiled functions in the user's cache folder.
pub(crate) async fn runtime(stored: OpenStore, clock: Arc<dyn Clock>) -> anyhow::Result<Runtime> {
    let OpenStore { store, keys } = stored;
    let builder = || Runtime::builder(store.clone(), keys.clone()).clock(clock.clone());
    if let Some(folder) = cache_folder() {
        return Ok(builder().code_cache(folder).build().await?);
    }
    let built = match user_cache() {
        Some(folder) => builder().code_cache(folder).build().await,
        None => builder().build().await,
    };
    match built {
        // Without a cache everything works as well, only slower.
        Err(BuildError::Cache { .. }) => Ok(builder().build().await?),
        built => Ok(built?),
    }
}

/// The folder for compiled code: the one that is named, or the user's own.
pub(crate) fn code_cache() -> Option<PathBuf> {
    cache_folder().or_else(user_cache)
}

/// Administration of a store that is there already.
pub(crate) async fn administration(stored: &Stored) -> anyhow::Result<Administration> {
    let store = stores::open(&stored.store, &stored.sealing, false).await?;
    let clock: Arc<dyn Clock> = match stored.at {
        Some(at) => Arc::new(ManualClock::new(at)),
        None => Arc::new(SystemClock),
    };
    Ok(runtime(store, clock).await?.administration())
}

/// Tells of a step of longer work, if somebody is watching.
pub(crate) fn progress(step: &str) {
    if std::io::stderr().is_terminal() {
        eprintln!("{}", step.dimmed());
    }
}

/// Tells of work that takes a moment, for as long as it lasts, if somebody is watching.
pub(crate) fn while_it_lasts(work: &str) -> impl Drop {
    let watched = std::io::stderr().is_terminal();
    if watched {
        eprint!("{}", work.dimmed());
    }
    Passing { watched }
}

/// A line on the terminal that goes when this is dropped.
struct Passing {
    watched: bool,
}

impl Drop for Passing {
    fn drop(&mut self) {
        if self.watched {
            std::io::stderr().write_all(b"\r\x1b[K").ok();
        }
    }
}

/// A line on the terminal that says how many records have been gone through, if somebody is watching.
pub(crate) struct Progress {
    watched: bool,
    shown: Option<Instant>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self { watched: std::io::stderr().is_terminal(), shown: None }
    }

    /// Shows a number, but not too often.
    pub(crate) fn show(&mut self, records: u64) {
        if self.watched && self.shown.is_none_or(|shown| shown.elapsed() >= SHOWN) {
            self.shown = Some(Instant::now());
            eprint!("\r\x1b[K{records} records");
            std::io::stderr().flush().ok();
        }
    }

    /// Takes the line away.
    pub(crate) fn end(&self) {
        if self.shown.is_some() {
            eprint!("\r\x1b[K");
        }
    }
}

/// Tells of something that may be wrong.
pub(crate) fn warn(message: &str) {
    eprintln!("{} {message}", "warning:".yellow().bold());
}

fn user_cache() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "agent-memory").map(|folders| folders.cache_dir().to_owned())
}
