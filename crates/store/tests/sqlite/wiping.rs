//! That nothing of what was deleted is left in the store's files.

use std::{collections::HashSet, fs, path::Path, process::Command, sync::Arc};

use agent_memory_store::{
    AGENT_KEPT, AgentKey, AgentVersion, Agents, Commit, ComponentKey, Erasure, Field, Replaces, SavedSession, Sealed,
    Sessions, SqliteStore, Store, StoreError, Timestamp, VersionKey,
};
use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};

use crate::support::{self, DAY, HOUR, NOW, identity};

/// A text of 24 bytes that no other number has.
fn token(number: u64) -> String {
    format!("<token-{number:016x}>")
}

/// All tokens in the files of a store.
fn tokens_in_files(store: &Path) -> HashSet<String> {
    let mut found = HashSet::new();
    let mut names = Vec::new();
    for entry in fs::read_dir(store.parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        // Another process reads it: to close a file in this one would drop the locks that SQLite has on it.
        let bytes = Command::new("cat").arg(&path).output().unwrap().stdout;
        names.push(path);
        let windows = bytes.windows(24).filter(|window| window.starts_with(b"<token-") && window.ends_with(b">"));
        found.extend(windows.map(|window| String::from_utf8_lossy(window).into_owned()));
    }
    assert_eq!(names.len(), 3, "the file, its log and the log's index: {names:?}");
    found
}

/// A history that makes SQLite move rows within and between pages, and what of it was deleted or replaced.
struct History {
    rng: TestRng,
    tokens: u64,
    conversations: u64,
    /// For each caller, when it is forgotten, and all tokens that were written of it.
    callers: Vec<(Timestamp, Vec<String>)>,
}

impl History {
    fn new(callers: usize) -> Self {
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        // A third of them is forgotten at each of three times.
        let callers = (0..callers).map(|caller| (NOW + (1 + caller as Timestamp % 3) * DAY, Vec::new())).collect();
        Self { rng, tokens: 0, conversations: 0, callers }
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.rng.next_u64() % limit
    }

    /// A text that is a new token again and again, so that no part of it of some length is without one.
    fn text(&mut self, caller: usize) -> Sealed {
        self.tokens += 1;
        let token = token(self.tokens);
        let times = [1, 2, 6, 17, 40, 200][self.below(6) as usize];
        self.callers[caller].1.push(token.clone());
        Sealed(token.repeat(times).into_bytes())
    }

    /// The next commit. What an interaction replaces and what a field overwrites is deleted with the rest.
    fn commit(&mut self) -> (Commit, SavedSession) {
        let caller = self.below(self.callers.len() as u64) as usize;
        let expires = self.callers[caller].0;
        self.conversations += 1;
        let mut commit = support::commit(self.conversations, caller as u64, Vec::new());
        for key in 0..self.below(4) {
            let key = format!("{}{key}", String::from_utf8(self.text(caller).0).unwrap().split_at(24).0);
            let value = self.text(caller);
            commit.patch.push(Field { expires, value, ..support::field(&key, "") });
        }
        commit.identifier = self.text(caller);
        commit.mark.expires = expires;
        commit.mark.report = self.text(caller);
        let new = commit.interaction.as_mut().unwrap();
        new.interaction.expires = expires;
        new.interaction.record = self.text(caller);
        new.row.details = self.text(caller);
        let conversation = self.below(200);
        let session = SavedSession { expires, session: self.text(caller), ..support::saved_session(conversation, b"") };
        (commit, session)
    }

    /// The tokens of those that are forgotten by a time, and of those that are not.
    fn split(&self, now: Timestamp) -> (HashSet<String>, HashSet<String>) {
        let tokens = |forgotten: bool| {
            let callers = self.callers.iter().filter(|(expires, _)| (*expires <= now) == forgotten);
            callers.flat_map(|(_, tokens)| tokens.clone()).collect()
        };
        (tokens(true), tokens(false))
    }
}

async fn play(store: &Arc<SqliteStore>, history: &mut History, commits: usize) {
    let mut tasks = Vec::new();
    for _ in 0..commits {
        let (commit, session) = history.commit();
        let store = Arc::clone(store);
        tasks.push(tokio::spawn(async move {
            store.commit(commit).await.unwrap();
            store.save_session(session, Replaces::Anything, NOW).await.unwrap();
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e2_no_copy_of_what_was_swept_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = Arc::new(SqliteStore::open(&path).unwrap());
    let mut history = History::new(300);
    play(&store, &mut history, 1200).await;

    for days in 1..=3 {
        let now = NOW + days * DAY;
        let (_, alive) = history.split(now - 1);
        assert!(!tokens_in_files(&path).is_disjoint(&alive), "the search finds what is kept");
        store.sweep(now).await.unwrap();

        let (forgotten, alive) = history.split(now);
        let found = tokens_in_files(&path);
        let left: Vec<&String> = found.intersection(&forgotten).collect();
        assert!(left.is_empty(), "{} of {} are left: {left:?}", left.len(), forgotten.len());
        assert_eq!(found.is_empty(), alive.is_empty());
        assert_eq!(fs::metadata(path.with_extension("db-wal")).unwrap().len(), 0);
    }
    assert_eq!(store.statistics().checkpoints, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e3_no_copy_of_what_was_erased_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = Arc::new(SqliteStore::open(&path).unwrap());
    let mut history = History::new(60);
    let mut commits = Vec::new();
    for _ in 0..400 {
        // Sessions are no caller's.
        let (commit, session) = history.commit();
        let token = String::from_utf8(session.session.0).unwrap().split_at(24).0.to_owned();
        for (_, tokens) in &mut history.callers {
            tokens.retain(|other| *other != token);
        }
        let store = Arc::clone(&store);
        commits.push(tokio::spawn(async move { store.commit(commit).await.unwrap() }));
    }
    for commit in commits {
        commit.await.unwrap();
    }
    for caller in 0..20 {
        let erasure = Erasure { identity: identity(caller), key: None, now: NOW, expires: NOW + 2 * DAY };
        assert!(store.erase(erasure).await.unwrap().metrics > 0);
        let found = tokens_in_files(&path);
        let left: Vec<&String> =
            history.callers[caller as usize].1.iter().filter(|token| found.contains(*token)).collect();
        assert!(left.is_empty(), "{left:?}");
    }
    let found = tokens_in_files(&path);
    let kept = history.callers[20..].iter().filter(|(_, tokens)| tokens.iter().any(|token| found.contains(token)));
    assert!(kept.count() > 35, "the others are still there");
}

#[tokio::test]
async fn e3_no_copy_of_an_erased_key_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(&path).unwrap();
    let patch = vec![support::field("a", token(1)), support::field("b", token(2))];
    store.commit(support::commit(1, 1, patch)).await.unwrap();
    let erasure = Erasure { identity: identity(1), key: Some("a".to_owned()), now: NOW, expires: NOW + 2 * DAY };
    store.erase(erasure).await.unwrap();
    assert_eq!(tokens_in_files(&path), HashSet::from([token(2)]));
}

#[tokio::test]
async fn e2_a_sweep_that_a_reader_keeps_from_wiping_says_so_and_can_be_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(&path).unwrap();
    let patch = vec![Field { expires: NOW + HOUR, ..support::field("a", token(1)) }];
    store.commit(support::commit(1, 1, patch)).await.unwrap();

    let reader = rusqlite::Connection::open(&path).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM callers;").unwrap();
    let error = store.sweep(NOW + HOUR).await.unwrap_err();
    let StoreError::Failed { reason, .. } = &error else { panic!("{error:?}") };
    assert!(reason.contains("another process is still reading what was there before"), "{reason}");
    assert_eq!(tokens_in_files(&path), HashSet::from([token(1)]), "the reader still needs it");

    reader.execute_batch("COMMIT").unwrap();
    store.sweep(NOW + HOUR).await.unwrap();
    assert_eq!(tokens_in_files(&path), HashSet::new());
}

#[tokio::test]
async fn e2_others_write_while_a_sweep_waits_for_a_reader() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = Arc::new(SqliteStore::open(&path).unwrap());
    let patch = vec![Field { expires: NOW + HOUR, ..support::field("a", token(1)) }];
    store.commit(support::commit(1, 1, patch)).await.unwrap();

    let reader = rusqlite::Connection::open(&path).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM callers;").unwrap();
    let sweep = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.sweep(NOW + HOUR).await }
    });
    for number in 2..12 {
        store.commit(support::commit(number, number, vec![support::field("a", token(number))])).await.unwrap();
    }
    reader.execute_batch("COMMIT").unwrap();
    assert_eq!(sweep.await.unwrap().unwrap().fields, 1);
    assert!(!tokens_in_files(&path).contains(&token(1)));
}

#[tokio::test]
async fn e2_no_copy_of_an_agent_that_was_swept_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(&path).unwrap();
    for number in 0..20 {
        let version = AgentVersion {
            agent: AgentKey([1; 32]),
            version: VersionKey([number; 32]),
            component: ComponentKey([number; 32]),
            record: Sealed(token(u64::from(number)).repeat(1 + usize::from(number) * 9).into_bytes()),
        };
        // The first is larger than the log grows before it is copied into the file.
        let times = if number == 0 { 800_000 } else { [1, 300][usize::from(number) % 2] };
        let bytes = token(1000 + u64::from(number)).repeat(times).into_bytes();
        store.publish_agent(version, Some(bytes), NOW).await.unwrap();
    }
    assert!(tokens_in_files(&path).contains(&token(1000)));
    store.sweep(NOW + AGENT_KEPT).await.unwrap();
    assert_eq!(tokens_in_files(&path), HashSet::from([token(19), token(1019)]));
    assert_eq!(fs::metadata(path.with_extension("db-wal")).unwrap().len(), 0);
}

#[tokio::test]
async fn e2_the_next_sweep_leaves_no_copy_of_a_session_that_a_commit_ended() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(&path).unwrap();
    for number in 1..=3 {
        let text = token(number).repeat(100);
        let session = support::saved_session(number, text.as_bytes());
        assert!(store.save_session(session, Replaces::Nothing, NOW).await.unwrap());
    }
    for number in 1..=2 {
        store.commit(Commit { ends_session: true, ..support::commit(number, number, vec![]) }).await.unwrap();
    }
    store.sweep(NOW).await.unwrap();
    assert_eq!(tokens_in_files(&path), HashSet::from([token(3)]));
}
