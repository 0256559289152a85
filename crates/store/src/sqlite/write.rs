//! What is written. Every function here runs within a savepoint of the writer's transaction.

use rusqlite::{Connection, params};

use super::{
    caller::Caller,
    failure::{Attempt, Failure},
    read,
    record::{MetricRecord, encode},
    sessions,
};
use crate::{
    Amendment, Commit, Committed, ConversationKey, Erased, ErasedSince, Erasure, Erasures, IdentityKey, KeptRow,
    MarkRecord, Sealed, Settled, Timestamp,
};

pub(super) fn commit(connection: &Connection, commit: Commit) -> Attempt<Committed> {
    if commit.ends_session {
        sessions::delete(connection, &commit.conversation)?;
    }
    if let Some(ended) = read::ended(connection, &commit.conversation, commit.now)? {
        return Ok(Committed::Before(ended));
    }
    let stored = read::stored(connection, &commit.identity)?;
    let place = stored.as_ref().map(|stored| (stored.number, stored.sweep_at));
    let mut caller = stored.map(|stored| stored.caller).unwrap_or_default();
    let erased = caller.erased_since(commit.erasures, commit.now);
    if erased == ErasedSince::Everything {
        put_mark(connection, &commit.conversation, commit.mark.expires, None)?;
        return Ok(Committed::Now(Settled { erased, standing: None, first: false }));
    }

    caller.mark(commit.identifier, commit.mark.expires);
    for field in commit.patch {
        let left_alone = matches!(&erased, ErasedSince::Keys(keys) if keys.contains(&field.key));
        if !left_alone {
            caller.put(field);
        }
    }
    let mut settled = Settled { erased, standing: None, first: false };
    let mut row = None;
    if let Some(new) = commit.interaction {
        let (standing, first) = caller.interact(&new, commit.now);
        row = Some((standing.id, new.row.id));
        put_row(connection, KeptRow::new(new.row, &standing, first))?;
        settled.standing = Some(standing);
        settled.first = first;
    }
    match place {
        Some((number, sweep_at)) => replace_caller(connection, number, sweep_at, &caller)?,
        None => put_caller(connection, &commit.identity, &caller)?,
    }
    let record = MarkRecord { report: commit.mark.report, erased: settled.erased.clone(), first: settled.first, row };
    put_mark(connection, &commit.conversation, commit.mark.expires, Some((&commit.identity, &record)))?;
    Ok(Committed::Now(settled))
}

pub(super) fn amend(connection: &Connection, amendment: Amendment) -> Attempt<bool> {
    let Some(mut caller) = read::caller(connection, &amendment.identity)? else { return Ok(false) };
    match &mut caller.interaction {
        Some(interaction) if *interaction == amendment.from => interaction.record = amendment.record,
        _ => return Ok(false),
    }
    put_caller(connection, &amendment.identity, &caller)?;
    Ok(true)
}

pub(super) fn erase(connection: &Connection, erasure: Erasure) -> Attempt<Erased> {
    let number = count_erasure(connection)?;
    erase_as(connection, erasure, number)
}

pub(super) fn count_erasure(connection: &Connection) -> Attempt<Erasures> {
    let counted = connection
        .prepare_cached("UPDATE store SET erasures = erasures + 1 RETURNING erasures")?
        .query_row([], |row| row.get(0))?;
    Ok(counted)
}

pub(super) fn erase_as(connection: &Connection, erasure: Erasure, number: Erasures) -> Attempt<Erased> {
    let Erasure { identity, key, now, expires } = erasure;
    let (mut caller, interactions) = match read::caller(connection, &identity) {
        Ok(caller) => {
            let caller = caller.unwrap_or_default();
            let interactions = caller.interactions().collect();
            (caller, interactions)
        }
        // Nobody can read what it holds, and to have it erased is the caller's right all the same.
        Err(Failure::Damaged(_)) if key.is_none() => {
            (Caller::default(), read::marked_interactions(connection, &identity)?)
        }
        Err(failure) => return Err(failure),
    };
    let mut erased = Erased::default();
    match key {
        Some(key) => erased.fields = caller.erase_key(key, number, now, expires),
        None => {
            for interaction in interactions {
                erased.metrics += connection
                    .prepare_cached("SELECT count(*) FROM metrics WHERE interaction = ?1 AND expires > ?2")?
                    .query_row(params![interaction.0, now], |row| row.get::<_, u64>(0))?;
                connection.prepare_cached("DELETE FROM metrics WHERE interaction = ?1")?.execute([interaction.0])?;
            }
            connection
                .prepare_cached("UPDATE marks SET identity = NULL, record = NULL WHERE identity = ?1")?
                .execute([identity.0])?;
            (erased.fields, erased.interactions) = caller.erase(number, now, expires);
        }
    }
    put_caller(connection, &identity, &caller)?;
    Ok(erased)
}

pub(super) fn claim(connection: &Connection, keys: Sealed) -> Attempt<Sealed> {
    let claimed = connection
        .prepare_cached("UPDATE store SET keys = coalesce(keys, ?1) RETURNING keys")?
        .query_row([keys.0], |row| row.get(0))?;
    Ok(Sealed(claimed))
}

/// Writes a caller's record, or deletes it if nothing is left in it.
pub(super) fn put_caller(connection: &Connection, identity: &IdentityKey, caller: &Caller) -> Attempt<()> {
    match caller.sweep_at() {
        Some(sweep_at) => connection
            .prepare_cached(
                "INSERT INTO callers (identity, sweep_at, record) VALUES (?1, ?2, ?3)
                ON CONFLICT (identity) DO UPDATE SET sweep_at = excluded.sweep_at, record = excluded.record",
            )?
            .execute(params![identity.0, sweep_at, encode(caller)?])?,
        None => connection.prepare_cached("DELETE FROM callers WHERE identity = ?1")?.execute([identity.0])?,
    };
    Ok(())
}

/// Writes a caller's record in place of the one that was read from a row, or deletes the row if nothing is left.
///
/// The row is not looked for again, and the index on times is left alone where it can be: most commits change nothing
/// of when something expires first.
fn replace_caller(connection: &Connection, number: i64, sweep_at: Timestamp, caller: &Caller) -> Attempt<()> {
    match caller.sweep_at() {
        Some(same) if same == sweep_at => connection
            .prepare_cached("UPDATE callers SET record = ?2 WHERE rowid = ?1")?
            .execute(params![number, encode(caller)?])?,
        Some(sweep_at) => connection
            .prepare_cached("UPDATE callers SET sweep_at = ?2, record = ?3 WHERE rowid = ?1")?
            .execute(params![number, sweep_at, encode(caller)?])?,
        None => connection.prepare_cached("DELETE FROM callers WHERE rowid = ?1")?.execute([number])?,
    };
    Ok(())
}

/// Writes a mark, in place of one that has expired.
pub(super) fn put_mark(
    connection: &Connection,
    conversation: &ConversationKey,
    expires: Timestamp,
    recorded: Option<(&IdentityKey, &MarkRecord)>,
) -> Attempt<()> {
    let identity = recorded.map(|(identity, _)| identity.0);
    let record = recorded.map(|(_, record)| encode(record)).transpose()?;
    connection
        .prepare_cached(
            "INSERT INTO marks (conversation, expires, identity, record) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT (conversation) DO UPDATE
            SET expires = excluded.expires, identity = excluded.identity, record = excluded.record",
        )?
        .execute(params![conversation.0, expires, identity, record])?;
    Ok(())
}

/// Writes a metric row. The record it is given is that of the interaction that stood, which it expires with.
pub(super) fn put_row(connection: &Connection, row: KeptRow) -> Attempt<()> {
    let KeptRow { interaction, id, began, expires, details, first, standing_began, standing_record } = row;
    let record = MetricRecord { details, first, standing_began, standing_record };
    connection
        .prepare_cached(
            "INSERT INTO metrics (interaction, id, began, expires, record) VALUES (?1, ?2, ?3, ?4, ?5)
            ON CONFLICT (interaction, id) DO UPDATE
            SET began = excluded.began, expires = excluded.expires, record = excluded.record",
        )?
        .execute(params![interaction.0, id.0, began, expires, encode(&record)?])?;
    Ok(())
}
