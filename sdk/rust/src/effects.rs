//! What a function asks the embedding runtime for.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde_json::value::to_raw_value;
use thiserror::Error;

use crate::RawValue;
use crate::bindings::agent::memory::conversation as contract;
use crate::conversation::Conversation;
use crate::json::{self, JsonProblem};

/// An entry for the author's log. It goes to the embedding runtime and nowhere else.
///
/// Logging never fails: a field that cannot be written as JSON is replaced by a text that says so.
#[must_use = "an entry is written by `info`, `warning` or `error`"]
pub struct Log<'a> {
    _conversation: PhantomData<&'a Conversation>,
    is_pii: bool,
    fields: BTreeMap<String, Box<RawValue>>,
}

/// A metric to write.
#[derive(Clone)]
#[must_use = "a metric is written by `Conversation::write_metric`"]
pub struct Metric {
    name: String,
    value: Option<Result<String, JsonProblem>>,
    write_once: bool,
}

/// A wish to hand the caller over to somebody else.
#[derive(Clone, Default)]
#[must_use = "a handoff is asked for by `Conversation::handoff`"]
pub struct Handoff {
    destination: String,
    reason: Option<String>,
    utterance: Option<String>,
    sip_headers: Option<BTreeMap<String, String>>,
    route: Option<String>,
}

/// Why an effect was not taken.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EffectError {
    /// A value cannot be written as JSON.
    #[error("the value cannot be written as JSON: {0}")]
    Value(#[from] JsonProblem),
    /// An argument is not of the JSON type that is wanted.
    #[error("the effect was refused: {0}")]
    Refused(String),
}

/// Why a request was not answered.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The arguments cannot be written as JSON.
    #[error("the arguments cannot be written as JSON: {0}")]
    Arguments(#[from] JsonProblem),
    /// The embedding runtime answers no request of that name.
    #[error("nobody answers requests for `{name}` here: the embedding runtime has to provide the answer")]
    Unanswered {
        /// The request's name.
        name: String,
    },
    /// It tried and failed.
    #[error("the request for `{name}` failed: {message}")]
    Failed {
        /// The request's name.
        name: String,
        /// What the embedding runtime said.
        message: String,
    },
    /// The answer does not fit the type that was asked for.
    #[error("the answer to the request for `{name}` does not fit: {problem}")]
    Answer {
        /// The request's name.
        name: String,
        /// What does not fit.
        problem: JsonProblem,
    },
}

impl Log<'_> {
    pub(crate) fn new() -> Self {
        Self { _conversation: PhantomData, is_pii: false, fields: BTreeMap::new() }
    }

    /// Marks the entry as one that holds personal data.
    pub fn personal_data(mut self) -> Self {
        self.is_pii = true;
        self
    }

    /// Adds a field.
    pub fn field(mut self, name: &str, value: &(impl Serialize + ?Sized)) -> Self {
        let value = to_raw_value(value).or_else(|problem| to_raw_value(&format!("not JSON: {problem}")));
        self.fields.extend(value.ok().map(|value| (name.to_owned(), value)));
        self
    }

    /// Writes the entry, for information.
    pub fn info(self, content: &str) {
        self.write(contract::LogLevel::Info, content);
    }

    /// Writes the entry: something may be wrong.
    pub fn warning(self, content: &str) {
        self.write(contract::LogLevel::Warning, content);
    }

    /// Writes the entry: something is wrong.
    pub fn error(self, content: &str) {
        self.write(contract::LogLevel::Error, content);
    }

    fn write(self, level: contract::LogLevel, content: &str) {
        contract::log(&contract::LogEntry {
            level,
            content: content.to_owned(),
            is_pii: self.is_pii,
            fields: json::object(&self.fields),
        });
    }
}

impl Metric {
    /// A metric without a value.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), value: None, write_once: false }
    }

    /// Gives it a value.
    pub fn value(mut self, value: &(impl Serialize + ?Sized)) -> Self {
        self.value = Some(json::encode(value));
        self
    }

    /// Writes it only if the conversation has written none of that name.
    pub fn once(mut self) -> Self {
        self.write_once = true;
        self
    }

    pub(crate) fn write(self) -> Result<(), EffectError> {
        let value = self.value.transpose()?;
        Ok(contract::write_metric(&self.name, value.as_deref(), self.write_once)?)
    }
}

impl Handoff {
    /// A handoff to one of the project's handoff destinations.
    pub fn to(destination: &str) -> Self {
        Self { destination: destination.to_owned(), ..Self::default() }
    }

    /// Says why.
    pub fn reason(mut self, reason: &str) -> Self {
        self.reason = Some(reason.to_owned());
        self
    }

    /// Says what to tell the caller first.
    pub fn utterance(mut self, utterance: &str) -> Self {
        self.utterance = Some(utterance.to_owned());
        self
    }

    /// Adds a SIP header to the transfer.
    pub fn sip_header(mut self, name: &str, value: &str) -> Self {
        self.sip_headers.get_or_insert_default().insert(name.to_owned(), value.to_owned());
        self
    }

    /// Says which route to take.
    pub fn route(mut self, route: &str) -> Self {
        self.route = Some(route.to_owned());
        self
    }

    pub(crate) fn ask(self) -> Result<(), EffectError> {
        Ok(contract::handoff(&contract::HandoffRequest {
            destination: self.destination,
            reason: self.reason,
            utterance: self.utterance,
            sip_headers: self.sip_headers.as_ref().map(json::object),
            route: self.route,
        })?)
    }
}

impl RequestError {
    pub(crate) fn from_contract(name: &str, error: contract::RequestError) -> Self {
        let name = name.to_owned();
        match error {
            contract::RequestError::InvalidJson(message) | contract::RequestError::Failed(message) => {
                Self::Failed { name, message }
            }
            contract::RequestError::Unanswered => Self::Unanswered { name },
        }
    }
}

/// Its fields may be personal, so this leaves them out.
impl fmt::Debug for Log<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").field("is_pii", &self.is_pii).finish_non_exhaustive()
    }
}

/// Its value may be personal, so this leaves it out.
impl fmt::Debug for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metric").field("name", &self.name).field("write_once", &self.write_once).finish_non_exhaustive()
    }
}

/// Its reason and the rest may be personal, so this leaves them out.
impl fmt::Debug for Handoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handoff").field("destination", &self.destination).finish_non_exhaustive()
    }
}

impl From<contract::EffectError> for EffectError {
    fn from(error: contract::EffectError) -> Self {
        let contract::EffectError::InvalidJson(problem) = error;
        Self::Refused(problem)
    }
}
