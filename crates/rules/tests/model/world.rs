//! The world that is played in: values, callers, configurations, and what can happen.
//!
//! The tables say what each of their entries means, so that the model need not work it out.

use std::collections::BTreeMap;

use agent_memory_rules::{Handoff, Json, Limits, OffReason, OpaqueValue, Outcome, StateValue, Timestamp};
use proptest::prelude::*;

pub(crate) const DAY: i64 = 86_400;

/// 2026-01-01T00:00:00Z.
pub(crate) const START_OF_2026: Timestamp = 1_767_225_600;

/// 2026-03-02T10:20:00Z.
pub(crate) const START: Timestamp = 1_772_446_800;

pub(crate) const LIMITS: Limits = Limits { key_bytes: 8, value_bytes: 40, state_keys: 4, state_bytes: 100_000 };

pub(crate) const TOO_LONG_KEY: &str = "very-long";

pub(crate) const KEYS: [&str; 5] = ["cheese", "day", "id", "mood", TOO_LONG_KEY];

pub(crate) const BLACKLISTED_PREFIX: &str = "4477";

/// A caller: whether by number, and the identifier.
pub(crate) type Who = (bool, &'static str);

/// A value that functions set, and what it means.
pub(crate) struct Value {
    /// As it is set.
    text: &'static str,
    /// As it stands in a state afterwards. None if it is no JSON.
    pub(crate) kept: Option<&'static str>,
    /// As it stands in a state, with minutes and seconds at zero. None if nothing in it is finer than the hour.
    pub(crate) rounded: Option<&'static str>,
    pub(crate) is_nested: bool,
    pub(crate) is_opaque: bool,
    pub(crate) is_too_large: bool,
    /// The identifier that it is under a `state:` source.
    pub(crate) identifier: Option<&'static str>,
}

pub(crate) const VALUES: [Value; 11] = [
    Value::plain("1.0"),
    Value { identifier: Some("brie"), ..Value::plain("\"brie\"") },
    Value {
        text: " 12345678901234567890\n",
        identifier: Some("12345678901234567890"),
        ..Value::plain("12345678901234567890")
    },
    Value::plain("null"),
    Value::plain("[1, null]"),
    Value { is_nested: true, ..Value::plain("{\"a\": [2]}") },
    Value { rounded: Some("[\"2026-03-02T10:00:00+05:30\"]"), ..Value::plain("[\"2026-03-02T10:20:30+05:30\"]") },
    Value { kept: None, ..Value::plain("{") },
    Value {
        is_too_large: true,
        identifier: Some("0123456789012345678901234567890123456789"),
        ..Value::plain("\"0123456789012345678901234567890123456789\"")
    },
    Value { is_opaque: true, ..Value::plain("datetime") },
    Value::plain("\" \""),
];

impl Value {
    const fn plain(text: &'static str) -> Self {
        Self {
            text,
            kept: Some(text),
            rounded: None,
            is_nested: false,
            is_opaque: false,
            is_too_large: false,
            identifier: None,
        }
    }

    pub(crate) fn as_set(&self) -> StateValue {
        self.state_value(self.text)
    }

    pub(crate) fn as_kept(&self) -> StateValue {
        self.state_value(self.kept.unwrap())
    }

    fn state_value(&self, text: &str) -> StateValue {
        if self.is_opaque {
            StateValue::Opaque(OpaqueValue { type_name: text.to_owned(), bytes: vec![0; 4] })
        } else {
            StateValue::Json(Json(text.to_owned()))
        }
    }
}

/// Somebody who calls, and what identifies them.
pub(crate) struct Person {
    pub(crate) number: Option<&'static str>,
    pub(crate) header: Option<&'static str>,
    pub(crate) by_number: Result<&'static str, OffReason>,
    pub(crate) by_header: Result<&'static str, OffReason>,
}

pub(crate) const CALLERS: [Person; 5] = [
    Person {
        number: Some("+441632960001"),
        header: None,
        by_number: Ok("+441632960001"),
        by_header: Err(OffReason::SourceEmpty),
    },
    Person {
        number: Some("tel:+44-1632-960001"),
        header: Some(" c-1 "),
        by_number: Ok("+441632960001"),
        by_header: Ok("c-1"),
    },
    Person { number: Some("sip:447777@host"), header: Some("brie"), by_number: Ok("447777"), by_header: Ok("brie") },
    Person {
        number: Some("anonymous"),
        header: Some("c-1"),
        by_number: Err(OffReason::Withheld),
        by_header: Ok("c-1"),
    },
    Person { number: None, header: Some("447777"), by_number: Err(OffReason::NoCallerNumber), by_header: Ok("447777") },
];

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Source {
    Number,
    Header,
    State,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Timestamps {
    Warn,
    Round,
    Keep,
}

#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) is_on: bool,
    pub(crate) has_analytics: bool,
    /// The keys, and for how many days each is retained.
    pub(crate) state_keys: BTreeMap<&'static str, i64>,
    pub(crate) retention_days: i64,
    pub(crate) sources: Vec<Source>,
    pub(crate) has_blacklist: bool,
    pub(crate) has_nested_values: bool,
    pub(crate) timestamps: Timestamps,
}

impl Config {
    pub(crate) fn to_json(&self) -> String {
        if !self.is_on {
            return "{}".to_owned();
        }
        let source = |source: &Source| match source {
            Source::Number => "caller_number",
            Source::Header => "sip_header:X-Id",
            Source::State => "state:id",
        };
        let timestamps = match self.timestamps {
            Timestamps::Warn => "warn",
            Timestamps::Round => "round",
            Timestamps::Keep => "keep",
        };
        let blacklist = if self.has_blacklist { vec![format!("{BLACKLISTED_PREFIX}*")] } else { Vec::new() };
        format!(
            r#"{{"memory": {{"repeat_caller": {{
                "analytics_enabled": {}, "state_keys": {:?}, "retention_days": {}, "retention_days_by_key": {:?},
                "identifier_source": {:?}, "identifier_blacklist": {blacklist:?}, "nested_values": {},
                "timestamps": "{timestamps}"}}}}}}"#,
            self.has_analytics,
            self.state_keys.keys().collect::<Vec<_>>(),
            self.retention_days,
            self.state_keys,
            self.sources.iter().map(source).collect::<Vec<_>>(),
            self.has_nested_values,
        )
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Wait(i64),
    Begin { caller: usize, config: usize, platform: Vec<(usize, usize)> },
    In { conversation: usize, action: Action },
}

#[derive(Clone, Debug)]
pub(crate) enum Action {
    Set {
        key: usize,
        value: usize,
    },
    Remove {
        key: usize,
    },
    Preview(End),
    Propose(End),
    Commit,
    /// Erases whoever calls, or one of their keys.
    Erase {
        key: Option<usize>,
    },
    Amend(End),
}

/// How a conversation ends.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) outcome: Outcome,
    pub(crate) requested_handoff: Option<Handoff>,
}

/// What can be seen of a turn.
#[derive(Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) memory: Vec<(String, String)>,
    /// Whether a value was taken, or a key was there to be removed.
    pub(crate) answer: bool,
    /// The state at the turn's end.
    pub(crate) state: Vec<(String, StateValue)>,
}

pub(crate) fn any_story() -> impl Strategy<Value = (Vec<Config>, Vec<Step>)> {
    prop::collection::vec(any_config(), 1..4).prop_flat_map(|configs| {
        let steps = prop::collection::vec(any_step(configs.len()), 0..120);
        (Just(configs), steps)
    })
}

fn any_config() -> impl Strategy<Value = Config> {
    let days = || prop::sample::select(vec![1, 2, 30, 90_i64]);
    let keys = prop::collection::btree_map(prop::sample::select(&KEYS[..4]), days(), 0..=6);
    let sources = prop_oneof![
        3 => Just(vec![Source::Number]),
        2 => prop::sample::subsequence(vec![Source::Number, Source::Header, Source::State], 1..=3).prop_shuffle(),
    ];
    let timestamps = prop::sample::select(vec![Timestamps::Warn, Timestamps::Round, Timestamps::Keep]);
    let switches = (prop::bool::weighted(0.95), prop::bool::weighted(0.8), any::<bool>(), any::<bool>());
    (switches, keys, days(), sources, timestamps).prop_map(|(switches, keys, retention_days, sources, timestamps)| {
        let (is_on, has_analytics, has_blacklist, has_nested_values) = switches;
        let state_keys = keys.into_iter().map(|(key, days)| (key, days.min(retention_days))).collect();
        Config {
            is_on,
            has_analytics,
            state_keys,
            retention_days,
            sources,
            has_blacklist,
            has_nested_values,
            timestamps,
        }
    })
}

fn any_step(configs: usize) -> impl Strategy<Value = Step> {
    let seconds =
        prop_oneof![4 => 1..7_200_i64, 2 => Just(3_600), 2 => 1..3 * DAY, 1 => (1..40_i64).prop_map(|days| days * DAY)];
    // What the platform puts there is JSON or opaque, and each key once.
    let value = (0..VALUES.len()).prop_filter("the platform's state is JSON", |value| VALUES[*value].kept.is_some());
    let platform =
        prop::collection::btree_map(0..4_usize, value, 0..3).prop_map(|entries| entries.into_iter().collect());
    prop_oneof![
        3 => seconds.prop_map(Step::Wait),
        5 => (prop_oneof![3 => 0..3_usize, 1 => 0..CALLERS.len()], 0..configs, platform)
            .prop_map(|(caller, config, platform)| Step::Begin { caller, config, platform }),
        34 => (0..60_usize, any_action()).prop_map(|(conversation, action)| Step::In { conversation, action }),
    ]
}

fn any_action() -> impl Strategy<Value = Action> {
    let key = || prop_oneof![6 => 0..4_usize, 1 => Just(4_usize)];
    prop_oneof![
        20 => (key(), 0..VALUES.len()).prop_map(|(key, value)| Action::Set { key, value }),
        4 => key().prop_map(|key| Action::Remove { key }),
        1 => any_end().prop_map(Action::Preview),
        3 => any_end().prop_map(Action::Propose),
        5 => Just(Action::Commit),
        1 => prop::option::of(key()).prop_map(|key| Action::Erase { key }),
        2 => any_end().prop_map(Action::Amend),
    ]
}

fn any_end() -> impl Strategy<Value = End> {
    let any_text =
        |texts: &'static [&'static str]| prop::option::of(prop::sample::select(texts).prop_map(str::to_owned));
    let any_handoff = move || {
        let handoff = (any_text(&["refund", "cheese"]), any_text(&["billing", "desk"]));
        prop::option::of(handoff.prop_map(|(reason, destination)| Handoff { reason, destination }))
    };
    let outcome = (any_text(&["resolved", "open"]), any_handoff()).prop_map(|(qa, handoff)| Outcome { qa, handoff });
    (outcome, any_handoff()).prop_map(|(outcome, requested_handoff)| End { outcome, requested_handoff })
}
