//! Turns the contract's types into those of the rules, and back. Every text moves; none is copied.

use agent_memory_rules as rules;

use crate::bindings::exports::agent::memory::policy;
use crate::bindings::exports::agent::memory::state;

/// Turns each of many.
pub(crate) fn all<A, B: From<A>>(items: Vec<A>) -> Vec<B> {
    items.into_iter().map(B::from).collect()
}

// What the rules are asked.

impl From<policy::Limits> for rules::Limits {
    fn from(limits: policy::Limits) -> Self {
        let policy::Limits { key_bytes, value_bytes, state_keys, state_bytes } = limits;
        Self { key_bytes, value_bytes, state_keys, state_bytes }
    }
}

impl From<policy::IdentifierKind> for rules::IdentifierKind {
    fn from(kind: policy::IdentifierKind) -> Self {
        match kind {
            policy::IdentifierKind::Phone => Self::Phone,
            policy::IdentifierKind::Custom => Self::Custom,
        }
    }
}

impl From<policy::Caller> for rules::Caller {
    fn from(caller: policy::Caller) -> Self {
        let policy::Caller { caller_number, sip_headers, integration_attributes } = caller;
        Self { caller_number, sip_headers, integration_attributes: integration_attributes.map(rules::Json) }
    }
}

impl From<policy::StateEntry> for rules::StateEntry {
    fn from(entry: policy::StateEntry) -> Self {
        Self { key: entry.key, value: entry.value.map(Into::into), touched: entry.touched.into() }
    }
}

impl From<policy::StateValue> for rules::StateValue {
    fn from(value: policy::StateValue) -> Self {
        match value {
            policy::StateValue::Json(text) => Self::Json(rules::Json(text)),
            policy::StateValue::Opaque(policy::OpaqueValue { type_name, bytes }) => {
                Self::Opaque(rules::OpaqueValue { type_name, bytes })
            }
        }
    }
}

impl From<policy::Touch> for rules::Touch {
    fn from(touch: policy::Touch) -> Self {
        Self {
            assigned: touch.contains(policy::Touch::ASSIGNED),
            refused: touch.contains(policy::Touch::REFUSED),
            removed: touch.contains(policy::Touch::REMOVED),
        }
    }
}

impl From<policy::StoredField> for rules::StoredField {
    fn from(field: policy::StoredField) -> Self {
        let policy::StoredField { key, value, written, expires } = field;
        Self { key, value: rules::Json(value), written, expires }
    }
}

impl From<policy::GivenField> for rules::GivenField {
    fn from(field: policy::GivenField) -> Self {
        let policy::GivenField { key, value, expires } = field;
        Self { key, value: rules::Json(value), expires }
    }
}

impl From<policy::Turn> for rules::Turn {
    fn from(turn: policy::Turn) -> Self {
        let policy::Turn { settings, fields, state, now } = turn;
        Self { settings: rules::Settings(settings), fields: all(fields), state: all(state), now }
    }
}

impl From<policy::Handoff> for rules::Handoff {
    fn from(handoff: policy::Handoff) -> Self {
        let policy::Handoff { reason, destination } = handoff;
        Self { reason, destination }
    }
}

impl From<policy::Outcome> for rules::Outcome {
    fn from(outcome: policy::Outcome) -> Self {
        Self { qa: outcome.qa, handoff: outcome.handoff.map(Into::into) }
    }
}

impl From<policy::Ending> for rules::Ending {
    fn from(ending: policy::Ending) -> Self {
        Self {
            settings: rules::Settings(ending.settings),
            conversation: ending.conversation,
            began: ending.began,
            caller: ending.caller.into(),
            state: all(ending.state),
            outcome: ending.outcome.into(),
            requested_handoff: ending.requested_handoff.map(Into::into),
            now: ending.now,
        }
    }
}

impl From<policy::Settlement> for rules::Settlement {
    fn from(settlement: policy::Settlement) -> Self {
        match settlement {
            policy::Settlement::Preview => Self::Preview,
            policy::Settlement::Committed(policy::Commitment { erased, standing, first }) => {
                Self::Committed(rules::Commitment { erased: erased.into(), standing: standing.map(Into::into), first })
            }
        }
    }
}

impl From<policy::Erased> for rules::Erased {
    fn from(erased: policy::Erased) -> Self {
        match erased {
            policy::Erased::Nothing => Self::Nothing,
            policy::Erased::Keys(keys) => Self::Keys(keys),
            policy::Erased::Everything => Self::Everything,
        }
    }
}

impl From<state::Value> for rules::StateValue {
    fn from(value: state::Value) -> Self {
        match value {
            state::Value::Json(text) => Self::Json(rules::Json(text)),
            state::Value::Opaque(state::OpaqueValue { type_name, bytes }) => {
                Self::Opaque(rules::OpaqueValue { type_name, bytes })
            }
        }
    }
}

// What goes both ways.

impl From<policy::Metric> for rules::Metric {
    fn from(metric: policy::Metric) -> Self {
        Self { name: metric.name, value: metric.value }
    }
}

impl From<rules::Metric> for policy::Metric {
    fn from(metric: rules::Metric) -> Self {
        Self { name: metric.name, value: metric.value }
    }
}

impl From<policy::Interaction> for rules::Interaction {
    fn from(interaction: policy::Interaction) -> Self {
        let policy::Interaction { began, expires, metrics } = interaction;
        Self { began, expires, metrics: all(metrics) }
    }
}

impl From<rules::Interaction> for policy::Interaction {
    fn from(interaction: rules::Interaction) -> Self {
        let rules::Interaction { began, expires, metrics } = interaction;
        Self { began, expires, metrics: all(metrics) }
    }
}

impl From<policy::DraftReport> for rules::DraftReport {
    fn from(draft: policy::DraftReport) -> Self {
        Self { off: draft.off.map(Into::into), keys: all(draft.keys), warnings: all(draft.warnings) }
    }
}

impl From<rules::DraftReport> for policy::DraftReport {
    fn from(draft: rules::DraftReport) -> Self {
        Self { off: draft.off.map(Into::into), keys: all(draft.keys), warnings: all(draft.warnings) }
    }
}

impl From<policy::OffReason> for rules::OffReason {
    fn from(reason: policy::OffReason) -> Self {
        match reason {
            policy::OffReason::MemoryOff => Self::MemoryOff,
            policy::OffReason::NoCallerNumber => Self::NoCallerNumber,
            policy::OffReason::Withheld => Self::Withheld,
            policy::OffReason::SourceEmpty => Self::SourceEmpty,
            policy::OffReason::Blacklisted => Self::Blacklisted,
        }
    }
}

impl From<rules::OffReason> for policy::OffReason {
    fn from(reason: rules::OffReason) -> Self {
        match reason {
            rules::OffReason::MemoryOff => Self::MemoryOff,
            rules::OffReason::NoCallerNumber => Self::NoCallerNumber,
            rules::OffReason::Withheld => Self::Withheld,
            rules::OffReason::SourceEmpty => Self::SourceEmpty,
            rules::OffReason::Blacklisted => Self::Blacklisted,
        }
    }
}

impl From<policy::KeyReport> for rules::KeyReport {
    fn from(report: policy::KeyReport) -> Self {
        Self { key: report.key, outcome: report.outcome.into() }
    }
}

impl From<rules::KeyReport> for policy::KeyReport {
    fn from(report: rules::KeyReport) -> Self {
        Self { key: report.key, outcome: report.outcome.into() }
    }
}

impl From<policy::KeyOutcome> for rules::KeyOutcome {
    fn from(outcome: policy::KeyOutcome) -> Self {
        match outcome {
            policy::KeyOutcome::Kept(until) => Self::Kept(until),
            policy::KeyOutcome::Dropped(reason) => Self::Dropped(reason.into()),
        }
    }
}

impl From<rules::KeyOutcome> for policy::KeyOutcome {
    fn from(outcome: rules::KeyOutcome) -> Self {
        match outcome {
            rules::KeyOutcome::Kept(until) => Self::Kept(until),
            rules::KeyOutcome::Dropped(reason) => Self::Dropped(reason.into()),
        }
    }
}

impl From<policy::DropReason> for rules::DropReason {
    fn from(reason: policy::DropReason) -> Self {
        match reason {
            policy::DropReason::NoIdentifier => Self::NoIdentifier,
            policy::DropReason::Erased => Self::Erased,
            policy::DropReason::NotInStateKeys => Self::NotInStateKeys,
            policy::DropReason::Removed => Self::Removed,
            policy::DropReason::Null => Self::Null,
            policy::DropReason::NotStorable => Self::NotStorable,
        }
    }
}

impl From<rules::DropReason> for policy::DropReason {
    fn from(reason: rules::DropReason) -> Self {
        match reason {
            rules::DropReason::NoIdentifier => Self::NoIdentifier,
            rules::DropReason::Erased => Self::Erased,
            rules::DropReason::NotInStateKeys => Self::NotInStateKeys,
            rules::DropReason::Removed => Self::Removed,
            rules::DropReason::Null => Self::Null,
            rules::DropReason::NotStorable => Self::NotStorable,
        }
    }
}

impl From<policy::Warning> for rules::Warning {
    fn from(warning: policy::Warning) -> Self {
        match warning.code {
            policy::WarningCode::FineTimestamp => Self { code: rules::WarningCode::FineTimestamp, key: warning.key },
        }
    }
}

impl From<rules::Warning> for policy::Warning {
    fn from(warning: rules::Warning) -> Self {
        match warning.code {
            rules::WarningCode::FineTimestamp => Self { code: policy::WarningCode::FineTimestamp, key: warning.key },
        }
    }
}

// What the rules answer.

impl From<rules::Configured> for policy::Configured {
    fn from(configured: rules::Configured) -> Self {
        let rules::Configured { configuration, state_keys, warnings } = configured;
        Self {
            settings: configuration.to_settings().0,
            memory_enabled: configuration.memory_enabled(),
            analytics_enabled: configuration.analytics_enabled(),
            identifies_by_state: configuration.identifies_by_state(),
            state_keys,
            warnings: all(warnings),
        }
    }
}

impl From<rules::ConfigurationWarning> for policy::ConfigurationWarning {
    fn from(warning: rules::ConfigurationWarning) -> Self {
        Self { path: warning.path, message: warning.message }
    }
}

impl From<rules::ConfigurationError> for policy::ConfigurationError {
    fn from(error: rules::ConfigurationError) -> Self {
        Self { path: error.path, found: error.found, allowed: error.allowed }
    }
}

impl From<rules::InputError> for policy::InputError {
    fn from(error: rules::InputError) -> Self {
        match error {
            rules::InputError::Settings => Self::Settings,
            rules::InputError::State(problem) => Self::State(problem),
            rules::InputError::IntegrationAttributes => Self::IntegrationAttributes,
            rules::InputError::OutOfOrder => Self::OutOfOrder,
        }
    }
}

impl From<rules::Identifier> for policy::Identifier {
    fn from(identifier: rules::Identifier) -> Self {
        let kind = match identifier.kind() {
            rules::IdentifierKind::Phone => policy::IdentifierKind::Phone,
            rules::IdentifierKind::Custom => policy::IdentifierKind::Custom,
        };
        Self { kind, text: identifier.into_text() }
    }
}

impl From<rules::Identity> for policy::Identity {
    fn from(identity: rules::Identity) -> Self {
        match identity {
            rules::Identity::Known(identifier) => Self::Known(identifier.into()),
            rules::Identity::Off(reason) => Self::Off(reason.into()),
        }
    }
}

impl From<rules::NamedIdentifier> for policy::NamedIdentifier {
    fn from(named: rules::NamedIdentifier) -> Self {
        Self { identifier: named.identifier.into(), erasure_expires: named.erasure_expires }
    }
}

impl From<rules::Identified> for policy::Identified {
    fn from(identified: rules::Identified) -> Self {
        Self { identity: identified.identity.into(), session_expires: identified.session_expires }
    }
}

impl From<rules::StateEntry> for policy::StateEntry {
    fn from(entry: rules::StateEntry) -> Self {
        Self { key: entry.key, value: entry.value.map(Into::into), touched: entry.touched.into() }
    }
}

impl From<rules::StateValue> for policy::StateValue {
    fn from(value: rules::StateValue) -> Self {
        match value {
            rules::StateValue::Json(rules::Json(text)) => Self::Json(text),
            rules::StateValue::Opaque(rules::OpaqueValue { type_name, bytes }) => {
                Self::Opaque(policy::OpaqueValue { type_name, bytes })
            }
        }
    }
}

impl From<rules::Touch> for policy::Touch {
    fn from(touch: rules::Touch) -> Self {
        let flag = |is_set, flag| if is_set { flag } else { Self::empty() };
        flag(touch.assigned, Self::ASSIGNED) | flag(touch.refused, Self::REFUSED) | flag(touch.removed, Self::REMOVED)
    }
}

impl From<rules::PatchField> for policy::PatchField {
    fn from(field: rules::PatchField) -> Self {
        let rules::PatchField { key, value: rules::Json(value), written, expires } = field;
        Self { key, value, written, expires }
    }
}

impl From<rules::InteractionProposal> for policy::InteractionProposal {
    fn from(proposal: rules::InteractionProposal) -> Self {
        Self { interaction: proposal.interaction.into(), stands_after: proposal.stands_after }
    }
}

impl From<rules::Proposal> for policy::Proposal {
    fn from(proposal: rules::Proposal) -> Self {
        Self {
            identity: proposal.identity.into(),
            patch: all(proposal.patch),
            interaction: proposal.interaction.map(Into::into),
            mark_expires: proposal.mark_expires,
            draft: proposal.draft.into(),
        }
    }
}

impl From<rules::CommitStatus> for policy::CommitStatus {
    fn from(status: rules::CommitStatus) -> Self {
        match status {
            rules::CommitStatus::Committed => Self::Committed,
            rules::CommitStatus::NoIdentifier => Self::NoIdentifier,
            rules::CommitStatus::MemoryOff => Self::MemoryOff,
            rules::CommitStatus::Preview => Self::Preview,
        }
    }
}

impl From<rules::Report> for policy::Report {
    fn from(report: rules::Report) -> Self {
        Self {
            status: report.status.into(),
            off: report.off.map(Into::into),
            keys: all(report.keys),
            first_interaction: report.first_interaction,
            warnings: all(report.warnings),
            metrics: all(report.metrics),
        }
    }
}

impl From<rules::StateValue> for state::Value {
    fn from(value: rules::StateValue) -> Self {
        match value {
            rules::StateValue::Json(rules::Json(text)) => Self::Json(text),
            rules::StateValue::Opaque(rules::OpaqueValue { type_name, bytes }) => {
                Self::Opaque(state::OpaqueValue { type_name, bytes })
            }
        }
    }
}

impl From<rules::SetError> for state::SetError {
    fn from(error: rules::SetError) -> Self {
        match error {
            rules::SetError::InvalidJson { key, problem } => Self::InvalidJson(state::JsonProblem { key, problem }),
            rules::SetError::Nested { key, path } => Self::Nested(state::Nesting { key, path }),
            rules::SetError::Opaque { key, type_name } => Self::Opaque(state::NotJson { key, type_name }),
            rules::SetError::KeyTooLong { actual, limit } => Self::KeyTooLong(state::Excess { actual, limit }),
            rules::SetError::ValueTooLarge { key, actual, limit } => {
                Self::ValueTooLarge(state::ValueExcess { key, actual, limit })
            }
            rules::SetError::StateTooLarge { key, actual, limit } => {
                Self::StateTooLarge(state::ValueExcess { key, actual, limit })
            }
        }
    }
}
