//! Whether all that a store holds is whole: readable, where it belongs, and gone in time.

use std::collections::{BTreeMap, BTreeSet};

use agent_memory_store::{
    AgentVersion, ComponentKey, Field, Interaction, Kept, KeptCaller, KeptMark, KeptRow, SavedSession, StoreError,
    Timestamp,
};
use serde::Serialize;

use crate::audit::StoredAct;
use crate::catalogue::{ComponentId, StoredAgent};
use crate::codec::{
    Codec, InteractionRecord, LONGEST_RETENTION, Place, RowDetails, StoredIdentifier, StoredReport, Unreadable,
};
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
    /// record can be opened, belongs where it is, and expires in time (rule E1). It changes nothing, and can be done while
    /// others write. `progress` is told how much has been read.
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
            part.kept.into_iter().filter_map(|kept| kept.alive(now)).for_each(|kept| inspector.inspect(kept));
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
                self.checked("acts");
                let place = Place::Act { id: act.id, at: act.at };
                self.opened("entry of the audit trail", self.codec.open::<StoredAct>(place, &act.record));
            }
        }
    }

    fn caller(&mut self, caller: KeptCaller) {
        self.checked("callers");
        let identity = caller.identity;
        if let Some(identifier) = &caller.identifier {
            let opened = self.codec.open::<StoredIdentifier>(Place::Identifier(identity), identifier);
            let key = |stored: &StoredIdentifier| self.codec.identity_key(&stored.scope, &stored.identifier);
            let is_other = opened.as_ref().is_ok_and(|stored| key(stored) != identity);
            self.opened("identifier", if is_other { Err(Unreadable::Damaged) } else { opened });
        } else if !caller.fields.is_empty() || caller.interaction.is_some() {
            self.problem("caller", "there is no identifier with what is held".to_owned());
        }
        for field in &caller.fields {
            self.checked("values");
            let value = self.codec.open_value(identity, field);
            let value = value.and_then(|value| Json::parse(value).map_err(|_| Unreadable::Damaged));
            self.opened("value", value);
            let Field { written, expires, .. } = field;
            self.expires("value", *written, *expires);
        }
        if let Some(Interaction { id, began, expires, record }) = &caller.interaction {
            self.checked("interactions");
            self.opened("first interaction", self.codec.open::<InteractionRecord>(Place::Interaction(*id), record));
            self.expires("first interaction", *began, *expires);
        }
        for (_, expires) in caller.former {
            self.expires("former interaction", self.now, expires);
        }
    }

    fn mark(&mut self, mark: KeptMark) {
        self.checked("marks");
        let KeptMark { conversation, expires, recorded } = mark;
        if let Some((identity, record)) = recorded {
            let place = Place::Report { conversation, identity };
            self.opened("report", self.codec.open::<StoredReport>(place, &record.report));
        }
        self.expires("mark", self.now, expires);
    }

    fn row(&mut self, row: &KeptRow) {
        self.checked("metrics");
        let place = Place::Row { id: row.id, began: row.began };
        self.opened("metric row", self.codec.open::<RowDetails>(place, &row.details));
        let place = Place::Interaction(row.interaction);
        self.opened("metric row", self.codec.open::<InteractionRecord>(place, &row.standing_record));
        self.expires("metric row", row.standing_began, row.expires);
    }

    fn session(&mut self, session: &SavedSession) {
        self.checked("sessions");
        self.opened("session", self.codec.open_session(session.conversation, &session.session));
        self.expires("session", self.now, session.expires);
    }

    fn agent(&mut self, version: AgentVersion) {
        self.checked("agents");
        self.opened("agent", self.codec.open::<StoredAgent>(Place::Agent(version.version), &version.record));
        self.wanted.push(version.component);
    }

    /// Notes what cannot be opened.
    fn opened<T>(&mut self, what: &'static str, opened: Result<T, Unreadable>) {
        if let Err(why) = opened {
            self.problem(what, why.to_string());
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
