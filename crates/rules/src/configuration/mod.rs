//! What a project says about memory (C1 to C7).
//!
//! [`Configuration::parse`] reads the JSON that people write and reports every mistake in it. What comes out is turned
//! into [`Settings`], which are read again at every turn. Configurations of the same meaning have the same settings.

mod parse;
mod reader;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::InputError;
use crate::identifier::{Blacklist, Source};

/// Sizes that the host allows (V5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// The longest key, in bytes.
    pub key_bytes: u32,
    /// The largest value under a memory key, in bytes.
    pub value_bytes: u32,
    /// How many `state_keys` a configuration may list.
    pub state_keys: u32,
    /// The largest state, keys and values together, in bytes.
    pub state_bytes: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { key_bytes: 128, value_bytes: 8 * 1024, state_keys: 64, state_bytes: 256 * 1024 }
    }
}

/// A mistake in a configuration (C6).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: found {found}; {allowed}")]
pub struct ConfigurationError {
    /// Where: a path such as `memory.repeat_caller.state_keys[2]`, or `$` for the whole.
    pub path: String,
    /// What was found there. An entry of the blacklist is not shown, for it is an identifier.
    pub found: String,
    /// What is allowed there, and what to do.
    pub allowed: String,
}

/// Something in a configuration that is allowed and yet looks wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigurationWarning {
    /// Where: a path such as `memory.repeat_caller.state_keys[2]`.
    pub path: String,
    /// What is odd about it, and what to do.
    pub message: String,
}

/// A configuration that holds no mistake, and what is to be said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configured {
    /// The configuration.
    pub configuration: Configuration,
    /// The keys that may be remembered, in the order in which they were written.
    pub state_keys: Vec<String>,
    /// What looks wrong.
    pub warnings: Vec<ConfigurationWarning>,
}

/// A configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    pub(crate) keys: KeyRules,
    /// None without a `memory.repeat_caller` section (C5).
    pub(crate) memory: Option<MemoryRules>,
}

/// A configuration in the rules' own form, which takes next to no time to read and is opaque to everybody else.
///
/// Its `Debug` shows only the length, for it has the blacklist's identifiers in it.
#[derive(Clone, PartialEq, Eq)]
pub struct Settings(pub Vec<u8>);

/// What a configuration says of single keys and their values. A turn needs no more of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRules {
    pub(crate) limits: Limits,
    pub(crate) nested_values: bool,
    /// Ordered by name. Empty with memory off.
    remembered: Vec<RememberedKey>,
}

/// One of `state_keys`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RememberedKey {
    pub(crate) name: String,
    pub(crate) retention_days: u8,
}

/// What a configuration says of callers and commits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MemoryRules {
    pub(crate) analytics_enabled: bool,
    pub(crate) sources: Vec<Source>,
    pub(crate) blacklist: Blacklist,
    /// The retention window: the longest that anything is retained, and how long a first interaction is.
    pub(crate) retention_days: u8,
    pub(crate) timestamps: Timestamps,
}

/// What is done about date-times finer than the hour in stored values (P2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Timestamps {
    Warn,
    Round,
    Keep,
}

/// The longest that anything may be retained, in days (C3).
pub const MAX_RETENTION_DAYS: u8 = 90;

/// The first byte of all settings: what follows is in this form.
const SETTINGS_FORMAT: u8 = 1;

impl Configuration {
    /// Reads a configuration, or finds all its mistakes.
    pub fn parse(source: &str, limits: Limits) -> Result<Configured, Vec<ConfigurationError>> {
        parse::parse(source, limits)
    }

    /// The configuration in the form that everything else wants to be given.
    pub fn to_settings(&self) -> Settings {
        let settings = postcard::to_extend(&self.keys, vec![SETTINGS_FORMAT]);
        // Only a writer that is full can fail, and a vector never is. If it did, no bytes at all would be refused.
        Settings(settings.and_then(|keys| postcard::to_extend(&self.memory, keys)).unwrap_or_default())
    }

    /// The configuration that settings were made from.
    pub fn from_settings(settings: &Settings) -> Result<Self, InputError> {
        let (keys, rest) = KeyRules::split_from_settings(settings)?;
        let memory = postcard::from_bytes(rest).map_err(|_| InputError::Settings)?;
        Ok(Self { keys, memory })
    }

    /// Whether memory is on.
    pub fn memory_enabled(&self) -> bool {
        self.memory.is_some()
    }

    /// Whether repeat callers are counted.
    pub fn analytics_enabled(&self) -> bool {
        self.memory.as_ref().is_some_and(|memory| memory.analytics_enabled)
    }

    /// Whether a caller may be identified by a key of the state, so that every turn has to look again (I6).
    pub fn identifies_by_state(&self) -> bool {
        let by_state = |source: &Source| matches!(source, Source::State(_));
        self.memory.as_ref().is_some_and(|memory| memory.sources.iter().any(by_state))
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Settings({} bytes)", self.0.len())
    }
}

impl KeyRules {
    /// What the configuration says of single keys that settings were made from. The rest of them is left alone.
    pub fn from_settings(settings: &Settings) -> Result<Self, InputError> {
        Ok(Self::split_from_settings(settings)?.0)
    }

    pub(crate) fn new(limits: Limits, nested_values: bool, mut remembered: Vec<RememberedKey>) -> Self {
        remembered.sort_by(|left, right| left.name.cmp(&right.name));
        Self { limits, nested_values, remembered }
    }

    /// What is said of a key, if it is one of `state_keys`.
    pub(crate) fn find(&self, name: &str) -> Option<&RememberedKey> {
        let index = self.remembered.binary_search_by(|key| key.name.as_str().cmp(name)).ok()?;
        self.remembered.get(index)
    }

    fn split_from_settings(Settings(settings): &Settings) -> Result<(Self, &[u8]), InputError> {
        match settings.split_first() {
            Some((&SETTINGS_FORMAT, rest)) => postcard::take_from_bytes(rest).map_err(|_| InputError::Settings),
            _ => Err(InputError::Settings),
        }
    }
}
