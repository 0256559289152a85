//! What the tests of all families need.

use agent_memory_rules::{
    Caller, Configuration, ConfigurationError, Configured, Ending, Handoff, Identity, Json, Limits, OffReason,
    OpaqueValue, Outcome, Proposal, Sandbox, SetError, Settings, StateEntry, StateValue, StoredField, Timestamp, Touch,
    Turn, identify, propose,
};
use proptest::prelude::*;

/// 2026-03-02T10:20:00Z.
pub(crate) const NOW: Timestamp = 1_772_446_800;

/// 2026-03-02T10:00:00Z, the hour of [`NOW`].
pub(crate) const HOUR_OF_NOW: Timestamp = 1_772_445_600;

pub(crate) const HOUR: i64 = 3_600;
pub(crate) const DAY: i64 = 86_400;

/// A caller's number.
pub(crate) const NUMBER: &str = "+441632960001";

/// The configuration that most tests use.
pub(crate) const CHEESE: &str =
    r#"{"memory": {"repeat_caller": {"analytics_enabled": true, "state_keys": ["cheese_type", "booking_day"]}}}"#;

pub(crate) fn parse(source: &str) -> Result<Configured, Vec<ConfigurationError>> {
    Configuration::parse(source, Limits::default())
}

pub(crate) fn configuration(source: &str) -> Configuration {
    parse(source).unwrap().configuration
}

/// A configuration whose `repeat_caller` has these members.
pub(crate) fn repeat_caller(members: &str) -> String {
    format!(r#"{{"memory": {{"repeat_caller": {{{members}}}}}}}"#)
}

pub(crate) fn settings(source: &str) -> Settings {
    configuration(source).to_settings()
}

pub(crate) fn calling_from(number: &str) -> Caller {
    Caller { caller_number: Some(number.to_owned()), ..Caller::default() }
}

/// Whose memory it is for a caller without any state: the identifier's text, or why there is none.
pub(crate) fn who(source: &str, caller: &Caller) -> Result<String, OffReason> {
    who_with_state(source, caller, Vec::new())
}

pub(crate) fn who_with_state(source: &str, caller: &Caller, state: Vec<StateEntry>) -> Result<String, OffReason> {
    match identify(&settings(source), caller, state, NOW).unwrap().identity {
        Identity::Known(identifier) => Ok(identifier.into_text()),
        Identity::Off(reason) => Err(reason),
    }
}

/// A key that the platform put into the state.
pub(crate) fn from_platform(key: &str, value: &str) -> StateEntry {
    StateEntry { key: key.to_owned(), value: Some(json(value)), touched: Touch::default() }
}

pub(crate) fn json(text: &str) -> StateValue {
    StateValue::Json(Json(text.to_owned()))
}

pub(crate) fn opaque(type_name: &str) -> StateValue {
    StateValue::Opaque(OpaqueValue { type_name: type_name.to_owned(), bytes: vec![1, 2, 3] })
}

/// A field that was committed at a time and expires 90 days later.
pub(crate) fn stored(key: &str, value: &str, written: Timestamp) -> StoredField {
    StoredField { key: key.to_owned(), value: Json(value.to_owned()), written, expires: written + 90 * DAY }
}

/// A conversation, played without any sandbox or store.
pub(crate) struct Conversation {
    pub(crate) settings: Settings,
    pub(crate) caller: Caller,
    pub(crate) state: Vec<StateEntry>,
    pub(crate) outcome: Outcome,
    pub(crate) requested_handoff: Option<Handoff>,
    /// When its turns are.
    pub(crate) now: Timestamp,
}

impl Conversation {
    pub(crate) fn new(source: &str) -> Self {
        Self {
            settings: settings(source),
            caller: calling_from(NUMBER),
            state: Vec::new(),
            outcome: Outcome::default(),
            requested_handoff: None,
            now: NOW,
        }
    }

    /// Runs a turn for a caller on whom fields are stored.
    pub(crate) fn turn<T>(&mut self, fields: Vec<StoredField>, function: impl FnOnce(&mut Sandbox) -> T) -> T {
        let mut sandbox = Sandbox::new();
        let (settings, state) = (self.settings.clone(), std::mem::take(&mut self.state));
        sandbox.begin(Turn { settings, fields, state, now: self.now }).unwrap();
        let value = function(&mut sandbox);
        self.state = sandbox.finish().unwrap();
        value
    }

    /// Sets a key in a turn of its own.
    pub(crate) fn set(&mut self, key: &str, value: &str) -> Result<(), SetError> {
        self.set_value(key, json(value))
    }

    pub(crate) fn set_value(&mut self, key: &str, value: StateValue) -> Result<(), SetError> {
        self.turn(Vec::new(), |sandbox| sandbox.state_mut().set(key.to_owned(), value))
    }

    /// Removes a key in a turn of its own.
    pub(crate) fn remove(&mut self, key: &str) -> bool {
        self.turn(Vec::new(), |sandbox| sandbox.state_mut().remove(key))
    }

    /// What the end would write if the conversation began and ended [`NOW`].
    pub(crate) fn propose(&self) -> Proposal {
        self.propose_at(NOW, NOW)
    }

    pub(crate) fn propose_at(&self, began: Timestamp, now: Timestamp) -> Proposal {
        propose(Ending {
            settings: self.settings.clone(),
            conversation: "call-1".to_owned(),
            began,
            caller: self.caller.clone(),
            state: self.state.clone(),
            outcome: self.outcome.clone(),
            requested_handoff: self.requested_handoff.clone(),
            now,
        })
        .unwrap()
    }
}

/// The patch as keys and values.
pub(crate) fn patch(proposal: &Proposal) -> Vec<(&str, &str)> {
    proposal.patch.iter().map(|field| (field.key.as_str(), field.value.0.as_str())).collect()
}

/// Any JSON text of a few levels, its members ordered by name.
pub(crate) fn any_json() -> BoxedStrategy<String> {
    let number = prop_oneof!["-?(0|[1-9][0-9]{0,24})", "-?(0|[1-9][0-9]{0,5})\\.[0-9]{1,9}", "[1-9]e[+-]?[0-9]{1,2}"];
    let leaf = prop_oneof![Just("null".to_owned()), Just("true".to_owned()), number, any_text().prop_map(quoted)];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let member = |(name, value)| format!("{}: {value}", quoted(name));
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|elements| format!("[{}]", elements.join(", "))),
            prop::collection::btree_map(any_text(), inner, 0..4).prop_map(move |members| {
                format!("{{ {} }}", members.into_iter().map(member).collect::<Vec<_>>().join(" ,"))
            }),
        ]
    })
    .boxed()
}

/// Texts that are hard on whoever reads JSON, and date-times.
pub(crate) fn any_text() -> BoxedStrategy<String> {
    prop_oneof![
        3 => "[a-z~/:{}\\[\\],\"\\\\ \u{1}é😀]{0,6}",
        1 => "20[0-9]{2}-0[1-9]-[0-2][1-9][Tt ][01][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,4})?(Z|[+-]0[0-9]:[0-5]0)",
    ]
    .boxed()
}

pub(crate) fn quoted(text: String) -> String {
    serde_json::Value::from(text).to_string()
}
