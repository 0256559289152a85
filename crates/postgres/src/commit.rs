//! A commit, in one statement.
//!
//! It is one transaction and one round trip, and it is right under `READ COMMITTED` because it decides nothing by what
//! it has read, but only by rows that it has locked:
//!
//! 1. The caller's row is inserted, or locked and changed as it is then. It says itself which keys were erased, and
//!    which interaction stands; if the caller was erased, it is locked and left alone, and there is nothing to go on.
//! 2. The mark is inserted, or takes the place of one that has expired. If neither is possible, the conversation is
//!    committed already, and the statement fails on purpose: all of it is undone. Only then a second transaction reads
//!    what was committed.
//! 3. The fields and the metric row are written. What they are, and what the mark says, is decided by what the first
//!    step has returned.
//!
//! Everybody locks a caller before what belongs to it, so that nobody waits in a circle.

use std::collections::BTreeMap;

use agent_memory_store::{Commit, Committed, Ended, ErasedSince, Interaction, Settled};
use tokio_postgres::{Row, error::SqlState};

use crate::{
    columns::{Place, column, interaction, number, only, text},
    connections::{Connection, Parameter},
    failure::{Attempt, Failure},
    read,
    statements::Statements,
};

/// How the statement fails if the conversation is committed already: a text is no number.
const COMMITTED_ALREADY: SqlState = SqlState::INVALID_TEXT_REPRESENTATION;

pub(crate) async fn commit(connection: &Connection, statements: &Statements, commit: &Commit) -> Attempt<Committed> {
    loop {
        match insert(connection, statements, commit).await {
            Ok(row) => return settled(&row, commit).map(Committed::Now),
            Err(Failure::Unknown(error)) if error.code() == Some(&COMMITTED_ALREADY) => {}
            Err(failure) => return Err(failure),
        }
        if let Some(ended) = find(connection, statements, commit).await? {
            return Ok(Committed::Before(ended));
        }
        // It was swept in between.
    }
}

async fn insert(connection: &Connection, statements: &Statements, commit: &Commit) -> Attempt<Row> {
    let caller = Place::of_caller(&commit.identity);
    let conversation = Place::of_conversation(&commit.conversation);
    // Of two fields with one key the later counts, and a statement may not change a row twice.
    let patch: BTreeMap<&str, _> = commit.patch.iter().map(|field| (field.key.as_str(), field)).collect();
    let keys: Vec<&[u8]> = patch.keys().map(|key| key.as_bytes()).collect();
    let written: Vec<i64> = patch.values().map(|field| field.written).collect();
    let expires: Vec<i64> = patch.values().map(|field| field.expires).collect();
    let values: Vec<&[u8]> = patch.values().map(|field| field.value.0.as_slice()).collect();
    let new = commit.interaction.as_ref();
    let interaction = new.map(|new| &new.interaction);
    let row = new.map(|new| &new.row);
    let parameters: [Parameter<'_>; 23] = [
        &caller.slot,
        &commit.identity.0.as_slice(),
        &commit.identifier.0,
        &number(commit.erasures),
        &commit.now,
        &commit.mark.expires,
        &new.is_some(),
        &interaction.map(|interaction| interaction.id.0.as_slice()),
        &interaction.map(|interaction| interaction.began),
        &interaction.map(|interaction| interaction.expires),
        &interaction.map(|interaction| interaction.record.0.as_slice()),
        &new.map(|new| new.stands_after),
        &row.map(|row| row.id.0.as_slice()),
        &row.map(|row| row.began),
        &row.map(|row| row.details.0.as_slice()),
        &conversation.slot,
        &commit.conversation.0.as_slice(),
        &commit.mark.report.0,
        &keys,
        &written,
        &expires,
        &values,
        &expires.iter().min().copied(),
    ];
    let sql = statements.commit.get(caller.partition);
    let rows = if commit.ends_session {
        let delete = statements.delete_session.get(conversation.partition);
        let session: [Parameter<'_>; 2] = [&conversation.slot, &commit.conversation.0.as_slice()];
        connection.query_and_execute((sql, &parameters), (delete, &session)).await?
    } else {
        connection.query(sql, &parameters).await?
    };
    rows.into_iter().next().ok_or(Failure::Damaged("a commit has no answer"))
}

/// What the commit has done. Its row begins with a column of no meaning.
fn settled(row: &Row, commit: &Commit) -> Attempt<Settled> {
    let Some(first) = column::<Option<bool>>(row, 5)? else {
        return Ok(Settled { erased: ErasedSince::Everything, standing: None, first: false });
    };
    let standing: Option<Interaction> = match commit.interaction {
        Some(_) => Some(interaction(row, 1)?.ok_or(Failure::Damaged("no interaction stands"))?),
        None => None,
    };
    Ok(Settled { erased: erased_keys(column(row, 6)?)?, standing, first })
}

/// What was erased, by the keys of which it is known.
pub(crate) fn erased_keys(keys: Vec<&[u8]>) -> Attempt<ErasedSince> {
    let keys = keys.into_iter().map(text).collect::<Attempt<Vec<String>>>()?;
    Ok(if keys.is_empty() { ErasedSince::Nothing } else { ErasedSince::Keys(keys) })
}

/// What is recorded of a conversation that is committed already. Its mark is written again, unchanged: that makes the
/// answer as durable as that of the commit itself, which a synchronous standby may not have yet if somebody has
/// cancelled the wait for it.
async fn find(connection: &Connection, statements: &Statements, commit: &Commit) -> Attempt<Option<Ended>> {
    let place = Place::of_conversation(&commit.conversation);
    let conversation = commit.conversation.0.as_slice();
    let transaction = connection.begin().await?;
    let marked = transaction
        .execute(
            &format!(
                "UPDATE marks_{:02} SET slot = slot WHERE slot = $1 AND conversation = $2 AND expires > $3",
                place.partition
            ),
            &[&place.slot, &conversation, &commit.now],
        )
        .await?;
    let rows = transaction.query(read::ENDED, &[&place.slot, &conversation, &commit.now]).await?;
    let ended = match marked {
        0 => None,
        _ => Some(read::ended_row(only(&rows)?)?),
    };
    if ended.is_some() && commit.ends_session {
        transaction.execute(statements.delete_session.get(place.partition), &[&place.slot, &conversation]).await?;
    }
    transaction.commit().await?;
    Ok(ended)
}
