//! What a store keeps, in a form that belongs to no store.

use serde::{Deserialize, Serialize};

use crate::{
    AGENT_KEPT, Act, AgentVersion, ComponentKey, ConversationKey, ErasedSince, Erasures, Field, IdentityKey,
    Interaction, InteractionId, NewRow, RowId, SavedSession, Sealed, Timestamp,
};

/// One thing that a store keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kept {
    /// What the store knows of itself.
    Totals {
        /// How many erasures there were.
        erasures: Erasures,
        /// What is remembered of the keys.
        keys: Option<Sealed>,
        /// The hour of the last sweep.
        swept: Option<Timestamp>,
    },
    /// A caller.
    Caller(KeptCaller),
    /// A committed conversation.
    Mark(KeptMark),
    /// A conversation as analytics see it.
    Row(KeptRow),
    /// A session.
    Session(SavedSession),
    /// A version of an agent.
    Agent {
        /// The version.
        version: AgentVersion,
        /// The hour in which it was replaced or withdrawn. None: it is current.
        replaced: Option<Timestamp>,
    },
    /// A component.
    Component {
        /// Its key.
        key: ComponentKey,
        /// Its bytes.
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
    },
    /// An administrative act.
    Act(Act),
}

/// All that is held on a caller but for marks and metric rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptCaller {
    /// The caller.
    pub identity: IdentityKey,
    /// The identifier. None if only erasures are remembered.
    pub identifier: Option<Sealed>,
    /// The fields, ordered by key.
    pub fields: Vec<Field>,
    /// The first interaction.
    pub interaction: Option<Interaction>,
    /// The interactions that another took the place of, and when their metric rows expire.
    pub former: Vec<(InteractionId, Timestamp)>,
    /// When the last of the caller's marks expires.
    pub marks_until: Option<Timestamp>,
    /// The last erasure of all that was held on the caller.
    pub erased: Option<Remembered>,
    /// The last erasure of each key, ordered by key.
    pub erased_keys: Vec<(String, Remembered)>,
}

/// An erasure, as it is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// Which of the store's erasures it was.
    pub number: Erasures,
    /// Until when it is remembered.
    pub expires: Timestamp,
}

/// A committed conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptMark {
    /// The conversation.
    pub conversation: ConversationKey,
    /// Until when the commit is remembered.
    pub expires: Timestamp,
    /// The caller, and what is remembered of the commit. None after the caller was erased.
    pub recorded: Option<(IdentityKey, MarkRecord)>,
}

/// What a mark remembers, but for the caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkRecord {
    /// The report, before the store had its say.
    pub report: Sealed,
    /// What of the caller had been erased when it was committed.
    pub erased: ErasedSince,
    /// Whether the interaction that stood was the conversation's own.
    pub first: bool,
    /// The metric row that has the interaction that stood. The mark has no copy of its own, so that nothing of the
    /// interaction outlives it.
    pub row: Option<(InteractionId, RowId)>,
}

/// A conversation as analytics see it, with the interaction that stood at its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptRow {
    /// The interaction that stood.
    pub interaction: InteractionId,
    /// The row's random id.
    pub id: RowId,
    /// The hour in which the conversation began.
    pub began: Timestamp,
    /// When the row expires, with the interaction.
    pub expires: Timestamp,
    /// What is recorded of the conversation.
    pub details: Sealed,
    /// Whether the row is the first interaction's own.
    pub first: bool,
    /// When the interaction that stood had begun.
    pub standing_began: Timestamp,
    /// What was recorded of it then.
    pub standing_record: Sealed,
}

impl Kept {
    /// What of it has not expired. None: all of it has.
    pub fn alive(self, now: Timestamp) -> Option<Self> {
        let is_alive = match &self {
            Self::Caller(_) | Self::Totals { .. } | Self::Component { .. } => true,
            Self::Mark(mark) => mark.expires > now,
            Self::Row(row) => row.expires > now,
            Self::Session(session) => session.expires > now,
            Self::Agent { replaced, .. } => replaced.is_none_or(|replaced| replaced > now.saturating_sub(AGENT_KEPT)),
            Self::Act(act) => act.expires > now,
        };
        match self {
            Self::Caller(caller) => caller.alive(now).map(Self::Caller),
            kept => Some(kept).filter(|_| is_alive),
        }
    }
}

impl KeptRow {
    /// The row of a conversation at whose end an interaction stood.
    pub(crate) fn new(row: NewRow, standing: &Interaction, first: bool) -> Self {
        Self {
            interaction: standing.id,
            id: row.id,
            began: row.began,
            expires: standing.expires,
            details: row.details,
            first,
            standing_began: standing.began,
            standing_record: standing.record.clone(),
        }
    }
}

impl KeptCaller {
    fn alive(mut self, now: Timestamp) -> Option<Self> {
        self.fields.retain(|field| field.expires > now);
        self.interaction.take_if(|interaction| interaction.expires <= now);
        self.former.retain(|(_, expires)| *expires > now);
        self.marks_until.take_if(|expires| *expires <= now);
        self.erased.take_if(|remembered| remembered.expires <= now);
        self.erased_keys.retain(|(_, remembered)| remembered.expires > now);
        let is_held = !self.fields.is_empty() || self.interaction.is_some() || !self.former.is_empty();
        if !is_held && self.marks_until.is_none() {
            self.identifier = None;
        }
        let is_anything = self.identifier.is_some() || self.erased.is_some() || !self.erased_keys.is_empty();
        is_anything.then_some(self)
    }
}
