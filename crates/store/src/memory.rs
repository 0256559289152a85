//! The store that keeps everything in this process.

mod agents;
mod shard;
mod transfer;

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    ops::Bound,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use self::agents::Versions;
use crate::{
    Act, ActId, AgentKey, AgentVersion, Agents, Amendment, Audit, Commit, Committed, ComponentKey, ConversationKey,
    Ended, Erased, ErasedSince, Erasure, Erasures, Field, Health, Held, IdentityKey, Interaction, InteractionId,
    Loaded, MarkRecord, MetricRow, NewRow, Published, Read, Recorded, Register, RegisterKey, Remembered, Replaces,
    RowId, SavedSession, Sealed, Sessions, Settled, Store, StoreError, StoredSession, Swept, Timestamp, VersionKey,
    types::{day_of, hour_of},
};

/// Keeps everything in this process, for as long as the process runs.
///
/// It is the reference for every other store: plain maps under one lock, written to be seen to be right.
#[derive(Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    erasures: Erasures,
    callers: BTreeMap<IdentityKey, Caller>,
    marks: HashMap<ConversationKey, Mark>,
    rows: BTreeMap<(InteractionId, RowId), Row>,
    sessions: HashMap<ConversationKey, SavedSession>,
    agents: Versions,
    acts: BTreeMap<ActId, Act>,
    keys: Option<Sealed>,
    swept: Option<Timestamp>,
    registers: BTreeMap<RegisterKey, Register>,
}

#[derive(Default)]
struct Caller {
    identifier: Option<Sealed>,
    fields: BTreeMap<String, Field>,
    interaction: Option<Interaction>,
    /// The interactions that another took the place of, and when their rows expire.
    former: Vec<(InteractionId, Timestamp)>,
    /// When the last of the caller's marks expires.
    marks_until: Option<Timestamp>,
    erased: Option<Remembered>,
    erased_keys: BTreeMap<String, Remembered>,
}

struct Mark {
    expires: Timestamp,
    recorded: Option<(IdentityKey, MarkRecord)>,
}

/// A metric row, with the interaction that stood at the conversation's end as it was then.
struct Row {
    began: Timestamp,
    details: Sealed,
    first: bool,
    standing: Interaction,
}

impl MemoryStore {
    /// A store that holds nothing.
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn load(&self, read: Read) -> Result<Loaded, StoreError> {
        Ok(self.state().load(read))
    }

    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        Ok(self.state().commit(commit))
    }

    async fn ended(&self, conversation: ConversationKey, now: Timestamp) -> Result<Option<Ended>, StoreError> {
        Ok(self.state().ended(conversation, now))
    }

    async fn amend(&self, amendment: Amendment) -> Result<bool, StoreError> {
        Ok(self.state().amend(amendment))
    }

    async fn erase(&self, erasure: Erasure) -> Result<Erased, StoreError> {
        let mut state = self.state();
        let number = state.count_erasure();
        Ok(state.erase(erasure, number))
    }

    async fn export(&self, identity: IdentityKey, now: Timestamp) -> Result<Held, StoreError> {
        Ok(self.state().export(identity, now))
    }

    async fn identities(
        &self,
        after: Option<IdentityKey>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<IdentityKey>, StoreError> {
        let state = self.state();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let held = state.callers.range((from, Bound::Unbounded)).filter(|(_, caller)| caller.is_held(now));
        Ok(held.map(|(identity, _)| *identity).take(limit).collect())
    }

    async fn sweep(&self, now: Timestamp) -> Result<Swept, StoreError> {
        Ok(self.state().sweep(now))
    }

    async fn metric_rows(&self, now: Timestamp) -> Result<Vec<MetricRow>, StoreError> {
        Ok(self.state().metric_rows(now, |_| true))
    }

    async fn claim(&self, keys: Sealed) -> Result<Sealed, StoreError> {
        Ok(self.state().keys.get_or_insert(keys).clone())
    }

    async fn health(&self, now: Timestamp) -> Result<Health, StoreError> {
        Ok(self.state().health(now))
    }
}

#[async_trait]
impl Sessions for MemoryStore {
    async fn save_session(
        &self,
        session: SavedSession,
        replaces: Replaces,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(self.state().save_session(session, replaces, now))
    }

    async fn load_session(
        &self,
        conversation: ConversationKey,
        now: Timestamp,
    ) -> Result<Option<StoredSession>, StoreError> {
        let state = self.state();
        let saved = state.sessions.get(&conversation).filter(|saved| saved.expires > now);
        Ok(saved.map(|saved| StoredSession { revision: saved.revision, session: saved.session.clone() }))
    }

    async fn delete_session(&self, conversation: ConversationKey) -> Result<(), StoreError> {
        self.state().sessions.remove(&conversation);
        Ok(())
    }

    async fn overdue_sessions(&self, now: Timestamp, limit: usize) -> Result<Vec<ConversationKey>, StoreError> {
        let overdue = self.state().overdue(now, limit);
        Ok(overdue.into_iter().map(|(_, conversation)| conversation).collect())
    }
}

#[async_trait]
impl Agents for MemoryStore {
    async fn publish_agent(
        &self,
        version: AgentVersion,
        bytes: Option<Vec<u8>>,
        now: Timestamp,
    ) -> Result<Published, StoreError> {
        Ok(self.state().agents.publish(version, bytes, now))
    }

    async fn agents(&self) -> Result<Vec<AgentVersion>, StoreError> {
        Ok(self.state().agents.current().cloned().collect())
    }

    async fn agent_version(&self, agent: AgentKey, version: VersionKey) -> Result<Option<AgentVersion>, StoreError> {
        Ok(self.state().agents.version(agent, version).cloned())
    }

    async fn current_agent(&self, agent: AgentKey) -> Result<Option<AgentVersion>, StoreError> {
        Ok(self.state().agents.current().find(|version| version.agent == agent).cloned())
    }

    async fn component(&self, component: ComponentKey) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.state().agents.component(component).map(<[u8]>::to_vec))
    }

    async fn withdraw_agent(&self, agent: AgentKey, now: Timestamp) -> Result<bool, StoreError> {
        Ok(self.state().agents.withdraw(agent, now))
    }
}

#[async_trait]
impl Audit for MemoryStore {
    async fn record_act(&self, act: Act) -> Result<(), StoreError> {
        self.state().acts.insert(act.id, act);
        Ok(())
    }

    async fn acts(
        &self,
        after: Option<(Timestamp, ActId)>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Act>, StoreError> {
        let state = self.state();
        let alive = state.acts.values().filter(|act| act.expires > now);
        let mut acts: Vec<Act> =
            alive.filter(|act| after.is_none_or(|after| (act.at, act.id) > after)).cloned().collect();
        acts.sort_by_key(|act| (act.at, act.id));
        acts.truncate(limit);
        Ok(acts)
    }
}

impl State {
    fn load(&self, read: Read) -> Loaded {
        let caller = read.identity.and_then(|identity| self.callers.get(&identity));
        Loaded {
            fields: caller.map(|caller| caller.fields(read.now)).unwrap_or_default(),
            erasures: self.erasures,
            ended: read.conversation.is_some_and(|conversation| self.ended(conversation, read.now).is_some()),
        }
    }

    fn commit(&mut self, commit: Commit) -> Committed {
        if commit.ends_session {
            self.sessions.remove(&commit.conversation);
        }
        if let Some(ended) = self.ended(commit.conversation, commit.now) {
            return Committed::Before(ended);
        }
        let caller = self.callers.entry(commit.identity).or_default();
        let erased = caller.erased_since(commit.erasures, commit.now);
        if erased == ErasedSince::Everything {
            self.marks.insert(commit.conversation, Mark { expires: commit.mark.expires, recorded: None });
            return Committed::Now(Settled { erased, standing: None, first: false });
        }

        caller.identifier = Some(commit.identifier);
        caller.marks_until = caller.marks_until.max(Some(commit.mark.expires));
        for field in commit.patch {
            let left_alone = matches!(&erased, ErasedSince::Keys(keys) if keys.contains(&field.key));
            if !left_alone {
                caller.fields.insert(field.key.clone(), field);
            }
        }

        let mut settled = Settled { erased, standing: None, first: false };
        let mut row = None;
        if let Some(new) = commit.interaction {
            let stands = |old: &Interaction| old.expires > commit.now && old.began > new.stands_after;
            let standing = match caller.interaction.clone().filter(stands) {
                Some(standing) => standing,
                None => {
                    settled.first = true;
                    if let Some(old) = caller.interaction.replace(new.interaction.clone()) {
                        caller.former.push((old.id, old.expires));
                        caller.former.retain(|(id, _)| *id != new.interaction.id);
                    }
                    new.interaction
                }
            };
            let NewRow { id, began, details } = new.row;
            row = Some((standing.id, id));
            self.rows
                .insert((standing.id, id), Row { began, details, first: settled.first, standing: standing.clone() });
            settled.standing = Some(standing);
        }

        let Settled { erased, first, .. } = settled.clone();
        let record = MarkRecord { report: commit.mark.report, erased, first, row };
        let recorded = Some((commit.identity, record));
        self.marks.insert(commit.conversation, Mark { expires: commit.mark.expires, recorded });
        Committed::Now(settled)
    }

    fn ended(&self, conversation: ConversationKey, now: Timestamp) -> Option<Ended> {
        let mark = self.marks.get(&conversation).filter(|mark| mark.expires > now)?;
        Some(Ended { recorded: mark.recorded.as_ref().map(|(identity, record)| self.recorded(*identity, record, now)) })
    }

    /// What a mark has recorded, with the interaction that stood as its metric row has it, until it expires.
    fn recorded(&self, identity: IdentityKey, mark: &MarkRecord, now: Timestamp) -> Recorded {
        let standing = mark.row.and_then(|row| self.rows.get(&row)).map(|row| row.standing.clone());
        let standing = standing.filter(|standing| standing.expires > now);
        let settled = Settled { erased: mark.erased.clone(), standing, first: mark.first };
        Recorded { identity, report: mark.report.clone(), settled }
    }

    fn amend(&mut self, amendment: Amendment) -> bool {
        let interaction = self.callers.get_mut(&amendment.identity).and_then(|caller| caller.interaction.as_mut());
        match interaction.filter(|interaction| **interaction == amendment.from) {
            Some(interaction) => {
                interaction.record = amendment.record;
                true
            }
            None => false,
        }
    }

    fn count_erasure(&mut self) -> Erasures {
        self.erasures += 1;
        self.erasures
    }

    fn erase(&mut self, erasure: Erasure, number: Erasures) -> Erased {
        let Erasure { identity, key, now, expires } = erasure;
        let mut remembered = Remembered { number, expires };
        let caller = self.callers.entry(identity).or_default();
        let mut erased = Erased::default();

        let Some(key) = key else {
            let before = std::mem::take(caller);
            erased.fields = before.fields.values().filter(|field| field.expires > now).count() as u64;
            erased.interactions =
                before.interaction.iter().filter(|interaction| interaction.expires > now).count() as u64;
            for earlier in before.erased.iter().chain(before.erased_keys.values()) {
                remembered.expires = remembered.expires.max(earlier.expires);
            }
            caller.erased = Some(remembered);

            let interactions = before.interactions();
            self.rows.retain(|(interaction, _), row| {
                let tied = interactions.contains(interaction);
                erased.metrics += u64::from(tied && row.standing.expires > now);
                !tied
            });
            for mark in self.marks.values_mut() {
                mark.recorded.take_if(|(owner, _)| *owner == identity);
            }
            return erased;
        };

        if let Some(field) = caller.fields.remove(&key) {
            erased.fields = u64::from(field.expires > now);
        }
        if let Some(earlier) = caller.erased_keys.get(&key) {
            remembered.expires = remembered.expires.max(earlier.expires);
        }
        caller.erased_keys.insert(key, remembered);
        erased
    }

    fn export(&self, identity: IdentityKey, now: Timestamp) -> Held {
        let Some(caller) = self.callers.get(&identity) else { return Held::default() };
        let mut conversations: Vec<(ConversationKey, Recorded)> = self
            .marks
            .iter()
            .filter(|(_, mark)| mark.expires > now)
            .filter_map(|(conversation, mark)| Some((*conversation, mark.recorded.as_ref()?)))
            .filter(|(_, (owner, _))| *owner == identity)
            .map(|(conversation, (_, record))| (conversation, self.recorded(identity, record, now)))
            .collect();
        conversations.sort_by_key(|(conversation, _)| *conversation);
        let interactions = caller.interactions();
        let mut held = Held {
            identifier: None,
            fields: caller.fields(now),
            interaction: caller.interaction.clone().filter(|interaction| interaction.expires > now),
            conversations,
            metric_rows: self.metric_rows(now, |interaction| interactions.contains(interaction)),
        };
        if held != Held::default() {
            held.identifier = caller.identifier.clone();
        }
        held
    }

    fn sweep(&mut self, now: Timestamp) -> Swept {
        let mut swept = Swept::default();
        for caller in self.callers.values_mut() {
            caller.sweep(now, &mut swept);
        }
        self.callers.retain(|_, caller| {
            caller.identifier.is_some() || caller.erased.is_some() || !caller.erased_keys.is_empty()
        });

        self.marks.retain(|_, mark| mark.expires > now);
        self.acts.retain(|_, act| act.expires > now);
        self.registers.retain(|_, register| register.expires.is_none_or(|expires| expires > now));

        let rows = self.rows.len();
        self.rows.retain(|_, row| row.standing.expires > now);
        swept.metrics = (rows - self.rows.len()) as u64;

        let sessions = self.sessions.len();
        self.sessions.retain(|_, session| session.expires > now);
        swept.sessions = (sessions - self.sessions.len()) as u64;

        self.agents.sweep(now);
        self.swept = Some(hour_of(now));
        swept
    }

    fn metric_rows(&self, now: Timestamp, wanted: impl Fn(&InteractionId) -> bool) -> Vec<MetricRow> {
        let alive = self.rows.iter().filter(|(_, row)| row.standing.expires > now);
        let wanted = alive.filter(|((interaction, _), _)| wanted(interaction));
        let mut rows: Vec<MetricRow> = wanted
            .map(|((interaction, id), row)| MetricRow {
                id: *id,
                interaction: *interaction,
                began: row.began,
                details: row.details.clone(),
                repeat_of: (!row.first).then(|| row.standing.record.clone()),
            })
            .collect();
        rows.sort_by_key(|row| (row.began, row.id, row.interaction));
        rows
    }

    fn health(&self, now: Timestamp) -> Health {
        let fields = self.callers.values().flat_map(|caller| caller.fields.values());
        let mut expiring: BTreeMap<Timestamp, u64> = BTreeMap::new();
        for field in fields.filter(|field| field.expires > now) {
            *expiring.entry(day_of(field.expires)).or_default() += 1;
        }
        let interactions = self.callers.values().filter_map(|caller| caller.interaction.as_ref());
        Health {
            identities: self.callers.values().filter(|caller| caller.is_held(now)).count() as u64,
            fields: expiring.values().sum(),
            interactions: interactions.filter(|interaction| interaction.expires > now).count() as u64,
            metrics: self.rows.values().filter(|row| row.standing.expires > now).count() as u64,
            sessions: self.sessions.values().filter(|saved| saved.expires > now).count() as u64,
            expiring: expiring.into_iter().collect(),
            swept: self.swept,
        }
    }

    fn save_session(&mut self, session: SavedSession, replaces: Replaces, now: Timestamp) -> bool {
        let there = self.sessions.get(&session.conversation).filter(|saved| saved.expires > now);
        let there = there.map(|saved| saved.revision);
        let may = match replaces {
            Replaces::Anything => true,
            Replaces::Nothing => there.is_none(),
            Replaces::Revision(revision) => there == Some(revision),
        };
        let repeated = there == Some(session.revision);
        if may {
            self.sessions.insert(session.conversation, session);
        }
        may || repeated
    }

    /// Up to `limit` conversations that should have been ended, with the times since when, the longest overdue first.
    fn overdue(&self, now: Timestamp, limit: usize) -> Vec<(Timestamp, ConversationKey)> {
        let alive = self.sessions.values().filter(|saved| saved.expires > now);
        let mut overdue: Vec<(Timestamp, ConversationKey)> =
            alive.filter_map(|saved| Some((saved.overdue?, saved.conversation))).collect();
        overdue.retain(|(since, _)| *since <= now);
        overdue.sort();
        overdue.truncate(limit);
        overdue
    }
}

impl Caller {
    fn fields(&self, now: Timestamp) -> Vec<Field> {
        self.fields.values().filter(|field| field.expires > now).cloned().collect()
    }

    /// Whether a field or an interaction is held that has not expired.
    fn is_held(&self, now: Timestamp) -> bool {
        self.fields.values().any(|field| field.expires > now)
            || self.interaction.as_ref().is_some_and(|interaction| interaction.expires > now)
    }

    /// All interactions that metric rows of this caller may be tied to.
    fn interactions(&self) -> Vec<InteractionId> {
        let former = self.former.iter().map(|(id, _)| *id);
        self.interaction.iter().map(|interaction| interaction.id).chain(former).collect()
    }

    fn erased_since(&self, erasures: Erasures, now: Timestamp) -> ErasedSince {
        let counts = |remembered: &Remembered| remembered.number > erasures && remembered.expires > now;
        if self.erased.as_ref().is_some_and(counts) {
            return ErasedSince::Everything;
        }
        let keys: Vec<String> =
            self.erased_keys.iter().filter(|(_, remembered)| counts(remembered)).map(|(key, _)| key.clone()).collect();
        if keys.is_empty() { ErasedSince::Nothing } else { ErasedSince::Keys(keys) }
    }

    fn sweep(&mut self, now: Timestamp, swept: &mut Swept) {
        let fields = self.fields.len();
        self.fields.retain(|_, field| field.expires > now);
        swept.fields += (fields - self.fields.len()) as u64;
        if self.interaction.take_if(|interaction| interaction.expires <= now).is_some() {
            swept.interactions += 1;
        }
        self.former.retain(|(_, expires)| *expires > now);
        self.erased.take_if(|remembered| remembered.expires <= now);
        self.erased_keys.retain(|_, remembered| remembered.expires > now);

        let marked = self.marks_until.is_some_and(|expires| expires > now);
        let left = !self.fields.is_empty() || self.interaction.is_some() || !self.former.is_empty() || marked;
        if !left {
            self.marks_until = None;
            swept.identifiers += u64::from(self.identifier.take().is_some());
        }
    }
}
