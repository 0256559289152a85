//! Memory and state.

use std::collections::BTreeMap;

use agent_memory_sdk::{Conversation, Error, Value};
use serde::{Serialize, Serializer};

use crate::{Json, arguments};

arguments! {
    Key { key: String }
    KeyValue { key: String, value: Json }
    KeyOpaque { key: String, type_name: String, bytes: Vec<u8> }
    Many { n: usize, value_bytes: usize }
}

/// A JSON value as it is, or `{"type_name": ..., "bytes": [...]}`.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Shown {
    Json(Json),
    Opaque { type_name: String, bytes: Vec<u8> },
}

/// An object whose members keep this order.
pub(crate) struct InOrder(Vec<(String, Shown)>);

pub(crate) fn memory_get(conv: &Conversation, Key { key }: Key) -> Result<Option<Json>, Error> {
    Ok(conv.memory().get(&key)?)
}

pub(crate) fn memory_fields(conv: &Conversation) -> BTreeMap<String, Json> {
    conv.memory().fields()
}

pub(crate) fn memory_len(conv: &Conversation) -> usize {
    conv.memory().len()
}

pub(crate) fn memory_contains(conv: &Conversation, Key { key }: Key) -> bool {
    conv.memory().contains(&key)
}

/// The whole state: an object in the order of its entries.
pub(crate) fn state(conv: &Conversation) -> InOrder {
    InOrder(conv.state().entries().into_iter().map(|(key, value)| (key, value.into())).collect())
}

pub(crate) fn get(conv: &Conversation, Key { key }: Key) -> Option<Shown> {
    conv.state().value(&key).map(Shown::from)
}

pub(crate) fn set(conv: &Conversation, KeyValue { key, value }: KeyValue) -> Result<(), Error> {
    Ok(conv.state().set(&key, &value)?)
}

pub(crate) fn set_opaque(conv: &Conversation, KeyOpaque { key, type_name, bytes }: KeyOpaque) -> Result<(), Error> {
    Ok(conv.state().set_opaque(&key, &type_name, bytes)?)
}

/// Sets `key_0`, `key_1` and so on to texts of that many bytes, quotes not counted.
pub(crate) fn set_many(conv: &Conversation, Many { n, value_bytes }: Many) -> Result<(), Error> {
    let value = "x".repeat(value_bytes);
    (0..n).try_for_each(|i| Ok(conv.state().set(&format!("key_{i}"), &value)?))
}

pub(crate) fn remove(conv: &Conversation, Key { key }: Key) -> bool {
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
