//! Commits whose answers are lost, sweeps at once, and how often a question crosses the wire.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests panic when something is wrong")]

mod support;
#[path = "support/wire.rs"]
mod wire;

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use agent_memory_postgres::PostgresStore;
use agent_memory_store::{
    Commit, Committed, ConversationKey, Effect, Erasure, Field, IdentityKey, Interaction, InteractionId, Mark,
    NewInteraction, NewRow, Read, RowId, Sealed, Store, StoreError, Swept, Transfer,
};
use agent_memory_test_servers::postgres::{PASSWORD, USER};
use tokio_postgres::NoTls;

use support::{Database, server};
use wire::{Fault, Wire};

const NOW: i64 = 1_767_225_600;
const LATER: i64 = NOW + 90 * 24 * 3600;

/// 32 bytes, of which all are different for another number.
fn key(number: u64) -> [u8; 32] {
    let mut state = number.wrapping_add(1);
    let mut key = [0; 32];
    for chunk in key.chunks_exact_mut(8) {
        state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        chunk.copy_from_slice(&state.to_be_bytes());
    }
    key
}

fn commit(number: u64) -> Commit {
    let half = |number| key(number).first_chunk().copied().unwrap();
    let field = |key: &str| Field { key: key.to_owned(), written: NOW, expires: LATER, value: Sealed(vec![7]) };
    Commit {
        conversation: ConversationKey(key(number)),
        identity: IdentityKey(key(!number)),
        identifier: Sealed(vec![1]),
        erasures: 0,
        now: NOW,
        patch: vec![field("a"), field("b")],
        interaction: Some(NewInteraction {
            interaction: Interaction {
                id: InteractionId(half(number)),
                began: NOW,
                expires: LATER,
                record: Sealed(vec![3]),
            },
            stands_after: NOW - 1,
            row: NewRow { id: RowId(half(number)), began: NOW, details: Sealed(vec![4]) },
        }),
        mark: Mark { expires: LATER, report: Sealed(vec![2]) },
        ends_session: number % 2 == 1,
    }
}

async fn open_by(wire: &Wire, database: &Database, parameters: &str) -> PostgresStore {
    let name = database.url().rsplit('/').next().unwrap().to_owned();
    let url = format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{}/{name}?{parameters}", wire.port());
    PostgresStore::open(&url, false).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w4_a_commit_whose_answer_is_lost_is_unknown_and_was_carried_out_once() {
    let database = Database::empty().await;
    let wire = Wire::to(server().port(), Duration::ZERO).await;
    let store = open_by(&wire, &database, "statement_timeout=0.3").await;
    for number in 0..4 {
        // What is prepared already is sent at once.
        let first = Commit { ends_session: false, ..commit(100 + number) };
        store.commit(first.clone()).await.unwrap();
        let commit = Commit { identity: first.identity, ends_session: false, ..commit(number) };
        let fault = if number < 2 { Fault::CutOnce } else { Fault::Silent };
        wire.set(fault);
        let error = store.commit(commit.clone()).await.unwrap_err();
        assert_eq!(error.effect(), Effect::Unknown, "{error}");
        let expected = if fault == Fault::Silent { "there was no answer" } else { "the connection was lost" };
        assert!(error.to_string().contains(expected), "{error}");
        wire.set(Fault::None);
        let Committed::Before(ended) = store.commit(commit).await.unwrap() else { panic!("it was carried out") };
        assert!(!ended.recorded.unwrap().settled.first);
    }
    assert_eq!(store.metric_rows(NOW).await.unwrap().len(), 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_whose_answer_is_lost_is_asked_again() {
    let database = Database::empty().await;
    let wire = Wire::to(server().port(), Duration::ZERO).await;
    let store = open_by(&wire, &database, "").await;
    store.commit(commit(1)).await.unwrap();
    let read = Read { identity: Some(commit(1).identity), conversation: None, now: NOW };
    store.load(read).await.unwrap();
    for _ in 0..5 {
        wire.set(Fault::CutOnce);
        assert_eq!(store.load(read).await.unwrap().fields.len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn m1_a_load_and_a_commit_cross_the_wire_once() {
    const WAY: Duration = Duration::from_millis(250);
    let database = Database::empty().await;
    let wire = Wire::to(server().port(), WAY).await;
    let store = open_by(&wire, &database, "pool_size=1").await;
    let again =
        |number: u64, conversation: u64| Commit { conversation: ConversationKey(key(conversation)), ..commit(number) };
    let read = Read { identity: Some(commit(1).identity), conversation: None, now: NOW };
    // The same partitions again, so that everything is prepared.
    for number in [1, 2] {
        store.commit(commit(number)).await.unwrap();
    }
    store.load(read).await.unwrap();
    let same_partition = |number: u64| (1000..).find(|other| key(*other)[0] >> 4 == key(number)[0] >> 4).unwrap();
    for number in [1, 2] {
        let begin = Instant::now();
        assert!(matches!(store.commit(again(number, same_partition(number))).await.unwrap(), Committed::Now(_)));
        let took = begin.elapsed();
        assert!(took >= 2 * WAY && took < 4 * WAY, "{took:?}");
    }
    let begin = Instant::now();
    assert_eq!(store.load(read).await.unwrap().fields.len(), 2);
    let took = begin.elapsed();
    assert!(took >= 2 * WAY && took < 4 * WAY, "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_stops_waiting_leaves_nothing_behind() {
    let database = Database::empty().await;
    let store = PostgresStore::open(&format!("{}?pool_size=1", database.url()), false).await.unwrap();
    let mut given_up = 0;
    for number in 0..60 {
        let patience = Duration::from_micros(number * 100);
        let odd = commit(2 * number + 1);
        let erasure = Erasure { identity: odd.identity, key: None, now: NOW, expires: LATER };
        given_up += u64::from(tokio::time::timeout(patience, store.commit(odd.clone())).await.is_err());
        given_up += u64::from(tokio::time::timeout(patience, store.erase(erasure)).await.is_err());
        // Nobody holds a lock, and the only connection is to be had.
        store.commit(Commit { identity: odd.identity, erasures: u64::MAX >> 1, ..commit(2 * number) }).await.unwrap();
        let held = store.export(odd.identity, NOW).await.unwrap();
        assert!(held.fields.len() == 2 && held.metric_rows.len() == held.conversations.len(), "{held:?}");
    }
    assert!(given_up > 0);
    let (client, connection) = tokio_postgres::connect(&database.url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'";
    assert_eq!(client.query_one(sql, &[]).await.unwrap().get::<_, i64>(0), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_said_to_be_full() {
    let database = Database::empty().await;
    let store = PostgresStore::open(&database.url(), false).await.unwrap();
    database
        .run(
            "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN RAISE EXCEPTION USING ERRCODE = ''53100''; END';
            CREATE TRIGGER no_room BEFORE INSERT ON marks FOR EACH ROW EXECUTE FUNCTION no_room()",
        )
        .await;
    for number in [1, 2] {
        let error = store.commit(commit(number)).await.unwrap_err();
        assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
    }
    let read = Read { identity: Some(commit(1).identity), conversation: None, now: NOW };
    assert_eq!(store.load(read).await.unwrap().fields, []);
    database.run("DROP TRIGGER no_room ON marks; DROP FUNCTION no_room").await;
    for number in [1, 2] {
        assert!(matches!(store.commit(commit(number)).await.unwrap(), Committed::Now(_)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w4_an_error_that_does_not_say_what_has_become_of_a_commit_is_unknown() {
    let database = Database::empty().await;
    let store = PostgresStore::open(&database.url(), false).await.unwrap();
    for code in ["08006", "40003"] {
        database
            .run(&format!(
                "CREATE FUNCTION open_end() RETURNS trigger LANGUAGE plpgsql AS
                    'BEGIN RAISE EXCEPTION USING ERRCODE = ''{code}''; END';
                CREATE TRIGGER open_end BEFORE INSERT ON marks FOR EACH ROW EXECUTE FUNCTION open_end()"
            ))
            .await;
        for number in [1, 2] {
            assert_eq!(store.commit(commit(number)).await.unwrap_err().effect(), Effect::Unknown);
        }
        database.run("DROP TRIGGER open_end ON marks; DROP FUNCTION open_end").await;
    }
    assert!(matches!(store.commit(commit(1)).await.unwrap(), Committed::Now(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn e2_sweeps_at_once_delete_each_thing_once_and_stop_no_commit() {
    const EXPIRED: u64 = 1500;
    let database = Database::empty().await;
    let url = format!("{}?queue=2000&queue_timeout=60", database.url());
    let mut sweepers = Vec::new();
    for _ in 0..3 {
        sweepers.push(Arc::new(PostgresStore::open(&url, false).await.unwrap()));
    }
    let store = Arc::clone(&sweepers[0]);
    let all: Vec<_> = (0..EXPIRED).map(commit).collect();
    commit_all(&store, all).await;
    let sweeps: Vec<_> = sweepers
        .iter()
        .map(|store| {
            let store = Arc::clone(store);
            tokio::spawn(async move { store.sweep(LATER).await.unwrap() })
        })
        .collect();
    // Some of the same callers come back meanwhile.
    let returning = (0..300).map(|number| {
        let mut commit = commit(number * 5);
        commit.conversation = ConversationKey(key(EXPIRED + number));
        commit.now = LATER;
        commit.mark.expires += 3600;
        for field in &mut commit.patch {
            field.expires += 3600;
        }
        commit.patch.pop();
        commit.interaction = None;
        commit
    });
    commit_all(&store, returning.collect()).await;
    let mut sum = Swept::default();
    for sweep in sweeps {
        let swept = sweep.await.unwrap();
        sum.fields += swept.fields;
        sum.identifiers += swept.identifiers;
        sum.interactions += swept.interactions;
        sum.metrics += swept.metrics;
    }
    assert_eq!((sum.interactions, sum.metrics), (EXPIRED, EXPIRED));
    // What a returning caller wrote again before the sweep came is not swept; and of some nothing was left before.
    assert!((2 * EXPIRED - 300..=2 * EXPIRED).contains(&sum.fields), "{sum:?}");
    assert!((EXPIRED - 300..=EXPIRED).contains(&sum.identifiers), "{sum:?}");
    let health = store.health(LATER).await.unwrap();
    assert_eq!((health.fields, health.identities, health.metrics), (300, 300, 0));
    assert_eq!(store.sweep(LATER).await.unwrap(), Swept::default());
    let last = store.sweep(LATER + 3600).await.unwrap();
    assert_eq!((last.fields, last.identifiers), (300, 300));
}

async fn commit_all(store: &Arc<PostgresStore>, commits: Vec<Commit>) {
    let tasks: Vec<_> = commits
        .into_iter()
        .map(|commit| {
            let store = Arc::clone(store);
            tokio::spawn(async move { store.commit(commit).await.unwrap() })
        })
        .collect();
    for task in tasks {
        assert!(matches!(task.await.unwrap(), Committed::Now(_)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn keys_are_found_in_whatever_partition_they_are() {
    const CALLERS: u64 = 200;
    let database = Database::empty().await;
    let store = Arc::new(PostgresStore::open(&database.url(), false).await.unwrap());
    commit_all(&store, (0..CALLERS).map(commit).collect()).await;
    let identities: BTreeSet<_> = (0..CALLERS).map(|number| commit(number).identity).collect();
    let listed = store.identities(None, usize::MAX, NOW).await.unwrap();
    assert_eq!(listed, identities.iter().copied().collect::<Vec<_>>());
    let (mut paged, mut after) = (Vec::new(), None);
    while paged.len() < listed.len() {
        let page = store.identities(after, 7, NOW).await.unwrap();
        after = page.last().copied();
        paged.extend(page);
    }
    assert_eq!(paged, listed);
    for number in (0..CALLERS).step_by(9) {
        let Commit { identity, conversation, .. } = commit(number);
        let read = Read { identity: Some(identity), conversation: Some(conversation), now: NOW };
        let loaded = store.load(read).await.unwrap();
        assert!(loaded.ended && loaded.fields.len() == 2);
        let held = store.export(identity, NOW).await.unwrap();
        assert_eq!((held.conversations.len(), held.metric_rows.len()), (1, 1));
    }
    let (mut kept, mut after) = (0, None);
    loop {
        let dump = store.dump(after).await.unwrap();
        kept += dump.kept.len() as u64;
        after = dump.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(kept, 3 * CALLERS + 1);
    let erasure = Erasure { identity: commit(5).identity, key: None, now: NOW, expires: LATER };
    let erased = store.erase(erasure).await.unwrap();
    assert_eq!((erased.fields, erased.interactions, erased.metrics), (2, 1, 1));
    // Whether one partition alone has them all.
    let (client, connection) = tokio_postgres::connect(&database.url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    for table in ["callers", "fields", "marks", "metrics"] {
        let sql = format!("SELECT count(DISTINCT tableoid) FROM agent_memory.{table}");
        assert_eq!(client.query_one(&sql, &[]).await.unwrap().get::<_, i64>(0), 16, "{table}");
    }
}
