//! What can be seen from inside only.

use std::{path::Path, process::Command};

use rusqlite::{Connection, types::Value};
use tempfile::TempDir;

use super::*;
use crate::{Effect, Erasure, Field, Interaction, InteractionId, Mark, NewInteraction, NewRow, RowId};

const HOUR: Timestamp = 3600;

/// 2026-01-01T00:00:00Z.
const NOW: Timestamp = 1_767_225_600;

fn commit(number: u8, value: &[u8]) -> Commit {
    let expires = NOW + 24 * HOUR;
    Commit {
        conversation: ConversationKey([number; 32]),
        identity: IdentityKey([number; 32]),
        identifier: Sealed(vec![number]),
        erasures: 0,
        now: NOW,
        patch: vec![Field { key: "key".to_owned(), written: NOW, expires, value: Sealed(value.to_vec()) }],
        interaction: Some(NewInteraction {
            interaction: Interaction {
                id: InteractionId([number; 16]),
                began: NOW,
                expires,
                record: Sealed(vec![number]),
            },
            stands_after: NOW - HOUR,
            row: NewRow { id: RowId([number; 16]), began: NOW, details: Sealed(vec![number]) },
        }),
        mark: Mark { expires, report: Sealed(vec![number]) },
    }
}

fn new_store() -> (TempDir, SqliteStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("store.db")).unwrap();
    (folder, store)
}

/// Whether bytes are in one of the files of a store. Another process looks: to close a file in this one would drop
/// the locks that SQLite has on it.
fn is_in_files(folder: &Path, text: &str) -> bool {
    let status = Command::new("grep").args(["-rqa", text]).arg(folder).status().unwrap();
    status.success()
}

/// All rows of all tables.
fn rows(folder: &TempDir) -> Vec<(String, Vec<Value>)> {
    let connection = Connection::open(folder.path().join("store.db")).unwrap();
    let mut rows = Vec::new();
    for table in ["store", "callers", "marks", "metrics", "sessions"] {
        let mut statement = connection.prepare(&format!("SELECT * FROM {table} ORDER BY 1")).unwrap();
        let columns = statement.column_count();
        let found = statement.query_map([], |row| (0..columns).map(|column| row.get(column)).collect()).unwrap();
        rows.extend(found.map(|values| (table.to_owned(), values.unwrap())));
    }
    rows
}

#[tokio::test]
async fn p1_no_time_finer_than_the_hour_reaches_the_file() {
    let play = async |seconds: Timestamp| {
        let (folder, store) = new_store();
        for number in 1..4 {
            store.commit(Commit { now: NOW + seconds, ..commit(number, b"value") }).await.unwrap();
        }
        let erasure = |identity, key| Erasure {
            identity: IdentityKey([identity; 32]),
            key,
            now: NOW + seconds,
            expires: NOW + 48 * HOUR,
        };
        store.erase(erasure(1, None)).await.unwrap();
        store.erase(erasure(2, Some("key".to_owned()))).await.unwrap();
        store.sweep(NOW + seconds).await.unwrap();
        rows(&folder)
    };
    let on_the_hour = play(0).await;
    assert_eq!(play(1234).await, on_the_hour);
    assert_eq!(on_the_hour.len(), 1 + 3 + 3 + 2);
}

#[tokio::test]
async fn a_full_disk_is_said_and_what_fits_is_written_again() {
    let (_folder, store) = new_store();
    store.commit(commit(1, b"before")).await.unwrap();
    let fill = |connection: &Connection| {
        let pages: u32 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
        Ok(connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?)
    };
    store.writer.write(fill).await.unwrap();
    let error = store.commit(commit(2, &[7; 100_000])).await.unwrap_err();
    assert_eq!(error, StoreError::Full { place: store.location.place().to_owned() });
    assert_eq!(error.effect(), Effect::Rejected);
    assert_eq!(store.ended(ConversationKey([2; 32]), NOW).await.unwrap(), None);

    // The connection was opened anew, without that limit.
    store.commit(commit(2, &[7; 100_000])).await.unwrap();
    let read = Read { identity: Some(IdentityKey([1; 32])), conversation: None, now: NOW };
    assert_eq!(store.load(read).await.unwrap().fields[0].value.0, b"before");
}

#[tokio::test]
async fn e2_a_build_without_access_to_pages_wipes_too() {
    let folder = tempfile::tempdir().unwrap();
    let opened = Location::open(&folder.path().join("store.db"), true).unwrap();
    let store = SqliteStore::start(opened, Some(Means::Vacuum)).unwrap();
    for number in 0..20 {
        store.commit(commit(number, format!("value-{number:02}-{}", "x".repeat(900)).as_bytes())).await.unwrap();
    }
    let erasure = Erasure { identity: IdentityKey([7; 32]), key: None, now: NOW, expires: NOW + HOUR };
    store.erase(erasure).await.unwrap();
    assert!(!is_in_files(folder.path(), "value-07"));
    assert!(is_in_files(folder.path(), "value-08"));
    assert_eq!(store.sweep(NOW + 24 * HOUR).await.unwrap().fields, 19);
    assert!(!is_in_files(folder.path(), "value-"));
    assert_eq!(store.statistics().checkpoints, 2);
}

#[tokio::test]
async fn e2_this_build_wipes_page_by_page() {
    let (_folder, store) = new_store();
    let means = store.writer.write(|connection| Ok(Means::of(connection))).await.unwrap();
    assert_eq!(means, Means::Pages, "LIBSQLITE3_FLAGS has to define SQLITE_ENABLE_DBPAGE_VTAB");
}

#[tokio::test]
async fn the_writer_is_set_up_as_documented() {
    let (_folder, store) = new_store();
    let settings = store.writer.write(|connection| {
        let setting = |name| connection.pragma_query_value(None, name, |row| row.get::<_, Value>(0));
        let names = ["journal_mode", "synchronous", "secure_delete", "temp_store", "mmap_size", "wal_autocheckpoint"];
        Ok(names.map(|name| setting(name).unwrap()))
    });
    let number = Value::Integer;
    let expected = [Value::Text("wal".to_owned()), number(2), number(1), number(2), number(0), number(4000)];
    assert_eq!(settings.await.unwrap(), expected);
}

#[tokio::test]
async fn no_reader_can_write() {
    let (_folder, store) = new_store();
    let written = store.readers.read(|connection| Ok(connection.execute("UPDATE store SET erasures = 0", [])?));
    assert_eq!(written, Err(StoreError::ReadOnly { place: store.location.place().to_owned() }));
}
