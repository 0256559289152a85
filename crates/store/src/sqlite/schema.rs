//! The layout of the file, and how an older one becomes the present one. `docs/sqlite.md` has the picture.

use rusqlite::Connection;

use super::failure::Attempt;

/// Marks a SQLite file as one of ours: `AgMe`.
pub(super) const APPLICATION_ID: i32 = 0x4167_4d65;

/// The newest format known: how many of the [`STEPS`] a file has been through.
pub(super) const FORMAT: u32 = STEPS.len() as u32;

/// The most pages that a file may have, some 137 GB. Below it the first byte of every page that is no b-tree page is
/// 0 or 1, which is how the scrubber tells pages apart.
pub(super) const MAX_PAGES: u32 = (2 << 24) - 1;

/// What makes each format out of the one before it. A step that was released is never changed.
const STEPS: &[&str] = &[FIRST, SECOND, THIRD];

/// Rows have numbers, so that those that are added together stand together, also in the indexes on times: a commit
/// changes few pages then.
pub(super) const FIRST: &str = "
-- One row: how many erasures there were. It only grows.
CREATE TABLE store (
    erasures INTEGER NOT NULL
) STRICT;
INSERT INTO store (erasures) VALUES (0);

-- All that is held on a caller but for marks and metric rows.
CREATE TABLE callers (
    identity BLOB NOT NULL UNIQUE,
    -- The first hour at which something in the record expires.
    sweep_at INTEGER NOT NULL,
    record BLOB NOT NULL
) STRICT;
CREATE INDEX callers_by_sweep ON callers (sweep_at);

-- The committed conversations. Identity and record are NULL after the caller was erased.
CREATE TABLE marks (
    conversation BLOB NOT NULL UNIQUE,
    expires INTEGER NOT NULL,
    identity BLOB,
    record BLOB
) STRICT;
CREATE INDEX marks_by_identity ON marks (identity) WHERE identity IS NOT NULL;
CREATE INDEX marks_by_expiry ON marks (expires);

-- The conversations as analytics see them.
CREATE TABLE metrics (
    interaction BLOB NOT NULL,
    id BLOB NOT NULL,
    began INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    record BLOB NOT NULL,
    UNIQUE (interaction, id)
) STRICT;
CREATE INDEX metrics_by_expiry ON metrics (expires);

-- The running conversations.
CREATE TABLE sessions (
    conversation BLOB NOT NULL UNIQUE,
    expires INTEGER NOT NULL,
    session BLOB NOT NULL
) STRICT;
CREATE INDEX sessions_by_expiry ON sessions (expires);
";

/// Several processes serve the turns of one conversation, agents live in the store, and it says how it is.
const SECOND: &str = "
-- The hour of the last sweep. NULL before the first.
ALTER TABLE store ADD COLUMN swept INTEGER;

-- The running conversations.
CREATE TABLE sessions_with_revisions (
    conversation BLOB NOT NULL UNIQUE,
    expires INTEGER NOT NULL,
    -- When somebody should end the conversation. NULL: never.
    overdue INTEGER,
    -- Random, new with each save.
    revision BLOB NOT NULL,
    session BLOB NOT NULL
) STRICT;
INSERT INTO sessions_with_revisions (conversation, expires, overdue, revision, session)
SELECT conversation, expires, NULL, randomblob(16), session FROM sessions ORDER BY rowid;
DROP TABLE sessions;
ALTER TABLE sessions_with_revisions RENAME TO sessions;
CREATE INDEX sessions_by_expiry ON sessions (expires);
CREATE INDEX sessions_by_overdue ON sessions (overdue, conversation) WHERE overdue IS NOT NULL;

-- The versions of agents. At most one of each agent is current.
CREATE TABLE agents (
    agent BLOB NOT NULL,
    version BLOB NOT NULL,
    component BLOB NOT NULL,
    -- The hour in which it was replaced or withdrawn. NULL: it is current.
    replaced INTEGER,
    record BLOB NOT NULL,
    UNIQUE (agent, version)
) STRICT;
CREATE UNIQUE INDEX agents_current ON agents (agent) WHERE replaced IS NULL;
CREATE INDEX agents_by_component ON agents (component);

-- What they run.
CREATE TABLE components (
    component BLOB NOT NULL UNIQUE,
    bytes BLOB NOT NULL
) STRICT;
";

/// Records are sealed, administrators leave a trail, and a store can be one of several.
const THIRD: &str = "
-- By which keys the records are sealed. NULL: nobody has said so yet. Empty: they were written before there were keys.
ALTER TABLE store ADD COLUMN keys BLOB;
UPDATE store SET keys = X'' WHERE EXISTS (SELECT 1 FROM callers) OR EXISTS (SELECT 1 FROM marks)
    OR EXISTS (SELECT 1 FROM sessions) OR EXISTS (SELECT 1 FROM agents);

-- What administrators did.
CREATE TABLE acts (
    id BLOB NOT NULL UNIQUE,
    at INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    record BLOB NOT NULL
) STRICT;
CREATE INDEX acts_by_time ON acts (at, id);
CREATE INDEX acts_by_expiry ON acts (expires);

-- What a store that is one of several is told to remember.
CREATE TABLE registers (
    key BLOB NOT NULL UNIQUE,
    -- NULL: never.
    expires INTEGER,
    value BLOB NOT NULL
) STRICT;
CREATE INDEX registers_by_expiry ON registers (expires) WHERE expires IS NOT NULL;
";

/// What a SQLite file says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) application: i32,
    pub(super) format: u32,
    /// Whether it has no table.
    pub(super) empty: bool,
}

impl Stamp {
    /// Whether the file is a store in the present format.
    pub(super) fn is_present(&self) -> bool {
        self.application == APPLICATION_ID && self.format == FORMAT
    }
}

/// Reads what a file says of itself.
pub(super) fn stamp(connection: &Connection) -> Attempt<Stamp> {
    let stamp = connection.query_row(
        "SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version),
            NOT EXISTS (SELECT 1 FROM sqlite_schema)",
        [],
        |row| Ok(Stamp { application: row.get(0)?, format: row.get(1)?, empty: row.get(2)? }),
    )?;
    Ok(stamp)
}

/// Brings a file to the present format. The caller holds a write transaction.
pub(super) fn migrate(connection: &Connection, from: u32) -> Attempt<()> {
    for step in STEPS.iter().skip(from as usize) {
        connection.execute_batch(step)?;
    }
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.pragma_update(None, "user_version", FORMAT)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_is_stamped() {
        let connection = Connection::open_in_memory().unwrap();
        assert_eq!(stamp(&connection).unwrap(), Stamp { application: 0, format: 0, empty: true });
        migrate(&connection, 0).unwrap();
        let expected = Stamp { application: APPLICATION_ID, format: 3, empty: false };
        assert_eq!(stamp(&connection).unwrap(), expected);
    }

    #[test]
    fn migrating_what_is_up_to_date_changes_nothing() {
        let connection = Connection::open_in_memory().unwrap();
        migrate(&connection, 0).unwrap();
        migrate(&connection, FORMAT).unwrap();
        assert_eq!(stamp(&connection).unwrap().format, FORMAT);
    }
}
