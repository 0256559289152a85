//! JSON as text, exactly as somebody wrote it.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A JSON text. Numbers keep every digit (rule V4).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
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

impl PartialEq for Json {
    /// Whether both are the same text.
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}
