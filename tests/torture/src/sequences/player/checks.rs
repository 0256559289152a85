//! What can be looked at, and has to be as the model has it.

use std::collections::BTreeMap;

use agent_memory_host::store::{Health, Kept, Store as _, Transfer as _};
use agent_memory_host::{AdministrationError, CommitReport};

use super::{Came, PHONE, Player, Wrong, come, returned, same, wrong};
use crate::sequences::model::{Counts, Held, Id, Report, Who};
use crate::sequences::world::{CALLERS, SCOPES, scope};

impl Player {
    /// What functions of a conversation see, and its state.
    pub(super) async fn check_talk(&mut self, index: usize) -> Result<(), Wrong> {
        let Some(turn) = self.call(index, "memory_fields", "{}").await? else { return Ok(()) };
        let now = self.model.now;
        let going = &mut self.talks[index];
        going.talk.turn(now);
        let found: BTreeMap<String, Box<serde_json::value::RawValue>> =
            serde_json::from_str(&returned(&turn)?).map_err(wrong("memory"))?;
        let found = found.into_iter().map(|(key, value)| (key, value.get().to_owned())).collect();
        same("memory", &found, &self.model.memory(&going.talk))?;
        let state = going.conversation.state().into_iter();
        let state: Vec<_> =
            state.map(|(key, value)| (key, value.map(|value| value.as_str().to_owned()).unwrap_or_default())).collect();
        same("the state", &state, &going.talk.state())
    }

    /// What is held on a caller (E3).
    pub(super) async fn check_export(&self, who: Who) -> Result<(), Wrong> {
        let administration = self.process()?.runtime.administration();
        let scope = scope(who.0);
        let export = match self.answer(administration.export(&scope, PHONE, who.1)).await? {
            Came::Answer(Ok(export)) => export,
            Came::Answer(Err(AdministrationError::Store(_))) => return self.excuse("an export"),
            Came::Answer(Err(error)) => return Err(format!("an export: {error}")),
            Came::Nothing => return Ok(()),
        };
        let fields = export.fields.into_iter();
        let fields =
            fields.map(|(key, field)| (key, (field.value.as_str().to_owned(), field.expires_at.as_second()))).collect();
        let first_interaction = export.first_interaction.map(|mut metrics| {
            let expires: jiff::Timestamp =
                metrics.remove("expires_at").and_then(|text| text.parse().ok()).unwrap_or_default();
            (metrics, expires.as_second())
        });
        let found = Held { fields, first_interaction, conversations: export.conversations };
        same("an export", &found, &self.model.held(who))
    }

    /// What analytics count (A6).
    pub(super) async fn check_analytics(&self) -> Result<(), Wrong> {
        let administration = self.process()?.runtime.administration();
        let conversations = match self.answer(administration.conversations()).await? {
            Came::Answer(Ok(conversations)) => conversations,
            Came::Answer(Err(AdministrationError::Store(_))) => return self.excuse("analytics"),
            Came::Answer(Err(error)) => return Err(format!("analytics: {error}")),
            Came::Nothing => return Ok(()),
        };
        let number = |of: &agent_memory_host::Scope| (0..SCOPES.len()).find(|index| scope(*index) == *of);
        let counted = conversations.into_iter().map(|counted| {
            let id = (number(&counted.scope).unwrap_or(SCOPES.len()), counted.conversation);
            (counted.began.as_second(), id, counted.repeat_of)
        });
        let mut counted: Vec<_> = counted.collect();
        same("that analytics are in the order of time", &counted.is_sorted_by_key(|counted| counted.0), &true)?;
        counted.sort();
        same("analytics", &counted, &self.model.counted())
    }

    /// The session that the store has of a conversation.
    pub(super) async fn check_stored(&self, id: &Id) -> Result<(), Wrong> {
        let found = self.stored(id).await?.map(|(note, _)| note);
        same("the saved session", &found, &self.model.saved(id).map(|saved| saved.note))
    }

    pub(super) async fn sweep(&mut self) -> Result<(), Wrong> {
        let process = self.process()?;
        match come(&process.store, process.runtime.administration().sweep()).await {
            Came::Answer(Ok(_)) => self.check_swept().await,
            Came::Answer(Err(AdministrationError::Store(_))) => self.excuse("a sweep"),
            Came::Answer(Err(error)) => Err(format!("a sweep: {error}")),
            Came::Nothing => Ok(()),
        }
    }

    /// Nothing is left of what has expired, in any form (E2).
    async fn check_swept(&self) -> Result<(), Wrong> {
        let (process, now) = (self.process()?, self.model.now);
        process.store.no_more_trouble();
        let mut after = None;
        loop {
            let part = process.store.dump(after).await.map_err(wrong("a dump"))?;
            for kept in part.kept {
                let what = kind(&kept);
                same(&format!("what a sweep has left of {what}"), &kept.clone().alive(now), &Some(kept))?;
            }
            after = part.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    pub(super) async fn amend(&mut self, ended: usize, qa: &str) -> Result<(), Wrong> {
        let Some(index) = ended.checked_rem(self.ended.len()) else { return Ok(()) };
        let id = self.ended[index].clone();
        let administration = self.process()?.runtime.administration();
        let outcome = agent_memory_host::Outcome { qa: Some(qa.to_owned()), handoff: None };
        let (scope, store) = (scope(id.0), self.process()?.store.clone());
        let found = match come(&store, administration.add_outcome(&scope, &id.1, outcome)).await {
            Came::Answer(Ok(changed)) => Some(changed),
            Came::Answer(Err(AdministrationError::UnknownConversation)) => None,
            Came::Answer(Err(AdministrationError::Store(_))) | Came::Nothing => {
                self.excuse("an amendment")?;
                // It was made or not: it is made now, if anybody remembers the conversation.
                return Box::pin(self.amend(index, qa)).await;
            }
            Came::Answer(Err(error)) => return Err(format!("an amendment: {error}")),
        };
        same("what an amendment answers", &found, &self.model.amend(&id, qa))
    }

    pub(super) async fn erase(
        &mut self,
        scope_index: usize,
        caller: usize,
        key: Option<&'static str>,
    ) -> Result<(), Wrong> {
        let Ok(identifier) = CALLERS[caller].1 else { return Ok(()) };
        let store = self.process()?.store.clone();
        let administration = self.process()?.runtime.administration();
        let scope = scope(scope_index);
        match come(&store, administration.erase(&scope, PHONE, identifier, key)).await {
            Came::Answer(Ok(erasure)) => {
                store.no_more_trouble();
                let deleted = erasure.deleted;
                let expected = self.model.erase((scope_index, identifier), key);
                same("what is erased", &[deleted.fields, deleted.interactions, deleted.metrics], &expected)?;
            }
            Came::Answer(Err(AdministrationError::Store(_))) | Came::Nothing => {
                self.excuse("an erasure")?;
                if self.erasures().await? > self.model.erasures {
                    self.model.erase((scope_index, identifier), key);
                }
            }
            Came::Answer(Err(error)) => return Err(format!("an erasure: {error}")),
        }
        self.figures.tried("erasures", 1);
        same("how many erasures there were", &self.erasures().await?, &self.model.erasures)?;
        self.check_export((scope_index, identifier)).await
    }

    /// Everything, and once more after a sweep.
    pub(in crate::sequences) async fn check_all(&mut self) -> Result<(), Wrong> {
        self.check_everything().await?;
        self.sweep().await?;
        self.check_everything().await?;
        let administration = self.process()?.runtime.administration();
        let verification = administration.verify(|_| ()).await.map_err(wrong("a verification"))?;
        same("a verification", &verification.problems, &Vec::new())
    }

    async fn check_everything(&mut self) -> Result<(), Wrong> {
        for scope in 0..SCOPES.len() {
            for identifier in CALLERS.iter().take(2).filter_map(|(_, identifier)| identifier.ok()) {
                self.check_export((scope, identifier)).await?;
            }
        }
        self.check_analytics().await?;
        let Health { identities, fields, interactions, metrics, sessions, .. } =
            self.process()?.store.health(self.model.now).await.map_err(wrong("health"))?;
        same("counts", &Counts { identities, fields, interactions, metrics, sessions }, &self.model.counts())?;
        for id in self.ended.clone() {
            let report = self.process()?.runtime.administration().report(&scope(id.0), &id.1).await;
            let report = report.map_err(wrong("a report"))?;
            same("a report", &report.as_ref().map(seen), &self.model.report(&id))?;
        }
        Ok(())
    }
}

/// What is compared of a report.
pub(super) fn seen(report: &CommitReport) -> Report {
    Report {
        status: report.status,
        identifier: report.identifier,
        keys: report.keys.clone(),
        first_interaction: report.first_interaction,
        metrics: report.metrics.clone(),
    }
}

fn kind(kept: &Kept) -> &'static str {
    match kept {
        Kept::Totals { .. } => "the totals",
        Kept::Caller(_) => "callers",
        Kept::Mark(_) => "marks",
        Kept::Row(_) => "metric rows",
        Kept::Session(_) => "sessions",
        Kept::Agent { .. } | Kept::Component { .. } => "agents",
        Kept::Act(_) => "the trail",
    }
}
