//! What a conversation carries from turn to turn.

use std::sync::Arc;

use agent_memory_store::{Erasures, InteractionId, Revision, RowId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::bindings::policy;
use crate::{Handoff, ResumeError, Scope, Settings, Utterance, VersionId, convert};

/// The format of [`Session::to_bytes`], its first byte.
const FORMAT: u8 = 2;

/// What a conversation carries from turn to turn. It is a value: it can be saved between two turns and resumed in
/// another process, by [`Agent::resume`](crate::Agent::resume).
///
/// It holds personal data, and neither its `Debug` nor any error shows it.
#[derive(Clone, Serialize, Deserialize)]
pub struct Session {
    /// What is known of the conversation.
    pub(crate) facts: Arc<Facts>,
    /// The version of the agent that it began with (rule C7).
    pub(crate) version: VersionKey,
    /// When it began.
    pub(crate) began: Timestamp,
    /// When it is to be deleted if nothing happens until then (P4).
    pub(crate) expires: Timestamp,
    /// How many erasures the store had carried out when it began.
    pub(crate) erasures: Erasures,
    /// The caller, where no state is needed to tell. Looked up again in each turn otherwise (I6).
    pub(crate) identity: policy::Identity,
    /// The conversation's state, in the policy's own form.
    pub(crate) state: Vec<policy::StateEntry>,
    /// The metrics that functions have written.
    pub(crate) metric_events: Vec<MetricEvent>,
    /// The last handoff that a function asked for.
    pub(crate) requested_handoff: Option<Handoff>,
    /// How far it has come.
    pub(crate) phase: Phase,
    /// When somebody should end it if nothing happens until then, as the embedder says.
    pub(crate) overdue: Option<Timestamp>,
    /// What the embedder keeps with it.
    pub(crate) note: Vec<u8>,
    /// The state of it that the store has, if it has one.
    pub(crate) saved: Option<[u8; 16]>,
}

/// What is known of a conversation: what functions may read, and what a caller is identified by.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Facts {
    pub(crate) id: String,
    pub(crate) scope: Scope,
    pub(crate) channel: String,
    pub(crate) caller_number: Option<String>,
    pub(crate) callee_number: Option<String>,
    pub(crate) sip_headers: Vec<(String, String)>,
    /// An object.
    pub(crate) integration_attributes: Option<String>,
    pub(crate) language: Option<String>,
    pub(crate) variant_name: Option<String>,
    pub(crate) current_flow: Option<String>,
    pub(crate) current_step: Option<String>,
    pub(crate) history: Vec<Utterance>,
    pub(crate) transcript_alternatives: Vec<String>,
    /// An object.
    pub(crate) more: String,
}

impl Facts {
    /// Of no conversation: for asking functions what they are.
    pub(crate) fn nobody() -> Self {
        Self {
            id: String::new(),
            scope: Scope { account: String::new(), project: String::new(), environment: String::new() },
            channel: String::new(),
            caller_number: None,
            callee_number: None,
            sip_headers: Vec::new(),
            integration_attributes: None,
            language: None,
            variant_name: None,
            current_flow: None,
            current_step: None,
            history: Vec::new(),
            transcript_alternatives: Vec::new(),
            more: "{}".into(),
        }
    }

    /// What a caller is identified by.
    pub(crate) fn caller(&self) -> policy::Caller {
        policy::Caller {
            caller_number: self.caller_number.clone(),
            sip_headers: self.sip_headers.clone(),
            integration_attributes: self.integration_attributes.clone(),
        }
    }

    /// Takes over what the embedder may change before a turn.
    pub(crate) fn set(&mut self, settings: Settings) {
        let Settings { language, variant_name, current_flow, current_step, history, transcript_alternatives, more } =
            settings;
        self.language = language;
        self.variant_name = variant_name;
        self.current_flow = current_flow;
        self.current_step = current_step;
        self.history = history;
        self.transcript_alternatives = transcript_alternatives;
        self.more = more.map_or_else(|| "{}".into(), |more| more.as_str().to_owned());
    }
}

/// A metric that a function wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MetricEvent {
    pub(crate) name: String,
    /// JSON.
    pub(crate) value: Option<String>,
}

impl MetricEvent {
    /// How much it counts for, in bytes.
    pub(crate) fn size(&self) -> usize {
        const ENTRY_BYTES: usize = 32;
        self.name.len() + self.value.as_ref().map_or(0, String::len) + ENTRY_BYTES
    }
}

/// Names a version of an agent, by digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct VersionKey {
    pub(crate) functions: [u8; 32],
    pub(crate) configuration: [u8; 32],
    pub(crate) policy: [u8; 32],
}

impl VersionKey {
    /// The version's name. A newer policy does not make another version.
    pub(crate) fn id(self) -> VersionId {
        VersionId::new(&self.functions, &self.configuration)
    }
}

/// How far a conversation has come.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum Phase {
    /// Functions can be called.
    Running,
    /// `end_function` has run, and this is to be committed: a retry only commits (rule W4).
    Proposed(Box<Proposed>),
    /// It has ended.
    Ended(Box<policy::Report>),
}

/// What is to be committed, with the random ids that it is committed under.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Proposed {
    pub(crate) proposal: policy::Proposal,
    pub(crate) interaction: InteractionId,
    pub(crate) row: RowId,
    /// Whether the store has it.
    pub(crate) stored: bool,
}

impl Session {
    /// The conversation's id.
    pub fn id(&self) -> &str {
        &self.facts.id
    }

    /// Whose agent's it is.
    pub fn scope(&self) -> &Scope {
        &self.facts.scope
    }

    /// The version of the agent that it began with, and goes on with (rule C7).
    pub fn version(&self) -> VersionId {
        self.version.id()
    }

    /// Whether the conversation has ended.
    pub fn has_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended(_))
    }

    /// When somebody should end the conversation if nothing happens until then: see
    /// [`Conversation::overdue_at`](crate::Conversation::overdue_at). None: never.
    pub fn overdue(&self) -> Option<jiff::Timestamp> {
        self.overdue.map(convert::time)
    }

    /// What the embedder keeps with it: see [`Conversation::keep`](crate::Conversation::keep).
    pub fn note(&self) -> &[u8] {
        &self.note
    }

    /// The session as it is in the store once it is saved there in a new state.
    pub(crate) fn as_saved(&self, revision: Revision) -> Self {
        let mut saved = Self { saved: Some(revision.0), ..self.clone() };
        if let Phase::Proposed(proposed) = &mut saved.phase {
            proposed.stored = true;
        }
        saved
    }

    /// Takes away all that a conversation which has ended needs no more.
    pub(crate) fn strip(&mut self) {
        let facts = Facts { id: self.facts.id.clone(), scope: self.facts.scope.clone(), ..Facts::nobody() };
        self.facts = Arc::new(facts);
        self.state = Vec::new();
        self.metric_events = Vec::new();
        self.note = Vec::new();
        self.overdue = None;
        self.requested_handoff = None;
    }

    /// The session as bytes. They hold personal data.
    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_extend(self, vec![FORMAT]).unwrap_or_default()
    }

    /// Reads what [`Session::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`ResumeError::Unreadable`] if the bytes are something else, or of a newer version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ResumeError> {
        match bytes.split_first() {
            Some((&FORMAT, session)) => {
                postcard::from_bytes(session).map_err(|_| ResumeError::Unreadable("the bytes are damaged".into()))
            }
            Some((format, _)) => Err(ResumeError::Unreadable(format!("format {format}, and {FORMAT} is known"))),
            None => Err(ResumeError::Unreadable("there are no bytes".into())),
        }
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let phase = match self.phase {
            Phase::Running => "running",
            Phase::Proposed(_) => "proposed",
            Phase::Ended(_) => "ended",
        };
        f.debug_struct("Session").field("phase", &phase).finish_non_exhaustive()
    }
}
