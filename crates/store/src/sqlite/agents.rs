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
        Some(bytes) => {
            connection
                .prepare_cached("INSERT INTO components (component, bytes) VALUES (?1, ?2)")?
                .execute(params![version.component.0, bytes])?;
        }
        None => return Ok(Published::UnknownComponent),
    }
    withdraw(connection, &version.agent, now)?;
    connection
        .prepare_cached(
            "INSERT INTO agents (agent, version, component, replaced, record) VALUES (?1, ?2, ?3, NULL, ?4)
            ON CONFLICT (agent, version) DO UPDATE
            SET component = excluded.component, replaced = NULL, record = excluded.record",
        )?
        .execute(params![version.agent.0, version.version.0, version.component.0, version.record.0])?;
    Ok(Published::Done)
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
    let found = statement.query_map([], agent_version)?;
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
    Ok(statement.query_row(params![agent.0, version.0], agent_version).optional()?)
}

/// One statement, which is one snapshot.
pub(super) fn current(connection: &Connection, agent: &AgentKey) -> Attempt<Option<AgentVersion>> {
    let mut statement = connection
        .prepare_cached("SELECT agent, version, component, record FROM agents WHERE agent = ?1 AND replaced IS NULL")?;
    Ok(statement.query_row([agent.0], agent_version).optional()?)
}

/// One statement, which is one snapshot.
pub(super) fn component(connection: &Connection, component: &ComponentKey) -> Attempt<Option<Vec<u8>>> {
    let mut statement = connection.prepare_cached("SELECT bytes FROM components WHERE component = ?1")?;
    Ok(statement.query_row([component.0], |row| row.get(0)).optional()?)
}

fn agent_version(row: &Row<'_>) -> rusqlite::Result<AgentVersion> {
    Ok(AgentVersion {
        agent: AgentKey(row.get(0)?),
        version: VersionKey(row.get(1)?),
        component: ComponentKey(row.get(2)?),
        record: Sealed(row.get(3)?),
    })
}
