//! A worker, from its first message to the end of its connection.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream as Socket;
use std::sync::{Arc, Mutex};

use agent_memory_store::AgentKey;
use async_trait::async_trait;
use tokio::net::UnixStream;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use wasmtime::Engine;

use super::channel::{Receiver, Sender, channel};
use super::protocol::{Done, FromWorker, LONGEST_TO_WORKER, ProgramId, TaskId, ToWorker, Undescribed, VERSION, frame};
use crate::places::Places;
use crate::runtime::lock;
use crate::sandbox::{Environment, Program, TurnRequest, TurnResult};
use crate::{Json, Limits, PolicyFailure, RequestError, Requests, code_cache, engine};

/// Whose turns a worker runs: it is not told of which agent they are, and those who are wait before they come here.
const ANYBODY: AgentKey = AgentKey([0; 32]);

/// The last of the files that every process has.
const STANDARD_ERROR: RawFd = 2;

/// Runs turns until the program at the other end of standard input has no more.
pub(super) fn serve() -> io::Result<()> {
    confine()?;
    // A task that panics would never be done, and whoever waits for it would wait in vain.
    std::panic::set_hook(Box::new(|_| std::process::abort()));
    let socket = Socket::from(io::stdin().as_fd().try_clone_to_owned()?);
    socket.set_nonblocking(true)?;
    // Every turn gives way once a millisecond. Then messages are looked for: another turn may have to begin, or be
    // cancelled.
    let executor = tokio::runtime::Builder::new_current_thread().enable_all().event_interval(1).build()?;
    executor.block_on(async {
        let (sender, receiver) = channel(UnixStream::from_std(socket)?, LONGEST_TO_WORKER);
        let sender = Arc::new(sender);
        tokio::select! {
            served = begin(Arc::clone(&sender), receiver) => served,
            flushed = sender.flush() => flushed.map(|_| ()),
        }
    })
}

/// Gives up what a worker does not need.
fn confine() -> io::Result<()> {
    // A program that is killed takes its workers with it, whatever they are doing.
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    crate::refuse_core_dumps()?;
    close_inherited_files()
}

/// Closes what the program that started this one has open and did not mark to be closed, as the shell that started that
/// may have left it.
fn close_inherited_files() -> io::Result<()> {
    let folder = std::path::Path::new("/dev/fd");
    let names = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>()?;
    for name in names {
        let Some(file) = name.to_str().and_then(|name| name.parse::<RawFd>().ok()) else { continue };
        // The folder that was read is in the list, and is closed already.
        if file > STANDARD_ERROR && std::fs::symlink_metadata(folder.join(&name)).is_ok() {
            #[allow(unsafe_code, reason = "nobody else closes what nobody here has opened")]
            // SAFETY: a worker becomes one before it opens anything, and never returns to where its program could use
            // what it has opened all the same.
            drop(unsafe { OwnedFd::from_raw_fd(file) });
        }
    }
    Ok(())
}

async fn begin(sender: Arc<Sender>, mut receiver: Receiver) -> io::Result<()> {
    let ToWorker::<TurnRequest>::Begin { version, limits } = receiver.next().await? else {
        return Err(io::Error::other("it does not begin with the beginning"));
    };
    if version != VERSION {
        sender.send(&frame(&FromWorker::Ready { version: VERSION.into(), ready: Ok(()) })?);
        return Ok(());
    }
    let engine = engine::engine(&limits);
    let ready = engine.as_ref().map(|_| ()).map_err(ToString::to_string);
    sender.send(&frame(&FromWorker::Ready { version: VERSION.into(), ready })?);
    let Ok(engine) = engine else { return Ok(()) };
    let turns = Arc::new(Turns { sender, running: Mutex::default() });
    let places = Places::new(limits.concurrent_turns);
    let mut worker = Worker { engine, limits, programs: HashMap::new(), places, turns };
    loop {
        worker.obey(receiver.next().await?);
    }
}

/// All that a worker has.
struct Worker {
    engine: Engine,
    limits: Limits,
    programs: HashMap<ProgramId, Result<Arc<Program>, Undescribed>>,
    /// One for each sandbox that may be there at once. A turn that was cancelled may have one for a moment longer.
    places: Arc<Places>,
    turns: Arc<Turns>,
}

/// The tasks that are running.
struct Turns {
    sender: Arc<Sender>,
    running: Mutex<HashMap<TaskId, Running>>,
}

struct Running {
    task: AbortHandle,
    /// Where the answer goes that the function waits for.
    answer: Option<oneshot::Sender<Result<Json, RequestError>>>,
}

impl Worker {
    fn obey(&mut self, message: ToWorker) {
        match message {
            ToWorker::Load { program, code, can_wait } => {
                let loaded = code_cache::map(&self.engine, &code)
                    .map_err(|error| Undescribed::Other(format!("{error:#}")))
                    .and_then(|component| Ok(Program::new(&self.engine, &component, can_wait)?));
                self.programs.insert(program, loaded.map(Arc::new));
            }
            ToWorker::Forget { program } => {
                self.programs.remove(&program);
            }
            ToWorker::Describe { task, program } => {
                let environment = Arc::new(Environment { limits: self.limits.clone(), requests: None });
                let (program, places) = (self.program(program), Arc::clone(&self.places));
                self.spawn(task, async move {
                    let place = places.take(ANYBODY).await;
                    Done::Described(match program {
                        Ok(program) => program.describe(environment, place).await.map_err(Undescribed::from),
                        Err(problem) => Err(problem),
                    })
                });
            }
            ToWorker::Run { task, program, answers_requests, request } => {
                let requests = answers_requests
                    .then(|| Arc::new(Asking { task, turns: Arc::clone(&self.turns) }) as Arc<dyn Requests>);
                let environment = Arc::new(Environment { limits: self.limits.clone(), requests });
                let (program, places) = (self.program(program), Arc::clone(&self.places));
                self.spawn(task, async move {
                    let place = places.take(ANYBODY).await;
                    match program {
                        Ok(program) => done(program.run(environment, place, request).await),
                        Err(Undescribed::WrongType(problem) | Undescribed::Other(problem)) => Done::Failed(problem),
                    }
                });
            }
            ToWorker::Cancel { task } => {
                // Otherwise it is done, which was said.
                if let Some(running) = lock(&self.turns.running).remove(&task) {
                    running.task.abort();
                    self.turns.say(&FromWorker::Done { task, done: Done::Cancelled });
                }
            }
            ToWorker::Answer { task, answer } => {
                let asked = lock(&self.turns.running).get_mut(&task).and_then(|running| running.answer.take());
                if let Some(asked) = asked {
                    // A turn that was ended meanwhile waits no more.
                    let _ = asked.send(answer);
                }
            }
            ToWorker::Begin { .. } => {}
        }
    }

    fn program(&self, program: ProgramId) -> Result<Arc<Program>, Undescribed> {
        let unknown = || Err(Undescribed::Other("the worker process has no code of it".into()));
        self.programs.get(&program).cloned().unwrap_or_else(unknown)
    }

    fn spawn(&self, task: TaskId, work: impl Future<Output = Done> + Send + 'static) {
        let turns = Arc::clone(&self.turns);
        // It begins when this thread waits for the next message, and so after it is in the list.
        let spawned = tokio::spawn(async move {
            let done = work.await;
            lock(&turns.running).remove(&task);
            turns.say(&FromWorker::Done { task, done });
        });
        lock(&self.turns.running).insert(task, Running { task: spawned.abort_handle(), answer: None });
    }
}

fn done(turn: Result<TurnResult, PolicyFailure>) -> Done {
    match turn {
        Ok(result) => Done::Turn(Box::new(result)),
        Err(failure) => Done::Failed(failure.0),
    }
}

impl Turns {
    fn say(&self, message: &FromWorker) {
        match frame(message) {
            Ok(frame) => self.sender.send(&frame),
            // The other end would wait for ever.
            Err(_) => std::process::abort(),
        }
    }
}

/// Passes the requests of a turn on.
struct Asking {
    task: TaskId,
    turns: Arc<Turns>,
}

#[async_trait]
impl Requests for Asking {
    async fn answer(&self, _conversation: &str, name: &str, arguments: Json) -> Result<Json, RequestError> {
        let (sender, answer) = oneshot::channel();
        if let Some(running) = lock(&self.turns.running).get_mut(&self.task) {
            running.answer = Some(sender);
        }
        self.turns.say(&FromWorker::Request { task: self.task, name: name.to_owned(), arguments });
        answer.await.unwrap_or(Err(RequestError::Unanswered))
    }
}
