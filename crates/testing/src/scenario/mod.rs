//! Scenarios: conversations to be played, and what is expected of them.

mod decode;
mod document;
mod json;
mod reader;
mod yaml;

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use agent_memory_host::{DropReason, Json, KeyOutcome, NewConversation, Outcome, Scope};
use jiff::{SignedDuration, Timestamp};

use crate::{Mistakes, ScenarioError};

pub(crate) use document::{Data, Member, Node, Position, of_json};

/// The largest scenario, and the largest configuration, that is read, in bytes.
pub const MAX_BYTES: usize = 1 << 20;

/// Conversations to be played, one after another, and what is expected of them.
///
/// ```
/// use agent_memory_testing::Scenario;
///
/// let scenario = Scenario::parse(
///     r#"
/// functions: ./functions
/// config: ./config.json
/// conversations:
///   - at: 2026-03-02T10:20:00Z
///     caller_number: "+441632960001"
///     turns:
///       - call: book
///         arguments: { cheese_type: brie }
///         after: 30s
///         expect: { returns: "Booked brie.", state: { cheese_type: brie }, error: null }
///     expect:
///       commit: { cheese_type: kept, mood: not-in-state-keys }
///       memory: { cheese_type: brie }
/// "#,
///     "scenario.yaml",
/// )?;
/// assert_eq!(scenario.conversations.len(), 1);
///
/// let mistakes = Scenario::parse("conversations: [{ turns: [{ cal: book }] }]", "scenario.yaml").unwrap_err();
/// assert!(mistakes.to_string().starts_with("scenario.yaml:1:29: unknown key `cal`; did you mean `call`?"));
/// # Ok::<(), agent_memory_testing::Mistakes>(())
/// ```
///
/// YAML is read as YAML 1.2 reads it by its core schema: `no` and `2026-03-02` are texts, and `+44` is a number, which
/// is refused where a text belongs. Lengths of time have their units (`500ms`, `30s`, `1h30m`, `2d`), and a day has 24
/// hours. A member that is `null` counts as not given, except `returns` and `error` of a turn's expectations.
///
/// What is not expected is not checked. Objects are compared by key and numbers by their exact text, so that `1` is
/// not `1.0` (rule V4).
#[derive(Clone, Debug)]
pub struct Scenario {
    /// A built component, a source file or a project folder.
    pub functions: Option<PathBuf>,
    /// The configuration.
    pub configuration: Option<ConfigurationSource>,
    /// Whose agent it is. Default: account and project `local`, environment `sandbox`.
    pub scope: Scope,
    /// The conversations.
    pub conversations: Vec<Script>,
}

/// Where a configuration is.
#[derive(Clone, Debug)]
pub enum ConfigurationSource {
    /// In a file.
    File(PathBuf),
    /// In the scenario itself.
    Inline {
        /// The configuration.
        configuration: Json,
        /// Where it begins.
        place: Place,
    },
}

/// A conversation to be played.
#[derive(Clone, Debug)]
pub struct Script {
    /// Where the clock stands when it begins. None: where it stood before.
    pub at: Option<Timestamp>,
    /// What is told of the conversation when it starts. Default: the channel `sip.polyai`, and nothing else.
    pub conversation: NewConversation,
    /// The calls of functions.
    pub turns: Vec<ScriptedTurn>,
    /// Whether it is ended, or left open after a preview of its commit. Default: true.
    pub end: bool,
    /// How it went.
    pub outcome: Outcome,
    /// What is expected of the whole.
    pub expect: ConversationExpectations,
    /// Where it stands.
    pub place: Option<Place>,
}

/// A call of a function.
#[derive(Clone, Debug, Default)]
pub struct ScriptedTurn {
    /// The function's name.
    pub call: String,
    /// Its arguments. None: an empty object.
    pub arguments: Option<Json>,
    /// How far the clock moves before it.
    pub after: SignedDuration,
    /// What is expected of it.
    pub expect: TurnExpectations,
    /// Where it stands.
    pub place: Option<Place>,
}

/// What is expected of a turn. What is not given is not checked.
#[derive(Clone, Debug, Default)]
pub struct TurnExpectations {
    /// What the function returns, as a whole.
    pub returns: Option<Json>,
    /// Everything that is said, as a whole.
    pub say: Option<Vec<String>>,
    /// What the state holds afterwards under these keys. `null` also where there is no such key.
    pub state: Vec<(String, Json)>,
    /// How the function fails.
    pub error: Option<ErrorExpectation>,
}

/// How a function is expected to fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorExpectation {
    /// Not at all.
    None,
    /// The error's name is this text, or its message has it somewhere.
    Mentions(String),
    /// The error has these members, each as a whole.
    Members {
        /// Its name.
        name: Option<String>,
        /// Its message.
        message: Option<String>,
        /// Its trace.
        trace: Option<String>,
    },
}

/// What is expected of a conversation. What is not given is not checked.
#[derive(Clone, Debug, Default)]
pub struct ConversationExpectations {
    /// Everything that is said in it, as a whole.
    pub said: Option<Vec<String>>,
    /// What the caller's memory holds afterwards, as a whole.
    pub memory: Option<Vec<(String, Json)>>,
    /// What becomes of these keys.
    pub commit: Vec<(String, KeyExpectation)>,
    /// The metrics of a repeat caller, as a whole.
    pub metrics: Option<BTreeMap<String, String>>,
}

/// What is expected to become of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyExpectation {
    /// It is remembered.
    Kept,
    /// It is not, for this reason.
    Dropped(DropReason),
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, as it was named when it was read.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
}

impl Scenario {
    /// Reads a scenario from a file of YAML or JSON.
    ///
    /// # Errors
    /// If the file cannot be read, or has mistakes: all of them are listed, with their lines.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ScenarioError> {
        let path = path.as_ref();
        let text = read(path).map_err(|error| match error {
            ReadError::TooLarge => ScenarioError::TooLarge { path: path.to_owned() },
            ReadError::Io(source) => ScenarioError::Unreadable { path: path.to_owned(), source },
        })?;
        Ok(Self::parse(&text, path)?)
    }

    /// Reads a scenario from a text. `path` is what its file is, or would be, called: messages name it, the paths in
    /// the scenario are relative to its folder, and `.json` means JSON and nothing else, where YAML is read otherwise.
    ///
    /// # Errors
    /// If it has mistakes: all of them are listed, with their lines.
    pub fn parse(text: &str, path: impl AsRef<Path>) -> Result<Self, Mistakes> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let base = path.parent().unwrap_or(Path::new(""));
        let mut reader = reader::Reader::default();
        let scenario = if text.len() > MAX_BYTES {
            reader.mistake(document::Position::START, "this is larger than 1 MiB; make several scenarios of it");
            Self::default()
        } else {
            let is_json = path.extension().is_some_and(|extension| extension == "json");
            let notation = if is_json { document::Notation::Json } else { document::Notation::Yaml };
            let root = document::read(text, notation, &mut reader.mistakes);
            root.map(|root| decode::scenario(&mut reader, &root, &name, base)).unwrap_or_default()
        };
        let mut mistakes = reader.mistakes;
        if mistakes.is_empty() {
            return Ok(scenario);
        }
        mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
        mistakes.dedup();
        Err(Mistakes { source_name: name, mistakes })
    }

    /// The text of its configuration: `{}`, which is no memory (C5), if it has none.
    ///
    /// # Errors
    /// If the file that it names cannot be read.
    pub fn configuration(&self) -> Result<String, ScenarioError> {
        match &self.configuration {
            Some(source) => source.read(),
            None => Ok("{}".into()),
        }
    }
}

impl Default for Scenario {
    fn default() -> Self {
        Self { functions: None, configuration: None, scope: local(), conversations: Vec::new() }
    }
}

impl ConfigurationSource {
    /// The configuration's text.
    ///
    /// # Errors
    /// If its file cannot be read, or is larger than [`MAX_BYTES`].
    pub fn read(&self) -> Result<String, ScenarioError> {
        match self {
            Self::File(path) => read(path).map_err(|error| match error {
                ReadError::TooLarge => ScenarioError::ConfigurationTooLarge { path: path.clone() },
                ReadError::Io(source) => ScenarioError::Configuration { path: path.clone(), source },
            }),
            Self::Inline { configuration, .. } => Ok(configuration.as_str().to_owned()),
        }
    }
}

impl fmt::Display for ConfigurationSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Inline { place, .. } => place.fmt(f),
        }
    }
}

impl Default for Script {
    fn default() -> Self {
        Self {
            at: None,
            conversation: NewConversation { channel: "sip.polyai".into(), ..NewConversation::default() },
            turns: Vec::new(),
            end: true,
            outcome: Outcome::default(),
            expect: ConversationExpectations::default(),
            place: None,
        }
    }
}

impl From<KeyOutcome> for KeyExpectation {
    fn from(outcome: KeyOutcome) -> Self {
        match outcome {
            KeyOutcome::Kept(_) => Self::Kept,
            KeyOutcome::Dropped(reason) => Self::Dropped(reason),
        }
    }
}

impl fmt::Display for KeyExpectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = COMMIT_WORDS.iter().find(|(_, expectation)| expectation == self);
        f.write_str(word.map_or("?", |(word, _)| word))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// What may become of a key, in the words of scenarios and reports.
const COMMIT_WORDS: [(&str, KeyExpectation); 7] = [
    ("kept", KeyExpectation::Kept),
    ("not-in-state-keys", KeyExpectation::Dropped(DropReason::NotInStateKeys)),
    ("null", KeyExpectation::Dropped(DropReason::Null)),
    ("removed", KeyExpectation::Dropped(DropReason::Removed)),
    ("not-storable", KeyExpectation::Dropped(DropReason::NotStorable)),
    ("no-identifier", KeyExpectation::Dropped(DropReason::NoIdentifier)),
    ("erased", KeyExpectation::Dropped(DropReason::Erased)),
];

/// Why a file is not read.
enum ReadError {
    TooLarge,
    Io(io::Error),
}

/// A file's text, if it is not too large. What is endless, such as a device, is not read to its end.
fn read(path: &Path) -> Result<String, ReadError> {
    let file = File::open(path).map_err(ReadError::Io)?;
    let mut text = Vec::new();
    file.take(MAX_BYTES as u64 + 1).read_to_end(&mut text).map_err(ReadError::Io)?;
    if text.len() > MAX_BYTES {
        return Err(ReadError::TooLarge);
    }
    let not_text = |_| ReadError::Io(io::Error::new(io::ErrorKind::InvalidData, "it is not a text in UTF-8"));
    String::from_utf8(text).map_err(not_text)
}

/// The scope of what runs on its author's own machine.
pub(crate) fn local() -> Scope {
    Scope { account: "local".into(), project: "local".into(), environment: "sandbox".into() }
}
