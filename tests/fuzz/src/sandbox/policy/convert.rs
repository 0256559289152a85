//! The contract's types as those of the rules, and back. It is written apart from what the policy itself has for that, so
//! that a mistake there is no mistake here.

use agent_memory_rules as rules;

use super::joined::{policy as wit, state};

/// Turns each of many.
pub(super) fn all<A, B: From<A>>(items: Vec<A>) -> Vec<B> {
    items.into_iter().map(B::from).collect()
}

pub(super) fn state_value(value: rules::StateValue) -> state::Value {
    match value {
        rules::StateValue::Json(rules::Json(text)) => state::Value::Json(text),
        rules::StateValue::Opaque(rules::OpaqueValue { type_name, bytes }) => {
            state::Value::Opaque(state::OpaqueValue { type_name, bytes })
        }
    }
}

fn same<A, B: From<A>>(item: A) -> B {
    item.into()
}

fn if_any<A, B: From<A>>(item: Option<A>) -> Option<B> {
    item.map(B::from)
}

fn text(json: rules::Json) -> String {
    json.0
}

fn json(text: String) -> rules::Json {
    rules::Json(text)
}

fn if_json(text: Option<String>) -> Option<rules::Json> {
    text.map(rules::Json)
}

fn settings(bytes: Vec<u8>) -> rules::Settings {
    rules::Settings(bytes)
}

/// Turns records of one side into those of the other: each field by the function that is named for it.
macro_rules! records {
    ($($from:ident::$name:ident => $to:ident { $($field:ident: $turn:ident),* };)+) => {
        $(impl From<$from::$name> for $to::$name {
            fn from(record: $from::$name) -> Self {
                Self { $($field: $turn(record.$field)),* }
            }
        })+
    };
}

/// Turns cases of one side into those of the other.
macro_rules! cases {
    ($($from:ident::$name:ident => $to:ident { $($case:ident $(($value:ident))?),* };)+) => {
        $(impl From<$from::$name> for $to::$name {
            fn from(case: $from::$name) -> Self {
                match case {
                    $($from::$name::$case $(($value))? => Self::$case $(($value.into()))?),*
                }
            }
        })+
    };
}

// What is asked.
records! {
    wit::Limits => rules { key_bytes: same, value_bytes: same, state_keys: same, state_bytes: same };
    wit::Caller => rules { caller_number: if_any, sip_headers: all, integration_attributes: if_json };
    wit::OpaqueValue => rules { type_name: same, bytes: same };
    wit::StateEntry => rules { key: same, value: if_any, touched: same };
    wit::StoredField => rules { key: same, value: json, written: same, expires: same };
    wit::GivenField => rules { key: same, value: json, expires: if_any };
    wit::Turn => rules { settings: settings, fields: all, state: all, now: same };
    wit::Handoff => rules { reason: if_any, destination: if_any };
    wit::Outcome => rules { qa: if_any, handoff: if_any };
    wit::Ending => rules {
        settings: settings, conversation: same, began: same, caller: same, state: all, outcome: same,
        requested_handoff: if_any, now: same
    };
    wit::Metric => rules { name: same, value: same };
    wit::Interaction => rules { began: same, expires: same, metrics: all };
    wit::Commitment => rules { erased: same, standing: if_any, first: same };
    state::OpaqueValue => rules { type_name: same, bytes: same };
}

cases! {
    wit::IdentifierKind => rules { Phone, Custom };
    wit::Erased => rules { Nothing, Keys(keys), Everything };
    wit::Settlement => rules { Preview, Committed(commitment) };
}

impl From<wit::StateValue> for rules::StateValue {
    fn from(value: wit::StateValue) -> Self {
        match value {
            wit::StateValue::Json(text) => Self::Json(rules::Json(text)),
            wit::StateValue::Opaque(value) => Self::Opaque(value.into()),
        }
    }
}

impl From<state::Value> for rules::StateValue {
    fn from(value: state::Value) -> Self {
        match value {
            state::Value::Json(text) => Self::Json(rules::Json(text)),
            state::Value::Opaque(value) => Self::Opaque(value.into()),
        }
    }
}

impl From<wit::Touch> for rules::Touch {
    fn from(touch: wit::Touch) -> Self {
        let has = |flag| touch & flag == flag;
        Self {
            assigned: has(wit::Touch::ASSIGNED),
            refused: has(wit::Touch::REFUSED),
            removed: has(wit::Touch::REMOVED),
        }
    }
}

// What is answered.
records! {
    rules::ConfigurationWarning => wit { path: same, message: same };
    rules::ConfigurationError => wit { path: same, found: same, allowed: same };
    rules::NamedIdentifier => wit { identifier: same, erasure_expires: same };
    rules::Identified => wit { identity: same, session_expires: same };
    rules::OpaqueValue => wit { type_name: same, bytes: same };
    rules::StateEntry => wit { key: same, value: if_any, touched: same };
    rules::PatchField => wit { key: same, value: text, written: same, expires: same };
    rules::Metric => wit { name: same, value: same };
    rules::Interaction => wit { began: same, expires: same, metrics: all };
    rules::InteractionProposal => wit { interaction: same, stands_after: same };
    rules::KeyReport => wit { key: same, outcome: same };
    rules::Warning => wit { code: same, key: same };
    rules::DraftReport => wit { off: if_any, keys: all, warnings: all };
    rules::Proposal => wit { identity: same, patch: all, interaction: if_any, mark_expires: same, draft: same };
    rules::Report => wit { status: same, off: if_any, keys: all, first_interaction: same, warnings: all, metrics: all };
}

cases! {
    rules::InputError => wit { Settings, State(problem), IntegrationAttributes, OutOfOrder };
    rules::IdentifierKind => wit { Phone, Custom };
    rules::Identity => wit { Known(identifier), Off(reason) };
    rules::OffReason => wit { MemoryOff, NoCallerNumber, Withheld, SourceEmpty, Blacklisted };
    rules::KeyOutcome => wit { Kept(until), Dropped(reason) };
    rules::DropReason => wit { NoIdentifier, Erased, NotInStateKeys, Removed, Null, NotStorable };
    rules::WarningCode => wit { FineTimestamp };
    rules::CommitStatus => wit { Committed, NoIdentifier, MemoryOff, Preview };
}

impl From<rules::Configured> for wit::Configured {
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

impl From<rules::Identifier> for wit::Identifier {
    fn from(identifier: rules::Identifier) -> Self {
        Self { kind: identifier.kind().into(), text: identifier.text().to_owned() }
    }
}

impl From<rules::StateValue> for wit::StateValue {
    fn from(value: rules::StateValue) -> Self {
        match value {
            rules::StateValue::Json(rules::Json(text)) => Self::Json(text),
            rules::StateValue::Opaque(value) => Self::Opaque(value.into()),
        }
    }
}

impl From<rules::Touch> for wit::Touch {
    fn from(touch: rules::Touch) -> Self {
        let flags = [(touch.assigned, Self::ASSIGNED), (touch.refused, Self::REFUSED), (touch.removed, Self::REMOVED)];
        flags.into_iter().filter(|(is_set, _)| *is_set).fold(Self::empty(), |all, (_, flag)| all | flag)
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
