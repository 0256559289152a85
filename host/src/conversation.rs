//! One caller talking with an agent, from the start to the commit.

mod ending;

use std::sync::Arc;
use std::time::{Duration, Instant};

use agent_memory_store::{
    ConversationKey, Effect, IdentityKey, Loaded, Read, Replaces, Revision, SavedSession, StoreError, StoredSession,
};
use jiff::Timestamp;
use uuid::Uuid;

use crate::agent::{AgentState, START_FUNCTION, Version};
use crate::bindings::policy as wit;
use crate::codec::Unreadable;
use crate::convert;
use crate::error::TurnError;
use crate::runtime::Shared;
use crate::sandbox::TurnRequest;
use crate::session::{Facts, Phase};
use crate::{
    CallError, CommitReport, Json, MemoryFailure, NewConversation, Outcome, PolicyFailure, ResumeError, SaveError,
    Session, Settings, StartError, Turn,
};

pub use ending::Ended;

/// The longest id of a conversation, in bytes.
const ID_BYTES: usize = 256;

/// A conversation that is going on, or that has ended.
///
/// Its methods that take time may be dropped half-way: a turn that was not waited for has not happened, and an end
/// that was not waited for can be ended again.
pub struct Conversation {
    shared: Arc<Shared>,
    version: Arc<Version>,
    session: Session,
    key: ConversationKey,
    /// The states that the session was to be saved in since it was saved last, of none of which it is known whether it
    /// was: there was no answer, or nobody has waited for one.
    attempted: Vec<Revision>,
    /// What `end_function` did, if it ran here. Boxed: of all that are open, few are at their end.
    end_turn: Option<Box<Turn>>,
}

/// A conversation that has begun.
pub struct Started {
    /// The conversation.
    pub conversation: Conversation,
    /// What `start_function` did. None if the agent has none, or it was skipped.
    pub turn: Option<Turn>,
}

impl Conversation {
    /// The conversation's id.
    pub fn id(&self) -> &str {
        self.session.id()
    }

    /// Its session, as it stands after the last turn.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The state, in the order in which keys were first set. Values that JSON has no word for are none.
    pub fn state(&self) -> Vec<(String, Option<Json>)> {
        let entries = self.session.state.iter().filter_map(|entry| Some((entry, entry.value.as_ref()?)));
        let read = |(entry, value): (&wit::StateEntry, &wit::StateValue)| match value {
            wit::StateValue::Json(text) => (entry.key.clone(), Json::parse(text.clone()).ok()),
            wit::StateValue::Opaque(_) => (entry.key.clone(), None),
        };
        entries.map(read).collect()
    }

    /// What `end_function` did, as soon as it has run, whether the end succeeded afterwards or not.
    pub fn end_turn(&self) -> Option<&Turn> {
        self.end_turn.as_deref()
    }

    /// Changes what functions may read beside memory and state, from the next turn on.
    pub fn set(&mut self, settings: Settings) {
        Arc::make_mut(&mut self.session.facts).set(settings);
    }

    /// Calls a function by name, in the contract's spelling or in camelCase. The arguments are a JSON object.
    ///
    /// A function that fails, and one that the sandbox has to stop, is a [`Turn`] as well: the conversation goes on.
    ///
    /// # Errors
    /// If the function was not called: the conversation is as it was before.
    pub async fn call(&mut self, function: &str, arguments: Json) -> Result<Turn, CallError> {
        if self.version.find(function).is_none() {
            let known = self.version.callable().map(str::to_owned).collect();
            return Err(CallError::UnknownFunction { name: function.to_owned(), known });
        }
        if !arguments.is_object() {
            let problem = "give the arguments by name, such as {\"day\": \"Friday\"}, or {} for none".to_owned();
            return Err(CallError::Arguments { function: function.to_owned(), problem });
        }
        if !matches!(self.session.phase, Phase::Running) {
            return Err(CallError::Ended);
        }
        Ok(self.turn(function, arguments).await?)
    }

    /// What the end would commit if it came now. It changes nothing, and runs no function. Of a conversation that
    /// has ended, the report.
    ///
    /// # Errors
    /// If the policy component fails.
    pub async fn preview(&self, outcome: Outcome) -> Result<CommitReport, PolicyFailure> {
        let mut instance = self.version.policy.instance().await?;
        let draft = match &self.session.phase {
            Phase::Ended(report) => return Ok(report.as_ref().clone().into()),
            Phase::Proposed(proposed) => proposed.proposal.draft.clone(),
            Phase::Running => instance.propose(&self.ending(outcome)).await?.draft,
        };
        Ok(instance.settle(&draft, &wit::Settlement::Preview).await?.into())
    }

    /// What the caller's next conversation would read, ordered by key.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn remembered(&self) -> Result<Vec<(String, Json)>, CallError> {
        let identity = self.identity_key(&self.identity().await?);
        let loaded = self.load(identity, None).await?;
        let turn = wit::Turn {
            settings: self.version.configured.settings.clone(),
            fields: self.fields(identity, loaded)?,
            state: Vec::new(),
            now: self.shared.now().as_second(),
        };
        let mut instance = self.version.policy.instance().await?;
        let (policy, store) = instance.policy()?;
        policy.call_begin(store, &turn).await.map_err(PolicyFailure::from)?.map_err(PolicyFailure::from)?;
        let (memory, store) = instance.memory()?;
        let fields = memory.call_fields(store).await.map_err(PolicyFailure::from)?;
        let fields = fields.into_iter().map(|field| Ok((field.key, convert::json(field.value)?)));
        fields.collect::<Result<_, Unreadable>>().map_err(|why| damaged("a value", why).into())
    }

    /// Keeps bytes of the embedder's with the session, in place of those kept before. They are sealed and deleted
    /// with it, and no function sees them.
    pub fn keep(&mut self, note: Vec<u8>) {
        self.session.note = note;
    }

    /// Says when somebody should end the conversation if nothing happens until then, from the next save on:
    /// [`Administration::overdue`](crate::Administration::overdue) then finds it. None: never.
    pub fn overdue_at(&mut self, overdue: Option<Timestamp>) {
        self.session.overdue = overdue.map(Timestamp::as_second);
    }

    /// Saves the session to the store, so that any process can go on with it by [`Agent::open`](crate::Agent::open).
    /// It is deleted there when the conversation has ended, or 24 hours after its last turn (rule P4).
    ///
    /// Of two that go on with the same saved session only the first can save it again.
    ///
    /// # Errors
    /// [`SaveError::Conflict`] if another has saved the conversation meanwhile, and if the store cannot be written.
    pub async fn save(&mut self) -> Result<(), SaveError> {
        let revision = Revision(*Uuid::new_v4().as_bytes());
        let session = self.session.as_saved(revision);
        let replaces = session_state(self.session.saved);
        let earlier: Vec<_> = self.attempted.iter().rev().copied().map(Replaces::Revision).collect();
        // Noted first, for whoever has asked may go before there is an answer.
        self.attempted.push(revision);
        for replaces in std::iter::once(replaces).chain(earlier) {
            match self.shared.save_session(self.key, &session, revision, replaces).await {
                Ok(true) => {
                    self.attempted.clear();
                    self.session = session;
                    return Ok(());
                }
                Ok(false) => {}
                Err(error) => {
                    if error.effect() == Effect::Rejected {
                        self.attempted.pop();
                    }
                    return Err(error.into());
                }
            }
        }
        self.attempted.pop();
        Err(SaveError::Conflict)
    }

    pub(crate) async fn start(agent: Arc<AgentState>, conversation: NewConversation) -> Result<Started, StartError> {
        let shared = Arc::clone(&agent.shared);
        let version = agent.current();
        let skip_start_function = conversation.skip_start_function;
        let state: Vec<_> = conversation.state.iter().map(platform_entry).collect();
        let facts = Facts::of(&agent.scope, conversation)?;
        let now = shared.now().as_second();

        let mut instance = version.policy.instance().await?;
        let (settings, caller) = (&version.configured.settings, facts.caller());
        let identified = instance.identify(settings, &caller, &state, now).await?;
        let wit::Identified { identity, session_expires } = match identified {
            Ok(identified) => identified,
            Err(wit::InputError::State(problem)) => return Err(StartError::Invalid(problem)),
            Err(error @ wit::InputError::IntegrationAttributes) => {
                return Err(StartError::Invalid(PolicyFailure::from(error).0));
            }
            Err(error) => return Err(PolicyFailure::from(error).into()),
        };
        let key = shared.codec.conversation_key(&agent.scope, &facts.id);
        let session = Session {
            facts: Arc::new(facts),
            version: version.key,
            began: now,
            expires: session_expires,
            erasures: 0,
            identity,
            state,
            metric_events: Vec::new(),
            requested_handoff: None,
            phase: Phase::Running,
            overdue: None,
            note: Vec::new(),
            saved: None,
        };
        let mut conversation = Self { shared, version, session, key, attempted: Vec::new(), end_turn: None };
        let turn = conversation.begin(skip_start_function).await?;
        Ok(Started { conversation, turn })
    }

    pub(crate) fn resume(agent: Arc<AgentState>, session: Session) -> Result<Self, ResumeError> {
        if session.facts.scope != agent.scope {
            return Err(ResumeError::UnknownVersion);
        }
        let version = agent.version(session.version).ok_or(ResumeError::UnknownVersion)?;
        let key = agent.shared.codec.conversation_key(&agent.scope, session.id());
        Ok(Self { shared: Arc::clone(&agent.shared), version, session, key, attempted: Vec::new(), end_turn: None })
    }

    pub(crate) async fn open(agent: Arc<AgentState>, id: &str) -> Result<Self, ResumeError> {
        let session = agent.shared.session(agent.shared.codec.conversation_key(&agent.scope, id)).await?;
        Self::resume(agent, session.ok_or(ResumeError::NotFound)?)
    }

    /// Reads memory for the first time, learns whether the id has been used, and runs `start_function`.
    async fn begin(&mut self, skip_start_function: bool) -> Result<Option<Turn>, StartError> {
        let started = Instant::now();
        let now = self.shared.now();
        let identity = self.session.identity.clone();
        let key = self.identity_key(&identity);
        let (loaded, unavailable) = self.or_empty(self.load(key, Some(self.key)).await)?;
        if loaded.ended {
            return Err(StartError::AlreadyEnded);
        }
        self.session.erasures = loaded.erasures;
        if skip_start_function || !self.version.has(START_FUNCTION) {
            return Ok(None);
        }
        let read = MemoryRead { identity, key, loaded, unavailable };
        let turn = self.run(START_FUNCTION, Json::empty_object(), read, now, started).await?;
        Ok(Some(turn))
    }

    /// One turn: one read, one sandbox.
    async fn turn(&mut self, function: &str, arguments: Json) -> Result<Turn, TurnError> {
        let started = Instant::now();
        let now = self.shared.now();
        let identity = self.identity().await?;
        let key = self.identity_key(&identity);
        let loaded = match key {
            Some(_) => self.load(key, None).await,
            None => Ok(Loaded::default()),
        };
        let (loaded, unavailable) = self.or_empty(loaded)?;
        self.run(function, arguments, MemoryRead { identity, key, loaded, unavailable }, now, started).await
    }

    /// Runs a function in a sandbox. The session changes only when that is over.
    async fn run(
        &mut self,
        function: &str,
        arguments: Json,
        read: MemoryRead,
        now: Timestamp,
        started: Instant,
    ) -> Result<Turn, TurnError> {
        let MemoryRead { identity, key, loaded, unavailable } = read;
        let request = TurnRequest {
            function: self.version.find(function).unwrap_or(function).to_owned(),
            arguments: arguments.as_str().to_owned(),
            facts: Arc::clone(&self.session.facts),
            metric_events: self.session.metric_events.clone(),
            turn: wit::Turn {
                settings: self.version.configured.settings.clone(),
                fields: self.fields(key, loaded)?,
                state: self.session.state.clone(),
                now: now.as_second(),
            },
            wall_clock: Duration::from_millis(now.as_millisecond().try_into().unwrap_or(0)),
        };
        let place = self.shared.place(self.version.agent, self.shared.environment.limits.longest_wait).await?;
        let result = self.version.runner.run(&self.shared.environment, place, request).await?;

        self.session.state = result.state;
        self.session.metric_events = result.metric_events;
        self.session.expires = result.session_expires.unwrap_or(self.session.expires);
        if result.requested_handoff.is_some() {
            self.session.requested_handoff = result.requested_handoff;
        }
        Ok(Turn {
            function: function.to_owned(),
            outcome: result.outcome,
            say: result.say,
            actions: result.actions,
            logs: result.logs,
            identifier: convert::identifier(&identity),
            memory_unavailable: unavailable,
            elapsed: started.elapsed(),
        })
    }

    /// Whose memory the conversation has, from what is known now (rule I6).
    async fn identity(&self) -> Result<wit::Identity, PolicyFailure> {
        if !self.version.configured.identifies_by_state || !matches!(self.session.phase, Phase::Running) {
            return Ok(self.session.identity.clone());
        }
        let mut instance = self.version.policy.instance().await?;
        let (settings, caller) = (&self.version.configured.settings, self.session.facts.caller());
        let (state, now) = (&self.session.state, self.shared.now().as_second());
        Ok(instance.identify(settings, &caller, state, now).await??.identity)
    }

    /// The one read of a turn (rule M1).
    async fn load(&self, identity: Option<IdentityKey>, ask: Option<ConversationKey>) -> Result<Loaded, StoreError> {
        self.shared.store.load(Read { identity, conversation: ask, now: self.shared.now().as_second() }).await
    }

    /// What was read, or what the embedder chose for when nothing can be (rule M5), and whether that is so.
    fn or_empty(&self, loaded: Result<Loaded, StoreError>) -> Result<(Loaded, bool), StoreError> {
        match (loaded, self.shared.memory_failure) {
            (Ok(loaded), _) => Ok((loaded, false)),
            (Err(error), MemoryFailure::FailTurn) => Err(error),
            (Err(error), MemoryFailure::EmptyMemory) => {
                tracing::warn!(%error, "a turn runs with empty memory");
                Ok((Loaded::default(), true))
            }
        }
    }

    /// What was read, opened for the policy.
    fn fields(&self, identity: Option<IdentityKey>, loaded: Loaded) -> Result<Vec<wit::StoredField>, StoreError> {
        let Some(identity) = identity else { return Ok(Vec::new()) };
        let fields = loaded.fields.into_iter().map(|field| {
            let value = self.shared.codec.open_value(identity, &field).map_err(|why| damaged("a value", why))?;
            Ok(wit::StoredField { key: field.key, value, written: field.written, expires: field.expires })
        });
        fields.collect()
    }

    /// The key that a caller goes by. It takes microseconds to work out, so that a turn does it once.
    fn identity_key(&self, identity: &wit::Identity) -> Option<IdentityKey> {
        match identity {
            wit::Identity::Known(identifier) => {
                Some(self.shared.codec.identity_key(&self.session.facts.scope, identifier))
            }
            wit::Identity::Off(_) => None,
        }
    }
}

impl Shared {
    /// The session that the store has of a conversation.
    pub(crate) async fn session(&self, key: ConversationKey) -> Result<Option<Session>, StoreError> {
        let Some(StoredSession { revision, session }) = self.store.load_session(key, self.now().as_second()).await?
        else {
            return Ok(None);
        };
        let session = self.codec.open_session(key, &session).map_err(|why| damaged("a session", why))?;
        Ok(Some(Session { saved: Some(revision.0), ..session }))
    }

    /// Puts off when somebody should end a conversation. Answers whether it did: not if the conversation has gone on
    /// since its session was read.
    pub(crate) async fn put_off(&self, session: &Session, until: Timestamp) -> Result<bool, StoreError> {
        let Some(saved) = session.saved else { return Ok(false) };
        let key = self.codec.conversation_key(session.scope(), session.id());
        let revision = Revision(*Uuid::new_v4().as_bytes());
        let session = Session { overdue: Some(until.as_second()), ..session.as_saved(revision) };
        self.save_session(key, &session, revision, Replaces::Revision(Revision(saved))).await
    }

    /// Saves a session, unless something else is there than it may replace.
    async fn save_session(
        &self,
        key: ConversationKey,
        session: &Session,
        revision: Revision,
        replaces: Replaces,
    ) -> Result<bool, StoreError> {
        let saved = SavedSession {
            conversation: key,
            expires: session.expires,
            overdue: session.overdue,
            revision,
            session: self.codec.seal_session(key, session),
        };
        self.store.save_session(saved, replaces, self.now().as_second()).await
    }
}

/// What a save may take the place of, if the store is known to have this state of the session.
fn session_state(saved: Option<[u8; 16]>) -> Replaces {
    saved.map_or(Replaces::Nothing, |revision| Replaces::Revision(Revision(revision)))
}

/// What a turn's one read gave.
struct MemoryRead {
    identity: wit::Identity,
    /// What the caller goes by. None where there is no identifier.
    key: Option<IdentityKey>,
    loaded: Loaded,
    /// Whether it failed, and the turn is to run with empty memory.
    unavailable: bool,
}

impl Facts {
    /// What is known of a conversation that begins.
    fn of(scope: &crate::Scope, conversation: NewConversation) -> Result<Self, StartError> {
        let id = conversation.id.unwrap_or_else(|| Uuid::new_v4().to_string());
        if !(1..=ID_BYTES).contains(&id.len()) {
            return Err(StartError::BadId(id.len()));
        }
        let objects = [
            ("integration_attributes", &conversation.integration_attributes),
            ("settings.more", &conversation.settings.more),
        ];
        if let Some((name, _)) = objects.iter().find(|(_, json)| json.as_ref().is_some_and(|json| !json.is_object())) {
            return Err(StartError::Invalid(format!("`{name}` has to be a JSON object")));
        }
        let mut facts = Self {
            id,
            scope: scope.clone(),
            channel: conversation.channel,
            caller_number: conversation.caller_number,
            callee_number: conversation.callee_number,
            sip_headers: conversation.sip_headers,
            integration_attributes: conversation.integration_attributes.map(|json| json.as_str().to_owned()),
            ..Self::nobody()
        };
        facts.set(conversation.settings);
        Ok(facts)
    }
}

/// An entry of the state that the platform put there: no function has touched it (rule S2).
fn platform_entry((key, value): &(String, Json)) -> wit::StateEntry {
    let value = Some(wit::StateValue::Json(value.as_str().to_owned()));
    wit::StateEntry { key: key.clone(), value, touched: wit::Touch::empty() }
}

/// What the store holds is not what the codec has put there.
pub(crate) fn damaged(what: &str, why: Unreadable) -> StoreError {
    StoreError::Damaged { place: "this runtime".into(), what: format!("{what} cannot be read: {why}") }
}
