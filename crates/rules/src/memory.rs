//! What earlier conversations left on a caller (M2, M4, M6, C7).

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
    /// Ordered by key. There are so few that one is found fastest by looking at all.
    fields: Vec<(String, Json)>,
}

impl Memory {
    /// What of the stored fields may be seen: those under `state_keys` that have expired neither under the
    /// configuration of their commit nor under the current one.
    pub fn new(rules: &KeyRules, fields: Vec<StoredField>, now: Timestamp) -> Self {
        let mut visible: Vec<(String, Json)> = Vec::with_capacity(fields.len());
        for StoredField { key, value, written, expires } in fields {
            let Some(rule) = rules.find(&key) else { continue };
            if now >= expires || now >= expiry(written, rule.retention_days) {
                continue;
            }
            match visible.binary_search_by(|(known, _)| known.cmp(&key)) {
                Ok(index) => {
                    if let Some((_, known)) = visible.get_mut(index) {
                        *known = value;
                    }
                }
                Err(index) => visible.insert(index, (key, value)),
            }
        }
        Self { fields: visible }
    }

    /// The value of a field, or none where nothing is remembered under that key.
    pub fn get(&self, key: &str) -> Option<&Json> {
        self.fields.iter().find(|(known, _)| is_same(known, key)).map(|(_, value)| value)
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
        self.get(key).is_some()
    }
}

/// Whether two keys are the same. Eight bytes are compared at a time: what wasm has for it takes one after the other.
fn is_same(one: &str, other: &str) -> bool {
    let (ones, ones_rest) = one.as_bytes().as_chunks::<8>();
    let (others, others_rest) = other.as_bytes().as_chunks::<8>();
    one.len() == other.len()
        && ones.iter().zip(others).all(|(one, other)| u64::from_ne_bytes(*one) == u64::from_ne_bytes(*other))
        && ones_rest.iter().zip(others_rest).all(|(one, other)| one == other)
}
