//! Agents, in this process.

use std::collections::{BTreeMap, HashMap};

use crate::{AGENT_KEPT, AgentKey, AgentVersion, ComponentKey, Published, Timestamp, VersionKey, types::hour_of};

/// The versions of all agents, and their components.
#[derive(Default)]
pub(super) struct Versions {
    versions: BTreeMap<(AgentKey, VersionKey), Kept>,
    components: HashMap<ComponentKey, Vec<u8>>,
}

struct Kept {
    version: AgentVersion,
    /// The hour in which it was replaced or withdrawn. None of the current one.
    replaced: Option<Timestamp>,
}

impl Versions {
    pub(super) fn publish(&mut self, version: AgentVersion, bytes: Option<Vec<u8>>, now: Timestamp) -> Published {
        match bytes {
            Some(bytes) => {
                self.components.entry(version.component).or_insert(bytes);
            }
            None if self.components.contains_key(&version.component) => {}
            None => return Published::UnknownComponent,
        }
        self.withdraw(version.agent, now);
        self.versions.insert((version.agent, version.version), Kept { version, replaced: None });
        Published::Done
    }

    /// The current versions, by their agent.
    pub(super) fn current(&self) -> impl Iterator<Item = &AgentVersion> {
        self.versions.values().filter(|kept| kept.replaced.is_none()).map(|kept| &kept.version)
    }

    pub(super) fn version(&self, agent: AgentKey, version: VersionKey) -> Option<&AgentVersion> {
        self.versions.get(&(agent, version)).map(|kept| &kept.version)
    }

    pub(super) fn component(&self, component: ComponentKey) -> Option<&[u8]> {
        self.components.get(&component).map(Vec::as_slice)
    }

    pub(super) fn withdraw(&mut self, agent: AgentKey, now: Timestamp) -> bool {
        let mut kept = self.versions.values_mut().filter(|kept| kept.version.agent == agent);
        match kept.find(|kept| kept.replaced.is_none()) {
            Some(current) => {
                current.replaced = Some(hour_of(now));
                true
            }
            None => false,
        }
    }

    pub(super) fn sweep(&mut self, now: Timestamp) {
        let gone = now.saturating_sub(AGENT_KEPT);
        self.versions.retain(|_, kept| kept.replaced.is_none_or(|replaced| replaced > gone));
        let versions = &self.versions;
        self.components.retain(|component, _| versions.values().any(|kept| kept.version.component == *component));
    }
}
