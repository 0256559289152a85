//! Erasures that meet others, or are broken off.

use std::sync::Arc;

use agent_memory_store::{
    Commit, Committed, Effect, Erased, ErasedSince, Erasure, IdentityKey, Read, Settled, ShardedStore, Store,
};

use crate::{
    faulty::{Fault, Faults, FaultyShard},
    support::*,
};

/// On the second shard; the directory is the first.
const CALLER: IdentityKey = IdentityKey([0x01; 32]);

struct Scene {
    faults: Arc<Faults>,
    /// Fails when it is told to.
    store: Arc<ShardedStore>,
    /// The same shards, which never fail.
    others: Arc<ShardedStore>,
}

async fn scene() -> Scene {
    let faults = Arc::new(Faults::default());
    let shards = memory_shards(3);
    let store = sharded(&FaultyShard::all(shards.clone(), &faults)).await;
    Scene { faults, store, others: sharded(&shards).await }
}

fn erasure(key: Option<&str>) -> Erasure {
    Erasure { identity: CALLER, key: key.map(str::to_owned), now: NOW, expires: NOW + 2 * DAY }
}

/// Begins a conversation, and gives what it would commit.
async fn begin(store: &ShardedStore, number: u8) -> (Commit, usize) {
    let conversation = conversation(5, number);
    let read = Read { identity: Some(CALLER), conversation: Some(conversation), now: NOW };
    let loaded = store.load(read).await.unwrap();
    (Commit { erasures: loaded.erasures, ..commit(conversation, CALLER, "x") }, loaded.fields.len())
}

async fn settled(store: &ShardedStore, commit: Commit) -> Settled {
    match store.commit(commit).await.unwrap() {
        Committed::Now(settled) => settled,
        Committed::Before(_) => panic!("it was committed before"),
    }
}

#[tokio::test]
async fn e3_who_reads_a_caller_that_is_being_erased_cannot_commit_what_was_read() {
    for (method, is_first) in [("load", true), ("erase_as", false), ("count_erasure", false)] {
        let Scene { faults, store, others } = scene().await;
        let before = begin(&store, 1).await.0;
        settled(&store, before).await;
        let (sender, receiver) = std::sync::mpsc::channel();
        let (read, erased) = if is_first {
            // The fields are read, then the caller is erased, then the count is read.
            faults.after(method, async move {
                sender.send(others.erase(erasure(None)).await.unwrap()).unwrap();
            });
            (begin(&store, 2).await, receiver.recv().unwrap())
        } else {
            let (begun, of_begun) = std::sync::mpsc::channel();
            faults.after(method, async move {
                begun.send(begin(&others, 2).await).unwrap();
            });
            let erased = store.erase(erasure(None)).await.unwrap();
            (of_begun.recv().unwrap(), erased)
        };
        assert_eq!(erased.fields, 1);
        let (commit, fields) = read;
        let settled = settled(&store, commit).await;
        assert!(fields == 0 || settled.erased == ErasedSince::Everything, "{method}: {fields} fields, {settled:?}");
    }
}

#[tokio::test]
async fn e3_an_erasure_that_is_broken_off_refuses_commits_until_it_is_repeated() {
    for key in [None, Some("key")] {
        for at in 1..3 {
            for fault in [Fault::Rejected, Fault::Lost, Fault::Unanswered] {
                let Scene { faults, store, .. } = scene().await;
                settled(&store, begin(&store, 1).await.0).await;
                let (before, _) = begin(&store, 2).await;
                let mut plan = vec![(None, 0); at];
                plan.push((Some(fault), 0));
                faults.plan(plan);
                let error = store.erase(erasure(key)).await.unwrap_err();
                assert_eq!(error.effect(), Effect::Unknown, "something was erased: {error}");

                let is_erased = |settled: &Settled| match key {
                    None => settled.erased == ErasedSince::Everything,
                    Some(key) => settled.erased == ErasedSince::Keys(vec![key.to_owned()]),
                };
                assert!(is_erased(&settled(&store, before).await), "it began before");
                assert_eq!(begin(&store, 3).await.1, 0, "it is erased already");

                // What was erased is not there any more, whoever counts it.
                assert_eq!(store.erase(erasure(key)).await.unwrap().fields, 0);
                let (after, _) = begin(&store, 4).await;
                assert_eq!(settled(&store, after).await.erased, ErasedSince::Nothing);
            }
        }
    }
}

#[tokio::test]
async fn e3_an_erasure_does_not_end_what_another_has_begun() {
    let Scene { faults, store, others } = scene().await;
    let shard_faults = Arc::clone(&faults);
    let failing = Arc::clone(&store);
    let (sender, receiver) = std::sync::mpsc::channel();
    // The first is counted. A conversation begins, and then the second begins and is broken off.
    faults.after("count_erasure", async move {
        let (commit, _) = begin(&others, 1).await;
        shard_faults.plan(vec![(None, 0), (Some(Fault::Rejected), 0)]);
        failing.erase(erasure(None)).await.unwrap_err();
        sender.send(commit).unwrap();
    });
    store.erase(erasure(None)).await.unwrap();
    let commit = receiver.recv().unwrap();
    assert_eq!(settled(&store, commit).await.erased, ErasedSince::Everything, "it began before the second");

    assert_eq!(store.erase(erasure(None)).await.unwrap(), Erased::default());
    let (after, _) = begin(&store, 2).await;
    assert_eq!(settled(&store, after).await.erased, ErasedSince::Nothing);
}
