//! All workers of a runtime, and what each of them has to do.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::{Notify, mpsc, oneshot};

use super::channel::Sender;
use super::protocol::{Done, ProgramId, TaskId};
use super::{WorkerAgents, WorkerCommand, WorkerOptions, process, supervisor};
use crate::runtime::lock;
use crate::sandbox::deadline::Deadline;
use crate::{BuildError, Json, Limits};

/// How many messages of one task may wait to be taken: a request, and the end.
const MESSAGES: usize = 2;

/// The workers of a runtime. They are killed when it is dropped.
pub(crate) struct Pool {
    pub(super) inner: Arc<Inner>,
    agents: WorkerAgents,
    /// Ends the thread that looks after the workers when it is dropped.
    _stop: oneshot::Sender<()>,
}

/// What the pool and the thread that looks after the workers share.
pub(super) struct Inner {
    pub(super) limits: Limits,
    pub(super) grace: Duration,
    pub(super) command: WorkerCommand,
    /// A place for each worker, empty while there is none.
    workers: Mutex<Vec<Option<Worker>>>,
    /// Tells that a worker has come into its place.
    pub(super) come: Notify,
    pub(super) restarts: AtomicU64,
    next_id: AtomicU64,
}

/// A worker that takes turns.
pub(super) struct Worker {
    pub(super) sender: Arc<Sender>,
    pub(super) tasks: HashMap<TaskId, Task>,
    pub(super) loaded: HashSet<ProgramId>,
}

/// Something that a worker has to do.
pub(super) struct Task {
    /// Where its messages go. None if nobody waits for them any more.
    messages: Option<mpsc::Sender<Message>>,
    /// When the worker should have been done.
    deadline: Arc<Deadline>,
}

/// What a worker says of a task.
pub(super) enum Message {
    Request { name: String, arguments: Json },
    Done(Done),
}

/// What whoever waits for a task has of it.
pub(super) struct Placed {
    pub(super) place: usize,
    pub(super) sender: Arc<Sender>,
    pub(super) messages: mpsc::Receiver<Message>,
    pub(super) deadline: Arc<Deadline>,
}

impl Pool {
    /// Starts workers, and waits until each can run turns.
    pub(crate) async fn start(options: WorkerOptions, limits: Limits) -> Result<Self, BuildError> {
        if std::env::var_os(super::VARIABLE).is_some() {
            let problem = "this process is a worker itself, and has to say so: call \
                           `agent_memory_host::workers::serve_if_worker()` as the first line of its `main`";
            return Err(BuildError::Workers(problem.into()));
        }
        let WorkerOptions { count, agents, command, grace } = options;
        let unstartable = |error: io::Error| BuildError::Workers(error.to_string());
        let command = command.map_or_else(process::this_program, Ok).map_err(unstartable)?;
        let workers = std::iter::repeat_with(|| None).take(count.get()).collect();
        let inner = Arc::new(Inner {
            limits,
            grace,
            command,
            workers: Mutex::new(workers),
            come: Notify::new(),
            restarts: AtomicU64::new(0),
            next_id: AtomicU64::new(0),
        });
        // Workers belong to a thread of their own, for the runtime may be used from several executors, and outlive the
        // one in which it was made.
        let (stop, stopped) = oneshot::channel();
        let (starts, started): (Vec<_>, Vec<_>) = (0..count.get()).map(|_| oneshot::channel()).unzip();
        let executor =
            tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build().map_err(unstartable)?;
        let shared = Arc::clone(&inner);
        let look_after = move || {
            let supervise = |(place, start)| supervisor::supervise(Arc::clone(&shared), place, start);
            let all = join_all(starts.into_iter().enumerate().map(supervise));
            executor.block_on(async {
                tokio::select! {
                    _ = stopped => {}
                    _ = all => {}
                }
            });
        };
        thread::Builder::new().name("agent-memory-workers".into()).spawn(look_after).map_err(unstartable)?;
        for started in started {
            let gone = |_| Err("whoever starts them has failed".into());
            started.await.unwrap_or_else(gone).map_err(BuildError::Workers)?;
        }
        Ok(Self { inner, agents, _stop: stop })
    }

    /// Whether the turns of a component run here.
    pub(crate) fn run(&self, imports_wasi: bool) -> bool {
        match self.agents {
            WorkerAgents::Runtimes => imports_wasi,
            WorkerAgents::All => true,
        }
    }

    /// How many workers were started in place of one that had ended.
    pub(crate) fn restarts(&self) -> u64 {
        self.inner.restarts.load(Ordering::Relaxed)
    }
}

impl Inner {
    /// A name that nothing has yet.
    pub(super) fn new_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// A worker has come into its place.
    pub(super) fn put(&self, place: usize, sender: Arc<Sender>) {
        let worker = Worker { sender, tasks: HashMap::new(), loaded: HashSet::new() };
        if let Some(empty) = lock(&self.workers).get_mut(place) {
            *empty = Some(worker);
        }
        self.come.notify_waiters();
    }

    /// A worker is gone. Whoever waits for something of it is told so.
    pub(super) fn take(&self, place: usize) {
        let gone = lock(&self.workers).get_mut(place).and_then(Option::take);
        drop(gone);
    }

    /// Finds the worker for a task: the one that has the fewest, if `prepare` succeeds with it. None: there is none.
    pub(super) fn place(
        &self,
        task: TaskId,
        prepare: impl FnOnce(&mut Worker) -> io::Result<()>,
    ) -> Option<io::Result<Placed>> {
        let mut workers = lock(&self.workers);
        let present = workers.iter_mut().enumerate().filter_map(|(place, worker)| Some((place, worker.as_mut()?)));
        let (place, worker) = present.min_by_key(|(_, worker)| worker.tasks.len())?;
        if let Err(error) = prepare(worker) {
            return Some(Err(error));
        }
        let (passed, messages) = mpsc::channel(MESSAGES);
        let deadline = Arc::new(Deadline::new(self.limits.turn_time.saturating_add(self.grace)));
        worker.tasks.insert(task, Task { messages: Some(passed), deadline: Arc::clone(&deadline) });
        Some(Ok(Placed { place, sender: Arc::clone(&worker.sender), messages, deadline }))
    }

    /// Passes on what a worker says of a task. An error if the task is none that it has, or says too much.
    pub(super) fn pass(&self, place: usize, task: TaskId, message: Message) -> Result<(), Unexpected> {
        let mut workers = lock(&self.workers);
        let tasks = &mut workers.get_mut(place).and_then(Option::as_mut).ok_or(Unexpected)?.tasks;
        let found = match message {
            Message::Request { .. } => tasks.get(&task).and_then(|task| task.messages.clone()),
            Message::Done(_) => tasks.remove(&task).ok_or(Unexpected)?.messages,
        };
        // Otherwise it was cancelled, which the worker need not know yet.
        let Some(messages) = found else { return Ok(()) };
        match messages.try_send(message) {
            Err(mpsc::error::TrySendError::Full(_)) => Err(Unexpected),
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => Ok(()),
        }
    }

    /// Nobody waits for a task any more. Answers whether the worker has it still, and so has to be told.
    pub(super) fn cancel(&self, place: usize, id: TaskId) -> bool {
        let mut workers = lock(&self.workers);
        let worker = workers.get_mut(place).and_then(Option::as_mut);
        let Some(task) = worker.and_then(|worker| worker.tasks.get_mut(&id)) else { return false };
        task.messages = None;
        task.deadline = Arc::new(Deadline::new(self.grace));
        true
    }

    /// Whether a worker has a task that it should have been done with.
    pub(super) fn hangs(&self, place: usize) -> bool {
        let workers = lock(&self.workers);
        let worker = workers.get(place).and_then(Option::as_ref);
        worker.is_some_and(|worker| worker.tasks.values().any(|task| task.deadline.is_over()))
    }

    /// Has something done with every worker.
    pub(super) fn each(&self, act: impl FnMut(&mut Worker)) {
        lock(&self.workers).iter_mut().flatten().for_each(act);
    }
}

/// A worker does not keep to the protocol.
#[derive(Debug)]
pub(super) struct Unexpected;
