//! What commands find around them: the store, the clock, the folder for compiled functions.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;

use agent_memory_host::store::{Backend, open_url};
use agent_memory_host::{Administration, BuildError, Clock, ManualClock, Runtime, SystemClock};
use agent_memory_testing::cache_folder;
use anstream::{eprint, eprintln};
use owo_colors::OwoColorize;

use crate::arguments::Stored;

/// Opens a store, and makes it if it is not there and that is wanted.
pub(crate) fn open_store(url: &str, create: bool) -> anyhow::Result<Arc<dyn Backend>> {
    Ok(open_url(url, create)?)
}

/// A runtime that keeps compiled functions in the user's cache folder.
pub(crate) fn runtime(store: Arc<dyn Backend>, clock: Arc<dyn Clock>) -> anyhow::Result<Runtime> {
    let builder = || Runtime::builder(store.clone()).clock(clock.clone());
    if let Some(folder) = cache_folder() {
        return Ok(builder().code_cache(folder).build()?);
    }
    let built = match user_cache() {
        Some(folder) => builder().code_cache(folder).build(),
        None => builder().build(),
    };
    match built {
        // Without a cache everything works as well, only slower.
        Err(BuildError::Cache { .. }) => Ok(builder().build()?),
        built => Ok(built?),
    }
}

/// The folder for compiled code: the one that is named, or the user's own.
pub(crate) fn code_cache() -> Option<PathBuf> {
    cache_folder().or_else(user_cache)
}

/// Administration of a store that is there already.
pub(crate) fn administration(stored: &Stored) -> anyhow::Result<Administration> {
    let store = open_store(&stored.store, false)?;
    let clock: Arc<dyn Clock> = match stored.at {
        Some(at) => Arc::new(ManualClock::new(at)),
        None => Arc::new(SystemClock),
    };
    Ok(runtime(store, clock)?.administration())
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

/// Tells of something that may be wrong.
pub(crate) fn warn(message: &str) {
    eprintln!("{} {message}", "warning:".yellow().bold());
}

fn user_cache() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "agent-memory").map(|folders| folders.cache_dir().to_owned())
}
