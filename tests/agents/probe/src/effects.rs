//! What a function may know of the conversation, and what it may ask for.

use agent_memory_sdk::bindings::agent::memory::{conversation as contract, state as state_contract};
use agent_memory_sdk::{Attributes, Conversation, Error, Metric, MetricEvent, Utterance, function};

use crate::{Json, limits};

#[function]
pub(crate) fn attributes(conv: &Conversation) -> Attributes {
    conv.attributes()
}

#[function]
pub(crate) fn history(conv: &Conversation) -> Vec<Utterance> {
    conv.history()
}

#[function]
pub(crate) fn metric_events(conv: &Conversation) -> Vec<MetricEvent> {
    conv.metric_events()
}

#[function]
pub(crate) fn say(conv: &Conversation, text: String) {
    conv.say(&text);
}

/// Says a text of that many bytes, that many times.
#[function]
pub(crate) fn say_much(conv: &Conversation, bytes: usize, calls: usize) {
    let text = "x".repeat(bytes);
    (0..calls).for_each(|_| conv.say(&text));
}

#[function]
pub(crate) fn log(
    _: &Conversation,
    level: String,
    content: String,
    #[default(false)] is_pii: bool,
    fields: Option<Json>,
) -> Result<(), Error> {
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
#[function]
pub(crate) fn log_much(conv: &Conversation, bytes: usize, calls: usize) {
    let text = "x".repeat(bytes);
    (0..calls).for_each(|_| conv.log().info(&text));
}

#[function]
pub(crate) fn metric(
    conv: &Conversation,
    name: String,
    value: Option<Json>,
    #[default(false)] write_once: bool,
) -> Result<(), Error> {
    let mut metric = Metric::new(&name);
    if let Some(value) = value {
        metric = metric.value(&value);
    }
    Ok(conv.write_metric(if write_once { metric.once() } else { metric })?)
}

#[function]
pub(crate) fn handoff(
    _: &Conversation,
    destination: String,
    reason: Option<String>,
    utterance: Option<String>,
    sip_headers: Option<Json>,
    route: Option<String>,
) -> Result<(), Error> {
    let sip_headers = sip_headers.map(|headers| headers.get().to_owned());
    Ok(contract::handoff(&contract::HandoffRequest { destination, reason, utterance, sip_headers, route })?)
}

#[function]
pub(crate) fn act(conv: &Conversation, name: String, arguments: Json) -> Result<(), Error> {
    Ok(conv.act(&name, &arguments)?)
}

#[function]
pub(crate) fn request(conv: &Conversation, name: String, arguments: Json) -> Result<Json, Error> {
    Ok(conv.request(&name, &arguments)?)
}

/// Spends the rest of its time after the answer.
#[function]
pub(crate) fn request_then_loop(conv: &Conversation, name: String, arguments: Json) -> Result<Json, Error> {
    request(conv, name, arguments)?;
    limits::endless()
}

/// Computes for that many rounds, and asks the platform after that.
#[function]
pub(crate) fn compute_then_request(
    conv: &Conversation,
    rounds: u64,
    name: String,
    arguments: Json,
) -> Result<Json, Error> {
    limits::compute(rounds);
    request(conv, name, arguments)
}

/// Gives a text that need not be JSON where the contract wants JSON, which the SDK would not do. Returns the
/// contract's error, or nothing where there is none.
#[function]
pub(crate) fn malformed(_: &Conversation, place: String, text: String) -> Result<Option<String>, Error> {
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
