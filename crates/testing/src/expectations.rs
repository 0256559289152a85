//! Whether what came is what was expected.

use std::collections::BTreeMap;

use agent_memory_host::{FunctionError, Json};

use crate::difference;
use crate::result::{ConversationResult, TurnResult};
use crate::scenario::{
    ConversationExpectations, Data, ErrorExpectation, KeyExpectation, Member, Node, Position, TurnExpectations, of_json,
};

/// Checks a turn. `place` begins every failure; `state` is what the turn left.
pub(crate) fn check_turn(
    place: &str,
    expect: &TurnExpectations,
    turn: &TurnResult,
    state: &[(String, Option<Json>)],
) -> Vec<String> {
    let mut failures = Vec::new();
    if let Some(expected) = &expect.returns {
        match (&turn.returns, &turn.error) {
            (Some(returned), _) => failures.extend(compare(place, "`returns`", &data(expected), &data(returned))),
            (None, error) => {
                let came = format!("the function failed: {}", error.as_ref().map(error_in_words).unwrap_or_default());
                failures.push(format!("{place}: `returns`{}", difference::lines(expected.as_str(), &came)));
            }
        }
    }
    if let Some(expected) = &expect.say {
        failures.extend(compare_texts(place, "`say`", expected, turn.say.iter().map(String::as_str)));
    }
    for (key, expected) in &expect.state {
        let what = format!("`state` of `{key}`");
        match state.iter().find(|(found, _)| found == key) {
            Some((_, Some(value))) => failures.extend(compare(place, &what, &data(expected), &data(value))),
            Some((_, None)) => {
                let came = "a value that JSON has no word for";
                failures.push(format!("{place}: {what}{}", difference::lines(expected.as_str(), came)));
            }
            None if expected.as_str() == "null" => {}
            None => {
                let came = "nothing under this key";
                failures.push(format!("{place}: {what}{}", difference::lines(expected.as_str(), came)));
            }
        }
    }
    if let Some(expected) = &expect.error {
        failures.extend(compare_error(place, expected, turn.error.as_ref()));
    }
    failures
}

/// Checks a conversation. `place` begins every failure. A commit that failed is a failure already, so that its keys
/// are not asked for.
pub(crate) fn check_conversation(
    place: &str,
    expect: &ConversationExpectations,
    result: &ConversationResult,
) -> Vec<String> {
    let mut failures = Vec::new();
    if let Some(expected) = &expect.said {
        failures.extend(compare_texts(place, "`said`", expected, result.said()));
    }
    if let Some(expected) = &expect.memory {
        failures.extend(compare(place, "`memory`", &fields(expected), &fields(&result.memory)));
    }
    if result.commit.report().is_some() {
        for (key, expected) in &expect.commit {
            let came = result.keys().iter().find(|(found, _)| found == key);
            let came = came.map(|(_, outcome)| KeyExpectation::from(*outcome));
            if came != Some(*expected) {
                let came = came.map_or_else(|| "no function set this key".into(), |came| came.to_string());
                let lines = difference::lines(&expected.to_string(), &came);
                failures.push(format!("{place}: `commit` of `{key}`{lines}"));
            }
        }
    }
    if let Some(expected) = &expect.metrics {
        let metrics = |metrics: &BTreeMap<String, String>| {
            object(metrics.iter().map(|(name, value)| (name, Data::Text(value.clone()))))
        };
        failures.extend(compare(place, "`metrics`", &metrics(expected), &metrics(&result.metrics)));
    }
    failures
}

/// What is wrong, if the two are not the same.
pub(crate) fn compare(place: &str, what: &str, expected: &Data, came: &Data) -> Option<String> {
    if expected.same(came) {
        return None;
    }
    let (mut one, mut two) = (expected.to_json(), came.to_json());
    if one.len().max(two.len()) > 60 {
        (one, two) = (expected.to_pretty_json(), came.to_pretty_json());
    }
    Some(format!("{place}: {what}{}", difference::lines(&one, &two)))
}

/// A value for comparing. What nests too deep to be compared member by member is compared as text.
pub(crate) fn data(json: &Json) -> Data {
    of_json(json).unwrap_or_else(|| Data::Text(json.as_str().to_owned()))
}

/// An object of these members.
pub(crate) fn object<'a>(members: impl IntoIterator<Item = (&'a String, Data)>) -> Data {
    let position = Position::START;
    let members = members.into_iter().map(|(key, data)| {
        let value = Node { position, data };
        Member { key: key.clone(), position, value }
    });
    Data::Object(members.collect())
}

/// The fields of a caller's memory.
pub(crate) fn fields(fields: &[(String, Json)]) -> Data {
    object(fields.iter().map(|(key, value)| (key, data(value))))
}

/// The error on one line.
pub(crate) fn error_in_words(error: &FunctionError) -> String {
    if error.message.is_empty() { error.name.clone() } else { format!("{}: {}", error.name, error.message) }
}

fn compare_texts<'a>(
    place: &str,
    what: &str,
    expected: &[String],
    came: impl Iterator<Item = &'a str>,
) -> Option<String> {
    compare(place, what, &texts(expected.iter().map(String::as_str)), &texts(came))
}

fn texts<'a>(texts: impl Iterator<Item = &'a str>) -> Data {
    let node = |text: &str| Node { position: Position::START, data: Data::Text(text.to_owned()) };
    Data::List(texts.map(node).collect())
}

fn compare_error(place: &str, expected: &ErrorExpectation, came: Option<&FunctionError>) -> Option<String> {
    let fits = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
    let (holds, wanted) = match expected {
        ErrorExpectation::None => (came.is_none(), "no error".to_owned()),
        ErrorExpectation::Mentions(text) => (
            came.is_some_and(|error| error.name == *text || error.message.contains(text.as_str())),
            format!("an error with the name {text:?}, or a message with it"),
        ),
        ErrorExpectation::Members { name, message, trace } => {
            let members = [("name", name), ("message", message), ("trace", trace)];
            let given = members.iter().filter_map(|(member, text)| Some(format!("{member} {:?}", text.as_ref()?)));
            (
                came.is_some_and(|error| {
                    fits(name, &error.name) && fits(message, &error.message) && fits(trace, &error.trace)
                }),
                format!("an error with {}", given.collect::<Vec<_>>().join(", ")),
            )
        }
    };
    let found = || came.map_or_else(|| "no error".into(), error_in_words);
    (!holds).then(|| format!("{place}: `error`{}", difference::lines(&wanted, &found())))
}
