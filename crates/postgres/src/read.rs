//! What is read of one caller, one conversation, and for analytics.

use agent_memory_store::{
    ConversationKey, Ended, Field, Held, IdentityKey, Interaction, InteractionId, Loaded, MetricRow, Read, Recorded,
    RowId, Settled, Timestamp,
};
use tokio_postgres::{Row, error::SqlState};

use crate::{
    caller::Caller,
    columns::{Place, column, count, key, only, optional_key, sealed, text},
    commit::erased_keys,
    connections::{Connection, Transaction},
    failure::{Attempt, Failure},
    statements::Statements,
};

/// Marks with the interaction that stood, as the metric row has it until it expires. `OFFSET 0` has each looked up by
/// its key, however large the tables were when the statement was prepared.
macro_rules! marks {
    ($where:literal) => {
        concat!(
            "SELECT m.identity, m.report, m.erased_keys, m.first, m.interaction, r.standing_began, r.expires,
                r.standing_record, m.conversation
            FROM marks m LEFT JOIN LATERAL (
                SELECT standing_began, expires, standing_record FROM metrics
                WHERE slot = (get_byte(m.interaction, 0) * 16 + get_byte(m.interaction, 1) / 16)::smallint
                    AND interaction = m.interaction AND id = m.row_id AND expires > $3
                OFFSET 0
            ) AS r ON true
            WHERE ",
            $where
        )
    };
}

/// Parameters: slot, conversation, now.
pub(crate) const ENDED: &str = marks!("m.slot = $1 AND m.conversation = $2 AND m.expires > $3");

/// The same, of a mark that is locked for a moment.
const ENDED_FOR_GOOD: &str = marks!("m.slot = $1 AND m.conversation = $2 AND m.expires > $3 FOR NO KEY UPDATE OF m");

/// Parameters: whether it is wanted, identity, now.
const ENDED_OF_CALLER: &str =
    marks!("$1::boolean AND m.identity = $2 AND m.expires > $3 ORDER BY m.slot, m.conversation");

/// One statement, which is one snapshot and one round trip.
pub(crate) async fn load(connection: &Connection, statements: &Statements, read: Read) -> Attempt<Loaded> {
    let now = read.now;
    let conversation = read.conversation.as_ref();
    let asked = conversation.map(|key| (Place::of_conversation(key).slot, key.0.as_slice()));
    let Some(identity) = &read.identity else {
        let (slot, conversation) = asked.unwrap_or_default();
        let sql = "SELECT s.erasures, EXISTS (
                SELECT 1 FROM marks m WHERE m.slot = $1 AND m.conversation = $2 AND m.expires > $3
            ) FROM store s";
        let rows = connection.query(sql, &[&slot, &conversation, &now]).await?;
        let row = only(&rows)?;
        return Ok(Loaded { fields: Vec::new(), erasures: count(row, 0)?, ended: column(row, 1)? });
    };

    let place = Place::of_caller(identity);
    let identity = identity.0.as_slice();
    let rows = match asked {
        None => connection.query(statements.load.get(place.partition), &[&place.slot, &identity, &now]).await?,
        Some((slot, conversation)) => {
            let sql = statements.load_and_ask.get(place.partition);
            connection.query(sql, &[&place.slot, &identity, &now, &slot, &conversation]).await?
        }
    };
    let first = only(&rows)?;
    let fields = rows.iter().filter(|row| column::<Option<&[u8]>>(row, 1).is_ok_and(|key| key.is_some()));
    Ok(Loaded {
        fields: fields.map(|row| field(row, 1)).collect::<Attempt<_>>()?,
        erasures: count(first, 0)?,
        ended: if asked.is_some() { column(first, 5)? } else { false },
    })
}

/// Reads the columns `key`, `written`, `expires` and `value`, which begin at a place.
pub(crate) fn field(row: &Row, from: usize) -> Attempt<Field> {
    Ok(Field {
        key: text(column(row, from)?)?,
        written: column(row, from + 1)?,
        expires: column(row, from + 2)?,
        value: sealed(row, from + 3)?,
    })
}

pub(crate) async fn ended(
    connection: &Connection,
    conversation: &ConversationKey,
    now: Timestamp,
) -> Attempt<Option<Ended>> {
    let slot = Place::of_conversation(conversation).slot;
    let rows = connection.query(ENDED, &[&slot, &conversation.0.as_slice(), &now]).await?;
    rows.first().map(ended_row).transpose()
}

/// The same for somebody who will tell others that the conversation has ended. The mark is locked for a moment: that
/// makes the answer as durable as that of the commit, which a synchronous standby may not have yet if somebody has
/// cancelled the wait for it, or the server has started again meanwhile. A server that takes no writes is only asked:
/// it has nothing that another may not have yet because of it.
pub(crate) async fn ended_for_good(
    connection: &Connection,
    conversation: &ConversationKey,
    now: Timestamp,
) -> Attempt<Option<Ended>> {
    let slot = Place::of_conversation(conversation).slot;
    match connection.query(ENDED_FOR_GOOD, &[&slot, &conversation.0.as_slice(), &now]).await {
        Ok(rows) => rows.first().map(ended_row).transpose(),
        Err(Failure::Unknown(error)) if error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION) => {
            ended(connection, conversation, now).await
        }
        Err(failure) => Err(failure),
    }
}

/// Reads a row of [`ENDED`].
pub(crate) fn ended_row(row: &Row) -> Attempt<Ended> {
    let Some(identity) = optional_key(row, 0)? else { return Ok(Ended { recorded: None }) };
    let standing = match (optional_key(row, 4)?, column::<Option<Timestamp>>(row, 5)?) {
        (Some(id), Some(began)) => {
            Some(Interaction { id: InteractionId(id), began, expires: column(row, 6)?, record: sealed(row, 7)? })
        }
        _ => None,
    };
    let settled = Settled { erased: erased_keys(column(row, 2)?)?, standing, first: column(row, 3)? };
    Ok(Ended { recorded: Some(Recorded { identity: IdentityKey(identity), report: sealed(row, 1)?, settled }) })
}

/// The transaction is a snapshot.
pub(crate) async fn export(transaction: &Transaction<'_>, identity: &IdentityKey, now: Timestamp) -> Attempt<Held> {
    let place = Place::of_caller(identity);
    let Some(caller) = Caller::read(transaction, identity).await? else { return Ok(Held::default()) };
    let rows = transaction
        .query(
            &format!(
                "SELECT key, written, expires, value FROM fields_{:02}
                WHERE slot = $1 AND identity = $2 AND expires > $3 ORDER BY key",
                place.partition
            ),
            &[&place.slot, &identity.0.as_slice(), &now],
        )
        .await?;
    let fields = rows.iter().map(|row| field(row, 0)).collect::<Attempt<_>>()?;

    let rows = transaction.query(ENDED_OF_CALLER, &[&true, &identity.0.as_slice(), &now]).await?;
    let conversations = rows.iter().map(|row| {
        let recorded = ended_row(row)?.recorded.ok_or(Failure::Damaged("a mark has lost its caller"))?;
        Ok((ConversationKey(key(row, 8)?), recorded))
    });
    let conversations = conversations.collect::<Attempt<_>>()?;

    let mut metric_rows = Vec::new();
    for interaction in caller.interactions() {
        let slot = Place::of_interaction(&interaction).slot;
        let sql = "SELECT interaction, id, began, details, first, standing_record FROM metrics
            WHERE slot = $1 AND interaction = $2 AND expires > $3";
        let rows = transaction.query(sql, &[&slot, &interaction.0.as_slice(), &now]).await?;
        for row in &rows {
            metric_rows.push(metric_row(row)?);
        }
    }
    metric_rows.sort_by_key(|row| (row.began, row.id, row.interaction));

    let interaction = caller.interaction.filter(|interaction| interaction.expires > now);
    let mut held = Held { identifier: None, fields, interaction, conversations, metric_rows };
    if held != Held::default() {
        held.identifier = caller.identifier;
    }
    Ok(held)
}

/// The transaction is a snapshot.
pub(crate) async fn metric_rows(transaction: &Transaction<'_>, now: Timestamp) -> Attempt<Vec<MetricRow>> {
    let sql = "SELECT interaction, id, began, details, first, standing_record FROM metrics
        WHERE expires > $1 ORDER BY began, id, interaction";
    let rows = transaction.query(sql, &[&now]).await?;
    rows.iter().map(metric_row).collect()
}

fn metric_row(row: &Row) -> Attempt<MetricRow> {
    Ok(MetricRow {
        interaction: InteractionId(key(row, 0)?),
        id: RowId(key(row, 1)?),
        began: column(row, 2)?,
        details: sealed(row, 3)?,
        repeat_of: if column(row, 4)? { None } else { Some(sealed(row, 5)?) },
    })
}
