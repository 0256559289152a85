//! Everything out of the file, in the order of the rows' numbers, and into it.

use rusqlite::{Connection, Row, params};

use super::{
    acts, agents,
    caller::Caller,
    failure::Attempt,
    read::blob,
    record::{MetricRecord, decode},
    sessions,
    write::{put_caller, put_mark, put_row},
};
use crate::{
    ConversationKey, Cursor, Dump, IdentityKey, InteractionId, Kept, KeptMark, KeptRow, Replaces, Revision, RowId,
    SavedSession, Sealed, Timestamp,
};

/// How many rows are in a part at most.
const ROWS: i64 = 256;

/// The tables, in the order in which they are dumped.
const TABLES: [Table; 7] = [
    Table { rows: ROWS, query: "SELECT rowid, identity, record FROM callers", kept: caller },
    Table { rows: ROWS, query: "SELECT rowid, conversation, expires, identity, record FROM marks", kept: mark },
    Table { rows: ROWS, query: "SELECT rowid, interaction, id, began, expires, record FROM metrics", kept: row },
    // A session has as much as 256 KiB of state.
    Table {
        rows: 16,
        query: "SELECT rowid, conversation, expires, overdue, revision, session FROM sessions",
        kept: session,
    },
    Table { rows: ROWS, query: "SELECT rowid, agent, version, component, record, replaced FROM agents", kept: agent },
    // A component has tens of megabytes.
    Table { rows: 1, query: "SELECT rowid, component, bytes FROM components", kept: component },
    Table { rows: ROWS, query: "SELECT rowid, id, at, expires, record FROM acts", kept: act },
];

struct Table {
    rows: i64,
    query: &'static str,
    /// Reads a row, whose first column is its number.
    kept: fn(&Row<'_>) -> Attempt<Kept>,
}

/// Where a part begins: with the row of a table that comes after a number.
#[derive(Clone, Copy)]
pub(super) struct Place {
    table: usize,
    after: i64,
}

impl Place {
    /// Where a cursor leads. None: it is none of ours.
    pub(super) fn read(cursor: Option<&Cursor>) -> Option<Self> {
        let Some(cursor) = cursor else { return Some(Self { table: 0, after: i64::MIN }) };
        let (table, after) = cursor.0.split_first()?;
        Some(Self { table: usize::from(*table), after: i64::from_be_bytes(after.try_into().ok()?) })
    }

    fn cursor(self) -> Cursor {
        let table = u8::try_from(self.table).unwrap_or(u8::MAX);
        Cursor([&[table], self.after.to_be_bytes().as_slice()].concat())
    }
}

/// The caller holds a transaction.
pub(super) fn dump(connection: &Connection, place: Place) -> Attempt<Dump> {
    let mut kept = Vec::new();
    if (place.table, place.after) == (0, i64::MIN) {
        kept.push(totals(connection)?);
    }
    let Some(table) = TABLES.get(place.table) else { return Ok(Dump { kept, next: None }) };
    let mut next = Place { table: place.table + 1, after: i64::MIN };
    let mut statement =
        connection.prepare_cached(&format!("{} WHERE rowid > ?1 ORDER BY rowid LIMIT ?2", table.query))?;
    let mut rows = statement.query(params![place.after, table.rows])?;
    let mut read = 0;
    while let Some(row) = rows.next()? {
        kept.push((table.kept)(row)?);
        read += 1;
        if read == table.rows {
            next = Place { after: row.get(0)?, ..place };
        }
    }
    Ok(Dump { kept, next: Some(next.cursor()).filter(|_| next.table < TABLES.len()) })
}

/// Runs within a savepoint of the writer's transaction.
pub(super) fn restore(connection: &Connection, kept: Kept) -> Attempt<()> {
    match kept {
        Kept::Totals { erasures, keys, swept } => {
            connection
                .prepare_cached(
                    "UPDATE store SET erasures = max(erasures, ?1), keys = coalesce(keys, ?2),
                        swept = coalesce(max(swept, ?3), swept, ?3)",
                )?
                .execute(params![erasures, keys.map(|keys| keys.0), swept])?;
        }
        Kept::Caller(caller) => {
            let identity = caller.identity;
            put_caller(connection, &identity, &Caller::from_kept(caller))?;
        }
        Kept::Mark(KeptMark { conversation, expires, recorded }) => {
            let recorded = recorded.as_ref().map(|(identity, record)| (identity, record));
            put_mark(connection, &conversation, expires, recorded)?;
        }
        Kept::Row(row) => put_row(connection, row)?,
        Kept::Session(session) => {
            sessions::save(connection, &session, Replaces::Anything, Timestamp::MIN)?;
        }
        Kept::Agent { version, replaced } => agents::restore(connection, &version, replaced)?,
        Kept::Component { key, bytes } => agents::put_component(connection, &key, &bytes)?,
        Kept::Act(act) => acts::record(connection, &act)?,
    }
    Ok(())
}

fn totals(connection: &Connection) -> Attempt<Kept> {
    Ok(connection.prepare_cached("SELECT erasures, keys, swept FROM store")?.query_row([], |row| {
        let keys: Option<Vec<u8>> = row.get(1)?;
        Ok(Kept::Totals { erasures: row.get(0)?, keys: keys.map(Sealed), swept: row.get(2)? })
    })?)
}

fn caller(row: &Row<'_>) -> Attempt<Kept> {
    let caller: Caller = decode(blob(row, 2)?)?;
    Ok(Kept::Caller(caller.into_kept(IdentityKey(row.get(1)?))))
}

fn mark(row: &Row<'_>) -> Attempt<Kept> {
    let recorded = match row.get::<_, Option<[u8; 32]>>(3)? {
        Some(identity) => Some((IdentityKey(identity), decode(blob(row, 4)?)?)),
        None => None,
    };
    Ok(Kept::Mark(KeptMark { conversation: ConversationKey(row.get(1)?), expires: row.get(2)?, recorded }))
}

fn row(row: &Row<'_>) -> Attempt<Kept> {
    let MetricRecord { details, first, standing_began, standing_record } = decode(blob(row, 5)?)?;
    Ok(Kept::Row(KeptRow {
        interaction: InteractionId(row.get(1)?),
        id: RowId(row.get(2)?),
        began: row.get(3)?,
        expires: row.get(4)?,
        details,
        first,
        standing_began,
        standing_record,
    }))
}

fn session(row: &Row<'_>) -> Attempt<Kept> {
    Ok(Kept::Session(SavedSession {
        conversation: ConversationKey(row.get(1)?),
        expires: row.get(2)?,
        overdue: row.get(3)?,
        revision: Revision(row.get(4)?),
        session: Sealed(row.get(5)?),
    }))
}

fn agent(row: &Row<'_>) -> Attempt<Kept> {
    Ok(Kept::Agent { version: agents::agent_version(row, 1)?, replaced: row.get(5)? })
}

fn component(row: &Row<'_>) -> Attempt<Kept> {
    Ok(Kept::Component { key: crate::ComponentKey(row.get(1)?), bytes: row.get(2)? })
}

fn act(row: &Row<'_>) -> Attempt<Kept> {
    Ok(Kept::Act(acts::act(row, 1)?))
}
