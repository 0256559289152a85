//! What makes it one of several stores.

use std::ops::Bound;

use async_trait::async_trait;

use super::{Mark, MemoryStore};
use crate::{
    ConversationKey, Ended, Erased, Erasure, Erasures, IdentityKey, KeptKey, KeptMark, Register, RegisterKey,
    Registers, Replacement, Shard, StoreError, Timestamp,
};

#[async_trait]
impl Registers for MemoryStore {
    async fn register(&self, key: RegisterKey) -> Result<Option<Register>, StoreError> {
        Ok(self.state().registers.get(&key).cloned())
    }

    async fn replace_register(&self, replacement: Replacement) -> Result<Option<Register>, StoreError> {
        let Replacement { key, from, to, ends } = replacement;
        let mut state = self.state();
        let there = state.registers.get(&key).cloned();
        if there != from {
            return Ok(there);
        }
        state.registers.insert(key, to.clone());
        if let Some(conversation) = ends {
            state.sessions.remove(&conversation);
        }
        Ok(Some(to))
    }

    async fn put_registers(&self, registers: Vec<(RegisterKey, Register)>) -> Result<(), StoreError> {
        self.state().registers.extend(registers);
        Ok(())
    }

    async fn registers(
        &self,
        after: Option<RegisterKey>,
        limit: usize,
    ) -> Result<Vec<(RegisterKey, Register)>, StoreError> {
        let state = self.state();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let found = state.registers.range((from, Bound::Unbounded)).take(limit);
        Ok(found.map(|(key, register)| (key.clone(), register.clone())).collect())
    }
}

#[async_trait]
impl Shard for MemoryStore {
    async fn count_erasure(&self) -> Result<Erasures, StoreError> {
        Ok(self.state().count_erasure())
    }

    async fn erase_as(&self, erasure: Erasure, number: Erasures) -> Result<Erased, StoreError> {
        Ok(self.state().erase(erasure, number))
    }

    async fn renumber_erasure(
        &self,
        identity: IdentityKey,
        key: Option<String>,
        from: Erasures,
        to: Erasures,
    ) -> Result<(), StoreError> {
        let mut state = self.state();
        let remembered = state.callers.get_mut(&identity).and_then(|caller| match key {
            Some(key) => caller.erased_keys.get_mut(&key),
            None => caller.erased.as_mut(),
        });
        if let Some(remembered) = remembered.filter(|remembered| remembered.number == from) {
            remembered.number = to;
        }
        Ok(())
    }

    async fn mark_unless(&self, mark: KeptMark, now: Timestamp) -> Result<Option<Ended>, StoreError> {
        let mut state = self.state();
        let standing = state.ended(mark.conversation, now);
        if standing.is_none() {
            let KeptMark { conversation, expires, recorded } = mark;
            state.marks.insert(conversation, Mark { expires, recorded });
        }
        Ok(standing)
    }

    async fn overdue_since(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Timestamp, ConversationKey)>, StoreError> {
        Ok(self.state().overdue(now, limit))
    }

    async fn remove(&self, keys: Vec<KeptKey>) -> Result<(), StoreError> {
        let mut state = self.state();
        for key in keys {
            match key {
                KeptKey::Caller(identity) => drop(state.callers.remove(&identity)),
                KeptKey::Mark(conversation) => drop(state.marks.remove(&conversation)),
                KeptKey::Row(interaction, id) => drop(state.rows.remove(&(interaction, id))),
                KeptKey::Session(conversation) => drop(state.sessions.remove(&conversation)),
                KeptKey::Register(key) => drop(state.registers.remove(&key)),
            }
        }
        Ok(())
    }
}
