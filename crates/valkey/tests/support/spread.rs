//! A store whose keys are as spread as real ones.
//!
//! The keys of the conformance suite differ in their middle, so that all callers would share a bucket. Here each number
//! has a bucket of its own, in the same order.

use std::sync::Arc;

use agent_memory_store::{
    Act, ActId, AgentKey, AgentVersion, Agents, Amendment, Audit, Backend, Commit, Committed, ComponentKey,
    ConversationKey, Cursor, Dump, Ended, Erased, Erasure, Health, Held, IdentityKey, Kept, Loaded, MetricRow,
    Published, Read, Replaces, SavedSession, Sealed, Sessions, Store, StoreError, StoredSession, Swept, Timestamp,
    Transfer, VersionKey,
};
use async_trait::async_trait;

pub(crate) struct Spread(pub(crate) Arc<dyn Backend>);

/// How much is added to the first two bytes: 16 for each number, which is one bucket.
fn offset(key: &[u8; 32]) -> u16 {
    let number = u64::from_be_bytes(key[8..16].try_into().unwrap());
    16 * number.min(2000) as u16
}

fn moved(key: &mut [u8; 32], by: impl Fn(u16, u16) -> u16) {
    let first = by(u16::from_be_bytes([key[0], key[1]]), offset(key));
    key[..2].copy_from_slice(&first.to_be_bytes());
}

fn there(key: &mut [u8; 32]) {
    moved(key, u16::wrapping_add);
}

fn back(key: &mut [u8; 32]) {
    moved(key, u16::wrapping_sub);
}

fn identity(mut identity: IdentityKey) -> IdentityKey {
    there(&mut identity.0);
    identity
}

fn conversation(mut conversation: ConversationKey) -> ConversationKey {
    there(&mut conversation.0);
    conversation
}

fn ended(mut ended: Ended) -> Ended {
    if let Some(recorded) = &mut ended.recorded {
        back(&mut recorded.identity.0);
    }
    ended
}

/// Moves the keys of something that is moved from store to store.
fn kept(mut kept: Kept, by: fn(&mut [u8; 32])) -> Kept {
    match &mut kept {
        Kept::Caller(caller) => by(&mut caller.identity.0),
        Kept::Mark(mark) => {
            by(&mut mark.conversation.0);
            if let Some((identity, _)) = &mut mark.recorded {
                by(&mut identity.0);
            }
        }
        Kept::Session(session) => by(&mut session.conversation.0),
        _ => {}
    }
    kept
}

#[async_trait]
impl Store for Spread {
    async fn load(&self, read: Read) -> Result<Loaded, StoreError> {
        let identity = read.identity.map(identity);
        let conversation = read.conversation.map(conversation);
        self.0.load(Read { identity, conversation, ..read }).await
    }

    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        let identity = identity(commit.identity);
        let conversation = conversation(commit.conversation);
        Ok(match self.0.commit(Commit { identity, conversation, ..commit }).await? {
            Committed::Before(before) => Committed::Before(ended(before)),
            now => now,
        })
    }

    async fn ended(&self, key: ConversationKey, now: Timestamp) -> Result<Option<Ended>, StoreError> {
        Ok(self.0.ended(conversation(key), now).await?.map(ended))
    }

    async fn amend(&self, amendment: Amendment) -> Result<bool, StoreError> {
        self.0.amend(Amendment { identity: identity(amendment.identity), ..amendment }).await
    }

    async fn erase(&self, erasure: Erasure) -> Result<Erased, StoreError> {
        self.0.erase(Erasure { identity: identity(erasure.identity), ..erasure }).await
    }

    async fn export(&self, key: IdentityKey, now: Timestamp) -> Result<Held, StoreError> {
        let mut held = self.0.export(identity(key), now).await?;
        for (conversation, recorded) in &mut held.conversations {
            back(&mut conversation.0);
            back(&mut recorded.identity.0);
        }
        Ok(held)
    }

    async fn identities(
        &self,
        after: Option<IdentityKey>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<IdentityKey>, StoreError> {
        let mut found = self.0.identities(after.map(identity), limit, now).await?;
        found.iter_mut().for_each(|identity| back(&mut identity.0));
        Ok(found)
    }

    async fn sweep(&self, now: Timestamp) -> Result<Swept, StoreError> {
        self.0.sweep(now).await
    }

    async fn metric_rows(&self, now: Timestamp) -> Result<Vec<MetricRow>, StoreError> {
        self.0.metric_rows(now).await
    }

    async fn health(&self, now: Timestamp) -> Result<Health, StoreError> {
        self.0.health(now).await
    }

    async fn claim(&self, keys: Sealed) -> Result<Sealed, StoreError> {
        self.0.claim(keys).await
    }
}

#[async_trait]
impl Sessions for Spread {
    async fn save_session(
        &self,
        session: SavedSession,
        replaces: Replaces,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let conversation = conversation(session.conversation);
        self.0.save_session(SavedSession { conversation, ..session }, replaces, now).await
    }

    async fn load_session(&self, key: ConversationKey, now: Timestamp) -> Result<Option<StoredSession>, StoreError> {
        self.0.load_session(conversation(key), now).await
    }

    async fn delete_session(&self, key: ConversationKey) -> Result<(), StoreError> {
        self.0.delete_session(conversation(key)).await
    }

    async fn overdue_sessions(&self, now: Timestamp, limit: usize) -> Result<Vec<ConversationKey>, StoreError> {
        let mut found = self.0.overdue_sessions(now, limit).await?;
        found.iter_mut().for_each(|conversation| back(&mut conversation.0));
        Ok(found)
    }
}

#[async_trait]
impl Agents for Spread {
    async fn publish_agent(
        &self,
        version: AgentVersion,
        bytes: Option<Vec<u8>>,
        now: Timestamp,
    ) -> Result<Published, StoreError> {
        self.0.publish_agent(version, bytes, now).await
    }

    async fn agents(&self) -> Result<Vec<AgentVersion>, StoreError> {
        self.0.agents().await
    }

    async fn agent_version(&self, agent: AgentKey, version: VersionKey) -> Result<Option<AgentVersion>, StoreError> {
        self.0.agent_version(agent, version).await
    }

    async fn current_agent(&self, agent: AgentKey) -> Result<Option<AgentVersion>, StoreError> {
        self.0.current_agent(agent).await
    }

    async fn component(&self, component: ComponentKey) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.component(component).await
    }

    async fn withdraw_agent(&self, agent: AgentKey, now: Timestamp) -> Result<bool, StoreError> {
        self.0.withdraw_agent(agent, now).await
    }
}

#[async_trait]
impl Audit for Spread {
    async fn record_act(&self, act: Act) -> Result<(), StoreError> {
        self.0.record_act(act).await
    }

    async fn acts(
        &self,
        after: Option<(Timestamp, ActId)>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Act>, StoreError> {
        self.0.acts(after, limit, now).await
    }
}

#[async_trait]
impl Transfer for Spread {
    async fn dump(&self, after: Option<Cursor>) -> Result<Dump, StoreError> {
        let mut dump = self.0.dump(after).await?;
        dump.kept = dump.kept.into_iter().map(|thing| kept(thing, back)).collect();
        Ok(dump)
    }

    async fn restore(&self, things: Vec<Kept>) -> Result<(), StoreError> {
        self.0.restore(things.into_iter().map(|thing| kept(thing, there)).collect()).await
    }
}
