//! The commit queue in every order in which things may happen, by `loom`: the thread that writes is the real one, on a
//! real file, and so is the way to it. At each [`Point`] another thread may go on, with at most [`PREEMPTIONS`] such
//! changes beside those that waiting makes. A thread that waits for ever is found too.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

use loom::future::block_on;
use rusqlite::Connection;
use tokio::sync::mpsc::{self, error::TryRecvError};

use super::Counters;
use super::failure::{Attempt, Failure};
use super::open::{Durability, Location};
use super::scrub::Means;
use super::worker::{Intake, Worker};
use super::writer::{Job, Writer};
use crate::{Effect, StoreError};

/// How often a thread that could go on is left waiting, at most. Most mistakes need one or two of them, and two are minutes.
const PREEMPTIONS: usize = 1;

/// Where to say how many it is instead.
const VARIABLE: &str = "AGENT_MEMORY_TEST_PREEMPTIONS";

/// SQLite needs more than a thread of `loom` has, in words.
const STACK: usize = 1 << 17;

/// A place in memory for the file where there is one.
const MEMORY: &str = "/dev/shm";

/// Where threads may take turns. All of them share one, so that the order of any two things matters.
#[derive(Clone)]
struct Point(loom::sync::Arc<loom::sync::atomic::AtomicUsize>);

impl Point {
    fn new() -> Self {
        Self(loom::sync::Arc::new(loom::sync::atomic::AtomicUsize::new(0)))
    }

    fn pass(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// The real queue, with points.
struct Observed {
    jobs: mpsc::Receiver<Job>,
    point: Point,
}

impl Intake for Observed {
    fn wait(&mut self) -> Option<Job> {
        self.point.pass();
        block_on(self.jobs.recv())
    }

    fn next(&mut self) -> Result<Job, TryRecvError> {
        self.point.pass();
        self.jobs.try_recv()
    }

    fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }
}

/// What is tried: a file, the thread that writes to it, and the way there.
struct Trial {
    point: Point,
    location: Arc<Location>,
    writer: Arc<Writer>,
    worker: loom::thread::JoinHandle<()>,
}

impl Trial {
    fn begin(path: &Path) -> Self {
        let (location, connection) = Location::open(path, true, Durability::Full).unwrap();
        connection
            .execute_batch(
                "CREATE TABLE IF NOT EXISTS tried (number INTEGER PRIMARY KEY) STRICT;
                CREATE TABLE IF NOT EXISTS never (of INTEGER REFERENCES tried DEFERRABLE INITIALLY DEFERRED) STRICT;
                PRAGMA foreign_keys = ON;
                DELETE FROM tried;",
            )
            .unwrap();
        let location = Arc::new(location);
        let (queue, jobs) = mpsc::channel(8);
        let point = Point::new();
        let observed = Observed { jobs, point: point.clone() };
        let means = Means::of(&connection);
        let worker = Worker::new(Arc::clone(&location), connection, means, Arc::new(Counters::default()), observed);
        // A panic ends the thread, as it would end any other.
        let worker = spawn(move || drop(catch_unwind(AssertUnwindSafe(|| worker.run()))));
        Self { writer: Arc::new(Writer::over(queue, Arc::clone(&location))), point, location, worker }
    }

    /// Lets go of the queue, and waits for the thread to do what is in it. Gives what is in the file.
    fn end(self) -> Vec<i64> {
        drop(self.writer);
        self.worker.join().unwrap();
        numbers(&self.location)
    }

    /// Somebody who asks.
    fn asker(&self) -> Asker {
        Asker { point: self.point.clone(), location: Arc::clone(&self.location), writer: Arc::clone(&self.writer) }
    }
}

struct Asker {
    point: Point,
    location: Arc<Location>,
    writer: Arc<Writer>,
}

impl Asker {
    /// Writes a number. What is acknowledged can be read by others from then on.
    fn write(&self, number: i64) -> Result<(), StoreError> {
        self.ask(number, |_| Ok(()))
    }

    /// Writes a number, and does something else in the same breath.
    fn ask(&self, number: i64, more: fn(&Connection) -> Attempt<()>) -> Result<(), StoreError> {
        let (inside, location) = (self.point.clone(), Arc::clone(&self.location));
        let answer = block_on(self.writer.write(move |connection| {
            inside.pass();
            put(connection, number)?;
            more(connection)
        }));
        self.point.pass();
        if answer.is_ok() {
            assert!(numbers(&location).contains(&number), "{number} was acknowledged and is not in the file");
        }
        answer
    }
}

fn put(connection: &Connection, number: i64) -> Attempt<()> {
    connection.execute("INSERT INTO tried VALUES (?1)", [number])?;
    Ok(())
}

fn numbers(location: &Location) -> Vec<i64> {
    let connection = location.reader().unwrap();
    let mut statement = connection.prepare("SELECT number FROM tried ORDER BY number").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

fn spawn(work: impl FnOnce() + Send + 'static) -> loom::thread::JoinHandle<()> {
    loom::thread::Builder::new().stack_size(STACK).spawn(work).unwrap()
}

/// Tries something in all orders, in the first thread of a trial. Answers how many orders there were.
fn in_all_orders(trial: impl Fn(Trial) + Send + Sync + 'static) -> usize {
    let folder = Path::new(MEMORY);
    let folder = if folder.is_dir() { tempfile::tempdir_in(folder) } else { tempfile::tempdir() }.unwrap();
    let path = folder.path().join("store.db");
    let orders = Arc::new(AtomicUsize::new(0));
    let mut builder = loom::model::Builder::new();
    let given = std::env::var(VARIABLE).ok().map(|number| number.parse().unwrap());
    builder.max_duration = given.is_none().then_some(std::time::Duration::from_secs(10));
    builder.preemption_bound = Some(given.unwrap_or(PREEMPTIONS));
    let (tried, trial) = (Arc::clone(&orders), Arc::new(trial));
    builder.check(move || {
        tried.fetch_add(1, Ordering::Relaxed);
        // The first thread has a small stack too.
        let (path, trial) = (path.clone(), Arc::clone(&trial));
        spawn(move || trial(Trial::begin(&path))).join().unwrap();
    });
    let orders = orders.load(Ordering::Relaxed);
    println!("{orders} orders");
    orders
}

#[test]
fn what_is_acknowledged_is_committed_in_the_order_of_who_asked() {
    let orders = in_all_orders(|trial| {
        let (one, other) = (trial.asker(), trial.asker());
        let first = spawn(move || {
            one.write(1).unwrap();
            one.ask(2, |connection| {
                let earlier: bool =
                    connection.query_row("SELECT 1 IN (SELECT number FROM tried)", [], |row| row.get(0))?;
                assert!(earlier, "the second came before the first");
                Ok(())
            })
            .unwrap();
        });
        let second = spawn(move || other.write(3).unwrap());
        first.join().unwrap();
        second.join().unwrap();
        assert_eq!(trial.end(), [1, 2, 3]);
    });
    assert!(orders > 50, "{orders} orders");
}

#[test]
fn what_was_asked_before_the_end_is_done_before_the_end() {
    in_all_orders(|trial| {
        let other = trial.asker();
        let asked = spawn(move || {
            let point = other.point.clone();
            let mut work = pin!(other.writer.write(move |connection| {
                point.pass();
                put(connection, 1)
            }));
            // Whoever asked does not wait for the answer.
            let _ = work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        });
        let one = trial.asker();
        one.write(2).unwrap();
        drop(one);
        asked.join().unwrap();
        assert_eq!(trial.end(), [1, 2]);
    });
}

#[test]
fn a_transaction_that_is_undone_is_acknowledged_to_nobody() {
    in_all_orders(|trial| {
        let (one, other) = (trial.asker(), trial.asker());
        let fails = spawn(move || {
            // As SQLite does when a disk is full.
            let undo = |connection: &Connection| -> Attempt<()> {
                connection.execute_batch("ROLLBACK")?;
                Err(Failure::Damaged("a disk"))
            };
            one.ask(1, undo).unwrap_err();
        });
        let answers = in_turn(other, [2]);
        fails.join().unwrap();
        let acknowledged = answers();
        assert_eq!(trial.end(), acknowledged);
    });
}

#[test]
fn a_commit_that_fails_is_acknowledged_to_nobody_of_its_batch() {
    in_all_orders(|trial| {
        let (one, other) = (trial.asker(), trial.asker());
        let fails = spawn(move || {
            let refer = |connection: &Connection| -> Attempt<()> {
                connection.execute("INSERT INTO never VALUES (99)", [])?;
                Ok(())
            };
            assert_eq!(one.ask(1, refer).unwrap_err().effect(), Effect::Unknown);
        });
        let answers = in_turn(other, [2]);
        fails.join().unwrap();
        let acknowledged = answers();
        assert_eq!(trial.end(), acknowledged);
    });
}

#[test]
fn a_panic_of_the_thread_is_told_to_everybody() {
    in_all_orders(|trial| {
        let (one, other) = (trial.asker(), trial.asker());
        let panics = spawn(move || {
            let quiet = |_: &Connection| std::panic::resume_unwind(Box::new("on purpose"));
            assert_eq!(one.ask(1, quiet).unwrap_err().effect(), Effect::Unknown);
        });
        let answers = in_turn(other, [2]);
        panics.join().unwrap();
        let acknowledged = answers();
        assert_eq!(trial.end(), acknowledged);
    });
}

/// Writes numbers one after the other in a thread of its own. Gives those that were acknowledged.
fn in_turn(asker: Asker, numbers: [i64; 1]) -> impl FnOnce() -> Vec<i64> {
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&acknowledged);
    let thread = spawn(move || {
        let written = numbers.into_iter().filter(|number| asker.write(*number).is_ok()).collect();
        *told.lock().unwrap() = written;
    });
    move || {
        thread.join().unwrap();
        std::mem::take(&mut *acknowledged.lock().unwrap())
    }
}
