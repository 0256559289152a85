//! Ends, and what is left of an end that met with trouble.

use agent_memory_host::{EndError, Outcome};

use super::{Came, Player, Wrong, checks::seen, come, phase_of, same, wrong};
use crate::sequences::model::{IsStored, Phase, Proposal, Talk};
use crate::sequences::world::scope;

/// What an end has to come to.
enum Expected {
    /// It has ended before, and the report is the one of then.
    Before,
    /// It is committed.
    Now(Box<Proposal>),
    /// Somebody else has the conversation.
    Conflict,
    /// Somebody else has the conversation, and perhaps ended it as this one would have.
    Either(Box<Proposal>),
}

impl Player {
    pub(super) async fn end(&mut self, talk: usize, qa: Option<&str>) -> Result<(), Wrong> {
        let Some(index) = self.index(talk) else { return Ok(()) };
        let store = self.process()?.store.clone();
        let note = self.note();
        // What this process finds when it looks whether the conversation was ended elsewhere.
        let mut talk = self.talks[index].talk.clone();
        let expected = self.expected(&mut talk, qa);
        let is_new = self.model.report(&talk.id).is_none();
        if !self.ended.contains(&talk.id) {
            self.ended.push(talk.id.clone());
        }
        let outcome = Outcome { qa: qa.map(str::to_owned), handoff: None };
        let conversation = &mut self.talks[index].conversation;
        if talk.is_running() {
            conversation.keep(note.to_be_bytes().to_vec());
        }
        let came = come(&store, conversation.end(outcome)).await;
        let report = match came {
            Came::Answer(Ok(ended)) => seen(&ended.report),
            Came::Answer(Err(EndError::Conflict)) => {
                store.no_more_trouble();
                return self.conflict(index, talk, expected).await;
            }
            came => {
                if !store.no_more_trouble() {
                    return Err("an end failed without a reason".into());
                }
                let promise = match came {
                    Came::Answer(Err(EndError::Rejected(_))) => Some(false),
                    Came::Answer(Err(EndError::Committed(_))) => Some(true),
                    Came::Answer(Err(EndError::Policy(error))) => return Err(format!("an end: {error}")),
                    _ => None,
                };
                return self.half_ended(index, talk, expected, note, is_new, promise).await;
            }
        };
        store.no_more_trouble();
        match expected {
            Expected::Conflict => return Err("an end was committed that somebody else has changed".into()),
            Expected::Before => {
                let Phase::Ended(first) = &talk.phase else { return Err("the model has not ended it".into()) };
                same("the report of an earlier end", &report, first)?;
            }
            Expected::Now(proposal) | Expected::Either(proposal) => {
                if talk.is_running() {
                    talk.turn(self.model.now);
                }
                self.figures.tried("ends", 1);
                let first = self.model.commit(&talk, *proposal);
                same("a report", &report, &first)?;
                talk.phase = Phase::Ended(first);
                (talk.base, talk.attempts) = (None, Vec::new());
                if talk.who().is_err() {
                    self.model.save(&talk, 0);
                    talk.base = Some(0);
                }
            }
        }
        let id = talk.id.clone();
        self.talks[index].talk = talk;
        self.check_stored(&id).await
    }

    /// What an end has to come to, and the conversation as the process finds it.
    fn expected(&self, talk: &mut Talk, qa: Option<&str>) -> Expected {
        if talk.is_running() {
            match self.model.open(&talk.id) {
                Some(saved) if !saved.is_running() => *talk = saved,
                Some(saved) if !saved.base.is_some_and(|note| talk.knows(note)) => return Expected::Conflict,
                Some(_) => {}
                None => {
                    if let Some(report) = self.model.report(&talk.id) {
                        talk.phase = Phase::Ended(report);
                    }
                }
            }
        }
        let may_save = self.model.may_save(talk);
        match &talk.phase {
            Phase::Ended(_) => Expected::Before,
            Phase::Running if may_save => Expected::Now(Box::new(self.model.proposal(talk, qa))),
            Phase::Running => Expected::Conflict,
            Phase::Proposed(proposal, IsStored::Yes) => Expected::Now(proposal.clone()),
            Phase::Proposed(proposal, _) if may_save => Expected::Now(proposal.clone()),
            Phase::Proposed(_, IsStored::No) => Expected::Conflict,
            Phase::Proposed(proposal, IsStored::Perhaps) => Expected::Either(proposal.clone()),
        }
    }

    /// Somebody else has the conversation: nothing is written.
    async fn conflict(&mut self, index: usize, talk: Talk, expected: Expected) -> Result<(), Wrong> {
        if !matches!(expected, Expected::Conflict | Expected::Either(_)) {
            return Err("an end was refused, although nobody else has the conversation".into());
        }
        let going = &mut self.talks[index];
        if talk.is_running() && phase_of(going.conversation.session()).contains("proposed") {
            // It went as far as a proposal, which it can only offer again.
            let proposal = Box::new(self.model.proposal(&talk, None));
            going.talk.turn(self.model.now);
            going.talk.phase = Phase::Proposed(proposal, IsStored::No);
        }
        self.check_stored(&talk.id).await
    }

    /// Looks at what is left of an end that met with trouble: all of it or nothing, as the error has promised.
    async fn half_ended(
        &mut self,
        index: usize,
        mut talk: Talk,
        expected: Expected,
        note: u64,
        is_new: bool,
        promise: Option<bool>,
    ) -> Result<(), Wrong> {
        self.figures.tried("half ends", 1);
        let id = talk.id.clone();
        let phase = phase_of(self.talks[index].conversation.session());
        let stored = self.stored(&id).await?;
        let report = self.process()?.runtime.administration().report(&scope(id.0), &id.1).await;
        let report = report.map_err(wrong("a report"))?;
        let proposal = match expected {
            Expected::Before => {
                if phase.contains("ended") {
                    self.talks[index].talk = talk;
                }
                same("the end that was", &report.as_ref().map(seen), &self.model.report(&id))?;
                return self.check_stored(&id).await;
            }
            Expected::Conflict => {
                if phase.contains("proposed") && talk.is_running() {
                    self.talks[index].talk.turn(self.model.now);
                    let proposal = Box::new(self.model.proposal(&talk, None));
                    self.talks[index].talk.phase = Phase::Proposed(proposal, IsStored::No);
                }
                same("an end of somebody else's", &report.as_ref().map(seen), &self.model.report(&id))?;
                return self.check_stored(&id).await;
            }
            Expected::Now(proposal) | Expected::Either(proposal) => proposal,
        };
        if talk.is_running() && phase.contains("running") {
            // Nothing is proposed: nothing has happened.
            same("an end without a proposal", &report.as_ref().map(seen), &self.model.report(&id))?;
            return self.check_stored(&id).await;
        }
        if !talk.is_running() && phase.contains("running") {
            // It did not learn of the end that somebody else has begun.
            same("an end of somebody else's", &report.as_ref().map(seen), &self.model.report(&id))?;
            return self.check_stored(&id).await;
        }
        let mut is_stored = IsStored::No;
        if talk.is_running() {
            talk.turn(self.model.now);
            talk.attempts.push(note);
        } else if let Phase::Proposed(_, before) = talk.phase {
            is_stored = before;
        }
        let knows = stored.as_ref().is_some_and(|(found, _)| *found == note || talk.knows(*found));
        if is_stored != IsStored::Yes && knows && stored.as_ref().is_some_and(|(_, of)| of.contains("proposed")) {
            is_stored = IsStored::Perhaps;
            talk.phase = Phase::Proposed(proposal.clone(), is_stored);
            let found = stored.as_ref().map_or(note, |(found, _)| *found);
            self.model.save(&talk, found);
        }
        talk.phase = Phase::Proposed(proposal.clone(), is_stored);
        // Of what was committed before only the session tells: whoever finds the commit takes it away.
        let is_taken_away = talk.who().is_ok() && stored.is_none() && self.model.saved(&id).is_some();
        let is_committed = report.is_some() && (is_new || is_taken_away);
        if promise == Some(true) && talk.who().is_ok() && !is_committed && is_new {
            return Err("an end said that it was committed, and it was not".into());
        }
        if promise == Some(false) && is_committed {
            return Err("an end said that it was not committed, and it was".into());
        }
        if is_committed {
            self.figures.tried("ends", 1);
            let first = self.model.commit(&talk, *proposal);
            if talk.who().is_err() {
                self.model.save(&talk.ended(first.clone()), 0);
            }
            // After an erasure less is told of it than whoever has ended it is told (W4).
            same("a report that was lost", &report.as_ref().map(seen), &self.model.report(&id))?;
            talk.phase = match talk.phase {
                Phase::Proposed(proposal, _) if phase.contains("proposed") => Phase::Proposed(proposal, IsStored::Yes),
                _ => Phase::Ended(first),
            };
        } else if phase.contains("ended") {
            // Nobody is to be remembered, and the store was not told of the end.
            talk.phase = Phase::Ended(self.model.commit(&talk, *proposal));
        }
        self.talks[index].talk = talk;
        self.check_stored(&id).await
    }
}
