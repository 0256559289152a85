//! Repeat callers: what is recorded of a caller's first conversation, and what later ones are told of it (A1 to A8).

use crate::configuration::MemoryRules;
use crate::timestamp::{DAY, Timestamp, expiry, floor_to_hour, format_hour};

/// A metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// Where a caller was handed over to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Handoff {
    /// Why.
    pub reason: Option<String>,
    /// To whom.
    pub destination: Option<String>,
}

/// How a conversation went, as the embedding runtime says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What quality assurance says.
    pub qa: Option<String>,
    /// The handoff, if there was one.
    pub handoff: Option<Handoff>,
}

/// A first interaction, in the form in which it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interaction {
    /// The hour in which the conversation began.
    pub began: Timestamp,
    /// When it expires: a full hour.
    pub expires: Timestamp,
    /// What later conversations of the caller are told of it (A3). What it did not have is left out.
    pub metrics: Vec<Metric>,
}

/// A first interaction, to be recorded if none stands (A2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InteractionProposal {
    /// The record.
    pub interaction: Interaction,
    /// An older record stands only if it began after this time and has not expired: the current configuration may
    /// retain it for a shorter time than the one that it was made under (C7).
    pub stands_after: Timestamp,
}

const CONVERSATION: &str = "REPEAT_CALLER_CONV_ID";
const BEGAN: &str = "REPEAT_CALLER_DATETIME";
const QA: &str = "REPEAT_CALLER_QA";
const HANDOFF_REASON: &str = "REPEAT_CALLER_HANDOFF_REASON";
const HANDOFF_DESTINATION: &str = "REPEAT_CALLER_HANDOFF_TO";

/// A first interaction with an outcome that became known after its conversation's end (A8).
pub fn amend(mut interaction: Interaction, outcome: Outcome) -> Interaction {
    let metrics = &mut interaction.metrics;
    if let Some(qa) = outcome.qa {
        replace(metrics, QA, Some(qa));
    }
    if let Some(handoff) = outcome.handoff {
        replace(metrics, HANDOFF_REASON, handoff.reason);
        replace(metrics, HANDOFF_DESTINATION, handoff.destination);
    }
    interaction
}

/// What is to be recorded of a conversation if it is the caller's first. None without `analytics_enabled` (A5), and
/// where the record would have expired already.
pub(crate) fn propose_interaction(
    memory: &MemoryRules,
    conversation: String,
    began: Timestamp,
    outcome: Outcome,
    requested_handoff: Option<Handoff>,
    now: Timestamp,
) -> Option<InteractionProposal> {
    let (began, expires) = (floor_to_hour(began), expiry(began, memory.retention_days));
    if !memory.analytics_enabled || expires <= now {
        return None;
    }
    let metrics = vec![
        Metric { name: CONVERSATION.to_owned(), value: conversation },
        Metric { name: BEGAN.to_owned(), value: format_hour(began) },
    ];
    let outcome = Outcome { qa: outcome.qa, handoff: outcome.handoff.or(requested_handoff) };
    let interaction = amend(Interaction { began, expires, metrics }, outcome);
    let stands_after = floor_to_hour(now.saturating_sub(i64::from(memory.retention_days) * DAY));
    Some(InteractionProposal { interaction, stands_after })
}

/// Gives a metric another value, or takes it away, and keeps the metrics in the order of rule A3.
fn replace(metrics: &mut Vec<Metric>, name: &str, value: Option<String>) {
    metrics.retain(|metric| metric.name != name);
    if let Some(value) = value {
        let index = metrics.iter().take_while(|metric| rank(&metric.name) < rank(name)).count();
        metrics.insert(index, Metric { name: name.to_owned(), value });
    }
}

fn rank(name: &str) -> usize {
    let order = [CONVERSATION, BEGAN, QA, HANDOFF_REASON, HANDOFF_DESTINATION];
    order.iter().position(|known| *known == name).unwrap_or(order.len())
}
