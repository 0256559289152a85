//! Agents that are kept in the store, so that every process that shares it can run them.

use std::fmt;
use std::sync::Arc;

use agent_memory_keys::Lifetime;
use agent_memory_store::{AgentKey, AgentVersion, ComponentKey, Published, StoreError, VersionKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::codec::{Codec, Place, Unreadable};
use crate::conversation::damaged;
use crate::runtime::Shared;
use crate::{AgentDefinition, Scope};

/// The agents that a runtime's store keeps. Publishing one neither checks nor loads it.
#[derive(Clone)]
pub struct Catalogue {
    shared: Arc<Shared>,
}

/// A version of an agent in the store.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PublishedAgent {
    /// Whose agent it is.
    pub scope: Scope,
    /// The version.
    pub version: VersionId,
    /// The component of its functions.
    pub component: ComponentId,
    /// Its configuration. It may hold identifiers.
    pub configuration: String,
}

/// Names a version of an agent: a digest of functions and configuration.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct VersionId([u8; 32]);

/// Names a component: the BLAKE3 digest of its bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ComponentId([u8; 32]);

/// How a published agent is stored.
#[derive(Serialize, Deserialize)]
pub(crate) struct StoredAgent {
    scope: Scope,
    configuration: String,
}

impl Catalogue {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Makes a version of an agent its current one. Conversations that began with another go on with that: it is kept
    /// for a week.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn publish(&self, definition: &AgentDefinition) -> Result<PublishedAgent, StoreError> {
        let AgentDefinition { scope, functions, configuration } = definition;
        let component = ComponentId::of(functions);
        let published = self.put(scope, component, configuration, Some(functions.clone())).await?;
        published.ok_or_else(|| damaged("a component that was just written", Unreadable::Damaged))
    }

    /// Publishes a version whose component is in the store already. None: it is not.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn publish_known(
        &self,
        scope: &Scope,
        component: ComponentId,
        configuration: &str,
    ) -> Result<Option<PublishedAgent>, StoreError> {
        self.put(scope, component, configuration, None).await
    }

    /// The current version of every agent.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn agents(&self) -> Result<Vec<PublishedAgent>, StoreError> {
        self.shared.store.agents().await?.into_iter().map(|version| self.read(version)).collect()
    }

    /// The current version of an agent, if it has one.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn current(&self, scope: &Scope) -> Result<Option<PublishedAgent>, StoreError> {
        let version = self.shared.store.current_agent(self.key(scope)).await?;
        version.map(|version| self.read(version)).transpose()
    }

    /// A version of an agent, current or not.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn version(&self, scope: &Scope, version: VersionId) -> Result<Option<PublishedAgent>, StoreError> {
        let version = self.shared.store.agent_version(self.key(scope), VersionKey(version.0)).await?;
        version.map(|version| self.read(version)).transpose()
    }

    /// The bytes of a component.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn component(&self, component: ComponentId) -> Result<Option<Vec<u8>>, StoreError> {
        let bytes = self.shared.store.component(component.key()).await?;
        match bytes {
            Some(bytes) if ComponentId::of(&bytes) != component => Err(damaged("a component", Unreadable::Damaged)),
            bytes => Ok(bytes),
        }
    }

    /// Removes an agent: no conversation can begin with it. Running ones go on for a week. Answers whether there was
    /// one.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn withdraw(&self, scope: &Scope) -> Result<bool, StoreError> {
        self.shared.store.withdraw_agent(self.key(scope), self.now()).await
    }

    async fn put(
        &self,
        scope: &Scope,
        component: ComponentId,
        configuration: &str,
        bytes: Option<Vec<u8>>,
    ) -> Result<Option<PublishedAgent>, StoreError> {
        let id = VersionId::of(component.key(), configuration);
        let version = VersionKey(id.0);
        let stored = StoredAgent { scope: scope.clone(), configuration: configuration.to_owned() };
        let record = self.shared.codec.seal(Place::Agent(version), Lifetime::Permanent, &stored);
        let version = AgentVersion { agent: self.key(scope), version, component: component.key(), record };
        let StoredAgent { scope, configuration } = stored;
        Ok(match self.shared.store.publish_agent(version, bytes, self.now()).await? {
            Published::Done => Some(PublishedAgent { scope, version: id, component, configuration }),
            Published::UnknownComponent => None,
        })
    }

    fn read(&self, version: AgentVersion) -> Result<PublishedAgent, StoreError> {
        let stored = StoredAgent::open(&self.shared.codec, &version).map_err(|why| damaged("an agent", why))?;
        let StoredAgent { scope, configuration } = stored;
        let AgentVersion { version, component, .. } = version;
        Ok(PublishedAgent { scope, version: VersionId(version.0), component: ComponentId(component.0), configuration })
    }

    fn key(&self, scope: &Scope) -> AgentKey {
        self.shared.codec.agent_key(scope)
    }

    fn now(&self) -> i64 {
        self.shared.now().as_second()
    }
}

impl StoredAgent {
    /// Opens the record of a version, which has to be of the agent and of the component that it stands beside: whoever can
    /// write to the store could otherwise give an agent to somebody else, or other functions to an agent.
    pub(crate) fn open(codec: &Codec, version: &AgentVersion) -> Result<Self, Unreadable> {
        let stored: Self = codec.open(Place::Agent(version.version), &version.record)?;
        let id = VersionId::of(version.component, &stored.configuration);
        let belongs = codec.agent_key(&stored.scope) == version.agent && VersionKey(id.0) == version.version;
        if belongs { Ok(stored) } else { Err(Unreadable::Damaged) }
    }
}

impl VersionId {
    fn of(component: ComponentKey, configuration: &str) -> Self {
        Self::new(&component.0, blake3::hash(configuration.as_bytes()).as_bytes())
    }

    pub(crate) fn new(functions: &[u8; 32], configuration: &[u8; 32]) -> Self {
        Self(Sha256::new().chain_update(functions).chain_update(configuration).finalize().into())
    }
}

impl ComponentId {
    /// The id of a component.
    pub fn of(bytes: &[u8]) -> Self {
        Self::new(*blake3::hash(bytes).as_bytes())
    }

    pub(crate) fn new(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// The key that the component goes by in a store.
    pub(crate) fn key(self) -> ComponentKey {
        ComponentKey(self.0)
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Display for ComponentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        blake3::Hash::from_bytes(self.0).fmt(f)
    }
}

impl std::str::FromStr for ComponentId {
    type Err = blake3::HexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(*blake3::Hash::from_hex(text)?.as_bytes()))
    }
}

impl fmt::Debug for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VersionId({self})")
    }
}

impl fmt::Debug for ComponentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ComponentId({self})")
    }
}
