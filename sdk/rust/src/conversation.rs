//! The handle that every function is given.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::RawValue;
use crate::attributes::Attributes;
use crate::bindings::agent::memory::conversation as contract;
use crate::effects::{EffectError, Handoff, Log, Metric, RequestError};
use crate::json;
use crate::memory::Memory;
use crate::state::State;

/// The conversation that a function takes part in: what it may know of it, and what it may ask for.
///
/// What a function says and asks for is handed on when the function returns, in order, and also when it returns an
/// error. Nothing of it happens if the function panics or is stopped for using too much time or memory.
#[derive(Debug)]
pub struct Conversation {
    _made_by_the_sdk_alone: (),
}

/// Something that was said before this turn.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Utterance {
    /// Who said it.
    pub role: Role,
    /// What was said.
    pub text: String,
}

/// Who said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The person.
    User,
    /// The assistant.
    Agent,
}

/// A metric that a function of this conversation has written.
#[derive(Clone, Serialize)]
pub struct MetricEvent {
    /// The metric's name.
    pub name: String,
    /// Its value, if it has one.
    pub value: Option<Box<RawValue>>,
}

impl Conversation {
    pub(crate) const fn new() -> Self {
        Self { _made_by_the_sdk_alone: () }
    }

    /// What earlier conversations left on this caller. Read-only.
    pub fn memory(&self) -> Memory<'_> {
        Memory::new()
    }

    /// What this conversation knows. What is set here under one of the `state_keys` is remembered.
    pub fn state(&self) -> State<'_> {
        State::new()
    }

    /// The conversation's id, the caller's number, the channel and so on, as they stand in this turn.
    pub fn attributes(&self) -> Attributes {
        contract::attributes().into()
    }

    /// What was said before this turn, oldest first.
    pub fn history(&self) -> Vec<Utterance> {
        contract::history().into_iter().map(Utterance::from).collect()
    }

    /// The metrics that functions have written in this conversation, oldest first, this turn's included.
    pub fn metric_events(&self) -> Vec<MetricEvent> {
        contract::metric_events().into_iter().map(MetricEvent::from).collect()
    }

    /// Says something to the caller.
    pub fn say(&self, text: &str) {
        contract::say(text);
    }

    /// Starts an entry for the author's log; [`Log::info`], [`Log::warning`] and [`Log::error`] write it.
    ///
    /// ```no_run
    /// # fn example(conv: &agent_memory_sdk::Conversation) {
    /// conv.log().info("No brie today.");
    /// conv.log().field("tries", &2).personal_data().warning("The caller spelt out a name.");
    /// # }
    /// ```
    pub fn log(&self) -> Log<'_> {
        Log::new()
    }

    /// Writes a metric.
    ///
    /// ```no_run
    /// # use agent_memory_sdk::{Conversation, EffectError, Metric};
    /// # fn example(conv: &Conversation) -> Result<(), EffectError> {
    /// conv.write_metric(Metric::new("cheese_booked").value("brie"))?;
    /// conv.write_metric(Metric::new("reached_the_till").once())?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Its value cannot be written as JSON.
    pub fn write_metric(&self, metric: Metric) -> Result<(), EffectError> {
        metric.write()
    }

    /// Asks for the caller to be handed over to somebody else.
    ///
    /// # Errors
    ///
    /// The embedding runtime refuses it.
    pub fn handoff(&self, handoff: Handoff) -> Result<(), EffectError> {
        handoff.ask()
    }

    /// Asks the embedding runtime for any other effect, by its name and arguments.
    ///
    /// ```no_run
    /// # use agent_memory_sdk::{Conversation, EffectError, serde_json::json};
    /// # fn example(conv: &Conversation) -> Result<(), EffectError> {
    /// conv.act("goto_flow", &json!({ "name": "payment" }))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The arguments cannot be written as a JSON object.
    pub fn act(&self, name: &str, arguments: &(impl Serialize + ?Sized)) -> Result<(), EffectError> {
        Ok(contract::act(name, &json::encode(arguments)?)?)
    }

    /// Asks the embedding runtime for what only it can answer, such as a language model, and waits for the answer.
    /// The wait does not count against the function's time.
    ///
    /// # Errors
    ///
    /// Nobody answers requests of that name, the answer failed, or it does not fit `T`.
    pub fn request<T: DeserializeOwned>(
        &self,
        name: &str,
        arguments: &(impl Serialize + ?Sized),
    ) -> Result<T, RequestError> {
        let answer = contract::request(name, &json::encode(arguments)?)
            .map_err(|error| RequestError::from_contract(name, error))?;
        json::decode(&answer).map_err(|problem| RequestError::Answer { name: name.to_owned(), problem })
    }
}

/// What was said is personal, so this shows only who spoke.
impl fmt::Debug for Utterance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Utterance").field("role", &self.role).finish_non_exhaustive()
    }
}

/// The value may be personal, so this leaves it out.
impl fmt::Debug for MetricEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricEvent").field("name", &self.name).finish_non_exhaustive()
    }
}

impl From<contract::Utterance> for Utterance {
    fn from(said: contract::Utterance) -> Self {
        let role = match said.role {
            contract::Role::User => Role::User,
            contract::Role::Agent => Role::Agent,
        };
        Self { role, text: said.text }
    }
}

impl From<contract::MetricEvent> for MetricEvent {
    fn from(event: contract::MetricEvent) -> Self {
        Self { name: event.name, value: event.value.map(json::raw) }
    }
}
