//! Commits while the primary is killed and the standby takes its place.
//!
//! Writers commit conversations of callers whom they share. A commit that fails is tried again, as another attempt with
//! other contents, until it is acknowledged. What is found on the new primary afterwards tells which acknowledged
//! commits are lost, which conversations were applied twice (the rows of two attempts), and which callers have half of
//! a patch.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use agent_memory_postgres::{Durability, PostgresStore};
use agent_memory_store::{
    Commit, ConversationKey, Effect, Field, IdentityKey, Interaction, InteractionId, Mark, NewInteraction, NewRow,
    RowId, Sealed, Store, Timestamp,
};
use agent_memory_test_servers::postgres::{PASSWORD, Postgres, STANDBY, USER};
use tokio::runtime::Handle;

const WRITERS: u64 = 16;
const CALLERS: u64 = 40;
const KEYS: [&str; 3] = ["a", "b", "c"];

/// How many commits are acknowledged before the primary is killed, and how many after the standby was promoted.
const BEFORE: u64 = 500;
const AFTER: u64 = 300;

/// How many are acknowledged that the standby does not get, if it need not get them.
const UNREPLICATED: u64 = 100;

/// How long a step may take.
const PATIENCE: Duration = Duration::from_secs(90);

const HOUR: Timestamp = 3600;

/// 2026-01-01T00:00:00Z.
const NOW: Timestamp = 1_767_225_600;

/// Whether commits wait for the standby.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replication {
    /// They do.
    Synchronous,
    /// They do not, and the standby has lost touch when the primary is killed.
    Asynchronous,
}

/// What was found.
#[derive(Clone, Copy, Debug, Default)]
pub struct Findings {
    /// Conversations whose commit was acknowledged.
    pub acknowledged: u64,
    /// How many of them are not there.
    pub lost: u64,
    /// Conversations that were applied more than once.
    pub twice: u64,
    /// Callers with half of a patch.
    pub torn: u64,
    /// Attempts of which nobody knew at first whether they had an effect.
    pub unknown: u64,
    /// From the primary's end to the first commit that was acknowledged by the standby.
    pub outage: Duration,
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { acknowledged, lost, twice, torn, unknown, outage } = self;
        write!(
            f,
            "{acknowledged} acknowledged, {lost} lost, {twice} twice, {torn} torn; \
             {unknown} unknown at first, {:.1} s without a primary",
            outage.as_secs_f64()
        )
    }
}

/// What the writers share.
#[derive(Default)]
struct Log {
    acknowledged: AtomicU64,
    unknown: AtomicU64,
    is_over: AtomicBool,
    conversations: Mutex<BTreeSet<u64>>,
}

/// Starts two servers, kills the first while writers commit, and looks at what the second has. It has to be called in a
/// Tokio runtime of several threads.
///
/// # Errors
/// What kept it from being carried out.
pub async fn run(replication: Replication) -> Result<Findings, String> {
    let (mut primary, standby) = blocking(|| {
        let primary = Postgres::start(&[])?;
        let standby = primary.standby()?;
        if replication == Replication::Synchronous {
            primary.set("synchronous_standby_names", STANDBY)?;
            primary.wait_for("SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync'")?;
        }
        primary.create_database("memory")?;
        Ok((primary, standby))
    })?;
    let url = format!(
        "postgres://{USER}:{PASSWORD}@127.0.0.1:{},127.0.0.1:{}/memory?queue_timeout=20&statement_timeout=20",
        primary.port(),
        standby.port()
    );
    let store = Arc::new(PostgresStore::open(&url, true).await.map_err(|error| error.to_string())?);
    let durability = store.durability().await.map_err(|error| error.to_string())?;
    if matches!(durability, Durability::Replicated { .. }) != (replication == Replication::Synchronous) {
        return Err(format!("the server does not do what it was told to: {durability:?}"));
    }

    let log = Arc::new(Log::default());
    let writers: Vec<_> =
        (0..WRITERS).map(|writer| tokio::spawn(write(Arc::clone(&store), Arc::clone(&log), writer))).collect();
    log.wait_for(BEFORE).await?;
    if replication == Replication::Asynchronous {
        blocking(|| {
            standby.set("primary_conninfo", "")?;
            standby.wait_for("SELECT count(*) = 0 FROM pg_stat_wal_receiver")
        })?;
        log.wait_for(log.acknowledged.load(Ordering::Relaxed) + UNREPLICATED).await?;
    }
    let end = Instant::now();
    blocking(|| {
        primary.kill();
        standby.promote()
    })?;
    let promoted = log.acknowledged.load(Ordering::Relaxed);
    log.wait_for(promoted + 1).await?;
    let outage = end.elapsed();
    log.wait_for(promoted + AFTER).await?;
    log.is_over.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.map_err(|error| error.to_string())??;
    }
    let findings = look(&store, &log).await.map_err(|error| error.to_string())?;
    Ok(Findings { outage, ..findings })
}

/// What a thread may wait for, while others go on.
fn blocking<T>(act: impl FnOnce() -> Result<T, agent_memory_test_servers::ServerError>) -> Result<T, String> {
    debug_assert!(Handle::try_current().is_ok(), "it is called in a runtime");
    tokio::task::block_in_place(act).map_err(|error| error.to_string())
}

impl Log {
    async fn wait_for(&self, acknowledged: u64) -> Result<(), String> {
        let begin = Instant::now();
        while self.acknowledged.load(Ordering::Relaxed) < acknowledged {
            if begin.elapsed() > PATIENCE {
                return Err(format!("{acknowledged} commits were not acknowledged in {} s", PATIENCE.as_secs()));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }
}

/// Commits one conversation after the other.
async fn write(store: Arc<PostgresStore>, log: Arc<Log>, writer: u64) -> Result<(), String> {
    for number in (writer..).step_by(WRITERS as usize) {
        let begin = Instant::now();
        for attempt in 0.. {
            match store.commit(commit(number, attempt)).await {
                Ok(_) => break,
                Err(error) => {
                    log.unknown.fetch_add(u64::from(error.effect() == Effect::Unknown), Ordering::Relaxed);
                    if begin.elapsed() > PATIENCE {
                        return Err(error.to_string());
                    }
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        log.conversations.lock().unwrap_or_else(PoisonError::into_inner).insert(number);
        log.acknowledged.fetch_add(1, Ordering::Relaxed);
        if log.is_over.load(Ordering::Relaxed) {
            break;
        }
    }
    Ok(())
}

async fn look(store: &PostgresStore, log: &Log) -> Result<Findings, agent_memory_store::StoreError> {
    let conversations = log.conversations.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut applied: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
    for row in store.metric_rows(NOW).await? {
        *applied.entry(row.details.0).or_default() += 1;
    }
    let mut findings = Findings {
        acknowledged: conversations.len() as u64,
        unknown: log.unknown.load(Ordering::Relaxed),
        twice: applied.values().filter(|times| **times > 1).count() as u64,
        ..Findings::default()
    };
    for number in conversations {
        let is_marked = store.ended(ConversationKey(bytes(number, 2)), NOW).await?.is_some();
        let is_counted = applied.contains_key(number.to_be_bytes().as_slice());
        findings.lost += u64::from(!(is_marked && is_counted));
    }
    for caller in 0..CALLERS {
        let held = store.export(IdentityKey(bytes(caller, 1)), NOW).await?;
        let values: BTreeSet<_> = held.fields.iter().map(|field| field.value.0.as_slice()).collect();
        let is_whole = values.len() <= 1 && (held.fields.is_empty() || held.fields.len() == KEYS.len());
        findings.torn += u64::from(!is_whole);
    }
    Ok(findings)
}

/// An attempt at a conversation's commit. All that is random differs from attempt to attempt.
fn commit(number: u64, attempt: u64) -> Commit {
    let expires = NOW + 90 * 24 * HOUR;
    let sealed = |text: String| Sealed(text.into_bytes());
    let value = format!("{number} {attempt}");
    let id = |kind| bytes(number << 16 | attempt, kind).first_chunk().copied().unwrap_or_default();
    let patch = KEYS.map(|key| Field { key: key.to_owned(), written: NOW, expires, value: sealed(value.clone()) });
    Commit {
        conversation: ConversationKey(bytes(number, 2)),
        identity: IdentityKey(bytes(number % CALLERS, 1)),
        identifier: sealed(format!("caller {}", number % CALLERS)),
        erasures: 0,
        now: NOW,
        patch: patch.to_vec(),
        interaction: Some(NewInteraction {
            interaction: Interaction { id: InteractionId(id(3)), began: NOW, expires, record: sealed(value.clone()) },
            stands_after: NOW - 90 * 24 * HOUR,
            row: NewRow { id: RowId(id(4)), began: NOW, details: Sealed(number.to_be_bytes().to_vec()) },
        }),
        mark: Mark { expires, report: sealed(value) },
        ends_session: attempt % 2 == 1,
    }
}

/// Spreads a number like a hash.
fn bytes(number: u64, kind: u64) -> [u8; 32] {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ kind;
    let mut bytes = [0; 32];
    for chunk in bytes.chunks_exact_mut(8) {
        state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        state ^= state >> 31;
        chunk.copy_from_slice(&state.to_be_bytes());
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    }
    bytes
}
