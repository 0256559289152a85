//! Whether all that a store holds is whole: readable, where it belongs, and gone in time.

use std::collections::{BTreeMap, BTreeSet};

use agent_memory_store::{
    AgentVersion, ComponentKey, Field, Interaction, Kept, KeptCaller, KeptMark, KeptRow, SavedSession, StoreError,
    Timestamp,
};
use serde::Serialize;

use crate::audit::StoredAct;
use crate::catalogue::{ComponentId, StoredAgent};
use crate::codec::{Codec, LONGEST_RETENTION, Place, RowDetails, StoredIdentifier, StoredReport, Unreadable};
use crate::{Administration, Json};

/// What was rounded up to the hour may end so much later, in seconds.
const HOUR: i64 = 3600;

/// What a verification has found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Verification {
    /// How much of each kind was read and opened. What has expired does not count.
    pub checked: BTreeMap<&'static str, u64>,
    /// What is wrong. Nothing, in a store that is whole.
    pub problems: Vec<Problem>,
}

/// Something that is wrong with what a store holds. It says nothing of whose it is, or what it says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Problem {
    /// What it is wrong with, in the singular, such as `value`. For the whole, `store`.
    pub what: &'static str,
    /// What is wrong.
    pub why: String,
    /// How often.
    pub count: u64,
}

/// A verification on its way.
struct Inspector<'a> {
    codec: &'a Codec,
    now: Timestamp,
    checked: BTreeMap<&'static str, u64>,
    problems: BTreeMap<(&'static str, String), u64>,
    components: BTreeSet<ComponentKey>,
    /// What agents run.
    wanted: Vec<ComponentKey>,
}

impl Administration {
    /// Reads all that the store holds, and learns whether it is whole: the engine's own check first, then whether every
    /// record can be opened, belongs where it is, and expires when it was meant to and in time (rule E1). What seems to have
    /// expired is looked at too, since it may be its time that is damaged. It changes nothing, and can be done while others
    /// write. `progress` is told how much has been read.
    ///
    /// # Errors
    /// If the store cannot be reached. Whatever is wrong with what it holds is a [`Problem`].
    pub async fn verify(&self, mut progress: impl FnMut(u64)) -> Result<Verification, StoreError> {
        let (store, now) = (&self.shared.store, self.shared.now().as_second());
        let mut inspector = Inspector::new(&self.shared.codec, now);
        match store.integrity().await {
            Ok(found) => found.into_iter().for_each(|why| inspector.problem("store", why)),
            Err(error) => inspector.problem("store", damage(error)?),
        }
        let (mut after, mut read) = (None, 0);
        loop {
            let part = match store.dump(after).await {
                Ok(part) => part,
                Err(error) => {
                    inspector.problem("store", format!("it cannot be read to its end: {}", damage(error)?));
                    return Ok(inspector.finish(false));
                }
            };
            read += part.kept.len() as u64;
            part.kept.into_iter().for_each(|kept| inspector.inspect(kept));
            progress(read);
            after = part.next;
            if after.is_none() {
                return Ok(inspector.finish(true));
            }
        }
    }
}

/// What is damaged, if an error says that.
fn damage(error: StoreError) -> Result<String, StoreError> {
    match error {
        StoreError::Damaged { what, .. } => Ok(what),
        StoreError::Shard { shard, error, .. } => Ok(format!("shard {shard:?}: {}", damage(*error)?)),
        error => Err(error),
    }
}

/// Whether a time is the one that was sealed.
fn same(sealed: Timestamp, stored: Timestamp) -> Result<(), Unreadable> {
    if sealed == stored { Ok(()) } else { Err(Unreadable::Damaged) }
}

impl<'a> Inspector<'a> {
    fn new(codec: &'a Codec, now: Timestamp) -> Self {
        Self {
            codec,
            now,
            checked: BTreeMap::new(),
            problems: BTreeMap::new(),
            components: BTreeSet::new(),
            wanted: Vec::new(),
        }
    }

    fn inspect(&mut self, kept: Kept) {
        match kept {
            Kept::Totals { .. } => {}
            Kept::Caller(caller) => self.caller(caller),
            Kept::Mark(mark) => self.mark(mark),
            Kept::Row(row) => self.row(&row),
            Kept::Session(session) => self.session(&session),
            Kept::Agent { version, .. } => self.agent(version),
            Kept::Component { key, bytes } => {
                self.checked("components");
                self.components.insert(key);
                if ComponentId::of(&bytes).key() != key {
                    self.problem("component", Unreadable::Damaged.to_string());
                }
            }
            Kept::Act(act) => {
                let opened = self.codec.open::<StoredAct>(Place::Act { id: act.id, at: act.at }, &act.record);
                self.opened("acts", "entry of the audit trail", act.expires, opened);
            }
        }
    }

    fn caller(&mut self, caller: KeptCaller) {
        let identity = caller.identity;
        let times = caller.fields.iter().map(|field| field.expires);
        let times = times.chain(caller.interaction.as_ref().map(|interaction| interaction.expires));
        let held_until = times.max().unwrap_or(Timestamp::MIN);
        if let Some(identifier) = &caller.identifier {
            let opened = self.codec.open::<StoredIdentifier>(Place::Identifier(identity), identifier);
            let key = |stored: &StoredIdentifier| self.codec.identity_key(&stored.scope, &stored.identifier);
            let is_other = opened.as_ref().is_ok_and(|stored| key(stored) != identity);
            let opened = if is_other { Err(Unreadable::Damaged) } else { opened };
            self.opened("callers", "identifier", held_until.max(caller.marks_until.unwrap_or(held_until)), opened);
        } else if held_until > self.now {
            self.problem("caller", "there is no identifier with what is held".to_owned());
        }
        for field in &caller.fields {
            let value = self.codec.open_value(identity, field);
            let value = value.and_then(|value| Json::parse(value).map_err(|_| Unreadable::Damaged));
            let Field { written, expires, .. } = field;
            self.opened("values", "value", *expires, value);
            self.expires("value", *written, *expires);
        }
        if let Some(interaction) = &caller.interaction {
            let Interaction { began, expires, .. } = *interaction;
            self.opened("interactions", "first interaction", expires, self.codec.open_interaction(interaction));
            self.expires("first interaction", began, expires);
        }
        for (_, expires) in caller.former {
            self.expires("former interaction", self.now, expires);
        }
    }

    fn mark(&mut self, mark: KeptMark) {
        let KeptMark { conversation, expires, recorded } = mark;
        let opened = recorded.map_or(Ok(()), |(identity, record)| {
            let report = self.codec.open::<StoredReport>(Place::Report { conversation, identity }, &record.report)?;
            same(report.expires, expires)
        });
        self.opened("marks", "report", expires, opened);
        self.expires("mark", self.now, expires);
    }

    fn row(&mut self, row: &KeptRow) {
        let place = Place::Row { id: row.id, began: row.began };
        let details = self.codec.open::<RowDetails>(place, &row.details);
        // The row and the interaction expire together.
        let standing = Interaction {
            id: row.interaction,
            began: row.standing_began,
            expires: row.expires,
            record: row.standing_record.clone(),
        };
        let opened = details.and_then(|_| self.codec.open_interaction(&standing));
        self.opened("metrics", "metric row", row.expires, opened);
        self.expires("metric row", row.standing_began, row.expires);
    }

    fn session(&mut self, saved: &SavedSession) {
        let opened = self.codec.open_session(saved.conversation, &saved.session);
        let opened = opened.and_then(|session| same(session.expires, saved.expires));
        self.opened("sessions", "session", saved.expires, opened);
        self.expires("session", self.now, saved.expires);
    }

    fn agent(&mut self, version: AgentVersion) {
        let opened = StoredAgent::open(self.codec, &version);
        self.opened("agents", "agent", Timestamp::MAX, opened);
        self.wanted.push(version.component);
    }

    /// Counts what has not expired, and notes what cannot be opened. Of what has expired, the day's key may be gone.
    fn opened<T>(&mut self, kind: &'static str, what: &'static str, expires: Timestamp, opened: Result<T, Unreadable>) {
        let is_alive = expires > self.now;
        if is_alive {
            self.checked(kind);
        }
        match opened {
            Err(Unreadable::Destroyed) if !is_alive => {}
            Err(why) => self.problem(what, why.to_string()),
            Ok(_) => {}
        }
    }

    /// Notes what outlives the longest retention, counted from its beginning, and from now.
    fn expires(&mut self, what: &'static str, began: Timestamp, expires: Timestamp) {
        let latest = began.min(self.now).saturating_add(LONGEST_RETENTION + HOUR);
        if expires > latest {
            self.problem(what, "it expires later than anything may".to_owned());
        }
    }

    fn checked(&mut self, kind: &'static str) {
        *self.checked.entry(kind).or_default() += 1;
    }

    fn problem(&mut self, what: &'static str, why: String) {
        *self.problems.entry((what, why)).or_default() += 1;
    }

    fn finish(mut self, is_complete: bool) -> Verification {
        let missing = self.wanted.iter().filter(|component| !self.components.contains(component)).count();
        // Of a store that was not read to its end, nobody knows.
        if is_complete && missing > 0 {
            *self.problems.entry(("agent", "its component is missing".to_owned())).or_default() += missing as u64;
        }
        let problems = self.problems.into_iter().map(|((what, why), count)| Problem { what, why, count });
        Verification { checked: self.checked, problems: problems.collect() }
    }
}
