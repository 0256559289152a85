//! Agents, in this process.

use std::collections::{BTreeMap, HashMap};

use crate::{AGENT_KEPT, AgentKey, AgentVersion, ComponentKey, Kept, Published, Timestamp, VersionKey, types::hour_of};

/// The versions of all agents, and their components.
#[derive(Default)]
pub(super) struct Versions {
    versions: BTreeMap<(AgentKey, VersionKey), Entry>,
    components: HashMap<ComponentKey, Vec<u8>>,
}

struct Entry {
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
        self.versions.insert((version.agent, version.version), Entry { version, replaced: None });
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

    /// All versions, with the hours in which they were replaced, and all components.
    pub(super) fn dump(&self) -> impl Iterator<Item = Kept> {
        let versions = self.versions.values();
        let versions = versions.map(|kept| Kept::Agent { version: kept.version.clone(), replaced: kept.replaced });
        let components = self.components.iter();
        versions.chain(components.map(|(key, bytes)| Kept::Component { key: *key, bytes: bytes.clone() }))
    }

    pub(super) fn restore_version(&mut self, version: AgentVersion, replaced: Option<Timestamp>) {
        if replaced.is_none() {
            // What was current here will come along with the time at which it was replaced there, or never was there.
            self.withdraw(version.agent, 0);
        }
        self.versions.insert((version.agent, version.version), Entry { version, replaced });
    }

    pub(super) fn restore_component(&mut self, component: ComponentKey, bytes: Vec<u8>) {
        self.components.insert(component, bytes);
    }

    pub(super) fn sweep(&mut self, now: Timestamp) {
        let gone = now.saturating_sub(AGENT_KEPT);
        self.versions.retain(|_, kept| kept.replaced.is_none_or(|replaced| replaced > gone));
        let versions = &self.versions;
        self.components.retain(|component, _| versions.values().any(|kept| kept.version.component == *component));
    }
}
