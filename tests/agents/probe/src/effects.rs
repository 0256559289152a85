//! What a function may know of the conversation, and what it may ask for.

use agent_memory_sdk::bindings::agent::memory::{conversation as contract, state as state_contract};
use agent_memory_sdk::{Attributes, Conversation, Error, Metric, MetricEvent, Utterance};

use crate::{Json, arguments, limits};

arguments! {
    Text { text: String }
    Much { bytes: usize, calls: usize }
    Effect { name: String, arguments: Json }
    MetricArguments { name: String, value: Option<Json>, #[serde(default)] write_once: bool }
    LogArguments { level: String, content: String, #[serde(default)] is_pii: bool, fields: Option<Json> }
    HandoffArguments {
        destination: String,
        reason: Option<String>,
        utterance: Option<String>,
        sip_headers: Option<Json>,
        route: Option<String>,
    }
    Malformed { place: String, text: String }
}

pub(crate) fn attributes(conv: &Conversation) -> Attributes {
    conv.attributes()
}

pub(crate) fn history(conv: &Conversation) -> Vec<Utterance> {
    conv.history()
}

pub(crate) fn metric_events(conv: &Conversation) -> Vec<MetricEvent> {
    conv.metric_events()
}

pub(crate) fn say(conv: &Conversation, Text { text }: Text) {
    conv.say(&text);
}

/// Says a text of that many bytes, that many times.
pub(crate) fn say_much(conv: &Conversation, Much { bytes, calls }: Much) {
    let text = "x".repeat(bytes);
    (0..calls).for_each(|_| conv.say(&text));
}

pub(crate) fn log(_: &Conversation, arguments: LogArguments) -> Result<(), Error> {
    let LogArguments { level, content, is_pii, fields } = arguments;
    let level = match &*level {
        "info" => contract::LogLevel::Info,
        "warning" => contract::LogLevel::Warning,
        "error" => contract::LogLevel::Error,
        _ => return Err(Error::new("ProbeMisused", "level is one of info, warning, error")),
    };
    let fields = fields.map_or("{}".to_owned(), |fields| fields.get().to_owned());
    contract::log(&contract::LogEntry { level, content, is_pii, fields });
    Ok(())
}

/// Logs a text of that many bytes, that many times.
pub(crate) fn log_much(conv: &Conversation, Much { bytes, calls }: Much) {
    let text = "x".repeat(bytes);
    (0..calls).for_each(|_| conv.log().info(&text));
}

pub(crate) fn metric(conv: &Conversation, arguments: MetricArguments) -> Result<(), Error> {
    let MetricArguments { name, value, write_once } = arguments;
    let mut metric = Metric::new(&name);
    if let Some(value) = value {
        metric = metric.value(&value);
    }
    Ok(conv.write_metric(if write_once { metric.once() } else { metric })?)
}

pub(crate) fn handoff(_: &Conversation, arguments: HandoffArguments) -> Result<(), Error> {
    let HandoffArguments { destination, reason, utterance, sip_headers, route } = arguments;
    let sip_headers = sip_headers.map(|headers| headers.get().to_owned());
    Ok(contract::handoff(&contract::HandoffRequest { destination, reason, utterance, sip_headers, route })?)
}

pub(crate) fn act(conv: &Conversation, Effect { name, arguments }: Effect) -> Result<(), Error> {
    Ok(conv.act(&name, &arguments)?)
}

pub(crate) fn request(conv: &Conversation, Effect { name, arguments }: Effect) -> Result<Json, Error> {
    Ok(conv.request(&name, &arguments)?)
}

/// Spends the rest of its time after the answer.
pub(crate) fn request_then_loop(conv: &Conversation, arguments: Effect) -> Result<Json, Error> {
    request(conv, arguments)?;
    limits::endless()
}

/// Gives a text that need not be JSON where the contract wants JSON, which the SDK would not do. Returns the
/// contract's error, or nothing where there is none.
pub(crate) fn malformed(_: &Conversation, Malformed { place, text }: Malformed) -> Result<Option<String>, Error> {
    let problem = match &*place {
        "state" => state_contract::set("malformed", &state_contract::Value::Json(text)).err().map(debug),
        "metric" => contract::write_metric("malformed", Some(&text), false).err().map(debug),
        "handoff" => contract::handoff(&contract::HandoffRequest {
            destination: "malformed".to_owned(),
            reason: None,
            utterance: None,
            sip_headers: Some(text),
            route: None,
        })
        .err()
        .map(debug),
        "act" => contract::act("malformed", &text).err().map(debug),
        "request" => contract::request("malformed", &text).err().map(debug),
        "log" => {
            contract::log(&contract::LogEntry {
                level: contract::LogLevel::Info,
                content: "malformed".to_owned(),
                is_pii: false,
                fields: text,
            });
            None
        }
        _ => return Err(Error::new("ProbeMisused", "place is one of state, metric, handoff, act, request, log")),
    };
    Ok(problem)
}

fn debug(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}
