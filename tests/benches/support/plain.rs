//! The rows that the SQLite store writes for a conversation, written with plain statements.

use std::path::Path;

use agent_memory_host::store::{ConversationKey, InteractionId, Kept};
use anyhow::Context;
use rusqlite::{Connection, OpenFlags, params};

use crate::callers;

/// What the store writes for a conversation, as bytes, but for the keys.
pub(crate) struct Template {
    caller: Vec<u8>,
    mark: Vec<u8>,
    row: Vec<u8>,
}

/// The rows of one conversation.
pub(crate) struct Rows {
    conversation: [u8; 32],
    identity: [u8; 32],
    caller: Vec<u8>,
    expires: i64,
    mark: Vec<u8>,
    interaction: InteractionId,
    id: [u8; 16],
    began: i64,
    row: Vec<u8>,
}

impl Template {
    /// Reads the rows that a commit of the store has left.
    pub(crate) fn read(path: &Path, conversation: &ConversationKey) -> anyhow::Result<Self> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let query = "SELECT callers.record, marks.record, metrics.record
            FROM marks JOIN callers USING (identity), metrics
            WHERE conversation = ?1 AND metrics.rowid = (SELECT max(rowid) FROM metrics)";
        Ok(connection.query_row(query, [conversation.0], |row| {
            Ok(Self { caller: row.get(0)?, mark: row.get(1)?, row: row.get(2)? })
        })?)
    }

    /// The rows of a conversation: those that the store makes of [`callers::commit`].
    pub(crate) fn rows(&self, number: u64, conversation: u64) -> anyhow::Result<Rows> {
        let commit = callers::commit(number, conversation);
        let new = commit.interaction.context("the conversation is not counted")?;
        let interaction = callers::kept(number).into_iter().find_map(|kept| match kept {
            Kept::Row(row) => Some(row.interaction),
            _ => None,
        });
        Ok(Rows {
            conversation: commit.conversation.0,
            identity: commit.identity.0,
            caller: self.caller.clone(),
            expires: commit.mark.expires,
            mark: self.mark.clone(),
            interaction: interaction.context("the caller has no interaction")?,
            id: new.row.id.0,
            began: new.row.began,
            row: self.row.clone(),
        })
    }
}

/// A connection with the settings of the store's.
pub(crate) fn connection(path: &Path) -> anyhow::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY;
        PRAGMA mmap_size = 0; PRAGMA cache_size = -32768; PRAGMA wal_autocheckpoint = 4000;",
    )?;
    Ok(connection)
}

/// Writes conversations in one durable transaction.
pub(crate) fn transaction<'a>(
    connection: &Connection,
    all: impl IntoIterator<Item = &'a Rows>,
) -> rusqlite::Result<()> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    // All of them have called before, and nothing changes of when something of theirs expires first.
    let mut caller = connection.prepare_cached("UPDATE callers SET record = ?2 WHERE identity = ?1")?;
    let mut row = connection
        .prepare_cached("INSERT INTO metrics (interaction, id, began, expires, record) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    let mut mark = connection
        .prepare_cached("INSERT INTO marks (conversation, expires, identity, record) VALUES (?1, ?2, ?3, ?4)")?;
    for rows in all {
        row.execute(params![rows.interaction.0, rows.id, rows.began, rows.expires, rows.row])?;
        if caller.execute(params![rows.identity, rows.caller])? != 1 {
            // A row that is not there costs nothing to write.
            return Err(rusqlite::Error::QueryReturnedNoRows);
        }
        mark.execute(params![rows.conversation, rows.expires, rows.identity, rows.mark])?;
    }
    connection.prepare_cached("COMMIT")?.execute([])?;
    Ok(())
}
