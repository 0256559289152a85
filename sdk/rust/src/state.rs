//! Reading and setting what the conversation knows.

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::RawValue;
use crate::bindings::agent::memory::state as contract;
use crate::conversation::Conversation;
use crate::json::{self, ReadError};

/// What this conversation knows: any value under any key, for as long as the conversation lasts.
///
/// When the conversation ends, what functions have set under the configuration's `state_keys` becomes the caller's
/// memory.
#[derive(Clone, Copy, Debug)]
pub struct State<'a> {
    _conversation: PhantomData<&'a Conversation>,
}

/// A value of the state.
#[derive(Clone)]
pub enum Value {
    /// A value that JSON can express.
    Json(Box<RawValue>),
    /// A value that it cannot. Only functions make sense of the bytes.
    Opaque {
        /// The type's name, for messages.
        type_name: String,
        /// The value.
        bytes: Vec<u8>,
    },
}

/// Why a value was refused. What stood under the key before still stands.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SetError {
    /// The value cannot be written as JSON, or has more than 128 levels.
    #[error("`{key}` cannot be set: {problem}")]
    NotJson {
        /// The key that was to be set.
        key: String,
        /// What is wrong, without the value.
        problem: String,
    },
    /// The key is one of `state_keys`, and the value nests deeper than memory allows.
    #[error(
        "`{key}` is remembered, and a remembered value is flat, but `{path}` in it is an object or an array itself: \
         set its parts under keys of their own, or allow it with `\"nested_values\": true` in the configuration"
    )]
    Nested {
        /// The key that was to be set.
        key: String,
        /// The JSON Pointer of the member that is itself an object or an array.
        path: String,
    },
    /// The key is one of `state_keys`, and the value is opaque.
    #[error(
        "`{key}` is remembered, and a `{type_name}` is opaque, which memory cannot hold: set it as text or another JSON \
         value, or under a key that is not in `state_keys`"
    )]
    Opaque {
        /// The key that was to be set.
        key: String,
        /// The type's name.
        type_name: String,
    },
    /// The key is longer than keys may be.
    #[error("a key has {actual} bytes, and {limit} are allowed: use a shorter key")]
    KeyTooLong {
        /// The key's size in bytes.
        actual: u64,
        /// The largest size allowed.
        limit: u64,
    },
    /// The key is one of `state_keys`, and the value is larger than memory's values may be.
    #[error(
        "`{key}` is remembered, and its value has {actual} bytes where {limit} are allowed: remember less, or set it \
         under a key that is not in `state_keys`"
    )]
    ValueTooLarge {
        /// The key that was to be set.
        key: String,
        /// The value's size in bytes.
        actual: u64,
        /// The largest size allowed.
        limit: u64,
    },
    /// With this value the whole state would be larger than it may be.
    #[error(
        "with this value of `{key}` the conversation's state would have {actual} bytes, and {limit} are allowed: remove \
         what is no longer needed, or set less"
    )]
    StateTooLarge {
        /// The key that was to be set.
        key: String,
        /// The size that the state would have, in bytes.
        actual: u64,
        /// The largest size allowed.
        limit: u64,
    },
}

impl State<'_> {
    pub(crate) const fn new() -> Self {
        Self { _conversation: PhantomData }
    }

    /// The value under a key, or none.
    ///
    /// # Errors
    ///
    /// The value does not fit `T`, or is opaque.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, ReadError> {
        match contract::get(key) {
            None => Ok(None),
            Some(contract::Value::Json(text)) => {
                json::decode_valid(&text).map(Some).map_err(|problem| ReadError::mismatch("state", key, problem))
            }
            Some(contract::Value::Opaque(value)) => {
                Err(ReadError::Opaque { key: key.to_owned(), type_name: value.type_name })
            }
        }
    }

    /// The value under a key as it is, or none.
    pub fn value(&self, key: &str) -> Option<Value> {
        contract::get(key).map(Value::from)
    }

    /// Sets the value under a key. Setting an equal value counts as setting it.
    ///
    /// Give a [`RawValue`] to choose a number's exact text.
    ///
    /// # Errors
    ///
    /// See [`SetError`].
    pub fn set(&self, key: &str, value: &(impl Serialize + ?Sized)) -> Result<(), SetError> {
        let text = json::encode(value)
            .map_err(|problem| SetError::NotJson { key: key.to_owned(), problem: problem.to_string() })?;
        Ok(contract::set(key, &contract::Value::Json(text))?)
    }

    /// Sets a value that JSON has no word for: its bytes, and its type's name for messages. It lasts as long as the
    /// conversation and cannot be remembered.
    ///
    /// # Errors
    ///
    /// See [`SetError`].
    pub fn set_opaque(&self, key: &str, type_name: &str, bytes: Vec<u8>) -> Result<(), SetError> {
        let value = contract::OpaqueValue { type_name: type_name.to_owned(), bytes };
        Ok(contract::set(key, &contract::Value::Opaque(value))?)
    }

    /// Removes a key, and tells whether it was there. A key that was set and then removed is not remembered, and
    /// what earlier conversations remembered under it stays.
    pub fn remove(&self, key: &str) -> bool {
        contract::remove(key)
    }

    /// All entries, in the order in which their keys were first set.
    pub fn entries(&self) -> Vec<(String, Value)> {
        contract::entries().into_iter().map(|entry| (entry.key, entry.value.into())).collect()
    }
}

/// The value may be personal, so this leaves it out.
impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Json(_) => f.debug_tuple("Json").finish_non_exhaustive(),
            Self::Opaque { type_name, .. } => {
                f.debug_struct("Opaque").field("type_name", type_name).finish_non_exhaustive()
            }
        }
    }
}

impl From<contract::Value> for Value {
    fn from(value: contract::Value) -> Self {
        match value {
            contract::Value::Json(text) => Self::Json(json::raw(text)),
            contract::Value::Opaque(value) => Self::Opaque { type_name: value.type_name, bytes: value.bytes },
        }
    }
}

impl From<contract::SetError> for SetError {
    fn from(error: contract::SetError) -> Self {
        match error {
            contract::SetError::InvalidJson(it) => Self::NotJson { key: it.key, problem: it.problem },
            contract::SetError::Nested(it) => Self::Nested { key: it.key, path: it.path },
            contract::SetError::Opaque(it) => Self::Opaque { key: it.key, type_name: it.type_name },
            contract::SetError::KeyTooLong(it) => Self::KeyTooLong { actual: it.actual, limit: it.limit },
            contract::SetError::ValueTooLarge(it) => {
                Self::ValueTooLarge { key: it.key, actual: it.actual, limit: it.limit }
            }
            contract::SetError::StateTooLarge(it) => {
                Self::StateTooLarge { key: it.key, actual: it.actual, limit: it.limit }
            }
        }
    }
}
