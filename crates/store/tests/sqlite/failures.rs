//! What is said when the disk fails, and that the store works again once it does not.

use std::{fs, path::Path, process::Command};

use agent_memory_store::{Committed, Erasure, Read, SqliteStore, Store, StoreError};

use crate::support::{NOW, commit, conversation, field, identity, is_started_for, start_with_limits_for};

/// Sets the limit on the size of files that this process writes.
fn limit_file_size(limit: &str) {
    let pid = std::process::id().to_string();
    let status = Command::new("prlimit").args(["--pid", &pid, &format!("--fsize={limit}:")]).status();
    assert!(status.unwrap().success());
}

#[cfg(target_os = "linux")]
#[test]
fn w3_a_commit_that_the_disk_refuses_writes_nothing_and_can_be_repeated() {
    if let Some(file) = is_started_for() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        return runtime.block_on(commit_on_a_failing_disk(&file));
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.db");
    let test = "failures::w3_a_commit_that_the_disk_refuses_writes_nothing_and_can_be_repeated";
    let output = start_with_limits_for(&file, test).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

async fn commit_on_a_failing_disk(file: &Path) {
    let store = SqliteStore::open(file).unwrap();
    store.commit(commit(1, 1, vec![field("a", "1")])).await.unwrap();
    let read = Read { identity: Some(identity(1)), conversation: Some(conversation(2)), now: NOW };
    assert_eq!(store.load(read).await.unwrap().fields, [field("a", "1")]);
    let large = || commit(2, 1, vec![field("a", "2"), field("b", vec![7; 300_000])]);

    let log = fs::metadata(file.with_extension("db-wal")).unwrap().len();
    for some_more in [0, 100, 4096, 50_000] {
        limit_file_size(&(log + some_more).to_string());
        let error = store.commit(large()).await.unwrap_err();
        assert!(matches!(error, StoreError::Failed { .. } | StoreError::Full { .. }), "{error:?}");
        assert!(!error.to_string().contains("INSERT"), "{error}");
        // What was there can still be read.
        let loaded = store.load(read).await.unwrap();
        assert_eq!((loaded.fields, loaded.ended), (vec![field("a", "1")], false));
    }

    limit_file_size("unlimited");
    assert!(matches!(store.commit(large()).await.unwrap(), Committed::Now(_)));
    assert!(matches!(store.commit(large()).await.unwrap(), Committed::Before(_)));
    drop(store);
    let store = SqliteStore::open_existing(file).unwrap();
    assert_eq!(store.export(identity(1), NOW).await.unwrap().conversations.len(), 2);
}

#[tokio::test]
async fn p3_a_damaged_record_is_reported_without_what_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.db");
    let store = SqliteStore::open(&file).unwrap();
    for caller in [1, 2] {
        store.commit(commit(caller, caller, vec![field("secret-key", "secret-value")])).await.unwrap();
    }
    let damage = rusqlite::Connection::open(&file).unwrap();
    let cut = "UPDATE callers SET record = substr(record, 1, length(record) - 1) WHERE identity = ?1";
    assert_eq!(damage.execute(cut, [identity(1).0]).unwrap(), 1);

    let read = |caller| Read { identity: Some(identity(caller)), conversation: None, now: NOW };
    let expected =
        StoreError::Damaged { place: file.display().to_string(), what: "a record cannot be decoded".to_owned() };
    let errors = [
        store.load(read(1)).await.unwrap_err(),
        store.export(identity(1), NOW).await.unwrap_err(),
        store.commit(commit(3, 1, vec![field("a", "1")])).await.unwrap_err(),
        store
            .erase(Erasure { identity: identity(1), key: Some("secret-key".into()), now: NOW, expires: NOW })
            .await
            .unwrap_err(),
    ];
    assert_eq!(errors, [(); 4].map(|()| expected.clone()));
    // What has failed has written nothing, not even what it had written before it failed. Others are not disturbed.
    assert_eq!(store.ended(conversation(3), NOW).await.unwrap(), None);
    let loaded = store.load(read(2)).await.unwrap();
    assert_eq!((loaded.erasures, loaded.fields.len()), (0, 1));
    assert!(!format!("{errors:?} {}", errors[0]).contains("secret"));
}

#[tokio::test]
async fn w3_an_operation_that_fails_does_not_undo_those_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.db");
    let store = SqliteStore::open(&file).unwrap();
    store.commit(commit(1, 1, vec![field("a", "1")])).await.unwrap();
    let other = rusqlite::Connection::open(&file).unwrap();
    other.execute("UPDATE callers SET record = x'01ff'", []).unwrap();

    // All of these wait for the other connection, and then share a transaction.
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let mut commits: Vec<_> =
        (2..12).map(|number| Box::pin(store.commit(commit(number, 1 + number % 2, vec![])))).collect();
    for commit in &mut commits {
        assert!(commit.as_mut().poll(&mut context).is_pending());
    }
    other.execute_batch("COMMIT").unwrap();
    let mut outcomes = Vec::new();
    for commit in commits {
        outcomes.push(commit.await.is_ok());
    }
    assert_eq!(outcomes, [false, true].repeat(5));
    assert!(store.statistics().transactions <= 3);
    assert_eq!(store.metric_rows(NOW).await.unwrap().len(), 1 + 5);
}

#[tokio::test]
async fn a_file_that_was_taken_away_is_missed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.db");
    drop(SqliteStore::open(&file).unwrap());
    fs::remove_file(&file).unwrap();
    assert!(matches!(SqliteStore::open_existing(&file), Err(StoreError::Unavailable { .. })));
}
