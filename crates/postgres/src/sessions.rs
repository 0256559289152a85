//! Running conversations, each in one statement.

use agent_memory_store::{ConversationKey, Replaces, Revision, SavedSession, StoredSession, Timestamp};

use crate::{
    columns::{Place, column, key, limit, sealed},
    connections::{Connection, Parameter},
    failure::Attempt,
    statements::Statements,
};

pub(crate) async fn save(
    connection: &Connection,
    statements: &Statements,
    session: &SavedSession,
    replaces: Replaces,
    now: Timestamp,
) -> Attempt<bool> {
    let place = Place::of_conversation(&session.conversation);
    let conversation = session.conversation.0.as_slice();
    let revision = session.revision.0.as_slice();
    let SavedSession { expires, overdue, session, .. } = session;
    let common: [Parameter<'_>; 6] = [&place.slot, &conversation, expires, overdue, &revision, &session.0];
    let saved = match replaces {
        Replaces::Anything => connection.execute(statements.save_session.get(place.partition), &common).await?,
        Replaces::Nothing => {
            let [slot, conversation, expires, overdue, revision, session] = common;
            let parameters = [slot, conversation, expires, overdue, revision, session, &now];
            connection.execute(statements.save_first_session.get(place.partition), &parameters).await?
        }
        Replaces::Revision(replaced) => {
            let [slot, conversation, expires, overdue, revision, session] = common;
            let replaced = replaced.0.as_slice();
            let parameters = [slot, conversation, expires, overdue, revision, session, &now, &replaced];
            connection.execute(statements.save_next_session.get(place.partition), &parameters).await?
        }
    };
    Ok(saved > 0)
}

pub(crate) async fn load(
    connection: &Connection,
    statements: &Statements,
    conversation: &ConversationKey,
    now: Timestamp,
) -> Attempt<Option<StoredSession>> {
    let place = Place::of_conversation(conversation);
    let sql = statements.load_session.get(place.partition);
    let rows = connection.query(sql, &[&place.slot, &conversation.0.as_slice(), &now]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(Some(StoredSession { revision: Revision(key(row, 0)?), session: sealed(row, 1)? }))
}

pub(crate) async fn delete(
    connection: &Connection,
    statements: &Statements,
    conversation: &ConversationKey,
) -> Attempt<()> {
    let place = Place::of_conversation(conversation);
    let sql = statements.delete_session.get(place.partition);
    connection.execute(sql, &[&place.slot, &conversation.0.as_slice()]).await?;
    Ok(())
}

/// With the times since when.
pub(crate) async fn overdue(
    connection: &Connection,
    now: Timestamp,
    most: usize,
) -> Attempt<Vec<(Timestamp, ConversationKey)>> {
    let sql = "SELECT overdue, conversation FROM sessions WHERE overdue <= $1 AND expires > $1
        ORDER BY overdue, conversation LIMIT $2";
    let rows = connection.query(sql, &[&now, &limit(most)]).await?;
    rows.iter().map(|row| Ok((column(row, 0)?, ConversationKey(key(row, 1)?)))).collect()
}
