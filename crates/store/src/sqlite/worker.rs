//! The one thread that writes.
//!
//! It takes what has been queued while it was busy, does all of it in one transaction, and answers once that is
//! committed: the more there is to do, the more operations share one wait for the disk, and nothing ever waits for
//! a timer. Sweeps and scrubs are cut into steps that ride along.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use rusqlite::Connection;
use tokio::sync::mpsc::{self, error::TryRecvError};

use super::{
    Counters,
    failure::{Attempt, Failure},
    open::{Location, PATIENCE},
    scrub::{Means, Pass},
    sweep::Sweep,
    writer::{Job, Operation, Reply, found},
};
use crate::{Effect, StoreError, Swept};

/// How many operations share a transaction at most.
const BATCH: usize = 256;

/// How long a sweep or a scrub goes on in one transaction if nobody waits.
const SLICE: Duration = Duration::from_millis(20);

/// How long one attempt to empty the log waits for those who still read from it. Writers wait as long.
const TRUNCATION: Duration = Duration::from_millis(50);

/// How many attempts are made.
const TRUNCATIONS: u32 = (PATIENCE.as_millis() / TRUNCATION.as_millis()) as u32;

/// Where jobs come from: a queue. It can be another's, so that tests try all orders in which things may happen.
pub(super) trait Intake {
    /// Waits for a job. None if nobody can ask any more.
    fn wait(&mut self) -> Option<Job>;

    /// A job that is waiting.
    fn next(&mut self) -> Result<Job, TryRecvError>;

    /// Whether no job is waiting.
    fn is_empty(&self) -> bool;
}

/// The thread's state.
pub(super) struct Worker<I = mpsc::Receiver<Job>> {
    location: Arc<Location>,
    means: Means,
    /// None after an error that leaves it unclear what the connection knows of the file.
    connection: Option<Connection>,
    counters: Arc<Counters>,
    jobs: I,
    sweeps: VecDeque<(Sweep, Reply<Swept>)>,
    /// Who waits for copies to be wiped, by a scrub that has not begun.
    unwiped: Vec<Box<dyn Operation>>,
    scrub: Option<Scrub>,
}

/// The wiping of copies, as far as it has come.
struct Scrub {
    stage: ScrubStage,
    waiting: Vec<Box<dyn Operation>>,
}

enum ScrubStage {
    Pages(Pass),
    Vacuum,
    /// How often the log could not be emptied.
    Log(u32),
}

/// What was done in a transaction.
struct Done {
    operations: Vec<Result<(), StoreError>>,
    sweep: Option<Result<Option<Swept>, StoreError>>,
    scrub: Option<Result<Option<()>, StoreError>>,
}

impl<I: Intake> Worker<I> {
    pub(super) fn new(
        location: Arc<Location>,
        connection: Connection,
        means: Means,
        counters: Arc<Counters>,
        jobs: I,
    ) -> Self {
        Self {
            location,
            means,
            connection: Some(connection),
            counters,
            jobs,
            sweeps: VecDeque::new(),
            unwiped: Vec::new(),
            scrub: None,
        }
    }

    /// Works until nobody can ask any more.
    pub(super) fn run(mut self) {
        loop {
            let mut jobs = Vec::new();
            if self.is_idle() {
                match self.jobs.wait() {
                    Some(job) => jobs.push(job),
                    None => return,
                }
            }
            while jobs.len() < BATCH {
                match self.jobs.next() {
                    Ok(job) => jobs.push(job),
                    Err(TryRecvError::Empty) => break,
                    // Nobody is left who could wait for a sweep or a scrub.
                    Err(TryRecvError::Disconnected) if jobs.is_empty() => return,
                    Err(TryRecvError::Disconnected) => break,
                }
            }
            self.work(jobs);
        }
    }

    fn is_idle(&self) -> bool {
        self.sweeps.is_empty() && self.unwiped.is_empty() && self.scrub.is_none()
    }

    /// Does all jobs in one transaction, and brings a sweep and a scrub one step further.
    fn work(&mut self, jobs: Vec<Job>) {
        // The flag tells who waits for copies to be wiped.
        let mut operations = Vec::new();
        for job in jobs {
            match job {
                Job::Write(operation) => operations.push((operation, false)),
                Job::Delete(operation) => operations.push((operation, true)),
                Job::Sweep(now, reply) => self.sweeps.push_back((Sweep::new(now), reply)),
            }
        }
        if self.scrub.is_none() && !self.unwiped.is_empty() {
            let stage = match self.means {
                Means::Pages => ScrubStage::Pages(Pass::new()),
                Means::Vacuum => ScrubStage::Vacuum,
            };
            self.scrub = Some(Scrub { stage, waiting: std::mem::take(&mut self.unwiped) });
        }

        let scrubs_pages = self.scrub.as_ref().is_some_and(|scrub| matches!(scrub.stage, ScrubStage::Pages(_)));
        if !operations.is_empty() || !self.sweeps.is_empty() || scrubs_pages {
            let done = self.transaction(&mut operations);
            self.settle(operations, done);
        }
        self.scrub_outside_transactions();
    }

    fn transaction(&mut self, operations: &mut [(Box<dyn Operation>, bool)]) -> Result<Done, StoreError> {
        let location = Arc::clone(&self.location);
        let place = location.place();
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => location.writer(false)?,
        };
        let rejected = |failure: Failure| failure.into_error(place, Effect::Rejected);
        if let Err(failure) = execute(&connection, "BEGIN IMMEDIATE") {
            // Whoever waits for a lock can go on with the connection that it has.
            self.connection = Some(connection).filter(|_| !failure.spoils_connection());
            return Err(rejected(failure));
        }
        location.check_format(&connection)?;

        // A failure that reaches here has undone the whole transaction: SQLite may do that when a disk fails.
        let all = || -> Attempt<Done> {
            let mut done = Done { operations: Vec::new(), sweep: None, scrub: None };
            for (operation, _) in operations {
                let outcome = savepoint(&connection, |connection| operation.run(connection))?;
                done.operations.push(outcome.map_err(rejected));
            }
            if let Some((sweep, _)) = self.sweeps.front_mut() {
                let outcome = steps(&connection, &self.jobs, |connection| sweep.step(connection))?;
                done.sweep = Some(outcome.map_err(rejected));
            }
            if let Some(Scrub { stage: ScrubStage::Pages(pass), .. }) = &mut self.scrub {
                let outcome = steps(&connection, &self.jobs, |connection| pass.step(connection))?;
                done.scrub = Some(outcome.map_err(rejected));
            }
            Ok(done)
        };
        // After an error the connection is dropped, which undoes what is left of the transaction: the next one starts
        // from what is in the file.
        let done = all().map_err(rejected)?;
        // A commit that fails may have reached the disk all the same, and come to light when the log is read again.
        execute(&connection, "COMMIT").map_err(|failure| failure.into_error(place, Effect::Unknown))?;
        self.counters.transaction();
        self.connection = Some(connection);
        Ok(done)
    }

    /// Answers everybody who is served by a transaction.
    fn settle(&mut self, operations: Vec<(Box<dyn Operation>, bool)>, done: Result<Done, StoreError>) {
        let done = match done {
            Ok(done) => done,
            Err(error) => {
                for (operation, _) in operations {
                    operation.answer(Err(error.clone()));
                }
                if let Some((_, reply)) = self.sweeps.pop_front() {
                    let _ = reply.send(Err(error.clone())).is_ok();
                }
                if self.scrub.as_ref().is_some_and(|scrub| matches!(scrub.stage, ScrubStage::Pages(_))) {
                    self.give_up_scrub(&why(&error));
                }
                return;
            }
        };
        for ((operation, is_deletion), outcome) in operations.into_iter().zip(done.operations) {
            match outcome {
                Ok(()) if is_deletion => self.unwiped.push(operation),
                outcome => operation.answer(outcome),
            }
        }
        match done.sweep {
            Some(Ok(Some(swept))) => {
                if let Some((_, reply)) = self.sweeps.pop_front() {
                    self.unwiped.push(found(swept, reply));
                }
            }
            Some(Err(error)) => {
                if let Some((_, reply)) = self.sweeps.pop_front() {
                    let _ = reply.send(Err(error)).is_ok();
                }
            }
            Some(Ok(None)) | None => {}
        }
        match done.scrub {
            Some(Ok(Some(()))) => {
                if let Some(scrub) = &mut self.scrub {
                    scrub.stage = ScrubStage::Log(0);
                }
            }
            Some(Err(error)) => self.give_up_scrub(&why(&error)),
            Some(Ok(None)) | None => {}
        }
    }

    /// Does what a scrub has to do outside of any transaction, if it has come to that.
    fn scrub_outside_transactions(&mut self) {
        let Some(scrub) = &mut self.scrub else { return };
        let location = Arc::clone(&self.location);
        let connection = match self.connection.take().map_or_else(|| location.writer(false), Ok) {
            Ok(connection) => self.connection.insert(connection),
            Err(error) => return self.give_up_scrub(&why(&error)),
        };
        let outcome = match scrub.stage {
            ScrubStage::Pages(_) => return,
            ScrubStage::Vacuum => match connection.execute_batch("VACUUM") {
                Ok(()) => {
                    scrub.stage = ScrubStage::Log(0);
                    empty_log(connection)
                }
                Err(error) => Err(error.into()),
            },
            ScrubStage::Log(_) => empty_log(connection),
        };
        match (outcome, &mut scrub.stage) {
            (Ok(true), _) => {
                self.counters.checkpoint();
                for operation in self.scrub.take().map(|scrub| scrub.waiting).unwrap_or_default() {
                    operation.answer(Ok(()));
                }
            }
            (Ok(false), ScrubStage::Log(attempts)) if *attempts < TRUNCATIONS => *attempts += 1,
            (Ok(false), _) => self.give_up_scrub("another process is still reading what was there before"),
            (Err(failure), _) => {
                if failure.spoils_connection() {
                    self.connection = None;
                }
                let error = failure.into_error(location.place(), Effect::Unknown);
                self.give_up_scrub(&why(&error));
            }
        }
    }

    /// Tells everybody who waits for the scrub that runs that copies may be left.
    fn give_up_scrub(&mut self, why: &str) {
        let error = StoreError::Failed {
            place: self.location.place().to_owned(),
            reason: format!(
                "what was to be deleted is deleted, but copies may be left in its files ({why}): repeat it"
            ),
            effect: Effect::Unknown,
        };
        for operation in self.scrub.take().map(|scrub| scrub.waiting).unwrap_or_default() {
            operation.answer(Err(error.clone()));
        }
    }
}

impl Intake for mpsc::Receiver<Job> {
    fn wait(&mut self) -> Option<Job> {
        self.blocking_recv()
    }

    fn next(&mut self) -> Result<Job, TryRecvError> {
        self.try_recv()
    }

    fn is_empty(&self) -> bool {
        Self::is_empty(self)
    }
}

/// The reason for an error, for a message that says the rest.
fn why(error: &StoreError) -> String {
    match error {
        StoreError::Full { .. } => "no room is left".to_owned(),
        StoreError::ReadOnly { .. } => "it has become read-only".to_owned(),
        StoreError::Damaged { what, .. } => what.clone(),
        StoreError::Unavailable { reason, .. } | StoreError::Failed { reason, .. } => reason.clone(),
        other => other.to_string(),
    }
}

/// Copies the whole log into the file and cuts it to nothing. Answers whether nobody was in the way.
fn empty_log(connection: &Connection) -> Attempt<bool> {
    connection.busy_timeout(TRUNCATION)?;
    let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0));
    connection.busy_timeout(PATIENCE)?;
    match busy.map_err(Failure::from) {
        Ok(busy) => Ok(!busy),
        Err(failure) if failure.is_busy() => Ok(false),
        Err(failure) => Err(failure),
    }
}

/// Takes steps until they are done, somebody else is waiting, or the time is up.
fn steps<T>(
    connection: &Connection,
    jobs: &impl Intake,
    mut step: impl FnMut(&Connection) -> Attempt<Option<T>>,
) -> Attempt<Attempt<Option<T>>> {
    let started = Instant::now();
    savepoint(connection, |connection| {
        loop {
            let done = step(connection)?;
            if done.is_some() || !jobs.is_empty() || started.elapsed() >= SLICE {
                return Ok(done);
            }
        }
    })
}

/// Does something as a whole or not at all within a transaction. The outer error means that the transaction itself
/// is undone.
fn savepoint<T>(connection: &Connection, work: impl FnOnce(&Connection) -> Attempt<T>) -> Attempt<Attempt<T>> {
    execute(connection, "SAVEPOINT operation")?;
    let outcome = work(connection);
    if let Err(failure) = outcome {
        if connection.is_autocommit() {
            return Err(failure);
        }
        execute(connection, "ROLLBACK TO operation")?;
        execute(connection, "RELEASE operation")?;
        return Ok(Err(failure));
    }
    execute(connection, "RELEASE operation")?;
    Ok(outcome)
}

fn execute(connection: &Connection, statement: &str) -> Attempt<()> {
    connection.prepare_cached(statement)?.execute([])?;
    Ok(())
}
