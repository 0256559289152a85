//! Adding a shard.

use std::{path::Path, sync::Arc};

use agent_memory_store::{
    Backend, Commit, Committed, Erasure, Kept, MemoryStore, MoveError, Moved, Registers, Sessions, Shard, ShardMap,
    ShardedStore, SqliteStore, Store, StoreError, Timestamp, Transfer, copy, move_slots,
};

use crate::{
    faulty::{Fault, Faults, FaultyShard},
    support::*,
};

const CALLERS: u16 = 60;

fn old() -> ShardMap {
    striped(&["a", "b"])
}

/// A third gets slots of both.
fn new() -> ShardMap {
    map(&["a", "b", "c"], |slot| if slot.is_multiple_of(5) { 2 } else { usize::from(slot % 2) })
}

/// Fills a store with everything that is moved, the leftovers of crashes included.
async fn fill(stores: &[Arc<dyn Shard>]) {
    let faults = Arc::new(Faults::default());
    let faulty = FaultyShard::all(stores.to_vec(), &faults);
    let store = Arc::new(ShardedStore::open(old(), faulty).await.unwrap());
    for number in 0..CALLERS {
        let talk = conversation(number * 3 + 1, 2);
        save(&*store, talk, 1).await;
        store.commit(commit(talk, identity(number), &number.to_string())).await.unwrap();
        let again = Commit { ends_session: false, ..commit(conversation(number * 7, 3), identity(number), "again") };
        store.commit(again).await.unwrap();
        save(&*store, conversation(number * 5, 4), 1).await;
        // Another has taken its place, and its rows live on.
        if number % 4 == 0 {
            let mut late = commit(conversation(number * 9, 5), identity(number), "late");
            late.interaction.as_mut().unwrap().stands_after = NOW;
            store.commit(late).await.unwrap();
        }
        // Empty marks, and what is remembered of erasures.
        if number % 6 == 0 {
            let key = (number % 12 == 0).then(|| "key".to_owned());
            let erasure = Erasure { identity: identity(number), key, now: NOW, expires: NOW + 2 * DAY };
            store.erase(erasure).await.unwrap();
        }
        // A conversation that was taken over, one that is claimed and not committed, and one whose session is to be
        // deleted yet.
        for (kind, steps) in [(6, 1), (7, 1), (8, 2)] {
            let talk = conversation(number * 13, kind);
            save(&*store, talk, 1).await;
            let mut plan = vec![(None, 0); steps];
            plan.push((Some(Fault::Rejected), 0));
            faults.plan(plan);
            let _ = store.commit(commit(talk, identity(number), "claimed")).await.is_ok();
            faults.plan(Vec::new());
            if kind == 6 {
                let other = identity((number + 31) % CALLERS);
                assert!(matches!(store.commit(commit(talk, other, "taken")).await.unwrap(), Committed::Now(_)));
            }
        }
    }
}

/// What a conversation's end has recorded, and all that is held.
async fn seen(store: &ShardedStore) -> Vec<String> {
    let mut seen = Vec::new();
    for number in 0..CALLERS {
        seen.push(format!("{:?}", store.export(identity(number), NOW).await.unwrap()));
    }
    for slot in 0..CALLERS * 13 {
        for kind in 2..9 {
            let talk = conversation(slot, kind);
            let ended = store.ended(talk, NOW).await.unwrap();
            let session = store.load_session(talk, NOW).await.unwrap();
            if ended.is_some() || session.is_some() {
                seen.push(format!("{slot} {kind} {ended:?} {session:?}"));
            }
        }
    }
    seen.push(format!("{:?}", store.metric_rows(NOW).await.unwrap()));
    seen.push(format!("{:?}", store.identities(None, usize::MAX, NOW).await.unwrap().len()));
    seen
}

/// Checks that the shards hold what they did, each what it has to.
async fn check(stores: &[Arc<dyn Shard>], before: &[String], dump: &[Kept]) {
    let error = ShardedStore::open(old(), stores[..2].to_vec()).await.unwrap_err();
    assert!(matches!(error, StoreError::OtherMap { .. }), "{error}");
    let store = ShardedStore::open(new(), stores.to_vec()).await.unwrap();
    assert_eq!(seen(&store).await, before);
    assert_eq!(everything(&store).await, dump);

    // Whoever was erased before cannot be written by who began before.
    for number in (0..CALLERS).step_by(6) {
        let commit = commit(conversation(number, 99), identity(number), "late");
        let Committed::Now(settled) = store.commit(commit).await.unwrap() else { panic!("it is new") };
        assert_ne!(settled.erased, agent_memory_store::ErasedSince::Nothing);
    }
    // What was committed is committed, also if another caller is named.
    for number in 0..CALLERS {
        let talk = conversation(number * 3 + 1, 2);
        for of in [number, number + 1] {
            let again = store.commit(commit(talk, identity(of), "again")).await.unwrap();
            assert!(matches!(again, Committed::Before(_)), "{number}");
        }
    }
    // Nothing is left where it was.
    for (position, shard) in stores.iter().enumerate() {
        let of_shard = |key: &[u8; 32]| {
            let slot = u16::from_be_bytes([key[0], key[1]]) >> 4;
            let owner = if slot.is_multiple_of(5) { 2 } else { usize::from(slot % 2) };
            owner == position
        };
        for kept in everything(&**shard).await {
            match kept {
                Kept::Caller(caller) => assert!(of_shard(&caller.identity.0)),
                Kept::Session(session) => assert!(of_shard(&session.conversation.0)),
                Kept::Mark(mark) => {
                    let is_one =
                        mark.recorded.is_none_or(|(identity, _)| identity.0 == [0; 32] || of_shard(&identity.0));
                    assert!(is_one);
                }
                _ => {}
            }
        }
        for (key, _) in shard.registers(None, usize::MAX).await.unwrap() {
            assert!(key.0 == b"map" || of_shard(key.0[1..].try_into().unwrap()));
        }
    }
    // All that is left can be swept.
    store.sweep(Timestamp::MAX).await.unwrap();
    assert_eq!(everything(&store).await, []);
}

#[tokio::test]
async fn a_shard_is_added_and_everything_is_where_it_belongs() {
    let folder = tempfile::tempdir().unwrap();
    let open = |name: &str| Arc::new(SqliteStore::open(folder.path().join(name)).unwrap()) as Arc<dyn Shard>;
    for stores in [memory_shards(3), vec![open("a"), open("b"), open("c")]] {
        fill(&stores[..2]).await;
        let before = ShardedStore::open(old(), stores[..2].to_vec()).await.unwrap();
        let (expected, dump) = (seen(&before).await, everything(&before).await);
        let mut told = Moved::default();
        let moved = move_slots(&old(), &new(), stores.clone(), |moved| told = *moved).await.unwrap();
        assert_eq!((told, moved.verified, moved.removed), (moved, moved.copied, moved.copied));
        assert!(moved.copied > u64::from(CALLERS), "{moved:?}");
        // To do it again does nothing, on whatever thread.
        let again = stores.clone();
        let again = tokio::spawn(async move { move_slots(&old(), &new(), again, |_| ()).await.unwrap() });
        assert_eq!(again.await.unwrap(), Moved::default());
        check(&stores, &expected, &dump).await;
    }
}

#[tokio::test]
async fn a_move_that_is_broken_off_anywhere_goes_on() {
    let stores = memory_shards(2);
    fill(&stores).await;
    let before = ShardedStore::open(old(), stores.clone()).await.unwrap();
    let (expected, dump) = (seen(&before).await, everything(&before).await);
    let mut broken = 0;
    for (method, calls) in
        [("replace_register", 12), ("dump", 16), ("restore", 3), ("put_registers", 3), ("registers", 12), ("remove", 9)]
    {
        for (after, fault) in (0..calls).flat_map(|after| [Fault::Rejected, Fault::Unanswered].map(|f| (after, f))) {
            let clones = vec![clone(&stores[0]).await, clone(&stores[1]).await, Arc::new(MemoryStore::new()) as _];
            let faults = Arc::new(Faults::default());
            let faulty = FaultyShard::all(clones.clone(), &faults);
            faults.at(method, after, fault);
            if move_slots(&old(), &new(), faulty.clone(), |_| ()).await.is_err() {
                broken += 1;
                // Nobody can use them meanwhile, unless it had not begun.
                for (map, of_map) in [(old(), &clones[..2]), (new(), &clones[..])] {
                    let has_begun = !clones[2].registers(None, 1).await.unwrap().is_empty();
                    let opened = ShardedStore::open(map, of_map.to_vec()).await;
                    assert!(!has_begun || opened.is_err() || seen(&opened.unwrap()).await == expected);
                }
            }
            move_slots(&old(), &new(), faulty, |_| ()).await.unwrap();
            check(&clones, &expected, &dump).await;
        }
    }
    // Of some there are fewer.
    assert!(broken > 70, "{broken}");
}

async fn clone(store: &Arc<dyn Shard>) -> Arc<dyn Shard> {
    let clone = MemoryStore::new();
    let all = store.dump(None).await.unwrap();
    clone.restore(all.kept).await.unwrap();
    clone.put_registers(store.registers(None, usize::MAX).await.unwrap()).await.unwrap();
    Arc::new(clone)
}

#[tokio::test]
async fn what_has_not_arrived_is_not_deleted() {
    let stores = memory_shards(3);
    fill(&stores[..2]).await;
    let before: Vec<Kept> = everything(&*stores[0]).await;
    let faults = Arc::new(Faults::default());
    let mut faulty = stores.clone();
    faulty[2] = FaultyShard::all(vec![Arc::clone(&stores[2])], &faults).remove(0);
    // Somebody deletes something there as soon as it has come.
    let there = Arc::clone(&stores[2]);
    faults.after("put_registers", async move {
        let caller = everything(&*there).await.into_iter().find_map(|kept| match kept {
            Kept::Caller(caller) => Some(agent_memory_store::KeptKey::Caller(caller.identity)),
            _ => None,
        });
        there.remove(vec![caller.unwrap()]).await.unwrap();
    });
    let error = move_slots(&old(), &new(), faulty, |_| ()).await.unwrap_err();
    let MoveError::Different { from, to, kinds } = &error else { panic!("{error}") };
    assert_eq!((from.as_str(), to.as_str()), ("a", "c"));
    assert!(kinds.contains(&"callers"), "{kinds:?}");
    assert_eq!(everything(&*stores[0]).await, before);
}

#[tokio::test]
async fn maps_that_do_not_go_together_are_refused() {
    let stores = memory_shards(3);
    fill(&stores[..2]).await;
    let refused = async |old: &ShardMap, new: &ShardMap, stores: &[Arc<dyn Shard>]| {
        move_slots(old, new, stores.to_vec(), |_| ()).await.unwrap_err().to_string()
    };
    let error = refused(&old(), &striped(&["b", "a"]), &stores[..2]).await;
    assert!(error.contains("the first shard has to stay the first, and is \"a\""), "{error}");
    let error = refused(&old(), &striped(&["a", "c"]), &stores[..2]).await;
    assert!(error.contains("shard \"b\" is not in the new one"), "{error}");
    let error = refused(&map(&["a", "b"], |_| 0), &new(), &stores).await;
    assert!(error.contains("it does not belong to the old map"), "{error}");
    stores[2].commit(commit(conversation(1, 2), identity(1), "x")).await.unwrap();
    let error = refused(&old(), &new(), &stores).await;
    assert!(error.contains("shard \"c\" does not go with this map: it has been in use"), "{error}");
}

#[tokio::test]
async fn what_one_store_holds_is_copied_to_several_and_back() {
    let folder = tempfile::tempdir_in(parent()).unwrap();
    let one = Arc::new(SqliteStore::open(folder.path().join("one.db")).unwrap());
    for number in 0..CALLERS {
        let commit = commit(conversation(number * 3, 2), identity(number), "x");
        one.commit(commit).await.unwrap();
        save(&*one, conversation(number, 3), 1).await;
    }
    let several = sharded(&memory_shards(3)).await;
    let copied = copy(&*one, &*several, NOW, |_| ()).await.unwrap();
    let back: Arc<dyn Backend> = Arc::new(MemoryStore::new());
    assert_eq!(copy(&*several, &*back, NOW, |_| ()).await.unwrap(), copied);
    for number in 0..CALLERS {
        let again = commit(conversation(number * 3, 2), identity(number + 1), "y");
        assert!(matches!(several.commit(again).await.unwrap(), Committed::Before(_)));
        let [held, expected] = [&*several as &dyn Backend, &*one].map(|store| store.export(identity(number), NOW));
        assert_eq!(held.await.unwrap(), expected.await.unwrap());
    }
}

fn parent() -> std::path::PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() }
}
