//! Deleting what has expired, a little at a time, so that nobody who writes has to wait for long.

use rusqlite::{Connection, params};

use super::{caller::Caller, failure::Attempt, record::decode, write::put_caller};
use crate::{AGENT_KEPT, IdentityKey, Swept, Timestamp, types::hour_of};

/// How many rows one step deletes at most: a few milliseconds' work.
const ROWS: usize = 128;

/// How long after the first thing in a caller's record everything in it has expired: nothing is kept for more than 90 days (E1).
const ALL_EXPIRED: Timestamp = 91 * 24 * 60 * 60;

/// A sweep that has begun.
pub(super) struct Sweep {
    now: Timestamp,
    stage: Stage,
    swept: Swept,
    /// When the last record was due that stays because it cannot be decoded, and the number of its row. All that are due before
    /// it are swept.
    passed: (Timestamp, i64),
}

#[derive(Clone, Copy)]
enum Stage {
    Sessions,
    Metrics,
    Marks,
    Callers,
    Agents,
    Components,
    Acts,
    Registers,
    Note,
}

impl Sweep {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { now, stage: Stage::Sessions, swept: Swept::default(), passed: (Timestamp::MIN, i64::MIN) }
    }

    /// Deletes a few rows. Answers how much was deleted since the beginning once nothing is left to delete.
    pub(super) fn step(&mut self, connection: &Connection) -> Attempt<Option<Swept>> {
        let deleted = match self.stage {
            Stage::Sessions => {
                let deleted = self.delete(connection, "sessions")?;
                self.swept.sessions += deleted as u64;
                deleted
            }
            Stage::Metrics => {
                let deleted = self.delete(connection, "metrics")?;
                self.swept.metrics += deleted as u64;
                deleted
            }
            Stage::Marks => self.delete(connection, "marks")?,
            Stage::Callers => self.callers(connection)?,
            Stage::Agents => self.agents(connection)?,
            Stage::Components => self.component(connection)?,
            Stage::Acts => self.delete(connection, "acts")?,
            Stage::Registers => self.delete(connection, "registers")?,
            Stage::Note => self.note(connection)?,
        };
        if deleted == self.stage.rows() {
            return Ok(None);
        }
        self.stage = match self.stage {
            Stage::Sessions => Stage::Metrics,
            Stage::Metrics => Stage::Marks,
            Stage::Marks => Stage::Callers,
            Stage::Callers => Stage::Agents,
            Stage::Agents => Stage::Components,
            Stage::Components => Stage::Acts,
            Stage::Acts => Stage::Registers,
            Stage::Registers => Stage::Note,
            Stage::Note => return Ok(Some(self.swept)),
        };
        Ok(None)
    }

    fn delete(&self, connection: &Connection, table: &str) -> Attempt<usize> {
        let statement =
            format!("DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} WHERE expires <= ?1 LIMIT ?2)");
        Ok(connection.prepare_cached(&statement)?.execute(params![self.now, ROWS])?)
    }

    /// Every record that is due holds something that has expired, so that afterwards it is due later or gone. One that cannot
    /// be decoded stays until everything in it has expired.
    fn callers(&mut self, connection: &Connection) -> Attempt<usize> {
        let mut due: Vec<(IdentityKey, (Timestamp, i64), Attempt<Caller>)> = Vec::new();
        let mut statement = connection.prepare_cached(
            "SELECT identity, sweep_at, rowid, record FROM callers WHERE sweep_at <= ?1 AND (sweep_at, rowid) > (?2, ?3)
            ORDER BY sweep_at, rowid LIMIT ?4",
        )?;
        let mut rows = statement.query(params![self.now, self.passed.0, self.passed.1, ROWS])?;
        while let Some(row) = rows.next()? {
            let record = row.get_ref(3)?.as_blob().map_err(rusqlite::Error::from)?;
            due.push((IdentityKey(row.get(0)?), (row.get(1)?, row.get(2)?), decode(record)));
        }
        let count = due.len();
        for (identity, place, caller) in due {
            match caller {
                Ok(mut caller) => {
                    caller.sweep(self.now, &mut self.swept);
                    put_caller(connection, &identity, &caller)?;
                }
                Err(_) if place.0 <= self.now.saturating_sub(ALL_EXPIRED) => {
                    put_caller(connection, &identity, &Caller::default())?;
                    self.swept.identifiers += 1;
                }
                Err(_) => {
                    self.passed = place;
                    self.swept.undecodable += 1;
                }
            }
        }
        Ok(count)
    }

    /// Versions that no conversation can run on any more.
    fn agents(&self, connection: &Connection) -> Attempt<usize> {
        let mut statement = connection.prepare_cached(
            "DELETE FROM agents WHERE rowid IN (SELECT rowid FROM agents WHERE replaced <= ?1 LIMIT ?2)",
        )?;
        Ok(statement.execute(params![self.now.saturating_sub(AGENT_KEPT), ROWS])?)
    }

    /// A component that no version refers to. It may be large, so that each is a step of its own.
    fn component(&self, connection: &Connection) -> Attempt<usize> {
        let mut statement = connection.prepare_cached(
            "DELETE FROM components WHERE rowid = (
                SELECT rowid FROM components
                WHERE NOT EXISTS (SELECT 1 FROM agents WHERE agents.component = components.component) LIMIT 1
            )",
        )?;
        Ok(statement.execute([])?)
    }

    /// Remembers when this was.
    fn note(&self, connection: &Connection) -> Attempt<usize> {
        connection.prepare_cached("UPDATE store SET swept = ?1 WHERE swept IS NOT ?1")?.execute([hour_of(self.now)])?;
        Ok(0)
    }
}

impl Stage {
    /// How many rows a step deletes if there may be more to delete.
    fn rows(self) -> usize {
        match self {
            Self::Components => 1,
            _ => ROWS,
        }
    }
}
