//! What makes it one of several stores.

use agent_memory_store::{
    ConversationKey, Ended, Erased, Erasure, Erasures, IdentityKey, KeptKey, KeptMark, Register, RegisterKey,
    Registers, Replacement, Shard, StoreError, Timestamp,
};
use async_trait::async_trait;

use crate::{
    PostgresStore, caller,
    columns::Place,
    connections::{Kind, Transaction},
    failure::Attempt,
    marks, registers, sessions,
};

#[async_trait]
impl Registers for PostgresStore {
    async fn register(&self, key: RegisterKey) -> Result<Option<Register>, StoreError> {
        let key = &key;
        self.connections.run(Kind::Read, |connection| async move { registers::read(&connection, key).await }).await
    }

    async fn replace_register(&self, replacement: Replacement) -> Result<Option<Register>, StoreError> {
        let replacement = &replacement;
        self.connections
            .run(Kind::Write, |connection| async move { registers::replace(&connection, replacement).await })
            .await
    }

    async fn put_registers(&self, registers: Vec<(RegisterKey, Register)>) -> Result<(), StoreError> {
        let registers = &registers;
        self.connections
            .run(Kind::LongWrite, |connection| async move {
                let transaction = connection.begin_long().await?;
                registers::put(&transaction, registers).await?;
                transaction.commit().await
            })
            .await
    }

    async fn registers(
        &self,
        after: Option<RegisterKey>,
        limit: usize,
    ) -> Result<Vec<(RegisterKey, Register)>, StoreError> {
        let after = after.as_ref();
        self.connections
            .run(Kind::LongRead, |connection| async move {
                let transaction = connection.snapshot().await?;
                let registers = registers::list(&transaction, after, limit).await?;
                transaction.commit().await?;
                Ok(registers)
            })
            .await
    }
}

#[async_trait]
impl Shard for PostgresStore {
    async fn count_erasure(&self) -> Result<Erasures, StoreError> {
        self.connections.run(Kind::Write, async |connection| caller::count_erasure(&connection).await).await
    }

    async fn erase_as(&self, erasure: Erasure, number: Erasures) -> Result<Erased, StoreError> {
        let erasure = &erasure;
        self.connections
            .run(Kind::LongWrite, |connection| async move {
                let transaction = connection.begin_long().await?;
                let erased = caller::erase_as(&transaction, erasure, number).await?;
                transaction.commit().await?;
                Ok(erased)
            })
            .await
    }

    async fn renumber_erasure(
        &self,
        identity: IdentityKey,
        key: Option<String>,
        from: Erasures,
        to: Erasures,
    ) -> Result<(), StoreError> {
        let key = key.as_deref();
        self.connections
            .run(Kind::Write, |connection| async move { caller::renumber(&connection, &identity, key, from, to).await })
            .await
    }

    async fn mark_unless(&self, mark: KeptMark, now: Timestamp) -> Result<Option<Ended>, StoreError> {
        let mark = &mark;
        self.connections
            .run(Kind::Write, |connection| async move { marks::put_unless(&connection, mark, now).await })
            .await
    }

    async fn overdue_since(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Timestamp, ConversationKey)>, StoreError> {
        self.connections
            .run(Kind::Read, |connection| async move { sessions::overdue(&connection, now, limit).await })
            .await
    }

    async fn remove(&self, keys: Vec<KeptKey>) -> Result<(), StoreError> {
        let keys = &keys;
        self.connections
            .run(Kind::LongWrite, |connection| async move {
                let transaction = connection.begin_long().await?;
                for key in keys {
                    remove(&transaction, key).await?;
                }
                transaction.commit().await
            })
            .await
    }
}

async fn remove(transaction: &Transaction<'_>, key: &KeptKey) -> Attempt<()> {
    let delete = async |table: &str, column: &str, place: Place, key: &[u8]| {
        let sql = format!("DELETE FROM {table}_{:02} WHERE slot = $1 AND {column} = $2", place.partition);
        transaction.execute(&sql, &[&place.slot, &key]).await
    };
    match key {
        KeptKey::Caller(identity) => {
            // Whoever writes fields of a caller locks the caller's row first.
            let place = Place::of_caller(identity);
            delete("callers", "identity", place, &identity.0).await?;
            delete("fields", "identity", place, &identity.0).await?
        }
        KeptKey::Mark(conversation) => {
            delete("marks", "conversation", Place::of_conversation(conversation), &conversation.0).await?
        }
        KeptKey::Row(interaction, id) => {
            let Place { slot, partition } = Place::of_interaction(interaction);
            let sql = format!("DELETE FROM metrics_{partition:02} WHERE slot = $1 AND interaction = $2 AND id = $3");
            transaction.execute(&sql, &[&slot, &interaction.0.as_slice(), &id.0.as_slice()]).await?
        }
        KeptKey::Session(conversation) => {
            delete("sessions", "conversation", Place::of_conversation(conversation), &conversation.0).await?
        }
        KeptKey::Register(key) => transaction.execute("DELETE FROM registers WHERE key = $1", &[&key.0]).await?,
    };
    Ok(())
}
