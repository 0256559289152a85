//! Marks that come from elsewhere than a commit.

use agent_memory_store::{
    ConversationKey, Ended, ErasedSince, IdentityKey, InteractionId, KeptMark, MarkRecord, RowId, Timestamp,
};
use tokio_postgres::Row;

use crate::{
    columns::{Place, column, key, optional_key, sealed},
    commit::erased_keys,
    connections::{Connection, Parameter, Transaction},
    failure::{Attempt, Failure},
    read,
};

/// The columns that [`mark_row`] reads, and that [`Columns`] has.
pub(crate) const COLUMNS: &str =
    "slot, conversation, expires, identity, report, erased_keys, first, interaction, row_id";

/// Its parameters are those of [`Columns`].
const PUT: &str = "INSERT INTO marks AS m
        (slot, conversation, expires, identity, report, erased_keys, first, interaction, row_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (slot, conversation) DO UPDATE
    SET expires = excluded.expires, identity = excluded.identity, report = excluded.report,
        erased_keys = excluded.erased_keys, first = excluded.first, interaction = excluded.interaction,
        row_id = excluded.row_id";

/// A mark's row.
struct Columns<'a> {
    slot: i16,
    conversation: &'a [u8],
    expires: Timestamp,
    identity: Option<&'a [u8]>,
    report: Option<&'a [u8]>,
    erased_keys: Option<Vec<&'a [u8]>>,
    first: Option<bool>,
    interaction: Option<&'a [u8]>,
    row_id: Option<&'a [u8]>,
}

/// Puts a mark in, in place of what is there.
pub(crate) async fn put(transaction: &Transaction<'_>, mark: &KeptMark) -> Attempt<()> {
    transaction.execute(PUT, &Columns::of(mark)?.parameters()).await?;
    Ok(())
}

/// Puts a mark in unless one stands, and answers what that one says. To try to put one in locks the one that stands for
/// a moment, and so makes the answer as durable as that of its commit.
pub(crate) async fn put_unless(connection: &Connection, mark: &KeptMark, now: Timestamp) -> Attempt<Option<Ended>> {
    let columns = Columns::of(mark)?;
    let [slot, conversation, expires, identity, report, erased_keys, first, interaction, row_id] = columns.parameters();
    let parameters =
        [slot, conversation, expires, identity, report, erased_keys, first, interaction, row_id, &now as Parameter<'_>];
    let sql = format!("{PUT} WHERE m.expires <= $10 RETURNING 1");
    loop {
        if !connection.query(&sql, &parameters).await?.is_empty() {
            return Ok(None);
        }
        if let Some(ended) = read::ended(connection, &mark.conversation, now).await? {
            return Ok(Some(ended));
        }
        // It was swept in between.
    }
}

/// Reads [`COLUMNS`].
pub(crate) fn mark_row(row: &Row) -> Attempt<KeptMark> {
    let recorded = match optional_key(row, 3)? {
        None => None,
        Some(identity) => {
            let stood = match (optional_key(row, 7)?, optional_key(row, 8)?) {
                (Some(interaction), Some(id)) => Some((InteractionId(interaction), RowId(id))),
                _ => None,
            };
            let erased = erased_keys(column(row, 5)?)?;
            let record = MarkRecord { report: sealed(row, 4)?, erased, first: column(row, 6)?, row: stood };
            Some((IdentityKey(identity), record))
        }
    };
    Ok(KeptMark { conversation: ConversationKey(key(row, 1)?), expires: column(row, 2)?, recorded })
}

impl<'a> Columns<'a> {
    fn of(mark: &'a KeptMark) -> Attempt<Self> {
        let KeptMark { conversation, expires, recorded } = mark;
        let record = recorded.as_ref().map(|(_, record)| record);
        let row = record.and_then(|record| record.row.as_ref());
        Ok(Self {
            slot: Place::of_conversation(conversation).slot,
            conversation: &conversation.0,
            expires: *expires,
            identity: recorded.as_ref().map(|(identity, _)| identity.0.as_slice()),
            report: record.map(|record| record.report.0.as_slice()),
            erased_keys: match record.map(|record| &record.erased) {
                None => None,
                Some(ErasedSince::Nothing) => Some(Vec::new()),
                Some(ErasedSince::Keys(keys)) => Some(keys.iter().map(|key| key.as_bytes()).collect()),
                // Such a commit has written no record.
                Some(ErasedSince::Everything) => {
                    return Err(Failure::Damaged("a mark has a record of an erased caller"));
                }
            },
            first: record.map(|record| record.first),
            interaction: row.map(|(interaction, _)| interaction.0.as_slice()),
            row_id: row.map(|(_, id)| id.0.as_slice()),
        })
    }

    fn parameters(&self) -> [Parameter<'_>; 9] {
        [
            &self.slot,
            &self.conversation,
            &self.expires,
            &self.identity,
            &self.report,
            &self.erased_keys,
            &self.first,
            &self.interaction,
            &self.row_id,
        ]
    }
}
