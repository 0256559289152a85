//! That a process which is killed loses nothing that it was told is committed.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    io::{BufRead, BufReader, Write},
    os::unix::fs::FileExt,
    path::Path,
    process::Command,
    sync::Arc,
};

use agent_memory_store::{Commit, Committed, Field, SqliteStore, Store};

use crate::support::{self, NOW, conversation, field, identity, is_started_for, start_for};

const CALLERS: u64 = 100;
const TASKS: u64 = 64;

/// Tells a process that commits with which conversation to begin.
const FIRST: &str = "AGENT_MEMORY_TEST_FIRST";

#[test]
fn w4_what_is_acknowledged_survives_a_kill_exactly_once_and_nothing_is_torn() {
    if let Some(file) = is_started_for() {
        return commit_until_killed(&file);
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.db");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut acknowledged = BTreeSet::new();
    let mut attempted = BTreeSet::new();
    for (first, acknowledgements) in [(0, 1), (10_000, 300), (20_000, 1500)] {
        let in_this_round = kill_after(&file, first, acknowledgements);
        // Each task has one commit under way, the numbers of whose predecessors were acknowledged.
        let last = in_this_round.last().unwrap();
        attempted.extend(first..last + 2 * TASKS);
        acknowledged.extend(in_this_round);

        let store = SqliteStore::open_existing(&file).unwrap();
        let committed = runtime.block_on(check(&store, &attempted));
        let lost: Vec<&u64> = acknowledged.difference(&committed).collect();
        assert!(lost.is_empty(), "{lost:?}");
    }

    // Whoever does not know whether a commit came through repeats it.
    runtime.block_on(async {
        let store = SqliteStore::open_existing(&file).unwrap();
        let committed = check(&store, &attempted).await;
        for number in &attempted {
            match store.commit(numbered(*number)).await.unwrap() {
                Committed::Now(_) => assert!(!committed.contains(number)),
                Committed::Before(_) => assert!(committed.contains(number)),
            }
        }
        assert_eq!(check(&store, &attempted).await, attempted);
    });
}

#[tokio::test]
async fn w4_a_log_that_was_copied_in_part_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let [before, after, crashed] = ["before", "after", "crashed"].map(|name| {
        fs::create_dir(folder.path().join(name)).unwrap();
        folder.path().join(name).join("store.db")
    });
    let copy = |from: &Path, to: &Path, suffix: &str| {
        let with_suffix = |path: &Path| format!("{}{suffix}", path.display());
        assert!(Command::new("cp").args([with_suffix(from), with_suffix(to)]).status().unwrap().success());
    };
    let numbers: BTreeSet<u64> = (0..50).collect();
    let store = SqliteStore::open(&before).unwrap();
    for number in &numbers {
        store.commit(numbered(*number)).await.unwrap();
    }
    copy(&before, &crashed, "");
    copy(&before, &crashed, "-wal");
    drop(store);
    copy(&before, &after, "");

    // The machine stopped when the first page had been copied, and it tells of pages that are not there yet.
    let first_page = fs::read(&after).unwrap()[..4096].to_vec();
    let file = fs::OpenOptions::new().write(true).open(&crashed).unwrap();
    assert!(file.metadata().unwrap().len() < fs::metadata(&after).unwrap().len());
    file.write_all_at(&first_page, 0).unwrap();
    drop(file);
    for open in [SqliteStore::open_existing, SqliteStore::open] {
        let store = open(&crashed).unwrap();
        assert_eq!(check(&store, &numbers).await, numbers);
    }
}

/// Starts a process that commits, and kills it after some acknowledgements. Returns the conversations that it has
/// acknowledged.
fn kill_after(file: &Path, first: u64, acknowledgements: usize) -> BTreeSet<u64> {
    let test = "crashes::w4_what_is_acknowledged_survives_a_kill_exactly_once_and_nothing_is_torn";
    let mut child = start_for(file, test).env(FIRST, first.to_string()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged = BTreeSet::new();
    for line in lines {
        // The last line may be cut: it was not acknowledged then.
        let Ok(line) = line else { break };
        let Some(number) = line.strip_prefix("committed ").and_then(|rest| rest.strip_suffix('.')) else { continue };
        acknowledged.insert(number.parse().unwrap());
        if acknowledged.len() == acknowledgements {
            child.kill().unwrap();
        }
    }
    let status = child.wait().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9), "it should not have ended by itself");
    acknowledged
}

fn commit_until_killed(file: &Path) {
    let first: u64 = env::var(FIRST).unwrap().parse().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let store = Arc::new(SqliteStore::open(file).unwrap());
        let tasks: Vec<_> = (0..TASKS)
            .map(|task| {
                let store = Arc::clone(&store);
                tokio::spawn(async move {
                    for round in 0.. {
                        let number = first + round * TASKS + task;
                        store.commit(numbered(number)).await.unwrap();
                        // One write, so that a line is whole or missing.
                        let line = format!("committed {number}.\n");
                        std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
}

/// A commit whose parts are spread over all tables, and which can be told from all others in each of them.
fn numbered(number: u64) -> Commit {
    let value = number.to_string();
    let patch = vec![field("one", &value), field("other", &value), field(&format!("of {number}"), &value)];
    support::commit(number, number % CALLERS, patch)
}

/// Checks that each conversation is there as a whole or not at all. Returns those that are.
async fn check(store: &SqliteStore, attempted: &BTreeSet<u64>) -> BTreeSet<u64> {
    let mut committed: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
    for number in attempted {
        if let Some(ended) = store.ended(conversation(*number), NOW).await.unwrap() {
            let recorded = ended.recorded.unwrap();
            assert_eq!(recorded.identity, identity(number % CALLERS));
            assert_eq!(recorded.report.0, format!("report {number}").into_bytes());
            assert!(recorded.settled.standing.is_some());
            committed.entry(number % CALLERS).or_default().insert(*number);
        }
    }
    for (caller, committed) in &committed {
        let held = store.export(identity(*caller), NOW).await.unwrap();
        let value = |field: &Field| String::from_utf8(field.value.0.clone()).unwrap().parse::<u64>().unwrap();
        let by_key = |key: &str| value(held.fields.iter().find(|field| field.key == key).unwrap());
        assert_eq!(by_key("one"), by_key("other"), "a commit is torn");
        assert!(committed.contains(&by_key("one")));

        let own: BTreeSet<u64> = held.fields.iter().filter(|field| field.key.starts_with("of ")).map(value).collect();
        assert_eq!(own, *committed, "fields and marks differ");
        let mut counted: Vec<String> =
            held.metric_rows.iter().map(|row| String::from_utf8(row.details.0.clone()).unwrap()).collect();
        counted.sort();
        let mut expected: Vec<String> = committed.iter().map(|number| format!("details {number}")).collect();
        expected.sort();
        assert_eq!(counted, expected, "metric rows and marks differ");
        assert_eq!(held.metric_rows.iter().filter(|row| row.repeat_of.is_none()).count(), 1);
        assert_eq!(held.conversations.len(), committed.len());
    }
    let all: BTreeSet<u64> = committed.into_values().flatten().collect();
    assert_eq!(store.metric_rows(NOW).await.unwrap().len(), all.len());
    all
}
