//! Reading what earlier conversations left.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::RawValue;
use crate::bindings::agent::memory::memory as contract;
use crate::conversation::Conversation;
use crate::json::{self, ReadError};

/// What earlier conversations left on this caller, as it stood when the turn began.
///
/// Nothing that is set in this conversation shows here before the next one. It is empty for a caller without an
/// identifier, and where memory is off.
#[derive(Clone, Copy, Debug)]
pub struct Memory<'a> {
    _conversation: PhantomData<&'a Conversation>,
}

impl Memory<'_> {
    pub(crate) const fn new() -> Self {
        Self { _conversation: PhantomData }
    }

    /// The value of a field, or none where nothing is remembered under that key.
    ///
    /// Ask for a [`Box<RawValue>`](RawValue) to have a number's exact text.
    ///
    /// # Errors
    ///
    /// The value does not fit `T`.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, ReadError> {
        contract::get(key)
            .map(|text| json::decode_valid(&text))
            .transpose()
            .map_err(|problem| ReadError::mismatch("memory", key, problem))
    }

    /// Whether something is remembered under that key.
    pub fn contains(&self, key: &str) -> bool {
        contract::contains(key)
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        contract::len() as usize
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A copy of all fields, each value as the JSON text that was stored.
    pub fn fields(&self) -> BTreeMap<String, Box<RawValue>> {
        contract::fields().into_iter().map(|field| (field.key, json::raw(field.value))).collect()
    }
}
