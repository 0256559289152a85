//! The way to the one thread that writes.

use std::{sync::Arc, thread};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::{Counters, failure::Attempt, open::Location, scrub::Means, worker::Worker};
use crate::{Effect, StoreError, Swept, Timestamp};

/// How many operations may wait. Whoever comes then waits to be queued.
const WAITING: usize = 1024;

/// Asks the thread that writes.
pub(super) struct Writer {
    queue: Option<mpsc::Sender<Job>>,
    thread: Option<thread::JoinHandle<()>>,
    location: Arc<Location>,
}

/// Where an answer goes.
pub(super) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// What the thread is asked to do.
pub(super) enum Job {
    /// An operation that is answered when it is committed.
    Write(Box<dyn Operation>),
    /// An operation that is answered when no copy of what it has deleted is left.
    Delete(Box<dyn Operation>),
    /// A sweep.
    Sweep(Timestamp, Reply<Swept>),
}

/// Something to be done within a transaction, and somebody who waits for it.
pub(super) trait Operation: Send {
    fn run(&mut self, connection: &Connection) -> Attempt<()>;

    /// Hands over what `run` has found if all went well, or else why not.
    fn answer(self: Box<Self>, outcome: Result<(), StoreError>);
}

/// A piece of work and who waits for what it finds.
struct Waiting<F, T> {
    work: Option<F>,
    found: Option<T>,
    reply: Reply<T>,
}

impl Writer {
    pub(super) fn start(
        location: Arc<Location>,
        connection: Connection,
        means: Means,
        counters: Arc<Counters>,
    ) -> std::io::Result<Self> {
        let (queue, jobs) = mpsc::channel(WAITING);
        let worker = Worker::new(Arc::clone(&location), connection, means, counters, jobs);
        let thread = thread::Builder::new().name("agent-memory-write".to_owned()).spawn(|| worker.run())?;
        Ok(Self { queue: Some(queue), thread: Some(thread), location })
    }

    /// Asks whoever takes jobs out of the queue: a thread that a test has made.
    #[cfg(test)]
    pub(super) fn over(queue: mpsc::Sender<Job>, location: Arc<Location>) -> Self {
        Self { queue: Some(queue), thread: None, location }
    }

    /// Does something in a transaction, and returns when that is committed.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Attempt<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Job::Write(Box::new(Waiting { work: Some(work), found: None, reply })), answer).await
    }

    /// Does something in a transaction, and returns when no copy of what it has deleted is left.
    pub(super) async fn delete<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Attempt<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Job::Delete(Box::new(Waiting { work: Some(work), found: None, reply })), answer).await
    }

    pub(super) async fn sweep(&self, now: Timestamp) -> Result<Swept, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Job::Sweep(now, reply), answer).await
    }

    /// Does what is queued, and closes the connection.
    pub(super) fn close(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join().is_ok();
        }
    }

    async fn ask<T>(&self, job: Job, answer: oneshot::Receiver<Result<T, StoreError>>) -> Result<T, StoreError> {
        let gone = |effect| stopped(self.location.place(), effect);
        let queue = self.queue.as_ref().ok_or_else(|| gone(Effect::Rejected))?;
        queue.send(job).await.map_err(|_| gone(Effect::Rejected))?;
        answer.await.map_err(|_| gone(Effect::Unknown))?
    }
}

/// What is said when a thread of the store has ended, which only a bug can make it do.
pub(super) fn stopped(place: &str, effect: Effect) -> StoreError {
    StoreError::Failed { place: place.to_owned(), reason: "its thread has stopped: open it again".to_owned(), effect }
}

impl<F, T> Operation for Waiting<F, T>
where
    F: FnOnce(&Connection) -> Attempt<T> + Send,
    T: Send,
{
    fn run(&mut self, connection: &Connection) -> Attempt<()> {
        if let Some(work) = self.work.take() {
            self.found = Some(work(connection)?);
        }
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<(), StoreError>) {
        let Self { found, reply, .. } = *self;
        if let Some(found) = outcome.map(|()| found).transpose() {
            // Who asked may have gone.
            let _ = reply.send(found).is_ok();
        }
    }
}

/// Somebody who waits for what is found already.
pub(super) fn found<T: Send + 'static>(value: T, reply: Reply<T>) -> Box<dyn Operation> {
    Box::new(Waiting { work: None::<fn(&Connection) -> Attempt<T>>, found: Some(value), reply })
}
