//! Configurations, as people write them and as the rules keep them.

use agent_memory_rules::{
    Caller, Configuration, ConfigurationError, Configured, DAY, Ending, Json, Limits, MAX_RETENTION_DAYS, Outcome,
    Settings, StateEntry, StateValue, Touch, floor_to_hour, propose,
};
use serde_json::Value;

use crate::Target;

pub(crate) const TARGET: Target = Target {
    name: "configuration",
    run: configuration,
    longest: 64 << 10,
    words: &[
        "\"memory\"",
        "\"repeat_caller\"",
        "\"analytics_enabled\"",
        "\"state_keys\"",
        "\"identifier_blacklist\"",
        "\"identifier_source\"",
        "\"retention_days\"",
        "\"retention_days_by_key\"",
        "\"nested_values\"",
        "\"timestamps\"",
        "\"warn\"",
        "\"round\"",
        "\"keep\"",
        "caller_number",
        "sip_header:",
        "sip_headers:",
        "integration_attribute:",
        "state:",
        "true",
        "false",
        "null",
        "90",
        "91",
        "0",
        "-1",
        "1e1",
        "1.0",
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"\"",
        "\\u0041",
        "\\ud83d",
        "*",
        "+44",
        "from_",
    ],
};

/// 2026-03-02T10:20:00Z.
const NOW: i64 = 1_772_446_800;

/// Limits that few configurations keep to.
const NARROW: Limits = Limits { key_bytes: 8, value_bytes: 16, state_keys: 2, state_bytes: 64 };

/// How much of a configuration an error shows, in bytes, whatever is in it.
const SHOWN: usize = 4_096;

/// Reads bytes as a configuration (C1 to C6), and as settings.
///
/// - A mistake is told with its place and what is allowed there, briefly, and never shows an entry of the blacklist (P3).
/// - What is taken keeps to the limits, and comes through its settings unchanged.
/// - The same JSON, written otherwise, means the same.
pub fn configuration(data: &[u8]) {
    let settings = Settings(data.to_vec());
    if let Ok(configuration) = Configuration::from_settings(&settings) {
        let again = Configuration::from_settings(&configuration.to_settings());
        assert_eq!(again.as_ref(), Ok(&configuration), "settings that were made of settings");
    }
    let Ok(source) = std::str::from_utf8(data) else { return };
    for limits in [Limits::default(), NARROW] {
        match Configuration::parse(source, limits) {
            Ok(configured) => check(source, limits, &configured),
            Err(errors) => check_errors(source, &errors),
        }
    }
}

fn check_errors(source: &str, errors: &[ConfigurationError]) {
    assert!(!errors.is_empty(), "a configuration was refused without a reason");
    let secrets = secrets(source);
    for error in errors {
        assert!(!error.path.is_empty() && !error.found.is_empty() && !error.allowed.is_empty(), "{error:?}");
        let text = error.to_string();
        assert!(error.path.len() <= SHOWN && text.len() <= 3 * SHOWN, "an error of {} bytes", text.len());
        assert!(!secrets.iter().any(|secret| text.contains(secret)), "an error shows the blacklist: {text}");
    }
}

fn check(source: &str, limits: Limits, configured: &Configured) {
    let Configured { configuration, state_keys, warnings } = configured;
    let settings = configuration.to_settings();
    assert_eq!(Configuration::from_settings(&settings).as_ref(), Ok(configuration), "settings have another meaning");
    let secrets = secrets(source);
    for warning in warnings {
        assert!(!secrets.iter().any(|secret| warning.message.contains(secret)), "a warning shows the blacklist");
    }
    assert!(state_keys.len() <= limits.state_keys as usize, "{} keys", state_keys.len());
    assert!(state_keys.iter().all(|key| key.len() <= limits.key_bytes as usize && !key.trim().is_empty()));
    assert!(configuration.memory_enabled() || state_keys.is_empty() && !configuration.analytics_enabled());
    if let Some(same) = written_otherwise(source) {
        let again = Configuration::parse(&same, limits).unwrap_or_else(|errors| panic!("{errors:?} in {same}"));
        assert_eq!(again.configuration, *configuration, "the same JSON means something else: {same}");
    }
    retains_no_longer_than_allowed(&settings, state_keys);
}

/// C3, E1: whatever a configuration says, a field is retained for at least a day and at most 90, from the hour on.
fn retains_no_longer_than_allowed(settings: &Settings, state_keys: &[String]) {
    let set = |key: &String| StateEntry {
        key: key.clone(),
        value: Some(StateValue::Json(Json("1".into()))),
        touched: Touch { assigned: true, ..Touch::default() },
    };
    // Keys that are as long as the state may be do not fit into it together.
    for entry in state_keys.iter().map(set) {
        let key = entry.key.clone();
        let proposal = propose(Ending {
            settings: settings.clone(),
            conversation: "conversation".into(),
            began: NOW,
            caller: Caller { caller_number: Some("+441632960001".into()), ..Caller::default() },
            state: vec![entry],
            outcome: Outcome::default(),
            requested_handoff: None,
            now: NOW,
        })
        .expect("a state of one small value");
        for field in proposal.patch {
            assert_eq!(field.key, key);
            let retained = field.expires - floor_to_hour(NOW);
            assert!((DAY..=i64::from(MAX_RETENTION_DAYS) * DAY).contains(&retained), "retained for {retained} s");
        }
    }
}

/// The identifiers of the blacklist that nothing else in the source could be taken for.
fn secrets(source: &str) -> Vec<String> {
    let value: Value = serde_json::from_str(source).unwrap_or_default();
    let entries = value["memory"]["repeat_caller"]["identifier_blacklist"].as_array().cloned().unwrap_or_default();
    let texts = entries.into_iter().filter_map(|entry| Some(entry.as_str()?.to_owned()));
    let is_secret = |text: &String| {
        text.bytes().filter(u8::is_ascii_digit).count() >= 6 && source.matches(text.as_str()).count() == 1
    };
    texts.filter(is_secret).collect()
}

/// The same JSON in another notation, where its meaning is clear: no name twice, and no number but a plain integer.
fn written_otherwise(source: &str) -> Option<String> {
    let value: Value = serde_json::from_str(source).ok()?;
    let same = serde_json::to_string_pretty(&value).ok()?;
    let integers_only = |text: &str| !text.contains(['.', 'e', 'E', '-']);
    let names = |text: &str| text.matches(':').count();
    (integers_only(&source.to_ascii_lowercase().replace("true", "").replace("false", ""))
        && names(source) == names(&same))
    .then_some(same)
}
