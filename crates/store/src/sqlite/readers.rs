//! The connections that read.

use std::{
    sync::{
        Arc, Mutex, PoisonError, TryLockError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::{failure::Attempt, open::Location, writer::stopped};
use crate::{Effect, StoreError};

/// How many long reads may wait.
const WAITING: usize = 64;

/// Reads that take a few microseconds, on the thread that asks.
///
/// To hand such a read to another thread takes longer than to do it, and a thread that waits for a lock here waits for
/// another such read at most: a connection is never held across an `await`.
pub(super) struct Readers {
    location: Arc<Location>,
    slots: Box<[Mutex<Option<Connection>>]>,
    next: AtomicUsize,
}

impl Readers {
    pub(super) fn new(location: Arc<Location>, connections: usize) -> Self {
        let slots = (0..connections.max(1)).map(|_| Mutex::new(None)).collect();
        Self { location, slots, next: AtomicUsize::new(0) }
    }

    /// Reads with one of the connections. Several statements see one snapshot only within [`snapshot`].
    pub(super) fn read<T>(&self, work: impl FnOnce(&Connection) -> Attempt<T>) -> Result<T, StoreError> {
        self.with_slot(|slot| {
            let connection = match slot {
                Some(connection) => connection,
                None => slot.insert(self.location.reader()?),
            };
            work(connection).map_err(|failure| {
                if failure.spoils_connection() {
                    *slot = None;
                }
                failure.into_error(self.location.place(), Effect::Rejected)
            })
        })
    }

    /// Closes all connections.
    pub(super) fn close(&self) {
        for slot in &self.slots {
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    fn with_slot<T>(&self, work: impl FnOnce(&mut Option<Connection>) -> T) -> T {
        let start = self.next.fetch_add(1, Ordering::Relaxed) % self.slots.len();
        let (before, from) = self.slots.split_at(start);
        let free = from.iter().chain(before).find_map(|slot| match slot.try_lock() {
            Ok(slot) => Some(slot),
            Err(TryLockError::Poisoned(slot)) => Some(slot.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        });
        match (free, from.first()) {
            (Some(mut slot), _) => work(&mut slot),
            (None, Some(slot)) => work(&mut slot.lock().unwrap_or_else(PoisonError::into_inner)),
            // There is always a slot to start at.
            (None, None) => work(&mut None),
        }
    }
}

/// Runs several statements on one snapshot.
pub(super) fn snapshot<T>(connection: &Connection, work: impl FnOnce(&Connection) -> Attempt<T>) -> Attempt<T> {
    connection.prepare_cached("BEGIN")?.execute([])?;
    let read = work(connection);
    // Nothing was written, so that there is nothing to lose either way.
    let ended = connection.prepare_cached("COMMIT")?.execute([]);
    let value = read?;
    ended?;
    Ok(value)
}

type Job = Box<dyn FnOnce(&Readers) + Send>;

/// Reads whose size has no bound, one after another on a thread of their own.
pub(super) struct LongReads {
    queue: Option<mpsc::Sender<Job>>,
    thread: Option<thread::JoinHandle<()>>,
    location: Arc<Location>,
}

impl LongReads {
    pub(super) fn start(location: Arc<Location>) -> std::io::Result<Self> {
        let (queue, mut jobs) = mpsc::channel::<Job>(WAITING);
        let readers = Readers::new(Arc::clone(&location), 1);
        let thread = thread::Builder::new().name("agent-memory-read".to_owned()).spawn(move || {
            while let Some(job) = jobs.blocking_recv() {
                job(&readers);
            }
        })?;
        Ok(Self { queue: Some(queue), thread: Some(thread), location })
    }

    /// Reads one snapshot.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Attempt<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |readers| {
            let read = readers.read(|connection| snapshot(connection, work));
            // Who asked may have gone.
            let _ = reply.send(read).is_ok();
        });
        let gone = || stopped(self.location.place(), Effect::Rejected);
        self.queue.as_ref().ok_or_else(gone)?.send(job).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    /// Waits for the reads that are waiting, and closes the connection.
    pub(super) fn close(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join().is_ok();
        }
    }
}
