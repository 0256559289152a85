//! The rules, with a host and a store around them that decide nothing.

use std::collections::BTreeMap;

use agent_memory_rules::{
    Caller, Commitment, Configuration, Ending, Erased, Identity, Interaction, Proposal, Report, Sandbox, Settings,
    Settlement, State, StateEntry, StoredField, Timestamp, Touch, Turn, amend, identify, propose, settle,
};

use crate::world::*;

/// What is played with the rules.
#[derive(Default)]
pub(crate) struct Played {
    store: Store,
    conversations: Vec<Conversation>,
}

struct Conversation {
    settings: Settings,
    caller: Caller,
    began: Timestamp,
    state: Vec<StateEntry>,
    /// How many erasures there had been when it began.
    erasures: usize,
    proposal: Option<Proposal>,
}

impl Played {
    pub(crate) fn begin(&mut self, config: &Config, caller: usize, platform: &[(usize, usize)], now: Timestamp) {
        let Person { number, header, .. } = CALLERS[caller];
        let entry = |(key, value): &(usize, usize)| StateEntry {
            key: KEYS[*key].to_owned(),
            value: Some(VALUES[*value].as_set()),
            touched: Touch::default(),
        };
        self.conversations.push(Conversation {
            settings: Configuration::parse(&config.to_json(), LIMITS).unwrap().configuration.to_settings(),
            caller: Caller {
                caller_number: number.map(str::to_owned),
                sip_headers: header.map(|value| ("x-id".to_owned(), value.to_owned())).into_iter().collect(),
                integration_attributes: None,
            },
            began: now,
            state: platform.iter().map(entry).collect(),
            erasures: self.store.erasures.len(),
            proposal: None,
        });
    }

    pub(crate) fn set(&mut self, conversation: usize, key: &str, value: &Value, now: Timestamp) -> Seen {
        self.turn(conversation, now, |state| state.set(key.to_owned(), value.as_set()).is_ok())
    }

    pub(crate) fn remove(&mut self, conversation: usize, key: &str, now: Timestamp) -> Seen {
        self.turn(conversation, now, |state| state.remove(key))
    }

    pub(crate) fn preview(&self, conversation: usize, ending: &End, now: Timestamp) -> Report {
        settle(self.proposal(conversation, ending, now).draft, Settlement::Preview)
    }

    pub(crate) fn propose(&mut self, conversation: usize, ending: &End, now: Timestamp) {
        self.conversations[conversation].proposal = Some(self.proposal(conversation, ending, now));
    }

    pub(crate) fn commit(&mut self, conversation: usize, now: Timestamp) -> Report {
        let Conversation { proposal, erasures, .. } = &mut self.conversations[conversation];
        let proposal = proposal.take().unwrap();
        let commitment = self.store.commit(conversation, &proposal, *erasures, now);
        settle(proposal.draft, Settlement::Committed(commitment))
    }

    pub(crate) fn erase(&mut self, (by_number, text): Who, key: Option<&str>) {
        let identity = (by_number, text.to_owned());
        match key {
            Some(key) => {
                self.store.fields.entry(identity.clone()).or_default().remove(key);
            }
            None => {
                self.store.fields.remove(&identity);
                self.store.interactions.remove(&identity);
            }
        }
        self.store.erasures.push((identity, key.map(str::to_owned)));
    }

    pub(crate) fn amend(&mut self, conversation: usize, ending: &End) {
        for (of, interaction) in self.store.interactions.values_mut() {
            if *of == conversation {
                *interaction = amend(interaction.clone(), ending.outcome.clone());
            }
        }
    }

    fn turn(&mut self, conversation: usize, now: Timestamp, function: impl FnOnce(&mut State) -> bool) -> Seen {
        let conversation = &mut self.conversations[conversation];
        let (settings, state) = (&conversation.settings, &conversation.state);
        let identity = identify(settings, &conversation.caller, state.clone(), now).unwrap().identity;
        let fields = store_key(&identity).and_then(|key| self.store.fields.get(&key));
        let fields = fields.map_or_else(Vec::new, |fields| fields.values().cloned().collect());
        let mut sandbox = Sandbox::new();
        sandbox.begin(Turn { settings: settings.clone(), fields, state: state.clone(), now }).unwrap();
        let answer = function(sandbox.state_mut());
        let memory = sandbox.memory().fields().map(|(key, value)| (key.to_owned(), value.0.clone())).collect();
        let state = sandbox.state().entries().map(|(key, value)| (key.to_owned(), value.clone())).collect();
        conversation.state = sandbox.finish().unwrap();
        Seen { memory, answer, state }
    }

    fn proposal(&self, index: usize, ending: &End, now: Timestamp) -> Proposal {
        let conversation = &self.conversations[index];
        propose(Ending {
            settings: conversation.settings.clone(),
            conversation: format!("call-{index}"),
            began: conversation.began,
            caller: conversation.caller.clone(),
            state: conversation.state.clone(),
            outcome: ending.outcome.clone(),
            requested_handoff: ending.requested_handoff.clone(),
            now,
        })
        .unwrap()
    }
}

/// A caller: whether by number, and the identifier.
type StoreKey = (bool, String);

#[derive(Default)]
struct Store {
    fields: BTreeMap<StoreKey, BTreeMap<String, StoredField>>,
    /// The first interactions, with the conversations that they are of.
    interactions: BTreeMap<StoreKey, (usize, Interaction)>,
    /// Who was erased, or which key of theirs, in order.
    erasures: Vec<(StoreKey, Option<String>)>,
}

impl Store {
    fn commit(&mut self, conversation: usize, proposal: &Proposal, erasures: usize, now: Timestamp) -> Commitment {
        let nothing = Commitment { erased: Erased::Nothing, standing: None, first: false };
        let Some(key) = store_key(&proposal.identity) else { return nothing };
        let since: Vec<_> = self.erasures[erasures..].iter().filter(|(erased, _)| *erased == key).collect();
        if since.iter().any(|(_, field)| field.is_none()) {
            return Commitment { erased: Erased::Everything, ..nothing };
        }
        let erased: Vec<String> = since.iter().filter_map(|(_, field)| field.clone()).collect();
        let fields = self.fields.entry(key.clone()).or_default();
        for field in proposal.patch.iter().filter(|field| !erased.contains(&field.key)) {
            let (written, expires) = (field.written, field.expires);
            let stored = StoredField { key: field.key.clone(), value: field.value.clone(), written, expires };
            fields.insert(field.key.clone(), stored);
        }
        let erased = if erased.is_empty() { Erased::Nothing } else { Erased::Keys(erased) };
        let Some(proposed) = &proposal.interaction else { return Commitment { erased, ..nothing } };
        let stands =
            |(_, standing): &&(usize, Interaction)| standing.expires > now && standing.began > proposed.stands_after;
        let first = self.interactions.get(&key).filter(stands).is_none();
        if first {
            self.interactions.insert(key.clone(), (conversation, proposed.interaction.clone()));
        }
        let standing = self.interactions.get(&key).map(|(_, standing)| standing.clone());
        Commitment { erased, standing, first }
    }
}

fn store_key(identity: &Identity) -> Option<StoreKey> {
    match identity {
        Identity::Known(identifier) => {
            Some((identifier.kind() == agent_memory_rules::IdentifierKind::Phone, identifier.text().to_owned()))
        }
        Identity::Off(_) => None,
    }
}
