//! What the embedder tells of a conversation.

use serde::{Deserialize, Serialize};

use crate::Json;

/// Whose agent it is. Memory never crosses from one scope to another (rule I8).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Scope {
    /// The account.
    pub account: String,
    /// The project.
    pub project: String,
    /// The environment, such as `sandbox`, `pre-release` or `live`.
    pub environment: String,
}

/// A conversation that is about to begin.
#[derive(Clone, Debug, Default)]
pub struct NewConversation {
    /// Its id, unique within the scope. None: a random one.
    pub id: Option<String>,
    /// The caller's number, by default the caller's identifier (I1).
    pub caller_number: Option<String>,
    /// The number that was called.
    pub callee_number: Option<String>,
    /// The channel, such as `sip.polyai`.
    pub channel: String,
    /// The call's SIP headers.
    pub sip_headers: Vec<(String, String)>,
    /// What integrations attached: an object.
    pub integration_attributes: Option<Json>,
    /// What the platform puts into the state. It counts as set by nobody (S2).
    pub state: Vec<(String, Json)>,
    /// What else functions may read.
    pub settings: Settings,
    /// Do not run `start_function`.
    pub skip_start_function: bool,
}

/// What else functions may read of a conversation. The embedder may change it before any turn.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The language's code.
    pub language: Option<String>,
    /// The name of the variant in use.
    pub variant_name: Option<String>,
    /// The flow that the conversation is in.
    pub current_flow: Option<String>,
    /// The step of that flow.
    pub current_step: Option<String>,
    /// What was said so far, oldest first.
    pub history: Vec<Utterance>,
    /// What was heard, where the recogniser was not sure.
    pub transcript_alternatives: Vec<String>,
    /// `variant`, `variants`, `entities`, `real_time_config`, `translations` and `handoffs`, as one object. None:
    /// an empty one.
    pub more: Option<Json>,
}

/// Something that was said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Utterance {
    /// Who said it.
    pub role: Role,
    /// What was said.
    pub text: String,
}

/// Who said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The person.
    User,
    /// The assistant.
    Agent,
}

/// How a conversation went, as far as the embedder knows (A1, A8).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// What quality assurance says.
    pub qa: Option<String>,
    /// The handoff. None: the last one that a function asked for.
    pub handoff: Option<Handoff>,
}

/// Where a caller was handed over to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handoff {
    /// Why.
    pub reason: Option<String>,
    /// To whom.
    pub to: Option<String>,
}
