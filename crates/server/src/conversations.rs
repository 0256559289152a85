//! Conversations, whose sessions are in the store: any process can serve any turn.
//!
//! Within this process the calls of one conversation wait for one another. Between processes nothing is locked: of two
//! turns at once, the one that is saved first stands, and the other is run again on what that left.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use agent_memory_host::{
    Administration, Clock, CommitReport, Conversation, EndError, NewConversation, Outcome, Runtime, SaveError, Scope,
    Session, Settings, StartError,
};
use futures::stream::{self, StreamExt};
use jiff::SignedDuration;
use tokio::sync::OwnedMutexGuard;

use crate::Problem;
use crate::agents::Agents;
use crate::answers::{Answers, Request};
use crate::faults::survive;
use crate::observability::Observations;
use crate::wire::{
    Call, CallAnswer, ConversationAnswer, ConversationStatus, EndAnswer, PreviewAnswer, Start, TurnAnswer,
};

/// How long a call waits for the one before it.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long after it failed the end of an abandoned conversation is tried again.
const BACK_OFF: SignedDuration = SignedDuration::from_mins(5);

/// How many abandoned conversations are ended at once.
const ENDS_AT_ONCE: usize = 4;

/// How often a turn is run when others of the same conversation are faster, in other processes.
const ATTEMPTS: usize = 4;

/// Holds conversations.
pub(crate) struct Conversations {
    runtime: Runtime,
    administration: Administration,
    agents: Arc<Agents>,
    clock: Arc<dyn Clock>,
    /// After how long without a call a conversation is ended.
    idle: SignedDuration,
    running: Mutex<Locks>,
    observations: Arc<Observations>,
}

/// What the calls of each conversation wait for.
type Locks = HashMap<(Scope, String), Arc<tokio::sync::Mutex<()>>>;

/// What became of abandoned conversations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Overdue {
    /// How many have ended.
    pub(crate) ended: usize,
    /// How many could not be ended, and are put off.
    pub(crate) put_off: usize,
    /// Whether others may be waiting.
    pub(crate) more: bool,
}

/// What became of one.
#[derive(Debug, PartialEq, Eq)]
enum Abandoned {
    Ended,
    PutOff,
    /// Something is happening in it, or nothing can be done about it now.
    Left,
}

/// An answer in the bytes in which it is sent, and sent again.
pub(crate) type Sent = Vec<u8>;

impl Conversations {
    pub(crate) fn new(
        runtime: Runtime,
        agents: Arc<Agents>,
        clock: Arc<dyn Clock>,
        idle: SignedDuration,
        observations: Arc<Observations>,
    ) -> Self {
        let administration = runtime.administration();
        Self { runtime, administration, agents, clock, idle, running: Mutex::default(), observations }
    }

    /// Starts a conversation.
    pub(crate) async fn start(&self, scope: &Scope, start: Start, request: Option<Request>) -> Result<Sent, Problem> {
        let id = match (&start.id, &request) {
            (Some(id), _) => id.clone(),
            // The same request has to mean the same conversation.
            (None, Some(request)) => format!("conversation-{}", request.id(scope)),
            (None, None) => uuid::Uuid::new_v4().to_string(),
        };
        let _turn = self.turn(scope, &id, PATIENCE).await?;
        if let Some(request) = &request
            && let Some(answer) = self.answered(scope, &id, request).await?
        {
            return Ok(answer);
        }
        let (_, agent) = self.agents.current(scope).await?;
        let conversation: NewConversation = start.into_conversation(id.clone());
        let started = agent.start(conversation).await;
        let started =
            started.inspect_err(|error| self.observations.failed_start(matches!(error, StartError::Store(_))))?;
        let mut conversation = started.conversation;
        let turn = started.turn.map(|turn| self.observed(turn));
        let answer = sent(&ConversationAnswer { conversation: id.clone(), turn })?;
        let mut answers = Answers::default();
        answers.add(request.clone(), &answer);
        match self.save(&mut conversation, &answers).await {
            Ok(()) => Ok(answer),
            Err(SaveError::Store(error)) => Err(error.into()),
            Err(_) => {
                // Another process may have been asked the same, and have been faster.
                let answer = match &request {
                    Some(request) => self.answered(scope, &id, request).await?,
                    None => None,
                };
                let problem = "a conversation of this id is going on: give the new one an id of its own";
                answer.ok_or_else(|| Problem::exists(problem))
            }
        }
    }

    /// Calls a function.
    pub(crate) async fn call(
        &self,
        scope: &Scope,
        id: &str,
        call: Call,
        request: Option<Request>,
    ) -> Result<Sent, Problem> {
        let _turn = self.turn(scope, id, PATIENCE).await?;
        let Call { function, arguments, settings } = call;
        let settings: Option<Settings> = settings.map(Into::into);
        for _ in 0..ATTEMPTS {
            let session = self.session(scope, id).await?;
            let mut answers = Answers::of(&session);
            if let Some(request) = &request
                && let Some(answer) = answers.find(request)?
            {
                return Ok(answer);
            }
            let mut conversation = self.resume(scope, session).await?;
            if let Some(settings) = settings.clone() {
                conversation.set(settings);
            }
            let turn = self.observed(conversation.call(&function, arguments.clone()).await?);
            let answer = sent(&CallAnswer { turn })?;
            answers.add(request.clone(), &answer);
            match self.save(&mut conversation, &answers).await {
                Ok(()) => return Ok(answer),
                Err(SaveError::Store(error)) => return Err(error.into()),
                Err(_) => {}
            }
        }
        Err(outpaced())
    }

    /// What the end would commit if it came now.
    pub(crate) async fn preview(&self, scope: &Scope, id: &str, outcome: Outcome) -> Result<PreviewAnswer, Problem> {
        let Some(session) = self.runtime.session(scope, id).await? else {
            return Ok(PreviewAnswer { commit: self.report(scope, id).await? });
        };
        let conversation = self.resume(scope, session).await?;
        Ok(PreviewAnswer { commit: conversation.preview(outcome).await? })
    }

    /// Ends a conversation. Ending what has ended gives the first report again (rule W4).
    pub(crate) async fn end(&self, scope: &Scope, id: &str, outcome: Outcome) -> Result<EndAnswer, Problem> {
        let _turn = self.turn(scope, id, PATIENCE).await?;
        for _ in 0..ATTEMPTS {
            let Some(session) = self.runtime.session(scope, id).await? else {
                return Ok(end_answer(None, self.report(scope, id).await?));
            };
            if let Some(answer) = self.try_end(scope, session, outcome.clone()).await? {
                return Ok(answer);
            }
        }
        Err(outpaced())
    }

    /// Adds an outcome to a conversation that has ended (rule A8).
    pub(crate) async fn add_outcome(&self, scope: &Scope, id: &str, outcome: Outcome) -> Result<bool, Problem> {
        Ok(self.administration.add_outcome(scope, id, outcome).await?)
    }

    /// Where a conversation stands.
    pub(crate) async fn status(&self, scope: &Scope, id: &str) -> Result<ConversationStatus, Problem> {
        let conversation = id.to_owned();
        match self.runtime.session(scope, id).await? {
            Some(session) if !session.has_ended() => {
                let version = Some(session.version().to_string());
                Ok(ConversationStatus { conversation, ended: false, version, commit: None })
            }
            _ => {
                let commit = Some(self.report(scope, id).await?);
                Ok(ConversationStatus { conversation, ended: true, version: None, commit })
            }
        }
    }

    /// Ends up to `limit` conversations in which nothing has happened for too long. Those that cannot be ended are put
    /// off, so that others have their turn.
    pub(crate) async fn end_overdue(&self, limit: usize) -> Result<Overdue, Problem> {
        let sessions = self.administration.overdue(limit).await?;
        let is_full = sessions.len() == limit;
        let mut done = stream::iter(sessions)
            .map(async |session| self.end_abandoned(session.scope(), session.id()).await)
            .buffer_unordered(ENDS_AT_ONCE);
        let mut overdue = Overdue::default();
        while let Some(what) = done.next().await {
            match what {
                Abandoned::Ended => overdue.ended += 1,
                Abandoned::PutOff => overdue.put_off += 1,
                Abandoned::Left => {}
            }
        }
        // If all were left, the same ones would be found again at once.
        overdue.more = is_full && overdue.ended + overdue.put_off > 0;
        Ok(overdue)
    }

    /// Ends a conversation that was overdue a moment ago, or puts it off.
    async fn end_abandoned(&self, scope: &Scope, id: &str) -> Abandoned {
        // Who is calling has not gone away.
        let Ok(_turn) = self.turn(scope, id, Duration::ZERO).await else { return Abandoned::Left };
        // One that makes us panic would be the first again at the next time, and the others behind it would never be ended.
        let ended = survive(self.end_if_overdue(scope, id)).await;
        let problem = match ended.unwrap_or_else(|| Err(Problem::fault())) {
            Ok(true) => return Abandoned::Ended,
            Ok(false) => return Abandoned::Left,
            Err(problem) => problem,
        };
        tracing::warn!(problem = %problem.name(), "an abandoned conversation was not ended, and is tried again later");
        match self.put_off(scope, id).await {
            Ok(true) => Abandoned::PutOff,
            Ok(false) => Abandoned::Left,
            Err(problem) => {
                tracing::warn!(problem = %problem.name(), "an abandoned conversation could not be put off");
                Abandoned::Left
            }
        }
    }

    /// Ends a conversation if it is overdue still, whenever it is looked at. Answers whether it did.
    async fn end_if_overdue(&self, scope: &Scope, id: &str) -> Result<bool, Problem> {
        for _ in 0..ATTEMPTS {
            let Some(session) = self.overdue_session(scope, id).await? else { return Ok(false) };
            if self.try_end(scope, session, Outcome::default()).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Lets an overdue conversation be for a while. Its session is gone 24 hours after its last turn, whatever happens.
    async fn put_off(&self, scope: &Scope, id: &str) -> Result<bool, Problem> {
        let Some(session) = self.overdue_session(scope, id).await? else { return Ok(false) };
        let until = self.clock.now().saturating_add(BACK_OFF).map_err(|_| outpaced())?;
        Ok(self.administration.put_off(&session, until).await?)
    }

    /// The session of a conversation that is overdue.
    async fn overdue_session(&self, scope: &Scope, id: &str) -> Result<Option<Session>, Problem> {
        let now = self.clock.now();
        let session = self.runtime.session(scope, id).await?;
        Ok(session.filter(|session| session.overdue().is_some_and(|overdue| overdue <= now)))
    }

    /// Ends a conversation, unless somebody else has changed it since its session was read.
    async fn try_end(&self, scope: &Scope, session: Session, outcome: Outcome) -> Result<Option<EndAnswer>, Problem> {
        let mut conversation = self.resume(scope, session).await?;
        let began = Instant::now();
        match conversation.end(outcome).await {
            Ok(ended) => {
                self.observations.commit(began.elapsed(), ended.report.status);
                Ok(Some(end_answer(ended.turn.map(|turn| self.observed(turn)), ended.report)))
            }
            Err(EndError::Conflict) => Ok(None),
            Err(error @ EndError::Busy(_)) => Err(error.into()),
            Err(error) => {
                self.observations.failed_commit();
                Err(error.into())
            }
        }
    }

    /// The answer that a request was given before, if its conversation is going on.
    async fn answered(&self, scope: &Scope, id: &str, request: &Request) -> Result<Option<Sent>, Problem> {
        match self.runtime.session(scope, id).await? {
            Some(session) => Answers::of(&session).find(request),
            None => Ok(None),
        }
    }

    /// Waits for the calls of the same conversation that came before.
    async fn turn(&self, scope: &Scope, id: &str, patience: Duration) -> Result<Turn<'_>, Problem> {
        let key = (scope.clone(), id.to_owned());
        let lock = {
            let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(running.entry(key.clone()).or_default())
        };
        let mut turn = Turn { conversations: self, key, guard: None };
        match tokio::time::timeout(patience, lock.lock_owned()).await {
            Ok(guard) => {
                turn.guard = Some(guard);
                Ok(turn)
            }
            Err(_) => {
                Err(Problem::busy("another call of this conversation is running: wait for its answer, and try again")
                    .retry_after(1))
            }
        }
    }

    /// The session of a conversation that is going on.
    async fn session(&self, scope: &Scope, id: &str) -> Result<Session, Problem> {
        match self.runtime.session(scope, id).await? {
            Some(session) => Ok(session),
            None if self.administration.has_ended(scope, id).await? => {
                Err(Problem::ended("the conversation has ended: start a new one"))
            }
            None => Err(unknown()),
        }
    }

    async fn resume(&self, scope: &Scope, session: Session) -> Result<Conversation, Problem> {
        let agent = self.agents.version(scope, session.version()).await?;
        Ok(agent.resume(session)?)
    }

    async fn save(&self, conversation: &mut Conversation, answers: &Answers) -> Result<(), SaveError> {
        conversation.keep(answers.to_bytes());
        conversation.overdue_at(self.clock.now().checked_add(self.idle).ok());
        conversation.save().await
    }

    async fn report(&self, scope: &Scope, id: &str) -> Result<CommitReport, Problem> {
        self.administration.report(scope, id).await?.ok_or_else(unknown)
    }

    fn observed(&self, turn: agent_memory_host::Turn) -> TurnAnswer {
        self.observations.turn(&turn);
        turn.into()
    }
}

/// The right to the next turn of a conversation, given back when it is dropped.
struct Turn<'a> {
    conversations: &'a Conversations,
    key: (Scope, String),
    guard: Option<OwnedMutexGuard<()>>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        drop(self.guard.take());
        let mut running = self.conversations.running.lock().unwrap_or_else(PoisonError::into_inner);
        // One reference is the map's own: nobody else waits.
        if running.get(&self.key).is_some_and(|lock| Arc::strong_count(lock) == 1) {
            running.remove(&self.key);
        }
    }
}

fn end_answer(turn: Option<TurnAnswer>, report: CommitReport) -> EndAnswer {
    let metrics = report.metrics.clone();
    EndAnswer { turn, commit: report, metrics }
}

fn sent<T: serde::Serialize>(answer: &T) -> Result<Sent, Problem> {
    serde_json::to_vec(answer).map_err(|error| {
        tracing::error!(%error, "an answer cannot be written");
        Problem::internal("the answer could not be written: please report this")
    })
}

fn outpaced() -> Problem {
    Problem::busy("other calls of this conversation were faster each time, and this one has left no trace: try again")
        .retry_after(1)
}

fn unknown() -> Problem {
    Problem::unknown_conversation(
        "it never began, or nothing has happened in it for 24 hours, or it ended so long ago that nothing of it is kept",
    )
}

#[cfg(test)]
mod tests;
