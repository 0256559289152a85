//! The model: what the rules say of everything that happens, in maps.
//!
//! The model of `crates/rules/tests/model` is of the rules alone, and knows every value, source and setting. This one
//! knows few of those, and what is around the rules: sessions, marks, metric rows, scopes, expiry and erasure.

use std::collections::BTreeMap;

use agent_memory_host::{CommitStatus, DropReason, KeyOutcome, NoIdentifier};
use jiff::Timestamp;

use super::steps::Value;
use super::world::{CALLERS, Configuration, DAY, ERASURE, SESSION, START, hour};

/// A scope, and an identifier in it (I8).
pub(crate) type Who = (usize, &'static str);

/// A scope, and the id of a conversation in it.
pub(crate) type Id = (usize, String);

/// Why a caller is to be handed over, and to whom.
pub(crate) type Handoff = (&'static str, &'static str);

/// What a first interaction or a metric row tells, by name (A3).
pub(crate) type Metrics = BTreeMap<String, String>;

#[derive(Default)]
pub(crate) struct Model {
    pub(crate) now: i64,
    pub(crate) erasures: u64,
    fields: BTreeMap<Who, BTreeMap<&'static str, Field>>,
    interactions: BTreeMap<Who, Interaction>,
    erased: BTreeMap<(Who, Option<&'static str>), Vec<Erasure>>,
    marks: BTreeMap<Id, Mark>,
    rows: Vec<Row>,
    sessions: BTreeMap<Id, Saved>,
    texts: u64,
}

struct Field {
    text: String,
    written: i64,
    expires: i64,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Interaction {
    conversation: Id,
    /// Tells it from one that another conversation of the same id has left.
    number: u64,
    began: i64,
    pub(crate) expires: i64,
    pub(crate) metrics: Metrics,
}

struct Erasure {
    number: u64,
    expires: i64,
}

/// What is left of a commit.
struct Mark {
    expires: i64,
    /// None after an erasure of the caller (W4).
    recorded: Option<Recorded>,
}

struct Recorded {
    who: Who,
    report: Report,
    first: Option<u64>,
    /// Until when the report tells of the interaction that stood.
    standing_expires: i64,
}

struct Row {
    who: Who,
    conversation: Id,
    began: i64,
    expires: i64,
    repeat_of: Option<Metrics>,
}

/// A conversation's session in the store.
pub(crate) struct Saved {
    /// What the save is known by.
    pub(crate) note: u64,
    talk: Talk,
}

/// A conversation that goes on, as one process has it.
#[derive(Clone)]
pub(crate) struct Talk {
    pub(crate) id: Id,
    pub(crate) caller: usize,
    pub(crate) configuration: &'static Configuration,
    began: i64,
    erasures: u64,
    state: Vec<Known>,
    handoff: Option<Handoff>,
    pub(crate) expires: i64,
    pub(crate) phase: Phase,
    /// The save that this process has made or loaded last.
    pub(crate) base: Option<u64>,
    /// The saves since then of which this process does not know whether they were carried out.
    pub(crate) attempts: Vec<u64>,
}

#[derive(Clone)]
pub(crate) enum Phase {
    Running,
    Proposed(Box<Proposal>, IsStored),
    Ended(Report),
}

/// Whether a process knows that the store has its proposal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum IsStored {
    Yes,
    No,
    /// The store has it, and whether the process knows of that cannot be seen.
    Perhaps,
}

/// A key that a function has touched.
#[derive(Clone)]
struct Known {
    key: &'static str,
    value: Option<String>,
    is_assigned: bool,
    is_refused: bool,
    is_removed: bool,
}

#[derive(Clone)]
pub(crate) struct Proposal {
    who: Result<Who, NoIdentifier>,
    now: i64,
    keys: Vec<(&'static str, Result<Write, DropReason>)>,
    interaction: Option<Interaction>,
}

#[derive(Clone)]
struct Write {
    text: String,
    expires: i64,
}

/// What can be seen of a report.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Report {
    pub(crate) status: CommitStatus,
    pub(crate) identifier: Result<(), NoIdentifier>,
    pub(crate) keys: Vec<(String, KeyOutcome)>,
    pub(crate) first_interaction: bool,
    pub(crate) metrics: Metrics,
}

/// All that is held on a caller.
#[derive(Debug, PartialEq)]
pub(crate) struct Held {
    pub(crate) fields: BTreeMap<String, (String, i64)>,
    pub(crate) first_interaction: Option<(Metrics, i64)>,
    pub(crate) conversations: Vec<String>,
}

/// How much there is.
#[derive(Debug, PartialEq)]
pub(crate) struct Counts {
    pub(crate) identities: u64,
    pub(crate) fields: u64,
    pub(crate) interactions: u64,
    pub(crate) metrics: u64,
    pub(crate) sessions: u64,
}

/// A conversation as analytics count it: when it began, whose it was, and of which first one it is a repeat.
pub(crate) type Counted = (i64, Id, Option<Metrics>);

impl Model {
    pub(crate) fn new() -> Self {
        Self { now: START, ..Self::default() }
    }

    /// A conversation that begins. None if its id is one of a conversation that is remembered as ended.
    pub(crate) fn start(&self, id: Id, caller: usize, configuration: &'static Configuration) -> Option<Talk> {
        let is_known = self.marks.get(&id).is_some_and(|mark| mark.expires > self.now);
        (!is_known).then(|| Talk {
            id,
            caller,
            configuration,
            began: self.now,
            erasures: self.erasures,
            state: Vec::new(),
            handoff: None,
            expires: self.now + SESSION,
            phase: Phase::Running,
            base: None,
            attempts: Vec::new(),
        })
    }

    /// What functions see of a caller's memory (M3, M4, M6, C7).
    pub(crate) fn memory(&self, talk: &Talk) -> BTreeMap<String, String> {
        let Some(fields) = talk.who().ok().and_then(|who| self.fields.get(&who)) else { return BTreeMap::new() };
        let is_seen = |key: &str, field: &Field| {
            let days = talk.configuration.days(key);
            self.now < field.expires && days.is_some_and(|days| self.now < field.written + days * DAY)
        };
        let seen = fields.iter().filter(|(key, field)| is_seen(key, field));
        seen.map(|(key, field)| ((*key).to_owned(), field.text.clone())).collect()
    }

    /// The JSON text of a value.
    pub(crate) fn text(&mut self, value: Value) -> String {
        match value {
            Value::New => {
                self.texts += 1;
                format!("\"cheese {}\"", self.texts)
            }
            Value::Number => "12345678901234567890".to_owned(),
            Value::Flat => "[1.0,null,\"a\"]".to_owned(),
            Value::Null => "null".to_owned(),
            Value::Nested => "{\"a\":[2]}".to_owned(),
        }
    }

    /// What an end that comes now would write.
    pub(crate) fn proposal(&self, talk: &Talk, qa: Option<&str>) -> Proposal {
        let (now, configuration) = (self.now, talk.configuration);
        let who = talk.who();
        let set = talk.state.iter().filter(|known| known.is_assigned || known.is_refused);
        let keys = set.map(|known| match who {
            Ok(_) => (known.key, known.write(configuration, now)),
            Err(_) => (known.key, Err(DropReason::NoIdentifier)),
        });
        let began = hour(talk.began);
        let interaction = Interaction {
            conversation: talk.id.clone(),
            number: 0,
            began,
            expires: began + configuration.retention * DAY,
            metrics: metrics(&talk.id.1, began, qa, talk.handoff),
        };
        let is_recorded = who.is_ok() && configuration.analytics && interaction.expires > now;
        Proposal { who, now, keys: keys.collect(), interaction: is_recorded.then_some(interaction) }
    }

    /// Commits what was proposed, now (W2 to W4, A2, E3).
    pub(crate) fn commit(&mut self, talk: &Talk, proposal: Proposal) -> Report {
        let who = match proposal.who {
            Ok(who) => who,
            Err(_) => return proposal.report(CommitStatus::NoIdentifier, |_| false),
        };
        self.sessions.remove(&talk.id);
        if let Some(report) = self.report(&talk.id) {
            return report;
        }
        let is_forgotten = self.is_erased(who, None, talk.erasures);
        let erased_keys: Vec<_> = proposal
            .keys
            .iter()
            .map(|(key, _)| *key)
            .filter(|key| self.is_erased(who, Some(key), talk.erasures))
            .collect();
        let is_erased = |key: &'static str| is_forgotten || erased_keys.contains(&key);
        let mut report = proposal.report(CommitStatus::Committed, is_erased);
        let expires = hour(proposal.now) + talk.configuration.retention * DAY;
        if is_forgotten {
            self.marks.insert(talk.id.clone(), Mark { expires, recorded: None });
            return report;
        }
        for (key, write) in proposal.keys {
            if let Ok(Write { text, expires, .. }) = write
                && !is_erased(key)
            {
                let field = Field { text, written: hour(proposal.now), expires };
                self.fields.entry(who).or_default().insert(key, field);
            }
        }
        let (mut first, mut standing_expires) = (None, i64::MAX);
        if let Some(mut interaction) = proposal.interaction {
            let window = talk.configuration.retention * DAY;
            let stands = |other: &&Interaction| other.expires > self.now && other.began + window > proposal.now;
            let repeat_of = self.interactions.get(&who).filter(stands).cloned();
            let began = interaction.began;
            match &repeat_of {
                Some(standing) => report.metrics = standing.metrics.clone(),
                None => {
                    self.texts += 1;
                    interaction.number = self.texts;
                    (report.first_interaction, first) = (true, Some(interaction.number));
                    self.interactions.insert(who, interaction.clone());
                }
            }
            standing_expires = repeat_of.as_ref().map_or(interaction.expires, |standing| standing.expires);
            let repeat_of = repeat_of.map(|standing| standing.metrics);
            let conversation = talk.id.clone();
            self.rows.push(Row { who, conversation, began, expires: standing_expires, repeat_of });
        }
        let recorded = Recorded { who, report: report.clone(), first, standing_expires };
        self.marks.insert(talk.id.clone(), Mark { expires, recorded: Some(recorded) });
        report
    }

    /// What is remembered of a conversation's end: by its mark, or of one without an identifier by its session.
    pub(crate) fn report(&self, id: &Id) -> Option<Report> {
        let Some(mark) = self.marks.get(id).filter(|mark| mark.expires > self.now) else {
            return match &self.saved(id)?.talk.phase {
                Phase::Ended(report) => Some(report.clone()),
                Phase::Running | Phase::Proposed(..) => None,
            };
        };
        let Some(recorded) = &mark.recorded else {
            return Some(Report {
                status: CommitStatus::Committed,
                identifier: Ok(()),
                keys: Vec::new(),
                first_interaction: false,
                metrics: Metrics::new(),
            });
        };
        let mut report = recorded.report.clone();
        if recorded.standing_expires <= self.now {
            report.metrics.clear();
        }
        Some(report)
    }

    /// An outcome that became known later (A8). None: no such conversation is remembered.
    pub(crate) fn amend(&mut self, id: &Id, qa: &str) -> Option<bool> {
        self.report(id)?;
        let recorded =
            self.marks.get(id).filter(|mark| mark.expires > self.now).and_then(|mark| mark.recorded.as_ref());
        let Some((who, first)) = recorded.and_then(|recorded| Some((recorded.who, recorded.first?))) else {
            return Some(false);
        };
        let now = self.now;
        let standing = self.interactions.get_mut(&who);
        let Some(standing) = standing.filter(|standing| standing.number == first && standing.expires > now) else {
            return Some(false);
        };
        standing.metrics.insert("REPEAT_CALLER_QA".to_owned(), qa.to_owned());
        Some(true)
    }

    /// Erases a caller, or one key (E3). Answers how many fields, interactions and metric rows are gone.
    pub(crate) fn erase(&mut self, who: Who, key: Option<&'static str>) -> [u64; 3] {
        self.erasures += 1;
        let erasure = Erasure { number: self.erasures, expires: hour(self.now) + ERASURE };
        self.erased.entry((who, key)).or_default().push(erasure);
        let now = self.now;
        let is_alive = |expires: i64| expires > now;
        let Some(key) = key else {
            let fields = self.fields.remove(&who).unwrap_or_default();
            let fields = fields.values().filter(|field| is_alive(field.expires)).count() as u64;
            let interactions = self.interactions.remove(&who).filter(|interaction| is_alive(interaction.expires));
            let rows =
                self.rows.extract_if(.., |row| row.who == who).filter(|row| is_alive(row.expires)).count() as u64;
            for mark in self.marks.values_mut() {
                mark.recorded.take_if(|recorded| recorded.who == who);
            }
            return [fields, u64::from(interactions.is_some()), rows];
        };
        let field = self.fields.entry(who).or_default().remove(key);
        [u64::from(field.is_some_and(|field| is_alive(field.expires))), 0, 0]
    }

    /// All that is held on a caller.
    pub(crate) fn held(&self, who: Who) -> Held {
        let fields = self.fields.get(&who).into_iter().flatten().filter(|(_, field)| field.expires > self.now);
        let interaction = self.interactions.get(&who).filter(|interaction| interaction.expires > self.now);
        let is_held =
            |mark: &Mark| mark.expires > self.now && mark.recorded.as_ref().is_some_and(|recorded| recorded.who == who);
        Held {
            fields: fields.map(|(key, field)| ((*key).to_owned(), (field.text.clone(), field.expires))).collect(),
            first_interaction: interaction.map(|interaction| (interaction.metrics.clone(), interaction.expires)),
            conversations: self.marks.iter().filter(|(_, mark)| is_held(mark)).map(|((_, id), _)| id.clone()).collect(),
        }
    }

    /// What analytics count, in order.
    pub(crate) fn counted(&self) -> Vec<Counted> {
        let rows = self.rows.iter().filter(|row| row.expires > self.now);
        let mut counted: Vec<_> =
            rows.map(|row| (row.began, row.conversation.clone(), row.repeat_of.clone())).collect();
        counted.sort();
        counted
    }

    /// How much there is.
    pub(crate) fn counts(&self) -> Counts {
        let alive =
            |fields: &BTreeMap<&str, Field>| fields.values().filter(|field| field.expires > self.now).count() as u64;
        let interaction = |who: &Who| self.interactions.get(who).is_some_and(|first| first.expires > self.now);
        let mut everybody: Vec<_> = self.fields.keys().chain(self.interactions.keys()).collect();
        everybody.sort();
        everybody.dedup();
        let is_held = |who: &&Who| interaction(who) || self.fields.get(*who).is_some_and(|fields| alive(fields) > 0);
        Counts {
            identities: everybody.iter().copied().filter(|who| is_held(who)).count() as u64,
            fields: self.fields.values().map(alive).sum(),
            interactions: everybody.iter().filter(|who| interaction(who)).count() as u64,
            metrics: self.rows.iter().filter(|row| row.expires > self.now).count() as u64,
            sessions: self.sessions.values().filter(|saved| saved.talk.expires > self.now).count() as u64,
        }
    }

    /// The session that the store has of a conversation.
    pub(crate) fn saved(&self, id: &Id) -> Option<&Saved> {
        self.sessions.get(id).filter(|saved| saved.talk.expires > self.now)
    }

    /// Whether a process may save its session: nobody else has saved the conversation meanwhile.
    pub(crate) fn may_save(&self, talk: &Talk) -> bool {
        match self.saved(&talk.id) {
            Some(saved) => talk.knows(saved.note),
            None => talk.base.is_none(),
        }
    }

    /// The store has this session from now on, and who opens it knows that.
    pub(crate) fn save(&mut self, talk: &Talk, note: u64) {
        let mut talk = Talk { base: Some(note), attempts: Vec::new(), ..talk.clone() };
        if let Phase::Proposed(_, is_stored) = &mut talk.phase {
            *is_stored = IsStored::Yes;
        }
        self.sessions.insert(talk.id.clone(), Saved { note, talk });
    }

    /// The saved session, as somebody who opens it has it.
    pub(crate) fn open(&self, id: &Id) -> Option<Talk> {
        self.saved(id).map(|saved| saved.talk.clone())
    }

    /// Whether something was erased since there were so many erasures, for as long as that is remembered.
    fn is_erased(&self, who: Who, key: Option<&'static str>, since: u64) -> bool {
        let erasures = self.erased.get(&(who, key)).map(Vec::as_slice).unwrap_or_default();
        erasures.iter().any(|erasure| erasure.number > since && erasure.expires > self.now)
    }
}

impl Talk {
    pub(crate) fn who(&self) -> Result<Who, NoIdentifier> {
        CALLERS[self.caller].1.map(|identifier| (self.id.0, identifier))
    }

    pub(crate) fn is_running(&self) -> bool {
        matches!(self.phase, Phase::Running)
    }

    /// The same in another process, which does not know of saves that were attempted.
    pub(crate) fn carried(&self) -> Self {
        Self { attempts: Vec::new(), ..self.clone() }
    }

    /// The same at its end.
    pub(crate) fn ended(&self, report: Report) -> Self {
        Self { phase: Phase::Ended(report), ..self.clone() }
    }

    /// Whether a save is one of this process's own.
    pub(crate) fn knows(&self, note: u64) -> bool {
        self.base == Some(note) || self.attempts.contains(&note)
    }

    /// A turn took place, however it ended: the session is kept for as long again (P4).
    pub(crate) fn turn(&mut self, now: i64) {
        self.expires = now + SESSION;
    }

    /// A function sets a key. Answers whether the value is taken.
    pub(crate) fn set(&mut self, key: &'static str, value: Value, text: &str) -> bool {
        let is_refused = matches!(value, Value::Nested) && self.configuration.days(key).is_some();
        let known = self.touch(key);
        if is_refused {
            known.is_refused = true;
        } else {
            (known.value, known.is_assigned, known.is_removed) = (Some(text.to_owned()), true, false);
        }
        !is_refused
    }

    /// A function removes a key. Answers whether it had a value.
    pub(crate) fn remove(&mut self, key: &'static str) -> bool {
        let Some(known) = self.state.iter_mut().find(|known| known.key == key) else { return false };
        known.is_removed = true;
        known.value.take().is_some()
    }

    /// A function asks to hand the caller over: the last wish counts (A1).
    pub(crate) fn ask_for(&mut self, handoff: Handoff) {
        self.handoff = Some(handoff);
    }

    /// The state, in the order of the first touch.
    pub(crate) fn state(&self) -> Vec<(String, String)> {
        let known = self.state.iter();
        known.filter_map(|known| Some((known.key.to_owned(), known.value.clone()?))).collect()
    }

    fn touch(&mut self, key: &'static str) -> &mut Known {
        let index = self.state.iter().position(|known| known.key == key).unwrap_or_else(|| {
            let (value, is_assigned, is_refused, is_removed) = (None, false, false, false);
            self.state.push(Known { key, value, is_assigned, is_refused, is_removed });
            self.state.len() - 1
        });
        &mut self.state[index]
    }
}

impl Known {
    fn write(&self, configuration: &Configuration, now: i64) -> Result<Write, DropReason> {
        let days = configuration.days(self.key).ok_or(DropReason::NotInStateKeys)?;
        if self.is_removed {
            return Err(DropReason::Removed);
        }
        match &self.value {
            Some(text) if text == "null" => Err(DropReason::Null),
            Some(text) => Ok(Write { text: text.clone(), expires: hour(now) + days * DAY }),
            None => Err(DropReason::NotStorable),
        }
    }
}

impl Proposal {
    pub(crate) fn preview(&self) -> Report {
        self.report(CommitStatus::Preview, |_| false)
    }

    fn report(&self, status: CommitStatus, is_erased: impl Fn(&'static str) -> bool) -> Report {
        let outcome = |key, write: &Result<Write, DropReason>| match write {
            _ if self.who.is_ok() && is_erased(key) => KeyOutcome::Dropped(DropReason::Erased),
            Ok(write) => KeyOutcome::Kept(time(write.expires)),
            Err(reason) => KeyOutcome::Dropped(*reason),
        };
        Report {
            status,
            identifier: self.who.map(|_| ()),
            keys: self.keys.iter().map(|(key, write)| ((*key).to_owned(), outcome(key, write))).collect(),
            first_interaction: false,
            metrics: Metrics::new(),
        }
    }
}

fn metrics(conversation: &str, began: i64, qa: Option<&str>, handoff: Option<Handoff>) -> Metrics {
    let (reason, to) = handoff.unzip();
    let metrics = [
        ("REPEAT_CALLER_CONV_ID", Some(conversation.to_owned())),
        ("REPEAT_CALLER_DATETIME", Some(time(began).to_string())),
        ("REPEAT_CALLER_QA", qa.map(str::to_owned)),
        ("REPEAT_CALLER_HANDOFF_REASON", reason.map(str::to_owned)),
        ("REPEAT_CALLER_HANDOFF_TO", to.map(str::to_owned)),
    ];
    metrics.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

pub(crate) fn time(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or_default()
}
