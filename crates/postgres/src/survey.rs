//! Who is held, and how much is.

use agent_memory_store::{Health, IdentityKey, Timestamp};

use crate::{
    columns::{Place, column, count, key, limit, only},
    connections::Transaction,
    failure::Attempt,
};

/// Slots are the first bits of keys, so that the order of slots and keys is the order of keys. The transaction is a
/// snapshot.
pub(crate) async fn identities(
    transaction: &Transaction<'_>,
    after: Option<&IdentityKey>,
    most: usize,
    now: Timestamp,
) -> Attempt<Vec<IdentityKey>> {
    // Every caller comes after the first slot with no key.
    let (slot, after) = after.map_or((0, [].as_slice()), |key| (Place::of_caller(key).slot, key.0.as_slice()));
    let sql = "SELECT c.identity FROM callers c
        WHERE (c.slot, c.identity) > ($1, $2) AND (c.expires > $3 OR EXISTS (
            SELECT 1 FROM fields f WHERE f.slot = c.slot AND f.identity = c.identity AND f.expires > $3
        ))
        ORDER BY c.slot, c.identity LIMIT $4";
    let rows = transaction.query(sql, &[&slot, &after, &now, &limit(most)]).await?;
    rows.iter().map(|row| key(row, 0).map(IdentityKey)).collect()
}

/// The transaction is a snapshot.
pub(crate) async fn health(transaction: &Transaction<'_>, now: Timestamp) -> Attempt<Health> {
    let sql = "SELECT swept,
            (SELECT count(*) FROM callers WHERE expires > $1),
            (SELECT count(*) FROM metrics WHERE expires > $1),
            (SELECT count(*) FROM sessions WHERE expires > $1),
            (SELECT count(*) FROM (
                SELECT slot, identity FROM callers WHERE expires > $1
                UNION SELECT slot, identity FROM fields WHERE expires > $1
            ) AS held)
        FROM store";
    let rows = transaction.query(sql, &[&now]).await?;
    let row = only(&rows)?;
    let mut health = Health {
        swept: column(row, 0)?,
        interactions: count(row, 1)?,
        metrics: count(row, 2)?,
        sessions: count(row, 3)?,
        identities: count(row, 4)?,
        ..Health::default()
    };
    let sql = "SELECT expires - mod(mod(expires, 86400) + 86400, 86400) AS day, count(*)
        FROM fields WHERE expires > $1 GROUP BY day ORDER BY day";
    for row in &transaction.query(sql, &[&now]).await? {
        let fields = count(row, 1)?;
        health.expiring.push((column(row, 0)?, fields));
        health.fields += fields;
    }
    Ok(health)
}
