//! Agents, their versions and their components, all in one slot.

use agent_memory_store::{AgentKey, AgentVersion, ComponentKey, Effect, Published, StoreError, Timestamp, VersionKey};

use crate::{
    ValkeyStore, bytes,
    names::{hour_of, key},
    reply,
};

/// How often a component is put back that a sweep has deleted before its version was published.
const TRIES: usize = 4;

impl ValkeyStore {
    pub(crate) async fn publish(
        &self,
        version: AgentVersion,
        bytes: Option<Vec<u8>>,
        now: Timestamp,
    ) -> Result<Published, StoreError> {
        let base = self.names.agents();
        let AgentVersion { agent, version, component, record } = version;
        let hour = hour_of(now).to_be_bytes();
        let arguments: [&[u8]; 5] = [&agent.0, &version.0, &component.0, &record.0, &hour];
        for _ in 0..TRIES {
            // Mostly the component is there already, and need not be sent.
            let answer = self.cluster.write(&base, "publish", &arguments).await?;
            if self.cluster.sound(reply::number(&answer))? == 1 {
                return Ok(Published::Done);
            }
            let Some(bytes) = &bytes else { return Ok(Published::UnknownComponent) };
            self.cluster.write(&base, "put_component", &[&component.0, bytes]).await?;
        }
        Err(StoreError::Failed {
            place: self.cluster.place().to_owned(),
            reason: "sweeps have deleted a component again and again: try again".to_owned(),
            effect: Effect::Rejected,
        })
    }

    /// All versions, and when they were replaced.
    pub(crate) async fn versions(&self) -> Result<Vec<(AgentVersion, Option<Timestamp>)>, StoreError> {
        let base = self.names.agents();
        let mut command = redis::cmd("HGETALL");
        command.arg(key(&base, "v", b""));
        let answer = self.cluster.ask(&base, command).await?;
        let versions = reply::pairs(answer)
            .and_then(|pairs| pairs.iter().map(|(name, value)| bytes::version(name, value)).collect());
        self.cluster.sound(versions)
    }

    pub(crate) async fn current_versions(&self) -> Result<Vec<AgentVersion>, StoreError> {
        let versions = self.versions().await?.into_iter();
        let mut current: Vec<AgentVersion> =
            versions.filter(|(_, replaced)| replaced.is_none()).map(|(version, _)| version).collect();
        current.sort_by_key(|version| version.agent);
        Ok(current)
    }

    pub(crate) async fn version(
        &self,
        agent: AgentKey,
        version: VersionKey,
    ) -> Result<Option<AgentVersion>, StoreError> {
        let base = self.names.agents();
        let name = [agent.0, version.0].concat();
        let mut command = redis::cmd("HGET");
        command.arg(key(&base, "v", b"")).arg(&name);
        let answer = self.cluster.ask(&base, command).await?;
        let value = self.cluster.sound(reply::optional(answer))?;
        let version = value.map(|value| bytes::version(&name, &value)).transpose();
        Ok(self.cluster.sound(version)?.map(|(version, _)| version))
    }

    pub(crate) async fn current_version(&self, agent: AgentKey) -> Result<Option<AgentVersion>, StoreError> {
        let base = self.names.agents();
        let mut command = redis::cmd("HGET");
        command.arg(key(&base, "t", b"")).arg(&agent.0);
        let answer = self.cluster.ask(&base, command).await?;
        match self.cluster.sound(reply::optional(answer))? {
            Some(version) => {
                // A version that was current a moment ago is kept for days.
                let version = VersionKey(self.cluster.sound(bytes::key32(&version))?);
                self.version(agent, version).await
            }
            None => Ok(None),
        }
    }

    pub(crate) async fn component_bytes(&self, component: ComponentKey) -> Result<Option<Vec<u8>>, StoreError> {
        let base = self.names.agents();
        let mut command = redis::cmd("GET");
        command.arg(key(&base, "b", &component.0));
        let answer = self.cluster.ask(&base, command).await?;
        self.cluster.sound(reply::optional(answer))
    }

    /// The keys of all components, in order.
    pub(crate) async fn components(&self) -> Result<Vec<ComponentKey>, StoreError> {
        let base = self.names.agents();
        let mut command = redis::cmd("SMEMBERS");
        command.arg(key(&base, "B", b""));
        let answer = self.cluster.ask(&base, command).await?;
        let keys = reply::byte_list(answer)
            .and_then(|keys| keys.iter().map(|key| bytes::key32(key).map(ComponentKey)).collect::<Result<Vec<_>, _>>());
        let mut keys = self.cluster.sound(keys)?;
        keys.sort_unstable();
        Ok(keys)
    }

    pub(crate) async fn withdraw(&self, agent: AgentKey, now: Timestamp) -> Result<bool, StoreError> {
        let hour = hour_of(now).to_be_bytes();
        let arguments: [&[u8]; 3] = [&agent.0, &hour, self.cluster.touch()];
        let answer = self.cluster.write(&self.names.agents(), "withdraw", &arguments).await?;
        Ok(self.cluster.sound(reply::number(&answer))? == 1)
    }
}
