//! What can be seen from inside only.

use std::{path::Path, process::Command};

use rusqlite::{Connection, types::Value};
use tempfile::TempDir;

use super::*;
use super::{caller::Caller, record::encode};
use crate::{
    Effect, ErasedSince, Erasure, Field, Held, Interaction, InteractionId, Mark, NewInteraction, NewRow, Revision,
    RowId, Sealed,
};

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
        ends_session: false,
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
    for table in ["store", "callers", "marks", "metrics", "sessions", "agents", "components", "acts", "registers"] {
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
        for version in 1..3 {
            let published = AgentVersion {
                agent: AgentKey([1; 32]),
                version: VersionKey([version; 32]),
                component: ComponentKey([1; 32]),
                record: Sealed(vec![version]),
            };
            store.publish_agent(published, Some(vec![1]), NOW + seconds).await.unwrap();
        }
        store.withdraw_agent(AgentKey([1; 32]), NOW + seconds).await.unwrap();
        store.sweep(NOW + seconds).await.unwrap();
        rows(&folder)
    };
    let on_the_hour = play(0).await;
    assert_eq!(play(1234).await, on_the_hour);
    assert_eq!(on_the_hour.len(), 1 + 3 + 3 + 2 + 2 + 1);
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
    let opened = Location::open(&folder.path().join("store.db"), true, Durability::Full).unwrap();
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

/// A store of as many callers as more than one step of a sweep deletes. What it holds on two of them cannot be decoded.
async fn damaged_store() -> (TempDir, SqliteStore) {
    let (folder, store) = new_store();
    for number in 0..200 {
        store.commit(commit(number, b"value")).await.unwrap();
    }
    let spoil = |connection: &Connection| {
        let spoilt = "UPDATE callers SET record = X'01ff' WHERE identity IN (?1, ?2)";
        Ok(connection.execute(spoilt, [[3; 32], [150; 32]])?)
    };
    assert_eq!(store.writer.write(spoil).await.unwrap(), 2);
    (folder, store)
}

fn count(folder: &TempDir, table: &str) -> usize {
    rows(folder).iter().filter(|(name, _)| name == table).count()
}

#[tokio::test]
async fn e2_a_record_that_cannot_be_decoded_stops_no_sweep_and_is_told() {
    let (folder, store) = damaged_store().await;
    let due = NOW + 24 * HOUR;
    let left = Swept { undecodable: 2, ..Swept::default() };
    let first = Swept { fields: 198, identifiers: 198, interactions: 198, metrics: 200, ..left };
    for (at, expected) in [(due, first), (due, left), (due + 91 * 24 * HOUR - 1, left)] {
        assert_eq!(store.sweep(at).await.unwrap(), expected);
        assert_eq!(["callers", "marks", "metrics"].map(|table| count(&folder, table)), [2, 0, 0]);
    }
    // Whatever they held has expired by now.
    assert_eq!(store.sweep(due + 91 * 24 * HOUR).await.unwrap(), Swept { identifiers: 2, ..Swept::default() });
    assert_eq!(count(&folder, "callers"), 0);
}

#[tokio::test]
async fn e3_a_caller_whose_record_cannot_be_decoded_can_be_erased() {
    let (folder, store) = damaged_store().await;
    let erasure = |key| Erasure { identity: IdentityKey([3; 32]), key, now: NOW, expires: NOW + HOUR };
    let before = rows(&folder);
    assert!(matches!(store.erase(erasure(Some("key".to_owned()))).await, Err(StoreError::Damaged { .. })));
    assert_eq!(rows(&folder), before);

    let erased = store.erase(erasure(None)).await.unwrap();
    assert_eq!((erased.fields, erased.interactions, erased.metrics), (0, 0, 1));
    assert_eq!(count(&folder, "metrics"), 199);
    assert!(store.export(IdentityKey([3; 32]), NOW).await.unwrap() == Held::default());
    // A conversation that had begun before, and one that begins now.
    let commit =
        |erasures| Commit { identity: IdentityKey([3; 32]), erasures, ..commit(200 + erasures as u8, b"value") };
    let erased = |committed| match committed {
        Committed::Now(settled) => settled.erased,
        Committed::Before(ended) => panic!("{ended:?}"),
    };
    assert_eq!(erased(store.commit(commit(0)).await.unwrap()), ErasedSince::Everything);
    assert_eq!(erased(store.commit(commit(1)).await.unwrap()), ErasedSince::Nothing);
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

/// A store as the first version left it, with a caller of one field and two sessions.
fn store_of_the_first_format(path: &Path) {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(schema::FIRST).unwrap();
    connection.pragma_update(None, "application_id", schema::APPLICATION_ID).unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    connection.execute("UPDATE store SET erasures = 5", []).unwrap();
    let mut caller = Caller::default();
    caller.mark(Sealed(b"identifier".to_vec()), NOW + 24 * HOUR);
    caller.put(Field { key: "key".to_owned(), written: NOW, expires: NOW + HOUR, value: Sealed(b"value".to_vec()) });
    connection
        .execute(
            "INSERT INTO callers (identity, sweep_at, record) VALUES (?1, ?2, ?3)",
            (&[1; 32], caller.sweep_at(), encode(&caller).unwrap()),
        )
        .unwrap();
    for (number, expires) in [(1, NOW + 100), (2, NOW + 200)] {
        let row = (&[number; 32], expires, format!("session-{number}-").repeat(900).into_bytes());
        connection.execute("INSERT INTO sessions (conversation, expires, session) VALUES (?1, ?2, ?3)", row).unwrap();
    }
}

#[tokio::test]
async fn a_file_of_the_first_format_becomes_one_of_the_present() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    store_of_the_first_format(&path);
    let store = SqliteStore::open_existing(&path).unwrap();

    let read = Read { identity: Some(IdentityKey([1; 32])), conversation: None, now: NOW };
    let loaded = store.load(read).await.unwrap();
    assert_eq!((loaded.erasures, loaded.fields[0].value.0.as_slice()), (5, b"value".as_slice()));
    let expected = Health { identities: 1, fields: 1, sessions: 2, expiring: vec![(NOW, 1)], ..Health::default() };
    assert_eq!(store.health(NOW).await.unwrap(), expected);
    assert_eq!(store.agents().await.unwrap(), []);
    assert_eq!(store.claim(Sealed(b"keys".to_vec())).await.unwrap().0, b"", "it was written before there were keys");

    // Sessions have names that can be replaced, and nobody has to end them.
    let [first, second] = [1, 2].map(|number| ConversationKey([number; 32]));
    let stored = store.load_session(first, NOW).await.unwrap().unwrap();
    assert_eq!(stored.session.0, b"session-1-".repeat(900));
    assert_ne!(stored.revision, store.load_session(second, NOW).await.unwrap().unwrap().revision);
    assert_eq!(store.overdue_sessions(NOW + 99, 9).await.unwrap(), []);
    let next = SavedSession {
        conversation: first,
        expires: NOW + 300,
        overdue: Some(NOW),
        revision: Revision([3; 16]),
        session: Sealed(b"next".to_vec()),
    };
    assert!(store.save_session(next, Replaces::Revision(stored.revision), NOW).await.unwrap());
    assert_eq!(store.overdue_sessions(NOW + 99, 9).await.unwrap(), [first]);
    assert_eq!(store.load_session(second, NOW + 200).await.unwrap(), None, "its expiry is what it was");

    // The table that was replaced has left no copy.
    assert!(is_in_files(folder.path(), "session-2-"));
    assert_eq!(store.sweep(NOW + 200).await.unwrap().sessions, 1);
    assert!(!is_in_files(folder.path(), "session-"));
    let check = store
        .writer
        .write(|connection| Ok(connection.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0))?));
    assert_eq!(check.await.unwrap(), "ok");
}

#[test]
fn a_file_that_came_from_the_first_format_is_laid_out_as_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let [old, new] = ["old.db", "new.db"].map(|name| folder.path().join(name));
    store_of_the_first_format(&old);
    let layout = |path: &Path| -> Vec<(String, String)> {
        drop(SqliteStore::open(path).unwrap());
        let connection = Connection::open(path).unwrap();
        let mut statement =
            connection.prepare("SELECT name, coalesce(sql, '') FROM sqlite_schema ORDER BY name").unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let layout_of_old = layout(&old);
    assert_eq!(layout_of_old, layout(&new));
    assert!(layout_of_old.iter().any(|(name, _)| name == "components"));
}

#[tokio::test]
async fn what_is_overdue_is_found_by_an_index() {
    let (_folder, store) = new_store();
    let plan = store.writer.write(|connection| {
        let mut statement = connection.prepare(
            "EXPLAIN QUERY PLAN SELECT conversation FROM sessions WHERE overdue <= 9 AND expires > 9
            ORDER BY overdue, conversation LIMIT 9",
        )?;
        let plan = statement.query_map([], |row| row.get::<_, String>(3))?;
        Ok(plan.collect::<Result<Vec<_>, _>>()?)
    });
    let plan = plan.await.unwrap();
    assert_eq!(plan.len(), 1, "nothing is sorted: {plan:?}");
    assert!(plan[0].contains("sessions_by_overdue"), "{plan:?}");
}

#[tokio::test]
async fn reads_of_all_callers_go_on_where_a_part_ended() {
    let (_folder, store) = new_store();
    let callers = survey::CALLERS as u32 + 100;
    let add = move |connection: &Connection| {
        let mut caller = Caller::default();
        let expires = NOW + 24 * HOUR;
        caller.put(Field { key: "key".to_owned(), written: NOW, expires, value: Sealed(vec![1]) });
        let record = encode(&caller)?;
        for number in 0..callers {
            let mut identity = [0; 32];
            // Rows are in no order of keys.
            identity[..4].copy_from_slice(&number.reverse_bits().to_be_bytes());
            let row = (&identity, expires, &record);
            connection
                .prepare_cached("INSERT INTO callers (identity, sweep_at, record) VALUES (?1, ?2, ?3)")?
                .execute(row)?;
        }
        Ok(())
    };
    store.writer.write(add).await.unwrap();
    let health = store.health(NOW).await.unwrap();
    assert_eq!((health.identities, health.fields), (u64::from(callers), u64::from(callers)));
    let all = store.identities(None, usize::MAX, NOW).await.unwrap();
    assert_eq!(all.len(), callers as usize);
    assert!(all.is_sorted());
    assert_eq!(store.identities(Some(all[4000]), 3, NOW).await.unwrap(), all[4001..4004]);
    assert_eq!(store.identities(None, usize::MAX, NOW + 24 * HOUR).await.unwrap(), []);
}
