//! An agent's functions in workers, as if they were here.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::Serialize;
use tempfile::{NamedTempFile, TempPath};
use tokio::time::Instant;
use wasmtime::component::Component;

use super::pool::{Message, Placed, Pool, Worker};
use super::protocol::{Done, ProgramId, TaskId, ToWorker, frame};
use crate::bindings::functions;
use crate::code_cache::Code;
use crate::runtime::lock;
use crate::sandbox::{Environment, TurnRequest, TurnResult};
use crate::turn::{Stop, StopReason, TurnOutcome};
use crate::{ComponentError, PolicyFailure, RequestError, Requests};

/// How long a task waits for a worker, if there is none.
const WAIT: Duration = Duration::from_secs(5);

/// Functions joined with the policy, ready to run in workers.
pub(crate) struct Remote {
    pool: Arc<Pool>,
    id: ProgramId,
    /// Kept to write the code once more if somebody deletes its file.
    component: Component,
    file: Mutex<File>,
    can_wait: bool,
}

/// Where compiled code is for workers to find.
enum File {
    /// In the folder of compiled code.
    Kept(PathBuf),
    /// In a file of its own.
    Temporary(TempPath),
}

impl Remote {
    /// Sees to it that workers find the code.
    pub(crate) fn new(pool: Arc<Pool>, code: Code, can_wait: bool) -> Result<Self, ComponentError> {
        let Code { component, file } = code;
        let file = match file {
            Some(file) => File::Kept(file),
            None => write(&component).map_err(|error| {
                let problem = format!("its code cannot be written to a file for worker processes: {error}");
                ComponentError::Uncompilable(problem)
            })?,
        };
        let id = pool.inner.new_id();
        Ok(Self { pool, id, component, file: Mutex::new(file), can_wait })
    }

    /// Asks the functions what they are.
    pub(crate) async fn describe(&self) -> Result<Vec<functions::Function>, ComponentError> {
        let task = self.pool.inner.new_id();
        let done = match self.give(task, &ToWorker::<()>::Describe { task, program: self.id }).await {
            Ok(mut given) => given.done(None, "").await,
            Err(problem) => Err(problem),
        };
        match done {
            Ok(Done::Described(described)) => Ok(described?),
            Ok(_) => Err(ComponentError::Undescribed(UNEXPECTED.into())),
            Err(problem) => Err(ComponentError::Undescribed(problem.into())),
        }
    }

    /// Runs a turn.
    pub(crate) async fn run(
        &self,
        environment: &Environment,
        request: TurnRequest,
    ) -> Result<TurnResult, PolicyFailure> {
        let task = self.pool.inner.new_id();
        let answers_requests = environment.requests.is_some();
        let run = ToWorker::Run { task, program: self.id, answers_requests, request: &request };
        let done = match self.give(task, &run).await {
            Ok(mut given) => given.done(environment.requests.as_deref(), &request.facts.id).await,
            Err(problem) => Err(problem),
        };
        match done {
            Ok(Done::Turn(result)) => Ok(*result),
            Ok(Done::Failed(problem)) => Err(PolicyFailure(problem)),
            Ok(_) => Ok(stopped(request, UNEXPECTED)),
            Err(problem) => Ok(stopped(request, problem)),
        }
    }

    /// Gives a task to a worker. The error says why that cannot be.
    async fn give(&self, task: TaskId, message: &impl Serialize) -> Result<Given<'_>, &'static str> {
        let frame = frame(message).map_err(|_| "it is too large to be given to a worker process")?;
        let until = Instant::now() + WAIT;
        loop {
            let come = self.pool.inner.come.notified();
            if let Some(placed) = self.pool.inner.place(task, |worker| self.load(worker)) {
                let placed = placed.map_err(|_| "its code cannot be given to a worker process")?;
                placed.sender.send(&frame);
                return Ok(Given { pool: &self.pool, task, placed, is_done: false });
            }
            if tokio::time::timeout_at(until, come).await.is_err() {
                return Err("there is no worker process to run it: they end as soon as they are started");
            }
        }
    }

    /// Has a worker load the code, if it has not.
    fn load(&self, worker: &mut Worker) -> io::Result<()> {
        if !worker.loaded.contains(&self.id) {
            let load = ToWorker::<()>::Load { program: self.id, code: self.code()?, can_wait: self.can_wait };
            worker.sender.send(&frame(&load)?);
            worker.loaded.insert(self.id);
        }
        Ok(())
    }

    /// The file of the code.
    fn code(&self) -> io::Result<PathBuf> {
        let mut file = lock(&self.file);
        if !file.path().exists() {
            *file = write(&self.component)?;
        }
        Ok(file.path().to_owned())
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        let Ok(forget) = frame(&ToWorker::<()>::Forget { program: self.id }) else { return };
        self.pool.inner.each(|worker| {
            if worker.loaded.remove(&self.id) {
                worker.sender.send(&forget);
            }
        });
    }
}

impl File {
    fn path(&self) -> &std::path::Path {
        match self {
            Self::Kept(path) => path,
            Self::Temporary(path) => path,
        }
    }
}

/// Writes code to a file that only this user can read, and that is deleted when nobody needs it.
fn write(component: &Component) -> io::Result<File> {
    let mut file = NamedTempFile::new()?;
    io::Write::write_all(&mut file, &component.serialize().map_err(io::Error::other)?)?;
    Ok(File::Temporary(file.into_temp_path()))
}

/// What a worker says that has never been asked for.
const UNEXPECTED: &str = "the worker process that it ran in answered something else";

/// What happened to a turn whose worker has died.
const ENDED: &str = "the worker process that it ran in ended: another one runs the next turn";

/// A turn that a worker could not finish: the state is as it was when it began (rule W6).
fn stopped(request: TurnRequest, why: &str) -> TurnResult {
    let stop = Stop { reason: StopReason::Worker, message: why.to_owned(), trace: String::new() };
    TurnResult {
        outcome: TurnOutcome::Stopped(stop),
        say: Vec::new(),
        actions: Vec::new(),
        logs: Vec::new(),
        metric_events: request.metric_events,
        requested_handoff: None,
        state: request.turn.state,
        session_expires: None,
    }
}

/// A task that a worker has. It is cancelled when this is dropped.
struct Given<'a> {
    pool: &'a Pool,
    task: TaskId,
    placed: Placed,
    is_done: bool,
}

impl Given<'_> {
    /// Waits until the task is done, and has its requests answered meanwhile. The error says that the worker has ended.
    async fn done(&mut self, requests: Option<&dyn Requests>, conversation: &str) -> Result<Done, &'static str> {
        let Placed { sender, messages, deadline, .. } = &mut self.placed;
        loop {
            let (name, arguments) = match messages.recv().await {
                Some(Message::Request { name, arguments }) => (name, arguments),
                Some(Message::Done(done)) => {
                    self.is_done = true;
                    return Ok(done);
                }
                None => return Err(ENDED),
            };
            let answer = async {
                match requests {
                    Some(requests) => requests.answer(conversation, &name, arguments).await,
                    None => Err(RequestError::Unanswered),
                }
            };
            let paused = deadline.pause();
            let answer = tokio::select! {
                answer = answer => answer,
                // A function that waits for an answer says nothing. So its worker is gone, or does what it must not.
                message = messages.recv() => return Err(message.map_or(ENDED, |_| UNEXPECTED)),
            };
            drop(paused);
            let answer = ToWorker::<()>::Answer { task: self.task, answer };
            sender.send(&frame(&answer).map_err(|_| "the answer to its request is too large")?);
        }
    }
}

impl Drop for Given<'_> {
    fn drop(&mut self) {
        if !self.is_done
            && self.pool.inner.cancel(self.placed.place, self.task)
            && let Ok(cancel) = frame(&ToWorker::<()>::Cancel { task: self.task })
        {
            self.placed.sender.send(&cancel);
        }
    }
}
