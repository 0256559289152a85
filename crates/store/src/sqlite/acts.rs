//! What administrators did.

use rusqlite::{Connection, Row, params};

use super::failure::Attempt;
use crate::{Act, ActId, Sealed, Timestamp};

/// Runs within a savepoint of the writer's transaction.
pub(super) fn record(connection: &Connection, act: &Act) -> Attempt<()> {
    connection
        .prepare_cached(
            "INSERT INTO acts (id, at, expires, record) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT (id) DO UPDATE SET at = excluded.at, expires = excluded.expires, record = excluded.record",
        )?
        .execute(params![act.id.0, act.at, act.expires, act.record.0])?;
    Ok(())
}

/// One statement, which is one snapshot.
pub(super) fn after(
    connection: &Connection,
    after: Option<(Timestamp, ActId)>,
    limit: usize,
    now: Timestamp,
) -> Attempt<Vec<Act>> {
    // Every act comes after the first time with no id.
    let (at, id) = after.as_ref().map_or((Timestamp::MIN, [].as_slice()), |(at, id)| (*at, id.0.as_slice()));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(
        "SELECT id, at, expires, record FROM acts WHERE (at, id) > (?1, ?2) AND expires > ?3 ORDER BY at, id LIMIT ?4",
    )?;
    let found = statement.query_map(params![at, id, now, limit], |row| act(row, 0))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Reads the columns `id`, `at`, `expires` and `record`, which begin at a place.
pub(super) fn act(row: &Row<'_>, from: usize) -> rusqlite::Result<Act> {
    Ok(Act {
        id: ActId(row.get(from)?),
        at: row.get(from + 1)?,
        expires: row.get(from + 2)?,
        record: Sealed(row.get(from + 3)?),
    })
}
