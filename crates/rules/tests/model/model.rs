//! The model: the rules, known from their description alone. It handles no JSON and no identifier's form.

use std::collections::{BTreeMap, BTreeSet};

use agent_memory_rules::{
    CommitStatus, DropReason, Handoff, KeyOutcome, KeyReport, Metric, OffReason, Report, StateValue, Timestamp,
    Warning, WarningCode,
};

use crate::world::*;

pub(crate) struct Model {
    now: Timestamp,
    fields: BTreeMap<Who, BTreeMap<&'static str, Field>>,
    interactions: BTreeMap<Who, Interaction>,
    conversations: Vec<Conversation>,
}

struct Field {
    text: &'static str,
    written: Timestamp,
    expires: Timestamp,
}

#[derive(Clone)]
struct Interaction {
    conversation: usize,
    began: Timestamp,
    expires: Timestamp,
    qa: Option<String>,
    handoff: Option<Handoff>,
}

struct Conversation {
    config: Config,
    caller: usize,
    began: Timestamp,
    /// What the platform put there and no function touched, then the rest in the order of the first touch.
    state: Vec<Known>,
    erased_callers: BTreeSet<Who>,
    erased_keys: BTreeSet<(Who, &'static str)>,
    proposal: Option<Proposal>,
    is_committed: bool,
}

/// A key of the state, or one that was there.
struct Known {
    key: &'static str,
    value: Option<usize>,
    is_touched: bool,
    is_assigned: bool,
    is_refused: bool,
    is_removed: bool,
}

struct Proposal {
    who: Result<Who, OffReason>,
    now: Timestamp,
    keys: Vec<(&'static str, Result<Write, DropReason>)>,
    interaction: Option<Interaction>,
}

struct Write {
    text: &'static str,
    expires: Timestamp,
    is_warned_of: bool,
}

impl Model {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self { now, fields: BTreeMap::new(), interactions: BTreeMap::new(), conversations: Vec::new() }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    pub(crate) fn wait(&mut self, seconds: i64) {
        self.now += seconds;
    }

    pub(crate) fn begin(&mut self, config: &Config, caller: usize, platform: &[(usize, usize)]) {
        let state = platform.iter().map(|(key, value)| Known { value: Some(*value), ..Known::new(KEYS[*key]) });
        self.conversations.push(Conversation {
            config: config.clone(),
            caller,
            began: self.now,
            state: state.collect(),
            erased_callers: BTreeSet::new(),
            erased_keys: BTreeSet::new(),
            proposal: None,
            is_committed: false,
        });
    }

    pub(crate) fn conversations(&self) -> usize {
        self.conversations.len()
    }

    pub(crate) fn is_proposed(&self, conversation: usize) -> bool {
        self.conversations[conversation].proposal.is_some()
    }

    pub(crate) fn is_committed(&self, conversation: usize) -> bool {
        self.conversations[conversation].is_committed
    }

    pub(crate) fn who(&self, conversation: usize) -> Option<Who> {
        self.conversations[conversation].who().ok()
    }

    /// Whether another conversation of the same caller has proposed and not committed.
    pub(crate) fn races_with_another(&self, conversation: usize) -> bool {
        let proposed: Vec<_> =
            self.conversations.iter().filter_map(|conversation| conversation.proposal.as_ref()?.who.ok()).collect();
        let who = self.who(conversation);
        proposed.into_iter().filter(|other| Some(*other) == who).count() > 1
    }

    /// Whether more is stored than the conversation sees: it has expired, or is configured no longer.
    pub(crate) fn hides_something(&self, conversation: usize) -> bool {
        let stored = self.who(conversation).and_then(|who| self.fields.get(&who)).map_or(0, BTreeMap::len);
        stored > self.memory(conversation).len()
    }

    pub(crate) fn set(&mut self, conversation: usize, key: &'static str, value: usize) -> Seen {
        let memory = self.memory(conversation);
        let Conversation { config, state, .. } = &mut self.conversations[conversation];
        let Value { kept, is_nested, is_opaque, is_too_large, .. } = VALUES[value];
        let is_storable = !is_opaque && !is_too_large && (!is_nested || config.has_nested_values);
        let is_memory_key = config.is_on && config.state_keys.contains_key(key);
        let is_taken = key != TOO_LONG_KEY && kept.is_some() && (!is_memory_key || is_storable);
        let known = touch(state, key);
        if is_taken {
            (known.value, known.is_assigned, known.is_removed) = (Some(value), true, false);
        } else {
            known.is_refused = true;
        }
        Seen { memory, answer: is_taken, state: self.state(conversation) }
    }

    pub(crate) fn remove(&mut self, conversation: usize, key: &'static str) -> Seen {
        let memory = self.memory(conversation);
        let state = &mut self.conversations[conversation].state;
        let mut was_there = false;
        if let Some(known) = state.iter().find(|known| known.key == key) {
            was_there = known.value.is_some();
            let known = touch(state, key);
            (known.value, known.is_removed) = (None, true);
        }
        Seen { memory, answer: was_there, state: self.state(conversation) }
    }

    pub(crate) fn preview(&self, conversation: usize, ending: &End) -> Report {
        self.proposal(conversation, ending).report(CommitStatus::Preview, |_| false)
    }

    pub(crate) fn propose(&mut self, conversation: usize, ending: &End) {
        self.conversations[conversation].proposal = Some(self.proposal(conversation, ending));
    }

    pub(crate) fn commit(&mut self, conversation: usize) -> Report {
        let conversation = &mut self.conversations[conversation];
        conversation.is_committed = true;
        let proposal = conversation.proposal.take().unwrap();
        let who = match proposal.who {
            Ok(who) => who,
            Err(OffReason::MemoryOff) => return proposal.report(CommitStatus::MemoryOff, |_| false),
            Err(_) => return proposal.report(CommitStatus::NoIdentifier, |_| false),
        };
        let is_forgotten = conversation.erased_callers.contains(&who);
        let is_erased = |key: &'static str| is_forgotten || conversation.erased_keys.contains(&(who, key));
        let mut report = proposal.report(CommitStatus::Committed, is_erased);
        if is_forgotten {
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
        if let Some(interaction) = proposal.interaction {
            let window = conversation.config.retention_days * DAY;
            let stands =
                |standing: &&Interaction| standing.expires > self.now && standing.began + window > proposal.now;
            match self.interactions.get(&who).filter(stands) {
                Some(standing) => report.metrics = standing.metrics(),
                None => {
                    report.first_interaction = true;
                    self.interactions.insert(who, interaction);
                }
            }
        }
        report
    }

    pub(crate) fn erase(&mut self, who: Who, key: Option<&'static str>) {
        match key {
            Some(key) => {
                self.fields.entry(who).or_default().remove(key);
                self.conversations.iter_mut().for_each(|conversation| {
                    conversation.erased_keys.insert((who, key));
                });
            }
            None => {
                self.fields.remove(&who);
                self.interactions.remove(&who);
                self.conversations.iter_mut().for_each(|conversation| {
                    conversation.erased_callers.insert(who);
                });
            }
        }
    }

    pub(crate) fn amend(&mut self, conversation: usize, ending: &End) {
        for interaction in self.interactions.values_mut().filter(|standing| standing.conversation == conversation) {
            interaction.qa = ending.outcome.qa.clone().or(interaction.qa.take());
            interaction.handoff = ending.outcome.handoff.clone().or(interaction.handoff.take());
        }
    }

    /// What a conversation sees of its caller's memory.
    fn memory(&self, conversation: usize) -> Vec<(String, String)> {
        let (who, config) = (self.who(conversation), &self.conversations[conversation].config);
        let Some(fields) = who.and_then(|who| self.fields.get(&who)) else { return Vec::new() };
        let is_seen = |key: &str, field: &Field| {
            let Some(days) = config.state_keys.get(key) else { return false };
            self.now < field.expires && self.now < field.written + days * DAY
        };
        let seen = fields.iter().filter(|(key, field)| is_seen(key, field));
        seen.map(|(key, field)| ((*key).to_owned(), field.text.to_owned())).collect()
    }

    fn state(&self, conversation: usize) -> Vec<(String, StateValue)> {
        let state = self.conversations[conversation].state.iter();
        state.filter_map(|known| Some((known.key.to_owned(), VALUES[known.value?].as_kept()))).collect()
    }

    fn proposal(&self, index: usize, ending: &End) -> Proposal {
        let conversation = &self.conversations[index];
        let (now, config, who) = (self.now, &conversation.config, conversation.who());
        let set = conversation.state.iter().filter(|known| known.is_assigned || known.is_refused);
        let keys = set.map(|known| match who {
            Ok(_) => (known.key, conversation.write(known, now)),
            Err(_) => (known.key, Err(DropReason::NoIdentifier)),
        });
        let interaction = Interaction {
            conversation: index,
            began: hour(conversation.began),
            expires: hour(conversation.began) + config.retention_days * DAY,
            qa: ending.outcome.qa.clone(),
            handoff: ending.outcome.handoff.clone().or(ending.requested_handoff.clone()),
        };
        let is_recorded = who.is_ok() && config.has_analytics && interaction.expires > now;
        Proposal { who, now, keys: keys.collect(), interaction: is_recorded.then_some(interaction) }
    }
}

impl Conversation {
    fn who(&self) -> Result<Who, OffReason> {
        if !self.config.is_on {
            return Err(OffReason::MemoryOff);
        }
        let person = &CALLERS[self.caller];
        let id = self.state.iter().find(|known| known.key == "id").and_then(|known| VALUES[known.value?].identifier);
        let mut answer = Err(OffReason::SourceEmpty);
        for source in &self.config.sources {
            answer = match source {
                Source::Number => person.by_number.map(|text| (true, text)),
                Source::Header => person.by_header.map(|text| (false, text)),
                Source::State => id.map(|text| (false, text)).ok_or(OffReason::SourceEmpty),
            };
            if answer.is_ok() {
                break;
            }
        }
        answer.and_then(|who| {
            let is_blacklisted = self.config.has_blacklist && who.1.starts_with(BLACKLISTED_PREFIX);
            if is_blacklisted { Err(OffReason::Blacklisted) } else { Ok(who) }
        })
    }

    fn write(&self, known: &Known, now: Timestamp) -> Result<Write, DropReason> {
        let Some(days) = self.config.state_keys.get(known.key) else { return Err(DropReason::NotInStateKeys) };
        if known.is_removed {
            return Err(DropReason::Removed);
        }
        let value = match known.value {
            Some(value) if known.is_assigned => &VALUES[value],
            _ => return Err(DropReason::NotStorable),
        };
        let kept = value.kept.unwrap();
        if kept == "null" {
            return Err(DropReason::Null);
        }
        let timestamps = self.config.timestamps;
        let text = if timestamps == Timestamps::Round { value.rounded.unwrap_or(kept) } else { kept };
        let is_warned_of = timestamps == Timestamps::Warn && value.rounded.is_some();
        Ok(Write { text, expires: hour(now) + days * DAY, is_warned_of })
    }
}

impl Known {
    fn new(key: &'static str) -> Self {
        Self { key, value: None, is_touched: false, is_assigned: false, is_refused: false, is_removed: false }
    }
}

impl Proposal {
    fn report(&self, status: CommitStatus, is_erased: impl Fn(&'static str) -> bool) -> Report {
        let outcome = |key, write: &Result<Write, DropReason>| match write {
            _ if is_erased(key) => KeyOutcome::Dropped(DropReason::Erased),
            Ok(write) => KeyOutcome::Kept(write.expires),
            Err(reason) => KeyOutcome::Dropped(*reason),
        };
        let keys =
            self.keys.iter().map(|(key, write)| KeyReport { key: (*key).to_owned(), outcome: outcome(key, write) });
        let warned = self
            .keys
            .iter()
            .filter(|(key, write)| !is_erased(key) && write.as_ref().is_ok_and(|write| write.is_warned_of));
        let warning = |key: &str| Warning { code: WarningCode::FineTimestamp, key: key.to_owned() };
        Report {
            status,
            off: self.who.err(),
            keys: keys.collect(),
            first_interaction: false,
            warnings: warned.map(|(key, _)| warning(key)).collect(),
            metrics: Vec::new(),
        }
    }
}

impl Interaction {
    fn metrics(&self) -> Vec<Metric> {
        let handoff = self.handoff.clone().unwrap_or_default();
        let metrics = [
            ("REPEAT_CALLER_CONV_ID", Some(format!("call-{}", self.conversation))),
            ("REPEAT_CALLER_DATETIME", Some(date_time(self.began))),
            ("REPEAT_CALLER_QA", self.qa.clone()),
            ("REPEAT_CALLER_HANDOFF_REASON", handoff.reason),
            ("REPEAT_CALLER_HANDOFF_TO", handoff.destination),
        ];
        let metric = |(name, value): (&str, _)| Some(Metric { name: name.to_owned(), value: value? });
        metrics.into_iter().filter_map(metric).collect()
    }
}

/// A key that a function does something to.
fn touch<'a>(state: &'a mut Vec<Known>, key: &'static str) -> &'a mut Known {
    let index = state.iter().position(|known| known.key == key);
    let index = match index {
        Some(index) if state[index].is_touched => index,
        _ => {
            let known = index.map_or_else(|| Known::new(key), |index| state.remove(index));
            state.push(Known { is_touched: true, ..known });
            state.len() - 1
        }
    };
    &mut state[index]
}

fn hour(time: Timestamp) -> Timestamp {
    time / 3_600 * 3_600
}

/// An hour of 2026 or later, found by counting days.
fn date_time(time: Timestamp) -> String {
    let (mut year, mut month, mut days) = (2026, 1, (time - START_OF_2026) / DAY);
    loop {
        let february = if year % 4 == 0 { 29 } else { 28 };
        let length = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
        if days < length {
            return format!("{year}-{month:02}-{:02}T{:02}:00:00Z", days + 1, time % DAY / 3_600);
        }
        days -= length;
        (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    }
}
