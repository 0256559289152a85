//! Agents: their versions, and the components that these run.

use agent_memory_store::{AgentKey, AgentVersion, ComponentKey, Published, Timestamp, VersionKey};
use tokio_postgres::Row;

use crate::{
    columns::{column, hour_of, key, only, sealed},
    connections::{Connection, Transaction},
    failure::Attempt,
};

/// The columns that [`version_row`] reads.
pub(crate) const COLUMNS: &str = "agent, version, component, record";

/// Who publishes, withdraws or sweeps agents does so alone. Everybody else reads on.
pub(crate) const LOCK: &str = "LOCK TABLE agents IN SHARE ROW EXCLUSIVE MODE";

pub(crate) async fn publish(
    transaction: &Transaction<'_>,
    version: &AgentVersion,
    bytes: Option<&[u8]>,
    now: Timestamp,
) -> Attempt<Published> {
    transaction.batch(LOCK).await?;
    let component = version.component.0.as_slice();
    let there =
        transaction.query("SELECT EXISTS (SELECT 1 FROM components WHERE component = $1)", &[&component]).await?;
    match bytes {
        _ if column(only(&there)?, 0)? => {}
        Some(bytes) => put_component(transaction, &version.component, bytes).await?,
        None => return Ok(Published::UnknownComponent),
    }
    withdraw(transaction, &version.agent, now).await?;
    put(transaction, version, None).await?;
    Ok(Published::Done)
}

/// Puts a version in that comes from another store.
pub(crate) async fn restore(
    transaction: &Transaction<'_>,
    version: &AgentVersion,
    replaced: Option<Timestamp>,
) -> Attempt<()> {
    if replaced.is_none() {
        // What was current here will come along with the time at which it was replaced there, or never was there.
        withdraw(transaction, &version.agent, 0).await?;
    }
    put(transaction, version, replaced).await
}

async fn put(transaction: &Transaction<'_>, version: &AgentVersion, replaced: Option<Timestamp>) -> Attempt<()> {
    let sql = "INSERT INTO agents (agent, version, component, replaced, record) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (agent, version) DO UPDATE
        SET component = excluded.component, replaced = excluded.replaced, record = excluded.record";
    let AgentVersion { agent, version, component, record } = version;
    let [agent, version, component] = [agent.0.as_slice(), version.0.as_slice(), component.0.as_slice()];
    transaction.execute(sql, &[&agent, &version, &component, &replaced, &record.0]).await?;
    Ok(())
}

pub(crate) async fn put_component(
    transaction: &Transaction<'_>,
    component: &ComponentKey,
    bytes: &[u8],
) -> Attempt<()> {
    let sql = "INSERT INTO components (component, bytes) VALUES ($1, $2)
        ON CONFLICT (component) DO UPDATE SET bytes = excluded.bytes";
    transaction.execute(sql, &[&component.0.as_slice(), &bytes]).await?;
    Ok(())
}

pub(crate) async fn withdraw(transaction: &Transaction<'_>, agent: &AgentKey, now: Timestamp) -> Attempt<bool> {
    let sql = "UPDATE agents SET replaced = $2 WHERE agent = $1 AND replaced IS NULL";
    Ok(transaction.execute(sql, &[&agent.0.as_slice(), &hour_of(now)]).await? > 0)
}

pub(crate) async fn all_current(connection: &Connection) -> Attempt<Vec<AgentVersion>> {
    let sql = format!("SELECT {COLUMNS} FROM agents WHERE replaced IS NULL ORDER BY agent");
    connection.query(&sql, &[]).await?.iter().map(version_row).collect()
}

pub(crate) async fn version(
    connection: &Connection,
    agent: &AgentKey,
    version: &VersionKey,
) -> Attempt<Option<AgentVersion>> {
    let sql = format!("SELECT {COLUMNS} FROM agents WHERE agent = $1 AND version = $2");
    let rows = connection.query(&sql, &[&agent.0.as_slice(), &version.0.as_slice()]).await?;
    rows.first().map(version_row).transpose()
}

pub(crate) async fn current(connection: &Connection, agent: &AgentKey) -> Attempt<Option<AgentVersion>> {
    let sql = format!("SELECT {COLUMNS} FROM agents WHERE agent = $1 AND replaced IS NULL");
    let rows = connection.query(&sql, &[&agent.0.as_slice()]).await?;
    rows.first().map(version_row).transpose()
}

/// It may be large.
pub(crate) async fn component(transaction: &Transaction<'_>, component: &ComponentKey) -> Attempt<Option<Vec<u8>>> {
    let sql = "SELECT bytes FROM components WHERE component = $1";
    let rows = transaction.query(sql, &[&component.0.as_slice()]).await?;
    rows.first().map(|row| column(row, 0)).transpose()
}

/// Reads [`COLUMNS`].
pub(crate) fn version_row(row: &Row) -> Attempt<AgentVersion> {
    Ok(AgentVersion {
        agent: AgentKey(key(row, 0)?),
        version: VersionKey(key(row, 1)?),
        component: ComponentKey(key(row, 2)?),
        record: sealed(row, 3)?,
    })
}
