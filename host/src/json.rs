//! JSON as text, exactly as somebody wrote it.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// A JSON text. Numbers keep every digit (rule V4).
#[derive(Clone, Debug)]
pub struct Json(Box<RawValue>);

impl Json {
    /// Takes a text that has to be JSON.
    ///
    /// # Errors
    /// Where it is not: the message says where, and does not hold the text.
    pub fn parse(text: impl Into<String>) -> Result<Self, serde_json::Error> {
        RawValue::from_string(text.into()).map(Self)
    }

    /// Writes a value as JSON.
    ///
    /// # Errors
    /// If the value cannot be written as JSON, such as a map whose keys are no texts.
    pub fn from_value(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        serde_json::value::to_raw_value(value).map(Self)
    }

    /// An object without members.
    pub fn empty_object() -> Self {
        Self(RawValue::from_string("{}".into()).unwrap_or_default())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// Reads it as a type of the caller's choice.
    ///
    /// # Errors
    /// If it is not of that type.
    pub fn to<T: for<'de> Deserialize<'de>>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.as_str())
    }

    /// Whether it is an object.
    pub fn is_object(&self) -> bool {
        self.as_str().trim_start().starts_with('{')
    }
}

impl Serialize for Json {
    /// JSON in JSON, and in other formats the text.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { self.0.serialize(serializer) } else { self.as_str().serialize(serializer) }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return Box::deserialize(deserializer).map(Self);
        }
        Self::parse(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl PartialEq for Json {
    /// Whether both are the same text.
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}
