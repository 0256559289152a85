//! What a conversation's end writes, and what is reported of it (W2, W5, E1).
//!
//! [`propose`] works out what is to be written, before the store has been asked; [`settle`] makes the report once the
//! store has answered. Between the two the proposal can be kept, so that a retry only commits (W4).

use crate::configuration::{
    Configuration, KeyRules, MAX_RETENTION_DAYS, MemoryRules, RememberedKey, Settings, Timestamps,
};
use crate::error::InputError;
use crate::identifier::{Caller, Identity, OffReason, identity};
use crate::interaction::{Handoff, Interaction, InteractionProposal, Metric, Outcome, propose_interaction};
use crate::json::{self, Json};
use crate::state::{State, StateEntry, StateValue, Touch, storable};
use crate::timestamp::{Timestamp, expiry, floor_to_hour, round_date_time};

/// A conversation at its end.
#[derive(Clone, Debug)]
pub struct Ending {
    /// The configuration.
    pub settings: Settings,
    /// The conversation's id.
    pub conversation: String,
    /// When the conversation began.
    pub began: Timestamp,
    /// What the caller may be identified by.
    pub caller: Caller,
    /// The final state.
    pub state: Vec<StateEntry>,
    /// How it went.
    pub outcome: Outcome,
    /// The last handoff that a function asked for.
    pub requested_handoff: Option<Handoff>,
    /// The time.
    pub now: Timestamp,
}

/// What a conversation's end is to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Whose memory it goes to.
    pub identity: Identity,
    /// The fields to be written, all of them or none (W3).
    pub patch: Vec<PatchField>,
    /// The first interaction. None without `analytics_enabled`, and without an identifier.
    pub interaction: Option<InteractionProposal>,
    /// Until when the store has to remember that this conversation is committed: a full hour (W4).
    pub mark_expires: Timestamp,
    /// The report so far.
    pub draft: DraftReport,
}

/// A field to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchField {
    /// The key.
    pub key: String,
    /// The value.
    pub value: Json,
    /// The hour of the commit.
    pub written: Timestamp,
    /// When it expires: a full hour.
    pub expires: Timestamp,
}

/// The report of a commit before the store has had its say. It holds no value and no identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftReport {
    /// The reason for which there is no identifier.
    pub off: Option<OffReason>,
    /// Every key that a function set, in the order in which functions first touched them.
    pub keys: Vec<KeyReport>,
    /// What their authors should know.
    pub warnings: Vec<Warning>,
}

/// A key that a function set, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyReport {
    /// The key.
    pub key: String,
    /// What becomes of it.
    pub outcome: KeyOutcome,
}

/// What becomes of a key that a function set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyOutcome {
    /// It is remembered, until then.
    Kept(Timestamp),
    /// It is not, and why.
    Dropped(DropReason),
}

/// Why a key is not remembered. Where several reasons apply, the first of them is given (W5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// The caller has no identifier, or memory is off.
    NoIdentifier,
    /// The caller's data was erased after the conversation had begun.
    Erased,
    /// The configuration does not list the key.
    NotInStateKeys,
    /// It was set and then removed.
    Removed,
    /// Its last value was null.
    Null,
    /// Every value was refused.
    NotStorable,
}

/// Something about a stored value that its author should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// What.
    pub code: WarningCode,
    /// The key.
    pub key: String,
}

/// What a stored value may be warned of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarningCode {
    /// It is a date-time finer than the hour, or has one as a member (P2).
    FineTimestamp,
}

/// Where the commit stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// The conversation goes on: nothing was written.
    Preview,
    /// The store has committed, or had done so before.
    Committed(Commitment),
}

/// What the store did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commitment {
    /// What was erased meanwhile.
    pub erased: Erased,
    /// The first interaction that stands, if one does.
    pub standing: Option<Interaction>,
    /// Whether that is this conversation's own.
    pub first: bool,
}

/// What was erased between a conversation's beginning and its commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Erased {
    /// Nothing of this caller.
    Nothing,
    /// These keys of this caller.
    Keys(Vec<String>),
    /// All of this caller: nothing was written.
    Everything,
}

/// The report of a conversation's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// How the commit went.
    pub status: CommitStatus,
    /// The reason for which there is no identifier.
    pub off: Option<OffReason>,
    /// Every key that a function set.
    pub keys: Vec<KeyReport>,
    /// Whether this was the caller's first conversation in the retention window.
    pub first_interaction: bool,
    /// What their authors should know.
    pub warnings: Vec<Warning>,
    /// For a repeat caller, the first interaction (A3). Empty otherwise.
    pub metrics: Vec<Metric>,
}

/// How a commit went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitStatus {
    /// All that was to be written is written.
    Committed,
    /// There was nobody to remember.
    NoIdentifier,
    /// The configuration has no memory.
    MemoryOff,
    /// Nothing was written yet: the conversation goes on.
    Preview,
}

/// What a conversation's end is to write, or would write if it came now.
pub fn propose(ending: Ending) -> Result<Proposal, InputError> {
    let Ending { settings, conversation, began, caller, state, outcome, requested_handoff, now } = ending;
    let Configuration { keys, memory } = Configuration::from_settings(&settings)?;
    let retention_days = memory.as_ref().map_or(MAX_RETENTION_DAYS, |memory| memory.retention_days);
    let state = State::new(keys, state)?;
    let identity = identity(memory.as_ref(), &caller, &state)?;
    let (memory, off) = match &identity {
        Identity::Known(_) => (memory, None),
        Identity::Off(reason) => (None, Some(*reason)),
    };
    let (patch, draft) = draft(memory.as_ref(), off, &state, now);
    let interaction =
        memory.and_then(|memory| propose_interaction(&memory, conversation, began, outcome, requested_handoff, now));
    Ok(Proposal { identity, patch, interaction, mark_expires: expiry(now, retention_days), draft })
}

/// What is to be written of a state, and what is to be said of it.
pub(crate) fn draft(
    memory: Option<&MemoryRules>,
    off: Option<OffReason>,
    state: &State,
    now: Timestamp,
) -> (Vec<PatchField>, DraftReport) {
    let mut patch = Vec::new();
    let mut draft = DraftReport { off, keys: Vec::new(), warnings: Vec::new() };
    for (key, value, touched) in state.set_keys() {
        let kept = match memory {
            Some(memory) => keep(state.rules(), memory.timestamps, key, value, touched, now),
            None => Err(DropReason::NoIdentifier),
        };
        let outcome = match &kept {
            Ok(kept) => KeyOutcome::Kept(kept.field.expires),
            Err(reason) => KeyOutcome::Dropped(*reason),
        };
        draft.keys.push(KeyReport { key: key.to_owned(), outcome });
        if let Ok(Kept { field, is_fine }) = kept {
            if is_fine {
                draft.warnings.push(Warning { code: WarningCode::FineTimestamp, key: key.to_owned() });
            }
            patch.push(field);
        }
    }
    (patch, draft)
}

/// The report, once the store has had its say.
pub fn settle(draft: DraftReport, settlement: Settlement) -> Report {
    let DraftReport { off, keys, warnings } = draft;
    let mut report = Report {
        status: match off {
            Some(OffReason::MemoryOff) => CommitStatus::MemoryOff,
            Some(_) => CommitStatus::NoIdentifier,
            None => CommitStatus::Committed,
        },
        off,
        keys,
        first_interaction: false,
        warnings,
        metrics: Vec::new(),
    };
    match settlement {
        Settlement::Preview => report.status = CommitStatus::Preview,
        Settlement::Committed(_) if off.is_some() => {}
        Settlement::Committed(Commitment { erased, standing, first }) => {
            report.drop_erased(&erased);
            if erased != Erased::Everything {
                report.first_interaction = first;
                report.metrics = standing.filter(|_| !first).map_or_else(Vec::new, |standing| standing.metrics);
            }
        }
    }
    report
}

impl Report {
    fn drop_erased(&mut self, erased: &Erased) {
        let is_erased = |key: &String| match erased {
            Erased::Nothing => false,
            Erased::Keys(keys) => keys.contains(key),
            Erased::Everything => true,
        };
        for report in self.keys.iter_mut().filter(|report| is_erased(&report.key)) {
            report.outcome = KeyOutcome::Dropped(DropReason::Erased);
        }
        self.warnings.retain(|warning| !is_erased(&warning.key));
    }
}

/// A field to be written, and whether it holds a date-time finer than the hour that its author should know of.
struct Kept {
    field: PatchField,
    is_fine: bool,
}

/// What is to be written of a key that a function set, or why nothing is.
fn keep(
    rules: &KeyRules,
    timestamps: Timestamps,
    key: &str,
    value: Option<&StateValue>,
    touched: Touch,
    now: Timestamp,
) -> Result<Kept, DropReason> {
    let Some(RememberedKey { retention_days, .. }) = rules.find(key) else {
        return Err(DropReason::NotInStateKeys);
    };
    if touched.removed {
        return Err(DropReason::Removed);
    }
    // Without an assignment, what stands there is the platform's.
    let value = value.filter(|_| touched.assigned).ok_or(DropReason::NotStorable)?;
    let text = storable(rules, value).map_err(|_| DropReason::NotStorable)?;
    if text == "null" {
        return Err(DropReason::Null);
    }
    let (value, is_fine) = match (timestamps, json::replace_strings(text, round_date_time)) {
        (Timestamps::Round, Some(rounded)) => (rounded, false),
        (Timestamps::Warn, Some(_)) => (text.to_owned(), true),
        _ => (text.to_owned(), false),
    };
    let (written, expires) = (floor_to_hour(now), expiry(now, *retention_days));
    Ok(Kept { field: PatchField { key: key.to_owned(), value: Json(value), written, expires }, is_fine })
}
