//! Looks after one worker: starts it, hears what it says, and starts another when it has died.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::net::UnixStream;
use tokio::sync::oneshot;
use tokio::time::MissedTickBehavior;

use super::channel::{Receiver, Sender, channel};
use super::pool::{Inner, Message, Unexpected};
use super::process::Process;
use super::protocol::{FromWorker, LONGEST_FROM_WORKER, ToWorker, VERSION, frame};

/// How long a worker may take until it can run turns.
const START_TIME: Duration = Duration::from_secs(10);

/// How often, at least, it is looked after whether a worker hangs.
const LOOK: Duration = Duration::from_secs(1);

/// How long it takes until a worker is started in place of one that died young. It doubles each time.
const FIRST_DELAY: Duration = Duration::from_millis(20);
const LONGEST_DELAY: Duration = Duration::from_secs(5);

/// A worker that lived for this long did not die young.
const YOUTH: Duration = Duration::from_secs(10);

/// Sees to it that there is a worker in a place, for ever. Says how the first start went; if it failed, that was all.
pub(super) async fn supervise(pool: Arc<Inner>, place: usize, first: oneshot::Sender<Result<(), String>>) {
    let mut first = Some(first);
    let mut delay = FIRST_DELAY;
    loop {
        match start(&pool).await {
            Ok(worker) => {
                match first.take() {
                    // Whoever does not wait for it has given up, and ends this soon.
                    Some(first) => drop(first.send(Ok(()))),
                    None => {
                        pool.restarts.fetch_add(1, Ordering::Relaxed);
                    }
                }
                let began = Instant::now();
                let Err(error) = attend(&pool, place, worker).await;
                tracing::warn!(%error, "a worker has ended, and another one is started");
                if began.elapsed() > YOUTH {
                    delay = FIRST_DELAY;
                }
            }
            Err(problem) => match first.take() {
                Some(first) => {
                    drop(first.send(Err(problem)));
                    return;
                }
                None => tracing::error!(problem, "a worker could not be started, and it is tried again"),
            },
        }
        tokio::time::sleep(delay).await;
        delay = (2 * delay).min(LONGEST_DELAY);
    }
}

/// A worker that can run turns.
struct Started {
    sender: Arc<Sender>,
    receiver: Receiver,
    /// Killed when it is dropped.
    _process: Process,
}

async fn start(pool: &Inner) -> Result<Started, String> {
    let program = pool.command.program.display();
    let (process, socket) = Process::start(&pool.command).map_err(|error| format!("{program}: {error}"))?;
    let connect = || {
        socket.set_nonblocking(true)?;
        UnixStream::from_std(socket)
    };
    let (sender, mut receiver) = channel(connect().map_err(|error| error.to_string())?, LONGEST_FROM_WORKER);
    let begin = ToWorker::<()>::Begin { version: VERSION.into(), limits: pool.limits.clone() };
    sender.send(&frame(&begin).map_err(|error| error.to_string())?);
    let no_worker = || {
        format!(
            "{program} was started as a worker and did not become one: call \
             `agent_memory_host::workers::serve_if_worker()` as the first line of its `main`, or name a program that \
             does in `WorkerOptions::command`"
        )
    };
    let ready = async {
        tokio::select! {
            ready = receiver.next() => ready,
            flushed = sender.flush() => flushed.map(|never| match never {}),
        }
    };
    match tokio::time::timeout(START_TIME, ready).await {
        Ok(Ok(FromWorker::Ready { version, ready })) if version == VERSION => ready?,
        Ok(Ok(FromWorker::Ready { .. })) => return Err(format!("{program} is of another version than {VERSION}")),
        Ok(Ok(_) | Err(_)) | Err(_) => return Err(no_worker()),
    }
    Ok(Started { sender: Arc::new(sender), receiver, _process: process })
}

/// Hears a worker for as long as it lives, and keeps to the protocol, and does not hang.
async fn attend(pool: &Inner, place: usize, worker: Started) -> io::Result<Infallible> {
    let Started { sender, mut receiver, _process } = worker;
    pool.put(place, Arc::clone(&sender));
    let _place = Place { pool, place };
    let mut look = tokio::time::interval((pool.grace / 2).clamp(Duration::from_millis(1), LOOK));
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let hear = async {
        loop {
            let heard = match receiver.next().await? {
                FromWorker::Request { task, name, arguments } => {
                    pool.pass(place, task, Message::Request { name, arguments })
                }
                FromWorker::Done { task, done } => pool.pass(place, task, Message::Done(done)),
                FromWorker::Ready { .. } => Err(Unexpected),
            };
            heard.map_err(|Unexpected| io::Error::other("it does not keep to the protocol"))?;
        }
    };
    let watch = async {
        loop {
            look.tick().await;
            if pool.hangs(place) {
                return io::Result::<Infallible>::Err(io::Error::other("it was killed because it hung"));
            }
        }
    };
    tokio::select! {
        heard = hear => heard,
        flushed = sender.flush() => flushed,
        hung = watch => hung,
    }
}

/// A worker's place, which is empty when the worker is gone.
struct Place<'a> {
    pool: &'a Inner,
    place: usize,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.pool.take(self.place);
    }
}
