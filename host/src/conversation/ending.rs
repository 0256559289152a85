//! The end of a conversation: proposed once, committed exactly once, reported the same for ever.

use agent_memory_store::{Commit, Committed, Effect, Ended as Recorded, InteractionId, NewInteraction, RowId, Settled};
use uuid::Uuid;

use super::{Conversation, damaged};
use crate::agent::END_FUNCTION;
use crate::bindings::policy as wit;
use crate::codec::{InteractionRecord, RowDetails, StoredReport};
use crate::policy::PolicyInstance;
use crate::session::{Phase, Proposed};
use crate::{CommitReport, EndError, Json, Outcome, PolicyFailure, SaveError, Turn, convert};

/// A conversation that has ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Ended {
    /// What `end_function` did. None if the agent has none, or if it ran elsewhere or in an earlier attempt.
    pub turn: Option<Turn>,
    /// What was committed.
    pub report: CommitReport,
}

impl Conversation {
    /// Ends the conversation: runs `end_function` where there is one, and commits what is to be remembered, exactly
    /// once (rules W1 to W4). Ending what has ended returns the first report.
    ///
    /// # Errors
    /// The error says what is committed. Whatever it is, the conversation can be ended again, and `end_function` does
    /// not run twice.
    pub async fn end(&mut self, outcome: Outcome) -> Result<Ended, EndError> {
        if matches!(self.session.phase, Phase::Running) {
            self.catch_up().await?;
        }
        let (mut turn, mut policy) = (None, None);
        if matches!(self.session.phase, Phase::Running) {
            if self.version.has(END_FUNCTION) {
                turn = Some(self.turn(END_FUNCTION, Json::empty_object()).await?);
                self.end_turn = turn.clone().map(Box::new);
            }
            policy = self.propose(outcome).await?.kept();
        }
        let report = match self.session.phase.clone() {
            Phase::Ended(report) => report,
            Phase::Proposed(proposed) => Box::new(self.finish(*proposed, policy).await?),
            Phase::Running => return Err(PolicyFailure("a conversation that has ended goes on".into()).into()),
        };
        Ok(Ended { turn, report: (*report).into() })
    }

    /// Learns whether the conversation was ended elsewhere: by another process, or before a crash.
    async fn catch_up(&mut self) -> Result<(), EndError> {
        let (shared, now) = (&self.shared, self.shared.now().as_second());
        if let Some(saved) = shared.session(self.key).await.map_err(EndError::Rejected)? {
            if !matches!(saved.phase, Phase::Running) {
                self.session = saved;
            } else if saved.saved != self.session.saved
                && !self.attempted.iter().any(|attempted| saved.saved == Some(attempted.0))
            {
                return Err(EndError::Conflict);
            }
            return Ok(());
        }
        if let Some(ended) = shared.store.ended(self.key, now).await.map_err(EndError::Rejected)? {
            self.session.phase = Phase::Ended(Box::new(self.recorded_report(ended).await?));
        }
        Ok(())
    }

    /// Has the policy work out what is to be committed. From here on no function runs. The instance of it that was asked can
    /// be asked for the report.
    async fn propose(&mut self, outcome: Outcome) -> Result<PolicyInstance, PolicyFailure> {
        let mut policy = self.version.policy.instance().await?;
        let proposal = policy.propose(&self.ending(outcome)).await?;
        self.session.identity = proposal.identity.clone();
        let (interaction, row) = (InteractionId(random_id()), RowId(random_id()));
        self.session.phase = Phase::Proposed(Box::new(Proposed { proposal, interaction, row, stored: false }));
        Ok(policy)
    }

    /// The conversation as it stands, for the policy.
    pub(super) fn ending(&self, outcome: Outcome) -> wit::Ending {
        wit::Ending {
            settings: self.version.configured.settings.clone(),
            conversation: self.session.id().to_owned(),
            began: self.session.began,
            caller: self.session.facts.caller(),
            state: self.session.state.clone(),
            outcome: outcome.into(),
            requested_handoff: self.session.requested_handoff.clone().map(Into::into),
            now: self.shared.now().as_second(),
        }
    }

    /// Commits a proposal and closes the session.
    async fn finish(&mut self, proposed: Proposed, policy: Option<PolicyInstance>) -> Result<wit::Report, EndError> {
        // Without `end_function` there is nothing that a retry must not do again, and without a session in the store
        // there is nobody else who could go on with the conversation: the commit is then the first thing that has to
        // be durable.
        if (self.version.has(END_FUNCTION) || self.session.saved.is_some()) && !proposed.stored {
            self.save().await.map_err(|error| match error {
                SaveError::Conflict => EndError::Conflict,
                SaveError::Store(error) => EndError::Rejected(error),
            })?;
        }
        let known = matches!(proposed.proposal.identity, wit::Identity::Known(_));
        let report = match self.commitment(proposed) {
            None => self.settle(policy, &self.draft(), convert::nothing_committed()).await?,
            Some(commit) => match self.shared.store.commit(commit).await {
                Ok(Committed::Now(settled)) => self.settle_with(policy, &self.draft(), settled).await?,
                Ok(Committed::Before(ended)) => self.recorded_report(ended).await?,
                Err(error) if error.effect() == Effect::Rejected => return Err(EndError::Rejected(error)),
                Err(error) => return Err(EndError::Unknown(error)),
            },
        };
        self.session.phase = Phase::Ended(Box::new(report.clone()));
        self.session.strip();
        if known {
            // The session went with the commit, which is remembered by its mark.
            self.session.saved = None;
        } else if self.session.saved.is_some() {
            // Nothing was committed: the session has to remember the end. If somebody else has saved it, it is the same
            // end, for the proposal was saved before.
            match self.save().await {
                Ok(()) | Err(SaveError::Conflict) => {}
                Err(SaveError::Store(error)) => return Err(EndError::Committed(error)),
            }
        }
        Ok(report)
    }

    fn draft(&self) -> wit::DraftReport {
        match &self.session.phase {
            Phase::Proposed(proposed) => proposed.proposal.draft.clone(),
            Phase::Running | Phase::Ended(_) => convert::no_keys(),
        }
    }

    /// What the store is to commit. None where nobody is to be remembered.
    fn commitment(&self, proposed: Proposed) -> Option<Commit> {
        let Proposed { proposal, interaction, row, .. } = proposed;
        let wit::Identity::Known(identifier) = proposal.identity else { return None };
        let (codec, facts) = (&self.shared.codec, &self.session.facts);
        let now = self.shared.now().as_second();
        let identity = codec.identity_key(&facts.scope, &identifier);
        let patch = convert::fields(codec, identity, proposal.patch);
        let new_interaction =
            proposal.interaction.map(|wit::InteractionProposal { interaction: new, stands_after }| {
                let wit::Interaction { began, expires, metrics } = new;
                let record = InteractionRecord { began, expires, metrics };
                let details = RowDetails {
                    conversation: facts.id.clone(),
                    scope: facts.scope.clone(),
                    channel: facts.channel.clone(),
                };
                NewInteraction {
                    interaction: codec.seal_interaction(interaction, &record),
                    stands_after,
                    row: codec.row(row, began, &details, now),
                }
            });
        let (draft, expires) = (proposal.draft, proposal.mark_expires);
        let report = StoredReport { conversation: facts.id.clone(), draft, expires };
        Some(Commit {
            conversation: self.key,
            identity,
            erasures: self.session.erasures,
            now,
            ends_session: self.session.saved.is_some(),
            patch,
            interaction: new_interaction,
            mark: codec.mark(self.key, identity, &report),
            identifier: codec.identifier(identity, &facts.scope, identifier, now),
        })
    }

    /// The report of a commit that the store remembers. After an erase nothing is known but that it was (rule W4).
    async fn recorded_report(&self, ended: Recorded) -> Result<wit::Report, EndError> {
        let recorded = convert::ended(&self.shared.codec, self.key, ended);
        let (draft, commitment) = recorded.map_err(|why| EndError::Committed(damaged("a report", why)))?;
        Ok(self.settle(None, &draft, commitment).await?)
    }

    async fn settle_with(
        &self,
        policy: Option<PolicyInstance>,
        draft: &wit::DraftReport,
        settled: Settled,
    ) -> Result<wit::Report, EndError> {
        let commitment = convert::commitment(&self.shared.codec, settled)
            .map_err(|why| EndError::Committed(damaged("a first interaction", why)))?;
        Ok(self.settle(policy, draft, commitment).await?)
    }

    /// Has the policy say how the commit went: the instance that was asked before, or another.
    async fn settle(
        &self,
        policy: Option<PolicyInstance>,
        draft: &wit::DraftReport,
        commitment: wit::Commitment,
    ) -> Result<wit::Report, PolicyFailure> {
        let mut policy = match policy {
            Some(policy) => policy,
            None => self.version.policy.instance().await?,
        };
        policy.settle(draft, &wit::Settlement::Committed(commitment)).await
    }
}

fn random_id() -> [u8; 16] {
    *Uuid::new_v4().as_bytes()
}
