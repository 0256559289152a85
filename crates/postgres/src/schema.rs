//! The tables, and how older ones become the present ones. `docs/postgres.md` has the picture.

use std::fmt::Write;

use agent_memory_store::StoreError;

use crate::{
    connections::{Connection, Connections, Kind, Transaction},
    failure::{Attempt, Failure, too_new},
};

/// Into how many partitions each of the large tables is divided.
pub(crate) const PARTITIONS: usize = 16;

/// How many slots there are. A caller's and a conversation's slot is the first 12 bits of its key.
pub(crate) const SLOTS: usize = 4096;

/// The newest format known: how many of the steps the tables have been through. A step that was released is never
/// changed.
pub(crate) const FORMAT: u32 = 1;

/// The oldest server that will do, as it numbers itself: it divides what changes many partitions as it divides reads.
const OLDEST: i32 = 140_000;

/// Those who make or change tables do so one after the other.
const LOCK: i64 = 0x4167_4d65_6d6f_7279;

/// A table that is divided by slots.
struct Divided {
    name: &'static str,
    columns: &'static str,
    /// Columns whose contents look random: to try to compress them costs time for nothing.
    sealed: &'static [&'static str],
    /// How full pages are made, in percent. What is left lets a changed row stay on its page, and its index as it is.
    fill: u8,
}

const FIRST: [Divided; 5] = [
    Divided {
        name: "callers",
        columns: "
            slot smallint NOT NULL,
            identity bytea NOT NULL,
            -- No later than the first hour at which something of the caller's expires.
            sweep_at bigint NOT NULL,
            -- NULL: only erasures are remembered.
            identifier bytea,
            -- When the last of the caller's marks expires.
            marks_until bigint,
            -- The first interaction.
            interaction bytea,
            began bigint,
            expires bigint,
            record bytea,
            -- Whether the last commit has inserted it.
            inserted boolean NOT NULL,
            -- The interactions that another took the place of, and when they expire, as 16 and 8 bytes.
            former bytea[],
            -- The last erasure of the caller, and of keys.
            erased_number bigint,
            erased_until bigint,
            erased_keys bytea[],
            erased_numbers bigint[],
            erased_untils bigint[],
            PRIMARY KEY (slot, identity)",
        sealed: &["identifier", "record"],
        fill: 75,
    },
    Divided {
        name: "fields",
        columns: "
            slot smallint NOT NULL,
            identity bytea NOT NULL,
            key bytea NOT NULL,
            written bigint NOT NULL,
            expires bigint NOT NULL,
            value bytea NOT NULL,
            PRIMARY KEY (slot, identity, key)",
        sealed: &["value"],
        fill: 75,
    },
    Divided {
        name: "marks",
        columns: "
            -- The conversation's.
            slot smallint NOT NULL,
            conversation bytea NOT NULL,
            expires bigint NOT NULL,
            -- This and all that follows is NULL after the caller was erased.
            identity bytea,
            report bytea,
            erased_keys bytea[],
            first boolean,
            -- The metric row that has the interaction that stood.
            interaction bytea,
            row_id bytea,
            PRIMARY KEY (slot, conversation)",
        sealed: &["report"],
        fill: 95,
    },
    Divided {
        name: "metrics",
        columns: "
            -- The interaction's.
            slot smallint NOT NULL,
            interaction bytea NOT NULL,
            id bytea NOT NULL,
            began bigint NOT NULL,
            expires bigint NOT NULL,
            details bytea NOT NULL,
            first boolean NOT NULL,
            standing_began bigint NOT NULL,
            standing_record bytea NOT NULL,
            PRIMARY KEY (slot, interaction, id)",
        sealed: &["details", "standing_record"],
        fill: 100,
    },
    Divided {
        name: "sessions",
        columns: "
            -- The conversation's.
            slot smallint NOT NULL,
            conversation bytea NOT NULL,
            expires bigint NOT NULL,
            -- When somebody should end the conversation. NULL: never.
            overdue bigint,
            revision bytea NOT NULL,
            session bytea NOT NULL,
            PRIMARY KEY (slot, conversation)",
        sealed: &["session"],
        fill: 70,
    },
];

const FIRST_INDEXES: &str = "
CREATE INDEX callers_by_sweep ON callers (sweep_at);
CREATE INDEX marks_by_identity ON marks (identity) WHERE identity IS NOT NULL;
CREATE INDEX marks_by_expiry ON marks (expires);
CREATE INDEX metrics_by_expiry ON metrics (expires);
CREATE INDEX sessions_by_expiry ON sessions (expires);
CREATE INDEX sessions_by_overdue ON sessions (overdue, conversation) WHERE overdue IS NOT NULL;
";

const FIRST_UNDIVIDED: &str = "
-- One row.
CREATE TABLE store (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    format integer NOT NULL,
    -- How many erasures there were. It only grows.
    erasures bigint NOT NULL DEFAULT 0,
    -- By which keys the records are sealed. NULL: nobody has said so yet.
    keys bytea,
    -- The hour of the last sweep. NULL before the first.
    swept bigint
);
INSERT INTO store (format) VALUES (0);

-- The versions of agents. At most one of each agent is current.
CREATE TABLE agents (
    agent bytea NOT NULL,
    version bytea NOT NULL,
    component bytea NOT NULL,
    -- The hour in which it was replaced or withdrawn. NULL: it is current.
    replaced bigint,
    record bytea NOT NULL,
    PRIMARY KEY (agent, version)
);
CREATE UNIQUE INDEX agents_current ON agents (agent) WHERE replaced IS NULL;
CREATE INDEX agents_by_component ON agents (component);

-- What they run.
CREATE TABLE components (
    component bytea PRIMARY KEY,
    bytes bytea NOT NULL
);

-- What administrators did.
CREATE TABLE acts (
    id bytea PRIMARY KEY,
    at bigint NOT NULL,
    expires bigint NOT NULL,
    record bytea NOT NULL
);
CREATE INDEX acts_by_time ON acts (at, id);
CREATE INDEX acts_by_expiry ON acts (expires);

-- What the store remembers as one of several.
CREATE TABLE registers (
    key bytea PRIMARY KEY,
    -- NULL: never.
    expires bigint,
    value bytea NOT NULL
);
CREATE INDEX registers_by_expiry ON registers (expires) WHERE expires IS NOT NULL;
";

/// Makes sure that the tables are there, in the present format.
pub(crate) async fn prepare(connections: &Connections, create: bool) -> Result<(), StoreError> {
    let found = connections.run(Kind::Read, async |connection| format(&connection, connections).await).await?;
    match found {
        Some(FORMAT) => Ok(()),
        Some(found) if found > FORMAT => Err(too_new(connections.place(), found, FORMAT)),
        None if !create => Err(StoreError::Unavailable {
            place: connections.place().to_owned(),
            reason: "the database has no store in this schema: create one, or name another".to_owned(),
        }),
        Some(_) | None => {
            connections.run(Kind::LongWrite, async |connection| migrate(&connection, connections).await).await
        }
    }
}

/// The format of the tables. None: there are none.
async fn format(connection: &Connection, connections: &Connections) -> Attempt<Option<u32>> {
    let rows = connection
        .query(
            "SELECT current_setting('server_version_num')::integer, EXISTS (
                SELECT 1 FROM information_schema.tables WHERE table_schema = $1 AND table_name = 'store'
            ), current_schema()",
            &[&connections.settings().schema],
        )
        .await?;
    let row = rows.first().ok_or(Failure::Damaged("the server does not say what is there"))?;
    let version: i32 = row.get(0);
    if version < OLDEST {
        return Err(Failure::Refused(StoreError::UnsuitableServer {
            place: connections.place().to_owned(),
            reason: format!("it is PostgreSQL {}, and {} or newer is needed", version / 10_000, OLDEST / 10_000),
        }));
    }
    if !row.get::<_, bool>(1) {
        return Ok(None);
    }
    is_used(row.get(2), connections)?;
    let rows = connection.query("SELECT format FROM store", &[]).await?;
    stored_format(rows.first()).map(Some)
}

/// Checks that what names no schema is looked for in the store's. The connection has asked for that; but a pooler may
/// not have handed it on, and then tables would be made and read wherever the server likes.
fn is_used(current_schema: Option<&str>, connections: &Connections) -> Attempt<()> {
    let schema = connections.settings().schema.as_str();
    if current_schema == Some(schema) {
        return Ok(());
    }
    Err(Failure::Refused(StoreError::Unavailable {
        place: connections.place().to_owned(),
        reason: format!(
            "its sessions do not use the schema `{schema}`: let its user use that, and if there is a pooler, let that \
             hand on the parameter `options`, or give the user's role the `search_path`"
        ),
    }))
}

fn stored_format(row: Option<&tokio_postgres::Row>) -> Attempt<u32> {
    let row = row.ok_or(Failure::Damaged("it has no format"))?;
    u32::try_from(row.get::<_, i32>(0)).map_err(|_| Failure::Damaged("its format is no number"))
}

/// Makes the tables, or changes those of an older version. Of several that try at once one does, and the others find
/// it done.
async fn migrate(connection: &Connection, connections: &Connections) -> Attempt<()> {
    let schema = &connections.settings().schema;
    let transaction = connection.begin_long().await?;
    transaction.query("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
    // Whoever had the lock before may have done it.
    let there = transaction
        .query("SELECT 1 FROM information_schema.tables WHERE table_schema = $1 AND table_name = 'store'", &[schema])
        .await?;
    let found = match there.first() {
        Some(_) => stored_format(transaction.query("SELECT format FROM store", &[]).await?.first())?,
        None => {
            // It may have been made by somebody who may do more.
            let there = transaction.query("SELECT 1 FROM pg_namespace WHERE nspname = $1", &[schema]).await?;
            if there.is_empty() {
                transaction.batch(&format!("CREATE SCHEMA {schema}")).await?;
            }
            0
        }
    };
    let rows = transaction.query("SELECT current_schema()", &[]).await?;
    is_used(rows.first().and_then(|row| row.get(0)), connections)?;
    if found > FORMAT {
        return Err(Failure::Refused(too_new(connections.place(), found, FORMAT)));
    }
    if found < 1 {
        first(&transaction).await?;
    }
    transaction.batch(&format!("UPDATE store SET format = {FORMAT}")).await?;
    transaction.commit().await
}

async fn first(transaction: &Transaction<'_>) -> Attempt<()> {
    let mut sql = FIRST_UNDIVIDED.to_owned();
    let width = SLOTS / PARTITIONS;
    for Divided { name, columns, sealed, fill } in FIRST {
        // Writing to a string cannot fail.
        let _ = writeln!(sql, "CREATE TABLE {name} ({columns}) PARTITION BY RANGE (slot);");
        for column in sealed {
            let _ = writeln!(sql, "ALTER TABLE {name} ALTER COLUMN {column} SET STORAGE EXTERNAL;");
        }
        for partition in 0..PARTITIONS {
            let (from, to) = (partition * width, (partition + 1) * width);
            let _ = writeln!(
                sql,
                "CREATE TABLE {name}_{partition:02} PARTITION OF {name} FOR VALUES FROM ({from}) TO ({to}) \
                 WITH (fillfactor = {fill});"
            );
        }
    }
    sql.push_str(FIRST_INDEXES);
    transaction.batch(&sql).await
}
