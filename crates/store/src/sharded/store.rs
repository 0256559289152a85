//! Each operation on the shards that it concerns.

use std::sync::atomic::Ordering;

use async_trait::async_trait;
use futures::future::try_join3;

use super::{
    ShardedStore,
    claim::{of_generation, unwrap},
    spread::{sum, together},
};
use crate::{
    Act, ActId, AgentKey, AgentVersion, Agents, Amendment, Audit, Commit, Committed, ComponentKey, ConversationKey,
    Ended, Erased, Erasure, Erasures, Field, Health, Held, IdentityKey, Loaded, MetricRow, Published, Read, Sealed,
    Store, StoreError, Swept, Timestamp, VersionKey,
};

#[async_trait]
impl Store for ShardedStore {
    /// Only who gives a conversation is told how many erasures there were: the directory is asked for it.
    async fn load(&self, read: Read) -> Result<Loaded, StoreError> {
        let Read { identity, conversation, now } = read;
        let Some(conversation) = conversation else {
            return Ok(Loaded { fields: self.fields(identity, now).await?, ..Loaded::default() });
        };
        // No erasure may be in the count and not in the fields. One that the directory had counted when the fields were
        // asked for is in both. If it has counted more since, which is rare, the fields are read again.
        let known = self.erasures.load(Ordering::SeqCst);
        let (mut fields, erasures, ended) =
            try_join3(self.fields(identity, now), self.count(conversation, now), self.ended(conversation, now)).await?;
        if erasures != known {
            self.erasures.fetch_max(erasures, Ordering::SeqCst);
            fields = self.fields(identity, now).await?;
        }
        Ok(Loaded { fields, erasures, ended: ended.is_some() })
    }

    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        self.commit_once(commit).await
    }

    async fn ended(&self, conversation: ConversationKey, now: Timestamp) -> Result<Option<Ended>, StoreError> {
        let claim = self.of_conversation(&conversation).claim(&conversation).await?;
        self.ended_under(claim, conversation, now).await
    }

    async fn amend(&self, amendment: Amendment) -> Result<bool, StoreError> {
        let member = self.of_caller(&amendment.identity);
        member.ask(member.store.amend(amendment)).await
    }

    async fn erase(&self, erasure: Erasure) -> Result<Erased, StoreError> {
        self.erase_once(erasure).await
    }

    async fn export(&self, identity: IdentityKey, now: Timestamp) -> Result<Held, StoreError> {
        let member = self.of_caller(&identity);
        let mut held = member.ask(member.store.export(identity, now)).await?;
        for (conversation, recorded) in &mut held.conversations {
            let (generation, report) = unwrap(std::mem::replace(&mut recorded.report, Sealed(Vec::new())));
            recorded.report = report;
            *conversation = of_generation(*conversation, generation);
        }
        held.conversations.sort_by_key(|(conversation, _)| *conversation);
        Ok(held)
    }

    async fn identities(
        &self,
        after: Option<IdentityKey>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<IdentityKey>, StoreError> {
        let found = self.of_all(|member| member.ask(member.store.identities(after, limit, now))).await?;
        let mut identities: Vec<IdentityKey> = found.into_iter().flatten().collect();
        identities.sort();
        identities.truncate(limit);
        Ok(identities)
    }

    /// Sweeps all shards, also if one of them fails.
    async fn sweep(&self, now: Timestamp) -> Result<Swept, StoreError> {
        Ok(sum(self.of_all(|member| member.ask(member.store.sweep(now))).await?))
    }

    async fn metric_rows(&self, now: Timestamp) -> Result<Vec<MetricRow>, StoreError> {
        let found = self.of_all(|member| member.ask(member.store.metric_rows(now))).await?;
        let mut rows: Vec<MetricRow> = found.into_iter().flatten().collect();
        rows.sort_by_key(|row| (row.began, row.id, row.interaction));
        Ok(rows)
    }

    async fn claim(&self, keys: Sealed) -> Result<Sealed, StoreError> {
        self.directory.ask(self.directory.store.claim(keys)).await
    }

    async fn health(&self, now: Timestamp) -> Result<Health, StoreError> {
        Ok(together(self.of_all(|member| member.ask(member.store.health(now))).await?))
    }
}

#[async_trait]
impl Agents for ShardedStore {
    async fn publish_agent(
        &self,
        version: AgentVersion,
        bytes: Option<Vec<u8>>,
        now: Timestamp,
    ) -> Result<Published, StoreError> {
        self.directory.ask(self.directory.store.publish_agent(version, bytes, now)).await
    }

    async fn agents(&self) -> Result<Vec<AgentVersion>, StoreError> {
        self.directory.ask(self.directory.store.agents()).await
    }

    async fn agent_version(&self, agent: AgentKey, version: VersionKey) -> Result<Option<AgentVersion>, StoreError> {
        self.directory.ask(self.directory.store.agent_version(agent, version)).await
    }

    async fn current_agent(&self, agent: AgentKey) -> Result<Option<AgentVersion>, StoreError> {
        self.directory.ask(self.directory.store.current_agent(agent)).await
    }

    async fn component(&self, component: ComponentKey) -> Result<Option<Vec<u8>>, StoreError> {
        self.directory.ask(self.directory.store.component(component)).await
    }

    async fn withdraw_agent(&self, agent: AgentKey, now: Timestamp) -> Result<bool, StoreError> {
        self.directory.ask(self.directory.store.withdraw_agent(agent, now)).await
    }
}

#[async_trait]
impl Audit for ShardedStore {
    async fn record_act(&self, act: Act) -> Result<(), StoreError> {
        self.directory.ask(self.directory.store.record_act(act)).await
    }

    async fn acts(
        &self,
        after: Option<(Timestamp, ActId)>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Act>, StoreError> {
        self.directory.ask(self.directory.store.acts(after, limit, now)).await
    }
}

impl ShardedStore {
    async fn fields(&self, identity: Option<IdentityKey>, now: Timestamp) -> Result<Vec<Field>, StoreError> {
        let Some(identity) = identity else { return Ok(Vec::new()) };
        let member = self.of_caller(&identity);
        let read = Read { identity: Some(identity), conversation: None, now };
        Ok(member.ask(member.store.load(read)).await?.fields)
    }

    /// How many erasures the directory has counted.
    async fn count(&self, conversation: ConversationKey, now: Timestamp) -> Result<Erasures, StoreError> {
        let read = Read { identity: None, conversation: Some(conversation), now };
        Ok(self.directory.ask(self.directory.store.load(read)).await?.erasures)
    }
}
