//! What earlier conversations left on a caller (M2, M4, M6, C7).

use std::collections::BTreeMap;

use crate::configuration::KeyRules;
use crate::json::Json;
use crate::timestamp::{Timestamp, expiry};

/// A field that the store holds on the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredField {
    /// The key.
    pub key: String,
    /// The value.
    pub value: Json,
    /// The hour in which it was committed.
    pub written: Timestamp,
    /// When it expires.
    pub expires: Timestamp,
}

/// A caller's memory as it stood when the turn began.
///
/// Nothing can change it: what a conversation sets shows only in the next one (M3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    fields: BTreeMap<String, Json>,
}

impl Memory {
    /// What of the stored fields may be seen: those under `state_keys` that have expired neither under the
    /// configuration of their commit nor under the current one.
    pub fn new(rules: &KeyRules, fields: Vec<StoredField>, now: Timestamp) -> Self {
        let is_visible = |field: &StoredField| {
            let Some(key) = rules.find(&field.key) else { return false };
            now < field.expires && now < expiry(field.written, key.retention_days)
        };
        Self { fields: fields.into_iter().filter(is_visible).map(|field| (field.key, field.value)).collect() }
    }

    /// The value of a field, or none where nothing is remembered under that key.
    pub fn get(&self, key: &str) -> Option<&Json> {
        self.fields.get(key)
    }

    /// All fields, ordered by key.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = (&str, &Json)> {
        self.fields.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Whether something is remembered under that key.
    pub fn contains(&self, key: &str) -> bool {
        self.fields.contains_key(key)
    }
}
