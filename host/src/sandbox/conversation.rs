//! What functions can ask of the conversation they take part in.

use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;

use super::deadline::Deadline;
use super::stop::Stopping;
use super::{Sandbox, TurnResult};
use crate::bindings::agent::memory::conversation as wit;
use crate::bindings::policy;
use crate::session::MetricEvent;
use crate::turn::{Action, LogEntry, LogLevel, TurnOutcome};
use crate::{FunctionError, Handoff, Json, RequestError, Role, overrun};

/// What a turn has asked for so far.
pub(super) struct Effects {
    say: Vec<String>,
    actions: Vec<Action>,
    logs: Vec<LogEntry>,
    metric_events: Vec<MetricEvent>,
    /// How many of the metric events were there when the turn began.
    earlier_metric_events: usize,
    requested_handoff: Option<Handoff>,
    bytes_left: usize,
    /// What is left for metrics, which the session carries to the conversation's end.
    metric_bytes_left: usize,
}

impl Effects {
    pub(super) fn new(metric_events: Vec<MetricEvent>, output_bytes: usize) -> Self {
        let metric_bytes: usize = metric_events.iter().map(MetricEvent::size).sum();
        Self {
            say: Vec::new(),
            actions: Vec::new(),
            logs: Vec::new(),
            metric_bytes_left: output_bytes.saturating_sub(metric_bytes),
            earlier_metric_events: metric_events.len(),
            metric_events,
            requested_handoff: None,
            bytes_left: output_bytes,
        }
    }

    /// Counts what a function hands over. An entry without any text has a cost as well.
    fn charge(&mut self, texts: &[&str]) -> Result<(), Stopping> {
        const ENTRY_BYTES: usize = 32;
        let bytes = texts.iter().map(|text| text.len()).sum::<usize>().saturating_add(ENTRY_BYTES);
        self.bytes_left = self.bytes_left.checked_sub(bytes).ok_or(Stopping::OutputLimit)?;
        Ok(())
    }

    pub(super) fn has_logged(&self) -> bool {
        !self.logs.is_empty()
    }

    fn act(&mut self, name: &str, arguments: Json) {
        self.actions.push(Action { name: name.to_owned(), arguments });
    }
}

impl Sandbox {
    /// What a function that came to an end returned.
    pub(super) fn returned(&mut self, value: String) -> Result<TurnOutcome, Stopping> {
        self.effects.charge(&[&value])?;
        Ok(match Json::parse(value) {
            Ok(value) => TurnOutcome::Returned(value),
            Err(error) => TurnOutcome::Failed(FunctionError {
                name: "invalid-json".into(),
                message: format!("the function returned what is no JSON: {error}"),
                trace: String::new(),
            }),
        })
    }

    /// What a function that failed says about it.
    pub(super) fn failed(&mut self, error: FunctionError) -> Result<TurnOutcome, Stopping> {
        self.effects.charge(&[&error.name, &error.message, &error.trace])?;
        Ok(TurnOutcome::Failed(error))
    }

    /// The result of a turn that came to its end.
    pub(super) fn finished(self, outcome: TurnOutcome, state: Vec<policy::StateEntry>) -> TurnResult {
        let Effects { say, actions, mut logs, metric_events, requested_handoff, .. } = self.effects;
        logs.extend(self.wasi.map(|wasi| wasi.printed()).unwrap_or_default());
        let session_expires = self.session_expires;
        TurnResult { outcome, say, actions, logs, metric_events, requested_handoff, state, session_expires }
    }

    /// The result of a turn that was stopped: its effects are discarded, its logs stay (rule W6).
    pub(super) fn stopped(mut self, outcome: TurnOutcome, state: Vec<policy::StateEntry>) -> TurnResult {
        self.effects.say.clear();
        self.effects.actions.clear();
        self.effects.metric_events.truncate(self.effects.earlier_metric_events);
        self.effects.requested_handoff = None;
        self.finished(outcome, state)
    }
}

impl wit::Host for Sandbox {
    fn attributes(&mut self) -> wasmtime::Result<wit::ConversationAttributes> {
        let facts = &*self.facts;
        Ok(wit::ConversationAttributes {
            id: facts.id.clone(),
            account_id: facts.scope.account.clone(),
            project_id: facts.scope.project.clone(),
            env: facts.scope.environment.clone(),
            channel: facts.channel.clone(),
            caller_number: facts.caller_number.clone(),
            callee_number: facts.callee_number.clone(),
            language: facts.language.clone(),
            variant_name: facts.variant_name.clone(),
            current_flow: facts.current_flow.clone(),
            current_step: facts.current_step.clone(),
            sip_headers: facts
                .sip_headers
                .iter()
                .map(|(name, value)| wit::SipHeader { name: name.clone(), value: value.clone() })
                .collect(),
            integration_attributes: facts.integration_attributes.clone(),
            transcript_alternatives: facts.transcript_alternatives.clone(),
            settings: facts.more.clone(),
        })
    }

    fn history(&mut self) -> wasmtime::Result<Vec<wit::Utterance>> {
        let utterances = self.facts.history.iter().map(|utterance| wit::Utterance {
            role: match utterance.role {
                Role::User => wit::Role::User,
                Role::Agent => wit::Role::Agent,
            },
            text: utterance.text.clone(),
        });
        Ok(utterances.collect())
    }

    fn metric_events(&mut self) -> wasmtime::Result<Vec<wit::MetricEvent>> {
        let events = self.effects.metric_events.iter();
        Ok(events.map(|event| wit::MetricEvent { name: event.name.clone(), value: event.value.clone() }).collect())
    }

    fn say(&mut self, text: String) -> wasmtime::Result<()> {
        self.effects.charge(&[&text])?;
        self.effects.say.push(text);
        Ok(())
    }

    fn log(&mut self, entry: wit::LogEntry) -> wasmtime::Result<()> {
        self.effects.charge(&[&entry.content, &entry.fields])?;
        let fields = object(entry.fields.clone()).or_else(|_| Json::from_value(&LooseFields { fields: &entry.fields }));
        self.effects.logs.push(LogEntry {
            level: match entry.level {
                wit::LogLevel::Info => LogLevel::Info,
                wit::LogLevel::Warning => LogLevel::Warning,
                wit::LogLevel::Error => LogLevel::Error,
            },
            content: entry.content,
            is_pii: entry.is_pii,
            fields: fields?,
        });
        Ok(())
    }

    fn write_metric(
        &mut self,
        name: String,
        value: Option<String>,
        write_once: bool,
    ) -> wasmtime::Result<Result<(), wit::EffectError>> {
        self.effects.charge(&[&name, value.as_deref().unwrap_or_default()])?;
        if write_once && self.effects.metric_events.iter().any(|event| event.name == name) {
            return Ok(Ok(()));
        }
        let parsed = match value.as_deref().map(raw).transpose() {
            Ok(parsed) => parsed,
            Err(error) => return Ok(Err(invalid("value", &error))),
        };
        let arguments = Json::from_value(&MetricArguments { name: &name, value: parsed, write_once })?;
        self.effects.act("write_metric", arguments);
        let event = MetricEvent { name, value };
        let left = self.effects.metric_bytes_left.checked_sub(event.size());
        self.effects.metric_bytes_left = left.ok_or(Stopping::OutputLimit)?;
        self.effects.metric_events.push(event);
        Ok(Ok(()))
    }

    fn handoff(&mut self, request: wit::HandoffRequest) -> wasmtime::Result<Result<(), wit::EffectError>> {
        let wit::HandoffRequest { destination, reason, utterance, sip_headers, route } = request;
        let texts = [&reason, &utterance, &sip_headers, &route].map(|text| text.as_deref().unwrap_or_default());
        self.effects.charge(&[destination.as_str()])?;
        self.effects.charge(&texts)?;
        let headers = match sip_headers.map(object).transpose() {
            Ok(headers) => headers,
            Err(error) => return Ok(Err(invalid("sip_headers", &error))),
        };
        let arguments = Json::from_value(&HandoffArguments {
            destination: &destination,
            reason: reason.as_deref(),
            utterance: utterance.as_deref(),
            sip_headers: headers,
            route: route.as_deref(),
        })?;
        self.effects.act("call_handoff", arguments);
        self.effects.requested_handoff = Some(Handoff { reason, to: Some(destination) });
        Ok(Ok(()))
    }

    fn act(&mut self, name: String, arguments: String) -> wasmtime::Result<Result<(), wit::EffectError>> {
        self.effects.charge(&[&name, &arguments])?;
        match object(arguments) {
            Ok(arguments) => self.effects.act(&name, arguments),
            Err(error) => return Ok(Err(invalid("arguments", &error))),
        }
        Ok(Ok(()))
    }

    async fn request(
        &mut self,
        name: String,
        arguments: String,
    ) -> wasmtime::Result<Result<String, wit::RequestError>> {
        self.effects.charge(&[&name, &arguments])?;
        let arguments = match Json::parse(arguments) {
            Ok(arguments) => arguments,
            Err(error) => return Ok(Err(wit::RequestError::InvalidJson(error.to_string()))),
        };
        let Some(requests) = &self.requests else { return Ok(Err(wit::RequestError::Unanswered)) };
        let _paused = Deadline::pause(&self.deadline);
        let (requests, facts) = (Arc::clone(requests), Arc::clone(&self.facts));
        let answer = async move { requests.answer(&facts.id, &name, arguments).await };
        Ok(match overrun::at_home(answer).await {
            Ok(answer) => Ok(answer.as_str().to_owned()),
            Err(RequestError::Unanswered) => Err(wit::RequestError::Unanswered),
            Err(RequestError::Failed(message)) => Err(wit::RequestError::Failed(message)),
        })
    }
}

#[derive(Serialize)]
struct LooseFields<'a> {
    fields: &'a str,
}

#[derive(Serialize)]
struct MetricArguments<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    write_once: bool,
}

#[derive(Serialize)]
struct HandoffArguments<'a> {
    destination: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    utterance: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sip_headers: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<&'a str>,
}

fn raw(text: &str) -> Result<&RawValue, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn object(text: String) -> Result<Json, String> {
    let json = Json::parse(text).map_err(|error| error.to_string())?;
    if json.is_object() { Ok(json) } else { Err("it has to be an object".into()) }
}

fn invalid(argument: &str, problem: &str) -> wit::EffectError {
    wit::EffectError::InvalidJson(format!("{argument}: {problem}"))
}
