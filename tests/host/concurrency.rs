//! Many conversations that end at once, on SQLite, and what is left when the process is killed among them.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use agent_memory_host::keys::{Keys, Source};
use agent_memory_host::store::SqliteStore;
use agent_memory_host::{IdentifierKind, NewConversation, Outcome, ResumeError};
use agent_memory_tests::{Desk, scope, set};
use serde_json::{Value, json};

const CONVERSATIONS: usize = 1000;
const TASKS: usize = 64;
const CALLERS: usize = 100;

/// Names the store of the process that is going to be killed.
const CHILD: &str = "AGENT_MEMORY_TEST_CHILD_STORE";

fn id(conversation: usize) -> String {
    format!("call-{conversation}")
}

fn caller(conversation: usize) -> String {
    format!("+44163296{:04}", conversation % CALLERS)
}

/// Every conversation of a caller has a key of its own, and two that all of them set.
fn own_key(conversation: usize) -> String {
    format!("own_{}", conversation / CALLERS)
}

async fn desk(store: &Path) -> Desk {
    let keys: Vec<_> = (0..CONVERSATIONS / CALLERS).map(|i| own_key(i * CALLERS)).collect();
    let keys: Vec<_> = keys.iter().map(String::as_str).chain(["shared_a", "shared_b"]).collect();
    let configuration = json!({"memory": {"repeat_caller": {"state_keys": keys, "analytics_enabled": true}}});
    let keys = Keys::open(&Source::File(store.with_extension("keys")), true).unwrap();
    let store = SqliteStore::open(store).unwrap();
    Desk::sealed(Arc::new(store), keys, &configuration.to_string(), |builder| builder).await
}

/// One conversation, from the start or from wherever it was left.
async fn converse(desk: &Desk, number: usize) {
    if desk.runtime.administration().has_ended(&scope(), &id(number)).await.unwrap() {
        return;
    }
    let mut conversation = match desk.agent.open(&id(number)).await {
        Ok(conversation) => conversation,
        Err(ResumeError::NotFound) => {
            let start =
                NewConversation { id: Some(id(number)), caller_number: Some(caller(number)), ..Default::default() };
            let mut conversation = desk.start(start).await;
            for key in [own_key(number).as_str(), "shared_a", "shared_b"] {
                set(&mut conversation, key, &json!(number)).await;
            }
            conversation
        }
        Err(error) => panic!("{error}"),
    };
    conversation.end(Outcome::default()).await.unwrap_or_else(|error| panic!("{error}"));
}

/// All conversations, by 64 tasks at once. Tells `done` of each that has ended.
async fn converse_all(desk: Arc<Desk>, done: impl Fn(usize) + Clone + Send + 'static) {
    let next = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let (desk, next, done) = (desk.clone(), next.clone(), done.clone());
            tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= CONVERSATIONS {
                        return;
                    }
                    converse(&desk, number).await;
                    done(number);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

/// Holds the store against what the rules say of it, worked out by hand.
async fn assert_equals_the_model(desk: &Desk) {
    let administration = desk.runtime.administration();
    let mut first_of = BTreeMap::new();
    for number in 0..CALLERS {
        let export = administration.export(&scope(), IdentifierKind::Phone, &caller(number)).await.unwrap();
        let all: Vec<_> = (number..CONVERSATIONS).step_by(CALLERS).collect();
        let mut ids: Vec<_> = all.iter().map(|number| id(*number)).collect();
        ids.sort();
        assert_eq!(export.conversations, ids);

        let mut fields: BTreeMap<_, Value> =
            export.fields.into_iter().map(|(key, field)| (key, field.value.to().unwrap())).collect();
        let (a, b) = (fields.remove("shared_a").unwrap(), fields.remove("shared_b").unwrap());
        assert_eq!(a, b, "both from one patch (W3)");
        assert!(all.contains(&usize::try_from(a.as_u64().unwrap()).unwrap()));
        let own: BTreeMap<_, _> = all.iter().map(|number| (own_key(*number), json!(number))).collect();
        assert_eq!(fields, own);

        let first = export.first_interaction.unwrap()["REPEAT_CALLER_CONV_ID"].clone();
        assert!(ids.contains(&first), "one of the caller's own is the first (A4)");
        first_of.insert(number, first);
    }
    let analytics = administration.analytics().await.unwrap();
    assert_eq!(analytics.totals.conversations, CONVERSATIONS as u64);
    assert_eq!(analytics.totals.repeat_conversations, (CONVERSATIONS - CALLERS) as u64);
    for row in analytics.rows {
        let number: usize = row.conversation["call-".len()..].parse().unwrap();
        assert_eq!(row.metrics["REPEAT_CALLER_CONV_ID"], first_of[&(number % CALLERS)], "all point at the first (A3)");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn w3_w4_a4_a_thousand_ends_at_once_equal_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Arc::new(desk(&folder.path().join("memory.db")).await);
    converse_all(desk.clone(), |_| ()).await;
    assert_equals_the_model(&desk).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn w4_after_a_kill_half_way_repeated_ends_equal_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memory.db");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "concurrency::the_process_that_is_killed", "--nocapture"])
        .env(CHILD, &path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut acknowledged = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        if let Some(number) = line.unwrap().strip_prefix("acknowledged ") {
            acknowledged.push(number.parse::<usize>().unwrap());
        }
        if acknowledged.len() == CONVERSATIONS / 3 {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(acknowledged.len() < CONVERSATIONS, "it was killed half-way");

    let desk = Arc::new(desk(&path).await);
    for number in acknowledged {
        let ended = desk.runtime.administration().has_ended(&scope(), &id(number)).await.unwrap();
        assert!(ended, "{number} was acknowledged and is lost");
    }
    converse_all(desk.clone(), |_| ()).await;
    assert_equals_the_model(&desk).await;
}

/// Does nothing unless it is run as the process that is going to be killed.
#[tokio::test(flavor = "multi_thread")]
async fn the_process_that_is_killed() {
    let Some(store) = std::env::var_os(CHILD) else { return };
    let desk = Arc::new(desk(Path::new(&store)).await);
    converse_all(desk, |number| println!("acknowledged {number}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn m1_w3_sqlite_sees_one_read_a_turn_and_one_transaction_a_batch() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteStore::open(folder.path().join("memory.db")).unwrap());
    let desk = Desk::with(store.clone(), &agent_memory_tests::configuration(""), |builder| builder).await;
    let desk = Arc::new(desk);
    let conversations = 64;
    let before = store.statistics();
    let tasks = (0..conversations).map(|number| {
        let desk = desk.clone();
        tokio::spawn(async move {
            let mut conversation = desk.call_from(&caller(number)).await;
            set(&mut conversation, "mood", &json!("good")).await;
            conversation.end(Outcome::default()).await.unwrap();
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let after = store.statistics();
    // A turn for `start_function`, for `set` and for `end_function`.
    assert_eq!(after.loads - before.loads, 3 * conversations as u64);
    assert_eq!(after.commits - before.commits, conversations as u64);
    // Each end saves a proposal, commits it and deletes the session: three writes, many of them in one transaction.
    let transactions = after.transactions - before.transactions;
    assert!(transactions < 3 * conversations as u64, "{transactions} transactions were not batched");
}
