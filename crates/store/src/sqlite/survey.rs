//! Reads that go through all callers.
//!
//! They are cut into parts, each of which sees a snapshot of its own: a snapshot that is held for long keeps a sweep
//! from emptying the log, and the one thread for long reads is free for others between two parts.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::{caller::Caller, failure::Attempt, record::decode};
use crate::{Health, IdentityKey, Timestamp, types::day_of};

/// How many callers are read in one part: some ten milliseconds' work.
pub(super) const CALLERS: usize = 4096;

/// What one part of a read leads to.
pub(super) enum Part<M, A> {
    /// This is to be asked next.
    More(M),
    /// That was all.
    All(A),
}

/// The callers on whom something is held, by key.
pub(super) struct Listing {
    after: Option<IdentityKey>,
    limit: usize,
    now: Timestamp,
    found: Vec<IdentityKey>,
}

impl Listing {
    pub(super) fn new(after: Option<IdentityKey>, limit: usize, now: Timestamp) -> Self {
        Self { after, limit, now, found: Vec::new() }
    }

    /// Reads some callers.
    pub(super) fn step(mut self, connection: &Connection) -> Attempt<Part<Self, Vec<IdentityKey>>> {
        // Every key comes after the empty one.
        let after = self.after.as_ref().map(|identity| identity.0.as_slice()).unwrap_or_default();
        let mut statement = connection
            .prepare_cached("SELECT identity, record FROM callers WHERE identity > ?1 ORDER BY identity LIMIT ?2")?;
        let mut rows = statement.query(params![after, CALLERS])?;
        let mut read = 0;
        while self.found.len() < self.limit {
            let Some(row) = rows.next()? else { break };
            let identity = IdentityKey(row.get(0)?);
            let caller: Caller = decode(row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?)?;
            if caller.is_held(self.now) {
                self.found.push(identity);
            }
            self.after = Some(identity);
            read += 1;
        }
        drop(rows);
        Ok(if read == CALLERS && self.found.len() < self.limit { Part::More(self) } else { Part::All(self.found) })
    }
}

/// How much is held.
pub(super) struct Census {
    now: Timestamp,
    /// The number of the row that was read last.
    after: i64,
    health: Health,
    expiring: BTreeMap<Timestamp, u64>,
}

impl Census {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { now, after: i64::MIN, health: Health::default(), expiring: BTreeMap::new() }
    }

    /// Reads some callers, and after the last of them all that needs no such parts.
    pub(super) fn step(mut self, connection: &Connection) -> Attempt<Part<Self, Health>> {
        let mut statement =
            connection.prepare_cached("SELECT rowid, record FROM callers WHERE rowid > ?1 ORDER BY rowid LIMIT ?2")?;
        let mut rows = statement.query(params![self.after, CALLERS])?;
        let mut read = 0;
        while let Some(row) = rows.next()? {
            self.after = row.get(0)?;
            let caller: Caller = decode(row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?)?;
            self.count(caller);
            read += 1;
        }
        drop(rows);
        if read == CALLERS {
            return Ok(Part::More(self));
        }
        // These read nothing but an index.
        let count = |table: &str| -> Attempt<u64> {
            let statement = format!("SELECT count(*) FROM {table} WHERE expires > ?1");
            Ok(connection.prepare_cached(&statement)?.query_row([self.now], |row| row.get(0))?)
        };
        let metrics = count("metrics")?;
        let sessions = count("sessions")?;
        let swept = connection.prepare_cached("SELECT swept FROM store")?.query_row([], |row| row.get(0))?;
        let expiring = self.expiring.into_iter().collect();
        Ok(Part::All(Health { metrics, sessions, expiring, swept, ..self.health }))
    }

    fn count(&mut self, caller: Caller) {
        self.health.identities += u64::from(caller.is_held(self.now));
        let interaction = caller.interaction.as_ref().filter(|interaction| interaction.expires > self.now);
        self.health.interactions += u64::from(interaction.is_some());
        for field in caller.into_fields(self.now) {
            self.health.fields += 1;
            *self.expiring.entry(day_of(field.expires)).or_default() += 1;
        }
    }
}
