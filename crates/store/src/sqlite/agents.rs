//! Agents: their versions, and the components that these run.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::failure::Attempt;
use crate::{AgentKey, AgentVersion, ComponentKey, Published, Sealed, Timestamp, VersionKey, types::hour_of};

/// Runs within a savepoint of the writer's transaction.
pub(super) fn publish(
    connection: &Connection,
    version: &AgentVersion,
    bytes: Option<&[u8]>,
    now: Timestamp,
) -> Attempt<Published> {
    let is_there = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM components WHERE component = ?1)")?
        .query_row([version.component.0], |row| row.get::<_, bool>(0))?;
    match bytes {
        _ if is_there => {}
        Some(bytes) => put_component(connection, &version.component, bytes)?,
        None => return Ok(Published::UnknownComponent),
    }
    withdraw(connection, &version.agent, now)?;
    put(connection, version, None)?;
    Ok(Published::Done)
}

/// Runs within a savepoint of the writer's transaction.
fn put(connection: &Connection, version: &AgentVersion, replaced: Option<Timestamp>) -> Attempt<()> {
    connection
        .prepare_cached(
            "INSERT INTO agents (agent, version, component, replaced, record) VALUES (?1, ?2, ?3, ?4, ?5)
            ON CONFLICT (agent, version) DO UPDATE
            SET component = excluded.component, replaced = excluded.replaced, record = excluded.record",
        )?
        .execute(params![version.agent.0, version.version.0, version.component.0, replaced, version.record.0])?;
    Ok(())
}

/// Puts a version in that comes from another store. Runs within a savepoint of the writer's transaction.
pub(super) fn restore(connection: &Connection, version: &AgentVersion, replaced: Option<Timestamp>) -> Attempt<()> {
    if replaced.is_none() {
        // What was current here will come along with the time at which it was replaced there, or never was there.
        withdraw(connection, &version.agent, 0)?;
    }
    put(connection, version, replaced)
}

/// Runs within a savepoint of the writer's transaction.
pub(super) fn put_component(connection: &Connection, component: &ComponentKey, bytes: &[u8]) -> Attempt<()> {
    connection
        .prepare_cached(
            "INSERT INTO components (component, bytes) VALUES (?1, ?2)
            ON CONFLICT (component) DO UPDATE SET bytes = excluded.bytes",
        )?
        .execute(params![component.0, bytes])?;
    Ok(())
}

/// Runs within a savepoint of the writer's transaction.
pub(super) fn withdraw(connection: &Connection, agent: &AgentKey, now: Timestamp) -> Attempt<bool> {
    let withdrawn = connection
        .prepare_cached("UPDATE agents SET replaced = ?2 WHERE agent = ?1 AND replaced IS NULL")?
        .execute(params![agent.0, hour_of(now)])?;
    Ok(withdrawn > 0)
}

/// One statement, which is one snapshot.
pub(super) fn all_current(connection: &Connection) -> Attempt<Vec<AgentVersion>> {
    let mut statement = connection
        .prepare_cached("SELECT agent, version, component, record FROM agents WHERE replaced IS NULL ORDER BY agent")?;
    let found = statement.query_map([], |row| agent_version(row, 0))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// One statement, which is one snapshot.
pub(super) fn version(
    connection: &Connection,
    agent: &AgentKey,
    version: &VersionKey,
) -> Attempt<Option<AgentVersion>> {
    let mut statement = connection
        .prepare_cached("SELECT agent, version, component, record FROM agents WHERE agent = ?1 AND version = ?2")?;
    Ok(statement.query_row(params![agent.0, version.0], |row| agent_version(row, 0)).optional()?)
}

/// One statement, which is one snapshot.
pub(super) fn current(connection: &Connection, agent: &AgentKey) -> Attempt<Option<AgentVersion>> {
    let mut statement = connection
        .prepare_cached("SELECT agent, version, component, record FROM agents WHERE agent = ?1 AND replaced IS NULL")?;
    Ok(statement.query_row([agent.0], |row| agent_version(row, 0)).optional()?)
}

/// One statement, which is one snapshot.
pub(super) fn component(connection: &Connection, component: &ComponentKey) -> Attempt<Option<Vec<u8>>> {
    let mut statement = connection.prepare_cached("SELECT bytes FROM components WHERE component = ?1")?;
    Ok(statement.query_row([component.0], |row| row.get(0)).optional()?)
}

/// Reads the columns `agent`, `version`, `component` and `record`, which begin at a place.
pub(super) fn agent_version(row: &Row<'_>, from: usize) -> rusqlite::Result<AgentVersion> {
    Ok(AgentVersion {
        agent: AgentKey(row.get(from)?),
        version: VersionKey(row.get(from + 1)?),
        component: ComponentKey(row.get(from + 2)?),
        record: Sealed(row.get(from + 3)?),
    })
}
