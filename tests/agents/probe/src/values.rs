//! Memory and state.

use std::collections::BTreeMap;

use agent_memory_sdk::{Conversation, Error, Value, function};
use serde::{Serialize, Serializer};

use crate::Json;

/// A JSON value as it is, or `{"type_name": ..., "bytes": [...]}`.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Shown {
    Json(Json),
    Opaque { type_name: String, bytes: Vec<u8> },
}

/// An object whose members keep this order.
pub(crate) struct InOrder(Vec<(String, Shown)>);

#[function]
pub(crate) fn memory_get(conv: &Conversation, key: String) -> Result<Option<Json>, Error> {
    Ok(conv.memory().get(&key)?)
}

#[function]
pub(crate) fn memory_fields(conv: &Conversation) -> BTreeMap<String, Json> {
    conv.memory().fields()
}

#[function]
pub(crate) fn memory_len(conv: &Conversation) -> usize {
    conv.memory().len()
}

#[function]
pub(crate) fn memory_contains(conv: &Conversation, key: String) -> bool {
    conv.memory().contains(&key)
}

/// The whole state: an object in the order of its entries.
#[function]
pub(crate) fn state(conv: &Conversation) -> InOrder {
    InOrder(conv.state().entries().into_iter().map(|(key, value)| (key, value.into())).collect())
}

#[function]
pub(crate) fn get(conv: &Conversation, key: String) -> Option<Shown> {
    conv.state().value(&key).map(Shown::from)
}

#[function]
pub(crate) fn set(conv: &Conversation, key: String, value: Json) -> Result<(), Error> {
    Ok(conv.state().set(&key, &value)?)
}

#[function]
pub(crate) fn set_opaque(conv: &Conversation, key: String, type_name: String, bytes: Vec<u8>) -> Result<(), Error> {
    Ok(conv.state().set_opaque(&key, &type_name, bytes)?)
}

/// Sets `key_0`, `key_1` and so on to texts of that many bytes, quotes not counted.
#[function]
pub(crate) fn set_many(conv: &Conversation, n: usize, value_bytes: usize) -> Result<(), Error> {
    let value = "x".repeat(value_bytes);
    (0..n).try_for_each(|i| Ok(conv.state().set(&format!("key_{i}"), &value)?))
}

#[function]
pub(crate) fn remove(conv: &Conversation, key: String) -> bool {
    conv.state().remove(&key)
}

impl From<Value> for Shown {
    fn from(value: Value) -> Self {
        match value {
            Value::Json(text) => Self::Json(text),
            Value::Opaque { type_name, bytes } => Self::Opaque { type_name, bytes },
        }
    }
}

impl Serialize for InOrder {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}
