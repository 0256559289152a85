//! The workload without a sandbox.

use std::sync::Arc;
use std::time::Instant;

use agent_memory_host::Scope;
use agent_memory_host::keys::{Keys, Lifetime, SealError};
use agent_memory_host::store::{
    Backend, Commit, Committed, ConversationKey, ErasedSince, Field, IdentityKey, Mark, Read, Sealed,
};
use agent_memory_rules::{
    self as rules, Caller, Commitment, Ending, Erased, Identity, InputError, Json, PatchField, Proposal, Sandbox,
    Settings, Settlement, StateEntry, StateValue, StoredField, Turn, identify, propose, settle,
};
use jiff::Timestamp;

use crate::workload::{CHARACTERS, CONFIGURATION, Plan, READ, SET};
use crate::{BenchError, Player, Times};

/// An identifier can be read for as long as anything may be held on a caller, as the host has it. In seconds.
const IDENTIFIER: i64 = rules::MAX_RETENTION_DAYS as i64 * rules::DAY;

/// Plays conversations as an embedder would who trusted all functions.
///
/// It does what the host does, with the same calls of the store: one when a conversation starts, one each turn, two that
/// ask at the end whether it was ended elsewhere, and the commit. It seals as much by the same keys. Only its records are
/// its own: the host cannot read them.
pub struct Bare {
    store: Arc<dyn Backend>,
    keys: Keys,
    scope: Scope,
    settings: Settings,
}

impl Bare {
    pub(crate) fn new(store: Arc<dyn Backend>, keys: Keys, scope: Scope) -> Result<Self, BenchError> {
        let configured = rules::Configuration::parse(CONFIGURATION, rules::Limits::default());
        let configured = configured.map_err(|_| InputError::Settings)?;
        Ok(Self { store, keys, scope, settings: configured.configuration.to_settings() })
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// One read, the rules, and what the function does.
    async fn turn(
        &self,
        identity: IdentityKey,
        state: Vec<StateEntry>,
        texts: Option<&[String; 2]>,
    ) -> Result<Vec<StateEntry>, BenchError> {
        let now = now();
        let loaded = self.store.load(Read { identity: Some(identity), conversation: None, now }).await?;
        let fields = loaded.fields.into_iter().map(|field| self.open(identity, field)).collect::<Result<_, _>>();
        let fields = fields.map_err(|_| BenchError::Memory("a value cannot be opened"))?;
        let mut sandbox = Sandbox::new();
        sandbox.begin(Turn { settings: self.settings.clone(), fields, state, now })?;
        if function(&mut sandbox, texts)? != CHARACTERS {
            return Err(BenchError::Memory("a field is missing"));
        }
        Ok(sandbox.finish()?)
    }

    /// Proposes and commits what is to be remembered.
    async fn end(
        &self,
        plan: &Plan,
        begun: Begun,
        caller: Caller,
        state: Vec<StateEntry>,
    ) -> Result<rules::Report, BenchError> {
        let Begun { conversation, began, erasures } = begun;
        let now = now();
        let ended_elsewhere = self.store.load_session(conversation, now).await?.is_some()
            || self.store.ended(conversation, now).await?.is_some();
        if ended_elsewhere {
            return Err(BenchError::Memory("a new conversation has ended before"));
        }
        let ending = Ending {
            settings: self.settings.clone(),
            conversation: plan.id.clone(),
            began,
            caller,
            state,
            outcome: rules::Outcome::default(),
            requested_handoff: None,
            now,
        };
        let Proposal { identity, patch, mark_expires, draft, .. } = propose(ending)?;
        let Identity::Known(identifier) = identity else { return Err(BenchError::Memory("nobody is known")) };
        let identity = self.identity_key(identifier.text());
        let commit = Commit {
            conversation,
            identity,
            identifier: self.seal_identifier(identity, identifier.text(), now),
            erasures,
            now,
            patch: patch.into_iter().map(|field| self.seal(identity, field)).collect(),
            interaction: None,
            mark: Mark {
                expires: mark_expires,
                report: self.seal_report(conversation, identity, mark_expires, &plan.id),
            },
            ends_session: false,
        };
        let Committed::Now(settled) = self.store.commit(commit).await? else {
            return Err(BenchError::Memory("a new conversation was committed before"));
        };
        let erased = match settled.erased {
            ErasedSince::Nothing => Erased::Nothing,
            ErasedSince::Keys(keys) => Erased::Keys(keys),
            ErasedSince::Everything => Erased::Everything,
        };
        let commitment = Commitment { erased, standing: None, first: settled.first };
        Ok(settle(draft, Settlement::Committed(commitment)))
    }

    pub(crate) fn identity_key(&self, identifier: &str) -> IdentityKey {
        IdentityKey(self.pseudonym(&[b"identity", b"phone", identifier.as_bytes()]))
    }

    pub(crate) fn seal_identifier(&self, identity: IdentityKey, identifier: &str, now: i64) -> Sealed {
        let Scope { account, project, environment } = &self.scope;
        let [account, project, environment] = [account, project, environment].map(String::as_str);
        let record = [account, project, environment, identifier].concat();
        let place = [b"identifier".as_slice(), &identity.0].concat();
        Sealed(self.keys.seal(Lifetime::Until(now.saturating_add(IDENTIFIER)), &place, record.as_bytes()))
    }

    pub(crate) fn seal(&self, identity: IdentityKey, field: PatchField) -> Field {
        let PatchField { key, value, written, expires } = field;
        let place = place(identity, &key, written, expires);
        let value = Sealed(self.keys.seal(Lifetime::Until(expires), &place, value.0.as_bytes()));
        Field { key, written, expires, value }
    }

    fn open(&self, identity: IdentityKey, field: Field) -> Result<StoredField, SealError> {
        let Field { key, written, expires, value } = field;
        let value = self.keys.open_sealed(&place(identity, &key, written, expires), &value.0)?;
        let value = Json(String::from_utf8(value).map_err(|_| SealError::Damaged)?);
        Ok(StoredField { key, value, written, expires })
    }

    /// As much as the host's report of two keys.
    fn seal_report(&self, conversation: ConversationKey, identity: IdentityKey, expires: i64, id: &str) -> Sealed {
        let record = [id, SET[0], SET[1]].map(str::as_bytes).concat();
        let place = [b"report".as_slice(), &conversation.0, &identity.0].concat();
        Sealed(self.keys.seal(Lifetime::Until(expires), &place, &record))
    }

    fn pseudonym(&self, parts: &[&[u8]]) -> [u8; 32] {
        let within = [self.scope.project.as_bytes(), self.scope.environment.as_bytes()];
        let parts: Vec<&[u8]> = within.into_iter().chain(parts.iter().copied()).collect();
        self.keys.pseudonym(&self.scope.account, &parts)
    }
}

impl Player for Bare {
    async fn play(&self, plan: &Plan, times: &mut Times) -> Result<(), BenchError> {
        let began = now();
        let caller = Caller { caller_number: Some(plan.caller.clone()), ..Caller::default() };
        let Identity::Known(identifier) = identify(&self.settings, &caller, Vec::new(), began)?.identity else {
            return Err(BenchError::Memory("nobody is known"));
        };
        let identity = self.identity_key(identifier.text());
        let conversation = ConversationKey(self.pseudonym(&[b"conversation", plan.id.as_bytes()]));
        let read = Read { identity: Some(identity), conversation: Some(conversation), now: began };
        let erasures = self.store.load(read).await?.erasures;
        let mut state = Vec::new();
        for number in 1..=plan.turns {
            let begun = Instant::now();
            state = self.turn(identity, state, plan.set_in(number)).await?;
            times.turn(begun.elapsed());
        }
        let begun = Instant::now();
        self.end(plan, Begun { conversation, began, erasures }, caller, state).await?;
        times.commit(begun.elapsed());
        Ok(())
    }
}

/// What is known of a conversation since it began.
struct Begun {
    conversation: ConversationKey,
    began: i64,
    erasures: u64,
}

/// The function, as `examples/benchmark/rust` has it: it tells how many characters it has read.
fn function(sandbox: &mut Sandbox, texts: Option<&[String; 2]>) -> Result<usize, BenchError> {
    let mut characters = 0;
    for key in READ {
        let text = sandbox.memory().get(key).and_then(|value| serde_json::from_str::<String>(&value.0).ok());
        characters += text.map_or(0, |text| text.chars().count());
    }
    for (key, text) in SET.iter().zip(texts.into_iter().flatten()) {
        let value = StateValue::Json(Json(serde_json::Value::from(text.as_str()).to_string()));
        sandbox.state_mut().set((*key).to_owned(), value).map_err(|_| BenchError::Memory("a text is refused"))?;
    }
    Ok(characters)
}

/// What a sealed value belongs to.
fn place(identity: IdentityKey, key: &str, written: i64, expires: i64) -> Vec<u8> {
    let times = [written.to_be_bytes(), expires.to_be_bytes()];
    [b"field".as_slice(), &identity.0, times.as_flattened(), key.as_bytes()].concat()
}

pub(crate) fn now() -> i64 {
    Timestamp::now().as_second()
}
