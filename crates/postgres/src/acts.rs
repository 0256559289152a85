//! What administrators did, and by which keys the store is sealed.

use agent_memory_store::{Act, ActId, Sealed, Timestamp};
use tokio_postgres::Row;

use crate::{
    columns::{column, key, limit, only, sealed},
    connections::{Connection, Parameter},
    failure::Attempt,
};

/// Parameters: id, at, expires, record.
pub(crate) const RECORD: &str = "INSERT INTO acts (id, at, expires, record) VALUES ($1, $2, $3, $4)
    ON CONFLICT (id) DO UPDATE SET at = excluded.at, expires = excluded.expires, record = excluded.record";

pub(crate) async fn record(connection: &Connection, act: &Act) -> Attempt<()> {
    let parameters: [Parameter<'_>; 4] = [&act.id.0.as_slice(), &act.at, &act.expires, &act.record.0];
    connection.execute(RECORD, &parameters).await?;
    Ok(())
}

pub(crate) async fn after(
    connection: &Connection,
    after: Option<(Timestamp, ActId)>,
    most: usize,
    now: Timestamp,
) -> Attempt<Vec<Act>> {
    // Every act comes after the first time with no id.
    let (at, id) = after.as_ref().map_or((Timestamp::MIN, [].as_slice()), |(at, id)| (*at, id.0.as_slice()));
    let sql = "SELECT id, at, expires, record FROM acts WHERE (at, id) > ($1, $2) AND expires > $3
        ORDER BY at, id LIMIT $4";
    connection.query(sql, &[&at, &id, &now, &limit(most)]).await?.iter().map(act).collect()
}

/// Reads the columns `id`, `at`, `expires` and `record`.
pub(crate) fn act(row: &Row) -> Attempt<Act> {
    Ok(Act { id: ActId(key(row, 0)?), at: column(row, 1)?, expires: column(row, 2)?, record: sealed(row, 3)? })
}

/// It is claimed once and asked about often, so it is read first: the row is also locked by whoever erases, and cannot
/// be by who is only allowed to read. Where it is claimed it is locked, so that of claims at once the first counts for
/// all.
pub(crate) async fn claim(connection: &Connection, keys: &Sealed) -> Attempt<Sealed> {
    let rows = connection.query("SELECT keys FROM store", &[]).await?;
    if let Some(claimed) = column::<Option<Vec<u8>>>(only(&rows)?, 0)? {
        return Ok(Sealed(claimed));
    }
    let rows = connection.query("UPDATE store SET keys = coalesce(keys, $1) RETURNING keys", &[&keys.0]).await?;
    sealed(only(&rows)?, 0)
}
