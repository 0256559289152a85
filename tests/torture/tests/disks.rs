//! Disks that are full, may not be written, or stop: every error says what it is and what was done, nothing that was
//! acknowledged is lost, and the same process goes on once the disk does.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test has nobody else to tell")]

mod support;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use agent_memory_host::keys::{Keys, KeysError, Source};
use agent_memory_host::store::{SqliteStore, StoreError};
use agent_memory_host::{AdministrationError, Conversation, EndError, IdentifierKind, Outcome};
use agent_memory_tests::{Desk, configuration, scope, set};
use agent_memory_torture::Disk;
use serde_json::{Value, json};

/// Names the folder in which the process works whose files may not grow.
const LIMITED: &str = "AGENT_MEMORY_TEST_LIMITED";

/// More conversations than have room in a log that was once as large as it becomes.
const MOST: usize = 3000;

/// A store and its keys in a folder, an agent that uses them, and what was acknowledged.
struct Shop {
    folder: PathBuf,
    desk: Desk,
    keys: Keys,
    /// The callers whose conversation has ended. Each is remembered in the mood of the caller's own number.
    remembered: BTreeSet<u64>,
}

impl Shop {
    async fn open(folder: &Path) -> Self {
        let keys = Keys::open(&ring(folder), true).unwrap();
        let store = Arc::new(SqliteStore::open(folder.join("memory.db")).unwrap());
        let desk = Desk::sealed(store, keys.clone(), &configuration(""), |builder| builder).await;
        Self { folder: folder.to_owned(), desk, keys, remembered: BTreeSet::new() }
    }

    /// Holds conversations with new callers until one cannot be ended, and gives that.
    async fn talk_until_it_fails(&mut self) -> (u64, Conversation, EndError) {
        for caller in (self.next()..).take(MOST) {
            let mut conversation = self.talk(caller).await;
            match conversation.end(Outcome::default()).await {
                Ok(_) => self.remembered.insert(caller),
                Err(error) => return (caller, conversation, error),
            };
        }
        panic!("{MOST} conversations were acknowledged by a disk that takes nothing")
    }

    /// A conversation with a caller, up to its end.
    async fn talk(&self, caller: u64) -> Conversation {
        let mut conversation = self.desk.call_from(&phone(caller)).await;
        set(&mut conversation, "mood", &json!(caller)).await;
        // Enough for a disk to become full of it.
        set(&mut conversation, "cheese_type", &json!("brie".repeat(500))).await;
        conversation
    }

    async fn end(&mut self, caller: u64, conversation: &mut Conversation) {
        conversation.end(Outcome::default()).await.unwrap();
        self.remembered.insert(caller);
    }

    fn next(&self) -> u64 {
        self.remembered.last().map_or(0, |last| last + 1)
    }

    /// What an agent is told of a caller's mood, in a conversation that nobody ends.
    async fn mood(&self, caller: u64) -> Value {
        let mut conversation = self.desk.call_from(&phone(caller)).await;
        agent_memory_tests::value(&mut conversation, "memory_get", &json!({ "key": "mood" })).await
    }

    /// All that was acknowledged is there, nothing else is, and all of it is whole.
    async fn check(&self) {
        let administration = self.desk.runtime.administration();
        let verified = administration.verify(|_| {}).await.unwrap();
        assert_eq!(verified.problems, []);
        assert_eq!(verified.checked.get("marks").copied().unwrap_or(0), self.remembered.len() as u64);
        for caller in &self.remembered {
            assert_eq!(self.mood(*caller).await, json!(caller));
        }
        assert_eq!(self.mood(self.next() + 1000).await, Value::Null);
    }

    /// Everything that writes says what is wrong, and everything that only reads goes on.
    async fn everything_else_fails(&self, is_expected: fn(&StoreError) -> bool) {
        let administration = self.desk.runtime.administration();
        let erased = administration.erase(&scope(), IdentifierKind::Phone, &phone(0), None).await.unwrap_err();
        assert!(matches!(&erased, AdministrationError::Store(error) if is_expected(error)), "{erased:?}");
        // Nothing has expired, so that a sweep may have nothing to write.
        if let Err(error) = administration.sweep().await {
            assert!(matches!(&error, AdministrationError::Store(_) | AdministrationError::Keys(_)), "{error:?}");
        }
        assert_eq!(self.mood(0).await, json!(0));
    }

    /// The ring cannot be changed, and what is there is whole.
    fn keys_cannot_be_rotated(&self) {
        let before = self.keys.description();
        let error = self.keys.rotate().unwrap_err();
        assert!(matches!(error, KeysError::Io { .. }), "{error:?}");
        assert_eq!(self.keys.description(), before);
        assert_eq!(Keys::open(&ring(&self.folder), false).unwrap().description(), before);
    }

    /// All that could not be done can be done.
    async fn everything_goes_on(&mut self, unfinished: (u64, Conversation)) {
        let (caller, mut conversation) = unfinished;
        self.end(caller, &mut conversation).await;
        // Again, it is what it was: it was committed once.
        self.end(caller, &mut conversation).await;
        let version = self.keys.rotate().unwrap();
        assert_eq!(self.keys.description().unwrap().versions.last().copied().map(u32::from), Some(version));
        let next = self.next();
        let mut conversation = self.talk(next).await;
        self.end(next, &mut conversation).await;
        self.desk.runtime.administration().sweep().await.unwrap();
        self.check().await;
    }
}

fn ring(folder: &Path) -> Source {
    Source::File(folder.join("memory.db.keys"))
}

fn phone(caller: u64) -> String {
    format!("+4416{caller:010}")
}

/// Fills a disk to the last block. Returns the folder with all that it is full of.
fn fill(disk: &Disk) -> PathBuf {
    let folder = disk.path().join("filling");
    fs::create_dir(&folder).unwrap();
    let mut file = File::create(folder.join("large")).unwrap();
    while file.write_all(&[7; 1 << 16]).and_then(|()| file.sync_data()).is_ok() {}
    let small = |number| {
        let mut file = File::create(folder.join(format!("small {number}")))?;
        file.write_all(&[7]).and_then(|()| file.sync_data())
    };
    while file.write_all(&[7; 1 << 10]).and_then(|()| file.sync_data()).is_ok() {}
    // Some room comes to light late: it was reserved for what was about to be written.
    for number in 0..3 {
        let _: std::io::Result<()> = small(number);
    }
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn w3_a_full_disk_loses_nothing_and_goes_on_when_there_is_room() {
    if !support::has_disks() {
        return;
    }
    let disk = Disk::new(24).unwrap();
    let mut shop = Shop::open(disk.path()).await;
    for caller in 0..20 {
        let mut conversation = shop.talk(caller).await;
        shop.end(caller, &mut conversation).await;
    }
    for _ in 0..3 {
        let filling = fill(&disk);
        // There may be room in the log, which keeps its size.
        let (caller, conversation, error) = shop.talk_until_it_fails().await;
        assert!(matches!(error, EndError::Rejected(StoreError::Full { .. })), "{error:?}");
        assert!(error.to_string().contains("free some space, then try again"), "{error}");
        shop.everything_else_fails(|error| matches!(error, StoreError::Full { .. })).await;
        shop.keys_cannot_be_rotated();
        shop.check().await;

        fs::remove_dir_all(filling).unwrap();
        shop.everything_goes_on((caller, conversation)).await;
    }
    let remembered = shop.remembered.clone();
    drop(shop);
    let shop = Shop { remembered, ..Shop::open(disk.path()).await };
    shop.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_without_room_for_a_store_makes_none_and_later_does() {
    if !support::has_disks() {
        return;
    }
    let disk = Disk::new(8).unwrap();
    let path = disk.path().join("memory.db");
    let filling = fill(&disk);
    let error = SqliteStore::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
    let error = Keys::open(&ring(disk.path()), true).unwrap_err();
    assert!(matches!(error, KeysError::Io { .. }), "{error:?}");
    fs::remove_dir_all(filling).unwrap();
    Shop::open(disk.path()).await.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_read_only_is_refused_and_later_is_not() {
    if !support::has_disks() {
        return;
    }
    let disk = Disk::new(8).unwrap();
    let mut shop = Shop::open(disk.path()).await;
    let mut conversation = shop.talk(0).await;
    shop.end(0, &mut conversation).await;
    let remembered = shop.remembered.clone();
    drop((shop, conversation));

    disk.remount("ro").unwrap();
    let error = SqliteStore::open(disk.path().join("memory.db")).unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error:?}");
    let error = SqliteStore::open(disk.path().join("another.db")).unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error:?}");
    // Keys are only read.
    let keys = Keys::open(&ring(disk.path()), false).unwrap();
    assert!(matches!(keys.rotate().unwrap_err(), KeysError::Io { .. }));

    disk.remount("rw").unwrap();
    Shop { remembered, ..Shop::open(disk.path()).await }.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn w3_files_that_may_not_be_written_any_more_lose_nothing_and_go_on_when_they_may() {
    if !support::has_disks() {
        return;
    }
    let disk = Disk::new(24).unwrap();
    let mut shop = Shop::open(disk.path()).await;
    for caller in 0..3 {
        let mut conversation = shop.talk(caller).await;
        shop.end(caller, &mut conversation).await;
    }
    let files = ["memory.db", "memory.db-wal", "memory.db.keys"].map(|name| disk.path().join(name));
    let change = |flag: &str| {
        assert!(Command::new("chattr").arg(flag).args(&files).arg(disk.path()).status().unwrap().success());
    };
    change("+i");
    let (caller, conversation, error) = shop.talk_until_it_fails().await;
    let is_expected = |error: &StoreError| {
        matches!(error, StoreError::Failed { .. } | StoreError::ReadOnly { .. } | StoreError::Unavailable { .. })
    };
    assert!(matches!(&error, EndError::Rejected(error) if is_expected(error)), "{error:?}");
    shop.everything_else_fails(is_expected).await;
    shop.keys_cannot_be_rotated();
    shop.check().await;

    change("-i");
    shop.everything_goes_on((caller, conversation)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn w4_a_file_system_that_stops_is_told_and_nothing_is_lost() {
    if !support::has_disks() {
        return;
    }
    let mut disk = Disk::new(24).unwrap();
    let mut shop = Shop::open(disk.path()).await;
    for caller in 0..3 {
        let mut conversation = shop.talk(caller).await;
        shop.end(caller, &mut conversation).await;
    }
    let open = shop.talk(3).await;
    // As ext4 does by itself when it finds an error.
    let _ = disk.remount("abort");
    let (_, conversation, error) = shop.talk_until_it_fails().await;
    assert!(matches!(error, EndError::Rejected(_) | EndError::Unknown(_)), "{error:?}");
    assert_eq!(shop.mood(0).await, json!(0));
    shop.keys_cannot_be_rotated();

    let remembered = shop.remembered.clone();
    drop((shop, conversation, open));
    disk.restart().unwrap();
    Shop { remembered, ..Shop::open(disk.path()).await }.check().await;
}

#[test]
fn w3_files_that_may_not_grow_lose_nothing_and_go_on_when_they_may() {
    if let Some(folder) = std::env::var_os(LIMITED) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        return runtime.block_on(work_within_limits(Path::new(&folder)));
    }
    let folder = tempfile::tempdir().unwrap();
    let test = "w3_files_that_may_not_grow_lose_nothing_and_go_on_when_they_may";
    // Beyond the limit a write fails then, instead of ending the process.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads", "1"])
        .env(LIMITED, folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

async fn work_within_limits(folder: &Path) {
    let limit = |limit: &str| {
        let process = std::process::id().to_string();
        let status = Command::new("prlimit").args(["--pid", &process, &format!("--fsize={limit}:")]).status();
        assert!(status.unwrap().success());
    };
    let mut shop = Shop::open(folder).await;
    for caller in 0..3 {
        let mut conversation = shop.talk(caller).await;
        shop.end(caller, &mut conversation).await;
    }
    for more in [0, 100, 4096, 9000, 100_000] {
        let log = fs::metadata(folder.join("memory.db-wal")).unwrap().len();
        limit(&(log + more).to_string());
        let (caller, conversation, error) = shop.talk_until_it_fails().await;
        assert!(matches!(error, EndError::Rejected(_) | EndError::Unknown(_)), "{error:?}");
        assert_eq!(shop.mood(0).await, json!(0));
        // Then nothing can be written at all.
        limit("0");
        shop.keys_cannot_be_rotated();
        shop.everything_else_fails(|error| matches!(error, StoreError::Failed { .. } | StoreError::Full { .. })).await;
        limit("unlimited");
        shop.everything_goes_on((caller, conversation)).await;
    }
}
