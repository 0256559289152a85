//! Everything out of the tables, in the order of their keys, and into them.

use agent_memory_store::{
    ComponentKey, ConversationKey, Cursor, Dump, Field, IdentityKey, InteractionId, Kept, KeptCaller, KeptRow,
    Revision, RowId, SavedSession, Sealed, Timestamp,
};
use futures::future::try_join_all;
use tokio_postgres::Row;

use crate::{
    acts, agents,
    caller::{COLUMNS, Caller, FirstField},
    columns::{Place, column, count, key, number, only, sealed},
    connections::{Parameter, Transaction},
    failure::Attempt,
    marks,
    read::field,
    statements::Statements,
};

/// How many rows are in a part at most.
const ROWS: i64 = 256;

/// How many things are put in at the same time over one connection.
const AT_ONCE: usize = 64;

/// How many are where a row may be large.
const LARGE_ROWS: i64 = 16;

/// The tables in the order in which they are dumped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Table {
    Callers,
    Marks,
    Metrics,
    Sessions,
    Agents,
    Components,
    Acts,
}

/// Where a part begins: in a table, with the row that comes after a key. A key of two parts has both, the first with
/// its fixed length before the second.
pub(crate) struct Position {
    table: Table,
    slot: i16,
    key: Vec<u8>,
}

impl Position {
    /// Where a cursor leads. None: it is none of ours.
    pub(crate) fn read(cursor: Option<&Cursor>) -> Option<Self> {
        let Some(cursor) = cursor else { return Some(Self::start(Table::Callers)) };
        let ([table, high, low], key) = cursor.0.split_first_chunk()?;
        let table = Table::ALL.into_iter().nth(usize::from(*table))?;
        Some(Self { table, slot: i16::from_be_bytes([*high, *low]), key: key.to_vec() })
    }

    fn start(table: Table) -> Self {
        Self { table, slot: 0, key: Vec::new() }
    }

    fn cursor(self) -> Cursor {
        let [high, low] = self.slot.to_be_bytes();
        Cursor([&[self.table as u8, high, low], self.key.as_slice()].concat())
    }
}

impl Table {
    const ALL: [Self; 7] =
        [Self::Callers, Self::Marks, Self::Metrics, Self::Sessions, Self::Agents, Self::Components, Self::Acts];

    fn next(self) -> Option<Self> {
        Self::ALL.into_iter().nth(self as usize + 1)
    }

    fn rows(self) -> i64 {
        match self {
            Self::Sessions => LARGE_ROWS,
            Self::Components => 1,
            _ => ROWS,
        }
    }
}

/// The transaction is a snapshot.
pub(crate) async fn dump(transaction: &Transaction<'_>, from: &Position) -> Attempt<Dump> {
    let mut kept = Vec::new();
    if from.table == Table::Callers && from.key.is_empty() {
        kept.push(totals(transaction).await?);
    }
    let Position { table, slot, key: after } = from;
    let rows = table.rows();
    let by_slot: [Parameter<'_>; 3] = [slot, after, &rows];
    let by_key: [Parameter<'_>; 2] = [after, &rows];
    let split = |length: usize| after.split_at_checked(length).unwrap_or_default();
    let mut found: Vec<(i16, Vec<u8>, Kept)> = Vec::new();
    match table {
        Table::Callers => {
            let sql = format!(
                "SELECT {COLUMNS} FROM callers WHERE (slot, identity) > ($1, $2) ORDER BY slot, identity LIMIT $3"
            );
            let rows = transaction.query(&sql, &by_slot).await?;
            for caller in callers(transaction, &rows).await? {
                found.push((Place::of_caller(&caller.identity).slot, caller.identity.0.to_vec(), Kept::Caller(caller)));
            }
        }
        Table::Marks => {
            let sql = format!(
                "SELECT {} FROM marks WHERE (slot, conversation) > ($1, $2) ORDER BY slot, conversation LIMIT $3",
                marks::COLUMNS
            );
            for row in &transaction.query(&sql, &by_slot).await? {
                found.push((column(row, 0)?, column(row, 1)?, Kept::Mark(marks::mark_row(row)?)));
            }
        }
        Table::Metrics => {
            let sql = "SELECT slot, interaction || id, interaction, id, began, expires, details, first,
                    standing_began, standing_record
                FROM metrics WHERE (slot, interaction, id) > ($1, $2, $3) ORDER BY slot, interaction, id LIMIT $4";
            let (interaction, id) = split(16);
            for row in &transaction.query(sql, &[slot, &interaction, &id, &rows]).await? {
                found.push((column(row, 0)?, column(row, 1)?, Kept::Row(metric_row(row)?)));
            }
        }
        Table::Sessions => {
            let sql = "SELECT slot, conversation, expires, overdue, revision, session
                FROM sessions WHERE (slot, conversation) > ($1, $2) ORDER BY slot, conversation LIMIT $3";
            for row in &transaction.query(sql, &by_slot).await? {
                found.push((column(row, 0)?, column(row, 1)?, Kept::Session(session(row)?)));
            }
        }
        Table::Agents => {
            let sql = format!(
                "SELECT {}, replaced, agent || version FROM agents WHERE (agent, version) > ($1, $2)
                ORDER BY agent, version LIMIT $3",
                agents::COLUMNS
            );
            let (agent, version) = split(32);
            for row in &transaction.query(&sql, &[&agent, &version, &rows]).await? {
                let kept = Kept::Agent { version: agents::version_row(row)?, replaced: column(row, 4)? };
                found.push((0, column(row, 5)?, kept));
            }
        }
        Table::Components => {
            let sql = "SELECT component, bytes FROM components WHERE component > $1 ORDER BY component LIMIT $2";
            for row in &transaction.query(sql, &by_key).await? {
                let kept = Kept::Component { key: ComponentKey(key(row, 0)?), bytes: column(row, 1)? };
                found.push((0, column(row, 0)?, kept));
            }
        }
        Table::Acts => {
            let sql = "SELECT id, at, expires, record FROM acts WHERE id > $1 ORDER BY id LIMIT $2";
            for row in &transaction.query(sql, &by_key).await? {
                found.push((0, column(row, 0)?, Kept::Act(acts::act(row)?)));
            }
        }
    }
    let is_full = i64::try_from(found.len()).is_ok_and(|found| found == rows);
    let next = match found.last() {
        Some((slot, key, _)) if is_full => Some(Position { table: *table, slot: *slot, key: key.clone() }),
        _ => table.next().map(Position::start),
    };
    kept.extend(found.into_iter().map(|(_, _, kept)| kept));
    Ok(Dump { kept, next: next.map(Position::cursor) })
}

async fn totals(transaction: &Transaction<'_>) -> Attempt<Kept> {
    let rows = transaction.query("SELECT erasures, keys, swept FROM store", &[]).await?;
    let row = only(&rows)?;
    let keys: Option<Vec<u8>> = column(row, 1)?;
    Ok(Kept::Totals { erasures: count(row, 0)?, keys: keys.map(Sealed), swept: column(row, 2)? })
}

/// Callers with their fields.
async fn callers(transaction: &Transaction<'_>, rows: &[Row]) -> Attempt<Vec<KeptCaller>> {
    let callers = rows.iter().map(Caller::from_row).collect::<Attempt<Vec<_>>>()?;
    let slots: Vec<i16> = callers.iter().map(|(identity, _)| Place::of_caller(identity).slot).collect();
    let identities: Vec<&[u8]> = callers.iter().map(|(identity, _)| identity.0.as_slice()).collect();
    let sql = "SELECT wanted.number, f.key, f.written, f.expires, f.value
        FROM unnest($1::smallint[], $2::bytea[]) WITH ORDINALITY AS wanted (slot, identity, number)
        JOIN fields f ON f.slot = wanted.slot AND f.identity = wanted.identity
        ORDER BY wanted.number, f.key";
    let rows = transaction.query(sql, &[&slots, &identities]).await?;
    let mut fields = rows.iter().peekable();
    let mut kept = Vec::new();
    for (number, (identity, caller)) in (1..).zip(callers) {
        let mut of_caller = Vec::new();
        while let Some(row) = fields.next_if(|row| column(row, 0).is_ok_and(|of: i64| of == number)) {
            of_caller.push(field(row, 1)?);
        }
        kept.push(caller.into_kept(identity, of_caller));
    }
    Ok(kept)
}

fn metric_row(row: &Row) -> Attempt<KeptRow> {
    Ok(KeptRow {
        interaction: InteractionId(key(row, 2)?),
        id: RowId(key(row, 3)?),
        began: column(row, 4)?,
        expires: column(row, 5)?,
        details: sealed(row, 6)?,
        first: column(row, 7)?,
        standing_began: column(row, 8)?,
        standing_record: sealed(row, 9)?,
    })
}

fn session(row: &Row) -> Attempt<SavedSession> {
    Ok(SavedSession {
        conversation: ConversationKey(key(row, 1)?),
        expires: column(row, 2)?,
        overdue: column(row, 3)?,
        revision: Revision(key(row, 4)?),
        session: sealed(row, 5)?,
    })
}

/// Puts things in, each in place of what is there under the same key. No two of them have the same key.
pub(crate) async fn restore(transaction: &Transaction<'_>, statements: &Statements, kept: &[Kept]) -> Attempt<()> {
    for some in kept.chunks(AT_ONCE) {
        // What is asked of a connection at the same time goes to the server in one stream, without waiting in between.
        let mut restored = Vec::with_capacity(some.len());
        for kept in some {
            restored.push(restore_one(transaction, statements, kept));
        }
        try_join_all(restored).await?;
    }
    Ok(())
}

async fn restore_one(transaction: &Transaction<'_>, statements: &Statements, kept: &Kept) -> Attempt<()> {
    match kept {
        Kept::Totals { erasures, keys, swept } => {
            let sql = "UPDATE store SET erasures = greatest(erasures, $1), keys = coalesce(keys, $2),
                swept = greatest(swept, $3)";
            let keys = keys.as_ref().map(|keys| keys.0.as_slice());
            transaction.execute(sql, &[&number(*erasures), &keys, swept]).await?;
        }
        Kept::Caller(caller) => {
            let identity = caller.identity;
            let (caller, fields) = Caller::from_kept(caller.clone());
            let first = FirstField(fields.iter().map(|field| field.expires).min());
            caller.put(transaction, &identity, first).await?;
            restore_fields(transaction, &identity, &fields).await?;
        }
        Kept::Mark(mark) => marks::put(transaction, mark).await?,
        Kept::Row(row) => restore_row(transaction, row).await?,
        Kept::Session(SavedSession { conversation, expires, overdue, revision, session }) => {
            let place = Place::of_conversation(conversation);
            let parameters: [Parameter<'_>; 6] =
                [&place.slot, &conversation.0.as_slice(), expires, overdue, &revision.0.as_slice(), &session.0];
            transaction.execute(statements.save_session.get(place.partition), &parameters).await?;
        }
        Kept::Agent { version, replaced } => agents::restore(transaction, version, *replaced).await?,
        Kept::Component { key, bytes } => agents::put_component(transaction, key, bytes).await?,
        Kept::Act(act) => {
            let parameters: [Parameter<'_>; 4] = [&act.id.0.as_slice(), &act.at, &act.expires, &act.record.0];
            transaction.execute(acts::RECORD, &parameters).await?;
        }
    }
    Ok(())
}

async fn restore_fields(transaction: &Transaction<'_>, identity: &IdentityKey, fields: &[Field]) -> Attempt<()> {
    let Place { slot, partition } = Place::of_caller(identity);
    let identity = identity.0.as_slice();
    let sql = format!("DELETE FROM fields_{partition:02} WHERE slot = $1 AND identity = $2");
    transaction.execute(&sql, &[&slot, &identity]).await?;
    let keys: Vec<&[u8]> = fields.iter().map(|field| field.key.as_bytes()).collect();
    let written: Vec<Timestamp> = fields.iter().map(|field| field.written).collect();
    let expires: Vec<Timestamp> = fields.iter().map(|field| field.expires).collect();
    let values: Vec<&[u8]> = fields.iter().map(|field| field.value.0.as_slice()).collect();
    let sql = format!(
        "INSERT INTO fields_{partition:02} (slot, identity, key, written, expires, value)
        SELECT $1::smallint, $2::bytea, f.key, f.written, f.expires, f.value
        FROM unnest($3::bytea[], $4::bigint[], $5::bigint[], $6::bytea[]) AS f (key, written, expires, value)"
    );
    transaction.execute(&sql, &[&slot, &identity, &keys, &written, &expires, &values]).await?;
    Ok(())
}

async fn restore_row(transaction: &Transaction<'_>, row: &KeptRow) -> Attempt<()> {
    let parameters: [Parameter<'_>; 9] = [
        &Place::of_interaction(&row.interaction).slot,
        &row.interaction.0.as_slice(),
        &row.id.0.as_slice(),
        &row.began,
        &row.expires,
        &row.details.0,
        &row.first,
        &row.standing_began,
        &row.standing_record.0,
    ];
    let sql = "INSERT INTO metrics
            (slot, interaction, id, began, expires, details, first, standing_began, standing_record)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (slot, interaction, id) DO UPDATE
        SET began = excluded.began, expires = excluded.expires, details = excluded.details, first = excluded.first,
            standing_began = excluded.standing_began, standing_record = excluded.standing_record";
    transaction.execute(sql, &parameters).await?;
    Ok(())
}
