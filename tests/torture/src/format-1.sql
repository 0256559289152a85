-- The layout of format 1, as it was released.
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
PRAGMA application_id = 0x41674d65;
PRAGMA user_version = 1;
PRAGMA journal_mode = WAL;
