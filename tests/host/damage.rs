//! A file that was damaged: what is read of it is right, or an error, and `verify` tells.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use agent_memory_host::keys::Keys;
use agent_memory_host::store::SqliteStore;
use agent_memory_host::{Administration, IdentifierKind, ManualClock, Outcome, Verification};
use agent_memory_tests::{Desk, configuration, scope, sealed_runtime, set};
use serde_json::{Value, json};

/// In how many places a bit is flipped, all over the file.
const FLIPS: usize = 200;

/// When the file was written.
const NOW: &str = "2026-03-02T10:20:00Z";

/// How many callers there are.
const CALLERS: usize = 24;

fn number(caller: usize) -> String {
    format!("+4416329600{caller:02}")
}

/// What administers a file, some time after it was written.
async fn administration(path: &Path, keys: &Keys, now: &str) -> Result<Administration, String> {
    let store = SqliteStore::open_existing(path).map_err(|error| error.to_string())?;
    let runtime = sealed_runtime(Arc::new(store), keys.clone()).clock(Arc::new(ManualClock::new(now.parse().unwrap())));
    Ok(runtime.build().await.map_err(|error| error.to_string())?.administration())
}

/// A file with some callers, one of whom is in a conversation. Returns its bytes.
async fn written(path: &Path, keys: &Keys) -> Vec<u8> {
    let store = Arc::new(SqliteStore::open(path).unwrap());
    let configuration = configuration(r#""analytics_enabled": true"#);
    let desk = Desk::sealed(store, keys.clone(), &configuration, |builder| builder).await;
    for caller in 0..CALLERS {
        for cheese in ["brie", "gouda"] {
            let mut conversation = desk.call_from(&number(caller)).await;
            set(&mut conversation, "cheese_type", &json!(cheese)).await;
            set(&mut conversation, "mood", &json!({ "of": number(caller) })).await;
            conversation.end(Outcome::default()).await.unwrap();
        }
    }
    desk.call_from(&number(0)).await.save().await.unwrap();
    drop(desk);
    fs::read(path).unwrap()
}

/// All that an administrator can learn of each caller, or why not.
async fn exports(administration: &Administration) -> Vec<Result<Value, String>> {
    let mut exports = Vec::new();
    for caller in 0..CALLERS {
        let export = administration.export(&scope(), IdentifierKind::Phone, &number(caller)).await;
        exports.push(export.map(|export| serde_json::to_value(export).unwrap()).map_err(|error| error.to_string()));
    }
    exports
}

async fn verified(administration: &Administration) -> Result<Verification, String> {
    administration.verify(|_| {}).await.map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_store_that_is_whole_is_found_to_be() {
    let (folder, keys) = (tempfile::tempdir().unwrap(), Keys::ephemeral());
    let path = folder.path().join("memory.db");
    written(&path, &keys).await;
    let found = verified(&administration(&path, &keys, NOW).await.unwrap()).await.unwrap();
    assert_eq!(found.problems, []);
    let counts =
        [("callers", 24), ("interactions", 24), ("marks", 48), ("metrics", 48), ("sessions", 1), ("values", 48)];
    assert_eq!(found.checked.into_iter().collect::<Vec<_>>(), counts);

    // Of what has expired there is nothing to be said.
    let later = administration(&path, &keys, "2026-06-02T10:20:00Z").await.unwrap();
    assert_eq!(verified(&later).await.unwrap().problems, []);
}

#[tokio::test]
async fn whatever_bit_is_flipped_no_value_is_wrong_and_none_is_lost_in_silence() {
    let (folder, keys) = (tempfile::tempdir().unwrap(), Keys::ephemeral());
    let path = folder.path().join("memory.db");
    let bytes = written(&path, &keys).await;
    let whole = exports(&administration(&path, &keys, NOW).await.unwrap()).await;

    let (step, damaged) = (bytes.len() / FLIPS, folder.path().join("damaged.db"));
    let mut reported = 0;
    for flip in 0..FLIPS {
        // Somewhere in each part of the file, and not always in the same place of a page.
        let (byte, bit) = (flip * step + flip * 7919 % step, flip % 8);
        let mut flipped = bytes.clone();
        flipped[byte] ^= 1 << bit;
        fs::write(&damaged, &flipped).unwrap();
        let place = format!("bit {bit} of byte {byte}");
        reported += usize::from(is_reported(&damaged, &keys, &whole, &place).await);
    }
    assert!(reported > FLIPS / 4, "only {reported} of {FLIPS} were found: is the file almost empty?");
}

#[tokio::test]
async fn a_file_that_was_cut_short_is_reported_or_refused() {
    let (folder, keys) = (tempfile::tempdir().unwrap(), Keys::ephemeral());
    let path = folder.path().join("memory.db");
    let bytes = written(&path, &keys).await;
    let whole = exports(&administration(&path, &keys, NOW).await.unwrap()).await;
    let damaged = folder.path().join("damaged.db");
    for part in 1..20 {
        let length = bytes.len() * part / 20;
        fs::write(&damaged, &bytes[..length]).unwrap();
        assert!(is_reported(&damaged, &keys, &whole, &format!("the first {length} bytes")).await, "{length}");
    }
}

/// Whether damage is found by whoever opens or verifies the file. What is read of it nevertheless has to be right.
async fn is_reported(path: &Path, keys: &Keys, whole: &[Result<Value, String>], place: &str) -> bool {
    for suffix in ["-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{suffix}", path.display()));
    }
    let administration = match administration(path, keys, NOW).await {
        Ok(administration) => administration,
        Err(message) => {
            assert!(!message.contains("brie") && !message.contains("4416"), "{place}: {message}");
            return true;
        }
    };
    let found = verified(&administration).await;
    let is_reported = found.as_ref().map_or(true, |found| !found.problems.is_empty());
    for (export, whole) in exports(&administration).await.iter().zip(whole) {
        match (export, whole) {
            (Ok(export), Ok(whole)) if export == whole => {}
            (Ok(export), Ok(whole)) => {
                assert!(is_reported, "{place}: something is gone or changed, and nobody says so: {export}");
                let fields = export["fields"].as_object().unwrap();
                for (key, field) in fields {
                    assert_eq!(*field, whole["fields"][key], "{place}: what is read was never written");
                }
            }
            (Err(message), _) => {
                assert!(is_reported, "{place}: {message}, and nothing was found");
                assert!(!message.contains("brie") && !message.contains("4416"), "{place}: {message}");
            }
            (Ok(_), Err(_)) => panic!("the whole file cannot be read"),
        }
    }
    is_reported
}

#[tokio::test]
async fn a_time_of_expiry_that_was_changed_is_reported() {
    let (folder, keys) = (tempfile::tempdir().unwrap(), Keys::ephemeral());
    let path = folder.path().join("memory.db");
    let bytes = written(&path, &keys).await;
    for (table, what) in [("marks", "report"), ("metrics", "metric row"), ("sessions", "session")] {
        // An hour earlier, an hour later, and so long ago that nobody would be shown it any more.
        for changed in ["expires - 3600", "expires + 3600", "0"] {
            fs::write(&path, &bytes).unwrap();
            let database = rusqlite::Connection::open(&path).unwrap();
            let statement = format!("UPDATE {table} SET expires = {changed} WHERE rowid = 1");
            assert_eq!(database.execute(&statement, []).unwrap(), 1);
            drop(database);
            let found = verified(&administration(&path, &keys, NOW).await.unwrap()).await.unwrap();
            let problems: Vec<_> = found.problems.iter().map(|problem| (problem.what, problem.count)).collect();
            assert_eq!(problems, [(what, 1)], "{statement}: {found:?}");
        }
    }
}

#[tokio::test]
async fn e1_what_would_outlive_the_longest_retention_is_reported() {
    let (folder, keys) = (tempfile::tempdir().unwrap(), Keys::ephemeral());
    let path = folder.path().join("memory.db");
    written(&path, &keys).await;
    // Seen from a year before, everything is held for far too long.
    let earlier = administration(&path, &keys, "2025-03-02T10:20:00Z").await.unwrap();
    let found = verified(&earlier).await.unwrap();
    let late: Vec<_> = found.problems.iter().filter(|problem| problem.why.contains("expires later")).collect();
    assert!(late.iter().any(|problem| problem.what == "value" && problem.count == 48), "{found:?}");
}
