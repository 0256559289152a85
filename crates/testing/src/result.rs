//! What came of a conversation.

use std::collections::BTreeMap;

use agent_memory_host::{
    Action, CommitReport, FunctionError, Json, KeyOutcome, LogEntry, NoIdentifier, Turn, TurnOutcome,
};
use jiff::Timestamp;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// What came of one conversation. Serialized, it is the line that `agent-memory run --json` prints for it.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ConversationResult {
    /// The conversation's id.
    pub conversation: String,
    /// When it began.
    pub at: Timestamp,
    /// What its functions did, `start_function` and `end_function` included where the agent has them.
    pub turns: Vec<TurnResult>,
    /// What its end has written, or would write.
    pub commit: CommitResult,
    /// For a repeat caller, what is recorded of the first interaction (A3). Empty otherwise, and for a preview.
    pub metrics: BTreeMap<String, String>,
    /// What the caller's next conversation would read.
    #[serde(serialize_with = "members")]
    pub memory: Vec<(String, Json)>,
    /// The expectations that do not hold, in words.
    pub failures: Vec<String>,
    /// What the caller's memory held when the conversation began.
    #[serde(skip)]
    pub remembered: Vec<(String, Json)>,
}

/// What a function did.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct TurnResult {
    /// The function's name.
    pub call: String,
    /// How it went.
    pub outcome: Outcome,
    /// The value that it returned. None, which is written `null`, if it returned none.
    pub returns: Option<Json>,
    /// What it said.
    pub say: Vec<String>,
    /// What else it asked for, in order.
    pub actions: Vec<Action>,
    /// What its author logged.
    pub logs: Vec<LogEntry>,
    /// What went wrong.
    pub error: Option<FunctionError>,
    /// How long it took, in microseconds.
    pub micros: u64,
    /// What it was called with. None: nothing.
    #[serde(skip)]
    pub arguments: Option<Json>,
    /// Where the clock stood.
    #[serde(skip)]
    pub at: Timestamp,
}

/// How a turn went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The function returned.
    Returned,
    /// The function failed, or could not be called.
    Error,
    /// The sandbox stopped it.
    Stopped,
}

/// How a conversation's end went.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum CommitResult {
    /// As the report says.
    Reported(CommitReport),
    /// The store failed. What that means for the data is among the failures.
    Failed(FailedCommit),
}

/// A commit at which the store failed.
#[derive(Clone, Debug)]
pub struct FailedCommit {
    /// Whether the caller has an identifier, as far as a turn or a preview has told.
    pub identifier: Option<Result<(), NoIdentifier>>,
}

impl ConversationResult {
    /// Everything that was said, in order.
    pub fn said(&self) -> impl Iterator<Item = &str> {
        self.turns.iter().flat_map(|turn| turn.say.iter().map(String::as_str))
    }

    /// The last turn that called this function.
    pub fn turn(&self, function: &str) -> Option<&TurnResult> {
        self.turns.iter().rfind(|turn| turn.call == function)
    }

    /// What became of each key that a function set. Empty if the commit failed.
    pub fn keys(&self) -> &[(String, KeyOutcome)] {
        self.commit.report().map(|report| report.keys.as_slice()).unwrap_or_default()
    }
}

impl CommitResult {
    /// The report. None if the commit failed.
    pub fn report(&self) -> Option<&CommitReport> {
        match self {
            Self::Reported(report) => Some(report),
            Self::Failed(_) => None,
        }
    }
}

impl TurnResult {
    /// What came of a turn that was called with these arguments when the clock stood there.
    pub(crate) fn of(turn: Turn, arguments: Option<Json>, at: Timestamp) -> Self {
        let (outcome, returns, error) = match turn.outcome {
            TurnOutcome::Returned(value) => (Outcome::Returned, Some(on_one_line(value)), None),
            TurnOutcome::Failed(error) => (Outcome::Error, None, Some(error)),
            TurnOutcome::Stopped(stop) => (Outcome::Stopped, None, Some(stop.into())),
        };
        let actions = turn.actions.into_iter();
        let logs = turn.logs.into_iter();
        Self {
            call: turn.function,
            outcome,
            returns,
            say: turn.say,
            actions: actions
                .map(|action| Action { arguments: on_one_line(action.arguments), name: action.name })
                .collect(),
            logs: logs.map(|entry| LogEntry { fields: on_one_line(entry.fields), ..entry }).collect(),
            error,
            micros: u64::try_from(turn.elapsed.as_micros()).unwrap_or(u64::MAX),
            arguments,
            at,
        }
    }

    /// A turn in which no function was called.
    pub(crate) fn not_called(call: &str, arguments: Option<Json>, at: Timestamp, name: &str, message: String) -> Self {
        Self {
            call: call.to_owned(),
            outcome: Outcome::Error,
            returns: None,
            say: Vec::new(),
            actions: Vec::new(),
            logs: Vec::new(),
            error: Some(FunctionError { name: name.into(), message, trace: String::new() }),
            micros: 0,
            arguments,
            at,
        }
    }
}

impl Serialize for FailedCommit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(5))?;
        map.serialize_entry("status", "failed")?;
        match self.identifier {
            Some(Ok(())) => map.serialize_entry("identifier", "known")?,
            Some(Err(reason)) => map.serialize_entry("identifier", &reason)?,
            None => map.serialize_entry("identifier", &())?,
        }
        map.serialize_entry("keys", &BTreeMap::<&str, &str>::new())?;
        map.serialize_entry("first_interaction", &false)?;
        map.serialize_entry("warnings", &[(); 0])?;
        map.end()
    }
}

/// The same values without line breaks between them, so that a result stays one line.
pub(crate) fn on_one_line(json: Json) -> Json {
    if !json.as_str().contains(['\n', '\r']) {
        return json;
    }
    let (mut in_text, mut escaped) = (false, false);
    let compact = json.as_str().chars().filter(|character| {
        if in_text {
            in_text = escaped || *character != '"';
            escaped = *character == '\\' && !escaped;
            return true;
        }
        in_text = *character == '"';
        !matches!(character, ' ' | '\t' | '\n' | '\r')
    });
    Json::parse(compact.collect::<String>()).unwrap_or(json)
}

fn members<S: Serializer>(members: &[(String, Json)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(members.iter().map(|(key, value)| (key, value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v4_a_value_on_several_lines_becomes_one_and_keeps_its_texts_and_numbers() {
        let json = Json::parse("{\n  \"a b\": [1.0,\r\n\t\"x \\\" \\\\\", \"\\n \"]\n}").unwrap();
        assert_eq!(on_one_line(json).as_str(), r#"{"a b":[1.0,"x \" \\","\n "]}"#);
    }

    #[test]
    fn a_failed_commit_says_so_in_the_reports_form() {
        let commit = CommitResult::Failed(FailedCommit { identifier: Some(Err(NoIdentifier::Withheld)) });
        assert_eq!(
            serde_json::to_string(&commit).unwrap(),
            r#"{"status":"failed","identifier":"withheld","keys":{},"first_interaction":false,"warnings":[]}"#
        );
    }
}
