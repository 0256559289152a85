//! Several databases as one store: the conformance suite, random operations, and a third database for two.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests panic when something is wrong")]

mod support;

use std::{ops::RangeInclusive, sync::Arc};

use agent_memory_postgres::PostgresStore;
use agent_memory_store::{
    Backend, Commit, Committed, ConversationKey, Ended, ErasedSince, Erasure, Field, Health, Held, IdentityKey,
    Interaction, InteractionId, Kept, KeptKey, Mark, MetricRow, Moved, NewInteraction, NewRow, Register, RegisterKey,
    Registers, Replacement, Replaces, Revision, RowId, SavedSession, Sealed, Sessions, Shard, ShardMap, ShardOfMap,
    ShardedStore, Store, StoreError, StoredSession, Swept, Timestamp, conformance::model, move_slots,
};
use proptest::{prelude::ProptestConfig, test_runner::TestRunner};

use support::Database;

const DAY: Timestamp = 24 * 3600;

/// 2026-01-01T00:00:00Z.
const NOW: Timestamp = 1_767_225_600;
const LATER: Timestamp = NOW + 90 * DAY;

/// A map by a rule. Neighbouring slots, which are in one partition, may be in different databases.
fn map(names: &[&str], owner: impl Fn(u16) -> usize) -> ShardMap {
    let shards = names.iter().enumerate().map(|(position, name)| {
        let slots: Vec<RangeInclusive<u16>> =
            (0..4096).filter(|slot| owner(*slot) == position).map(|slot| slot..=slot).collect();
        ShardOfMap { name: (*name).to_owned(), url: format!("postgres:{name}"), slots }
    });
    ShardMap::new(shards.collect()).unwrap()
}

fn three() -> ShardMap {
    map(&["a", "b", "c"], |slot| usize::from(slot % 3))
}

/// Opens every database anew, as another process would.
async fn open(databases: &[Database]) -> Vec<Arc<dyn Shard>> {
    let mut stores: Vec<Arc<dyn Shard>> = Vec::new();
    for database in databases {
        stores.push(Arc::new(PostgresStore::open(&database.url(), false).await.unwrap()));
    }
    stores
}

async fn open_as_one(map: ShardMap, databases: &[Database]) -> ShardedStore {
    ShardedStore::open(map, open(databases).await).await.unwrap()
}

async fn make() -> ([Database; 3], Arc<dyn Backend>) {
    let databases = [Database::empty().await, Database::empty().await, Database::empty().await];
    let store = open_as_one(three(), &databases).await;
    (databases, Arc::new(store))
}

agent_memory_store::store_conformance!(make);

#[test]
fn every_answer_is_that_of_the_store_in_memory() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner = TestRunner::new(ProptestConfig { cases: 8, ..ProptestConfig::default() });
    let outcome = runner.run(&model::operations(), |operations| {
        runtime.block_on(async {
            let (databases, store) = make().await;
            model::same_as_in_memory(store, operations, async |store| {
                drop(store);
                Arc::new(open_as_one(three(), &databases).await) as Arc<dyn Backend>
            })
            .await;
        });
        Ok(())
    });
    outcome.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e2_any_number_of_registers_is_swept_by_several_at_once() {
    let database = Database::empty().await;
    let store = Arc::new(PostgresStore::open(&database.url(), false).await.unwrap());
    let register = |number: u16| {
        // Every fourth stays.
        let expires = [Some(NOW), Some(NOW - DAY), Some(NOW - 1), Some(NOW + 1)][usize::from(number % 4)];
        (RegisterKey(number.to_be_bytes().to_vec()), Register { value: vec![1], expires })
    };
    store.put_registers((0..4000).map(register).collect()).await.unwrap();
    let sweeps: Vec<_> = (0..3)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.sweep(NOW).await.unwrap() })
        })
        .collect();
    for sweep in sweeps {
        assert_eq!(sweep.await.unwrap(), Swept::default(), "they are not counted");
    }
    let left = store.registers(None, usize::MAX).await.unwrap();
    assert!(left == (0..4000).filter(|number| number % 4 == 3).map(register).collect::<Vec<_>>(), "{}", left.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_replaces_nothing_is_told_what_is_there_though_others_delete_it() {
    let database = Database::empty().await;
    let store = Arc::new(PostgresStore::open(&database.url(), false).await.unwrap());
    let key = RegisterKey(vec![1]);
    let tasks: Vec<_> = (0..6_u8)
        .map(|number| {
            let (store, key) = (Arc::clone(&store), key.clone());
            tokio::spawn(async move {
                for _ in 0..300 {
                    if number % 2 == 0 {
                        store.remove(vec![KeptKey::Register(key.clone())]).await.unwrap();
                        continue;
                    }
                    let to = Register { value: vec![number], expires: None };
                    let replacement = Replacement { key: key.clone(), from: None, to, ends: None };
                    assert!(store.replace_register(replacement).await.unwrap().is_some());
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

const CALLERS: u16 = 40;

fn old() -> ShardMap {
    map(&["a", "b"], |slot| usize::from(slot % 2))
}

/// The third gets slots of both.
fn new_owner(slot: u16) -> usize {
    if slot.is_multiple_of(5) { 2 } else { usize::from(slot % 2) }
}

fn new() -> ShardMap {
    map(&["a", "b", "c"], new_owner)
}

/// A key in a slot.
fn key(slot: u16, kind: u8) -> [u8; 32] {
    let mut key = [kind; 32];
    key[..2].copy_from_slice(&(slot << 4).to_be_bytes());
    key
}

fn identity(slot: u16) -> IdentityKey {
    IdentityKey(key(slot, 1))
}

fn conversation(slot: u16, kind: u8) -> ConversationKey {
    ConversationKey(key(slot, kind))
}

/// A commit that counts, with one field, which ends its session.
fn commit(conversation: ConversationKey, identity: IdentityKey) -> Commit {
    let id: [u8; 16] = conversation.0[..16].try_into().unwrap();
    let record = Sealed(conversation.0.to_vec());
    Commit {
        conversation,
        identity,
        identifier: Sealed(identity.0.to_vec()),
        erasures: 0,
        now: NOW,
        patch: vec![Field { key: "key".to_owned(), written: NOW, expires: LATER, value: record.clone() }],
        interaction: Some(NewInteraction {
            interaction: Interaction { id: InteractionId(id), began: NOW, expires: LATER, record: record.clone() },
            stands_after: NOW - 90 * DAY,
            row: NewRow { id: RowId(id), began: NOW, details: record.clone() },
        }),
        mark: Mark { expires: LATER, report: record },
        ends_session: true,
    }
}

async fn committed(store: &dyn Backend, commit: Commit) -> ErasedSince {
    match store.commit(commit).await.unwrap() {
        Committed::Now(settled) => settled.erased,
        Committed::Before(ended) => panic!("committed before: {ended:?}"),
    }
}

async fn save(store: &dyn Backend, conversation: ConversationKey) {
    let session = SavedSession {
        conversation,
        expires: NOW + DAY,
        overdue: Some(NOW),
        revision: Revision([1; 16]),
        session: Sealed(conversation.0.to_vec()),
    };
    assert!(store.save_session(session, Replaces::Anything, NOW).await.unwrap());
}

/// The claim that a process has left behind which died before it committed a conversation.
fn claim(conversation: ConversationKey, caller: u16) -> (RegisterKey, Register) {
    let [high, low] = caller.to_be_bytes();
    let key = RegisterKey([b"c", conversation.0.as_slice()].concat());
    (key, Register { value: vec![1, high, low, 0, 0], expires: Some(LATER) })
}

/// Fills two databases with everything that is moved.
async fn fill(databases: &[Database]) {
    let stores = open(databases).await;
    let store = ShardedStore::open(old(), stores.clone()).await.unwrap();
    for number in 0..CALLERS {
        let talk = conversation(number * 3 + 1, 2);
        save(&store, talk).await;
        committed(&store, commit(talk, identity(number))).await;
        committed(&store, commit(conversation(number * 7, 3), identity(number))).await;
        save(&store, conversation(number * 11, 4)).await;
        // Another has taken the interaction's place, and its rows live on.
        if number % 4 == 0 {
            let mut late = commit(conversation(number * 9, 5), identity(number));
            late.interaction.as_mut().unwrap().stands_after = NOW;
            committed(&store, late).await;
        }
        // Empty marks, and what is remembered of erasures.
        if number % 6 == 0 {
            let key = (number % 12 == 0).then(|| "key".to_owned());
            let erasure = Erasure { identity: identity(number), key, now: NOW, expires: NOW + 2 * DAY };
            store.erase(erasure).await.unwrap();
        }
        // What processes have left behind that died: a claim that another caller takes over, and one that stands.
        for kind in [6, 7] {
            let slot = number * 13;
            let left_behind = claim(conversation(slot, kind), number);
            stores[usize::from(slot % 2)].put_registers(vec![left_behind]).await.unwrap();
        }
        committed(&store, commit(conversation(number * 13, 6), identity((number + 31) % CALLERS))).await;
    }
}

/// All that is seen of the callers and their conversations.
#[derive(Debug, PartialEq)]
struct Seen {
    held: Vec<Held>,
    conversations: Vec<(u16, u8, Option<Ended>, Option<StoredSession>)>,
    rows: Vec<MetricRow>,
    identities: Vec<IdentityKey>,
    overdue: Vec<ConversationKey>,
    health: Health,
}

impl Seen {
    async fn of(store: &ShardedStore) -> Self {
        let (mut held, mut conversations) = (Vec::new(), Vec::new());
        for number in 0..CALLERS {
            held.push(store.export(identity(number), NOW).await.unwrap());
            let slots = [(3, 1, 2), (7, 0, 3), (11, 0, 4), (9, 0, 5), (13, 0, 6), (13, 0, 7)];
            for (slot, kind) in slots.map(|(factor, more, kind)| (number * factor + more, kind)) {
                let talk = conversation(slot, kind);
                let ended = store.ended(talk, NOW).await.unwrap();
                conversations.push((slot, kind, ended, store.load_session(talk, NOW).await.unwrap()));
            }
        }
        Self {
            held,
            conversations,
            rows: store.metric_rows(NOW).await.unwrap(),
            identities: store.identities(None, usize::MAX, NOW).await.unwrap(),
            overdue: store.overdue_sessions(NOW, usize::MAX).await.unwrap(),
            health: store.health(NOW).await.unwrap(),
        }
    }
}

/// Everything in a database but for what it knows of itself.
async fn everything(store: &dyn Shard) -> Vec<Kept> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let part = store.dump(after).await.unwrap();
        all.extend(part.kept.into_iter().filter(|kept| !matches!(kept, Kept::Totals { .. })));
        after = part.next;
        if after.is_none() {
            return all;
        }
    }
}

/// Checks that a database has what belongs to it, and nothing else.
async fn has_its_own(store: &dyn Shard, position: usize) {
    let is_own = |key: &[u8]| new_owner(u16::from_be_bytes([key[0], key[1]]) >> 4) == position;
    let (mut callers, mut sessions) = (0, 0);
    for kept in everything(store).await {
        match kept {
            Kept::Caller(caller) => {
                callers += 1;
                assert!(is_own(&caller.identity.0));
            }
            Kept::Session(session) => {
                sessions += 1;
                assert!(is_own(&session.conversation.0));
            }
            // A fence has nobody's key, and stays.
            Kept::Mark(mark) => {
                assert!(mark.recorded.is_none_or(|(identity, _)| identity.0 == [0; 32] || is_own(&identity.0)));
            }
            _ => {}
        }
    }
    let registers = store.registers(None, usize::MAX).await.unwrap();
    assert!(registers.iter().all(|(key, _)| key.0 == b"map" || is_own(&key.0[1..])));
    assert!(callers > 0 && sessions > 0 && registers.len() > 1, "{position}: {callers} {sessions}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_third_database_gets_its_slots_and_who_has_the_old_map_is_refused() {
    let databases = [Database::empty().await, Database::empty().await, Database::empty().await];
    fill(&databases[..2]).await;
    let before = Seen::of(&open_as_one(old(), &databases[..2]).await).await;
    assert!(before.conversations.iter().any(|(_, kind, ended, _)| *kind == 6 && ended.is_some()));

    let moved = move_slots(&old(), &new(), open(&databases).await, |_| ()).await.unwrap();
    assert_eq!((moved.verified, moved.removed), (moved.copied, moved.copied));
    assert!(moved.copied > u64::from(CALLERS), "{moved:?}");
    let again = move_slots(&old(), &new(), open(&databases).await, |_| ()).await.unwrap();
    assert_eq!(again, Moved::default());

    let refused = ShardedStore::open(old(), open(&databases[..2]).await).await.unwrap_err();
    assert!(matches!(refused, StoreError::OtherMap { .. }), "{refused}");
    let stores = open(&databases).await;
    let store = ShardedStore::open(new(), stores.clone()).await.unwrap();
    assert_eq!(Seen::of(&store).await, before);
    for (position, shard) in stores.iter().enumerate() {
        has_its_own(&**shard, position).await;
    }

    // What was committed is committed, also if another caller is named.
    for number in 0..CALLERS {
        for of in [number, number + 1] {
            let again = store.commit(commit(conversation(number * 3 + 1, 2), identity(of))).await.unwrap();
            assert!(matches!(again, Committed::Before(_)), "{number}");
        }
        // What was only claimed can be committed.
        let claimed = commit(conversation(number * 13, 7), identity((number + 1) % CALLERS));
        committed(&store, claimed).await;
    }
    // Whoever was erased before cannot be written by who began before.
    for number in (0..CALLERS).step_by(6) {
        let late = committed(&store, commit(conversation(number, 99), identity(number))).await;
        assert_ne!(late, ErasedSince::Nothing, "{number}");
    }
    // Nothing was moved that a sweep would not find.
    store.sweep(Timestamp::MAX).await.unwrap();
    for shard in &stores {
        assert_eq!(everything(&**shard).await, []);
        let left = shard.registers(None, usize::MAX).await.unwrap();
        assert!(left.iter().all(|(key, _)| key.0 == b"map") && left.len() == 1);
    }
}
