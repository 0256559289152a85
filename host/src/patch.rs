//! What an administrator puts into a caller's memory.

use agent_memory_store::{Commit, Committed, Effect, KeptCaller, StoreError};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::agent::AgentState;
use crate::bindings::policy as wit;
use crate::codec::StoredReport;
use crate::policy::PolicyInstance;
use crate::{AdministrationError, CommitReport, IdentifierKind, Json, PolicyFailure, convert};

/// Fields for a caller's memory.
#[derive(Clone)]
pub struct MemoryPatch {
    /// What the identifier is.
    pub kind: IdentifierKind,
    /// Whose memory it is.
    pub identifier: String,
    /// The fields. Of two with one key the later counts.
    pub fields: Vec<GivenField>,
}

/// A field that an administrator gives.
#[derive(Clone, Serialize, Deserialize)]
pub struct GivenField {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: Json,
    /// When it is to expire, if before its retention is over (rule E1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// What became of a [`MemoryPatch`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Patched {
    /// Whether the fields were written: all of them, or none.
    pub written: bool,
    /// What became of each, or would have, if all had been right.
    pub report: CommitReport,
}

impl AgentState {
    pub(crate) async fn patch(&self, patch: MemoryPatch) -> Result<Patched, AdministrationError> {
        let now = self.shared.now().as_second();
        let (mut instance, proposal) = self.propose_patch(patch, now).await?;
        let identifier = match proposal.identity {
            wit::Identity::Known(identifier) if !is_refused(&proposal.draft) => identifier,
            _ => return settled(&mut instance, &proposal.draft, &wit::Settlement::Preview, false).await,
        };
        let codec = &self.shared.codec;
        let identity = codec.identity_key(&self.scope, &identifier);
        let id = format!("administration-{}", Uuid::new_v4());
        let conversation = codec.conversation_key(&self.scope, &id);
        let patch = convert::fields(codec, identity, proposal.patch);
        let report = StoredReport { conversation: id, draft: proposal.draft, expires: proposal.mark_expires };
        let commit = Commit {
            conversation,
            identity,
            // What was erased before now is no concern of what is put there now.
            erasures: u64::MAX >> 1,
            now,
            ends_session: false,
            patch,
            interaction: None,
            mark: codec.mark(conversation, identity, &report),
            identifier: codec.identifier(identity, &self.scope, identifier, now),
        };
        match self.shared.store.commit(commit).await? {
            Committed::Now(settlement) => {
                let commitment = convert::commitment(codec, settlement)?;
                settled(&mut instance, &report.draft, &wit::Settlement::Committed(commitment), true).await
            }
            // The id is as random as one can be.
            Committed::Before(_) => Err(StoreError::Failed {
                place: "this store".into(),
                reason: "it takes what is new for something that it knows; try again".into(),
                effect: Effect::Rejected,
            }
            .into()),
        }
    }

    pub(crate) async fn kept_caller(&self, patch: MemoryPatch) -> Result<Option<KeptCaller>, AdministrationError> {
        let now = self.shared.now().as_second();
        let (_, proposal) = self.propose_patch(patch, now).await?;
        let identifier = match proposal.identity {
            wit::Identity::Known(identifier) if !is_refused(&proposal.draft) => identifier,
            _ => return Ok(None),
        };
        let codec = &self.shared.codec;
        let identity = codec.identity_key(&self.scope, &identifier);
        let mut fields = convert::fields(codec, identity, proposal.patch);
        fields.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        Ok(Some(KeptCaller {
            identity,
            identifier: Some(codec.identifier(identity, &self.scope, identifier, now)),
            fields,
            interaction: None,
            former: Vec::new(),
            marks_until: None,
            erased: None,
            erased_keys: Vec::new(),
        }))
    }

    /// What the policy makes of fields that are given at a time, and the instance of it that was asked.
    async fn propose_patch(
        &self,
        patch: MemoryPatch,
        now: i64,
    ) -> Result<(PolicyInstance, wit::Proposal), AdministrationError> {
        let MemoryPatch { kind, identifier, fields } = patch;
        let version = self.current();
        let given = fields.into_iter().map(|GivenField { key, value, expires_at }| wit::GivenField {
            key,
            value: value.as_str().to_owned(),
            expires: expires_at.map(Timestamp::as_second),
        });
        let given: Vec<_> = given.collect();
        let mut instance = version.policy.instance().await.map_err(AdministrationError::from)?;
        let (settings, kind) = (&version.configured.settings, kind.into());
        let (policy, store) = instance.policy()?;
        let proposed = policy.call_patch(store, settings, kind, &identifier, &given, now).await;
        let proposal = proposed.map_err(PolicyFailure::from)?.map_err(PolicyFailure::from)?;
        Ok((instance, proposal))
    }
}

/// Whether one of the fields may not be written.
fn is_refused(draft: &wit::DraftReport) -> bool {
    draft.keys.iter().any(|key| matches!(key.outcome, wit::KeyOutcome::Dropped(_)))
}

async fn settled(
    instance: &mut PolicyInstance,
    draft: &wit::DraftReport,
    settlement: &wit::Settlement,
    written: bool,
) -> Result<Patched, AdministrationError> {
    Ok(Patched { written, report: instance.settle(draft, settlement).await?.into() })
}
