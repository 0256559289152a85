//! Several processes on one file, several operations in one transaction.

use std::{
    collections::BTreeSet,
    path::Path,
    pin::pin,
    sync::Arc,
    task::{Context, Waker},
};

use agent_memory_store::{Effect, Read, Replaces, Sessions, SqliteStore, Statistics, Store, StoreError};

use crate::support::{NOW, commit, conversation, field, identity, is_started_for, saved_session, start_for};

const CALLERS: u64 = 10;
const COMMITS: u64 = 60;

#[test]
fn w3_processes_that_write_at_once_lose_nothing() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    if let Some(file) = is_started_for() {
        let first: u64 = std::env::var("AGENT_MEMORY_TEST_FIRST").unwrap().parse().unwrap();
        return runtime.block_on(commit_many(&file, first));
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.db");
    let test = "sharing::w3_processes_that_write_at_once_lose_nothing";
    let start = |first: u64| start_for(&file, test).env("AGENT_MEMORY_TEST_FIRST", first.to_string()).spawn().unwrap();
    // Whichever is first makes the file.
    let mut children = [1000, 2000, 3000].map(start);
    runtime.block_on(commit_many(&file, 0));
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }

    runtime.block_on(async {
        let store = SqliteStore::open_existing(&file).unwrap();
        let rows = store.metric_rows(NOW).await.unwrap();
        assert_eq!(rows.len() as u64, 4 * COMMITS);
        let firsts: BTreeSet<_> = rows.iter().map(|row| row.interaction).collect();
        assert_eq!(firsts.len() as u64, CALLERS);
        assert_eq!(rows.iter().filter(|row| row.repeat_of.is_none()).count() as u64, CALLERS);
        let mut keys = BTreeSet::new();
        for caller in 0..CALLERS {
            let held = store.export(identity(caller), NOW).await.unwrap();
            keys.extend(held.fields.into_iter().map(|field| field.key));
        }
        assert_eq!(keys.len() as u64, 4 * COMMITS + 1, "one for each commit, and the one that all have written");
    });
}

/// Commits for callers that other processes commit for too, and reads what is there meanwhile.
async fn commit_many(file: &Path, first: u64) {
    let store = Arc::new(SqliteStore::open(file).unwrap());
    let tasks: Vec<_> = (first..first + COMMITS)
        .map(|number| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let value = number.to_string();
                let caller = number % CALLERS;
                let patch = vec![field("everybody's", &value), field(&value, &value)];
                store.commit(commit(number, caller, patch)).await.unwrap();
                let read =
                    Read { identity: Some(identity(caller)), conversation: Some(conversation(number)), now: NOW };
                let loaded = store.load(read).await.unwrap();
                assert!(loaded.ended && loaded.fields.iter().any(|field| field.key == value), "reads its own writes");
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[test]
fn no_turn_of_a_conversation_that_several_processes_serve_is_lost() {
    const TURNS: u64 = 25;
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let take_turns = |file: &Path, process: u8| {
        let store = SqliteStore::open_existing(file).unwrap();
        runtime.block_on(async {
            for turn in 0..TURNS {
                for attempt in 0_u64.. {
                    let before = store.load_session(conversation(1), NOW).await.unwrap().unwrap();
                    let count = u64::from_le_bytes(before.session.0.try_into().unwrap());
                    let mut next = saved_session(1, &(count + 1).to_le_bytes());
                    next.revision.0[0] = process;
                    next.revision.0[1..9].copy_from_slice(&(turn << 40 | attempt).to_le_bytes());
                    if store.save_session(next, Replaces::Revision(before.revision), NOW).await.unwrap() {
                        break;
                    }
                }
            }
        });
    };
    if let Some(file) = is_started_for() {
        let process = std::env::var("AGENT_MEMORY_TEST_FIRST").unwrap().parse().unwrap();
        return take_turns(&file, process);
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.db");
    let store = SqliteStore::open(&file).unwrap();
    assert!(runtime.block_on(store.save_session(saved_session(1, &[0; 8]), Replaces::Nothing, NOW)).unwrap());
    let test = "sharing::no_turn_of_a_conversation_that_several_processes_serve_is_lost";
    let start = |process: &str| start_for(&file, test).env("AGENT_MEMORY_TEST_FIRST", process).spawn().unwrap();
    let mut children = ["1", "2"].map(start);
    take_turns(&file, 0);
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    let stored = runtime.block_on(store.load_session(conversation(1), NOW)).unwrap().unwrap();
    assert_eq!(stored.session.0, (3 * TURNS).to_le_bytes());
}

#[test]
fn threads_that_make_a_store_at_once_share_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.db");
    std::thread::scope(|scope| {
        for number in 0..8 {
            let file = &file;
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                let store = SqliteStore::open(file).unwrap();
                runtime.block_on(store.commit(commit(number, 1, vec![]))).unwrap();
            });
        }
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let store = SqliteStore::open_existing(&file).unwrap();
    assert_eq!(runtime.block_on(store.metric_rows(NOW)).unwrap().len(), 8);
}

#[tokio::test]
async fn operations_that_wait_share_a_transaction() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.db");
    let store = SqliteStore::open(&file).unwrap();
    let before = store.statistics();
    let other = rusqlite::Connection::open(&file).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();

    let mut commits: Vec<_> =
        (0..64).map(|number| Box::pin(store.commit(commit(number, number % 7, vec![field("a", "1")])))).collect();
    let mut context = Context::from_waker(Waker::noop());
    for commit in &mut commits {
        assert!(commit.as_mut().poll(&mut context).is_pending(), "another process is writing");
    }
    other.execute_batch("COMMIT").unwrap();
    for commit in commits {
        commit.await.unwrap();
    }
    let after = store.statistics();
    assert_eq!(after.commits - before.commits, 64);
    let transactions = after.transactions - before.transactions;
    assert!(transactions <= 2, "one for what had begun to wait, one for all others: {transactions}");
}

#[tokio::test]
async fn m1_a_load_is_one_read_and_no_transaction() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("store.db")).unwrap();
    assert_eq!(store.statistics(), Statistics::default());
    store.commit(commit(1, 1, vec![field("a", "1")])).await.unwrap();
    let read = Read { identity: Some(identity(1)), conversation: Some(conversation(1)), now: NOW };
    for _ in 0..5 {
        assert_eq!(store.load(read).await.unwrap().fields.len(), 1);
    }
    assert_eq!(store.statistics(), Statistics { loads: 5, commits: 1, transactions: 1, checkpoints: 0 });
}

#[tokio::test]
async fn a_store_that_is_dropped_carries_out_what_is_queued() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.db");
    let store = SqliteStore::open(&file).unwrap();
    let mut context = Context::from_waker(Waker::noop());
    for number in 0..100 {
        // Nobody waits for the answer.
        let commit = pin!(store.commit(commit(number, number, vec![field("a", "1")])));
        let _ = commit.poll(&mut context).is_ready();
    }
    drop(store);
    let store = SqliteStore::open_existing(&file).unwrap();
    assert_eq!(store.metric_rows(NOW).await.unwrap().len(), 100);
}

#[tokio::test]
async fn nothing_is_written_once_another_process_has_brought_the_file_to_a_newer_format() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.db");
    let store = SqliteStore::open(&file).unwrap();
    store.commit(commit(1, 1, vec![])).await.unwrap();
    let other = rusqlite::Connection::open(&file).unwrap();
    other.execute_batch("PRAGMA user_version = 4").unwrap();
    let error = store.commit(commit(2, 1, vec![])).await.unwrap_err();
    assert_eq!(error, StoreError::TooNew { path: file, found: 4, known: 3 });
    assert_eq!(store.metric_rows(NOW).await.unwrap().len(), 1);
}

#[tokio::test]
async fn who_waits_too_long_for_another_process_is_told_to_try_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.db");
    let store = SqliteStore::open(&file).unwrap();
    store.commit(commit(1, 1, vec![field("a", "1")])).await.unwrap();
    let other = rusqlite::Connection::open(&file).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();

    let error = store.save_session(saved_session(1, b"x"), Replaces::Anything, NOW).await.unwrap_err();
    let expected = StoreError::Failed {
        place: file.display().to_string(),
        reason: "another process is writing; try again".to_owned(),
        effect: Effect::Rejected,
    };
    assert_eq!(error, expected);
    // Reading goes on, and opening too.
    drop(SqliteStore::open_existing(&file).unwrap());
    let read = Read { identity: Some(identity(1)), conversation: None, now: NOW };
    assert_eq!(store.load(read).await.unwrap().fields.len(), 1);

    other.execute_batch("COMMIT").unwrap();
    store.save_session(saved_session(1, b"x"), Replaces::Anything, NOW).await.unwrap();
}
