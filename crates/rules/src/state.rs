//! What a conversation knows, and what may be remembered of it (S1, S2, V1 to V5).

use std::{fmt, mem};

use indexmap::IndexMap;

use crate::configuration::KeyRules;
use crate::error::InputError;
use crate::json::{self, Json};

/// A value that JSON has no word for. Its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct OpaqueValue {
    /// The type's name in the function's language.
    pub type_name: String,
    /// The value, for the sandbox that made it.
    pub bytes: Vec<u8>,
}

/// A value of the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateValue {
    /// A value that JSON can express.
    Json(Json),
    /// A value that it cannot.
    Opaque(OpaqueValue),
}

/// What functions have done to a key so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Touch {
    /// A function has set it.
    pub assigned: bool,
    /// A function tried to set it and was refused.
    pub refused: bool,
    /// A function has removed it, and none has set it since.
    pub removed: bool,
}

/// A key of the state, as it is carried from turn to turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateEntry {
    /// The key.
    pub key: String,
    /// Its value. None for a key that is there no more, or that was only refused.
    pub value: Option<StateValue>,
    /// What functions have done to it. Nothing, where the platform put it there.
    pub touched: Touch,
}

/// Why a value was refused. What stood under the key before still stands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// The text is no JSON, or has more than 128 levels.
    #[error("the value of `{key}` is no JSON: {problem}")]
    InvalidJson {
        /// The key that was to be set.
        key: String,
        /// What is wrong and where, without the text itself.
        problem: String,
    },
    /// The key is one of `state_keys`, and the value has an object or an array inside an object or an array (V2).
    #[error("the value of `{key}` is nested at {path}: remember flat values, or set `nested_values`")]
    Nested {
        /// The key that was to be set.
        key: String,
        /// The JSON Pointer of the first member that is itself an object or an array.
        path: String,
    },
    /// The key is one of `state_keys`, and the value is opaque (V3).
    #[error("the value of `{key}` is of type {type_name}, which cannot be remembered: set what JSON can express")]
    Opaque {
        /// The key that was to be set.
        key: String,
        /// The type's name in the function's language.
        type_name: String,
    },
    /// The key is longer than keys may be (V5).
    #[error("the key has {actual} bytes, and at most {limit} are allowed: choose a shorter one")]
    KeyTooLong {
        /// The key's size, in bytes.
        actual: u64,
        /// The largest allowed.
        limit: u64,
    },
    /// The key is one of `state_keys`, and the value is larger than memory's values may be (V5).
    #[error("the value of `{key}` has {actual} bytes, and at most {limit} are allowed: remember less")]
    ValueTooLarge {
        /// The key that was to be set.
        key: String,
        /// The value's size, in bytes.
        actual: u64,
        /// The largest allowed.
        limit: u64,
    },
    /// With this value the whole state would be larger than it may be (V5).
    #[error(
        "with `{key}` the state would have {actual} bytes, and at most {limit} are allowed: remove something first"
    )]
    StateTooLarge {
        /// The key that was to be set.
        key: String,
        /// The size that the state would have, in bytes.
        actual: u64,
        /// The largest allowed.
        limit: u64,
    },
}

/// A conversation's state.
///
/// It keeps its keys in this order: first what the platform put there and no function has touched, then the others in
/// the order in which functions first touched them. A key that was removed or only refused keeps its place, for a
/// commit reports it; such keys are forgotten once their names alone are as large as a state may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    rules: KeyRules,
    entries: IndexMap<String, Slot>,
    /// The size of all keys that have a value, and of their values, in bytes.
    size: u64,
    /// The size of all other keys, in bytes.
    size_of_traces: u64,
}

impl State {
    /// A state without any key.
    pub fn empty(rules: KeyRules) -> Self {
        Self { rules, entries: IndexMap::new(), size: 0, size_of_traces: 0 }
    }

    /// The state as it was carried here: what [`State::into_entries`] gave, or what the platform put there.
    ///
    /// What the platform put under a memory key need not be storable, for it is not stored.
    pub fn new(rules: KeyRules, entries: Vec<StateEntry>) -> Result<Self, InputError> {
        let mut state = Self::empty(rules);
        state.entries.reserve(entries.len());
        for StateEntry { key, value, touched } in entries {
            let value = match value {
                Some(StateValue::Json(text)) => match json::check(text) {
                    Ok(text) => Some(StateValue::Json(text)),
                    Err(problem) => {
                        return Err(InputError::State(format!("the value of `{}` is no JSON: {problem}", shown(&key))));
                    }
                },
                value => value,
            };
            if state.entries.contains_key(&key) {
                return Err(InputError::State(format!("the key `{}` is there twice", shown(&key))));
            }
            let slot = Slot { value, touched };
            state.count(&key, &slot);
            if state.size > state.largest_size() {
                let (key, size, limit) = (shown(&key), state.size, state.largest_size());
                let problem = format!("with `{key}` the state has {size} bytes, and at most {limit} are allowed");
                return Err(InputError::State(problem));
            }
            state.entries.insert(key, slot);
        }
        Ok(state)
    }

    /// The state as it is to be carried on.
    pub fn into_entries(self) -> Vec<StateEntry> {
        let entry = |(key, Slot { value, touched })| StateEntry { key, value, touched };
        self.entries.into_iter().map(entry).collect()
    }

    /// The value under a key, or none.
    pub fn get(&self, key: &str) -> Option<&StateValue> {
        self.entries.get(key)?.value.as_ref()
    }

    /// All keys that have a value, in their order.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &StateValue)> {
        self.entries.iter().filter_map(|(key, slot)| Some((key.as_str(), slot.value.as_ref()?)))
    }

    /// Sets the value under a key. Setting an equal value counts as setting it (S2).
    pub fn set(&mut self, key: String, value: StateValue) -> Result<(), SetError> {
        match self.check(&key, value) {
            Ok(value) => {
                self.touch(key, |slot| {
                    slot.value = Some(value);
                    slot.touched.assigned = true;
                    slot.touched.removed = false;
                });
                Ok(())
            }
            Err(error) => {
                self.touch(key, |slot| slot.touched.refused = true);
                Err(error)
            }
        }
    }

    /// Removes a key, and tells whether it was there.
    pub fn remove(&mut self, key: &str) -> bool {
        let Some(slot) = self.entries.get(key) else { return false };
        let was_there = slot.value.is_some();
        self.touch(key.to_owned(), |slot| {
            slot.value = None;
            slot.touched.removed = true;
        });
        was_there
    }

    /// What the configuration says of its keys.
    pub(crate) fn rules(&self) -> &KeyRules {
        &self.rules
    }

    /// The keys that functions have set or tried to set (W5).
    pub(crate) fn set_keys(&self) -> impl Iterator<Item = (&str, Option<&StateValue>, Touch)> {
        let entries = self.entries.iter().filter(|(_, slot)| slot.touched.assigned || slot.touched.refused);
        entries.map(|(key, slot)| (key.as_str(), slot.value.as_ref(), slot.touched))
    }

    /// The value as it is to be kept in the state, or why it cannot be.
    fn check(&self, key: &str, value: StateValue) -> Result<StateValue, SetError> {
        let limit = u64::from(self.rules.limits.key_bytes);
        if size(key.len()) > limit {
            return Err(SetError::KeyTooLong { actual: size(key.len()), limit });
        }
        let owned = || key.to_owned();
        let value = match value {
            StateValue::Json(text) => {
                let text = json::check(text).map_err(|problem| SetError::InvalidJson { key: owned(), problem })?;
                StateValue::Json(text)
            }
            value => value,
        };
        if self.rules.find(key).is_some() {
            storable(&self.rules, &value).map_err(|why_not| match why_not {
                NotStorable::Nested { path } => SetError::Nested { key: owned(), path },
                NotStorable::Opaque { type_name } => SetError::Opaque { key: owned(), type_name },
                NotStorable::TooLarge { actual, limit } => SetError::ValueTooLarge { key: owned(), actual, limit },
            })?;
        }
        let replaced = self.get(key).map_or(0, |old| size(key.len()) + value_size(old));
        let actual = self.size - replaced + size(key.len()) + value_size(&value);
        if actual > self.largest_size() {
            return Err(SetError::StateTooLarge { key: owned(), actual, limit: self.largest_size() });
        }
        Ok(value)
    }

    /// Changes what stands under a key on behalf of a function.
    fn touch(&mut self, key: String, change: impl FnOnce(&mut Slot)) {
        // Keys that no function has touched stand before the others.
        let is_first = self.entries.get(&key).is_some_and(|slot| slot.touched == Touch::default());
        let old = if is_first { self.entries.shift_remove(&key) } else { self.entries.get_mut(&key).map(mem::take) };
        let was_there = old.is_some();
        let mut slot = old.unwrap_or_default();
        if was_there {
            self.discount(&key, &slot);
        }
        change(&mut slot);
        self.count(&key, &slot);
        if slot.value.is_none() && self.size_of_traces > self.largest_size() {
            self.discount(&key, &slot);
            self.entries.shift_remove(&key);
        } else {
            self.entries.insert(key, slot);
        }
    }

    fn count(&mut self, key: &str, slot: &Slot) {
        match &slot.value {
            Some(value) => self.size += size(key.len()) + value_size(value),
            None => self.size_of_traces += size(key.len()),
        }
    }

    fn discount(&mut self, key: &str, slot: &Slot) {
        match &slot.value {
            Some(value) => self.size -= size(key.len()) + value_size(value),
            None => self.size_of_traces -= size(key.len()),
        }
    }

    fn largest_size(&self) -> u64 {
        u64::from(self.rules.limits.state_bytes)
    }
}

impl fmt::Debug for OpaqueValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpaqueValue({}, {} bytes)", self.type_name, self.bytes.len())
    }
}

/// Why a value cannot be remembered under a memory key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotStorable {
    Nested { path: String },
    Opaque { type_name: String },
    TooLarge { actual: u64, limit: u64 },
}

/// The JSON text of a value that can be remembered under a memory key (V1 to V3, V5). `null` is one of them.
pub(crate) fn storable<'a>(rules: &KeyRules, value: &'a StateValue) -> Result<&'a str, NotStorable> {
    let Json(text) = match value {
        StateValue::Json(text) => text,
        StateValue::Opaque(value) => return Err(NotStorable::Opaque { type_name: value.type_name.clone() }),
    };
    if !rules.nested_values
        && let Some(path) = json::nested_member(text)
    {
        return Err(NotStorable::Nested { path });
    }
    let (actual, limit) = (size(text.len()), u64::from(rules.limits.value_bytes));
    if actual > limit { Err(NotStorable::TooLarge { actual, limit }) } else { Ok(text) }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Slot {
    value: Option<StateValue>,
    touched: Touch,
}

fn value_size(value: &StateValue) -> u64 {
    match value {
        StateValue::Json(Json(text)) => size(text.len()),
        StateValue::Opaque(value) => size(value.type_name.len()) + size(value.bytes.len()),
    }
}

fn size(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// A key, cut where it gets too long to be shown.
fn shown(key: &str) -> &str {
    key.char_indices().nth(128).and_then(|(end, _)| key.get(..end)).unwrap_or(key)
}
