//! Who may open the shards, and what happens when one is away.

use std::sync::Arc;

use agent_memory_store::{Agents, Effect, MemoryStore, Read, Sessions, Shard, ShardedStore, Store, StoreError};

use crate::{
    faulty::{Faults, FaultyShard},
    support::*,
};

async fn refused(map: agent_memory_store::ShardMap, stores: &[Arc<dyn Shard>]) -> String {
    ShardedStore::open(map, stores.to_vec()).await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_map_of_other_slots_or_names_is_refused() {
    let stores = memory_shards(2);
    let names = ["a", "b"];
    ShardedStore::open(striped(&names), stores.clone()).await.unwrap();
    ShardedStore::open(striped(&names), stores.clone()).await.unwrap();
    let error = refused(map(&names, |slot| usize::from(slot > 5)), &stores).await;
    assert!(error.starts_with("shard \"a\" does not go with this map: it belongs to another map"), "{error}");
    let swapped: Vec<_> = stores.iter().rev().cloned().collect();
    let error = refused(striped(&names), &swapped).await;
    assert_eq!(error, "shard \"a\" does not go with this map: it is shard \"b\": correct the URLs of both");
    let error = refused(striped(&["a", "b", "c"]), &stores).await;
    assert!(error.starts_with("shard \"c\" does not go with this map: as many stores"), "{error}");
    let more: Vec<_> = stores.iter().cloned().chain(memory_shards(1)).collect();
    let error = refused(striped(&["a", "b", "c"]), &more).await;
    assert!(error.contains("it belongs to another map"), "{error}");
    // A place is no part of it, nor is a shard without slots.
    let mut elsewhere = striped(&names).shards().to_vec();
    elsewhere[0].url = "memory:elsewhere".to_owned();
    elsewhere.push(agent_memory_store::ShardOfMap { name: "c".to_owned(), url: String::new(), slots: Vec::new() });
    ShardedStore::open(agent_memory_store::ShardMap::new(elsewhere).unwrap(), more).await.unwrap();
}

#[tokio::test]
async fn a_store_that_was_in_use_on_its_own_is_refused() {
    let stores = memory_shards(2);
    stores[1].commit(commit(conversation(1, 2), identity(1), "x")).await.unwrap();
    let error = refused(striped(&["a", "b"]), &stores).await;
    assert!(error.starts_with("shard \"b\" does not go with this map: it has been in use on its own"), "{error}");
}

/// `a` and `c` are up, `b` is away.
async fn one_away() -> (Arc<Faults>, Arc<ShardedStore>) {
    let faults = Arc::new(Faults::default());
    let mut shards = memory_shards(3);
    shards[1] = FaultyShard::all(vec![Arc::new(MemoryStore::new())], &faults).remove(0);
    let store = sharded(&shards).await;
    faults.away(true);
    (faults, store)
}

#[tokio::test]
async fn when_a_shard_is_away_others_go_on() {
    let (faults, store) = one_away().await;
    // Callers and conversations whose slots are on the other two.
    for (talk, of) in [(0, 0), (2, 0), (0, 2), (2, 2), (3, 5)] {
        let talk = conversation(talk, talk as u8 + 10 * of as u8 + 3);
        save(&*store, talk, 1).await;
        let read = Read { identity: Some(identity(of)), conversation: Some(talk), now: NOW };
        store.load(read).await.unwrap();
        store.commit(commit(talk, identity(of), "x")).await.unwrap();
        assert!(store.ended(talk, NOW).await.unwrap().is_some());
    }
    assert_eq!(store.agents().await.unwrap(), []);

    // What needs it says so, and by which name.
    let is_b = |error: StoreError| {
        assert!(error.to_string().starts_with("shard \"b\": "), "{error}");
        assert_eq!(error.effect(), Effect::Rejected);
    };
    let read = Read { identity: Some(identity(1)), conversation: None, now: NOW };
    is_b(store.load(read).await.unwrap_err());
    for (talk, of) in [(1, 0), (0, 1), (1, 1)] {
        is_b(store.commit(commit(conversation(talk, 9), identity(of), "x")).await.unwrap_err());
    }
    is_b(store.load_session(conversation(1, 2), NOW).await.unwrap_err());
    is_b(store.identities(None, 9, NOW).await.unwrap_err());
    is_b(store.metric_rows(NOW).await.unwrap_err());
    is_b(store.health(NOW).await.unwrap_err());
    is_b(store.overdue_sessions(NOW, 9).await.unwrap_err());

    // The others are swept all the same.
    is_b(store.sweep(NOW + 200 * DAY).await.unwrap_err());
    let left = store.export(identity(0), NOW).await.unwrap();
    assert_eq!(left.fields, []);

    // When it is back, what was refused can be repeated.
    faults.away(false);
    for (talk, of) in [(1, 0), (0, 1), (1, 1)] {
        store.commit(commit(conversation(talk, 9), identity(of), "x")).await.unwrap();
    }
    assert_eq!(store.identities(None, 9, NOW).await.unwrap(), [identity(0), identity(1)]);
}
