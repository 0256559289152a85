//! Commits per second through the store, and what `pgbench` gets for the same statements.
//!
//! ```sh
//! cargo bench -p agent-memory-postgres --bench commits
//! cargo bench -p agent-memory-postgres --bench commits -- --rounds 9 --seconds 10
//! ```
//!
//! Both have 32 connections to one server, which does what it does in production (`fsync` is on), and take turns. What
//! is committed is the end of a returning caller's conversation: a patch of two fields with 60 bytes, a repeat of the
//! first interaction, and the mark; on the second line also the end of a saved session, which is a pipeline of four
//! messages. `pgbench` runs prepared statements whose parameters are made of random numbers in the statement.

#![allow(missing_docs, unreachable_pub, dead_code, reason = "a program has no users of its code")]

#[path = "../src/statements.rs"]
mod statements;

/// What the statements are made for.
mod schema {
    pub(crate) const PARTITIONS: usize = 16;
}

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use agent_memory_postgres::PostgresStore;
use agent_memory_store::{
    Commit, ConversationKey, Field, IdentityKey, Interaction, InteractionId, Mark, NewInteraction, NewRow, RowId,
    Sealed, Store, StoreError, Timestamp,
};
use agent_memory_test_servers::postgres::{Postgres, program};
use schema::PARTITIONS;
use tempfile::TempDir;

const TASKS: u64 = 32;
const SLOTS: u64 = 4096;
const CALLERS: u64 = 2 * SLOTS;

/// What stands for sealed bytes: two of these are the 60 bytes of a patch.
const VALUE: &[u8] = b"thirty bytes of a sealed value";
const IDENTIFIER: &[u8] = b"forty bytes, as a sealed identifier has.";
const RECORD: &[u8] = b"sixty bytes, which is what a short text takes once sealed...";

/// How many seconds `pgbench` takes at most until every connection has prepared every statement. The store's have done
/// so before.
const WARM_UP: u64 = 5;

const HOUR: Timestamp = 3600;
const NOW: Timestamp = 1_767_225_600;
const LATER: Timestamp = NOW + 90 * 24 * HOUR;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let (mut rounds, mut seconds) = (5, 5);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().and_then(|number| number.parse().ok()).ok_or("a number is missing");
        match argument.as_str() {
            "--rounds" => rounds = number()?,
            "--seconds" => seconds = number()?,
            // Cargo says so to every benchmark.
            "--bench" => {}
            _ => return Err(format!("unknown argument {argument:?}: give `--rounds` or `--seconds`").into()),
        }
    }
    let settings = [("shared_buffers", "512MB"), ("max_wal_size", "8GB"), ("checkpoint_timeout", "1h")];
    let server = Postgres::start(&settings)?;
    server.create_database("memory")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let url = format!("{}?pool_size={TASKS}", server.url("memory"));
    let store = Arc::new(runtime.block_on(PostgresStore::open(&url, true))?);
    // So that everybody returns, and every connection has its statements.
    let first: Vec<u64> = (0..CALLERS).collect();
    runtime.block_on(commit_all(&store, first))?;

    println!("{:<26} {:>10} {:>10} {:>7}", "commits per second", "store", "pgbench", "ratio");
    for ends_session in [false, true] {
        let scripts = Scripts::write(ends_session)?;
        runtime.block_on(run(&store, ends_session, Duration::from_secs(2)))?;
        let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..rounds {
            let our = runtime.block_on(run(&store, ends_session, Duration::from_secs(seconds)))?;
            let their = scripts.run(&server, seconds)?;
            ours.push(our);
            theirs.push(their);
            ratios.push(our / their);
        }
        let what = if ends_session { "that end a session" } else { "alone" };
        println!("{what:<26} {:>10.0} {:>10.0} {:>7.2}", median(ours), median(theirs), median(ratios));
    }
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Commits once for each of these callers.
async fn commit_all(store: &Arc<PostgresStore>, callers: Vec<u64>) -> Result<(), StoreError> {
    let callers = Arc::new(callers);
    let next = Arc::new(AtomicU64::new(0));
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let (store, callers, next) = (Arc::clone(store), Arc::clone(&callers), Arc::clone(&next));
            tokio::spawn(async move {
                while let Some(caller) = callers.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
                    store.commit(commit(*caller, *caller, false)).await?;
                }
                Ok::<(), StoreError>(())
            })
        })
        .collect();
    for task in tasks {
        task.await.map_err(|_| lost_task())??;
    }
    Ok(())
}

/// Commits for callers at random for some time. Answers how many commits that were in a second.
async fn run(store: &Arc<PostgresStore>, ends_session: bool, time: Duration) -> Result<f64, StoreError> {
    static RUNS: AtomicU64 = AtomicU64::new(1);
    let run = RUNS.fetch_add(1, Ordering::Relaxed);
    let is_over = Arc::new(AtomicBool::new(false));
    let begin = Instant::now();
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let (store, is_over) = (Arc::clone(store), Arc::clone(&is_over));
            tokio::spawn(async move {
                let mut random = run << 40 | task << 32;
                let mut done = 0_u64;
                while !is_over.load(Ordering::Relaxed) {
                    random += 1;
                    let conversation = mixed(random);
                    store.commit(commit(mixed(!conversation) % CALLERS, conversation, ends_session)).await?;
                    done += 1;
                }
                Ok::<u64, StoreError>(done)
            })
        })
        .collect();
    tokio::time::sleep(time).await;
    is_over.store(true, Ordering::Relaxed);
    let mut done = 0;
    for task in tasks {
        done += task.await.map_err(|_| lost_task())??;
    }
    Ok(done as f64 / begin.elapsed().as_secs_f64())
}

fn lost_task() -> StoreError {
    StoreError::Unavailable { place: "here".to_owned(), reason: "a task has ended".to_owned() }
}

fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// 32 bytes as [`key_expression`] makes them: a slot in the first 12 bits, and the number.
fn key(number: u64) -> [u8; 32] {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&((number % SLOTS) << 52).to_be_bytes());
    key[8..16].copy_from_slice(&number.to_be_bytes());
    key
}

fn half(number: u64) -> [u8; 16] {
    key(number).first_chunk().copied().unwrap_or_default()
}

fn commit(caller: u64, conversation: u64, ends_session: bool) -> Commit {
    let sealed = |bytes: &[u8]| Sealed(bytes.to_vec());
    let field = |key: &str| Field { key: key.to_owned(), written: NOW, expires: LATER, value: sealed(VALUE) };
    Commit {
        conversation: ConversationKey(key(conversation)),
        identity: IdentityKey(key(caller)),
        identifier: sealed(IDENTIFIER),
        erasures: 0,
        now: NOW,
        patch: vec![field("cheese"), field("day")],
        interaction: Some(NewInteraction {
            interaction: Interaction {
                id: InteractionId(half(conversation)),
                began: NOW,
                expires: LATER,
                record: sealed(RECORD),
            },
            stands_after: NOW - 90 * 24 * HOUR,
            row: NewRow { id: RowId(half(!conversation)), began: NOW, details: sealed(RECORD) },
        }),
        mark: Mark { expires: LATER, report: sealed(RECORD) },
        ends_session,
    }
}

/// The same as scripts for `pgbench`, one for each partition of callers.
struct Scripts {
    folder: TempDir,
    files: Vec<std::path::PathBuf>,
}

impl Scripts {
    fn write(ends_session: bool) -> Outcome<Self> {
        let statements = statements::Statements::new();
        let folder = tempfile::tempdir()?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        let width = SLOTS / PARTITIONS as u64;
        let mut files = Vec::new();
        for partition in 0..PARTITIONS {
            let first = partition as u64 * width;
            let mut script = format!(
                "\\set slot random({first}, {})\n\\set caller :slot + {SLOTS} * random(0, {})\n\
                 \\set session random({first}, {})\n\\set conversation random(1, 4611686018427387904)\n",
                first + width - 1,
                CALLERS / SLOTS - 1,
                first + width - 1,
            );
            // Conversations have slots of their own; those of one script share a partition, which spreads them as
            // evenly as callers.
            let commit = with_values(statements.commit.get(partition));
            if ends_session {
                let delete = statements.delete_session.get(partition);
                let delete = delete.replace("$1", ":session").replace("$2", &key_expression("session", "conversation"));
                script.push_str(&format!("\\startpipeline\nBEGIN;\n{commit};\n{delete};\nCOMMIT;\n\\endpipeline\n"));
            } else {
                script.push_str(&format!("{commit};\n"));
            }
            let file = folder.path().join(format!("{partition}.sql"));
            fs::write(&file, script)?;
            files.push(file);
        }
        Ok(Self { folder, files })
    }

    /// Runs them for some time. Answers how many that were in a second, once every connection had prepared every
    /// statement.
    fn run(&self, server: &Postgres, seconds: u64) -> Outcome<f64> {
        let mut pgbench = program("pgbench")?;
        pgbench.args(["--no-vacuum", "--protocol", "prepared", "--client", &TASKS.to_string(), "--jobs", "2"]);
        pgbench.args(["--time", &(WARM_UP + seconds).to_string(), "--progress", "1"]);
        for file in &self.files {
            pgbench.arg("--file").arg(file);
        }
        pgbench.env("PGOPTIONS", "-c search_path=agent_memory -c plan_cache_mode=force_generic_plan -c jit=off");
        let marks =
            || -> Outcome<u64> { Ok(server.sql("memory", "SELECT count(*) FROM agent_memory.marks")?.trim().parse()?) };
        let before = marks()?;
        let output = pgbench.arg(server.url("memory")).output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        let number = |name: &str| -> Outcome<f64> {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|line| line.split(' ').next()).and_then(|number| number.parse().ok());
            number.ok_or_else(|| format!("pgbench says: {text}{errors}").into())
        };
        let carried_out = number("number of transactions actually processed: ")?;
        if (marks()? - before) as f64 != carried_out {
            return Err("pgbench has not committed as often as it says".into());
        }
        // `progress: 7.0 s, 3121.0 tps, ...`, once a second.
        let seconds: Vec<f64> = errors
            .lines()
            .filter_map(|line| line.strip_prefix("progress: ")?.split_once(" s, "))
            .filter(|(second, _)| second.parse().is_ok_and(|second: f64| second > WARM_UP as f64 + 0.5))
            .filter_map(|(_, rest)| rest.split(' ').next()?.parse().ok())
            .collect();
        if seconds.is_empty() {
            return Err(format!("pgbench says: {text}{errors}").into());
        }
        Ok(seconds.iter().sum::<f64>() / seconds.len() as f64)
    }
}

/// A key of a slot and a number, which are variables of the script.
fn key_expression(slot: &str, number: &str) -> String {
    let zeros = "0".repeat(32);
    format!("(int8send(:{slot}::bigint << 52) || int8send(:{number}::bigint) || '\\x{zeros}'::bytea)")
}

/// The statement of a commit with values in place of its parameters.
fn with_values(statement: &str) -> String {
    let hex = |bytes: &[u8]| {
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("'\\x{digits}'::bytea")
    };
    let id = |number: &str| format!("(int8send(:{number}::bigint) || int8send(:conversation::bigint))");
    let value = hex(VALUE);
    let values = [
        ":slot".to_owned(),
        key_expression("slot", "caller"),
        hex(IDENTIFIER),
        "0".to_owned(),
        NOW.to_string(),
        LATER.to_string(),
        "true".to_owned(),
        id("conversation"),
        NOW.to_string(),
        LATER.to_string(),
        hex(RECORD),
        (NOW - 90 * 24 * HOUR).to_string(),
        id("caller"),
        NOW.to_string(),
        hex(RECORD),
        ":session".to_owned(),
        key_expression("session", "conversation"),
        hex(RECORD),
        format!("ARRAY[{}, {}]", hex(b"cheese"), hex(b"day")),
        format!("ARRAY[{NOW}, {NOW}]"),
        format!("ARRAY[{LATER}, {LATER}]"),
        format!("ARRAY[{value}, {value}]"),
        LATER.to_string(),
    ];
    // The last first: `$2` begins `$23`.
    let numbered = (1..).zip(values).collect::<Vec<(usize, String)>>().into_iter().rev();
    numbered.fold(statement.to_owned(), |statement, (number, value)| statement.replace(&format!("${number}"), &value))
}
