//! Plays steps with the host on SQLite and with the model, and compares all that can be seen.

mod checks;
mod ending;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use agent_memory_host::keys::{Keys, Source};
use agent_memory_host::store::{Kept, SqliteStore, Transfer as _};
use agent_memory_host::{
    Agent, AgentDefinition, CallError, Conversation, IdentifierKind, Limits, ManualClock, NewConversation, Outcome,
    ResumeError, Runtime, SaveError, Session, StartError, Turn, TurnOutcome,
};
use agent_memory_tests::{FaultyStore, component, sealed_runtime};
use serde_json::json;
use tempfile::TempDir;

use super::model::{Id, Model, Talk, time};
use super::steps::{Action, Step, Value, Way};
use super::world::{CALLERS, CONFIGURATIONS, Configuration, KEYS, QA, SCOPES, START, scope};
use crate::Figures;

/// What was not as it should be.
pub(super) type Wrong = String;

/// How many conversations go on at once at most.
const TALKS: usize = 8;

/// A place in memory for files where there is one, so that nobody waits for a disk.
const MEMORY: &str = "/dev/shm";

/// A process that has the store open, and the model of all that it does.
pub(super) struct Player {
    folder: TempDir,
    clock: Arc<ManualClock>,
    process: Option<Process>,
    model: Model,
    talks: Vec<Going>,
    /// The ids of all conversations that have been ended.
    ended: Vec<Id>,
    /// The configurations that each agent has had, the present one last.
    configured: [Vec<usize>; SCOPES.len()],
    ids: u64,
    notes: u64,
    pub(super) figures: Figures,
}

/// What goes when a process ends.
struct Process {
    store: Arc<FaultyStore<SqliteStore>>,
    keys: Keys,
    runtime: Runtime,
    agents: Vec<Agent>,
}

/// A conversation as the host has it, and as the model has it.
struct Going {
    conversation: Conversation,
    talk: Talk,
}

/// What came of something that may have met with trouble.
enum Came<T> {
    /// An answer.
    Answer(T),
    /// Nothing, and nobody waits for it any more.
    Nothing,
}

impl Player {
    pub(super) async fn new() -> Result<Self, Wrong> {
        let memory = PathBuf::from(MEMORY);
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let mut player = Self {
            folder: folder.map_err(wrong("a folder"))?,
            clock: Arc::new(ManualClock::new(time(START))),
            process: None,
            model: Model::new(),
            talks: Vec::new(),
            ended: Vec::new(),
            configured: [vec![0], vec![0], vec![0]],
            ids: 0,
            notes: 0,
            figures: Figures::default(),
        };
        player.begin().await?;
        Ok(player)
    }

    /// Plays one step.
    pub(super) async fn play(&mut self, step: &Step) -> Result<(), Wrong> {
        self.figures.tried("steps", 1);
        let store = Arc::clone(&self.process()?.store);
        if let Some((after, trouble)) = step.trouble {
            store.trouble(after, trouble);
        }
        let played = self.act(&step.action).await;
        if step.trouble.is_some() && store.no_more_trouble() {
            self.figures.tried("troubles", 1);
        }
        played
    }

    async fn act(&mut self, action: &Action) -> Result<(), Wrong> {
        match *action {
            Action::Start { scope, caller, again } => self.start(scope, caller, again).await,
            Action::Set { talk, key, value, way } => self.set(talk, KEYS[key], value, way).await,
            Action::Remove { talk, key } => self.remove(talk, KEYS[key]).await,
            Action::HandOver { talk } => self.hand_over(talk).await,
            Action::Preview { talk } => self.preview(talk).await,
            Action::Save { talk } => self.save(talk).await,
            Action::Open { talk } => self.open(talk).await,
            Action::Carry { talk, twice } => self.carry(talk, twice),
            Action::End { talk, qa } => self.end(talk, qa.map(|qa| QA[qa])).await,
            Action::Amend { ended, qa } => self.amend(ended, QA[qa]).await,
            Action::Erase { scope, caller, key } => self.erase(scope, caller, key.map(|key| KEYS[key])).await,
            Action::Export { scope, caller } => match CALLERS[caller].1 {
                Ok(identifier) => self.check_export((scope, identifier)).await,
                Err(_) => Ok(()),
            },
            Action::Analytics => self.check_analytics().await,
            Action::Sweep => self.sweep().await,
            Action::Wait { seconds } => {
                self.wait(seconds);
                Ok(())
            }
            Action::Rotate => self.process()?.keys.rotate().map(|_| ()).map_err(wrong("a rotation")),
            Action::Configure { scope } => self.configure(scope).await,
            Action::Restart => self.restart().await,
        }
    }

    async fn start(&mut self, scope: usize, caller: usize, again: Option<usize>) -> Result<(), Wrong> {
        let of_scope: Vec<_> = self.ended.iter().filter(|(of, _)| *of == scope).collect();
        let old = again.filter(|_| !of_scope.is_empty()).map(|again| of_scope[again % of_scope.len()].clone());
        // The id of one that somebody still has, or that is remembered by its session alone, is not used again.
        let old =
            old.filter(|id| self.model.saved(id).is_none() && self.talks.iter().all(|going| going.talk.id != *id));
        let id = old.unwrap_or_else(|| {
            self.ids += 1;
            (scope, format!("call-{}", self.ids))
        });
        let new = NewConversation {
            id: Some(id.1.clone()),
            caller_number: CALLERS[caller].0.map(str::to_owned),
            channel: "sip".into(),
            ..Default::default()
        };
        let expected = self.model.start(id, caller, self.configuration(scope));
        let agent = self.process()?.agents[scope].clone();
        match (self.answer(agent.start(new)).await?, expected) {
            (Came::Answer(Ok(started)), Some(talk)) => {
                self.figures.tried("conversations", 1);
                if self.talks.len() == TALKS {
                    self.talks.remove(0);
                }
                self.talks.push(Going { conversation: started.conversation, talk });
                Ok(())
            }
            (Came::Answer(Err(StartError::AlreadyEnded)), None) | (Came::Nothing, _) => Ok(()),
            (Came::Answer(Err(StartError::Store(_))), _) => self.excuse("a start"),
            (Came::Answer(Ok(_)), None) => Err("a conversation began again after its end".into()),
            (Came::Answer(Err(error)), _) => Err(format!("a start: {error}")),
        }
    }

    async fn set(&mut self, talk: usize, key: &'static str, value: Value, way: Way) -> Result<(), Wrong> {
        let Some(index) = self.index(talk) else { return Ok(()) };
        let text = self.model.text(value);
        let function = match way {
            Way::Returns => "set",
            Way::Fails => "set_then_fail",
            Way::Traps => "set_then_trap",
        };
        let parsed: Box<serde_json::value::RawValue> =
            serde_json::from_str(&text).map_err(wrong("the value to be set"))?;
        let arguments = BTreeMap::from([("key", key_text(key)), ("value", parsed)]);
        let arguments = serde_json::to_string(&arguments).map_err(wrong("arguments"))?;
        let Some(turn) = self.call(index, function, &arguments).await? else { return Ok(()) };
        let now = self.model.now;
        let talk = &mut self.talks[index].talk;
        talk.turn(now);
        let before = talk.clone();
        let is_taken = talk.set(key, value, &text);
        match (&turn.outcome, way, is_taken) {
            (TurnOutcome::Returned(_), Way::Returns, true) | (TurnOutcome::Failed(_), _, false) => {}
            // This function leaves more than a value.
            (TurnOutcome::Failed(_), Way::Fails, true) => talk.ask_for(("told to", "handed_over_before_the_end")),
            (TurnOutcome::Stopped(_), Way::Traps, true) => *talk = before,
            (outcome, ..) => return Err(format!("{function} came to {outcome:?}, taken: {is_taken}")),
        }
        self.check_talk(index).await
    }

    async fn remove(&mut self, talk: usize, key: &'static str) -> Result<(), Wrong> {
        let Some(index) = self.index(talk) else { return Ok(()) };
        let Some(turn) = self.call(index, "remove", &json!({ "key": key }).to_string()).await? else { return Ok(()) };
        let now = self.model.now;
        let talk = &mut self.talks[index].talk;
        talk.turn(now);
        let was_there = talk.remove(key);
        same("what a removal answers", &returned(&turn)?, &was_there.to_string())?;
        self.check_talk(index).await
    }

    async fn hand_over(&mut self, talk: usize) -> Result<(), Wrong> {
        let Some(index) = self.index(talk) else { return Ok(()) };
        let arguments = json!({ "destination": "billing", "reason": "refund" }).to_string();
        if self.call(index, "handoff", &arguments).await?.is_some() {
            let now = self.model.now;
            let talk = &mut self.talks[index].talk;
            talk.turn(now);
            talk.ask_for(("refund", "billing"));
        }
        Ok(())
    }

    async fn preview(&mut self, talk: usize) -> Result<(), Wrong> {
        let Some(index) = self.index(talk) else { return Ok(()) };
        let going = &self.talks[index];
        if !going.talk.is_running() {
            return Ok(());
        }
        let expected = self.model.proposal(&going.talk, None).preview();
        let report = going.conversation.preview(Outcome::default()).await.map_err(wrong("a preview"))?;
        same("a preview", &checks::seen(&report), &expected)
    }

    /// A turn. None: it did not take place.
    async fn call(&mut self, index: usize, function: &str, arguments: &str) -> Result<Option<Turn>, Wrong> {
        let arguments = agent_memory_host::Json::parse(arguments).map_err(wrong("arguments"))?;
        let store = Arc::clone(&self.process()?.store);
        let going = &mut self.talks[index];
        match come(&store, going.conversation.call(function, arguments)).await {
            Came::Answer(Ok(turn)) if going.talk.is_running() => {
                self.figures.tried("turns", 1);
                Ok(Some(turn))
            }
            Came::Answer(Ok(_)) => Err("a function ran after the end".into()),
            Came::Answer(Err(CallError::Ended)) if !going.talk.is_running() => Ok(None),
            Came::Answer(Err(CallError::Store(_))) => self.excuse("a turn").map(|()| None),
            Came::Answer(Err(error)) => Err(format!("{function}: {error}")),
            Came::Nothing => Ok(None),
        }
    }

    async fn save(&mut self, talk: usize) -> Result<(), Wrong> {
        let Some(index) = self.index(talk) else { return Ok(()) };
        let store = Arc::clone(&self.process()?.store);
        let note = self.note();
        let going = &mut self.talks[index];
        if !going.talk.is_running() {
            return Ok(());
        }
        going.conversation.keep(note.to_be_bytes().to_vec());
        let came = come(&store, going.conversation.save()).await;
        let may = self.model.may_save(&going.talk);
        match came {
            Came::Answer(Ok(())) if may => {
                self.model.save(&going.talk, note);
                (going.talk.base, going.talk.attempts) = (Some(note), Vec::new());
                return Ok(());
            }
            Came::Answer(Err(SaveError::Conflict)) if !may => return Ok(()),
            Came::Answer(Ok(())) => return Err("a session was saved over another's".into()),
            Came::Answer(Err(SaveError::Conflict)) => {
                return Err("a session was not saved, although nobody else has saved it".into());
            }
            Came::Answer(Err(SaveError::Store(_))) if !store.no_more_trouble() => {
                return Err("a save failed without a reason".into());
            }
            Came::Answer(Err(_)) | Came::Nothing => {}
        }
        store.no_more_trouble();
        going.talk.attempts.push(note);
        let (id, talk) = (going.talk.id.clone(), going.talk.clone());
        match self.stored(&id).await? {
            Some((found, _)) if found == note && may => self.model.save(&talk, note),
            Some((found, _)) if found == note => return Err("a session was saved over another's".into()),
            _ => {}
        }
        self.check_stored(&id).await
    }

    /// Opens what is saved of a conversation, beside whoever has it.
    async fn open(&mut self, talk: usize) -> Result<(), Wrong> {
        let Some(index) = self.index(talk) else { return Ok(()) };
        let id = self.talks[index].talk.id.clone();
        let agent = self.process()?.agents[id.0].clone();
        match (self.answer(agent.open(&id.1)).await?, self.model.open(&id)) {
            (Came::Answer(Ok(conversation)), Some(talk)) => self.join(Going { conversation, talk }),
            (Came::Answer(Err(ResumeError::NotFound)), None) | (Came::Nothing, _) => {}
            (Came::Answer(Err(ResumeError::Store(_))), _) => return self.excuse("an opening"),
            (Came::Answer(Ok(_)), None) => return Err("a session was opened that should be gone".into()),
            (Came::Answer(Err(error)), _) => return Err(format!("an opening: {error}")),
        }
        Ok(())
    }

    fn carry(&mut self, talk: usize, twice: bool) -> Result<(), Wrong> {
        let Some(index) = self.index(talk) else { return Ok(()) };
        if !self.talks[index].talk.is_running() {
            return Ok(());
        }
        let carried = self.carried(index)?;
        if !twice {
            self.talks.remove(index);
        }
        let resumed = self.resumed(carried)?;
        self.join(resumed);
        Ok(())
    }

    async fn configure(&mut self, scope: usize) -> Result<(), Wrong> {
        let had = &mut self.configured[scope];
        let next = (had.last().copied().unwrap_or_default() + 1) % CONFIGURATIONS[scope].len();
        had.retain(|of| *of != next);
        had.push(next);
        let agent = self.process()?.agents[scope].clone();
        let configuration = CONFIGURATIONS[scope][next].to_json();
        agent.replace(component("probe"), configuration).await.map_err(wrong("another configuration"))
    }

    fn wait(&mut self, seconds: i64) {
        self.model.now += seconds;
        self.clock.set(time(self.model.now));
        // Who has a session that is to be gone has let go of it (P4).
        let now = self.model.now;
        self.talks.retain(|going| going.talk.expires > now);
    }

    /// Ends the process and begins another. Every second conversation survives as bytes that the embedder has.
    async fn restart(&mut self) -> Result<(), Wrong> {
        self.figures.tried("restarts", 1);
        let running = (0..self.talks.len()).filter(|index| self.talks[*index].talk.is_running());
        let carried: Vec<_> =
            running.filter(|index| index % 2 == 0).map(|index| self.carried(index)).collect::<Result<_, _>>()?;
        self.talks.clear();
        self.process = None;
        self.begin().await?;
        for carried in carried {
            let resumed = self.resumed(carried)?;
            self.join(resumed);
        }
        Ok(())
    }

    fn carried(&self, index: usize) -> Result<(Vec<u8>, Talk), Wrong> {
        let Going { conversation, talk } = &self.talks[index];
        // What was attempted is not part of the session.
        Ok((conversation.session().to_bytes(), talk.carried()))
    }

    fn resumed(&self, (bytes, talk): (Vec<u8>, Talk)) -> Result<Going, Wrong> {
        let session = Session::from_bytes(&bytes).map_err(wrong("a session's bytes"))?;
        let conversation = self.process()?.agents[talk.id.0].resume(session).map_err(wrong("a session"))?;
        Ok(Going { conversation, talk })
    }

    fn join(&mut self, going: Going) {
        if self.talks.len() == TALKS {
            self.talks.remove(0);
        }
        self.talks.push(going);
    }

    /// Opens the store with its keys, and loads the agents with all that they were configured with.
    async fn begin(&mut self) -> Result<(), Wrong> {
        let keys = Keys::open(&Source::File(self.folder.path().join("memory.keys")), true).map_err(wrong("keys"))?;
        let store = SqliteStore::open(self.folder.path().join("memory.db")).map_err(wrong("a store"))?;
        let store = Arc::new(FaultyStore::over(store));
        let mut limits = Limits::default();
        limits.concurrent_turns = 2;
        let runtime = sealed_runtime(store.clone(), keys.clone()).clock(self.clock.clone()).limits(limits);
        let runtime = runtime.build().await.map_err(wrong("a runtime"))?;
        let mut agents = Vec::new();
        for (index, had) in self.configured.iter().enumerate() {
            let mut texts = had.iter().map(|of| CONFIGURATIONS[index][*of].to_json());
            let first = texts.next().unwrap_or_default();
            let definition =
                AgentDefinition { scope: scope(index), functions: component("probe"), configuration: first };
            let agent = runtime.load_agent(definition).await.map_err(wrong("an agent"))?;
            for text in texts {
                agent.replace(component("probe"), text).await.map_err(wrong("an agent"))?;
            }
            agents.push(agent);
        }
        self.process = Some(Process { store, keys, runtime, agents });
        Ok(())
    }

    fn process(&self) -> Result<&Process, Wrong> {
        self.process.as_ref().ok_or_else(|| "there is no process".to_owned())
    }

    fn configuration(&self, scope: usize) -> &'static Configuration {
        &CONFIGURATIONS[scope][self.configured[scope].last().copied().unwrap_or_default()]
    }

    fn index(&self, talk: usize) -> Option<usize> {
        talk.checked_rem(self.talks.len())
    }

    fn note(&mut self) -> u64 {
        self.notes += 1;
        self.notes
    }

    /// Waits for an answer, unless the store hangs.
    async fn answer<T>(&self, asked: impl Future<Output = T>) -> Result<Came<T>, Wrong> {
        let store = Arc::clone(&self.process()?.store);
        Ok(come(&store, asked).await)
    }

    /// An error of the store is fine where there was trouble.
    fn excuse(&self, what: &str) -> Result<(), Wrong> {
        if self.process()?.store.no_more_trouble() { Ok(()) } else { Err(format!("{what} failed without a reason")) }
    }

    /// What the store has of a conversation's session: what the save is known by, and how far the conversation has come.
    async fn stored(&self, id: &Id) -> Result<Option<(u64, String)>, Wrong> {
        let session = self.process()?.runtime.session(&scope(id.0), &id.1).await.map_err(wrong("a session"))?;
        Ok(session.map(|session| (note_of(&session), phase_of(&session))))
    }

    /// How many erasures the store has carried out.
    async fn erasures(&self) -> Result<u64, Wrong> {
        let mut after = None;
        loop {
            let part = self.process()?.store.dump(after).await.map_err(wrong("a dump"))?;
            for kept in part.kept {
                if let Kept::Totals { erasures, .. } = kept {
                    return Ok(erasures);
                }
            }
            after = part.next;
            if after.is_none() {
                return Err("a dump has no totals".into());
            }
        }
    }
}

async fn come<T>(store: &FaultyStore<SqliteStore>, asked: impl Future<Output = T>) -> Came<T> {
    tokio::select! {
        biased;
        answer = asked => Came::Answer(answer),
        () = store.stuck() => Came::Nothing,
    }
}

/// What a save is known by. That of an end has no note.
fn note_of(session: &Session) -> u64 {
    session.note().try_into().map_or(0, u64::from_be_bytes)
}

/// How far a session has come. Its `Debug` tells nothing else.
fn phase_of(session: &Session) -> String {
    format!("{session:?}")
}

fn key_text(key: &str) -> Box<serde_json::value::RawValue> {
    serde_json::value::to_raw_value(key).unwrap_or_default()
}

fn returned(turn: &Turn) -> Result<String, Wrong> {
    match &turn.outcome {
        TurnOutcome::Returned(json) => Ok(json.as_str().to_owned()),
        outcome => Err(format!("{} came to {outcome:?}", turn.function)),
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Result<(), Wrong> {
    if found == expected {
        return Ok(());
    }
    Err(format!("{what}: found {found:?}\n  expected {expected:?}"))
}

fn wrong<E: std::fmt::Display>(what: &str) -> impl Fn(E) -> Wrong {
    move |error| format!("{what}: {error}")
}

const PHONE: IdentifierKind = IdentifierKind::Phone;
