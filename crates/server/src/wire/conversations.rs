//! Conversations on the wire. What a turn and a commit look like is what `agent-memory run --json` prints.

use std::collections::BTreeMap;

use agent_memory_host::{
    Action, CommitReport, FunctionError, Handoff, Json, LogEntry, NewConversation, Outcome, Settings, Turn,
    TurnOutcome, Utterance,
};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A conversation that begins.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Start {
    /// Its id, 1 to 256 bytes, unique within the agent. Default: a random one.
    pub(crate) id: Option<String>,
    /// The caller's number, by default the caller's identifier.
    caller_number: Option<String>,
    /// The number that was called.
    callee_number: Option<String>,
    /// The channel, such as `sip.polyai`.
    #[serde(default)]
    channel: String,
    /// The call's SIP headers.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    sip_headers: IndexMap<String, String>,
    /// What integrations attached.
    #[schema(value_type = Option<Object>)]
    integration_attributes: Option<Json>,
    /// What the platform puts into the state. It counts as set by nobody.
    #[serde(default)]
    #[schema(value_type = Object)]
    state: IndexMap<String, Json>,
    /// What else functions may read.
    #[serde(default)]
    settings: SettingsBody,
    /// Whether `start_function` runs, where the agent has one.
    #[serde(default = "yes")]
    run_start_function: bool,
}

/// What else functions may read of a conversation.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettingsBody {
    /// The language's code.
    language: Option<String>,
    /// The name of the variant in use.
    variant_name: Option<String>,
    /// The flow that the conversation is in.
    current_flow: Option<String>,
    /// The step of that flow.
    current_step: Option<String>,
    /// What was said so far, oldest first.
    #[serde(default)]
    #[schema(value_type = Vec<UtteranceBody>)]
    history: Vec<Utterance>,
    /// What was heard, where the recogniser was not sure.
    #[serde(default)]
    transcript_alternatives: Vec<String>,
    /// `variant`, `variants`, `entities`, `real_time_config`, `translations` and `handoffs`.
    #[schema(value_type = Option<Object>)]
    more: Option<Json>,
}

/// Something that was said.
#[derive(ToSchema)]
#[schema(as = Utterance)]
#[allow(dead_code, reason = "the schema of the host's own type")]
struct UtteranceBody {
    /// Who said it: `user` or `agent`.
    #[schema(pattern = "^(user|agent)$")]
    role: String,
    /// What was said.
    text: String,
}

/// A call of a function.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Call {
    /// The function's name.
    pub(crate) function: String,
    /// Its arguments, by name.
    #[serde(default = "Json::empty_object")]
    #[schema(value_type = Object)]
    pub(crate) arguments: Json,
    /// What else functions may read, from this turn on. Default: what was said last.
    pub(crate) settings: Option<SettingsBody>,
}

/// How a conversation went, as far as the platform knows.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutcomeBody {
    /// What quality assurance says.
    qa: Option<String>,
    /// The handoff. Default: the last one that a function asked for.
    handoff: Option<HandoffBody>,
}

/// Where a caller was handed over to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct HandoffBody {
    /// Why.
    reason: Option<String>,
    /// To whom.
    to: Option<String>,
}

/// The end of a conversation.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct End {
    /// How it went.
    #[serde(default)]
    pub(crate) outcome: OutcomeBody,
}

/// A conversation that has begun.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConversationAnswer {
    /// Its id.
    pub(crate) conversation: String,
    /// What `start_function` did, if it ran.
    pub(crate) turn: Option<TurnAnswer>,
}

/// Where a conversation stands.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConversationStatus {
    /// Its id.
    pub(crate) conversation: String,
    /// Whether it has ended.
    pub(crate) ended: bool,
    /// The version of the agent that it goes on with. None once it has ended.
    pub(crate) version: Option<String>,
    /// What its end has committed. None while it goes on.
    #[schema(value_type = Option<CommitSchema>)]
    pub(crate) commit: Option<CommitReport>,
}

/// What a call did.
#[derive(Serialize, ToSchema)]
pub(crate) struct CallAnswer {
    /// The turn.
    pub(crate) turn: TurnAnswer,
}

/// What the end would commit if it came now.
#[derive(Serialize, ToSchema)]
pub(crate) struct PreviewAnswer {
    /// The report.
    #[schema(value_type = CommitSchema)]
    pub(crate) commit: CommitReport,
}

/// What a conversation's end did.
#[derive(Serialize, ToSchema)]
pub(crate) struct EndAnswer {
    /// What `end_function` did. None if there is none, or if it ran in an earlier attempt.
    pub(crate) turn: Option<TurnAnswer>,
    /// What was committed.
    #[schema(value_type = CommitSchema)]
    pub(crate) commit: CommitReport,
    /// For a repeat caller, what is recorded of the first interaction. Empty otherwise.
    pub(crate) metrics: BTreeMap<String, String>,
}

/// What became of an outcome that was added after the end.
#[derive(Serialize, ToSchema)]
pub(crate) struct OutcomeAnswer {
    /// Whether the conversation was the caller's first, so that its record has changed.
    pub(crate) changed: bool,
}

/// What a function did.
#[derive(Serialize, ToSchema)]
pub(crate) struct TurnAnswer {
    /// The function's name.
    call: String,
    /// How it went: `returned`, `error` (the function failed), or `stopped` (the sandbox ended it).
    outcome: &'static str,
    /// The value that it returned.
    #[schema(value_type = Value)]
    returns: Option<Json>,
    /// What it said.
    say: Vec<String>,
    /// What else it asked for, in order, for the platform to carry out.
    #[schema(value_type = Vec<ActionAnswer>)]
    actions: Vec<Action>,
    /// What its author logged.
    #[schema(value_type = Vec<LogAnswer>)]
    logs: Vec<LogEntry>,
    /// What went wrong.
    #[schema(value_type = Option<ErrorAnswer>)]
    error: Option<FunctionError>,
    /// Whether the store could not be read, and the turn ran with empty memory.
    memory_unavailable: bool,
    /// How long it took, in microseconds.
    micros: u64,
}

/// Something that a function asked for. Names and parameters are those of Python's `conv`.
#[derive(ToSchema)]
#[schema(as = Action)]
#[allow(dead_code, reason = "the schema of the host's own type")]
struct ActionAnswer {
    /// Its name, such as `call_handoff`.
    name: String,
    /// Its arguments.
    #[schema(value_type = Object)]
    arguments: Json,
}

/// An entry of an author's log.
#[derive(ToSchema)]
#[schema(as = LogEntry)]
#[allow(dead_code, reason = "the schema of the host's own type")]
struct LogAnswer {
    /// How much it matters: `info`, `warning` or `error`.
    level: String,
    /// The message.
    content: String,
    /// Whether the author says that it holds personal data.
    is_pii: bool,
    /// Further fields.
    #[schema(value_type = Object)]
    fields: Json,
}

/// What a function that failed says about it.
#[derive(ToSchema)]
#[schema(as = FunctionError)]
#[allow(dead_code, reason = "the schema of the host's own type")]
struct ErrorAnswer {
    /// The error's name.
    name: String,
    /// Its message.
    message: String,
    /// Where it came from, in the author's own files and lines.
    trace: String,
}

/// What a conversation's end has written, key by key. It holds no value and no identifier.
#[derive(ToSchema)]
#[schema(as = Commit)]
#[allow(dead_code, reason = "the schema of the host's own type")]
pub(crate) struct CommitSchema {
    /// `committed`, `no-identifier`, `memory-off` or `preview`.
    status: String,
    /// `known`, or why there is no identifier.
    identifier: String,
    /// What became of each key that a function set.
    keys: BTreeMap<String, KeySchema>,
    /// Whether this was the caller's first conversation in the retention window.
    first_interaction: bool,
    /// What authors should know of what they store.
    warnings: Vec<WarningSchema>,
}

/// What became of a key.
#[derive(ToSchema)]
#[schema(as = Key)]
#[allow(dead_code, reason = "the schema of the host's own type")]
struct KeySchema {
    /// Whether it is remembered.
    kept: bool,
    /// Until when it is.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// Why it is not.
    reason: Option<String>,
}

/// Something about a stored value that its author should know.
#[derive(ToSchema)]
#[schema(as = Warning)]
#[allow(dead_code, reason = "the schema of the host's own type")]
struct WarningSchema {
    /// What, such as `fine-timestamp`.
    code: String,
    /// The key.
    key: String,
}

impl Start {
    /// The conversation, under an id.
    pub(crate) fn into_conversation(self, id: String) -> NewConversation {
        NewConversation {
            id: Some(id),
            caller_number: self.caller_number,
            callee_number: self.callee_number,
            channel: self.channel,
            sip_headers: self.sip_headers.into_iter().collect(),
            integration_attributes: self.integration_attributes,
            state: self.state.into_iter().collect(),
            settings: self.settings.into(),
            skip_start_function: !self.run_start_function,
        }
    }
}

impl From<SettingsBody> for Settings {
    fn from(body: SettingsBody) -> Self {
        let SettingsBody { language, variant_name, current_flow, current_step, history, transcript_alternatives, more } =
            body;
        Self { language, variant_name, current_flow, current_step, history, transcript_alternatives, more }
    }
}

impl From<OutcomeBody> for Outcome {
    fn from(OutcomeBody { qa, handoff }: OutcomeBody) -> Self {
        Self { qa, handoff: handoff.map(|HandoffBody { reason, to }| Handoff { reason, to }) }
    }
}

impl From<Turn> for TurnAnswer {
    fn from(turn: Turn) -> Self {
        let (outcome, returns, error) = match turn.outcome {
            TurnOutcome::Returned(value) => ("returned", Some(value), None),
            TurnOutcome::Failed(error) => ("error", None, Some(error)),
            TurnOutcome::Stopped(stop) => ("stopped", None, Some(stop.into())),
        };
        Self {
            call: turn.function,
            outcome,
            returns,
            say: turn.say,
            actions: turn.actions,
            logs: turn.logs,
            error,
            memory_unavailable: turn.memory_unavailable,
            micros: u64::try_from(turn.elapsed.as_micros()).unwrap_or(u64::MAX),
        }
    }
}

fn yes() -> bool {
    true
}
