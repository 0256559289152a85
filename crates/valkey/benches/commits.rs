//! Commits through the store, beside what the server does when the same function is called with nothing around it.
//!
//! ```text
//! cargo bench -p agent-memory-valkey --bench commits
//! ```
//!
//! One server without replicas, so that both compete for the same cores in the same way. The other side is a client
//! that does nothing but send calls of the commit function through one connection, 32 to 64 of which are under way, and
//! drop the answers: the same calls that the store sends, except for what is different in each. Rounds alternate.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a benchmark may panic when something is wrong"
)]

#[path = "../tests/support/numbered.rs"]
mod numbered;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use agent_memory_store::{
    Commit, ConversationKey, Field, IdentityKey, Interaction, InteractionId, Mark, NewInteraction, NewRow, RowId,
    Sealed, Sessions, Store, Timestamp,
};
use agent_memory_test_servers::valkey::{Cluster, Connection};
use agent_memory_valkey::{Durability, Settings, ValkeyStore};
use numbered::{half, spread};

const TASKS: u64 = 32;
const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_secs(2);

/// How many callers there are.
const CALLERS: u64 = 50_000;

/// 2026-01-01T00:00:00Z.
const NOW: Timestamp = 1_767_225_600;
const LATER: Timestamp = NOW + 90 * 24 * 3600;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let cluster = Cluster::start(1, false, &[]).unwrap();
    let settings = Settings { durability: Durability::Async, ..Settings::new(cluster.addresses()) };
    let store = Arc::new(runtime.block_on(ValkeyStore::connect(settings)).unwrap());
    let numbers = Arc::new(AtomicU64::new(0));
    let call = recorded(&cluster, || {
        runtime.block_on(store.commit(commit(numbers.fetch_add(1, Ordering::Relaxed)))).unwrap();
    });
    println!("a call of the commit function has {} bytes", call.iter().map(Vec::len).sum::<usize>());

    let (mut of_store, mut of_server) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let begun = server_time(&cluster);
        of_store.push(runtime.block_on(through_the_store(&store, &numbers)));
        let between = server_time(&cluster);
        of_server.push(through_nothing(&cluster, &call, &numbers));
        let [in_store, in_server] = [between - begun, server_time(&cluster) - between];
        let each = |time: f64, per_second: f64| time * 1e6 / (per_second * ROUND.as_secs_f64());
        println!(
            "round {}: store {:6.0}, server {:6.0} commits/s; the server computes {:.0} and {:.0} µs for each",
            round + 1,
            of_store[round],
            of_server[round],
            each(in_store, of_store[round]),
            each(in_server, of_server[round])
        );
    }
    let [store, server] = [of_store, of_server].map(median);
    println!("median: store {store:.0}, server {server:.0} commits/s; ratio {:.2}", store / server);
    runtime.block_on(survey(&cluster));
    drop(cluster);

    let cluster = Cluster::start(1, true, &[]).unwrap();
    for durability in [Durability::Async, Durability::Replica] {
        let prefix = format!("{durability:?}:");
        let settings = Settings { durability, prefix, ..Settings::new(cluster.addresses()) };
        let store = Arc::new(runtime.block_on(ValkeyStore::connect(settings)).unwrap());
        let rounds = (0..3).map(|_| runtime.block_on(through_the_store(&store, &numbers)));
        println!("with a replica, durability {durability:?}: {:.0} commits/s", median(rounds.collect()));
    }
}

/// For how many seconds the server has computed so far. Others may use the same cores meanwhile.
fn server_time(cluster: &Cluster) -> f64 {
    let mut connection = cluster.nodes()[0].connect().unwrap();
    let mut seconds = |name| connection.info("CPU", name).unwrap().parse::<f64>().unwrap();
    seconds("used_cpu_user") + seconds("used_cpu_sys")
}

/// How much memory callers take, and how long it takes to go through all buckets.
async fn survey(cluster: &Cluster) {
    const LOADED: u64 = 20_000;
    let settings = Settings {
        prefix: "survey:".to_owned(),
        durability: Durability::Async,
        timeout: Duration::from_secs(60),
        ..Settings::new(cluster.addresses())
    };
    let store = Arc::new(ValkeyStore::connect(settings).await.unwrap());
    let used = || -> u64 {
        let mut connection = cluster.nodes()[0].connect().unwrap();
        connection.info("MEMORY", "used_memory_dataset").unwrap().parse().unwrap()
    };
    let numbers = Arc::new(AtomicU64::new(0));
    let load = async |from: u64| {
        let tasks: Vec<_> = (0..TASKS)
            .map(|_| {
                let (store, numbers) = (Arc::clone(&store), Arc::clone(&numbers));
                tokio::spawn(async move {
                    loop {
                        let number = numbers.fetch_add(1, Ordering::Relaxed);
                        if number >= LOADED {
                            break;
                        }
                        let conversation = ConversationKey(spread(from + number, 2));
                        store.commit(Commit { conversation, ..commit(number) }).await.unwrap();
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        numbers.store(0, Ordering::Relaxed);
    };
    let before = used();
    load(0).await;
    let once = used();
    load(LOADED).await;
    let twice = used();
    let each = |bytes: u64| bytes / LOADED;
    println!(
        "memory: {} bytes for a caller with 3 fields and one conversation, {} for each further conversation",
        each(once - before),
        each(twice - once)
    );

    let timed = async |name: &str, found: &dyn Fn() -> futures::future::BoxFuture<'static, usize>| {
        let begun = Instant::now();
        let found = found().await;
        println!("{name}: {found} in {} ms", begun.elapsed().as_millis());
    };
    let of = |store: &Arc<ValkeyStore>| Arc::clone(store);
    timed("metric rows", &|| {
        let store = of(&store);
        Box::pin(async move { store.metric_rows(NOW).await.unwrap().len() })
    })
    .await;
    timed("callers counted", &|| {
        let store = of(&store);
        Box::pin(async move { store.health(NOW).await.unwrap().identities as usize })
    })
    .await;
    timed("overdue sessions", &|| {
        let store = of(&store);
        Box::pin(async move { store.overdue_sessions(NOW, 100).await.unwrap().len() })
    })
    .await;
    timed("fields swept, of none", &|| {
        let store = of(&store);
        Box::pin(async move { store.sweep(NOW).await.unwrap().fields as usize })
    })
    .await;
}

async fn through_the_store(store: &Arc<ValkeyStore>, numbers: &Arc<AtomicU64>) -> f64 {
    let begun = Instant::now();
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let (store, numbers) = (Arc::clone(store), Arc::clone(numbers));
            tokio::spawn(async move {
                let mut done = 0_u64;
                while begun.elapsed() < ROUND {
                    store.commit(commit(numbers.fetch_add(1, Ordering::Relaxed))).await.unwrap();
                    done += 1;
                }
                done
            })
        })
        .collect();
    let mut done = 0;
    for task in tasks {
        done += task.await.unwrap();
    }
    done as f64 / begun.elapsed().as_secs_f64()
}

/// The next calls are always sent before the answers to the last ones are read: the server never waits.
fn through_nothing(cluster: &Cluster, call: &[Vec<u8>], numbers: &AtomicU64) -> f64 {
    let mut connection = cluster.nodes()[0].connect().unwrap();
    let next = || -> Vec<Vec<Vec<u8>>> {
        (0..TASKS).map(|_| changed(call, numbers.fetch_add(1, Ordering::Relaxed))).collect()
    };
    let begun = Instant::now();
    let mut done = 0_u64;
    connection.send_all(&next()).unwrap();
    loop {
        let is_over = begun.elapsed() >= ROUND;
        if !is_over {
            connection.send_all(&next()).unwrap();
        }
        for _ in 0..TASKS {
            connection.receive().unwrap().unwrap();
            done += 1;
        }
        if is_over {
            return done as f64 / begun.elapsed().as_secs_f64();
        }
    }
}

/// The call of the commit function that a commit makes, as the server has seen it.
fn recorded(cluster: &Cluster, commit: impl FnOnce()) -> Vec<Vec<u8>> {
    let mut monitor: Connection = cluster.nodes()[0].connect().unwrap();
    monitor.ask(&["MONITOR"]).unwrap();
    commit();
    thread::sleep(Duration::from_millis(50));
    loop {
        let line = monitor.receive().unwrap().unwrap().text().unwrap();
        let (_, command) = line.split_once("] ").unwrap();
        let parts = unescaped(command);
        if parts[0] == b"FCALL" && parts[1].ends_with(b"_commit") {
            return parts;
        }
    }
}

/// The parts of a command as `MONITOR` shows it.
fn unescaped(command: &str) -> Vec<Vec<u8>> {
    let mut parts = Vec::new();
    let mut bytes = command.bytes();
    while bytes.any(|byte| byte == b'"') {
        let mut part = Vec::new();
        loop {
            match bytes.next().unwrap() {
                b'"' => break,
                b'\\' => part.push(match bytes.next().unwrap() {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'a' => 7,
                    b'b' => 8,
                    b'x' => {
                        let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
                        u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
                    }
                    other => other,
                }),
                byte => part.push(byte),
            }
        }
        parts.push(part);
    }
    parts
}

/// The same call for another conversation, of another caller, with another interaction and row.
fn changed(call: &[Vec<u8>], number: u64) -> Vec<Vec<u8>> {
    let mut call = call.to_vec();
    let commit = commit(number);
    let new = commit.interaction.unwrap();
    let base = format!("agent-memory:{{{:02x}{:01x}}}", commit.identity.0[0], commit.identity.0[1] >> 4);
    let base = base.replace('{', "{0");
    call[3] = base.clone().into_bytes();
    call[4] = format!("{base}-").into_bytes();
    // Behind function, keys and their number: now, conversation, identity, ...
    call[6] = commit.conversation.0.to_vec();
    call[7] = commit.identity.0.to_vec();
    call[18] = new.interaction.id.0.to_vec();
    call[24] = new.row.id.0.to_vec();
    call
}

fn commit(number: u64) -> Commit {
    let field = |key: &str| Field { key: key.to_owned(), written: NOW, expires: LATER, value: Sealed(vec![7; 60]) };
    let caller = number % CALLERS;
    Commit {
        conversation: ConversationKey(spread(number, 2)),
        identity: IdentityKey(spread(caller, 1)),
        identifier: Sealed(vec![8; 60]),
        erasures: 0,
        now: NOW,
        patch: ["name", "language", "last_order"].map(field).to_vec(),
        interaction: Some(NewInteraction {
            interaction: Interaction {
                id: InteractionId(half(number, 3)),
                began: NOW,
                expires: LATER,
                record: Sealed(vec![9; 120]),
            },
            stands_after: 0,
            row: NewRow { id: RowId(half(number, 4)), began: NOW, details: Sealed(vec![10; 80]) },
        }),
        mark: Mark { expires: LATER, report: Sealed(vec![11; 200]) },
        ends_session: false,
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
