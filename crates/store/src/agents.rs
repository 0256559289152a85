//! Agents, as a store keeps them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Sealed, Timestamp};

/// For how many seconds a version is kept after it was replaced or withdrawn: 7 days, less the minutes by which the
/// time of that was rounded down (P1). Conversations run on with the version that they began with (C7), and their
/// sessions live for a day after the last thing that happened (P4): a conversation would have to go on for a week.
pub const AGENT_KEPT: Timestamp = 7 * 24 * 3600;

/// Stands for an agent within an account, project and environment. Two agents never share one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AgentKey(pub [u8; 32]);

/// Stands for all that a version of an agent is made of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct VersionKey(pub [u8; 32]);

/// Stands for a component's bytes. Two components never share one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ComponentKey(pub [u8; 32]);

/// One version of an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentVersion {
    /// The agent.
    pub agent: AgentKey,
    /// The version.
    pub version: VersionKey,
    /// The component that it runs.
    pub component: ComponentKey,
    /// Its scope, its configuration and the like. They may have identifiers in them.
    pub record: Sealed,
}

/// The answer to a publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// The version is the agent's current one.
    Done,
    /// The component is not there, and its bytes were not given. Nothing was written.
    UnknownComponent,
}

impl fmt::Debug for AgentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AgentKey(..)")
    }
}

impl fmt::Debug for VersionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VersionKey(..)")
    }
}

impl fmt::Debug for ComponentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ComponentKey(..)")
    }
}
