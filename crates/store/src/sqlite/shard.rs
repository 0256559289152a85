//! What makes it one of several stores.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, params, types::Value};

use super::{SqliteStore, failure::Attempt, read, sessions, write};
use crate::{
    ConversationKey, Ended, Erased, Erasure, Erasures, IdentityKey, KeptKey, KeptMark, Register, RegisterKey,
    Registers, Replacement, Shard, StoreError, Timestamp,
};

#[async_trait]
impl Registers for SqliteStore {
    async fn register(&self, key: RegisterKey) -> Result<Option<Register>, StoreError> {
        self.readers.read(|connection| register(connection, &key))
    }

    async fn replace_register(&self, replacement: Replacement) -> Result<Option<Register>, StoreError> {
        self.writer.write(move |connection| replace_register(connection, replacement)).await
    }

    async fn put_registers(&self, registers: Vec<(RegisterKey, Register)>) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| registers.iter().try_for_each(|(key, register)| put(connection, key, register)))
            .await
    }

    async fn registers(
        &self,
        after: Option<RegisterKey>,
        limit: usize,
    ) -> Result<Vec<(RegisterKey, Register)>, StoreError> {
        self.long_reads.read(move |connection| registers(connection, after, limit)).await
    }
}

#[async_trait]
impl Shard for SqliteStore {
    async fn count_erasure(&self) -> Result<Erasures, StoreError> {
        self.writer.write(write::count_erasure).await
    }

    async fn erase_as(&self, erasure: Erasure, number: Erasures) -> Result<Erased, StoreError> {
        self.writer.delete(move |connection| write::erase_as(connection, erasure, number)).await
    }

    async fn renumber_erasure(
        &self,
        identity: IdentityKey,
        key: Option<String>,
        from: Erasures,
        to: Erasures,
    ) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                let Some(mut caller) = read::caller(connection, &identity)? else { return Ok(()) };
                if caller.renumber(key.as_deref(), from, to) {
                    write::put_caller(connection, &identity, &caller)?;
                }
                Ok(())
            })
            .await
    }

    async fn mark_unless(&self, mark: KeptMark, now: Timestamp) -> Result<Option<Ended>, StoreError> {
        self.writer
            .write(move |connection| {
                let standing = read::ended(connection, &mark.conversation, now)?;
                if standing.is_none() {
                    let recorded = mark.recorded.as_ref().map(|(identity, record)| (identity, record));
                    write::put_mark(connection, &mark.conversation, mark.expires, recorded)?;
                }
                Ok(standing)
            })
            .await
    }

    async fn overdue_since(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Timestamp, ConversationKey)>, StoreError> {
        self.long_reads.read(move |connection| sessions::overdue(connection, now, limit)).await
    }

    async fn remove(&self, keys: Vec<KeptKey>) -> Result<(), StoreError> {
        self.writer.write(move |connection| keys.iter().try_for_each(|key| remove(connection, key))).await
    }
}

fn register(connection: &Connection, key: &RegisterKey) -> Attempt<Option<Register>> {
    let mut statement = connection.prepare_cached("SELECT value, expires FROM registers WHERE key = ?1")?;
    let found = statement.query_row([&key.0], |row| columns(row, 0)).optional()?;
    Ok(found)
}

fn columns(row: &Row<'_>, from: usize) -> rusqlite::Result<Register> {
    Ok(Register { value: row.get(from)?, expires: row.get(from + 1)? })
}

/// Runs within a savepoint of the writer's transaction.
fn replace_register(connection: &Connection, replacement: Replacement) -> Attempt<Option<Register>> {
    let Replacement { key, from, to, ends } = replacement;
    let there = register(connection, &key)?;
    if there != from {
        return Ok(there);
    }
    put(connection, &key, &to)?;
    if let Some(conversation) = ends {
        sessions::delete(connection, &conversation)?;
    }
    Ok(Some(to))
}

/// Runs within a savepoint of the writer's transaction.
fn put(connection: &Connection, key: &RegisterKey, register: &Register) -> Attempt<()> {
    connection
        .prepare_cached(
            "INSERT INTO registers (key, expires, value) VALUES (?1, ?2, ?3)
            ON CONFLICT (key) DO UPDATE SET expires = excluded.expires, value = excluded.value",
        )?
        .execute(params![key.0, register.expires, register.value])?;
    Ok(())
}

/// One statement, which is one snapshot.
fn registers(
    connection: &Connection,
    after: Option<RegisterKey>,
    limit: usize,
) -> Attempt<Vec<(RegisterKey, Register)>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    // Every key comes after this number: blobs come after all numbers.
    let after = after.map_or(Value::Integer(0), |after| Value::Blob(after.0));
    let mut statement =
        connection.prepare_cached("SELECT key, value, expires FROM registers WHERE key > ?1 ORDER BY key LIMIT ?2")?;
    let found = statement.query_map(params![after, limit], |row| Ok((RegisterKey(row.get(0)?), columns(row, 1)?)))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Runs within a savepoint of the writer's transaction.
fn remove(connection: &Connection, key: &KeptKey) -> Attempt<()> {
    let delete = |table_and_key: &str| connection.prepare_cached(&format!("DELETE FROM {table_and_key} = ?1"));
    match key {
        KeptKey::Caller(identity) => delete("callers WHERE identity")?.execute([identity.0])?,
        KeptKey::Mark(conversation) => delete("marks WHERE conversation")?.execute([conversation.0])?,
        KeptKey::Row(interaction, id) => connection
            .prepare_cached("DELETE FROM metrics WHERE interaction = ?1 AND id = ?2")?
            .execute(params![interaction.0, id.0])?,
        KeptKey::Session(conversation) => delete("sessions WHERE conversation")?.execute([conversation.0])?,
        KeptKey::Register(key) => delete("registers WHERE key")?.execute([&key.0])?,
    };
    Ok(())
}
