//! A process that is killed while it brings a file of the first format to the present one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use agent_memory_host::store::{Backend, Kept, SqliteStore, Transfer as _};
use anyhow::Context as _;
use clap::Args;
use rusqlite::{Connection, OpenFlags};

use crate::deeds::Deed;
use crate::disk::scratch;
use crate::process::Process;
use crate::{Figures, Setting};

/// The layout of the first format, as it was released.
const FIRST_FORMAT: &str = include_str!("format-1.sql");

/// How many running conversations the file has, and of how many bytes each.
const SESSIONS: u64 = 10_000;
const BYTES: usize = 1000;

/// When they expire: long after these tests.
const EXPIRES: i64 = 4_102_444_800;

/// What a process is told that migrates.
#[derive(Args, Clone, Debug)]
pub struct Migration {
    /// The file.
    file: PathBuf,
}

impl Migration {
    /// Opens the file, which migrates it, and waits to be killed.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn run(&self) -> anyhow::Result<()> {
        Deed::Ready.tell();
        let _store = SqliteStore::open_existing(&self.file)?;
        Deed::Opened.tell();
        loop {
            std::thread::park();
        }
    }
}

/// Kills a process that migrates, and looks at what it has left.
pub(crate) async fn round(setting: &Setting, chance: &mut fastrand::Rng, figures: &mut Figures) -> anyhow::Result<()> {
    let folder = scratch()?;
    let file = folder.path().join("old.db");
    write_first_format(&file)?;
    let mut process = Process::start(setting, &["migrate".to_owned(), file.to_string_lossy().into_owned()])?;
    process.wait_until_ready()?;
    std::thread::sleep(Duration::from_micros(chance.u64(0..100_000)));
    let was_told = process.kill()?.into_iter().any(|(_, deed)| deed == Deed::Opened);
    let format = format(&file)?;
    figures.tried("killed migrations", 1);
    figures.tried("of them completed", u64::from(format > 1));
    figures.wrong("lost", u64::from(was_told && format == 1));
    figures.wrong("torn", u64::from(format == 2));
    if let Err(error) = check(&file, figures).await {
        eprintln!("what a migration has left cannot be used: {error:#}");
        figures.wrong("damaged", 1);
    }
    Ok(())
}

/// What was in the file is in the present format.
async fn check(file: &Path, figures: &mut Figures) -> anyhow::Result<()> {
    let store = SqliteStore::open_existing(file)?;
    let problems = store.integrity().await?;
    problems.iter().for_each(|problem| eprintln!("after a migration: {problem}"));
    figures.wrong("damaged", problems.len() as u64);
    let kept = sessions(&store).await?;
    let expected = (0..SESSIONS).map(|number| (key(number), content(number))).collect::<BTreeMap<_, _>>();
    let lost = expected.iter().filter(|(key, content)| kept.get(*key) != Some(content)).count();
    figures.wrong("lost", lost as u64);
    figures.wrong("torn", kept.keys().filter(|key| !expected.contains_key(*key)).count() as u64);
    Ok(())
}

fn write_first_format(file: &Path) -> anyhow::Result<()> {
    let mut connection = Connection::open(file)?;
    connection.execute_batch(FIRST_FORMAT)?;
    let transaction = connection.transaction()?;
    let mut insert =
        transaction.prepare("INSERT INTO sessions (conversation, expires, session) VALUES (?1, ?2, ?3)")?;
    for number in 0..SESSIONS {
        insert.execute((key(number), EXPIRES, content(number)))?;
    }
    drop(insert);
    Ok(transaction.commit()?)
}

fn key(number: u64) -> [u8; 32] {
    let mut key = [7; 32];
    if let Some(first) = key.first_chunk_mut() {
        *first = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
    }
    key
}

fn content(number: u64) -> Vec<u8> {
    number.to_be_bytes().into_iter().cycle().take(BYTES).collect()
}

fn format(file: &Path) -> anyhow::Result<u32> {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.query_row("PRAGMA user_version", [], |row| row.get(0)).context("the format")
}

/// The running conversations of a store.
async fn sessions(store: &impl Backend) -> anyhow::Result<BTreeMap<[u8; 32], Vec<u8>>> {
    let (mut sessions, mut after) = (BTreeMap::new(), None);
    loop {
        let part = store.dump(after).await?;
        for kept in part.kept {
            if let Kept::Session(session) = kept {
                sessions.insert(session.conversation.0, session.session.0);
            }
        }
        after = part.next;
        if after.is_none() {
            return Ok(sessions);
        }
    }
}
