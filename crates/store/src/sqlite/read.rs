//! What is read, each within one snapshot of the file.

use std::collections::HashSet;

use rusqlite::{Connection, Row, params, types::ValueRef};

use super::{
    caller::Caller,
    failure::{Attempt, Failure},
    record::{MetricRecord, decode},
};
use crate::{
    ConversationKey, Ended, Erasures, Held, IdentityKey, Interaction, InteractionId, Loaded, MarkRecord, MetricRow,
    Read, Recorded, RowId, Sealed, Settled, Timestamp,
};

/// One statement, which is one snapshot.
pub(super) fn load(connection: &Connection, read: &Read) -> Attempt<Loaded> {
    let mut statement = connection.prepare_cached(
        "SELECT (SELECT erasures FROM store),
            (SELECT record FROM callers WHERE identity = ?1),
            EXISTS (SELECT 1 FROM marks WHERE conversation = ?2 AND expires > ?3)",
    )?;
    let identity = read.identity.as_ref().map(|identity| identity.0.as_slice());
    let conversation = read.conversation.as_ref().map(|conversation| conversation.0.as_slice());
    let mut rows = statement.query(params![identity, conversation, read.now])?;
    let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    let erasures: Erasures = row.get(0)?;
    let fields = match row.get_ref(1)? {
        ValueRef::Null => Vec::new(),
        record => decode::<Caller>(record.as_blob().map_err(rusqlite::Error::from)?)?.into_fields(read.now),
    };
    Ok(Loaded { fields, erasures, ended: row.get(2)? })
}

/// What is remembered of the keys. One statement, which is one snapshot.
pub(super) fn claimed(connection: &Connection) -> Attempt<Option<Sealed>> {
    let claimed: Option<Vec<u8>> =
        connection.prepare_cached("SELECT keys FROM store")?.query_row([], |row| row.get(0))?;
    Ok(claimed.map(Sealed))
}

/// A caller's record, and what has to be known to put another in its place.
pub(super) struct Stored {
    /// The number of its row.
    pub(super) number: i64,
    pub(super) sweep_at: Timestamp,
    pub(super) caller: Caller,
}

/// The caller holds a transaction.
pub(super) fn caller(connection: &Connection, identity: &IdentityKey) -> Attempt<Option<Caller>> {
    Ok(stored(connection, identity)?.map(|stored| stored.caller))
}

/// The caller holds a transaction.
pub(super) fn stored(connection: &Connection, identity: &IdentityKey) -> Attempt<Option<Stored>> {
    let mut statement = connection.prepare_cached("SELECT rowid, sweep_at, record FROM callers WHERE identity = ?1")?;
    let mut rows = statement.query([identity.0])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some(Stored { number: row.get(0)?, sweep_at: row.get(1)?, caller: decode(blob(row, 2)?)? }))
}

/// The caller holds a transaction.
pub(super) fn ended(connection: &Connection, conversation: &ConversationKey, now: Timestamp) -> Attempt<Option<Ended>> {
    let mut statement =
        connection.prepare_cached("SELECT identity, record FROM marks WHERE conversation = ?1 AND expires > ?2")?;
    let mut rows = statement.query(params![conversation.0, now])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let Some(identity) = row.get::<_, Option<[u8; 32]>>(0)? else { return Ok(Some(Ended { recorded: None })) };
    let recorded = recorded(connection, IdentityKey(identity), blob(row, 1)?, now)?;
    Ok(Some(Ended { recorded: Some(recorded) }))
}

/// The caller holds a transaction.
pub(super) fn export(connection: &Connection, identity: &IdentityKey, now: Timestamp) -> Attempt<Held> {
    let Some(mut caller) = caller(connection, identity)? else { return Ok(Held::default()) };
    let identifier = caller.identifier.take();

    let mut conversations = Vec::new();
    let mut statement = connection.prepare_cached(
        "SELECT conversation, record FROM marks WHERE identity = ?1 AND expires > ?2 ORDER BY conversation",
    )?;
    let mut rows = statement.query(params![identity.0, now])?;
    while let Some(row) = rows.next()? {
        let recorded = recorded(connection, *identity, blob(row, 1)?, now)?;
        conversations.push((ConversationKey(row.get(0)?), recorded));
    }

    let mut metric_rows = Vec::new();
    let mut statement = connection
        .prepare_cached("SELECT interaction, id, began, record FROM metrics WHERE interaction = ?1 AND expires > ?2")?;
    for interaction in caller.interactions() {
        let mut rows = statement.query(params![interaction.0, now])?;
        while let Some(row) = rows.next()? {
            metric_rows.push(metric_row(row)?);
        }
    }
    metric_rows.sort_by_key(|row| (row.began, row.id, row.interaction));

    let interaction = caller.interaction.take_if(|interaction| interaction.expires > now);
    let mut held = Held { identifier: None, fields: caller.into_fields(now), interaction, conversations, metric_rows };
    if held != Held::default() {
        held.identifier = identifier;
    }
    Ok(held)
}

/// The interactions that marks of the caller's conversations lead to, as far as these can be decoded. The caller of this
/// holds a transaction.
pub(super) fn marked_interactions(connection: &Connection, identity: &IdentityKey) -> Attempt<HashSet<InteractionId>> {
    let mut statement = connection.prepare_cached("SELECT record FROM marks WHERE identity = ?1")?;
    let mut rows = statement.query([identity.0])?;
    let mut interactions = HashSet::new();
    while let Some(row) = rows.next()? {
        let mark = blob(row, 0).and_then(decode::<MarkRecord>);
        interactions.extend(mark.ok().and_then(|mark| mark.row).map(|(interaction, _)| interaction));
    }
    Ok(interactions)
}

/// One statement, which is one snapshot.
pub(super) fn metric_rows(connection: &Connection, now: Timestamp) -> Attempt<Vec<MetricRow>> {
    let mut statement = connection.prepare_cached(
        "SELECT interaction, id, began, record FROM metrics WHERE expires > ?1 ORDER BY began, id, interaction",
    )?;
    let mut rows = statement.query([now])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(metric_row(row)?);
    }
    Ok(found)
}

/// What a mark has recorded, with the interaction that stood as its metric row has it.
fn recorded(connection: &Connection, identity: IdentityKey, record: &[u8], now: Timestamp) -> Attempt<Recorded> {
    let mark: MarkRecord = decode(record)?;
    let standing = match mark.row {
        Some((interaction, row)) => standing(connection, interaction, row, now)?,
        None => None,
    };
    let settled = Settled { erased: mark.erased, standing, first: mark.first };
    Ok(Recorded { identity, report: mark.report, settled })
}

fn standing(
    connection: &Connection,
    interaction: InteractionId,
    id: RowId,
    now: Timestamp,
) -> Attempt<Option<Interaction>> {
    let mut statement = connection
        .prepare_cached("SELECT expires, record FROM metrics WHERE interaction = ?1 AND id = ?2 AND expires > ?3")?;
    let mut rows = statement.query(params![interaction.0, id.0, now])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let record: MetricRecord = decode(blob(row, 1)?)?;
    Ok(Some(Interaction {
        id: interaction,
        began: record.standing_began,
        expires: row.get(0)?,
        record: record.standing_record,
    }))
}

fn metric_row(row: &Row<'_>) -> Attempt<MetricRow> {
    let record: MetricRecord = decode(blob(row, 3)?)?;
    Ok(MetricRow {
        interaction: InteractionId(row.get(0)?),
        id: RowId(row.get(1)?),
        began: row.get(2)?,
        details: record.details,
        repeat_of: (!record.first).then_some(record.standing_record),
    })
}

/// The bytes of a column that has to have some.
pub(super) fn blob<'row>(row: &'row Row<'_>, column: usize) -> Attempt<&'row [u8]> {
    row.get_ref(column)?.as_blob().map_err(|_| Failure::Damaged("a record is missing"))
}

/// What SQLite finds wrong with the file: pages, indexes, types. It names tables and rows and no content.
pub(super) fn integrity(connection: &Connection) -> Attempt<Vec<String>> {
    let mut statement = connection.prepare("PRAGMA integrity_check")?;
    let found = statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
    Ok(found.into_iter().filter(|found| found != "ok").collect())
}
