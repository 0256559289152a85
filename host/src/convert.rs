//! From the contract's types to the embedder's.

use agent_memory_store::{ConversationKey, Ended, ErasedSince, Field, IdentityKey, Interaction, Recorded, Settled};
use jiff::Timestamp;

use crate::bindings::policy as wit;
use crate::codec::{Codec, InteractionRecord, Place, StoredReport, Unreadable};
use crate::{
    CommitReport, CommitStatus, DropReason, Handoff, IdentifierKind, Json, KeyOutcome, NoIdentifier, Outcome, Warning,
    WarningCode,
};

impl From<wit::OffReason> for NoIdentifier {
    fn from(reason: wit::OffReason) -> Self {
        match reason {
            wit::OffReason::MemoryOff => Self::MemoryOff,
            wit::OffReason::NoCallerNumber => Self::NoCallerNumber,
            wit::OffReason::Withheld => Self::Withheld,
            wit::OffReason::SourceEmpty => Self::SourceEmpty,
            wit::OffReason::Blacklisted => Self::Blacklisted,
        }
    }
}

impl From<wit::IdentifierKind> for IdentifierKind {
    fn from(kind: wit::IdentifierKind) -> Self {
        match kind {
            wit::IdentifierKind::Phone => Self::Phone,
            wit::IdentifierKind::Custom => Self::Custom,
        }
    }
}

impl From<IdentifierKind> for wit::IdentifierKind {
    fn from(kind: IdentifierKind) -> Self {
        match kind {
            IdentifierKind::Phone => Self::Phone,
            IdentifierKind::Custom => Self::Custom,
        }
    }
}

impl From<Handoff> for wit::Handoff {
    fn from(Handoff { reason, to }: Handoff) -> Self {
        Self { reason, destination: to }
    }
}

impl From<Outcome> for wit::Outcome {
    fn from(Outcome { qa, handoff }: Outcome) -> Self {
        Self { qa, handoff: handoff.map(Into::into) }
    }
}

impl From<wit::Report> for CommitReport {
    fn from(report: wit::Report) -> Self {
        let wit::Report { status, off, keys, first_interaction, warnings, metrics } = report;
        Self {
            status: match status {
                wit::CommitStatus::Committed => CommitStatus::Committed,
                wit::CommitStatus::NoIdentifier => CommitStatus::NoIdentifier,
                wit::CommitStatus::MemoryOff => CommitStatus::MemoryOff,
                wit::CommitStatus::Preview => CommitStatus::Preview,
            },
            identifier: off.map_or(Ok(()), |reason| Err(reason.into())),
            keys: keys.into_iter().map(|wit::KeyReport { key, outcome }| (key, outcome.into())).collect(),
            first_interaction,
            warnings: warnings
                .into_iter()
                .map(|wit::Warning { code: wit::WarningCode::FineTimestamp, key }| Warning {
                    code: WarningCode::FineTimestamp,
                    key,
                })
                .collect(),
            metrics: metrics.into_iter().map(|wit::Metric { name, value }| (name, value)).collect(),
        }
    }
}

impl From<wit::KeyOutcome> for KeyOutcome {
    fn from(outcome: wit::KeyOutcome) -> Self {
        match outcome {
            wit::KeyOutcome::Kept(expires) => Self::Kept(time(expires)),
            wit::KeyOutcome::Dropped(reason) => Self::Dropped(match reason {
                wit::DropReason::NoIdentifier => DropReason::NoIdentifier,
                wit::DropReason::Erased => DropReason::Erased,
                wit::DropReason::NotInStateKeys => DropReason::NotInStateKeys,
                wit::DropReason::Removed => DropReason::Removed,
                wit::DropReason::Null => DropReason::Null,
                wit::DropReason::NotStorable => DropReason::NotStorable,
            }),
        }
    }
}

/// Whether there is an identifier.
pub(crate) fn identifier(identity: &wit::Identity) -> Result<(), NoIdentifier> {
    match identity {
        wit::Identity::Known(_) => Ok(()),
        wit::Identity::Off(reason) => Err((*reason).into()),
    }
}

/// A time of the contract. One that no calendar has is the last that it has.
pub(crate) fn time(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
}

/// What the store did, in the policy's words.
pub(crate) fn commitment(codec: &Codec, settled: Settled) -> Result<wit::Commitment, Unreadable> {
    let Settled { erased, standing, first } = settled;
    Ok(wit::Commitment {
        erased: match erased {
            ErasedSince::Nothing => wit::Erased::Nothing,
            ErasedSince::Keys(keys) => wit::Erased::Keys(keys),
            ErasedSince::Everything => wit::Erased::Everything,
        },
        standing: standing.map(|standing| interaction(codec, &standing)).transpose()?,
        first,
    })
}

/// The fields of a patch, as a store keeps them.
pub(crate) fn fields(codec: &Codec, identity: IdentityKey, patch: Vec<wit::PatchField>) -> Vec<Field> {
    patch.into_iter().map(|field| codec.seal_field(identity, field)).collect()
}

/// What is remembered of a conversation's end: the report before the store had its say, and what the store did. After an
/// erase nothing is known but that it was (rule W4).
pub(crate) fn ended(
    codec: &Codec,
    conversation: ConversationKey,
    ended: Ended,
) -> Result<(wit::DraftReport, wit::Commitment), Unreadable> {
    let Some(Recorded { identity, report, settled }) = ended.recorded else {
        return Ok((no_keys(), nothing_committed()));
    };
    let report: StoredReport = codec.open(Place::Report { conversation, identity }, &report)?;
    Ok((report.draft, commitment(codec, settled)?))
}

/// What a store did that was not asked to do anything.
pub(crate) fn nothing_committed() -> wit::Commitment {
    wit::Commitment { erased: wit::Erased::Nothing, standing: None, first: false }
}

/// A report that nothing is known of.
pub(crate) fn no_keys() -> wit::DraftReport {
    wit::DraftReport { off: None, keys: Vec::new(), warnings: Vec::new() }
}

/// A first interaction, in the policy's words.
pub(crate) fn interaction(codec: &Codec, stored: &Interaction) -> Result<wit::Interaction, Unreadable> {
    let InteractionRecord { began, expires, metrics } = codec.open_interaction(stored)?;
    Ok(wit::Interaction { began, expires, metrics })
}

/// A value that the policy or the store holds as text.
pub(crate) fn json(text: String) -> Result<Json, Unreadable> {
    Json::parse(text).map_err(|_| Unreadable::Damaged)
}
