//! Running conversations.

use rusqlite::{Connection, OptionalExtension, params};

use super::failure::Attempt;
use crate::{ConversationKey, Replaces, Revision, SavedSession, Sealed, StoredSession, Timestamp};

/// Runs within a savepoint of the writer's transaction.
pub(super) fn save(
    connection: &Connection,
    session: &SavedSession,
    replaces: Replaces,
    now: Timestamp,
) -> Attempt<bool> {
    let there = connection
        .prepare_cached("SELECT revision FROM sessions WHERE conversation = ?1 AND expires > ?2")?
        .query_row(params![session.conversation.0, now], |row| row.get(0).map(Revision))
        .optional()?;
    let may = match replaces {
        Replaces::Anything => true,
        Replaces::Nothing => there.is_none(),
        Replaces::Revision(revision) => there == Some(revision),
    };
    if !may {
        // Whoever did not learn whether a save was carried out repeats it.
        return Ok(there == Some(session.revision));
    }
    connection
        .prepare_cached(
            "INSERT INTO sessions (conversation, expires, overdue, revision, session) VALUES (?1, ?2, ?3, ?4, ?5)
            ON CONFLICT (conversation) DO UPDATE
            SET expires = excluded.expires, overdue = excluded.overdue, revision = excluded.revision,
                session = excluded.session",
        )?
        .execute(params![
            session.conversation.0,
            session.expires,
            session.overdue,
            session.revision.0,
            session.session.0
        ])?;
    Ok(true)
}

/// Runs within a savepoint of the writer's transaction.
pub(super) fn delete(connection: &Connection, conversation: &ConversationKey) -> Attempt<()> {
    connection.prepare_cached("DELETE FROM sessions WHERE conversation = ?1")?.execute([conversation.0])?;
    Ok(())
}

/// One statement, which is one snapshot.
pub(super) fn load(
    connection: &Connection,
    conversation: &ConversationKey,
    now: Timestamp,
) -> Attempt<Option<StoredSession>> {
    let mut statement =
        connection.prepare_cached("SELECT revision, session FROM sessions WHERE conversation = ?1 AND expires > ?2")?;
    let stored = statement.query_row(params![conversation.0, now], |row| {
        Ok(StoredSession { revision: Revision(row.get(0)?), session: Sealed(row.get(1)?) })
    });
    Ok(stored.optional()?)
}

/// One statement, which is one snapshot.
pub(super) fn overdue(
    connection: &Connection,
    now: Timestamp,
    limit: usize,
) -> Attempt<Vec<(Timestamp, ConversationKey)>> {
    let mut statement = connection.prepare_cached(
        "SELECT overdue, conversation FROM sessions WHERE overdue <= ?1 AND expires > ?1 ORDER BY overdue, conversation LIMIT ?2",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let found = statement.query_map(params![now, limit], |row| Ok((row.get(0)?, ConversationKey(row.get(1)?))))?;
    Ok(found.collect::<Result<_, _>>()?)
}
