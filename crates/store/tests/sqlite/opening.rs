//! What is opened as a store and what is refused.

use std::{
    collections::BTreeMap,
    fs::{self, Permissions},
    os::unix::fs::{FileTypeExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
};

use agent_memory_store::{Replaces, Sessions, SqliteStore, StoreError};
use tempfile::TempDir;

use crate::support::{NOW, saved_session};

/// All files of a folder with what is in them.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_file()).map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

/// Expects that a file is refused, whether or not it may be created, and that nothing in the folder changes.
fn refused(folder: &TempDir, name: &str) -> StoreError {
    let before = contents(folder.path());
    let path = folder.path().join(name);
    let error = SqliteStore::open(&path).unwrap_err();
    assert_eq!(SqliteStore::open_existing(&path).unwrap_err(), error);
    assert_eq!(contents(folder.path()), before);
    assert!(error.to_string().contains(name), "{error}");
    error
}

fn reason(error: StoreError) -> String {
    match error {
        StoreError::NotAStore { reason, .. } | StoreError::Unavailable { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}

fn sqlite(path: &Path, statements: &str) {
    rusqlite::Connection::open(path).unwrap().execute_batch(statements).unwrap();
}

#[tokio::test]
async fn a_store_is_made_and_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("odd näme?#%20'.db");
    let store = SqliteStore::open(&path).unwrap();
    store.save_session(saved_session(1, b"kept"), Replaces::Anything, NOW).await.unwrap();
    drop(store);
    for open in [SqliteStore::open, SqliteStore::open_existing] {
        let store = open(&path).unwrap();
        let session = store.load_session(saved_session(1, b"").conversation, NOW).await.unwrap().unwrap();
        assert_eq!(session.session.0, b"kept");
    }
    assert_eq!(contents(folder.path()).len(), 1, "the log is tidied up");
}

#[tokio::test]
async fn only_its_owner_can_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("store.db")).unwrap();
    store.save_session(saved_session(1, b"x"), Replaces::Anything, NOW).await.unwrap();
    let files: Vec<PathBuf> = contents(folder.path()).into_keys().collect();
    assert_eq!(files.len(), 3, "{files:?}");
    for file in files {
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
    }
}

#[test]
fn an_existing_store_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let error = SqliteStore::open_existing(folder.path().join("mistyped.db")).unwrap_err();
    assert_eq!(reason(error), "there is no such file: check the path");
    assert!(contents(folder.path()).is_empty());

    fs::write(folder.path().join("empty.db"), b"").unwrap();
    let error = SqliteStore::open_existing(folder.path().join("empty.db")).unwrap_err();
    assert_eq!(reason(error), "it is empty");
    assert_eq!(fs::read(folder.path().join("empty.db")).unwrap(), b"");
    // As it is after a crash in the moment of its making.
    SqliteStore::open(folder.path().join("empty.db")).unwrap();
}

#[test]
fn a_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("store.db")).unwrap();
    assert_eq!(reason(refused(&folder, "store.db")), "it is a folder: name a file in it");
}

#[test]
fn a_path_without_a_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(reason(refused(&folder, "no/store.db")), "its folder does not exist: make it, or check the path");
    fs::write(folder.path().join("file"), "text").unwrap();
    let error = refused(&folder, "file/store.db");
    assert_eq!(reason(error), "what should be its folder is a file: check the path");
}

#[test]
fn what_is_no_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
    assert_eq!(reason(refused(&folder, "pipe")), "it is no ordinary file: name another");
}

#[test]
fn a_read_only_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    drop(SqliteStore::open(&path).unwrap());
    fs::set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
    assert!(matches!(refused(&folder, "store.db"), StoreError::ReadOnly { .. }));
}

#[test]
fn a_read_only_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(SqliteStore::open(folder.path().join("store.db")).unwrap());
    fs::set_permissions(folder.path(), Permissions::from_mode(0o500)).unwrap();
    let errors = ["store.db", "new.db"].map(|name| refused(&folder, name));
    fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
    assert!(errors.iter().all(|error| matches!(error, StoreError::ReadOnly { .. })), "{errors:?}");
}

#[test]
fn what_is_not_sqlite_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for size in [1, 15, 16, 100, 511, 512, 5000] {
        let text: Vec<u8> = b"Dear diary, ".iter().copied().cycle().take(size).collect();
        fs::write(folder.path().join("diary.txt"), text).unwrap();
        assert_eq!(reason(refused(&folder, "diary.txt")), "it is no SQLite file", "{size} bytes");
    }
}

#[test]
fn another_applications_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.db");
    for setting in ["user_version = 0", "user_version = 1", "application_id = 7", "journal_mode = WAL"] {
        sqlite(&path, &format!("PRAGMA {setting}; CREATE TABLE IF NOT EXISTS notes (text TEXT);"));
        let reason = reason(refused(&folder, "notes.db"));
        assert_eq!(reason, "it is a SQLite file of another application", "{setting}");
    }
}

#[test]
fn another_applications_file_in_use_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch("CREATE TABLE notes (text TEXT); PRAGMA journal_mode = WAL;").unwrap();
    connection.execute_batch("INSERT INTO notes VALUES ('in the log');").unwrap();
    assert!(folder.path().join("notes.db-wal").exists());
    assert_eq!(reason(refused(&folder, "notes.db")), "it is a SQLite file of another application");
}

#[test]
fn a_newer_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    drop(SqliteStore::open(&path).unwrap());
    sqlite(&path, "PRAGMA user_version = 4;");
    let error = refused(&folder, "store.db");
    assert!(matches!(error, StoreError::TooNew { found: 4, known: 3, .. }), "{error:?}");
}

#[test]
fn a_damaged_file_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    drop(SqliteStore::open(&path).unwrap());
    let mut bytes = fs::read(&path).unwrap();
    bytes[100..4096].fill(0xff);
    fs::write(&path, bytes).unwrap();
    assert!(matches!(refused(&folder, "store.db"), StoreError::Damaged { .. }));
}
