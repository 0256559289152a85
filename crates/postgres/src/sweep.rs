//! Deleting what has expired, in transactions so small that nobody waits for them.
//!
//! Any number of processes may sweep at once: rows that another has locked are passed over at first, and waited for
//! one by one when nothing else is left. A transaction that waits holds no other row then, so that nobody waits in a
//! circle. The order is for the planner, which cannot know how few of the rows have expired: it is that of an index.

use agent_memory_store::{AGENT_KEPT, IdentityKey, StoreError, Swept, Timestamp};
use futures::future::try_join_all;

use crate::{
    agents,
    caller::{COLUMNS, Caller, FirstField},
    columns::{Place, column, hour_of},
    connections::{Connection, Connections, Kind},
    failure::Attempt,
};

/// How many rows a transaction deletes at most.
const ROWS: i64 = 500;

/// How many callers a transaction looks at. Each may have many fields.
const CALLERS: i64 = 100;

/// Whether rows that others have locked are passed over or waited for.
#[derive(Clone, Copy)]
enum Locked {
    Skip,
    Wait,
}

pub(crate) async fn sweep(connections: &Connections, now: Timestamp) -> Result<Swept, StoreError> {
    let sweep = Sweep { connections, now };
    let mut swept = Swept {
        sessions: sweep.divided("sessions").await?,
        metrics: sweep.divided("metrics").await?,
        ..Swept::default()
    };
    sweep.divided("marks").await?;
    sweep.callers(&mut swept).await?;
    sweep.acts().await?;
    sweep.undivided("registers").await?;
    sweep.agents().await?;
    while sweep.component().await? {}
    sweep.note().await?;
    Ok(swept)
}

struct Sweep<'a> {
    connections: &'a Connections,
    now: Timestamp,
}

impl Sweep<'_> {
    /// Deletes the rows of a divided table that have expired. Answers how many those were.
    async fn divided(&self, table: &str) -> Result<u64, StoreError> {
        let mut deleted = 0;
        while let Some(partition) = self.due(table, "expires").await? {
            deleted += self.undivided(&format!("{table}_{partition:02}")).await?;
        }
        Ok(deleted)
    }

    /// The same of a table that is not divided, or of a partition.
    async fn undivided(&self, table: &str) -> Result<u64, StoreError> {
        let mut deleted = 0;
        let mut locked = Locked::Skip;
        loop {
            let sql = format!(
                "DELETE FROM {table} WHERE ctid = ANY (ARRAY(
                    SELECT ctid FROM {table} WHERE expires <= $1 ORDER BY expires LIMIT $2 FOR UPDATE {}
                ))",
                locked.clause()
            );
            let (sql, limit, now) = (&sql, locked.limit(ROWS), self.now);
            let found = self
                .connections
                .run(Kind::Write, |connection| async move { connection.execute(sql, &[&now, &limit]).await })
                .await?;
            deleted += found;
            match locked {
                _ if found > 0 => locked = Locked::Skip,
                Locked::Skip => locked = Locked::Wait,
                Locked::Wait => return Ok(deleted),
            }
        }
    }

    /// A partition in which something is due.
    async fn due(&self, table: &str, column_name: &str) -> Result<Option<usize>, StoreError> {
        let sql = format!("SELECT slot FROM {table} WHERE {column_name} <= $1 ORDER BY {column_name} LIMIT 1");
        let (sql, now) = (&sql, self.now);
        let find = |connection: Connection| async move {
            let rows = connection.query(sql, &[&now]).await?;
            rows.first().map(|row| Ok(Place::of_slot(column(row, 0)?).partition)).transpose()
        };
        self.connections.run(Kind::Read, find).await
    }

    async fn callers(&self, swept: &mut Swept) -> Result<(), StoreError> {
        while let Some(partition) = self.due("callers", "sweep_at").await? {
            let mut locked = Locked::Skip;
            loop {
                let now = self.now;
                let (found, part) = self
                    .connections
                    .run(
                        Kind::LongWrite,
                        |connection| async move { callers(&connection, partition, locked, now).await },
                    )
                    .await?;
                swept.fields += part.fields;
                swept.interactions += part.interactions;
                swept.identifiers += part.identifiers;
                match locked {
                    _ if found > 0 => locked = Locked::Skip,
                    Locked::Skip => locked = Locked::Wait,
                    Locked::Wait => break,
                }
            }
        }
        Ok(())
    }

    async fn acts(&self) -> Result<(), StoreError> {
        let now = self.now;
        let delete = |connection: Connection| async move {
            connection.execute("DELETE FROM acts WHERE expires <= $1", &[&now]).await
        };
        self.connections.run(Kind::Write, delete).await.map(|_| ())
    }

    /// Versions that no conversation can run on any more.
    async fn agents(&self) -> Result<(), StoreError> {
        let gone = self.now.saturating_sub(AGENT_KEPT);
        let delete = |connection: Connection| async move {
            connection.execute("DELETE FROM agents WHERE replaced <= $1", &[&gone]).await
        };
        self.connections.run(Kind::Write, delete).await.map(|_| ())
    }

    /// A component that no version refers to. It may be large, so that each is a transaction of its own, in which
    /// nobody publishes a version that refers to it.
    async fn component(&self) -> Result<bool, StoreError> {
        const UNUSED: &str = "SELECT component FROM components c
            WHERE NOT EXISTS (SELECT 1 FROM agents a WHERE a.component = c.component) LIMIT 1";
        let find = |connection: Connection| async move { Ok(!connection.query(UNUSED, &[]).await?.is_empty()) };
        if !self.connections.run(Kind::Read, find).await? {
            return Ok(false);
        }
        let delete = |connection: Connection| async move {
            let transaction = connection.begin_long().await?;
            transaction.batch(agents::LOCK).await?;
            let sql = format!("DELETE FROM components WHERE component = ({UNUSED})");
            let deleted = transaction.execute(&sql, &[]).await?;
            transaction.commit().await?;
            Ok(deleted > 0)
        };
        self.connections.run(Kind::LongWrite, delete).await
    }

    /// Remembers when this was.
    async fn note(&self) -> Result<(), StoreError> {
        let hour = hour_of(self.now);
        let note = |connection: Connection| async move {
            connection.execute("UPDATE store SET swept = $1 WHERE swept IS DISTINCT FROM $1", &[&hour]).await
        };
        self.connections.run(Kind::Write, note).await.map(|_| ())
    }
}

/// Sweeps some callers of a partition. Answers how many those were, and what was deleted.
///
/// Every row that is due holds something that has expired, or only seems to; afterwards it is due later, or gone.
async fn callers(connection: &Connection, partition: usize, locked: Locked, now: Timestamp) -> Attempt<(usize, Swept)> {
    let mut swept = Swept::default();
    let transaction = connection.begin_long().await?;
    let sql = format!(
        "SELECT {COLUMNS} FROM callers_{partition:02} WHERE sweep_at <= $1 ORDER BY sweep_at LIMIT $2 FOR UPDATE {}",
        locked.clause()
    );
    let rows = transaction.query(&sql, &[&now, &locked.limit(CALLERS)]).await?;
    let due = rows.iter().map(Caller::from_row).collect::<Attempt<Vec<(IdentityKey, Caller)>>>()?;
    let slots: Vec<i16> = due.iter().map(|(identity, _)| Place::of_caller(identity).slot).collect();
    let identities: Vec<&[u8]> = due.iter().map(|(identity, _)| identity.0.as_slice()).collect();
    let sql = format!(
        "DELETE FROM fields_{partition:02} f USING unnest($1::smallint[], $2::bytea[]) AS due (slot, identity)
        WHERE f.slot = due.slot AND f.identity = due.identity AND f.expires <= $3"
    );
    swept.fields = transaction.execute(&sql, &[&slots, &identities, &now]).await?;
    // One answer for each caller, in their order.
    let sql = format!(
        "SELECT (
            SELECT min(f.expires) FROM fields_{partition:02} f WHERE f.slot = due.slot AND f.identity = due.identity
        )
        FROM unnest($1::smallint[], $2::bytea[]) WITH ORDINALITY AS due (slot, identity, number) ORDER BY due.number"
    );
    let left = transaction.query(&sql, &[&slots, &identities]).await?;
    let found = due.len();
    let mut changed = Vec::new();
    for ((identity, mut caller), row) in due.into_iter().zip(&left) {
        let fields = FirstField(column(row, 0)?);
        caller.sweep(now, fields, &mut swept);
        changed.push((identity, caller, fields));
    }
    // All are sent before the first is answered.
    Caller::prepare_puts(&transaction, partition).await?;
    try_join_all(changed.iter().map(|(identity, caller, fields)| caller.put(&transaction, identity, *fields))).await?;
    transaction.commit().await?;
    Ok((found, swept))
}

impl Locked {
    fn clause(self) -> &'static str {
        match self {
            Self::Skip => "SKIP LOCKED",
            Self::Wait => "",
        }
    }

    /// Who waits holds no other row.
    fn limit(self, most: i64) -> i64 {
        match self {
            Self::Skip => most,
            Self::Wait => 1,
        }
    }
}
