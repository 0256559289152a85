//! Registers: a few bytes under a key, which are compared and replaced as a whole.

use std::collections::BTreeMap;

use agent_memory_store::{ConversationKey, Register, RegisterKey, Replacement, Timestamp};
use tokio_postgres::Row;

use crate::{
    columns::{Place, column, limit},
    connections::{Connection, Parameter, Transaction},
    failure::Attempt,
};

/// Parameters: key, value, expires.
const INSERT: &str = "INSERT INTO registers (key, value, expires) VALUES ($1, $2, $3)
    ON CONFLICT (key) DO NOTHING RETURNING 1";

/// The same parameters, and the value and the expiry that are replaced.
const UPDATE: &str = "UPDATE registers SET value = $2, expires = $3
    WHERE key = $1 AND value = $4 AND expires IS NOT DISTINCT FROM $5 RETURNING 1";

pub(crate) async fn read(connection: &Connection, key: &RegisterKey) -> Attempt<Option<Register>> {
    let rows = connection.query("SELECT value, expires FROM registers WHERE key = $1", &[&key.0]).await?;
    rows.first().map(|row| register(row, 0)).transpose()
}

/// One statement replaces the register and deletes the session. Another one reads what is there only if it is not what
/// has to be.
pub(crate) async fn replace(connection: &Connection, replacement: &Replacement) -> Attempt<Option<Register>> {
    let Replacement { key, from, to, ends } = replacement;
    loop {
        if has_replaced(connection, key, from.as_ref(), to, ends.as_ref()).await? {
            return Ok(Some(to.clone()));
        }
        let there = standing(connection, key).await?;
        if there != *from {
            return Ok(there);
        }
        // It was swept or put back in between.
    }
}

async fn has_replaced(
    connection: &Connection,
    key: &RegisterKey,
    from: Option<&Register>,
    to: &Register,
    ends: Option<&ConversationKey>,
) -> Attempt<bool> {
    let mut parameters: Vec<Parameter<'_>> = vec![&key.0, &to.value, &to.expires];
    let replace = match from {
        None => INSERT,
        Some(from) => {
            parameters.extend([&from.value as Parameter<'_>, &from.expires]);
            UPDATE
        }
    };
    let Some(conversation) = ends else { return Ok(!connection.query(replace, &parameters).await?.is_empty()) };
    let Place { slot, partition } = Place::of_conversation(conversation);
    let conversation = conversation.0.as_slice();
    let (first, second) = (parameters.len() + 1, parameters.len() + 2);
    parameters.extend([&slot as Parameter<'_>, &conversation]);
    let sql = format!(
        "WITH replaced AS ({replace}), ended AS (
            DELETE FROM sessions_{partition:02}
            WHERE slot = ${first} AND conversation = ${second} AND EXISTS (SELECT 1 FROM replaced)
        )
        SELECT 1 FROM replaced"
    );
    Ok(!connection.query(&sql, &parameters).await?.is_empty())
}

/// What is in a register that was not replaced. It is locked for a moment: that makes the answer as durable as that of
/// the replacement which has put it there, as a synchronous standby may not have it yet if somebody has cancelled the
/// wait for it.
async fn standing(connection: &Connection, key: &RegisterKey) -> Attempt<Option<Register>> {
    let rows = connection.query("SELECT value, expires FROM registers WHERE key = $1 FOR UPDATE", &[&key.0]).await?;
    rows.first().map(|row| register(row, 0)).transpose()
}

pub(crate) async fn put(transaction: &Transaction<'_>, registers: &[(RegisterKey, Register)]) -> Attempt<()> {
    // Of two with one key the later counts, and a statement may not change a row twice.
    let registers: BTreeMap<&RegisterKey, &Register> =
        registers.iter().map(|(key, register)| (key, register)).collect();
    let keys: Vec<&[u8]> = registers.keys().map(|key| key.0.as_slice()).collect();
    let values: Vec<&[u8]> = registers.values().map(|register| register.value.as_slice()).collect();
    let expires: Vec<Option<Timestamp>> = registers.values().map(|register| register.expires).collect();
    let sql = "INSERT INTO registers (key, value, expires)
        SELECT r.key, r.value, r.expires FROM unnest($1::bytea[], $2::bytea[], $3::bigint[]) AS r (key, value, expires)
        ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires = excluded.expires";
    transaction.execute(sql, &[&keys, &values, &expires]).await?;
    Ok(())
}

/// The transaction is a snapshot.
pub(crate) async fn list(
    transaction: &Transaction<'_>,
    after: Option<&RegisterKey>,
    most: usize,
) -> Attempt<Vec<(RegisterKey, Register)>> {
    // The next key after another is that one and a zero.
    let from = after.map_or_else(Vec::new, |after| [after.0.as_slice(), &[0]].concat());
    let sql = "SELECT key, value, expires FROM registers WHERE key >= $1 ORDER BY key LIMIT $2";
    let rows = transaction.query(sql, &[&from, &limit(most)]).await?;
    rows.iter().map(|row| Ok((RegisterKey(column(row, 0)?), register(row, 1)?))).collect()
}

/// Reads the columns `value` and `expires`, which begin at a place.
fn register(row: &Row, from: usize) -> Attempt<Register> {
    Ok(Register { value: column(row, from)?, expires: column(row, from + 1)? })
}
