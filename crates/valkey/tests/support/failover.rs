//! Writers that go on while primaries are killed, and what is left of what was acknowledged to them.

#[path = "numbered.rs"]
mod numbered;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use agent_memory_store::{
    Commit, ConversationKey, Field, IdentityKey, Interaction, InteractionId, Mark, NewInteraction, NewRow, Read, RowId,
    Sealed, Store, Timestamp,
};
use agent_memory_test_servers::{Signal, valkey::Cluster};
use agent_memory_valkey::{Durability, Settings, ValkeyStore};
use anyhow::{Context, Result};
use numbered::{half, spread};

/// How many writers there are.
const WRITERS: u64 = 16;

/// How many callers they write to. Many commits meet at one caller.
const CALLERS: u64 = 48;

/// 2026-01-01T00:00:00Z.
const NOW: Timestamp = 1_767_225_600;

/// When everything expires.
const LATER: Timestamp = NOW + 90 * 24 * 3600;

/// How many commits are acknowledged between two steps.
const BETWEEN: u64 = 300;

/// How many bytes are acknowledged that a replica which stands still has not read: more than what the operating system
/// keeps for it.
const UNREAD: u64 = 24 << 20;

/// What was found when everything was over.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outcome {
    /// Commits that were acknowledged.
    pub(crate) acknowledged: u64,
    /// How often a commit failed and was tried again.
    pub(crate) repeated: u64,
    /// Acknowledged commits of which nothing is left.
    pub(crate) lost: u64,
    /// Conversations that were committed more than once.
    pub(crate) twice: u64,
    /// Callers with a part of a commit, and conversations with a mark and no metric row, or the other way round.
    pub(crate) torn: u64,
    /// The longest time in which nothing was acknowledged.
    pub(crate) longest_pause: Duration,
}

/// What the writers share.
struct Work {
    store: ValkeyStore,
    is_over: AtomicBool,
    conversations: AtomicU64,
    attempts: AtomicU64,
    repeated: AtomicU64,
    acknowledged: Mutex<BTreeSet<u64>>,
    last: Mutex<(Instant, Duration)>,
    /// With how many bytes a value is filled up.
    padding: usize,
}

/// Kills a primary while everybody writes, and lets its replica take over, so many times. If the replicas are to stand
/// still before, they miss what is acknowledged then.
pub(crate) async fn run(
    cluster: &mut Cluster,
    durability: Durability,
    rounds: usize,
    mut told: impl FnMut(usize, Duration),
) -> Result<Outcome> {
    // A store of its own in each run.
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let prefix = format!("failover-{}:", RUNS.fetch_add(1, Ordering::Relaxed));
    // Less than it takes a replica to take over: so commits fail, and writers have to try again.
    let (timeout, acknowledge) = (Duration::from_millis(1200), Duration::from_millis(500));
    let settings = Settings { prefix, durability, timeout, acknowledge, ..Settings::new(cluster.addresses()) };
    let misses = durability == Durability::Async;
    let work = Arc::new(Work {
        store: ValkeyStore::connect(settings.clone()).await?,
        is_over: AtomicBool::new(false),
        conversations: AtomicU64::new(0),
        attempts: AtomicU64::new(0),
        repeated: AtomicU64::new(0),
        acknowledged: Mutex::default(),
        last: Mutex::new((Instant::now(), Duration::ZERO)),
        padding: if misses { 16 << 10 } else { 8 },
    });
    let writers: Vec<_> = (0..WRITERS).map(|_| tokio::spawn(Arc::clone(&work).write())).collect();

    for round in 0..rounds {
        work.wait_for(BETWEEN).await?;
        let (primary, replica) = cluster.pair(round % 3).context("there are three pairs")?;
        if misses {
            let replica = cluster.node(replica).context("it is there")?;
            tokio::task::block_in_place(|| replica.freeze())?;
            // A third of it goes to this primary.
            work.wait_for(4 * UNREAD / work.padding as u64).await?;
        }
        let killed = Instant::now();
        let cluster_now = &mut *cluster;
        tokio::task::block_in_place(|| -> Result<()> {
            cluster_now.node(primary).context("it is there")?.kill();
            cluster_now.node(replica).context("it is there")?.signal(Signal::Continue);
            Ok(cluster_now.wait_for_promotion(replica)?)
        })?;
        told(round, killed.elapsed());
        tokio::task::block_in_place(|| -> Result<()> {
            cluster.node(primary).context("it is there")?.restart()?;
            Ok(cluster.wait_for_replica(primary)?)
        })?;
    }
    work.wait_for(BETWEEN).await?;
    work.is_over.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await?;
    }
    let store = ValkeyStore::connect(settings).await?;
    work.count(&store).await
}

impl Work {
    async fn write(self: Arc<Self>) {
        while !self.is_over.load(Ordering::Relaxed) {
            let number = self.conversations.fetch_add(1, Ordering::Relaxed);
            loop {
                // Each attempt has a row of its own, so that one that counts twice shows.
                let attempt = self.attempts.fetch_add(1, Ordering::Relaxed);
                match self.store.commit(commit(number, attempt, self.padding)).await {
                    Ok(_) => {
                        self.acknowledged.lock().unwrap().insert(number);
                        let mut last = self.last.lock().unwrap();
                        last.1 = last.1.max(last.0.elapsed());
                        last.0 = Instant::now();
                        break;
                    }
                    Err(_) => {
                        self.repeated.fetch_add(1, Ordering::Relaxed);
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                }
            }
        }
    }

    /// Waits until so many more commits are acknowledged.
    async fn wait_for(&self, more: u64) -> Result<()> {
        let acknowledged = || self.acknowledged.lock().unwrap().len() as u64;
        let until = acknowledged() + more;
        let end = Instant::now() + Duration::from_secs(120);
        while acknowledged() < until {
            anyhow::ensure!(Instant::now() < end, "nothing is acknowledged any more");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    async fn count(&self, store: &ValkeyStore) -> Result<Outcome> {
        let acknowledged = self.acknowledged.lock().unwrap().clone();
        let mut outcome = Outcome {
            acknowledged: acknowledged.len() as u64,
            repeated: self.repeated.load(Ordering::Relaxed),
            longest_pause: self.last.lock().unwrap().1,
            ..Outcome::default()
        };
        let mut rows: BTreeMap<u64, u64> = BTreeMap::new();
        for row in store.metric_rows(NOW).await? {
            *rows.entry(number_in(&row.details)).or_default() += 1;
        }
        outcome.twice = rows.values().filter(|rows| **rows > 1).count() as u64;
        for number in 0..self.conversations.load(Ordering::Relaxed) {
            let ended = store.ended(conversation(number), NOW).await?;
            if ended.is_none() && acknowledged.contains(&number) {
                outcome.lost += 1;
            }
            // A pointer may be lost without the mark to which it leads: then the commit counts as lost.
            outcome.torn += u64::from(ended.is_some() && !rows.contains_key(&number));
        }
        for caller in 0..CALLERS {
            let read = Read { identity: Some(identity(caller)), conversation: None, now: NOW };
            let fields = store.load(read).await?.fields;
            let first = fields.first().map(|field| &field.value);
            let is_whole = fields.len() == 3 && fields.iter().all(|field| Some(&field.value) == first);
            outcome.torn += u64::from(!fields.is_empty() && !is_whole);
        }
        Ok(outcome)
    }
}

fn commit(number: u64, attempt: u64, padding: usize) -> Commit {
    let mut value = number.to_be_bytes().to_vec();
    value.resize(padding.max(8), 0);
    let field = |key: &str| Field { key: key.to_owned(), written: NOW, expires: LATER, value: Sealed(value.clone()) };
    let interaction =
        Interaction { id: InteractionId(half(attempt, 3)), began: NOW, expires: LATER, record: sealed(number) };
    Commit {
        conversation: conversation(number),
        identity: identity(number % CALLERS),
        identifier: sealed(number % CALLERS),
        erasures: 0,
        now: NOW,
        patch: ["a", "b", "c"].map(field).to_vec(),
        interaction: Some(NewInteraction {
            interaction,
            stands_after: 0,
            row: NewRow { id: RowId(half(attempt, 4)), began: NOW, details: sealed(number) },
        }),
        mark: Mark { expires: LATER, report: sealed(number) },
        ends_session: number.is_multiple_of(2),
    }
}

fn identity(number: u64) -> IdentityKey {
    IdentityKey(spread(number, 1))
}

fn conversation(number: u64) -> ConversationKey {
    ConversationKey(spread(number, 2))
}

fn sealed(number: u64) -> Sealed {
    Sealed(number.to_be_bytes().to_vec())
}

fn number_in(sealed: &Sealed) -> u64 {
    sealed.0.as_slice().try_into().map_or(u64::MAX, u64::from_be_bytes)
}
