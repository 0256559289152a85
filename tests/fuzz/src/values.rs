//! Values, from the function that sets them to the next conversation that reads them.

use agent_memory_rules::{
    Caller, Configuration, DropReason, Ending, Json, KeyOutcome, Limits, Outcome, PatchField, Proposal, Sandbox,
    SetError, Settings, StateValue, StoredField, Turn, propose,
};
use serde_json::Value;

use crate::Target;

pub(crate) const TARGET: Target = Target {
    name: "values",
    run: values,
    longest: 20 << 10,
    words: &[
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\\u0000",
        "\\ud83d\\ude00",
        "\\ud83d",
        "\\/",
        "null",
        "true",
        "1.0",
        "1e999",
        "-0",
        "12345678901234567890",
        "2026-03-02T10:20:30Z",
        "2026-03-02t23:59:60.999+05:30",
        "\"a\":",
        "~",
        "/",
        " ",
        "\t",
        "\r\n",
    ],
};

/// 2026-03-02T10:20:00Z.
const NOW: i64 = 1_772_446_800;

const WARN: &str = "warn";
const ROUND: &str = "round";
const KEEP: &str = "keep";

/// Sets a text as the value of a memory key and of another one (V1 to V5, W5, P2, M2 to M4). Bits of the first byte say
/// whether nested values are allowed, and whether values are limited to 16 bytes.
///
/// - What is no JSON is refused, and what is JSON is kept text for text, without the white space around it.
/// - Of a memory key, a value that is nested, too large or `null` becomes what the rules say.
/// - What is written to the store is the text that was set, but for date-times where they are to be rounded, and that
///   changes nothing else, and nothing the second time.
/// - The next conversation reads what was written, until it expires and not a second longer.
pub fn values(data: &[u8]) {
    let Some((flags, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let nested = flags & 1 != 0;
    let limits = Limits { value_bytes: if flags & 2 != 0 { 16 } else { 8_192 }, ..Limits::default() };
    let trimmed = text.trim_matches([' ', '\t', '\n', '\r']);

    let mut sandbox = begin(&settings(nested, WARN, limits), Vec::new(), NOW);
    let elsewhere = sandbox.state_mut().set("other".into(), json(text));
    let set = sandbox.state_mut().set("key".into(), json(text));
    let value = match serde_json::from_str::<Value>(text) {
        Ok(value) => Some(value),
        // Rules of this reader, and not of JSON.
        Err(error) if error.to_string().contains("out of range") || error.to_string().contains("recursion") => None,
        Err(error) => {
            assert!(matches!(elsewhere, Err(SetError::InvalidJson { .. })), "{error}, and it was set");
            assert!(matches!(set, Err(SetError::InvalidJson { .. })), "{error}, and it was set");
            return;
        }
    };
    if matches!(elsewhere, Err(SetError::InvalidJson { .. })) {
        assert!(value.is_none(), "what is JSON was refused");
        assert_eq!(set.is_err(), elsewhere.is_err());
        return;
    }
    assert_eq!(elsewhere, Ok(()), "another key takes any JSON");
    assert_eq!(sandbox.state().get("other"), Some(&json(trimmed)), "another key has another text");
    check_set(trimmed, value.as_ref(), nested, limits, &set);
    assert_eq!(
        sandbox.state().get("key"),
        set.is_ok().then(|| json(trimmed)).as_ref(),
        "a memory key has another text"
    );
    assert!(sandbox.memory().get("key").is_none(), "M3: it is not in memory before the next conversation");

    let state = sandbox.finish().expect("the turn has begun");
    let propose = |timestamps| {
        propose(Ending {
            settings: settings(nested, timestamps, limits),
            conversation: "conversation".into(),
            began: NOW,
            caller: Caller { caller_number: Some("+441632960001".into()), ..Caller::default() },
            state: state.clone(),
            outcome: Outcome::default(),
            requested_handoff: None,
            now: NOW,
        })
        .expect("the state that a turn has left")
    };
    let [kept, warned, rounded] = [KEEP, WARN, ROUND].map(propose);
    for proposal in [&kept, &warned, &rounded] {
        check_outcome(trimmed, set.is_ok(), proposal);
    }
    let [Some(kept), Some(as_set), Some(without_minutes)] =
        [&kept, &warned, &rounded].map(|proposal| proposal.patch.first())
    else {
        return;
    };
    assert_eq!((kept.value.0.as_str(), as_set.value.0.as_str()), (trimmed, trimmed), "V4: the text is kept");
    let is_fine = without_minutes.value.0 != trimmed;
    assert_eq!(!warned.draft.warnings.is_empty(), is_fine, "P2: what is rounded is what is warned of");
    check_rounded(trimmed, &without_minutes.value.0);
    for field in [as_set, without_minutes] {
        check_read(nested, limits, field);
    }
}

/// What becomes of a memory key's value when it is set.
fn check_set(trimmed: &str, value: Option<&Value>, nested: bool, limits: Limits, set: &Result<(), SetError>) {
    // Of members with one name the value has the last, and the text has them all.
    let value = value.filter(|value| count(&value.to_string()) == count(trimmed));
    let is_nested = value.map(has_nested_member);
    match set {
        Ok(()) => {
            assert!(nested || is_nested != Some(true), "V2: a nested value was taken");
            assert!(trimmed.len() <= limits.value_bytes as usize, "V5: a large value was taken");
        }
        Err(SetError::Nested { path, .. }) => {
            assert!(!nested && is_nested != Some(false), "a flat value was refused as nested");
            if let Some(value) = value {
                let member = value.pointer(path);
                assert!(
                    member.is_some_and(|member| member.is_object() || member.is_array()),
                    "nothing nested at {path}"
                );
            }
        }
        Err(SetError::ValueTooLarge { actual, limit, .. }) => {
            assert!(nested || is_nested != Some(true), "a nested value was refused as large");
            assert_eq!((*actual, *limit), (trimmed.len() as u64, u64::from(limits.value_bytes)));
            assert!(actual > limit, "V5: a small value was refused");
        }
        Err(error) => panic!("{error:?}"),
    }
}

/// What is reported of a memory key, and whether it is written (W5).
fn check_outcome(trimmed: &str, is_set: bool, proposal: &Proposal) {
    let reports = &proposal.draft.keys;
    let outcome = |key| reports.iter().find(|report| report.key == key).map(|report| report.outcome);
    assert_eq!(outcome("other"), Some(KeyOutcome::Dropped(DropReason::NotInStateKeys)));
    let expected = match (is_set, trimmed) {
        (false, _) => Some(KeyOutcome::Dropped(DropReason::NotStorable)),
        (true, "null") => Some(KeyOutcome::Dropped(DropReason::Null)),
        (true, _) => proposal.patch.first().map(|field| KeyOutcome::Kept(field.expires)),
    };
    assert!(outcome("key") == expected && expected.is_some(), "{:?}", outcome("key"));
    let is_kept = matches!(expected, Some(KeyOutcome::Kept(_)));
    assert_eq!(proposal.patch.len(), usize::from(is_kept), "what is reported is not what is written");
}

/// P2: digits have become zeros, in texts alone, and that is all.
fn check_rounded(text: &str, rounded: &str) {
    let before: Option<Value> = serde_json::from_str(text).ok();
    let after: Option<Value> = serde_json::from_str(rounded).ok();
    assert_eq!(before.is_some(), after.is_some(), "what is rounded is no JSON any more");
    if let (Some(before), Some(after)) = (before, after) {
        check_members(&before, &after);
    }
}

fn check_members(before: &Value, after: &Value) {
    match (before, after) {
        (Value::String(before), Value::String(after)) if before != after => {
            assert!(before.len() == after.len() && before.get(..13) == after.get(..13), "{before:?} became {after:?}");
            let changed = before.bytes().zip(after.bytes()).filter(|(before, after)| before != after);
            for (before, after) in changed {
                assert!(before.is_ascii_digit() && after == b'0', "{before} became {after}");
            }
            assert_eq!(after.get(13..19), Some(":00:00"), "{before:?} became {after:?}");
        }
        (Value::Array(before), Value::Array(after)) => {
            assert_eq!(before.len(), after.len());
            before.iter().zip(after).for_each(|(before, after)| check_members(before, after));
        }
        (Value::Object(before), Value::Object(after)) => {
            assert!(before.keys().eq(after.keys()), "names have changed");
            before.values().zip(after.values()).for_each(|(before, after)| check_members(before, after));
        }
        (before, after) => assert_eq!(before, after),
    }
}

/// What the next conversation reads of a field, and writes if it sets the same again.
fn check_read(nested: bool, limits: Limits, field: &PatchField) {
    let PatchField { key, value, written, expires } = field;
    let stored = StoredField { key: key.clone(), value: value.clone(), written: *written, expires: *expires };
    let settings = settings(nested, ROUND, limits);
    for (now, is_there) in [(*expires - 1, true), (*expires, false)] {
        let sandbox = begin(&settings, vec![stored.clone()], now);
        assert_eq!(sandbox.memory().get("key"), is_there.then_some(value), "M4: {} s before it expires", expires - now);
        assert_eq!(sandbox.memory().len(), usize::from(is_there));
    }
    let mut sandbox = begin(&settings, vec![stored], NOW);
    assert_eq!(sandbox.state_mut().set(key.clone(), StateValue::Json(value.clone())), Ok(()), "it could be set before");
}

fn begin(settings: &Settings, fields: Vec<StoredField>, now: i64) -> Sandbox {
    let mut sandbox = Sandbox::new();
    let turn = Turn { settings: settings.clone(), fields, state: Vec::new(), now };
    sandbox.begin(turn).expect("the settings of a configuration, and no state");
    sandbox
}

fn settings(nested: bool, timestamps: &str, limits: Limits) -> Settings {
    let source = format!(
        r#"{{"memory":{{"repeat_caller":{{"state_keys":["key"],"nested_values":{nested},"timestamps":"{timestamps}"}}}}}}"#
    );
    let configured = Configuration::parse(&source, limits).unwrap_or_else(|errors| panic!("{errors:?}"));
    configured.configuration.to_settings()
}

fn json(text: &str) -> StateValue {
    StateValue::Json(Json(text.to_owned()))
}

fn has_nested_member(value: &Value) -> bool {
    let is_nested = |member: &Value| member.is_object() || member.is_array();
    match value {
        Value::Array(elements) => elements.iter().any(is_nested),
        Value::Object(members) => members.values().any(is_nested),
        _ => false,
    }
}

/// How many colons there are: as many in both texts, where no name is given twice.
fn count(text: &str) -> usize {
    text.matches(':').count()
}
