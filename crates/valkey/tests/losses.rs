//! What a failover loses or a client leaves behind that dies, and what is waited for so that neither matters.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests panic when something is wrong"
)]

#[allow(dead_code, reason = "not every test needs all of it")]
mod support;

use std::{sync::Arc, time::Duration};

use agent_memory_store::{
    AgentKey, Agents, Commit, Committed, ConversationKey, ErasedSince, Erasure, IdentityKey, Kept, Mark, Read,
    Replaces, Revision, SavedSession, Sealed, Sessions, Store, StoreError, Transfer,
};
use agent_memory_test_servers::{
    Signal,
    valkey::{Cluster, Connection, Reply},
};
use agent_memory_valkey::{Durability, Settings, ValkeyStore};

use self::support::{NOW, commit, read, settings, store_in};

/// Which of two primaries has a key.
fn owner(cluster: &Cluster, key: &str) -> usize {
    let answer = cluster.nodes()[0].connect().unwrap().ask(&["CLUSTER", "KEYSLOT", key]).unwrap();
    let Reply::Number(slot) = answer else { panic!("{answer:?}") };
    usize::from(slot >= 8192)
}

/// Two erase one caller at once. The one whose erasure stands then breaks off, and the other gives that its number.
#[tokio::test(flavor = "multi_thread")]
async fn e3_an_erasure_that_was_broken_off_is_numbered_by_the_one_that_it_took_the_place_of() {
    let mut cluster = Cluster::start(2, false, &[]).unwrap();
    let settings = settings(&cluster, Durability::Async);
    let store = Arc::new(ValkeyStore::connect(settings.clone()).await.unwrap());
    let counting = owner(&cluster, "{store}");
    let buckets = (1..=255_u8).map(|number| (number, format!("{{{:04x}}}", u16::from_be_bytes([number, number]) >> 4)));
    let mut elsewhere = buckets.filter(|(_, bucket)| owner(&cluster, bucket) != counting);
    let (number, bucket) = elsewhere.next().unwrap();
    let remembered = [format!("{}{bucket}e", settings.prefix).as_bytes(), &[number; 32]].concat();

    for (key, field) in [(None, "a"), (Some("a".to_owned()), "ka")] {
        cluster.node(counting).unwrap().freeze().unwrap();
        let erasure = Erasure { identity: IdentityKey([number; 32]), key, now: NOW, expires: NOW + 7200 };
        let erased = tokio::spawn({
            let store = Arc::clone(&store);
            async move { store.erase(erasure).await }
        });
        let mut connection = cluster.nodes()[1 - counting].connect().unwrap();
        let mut standing = || connection.ask(&[b"HGET", remembered.as_slice(), field.as_bytes()]).unwrap();
        let mut other = loop {
            match standing() {
                Reply::Bytes(standing) if standing[..8] == [255; 8] => break standing,
                _ => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        };
        other[16..32].fill(7);
        let set: [&[u8]; 4] = [b"HSET", &remembered, field.as_bytes(), &other];
        cluster.nodes()[1 - counting].connect().unwrap().ask(&set).unwrap();
        cluster.node(counting).unwrap().signal(Signal::Continue);
        erased.await.unwrap().unwrap();
        let Reply::Bytes(numbered) = standing() else { panic!() };
        assert_eq!(numbered[16..32], [7; 16]);
        assert_ne!(numbered[..8], [255; 8], "its number is still missing");
    }
}

/// A number that a replica has not received may be handed out twice. No conversation begins with it before.
#[tokio::test(flavor = "multi_thread")]
async fn e3_no_conversation_begins_with_a_number_that_may_be_lost() {
    let cluster = Cluster::start(1, false, &[]).unwrap();
    let settings = settings(&cluster, Durability::Async);
    let store = ValkeyStore::connect(settings.clone()).await.unwrap();
    let erasure = || Erasure { identity: IdentityKey([1; 32]), key: None, now: NOW, expires: NOW + 7200 };
    store.erase(erasure()).await.unwrap();
    let mut connection = cluster.nodes()[0].connect().unwrap();
    let number = format!("{}{{store}}erasures", settings.prefix);
    assert_eq!(connection.ask(&["INCR", &number]).unwrap(), Reply::Number(2), "it was not acknowledged,");
    let begins = Read { conversation: Some(ConversationKey([1; 32])), ..read(1) };
    let began = store.load(begins).await.unwrap().erasures;
    assert_eq!(began, 1);
    assert_eq!(connection.ask(&["DECR", &number]).unwrap(), Reply::Number(1), "and a failover has lost it");
    store.erase(erasure()).await.unwrap();
    let settled = store.commit(Commit { erasures: began, ..commit(1) }).await.unwrap();
    assert!(matches!(settled, Committed::Now(settled) if settled.erased == ErasedSince::Everything));
    assert_eq!(store.load(begins).await.unwrap().erasures, 2);
}

/// Only what says how many erasures there were needs the slot that has it.
#[tokio::test(flavor = "multi_thread")]
async fn what_begins_nothing_is_loaded_without_the_count_of_erasures() {
    let cluster = Cluster::start(1, false, &[]).unwrap();
    let settings = settings(&cluster, Durability::Async);
    let store = ValkeyStore::connect(settings.clone()).await.unwrap();
    store.commit(commit(1)).await.unwrap();
    let mut connection = cluster.nodes()[0].connect().unwrap();
    connection.ask(&["SET", &format!("{}{{store}}counted", settings.prefix), "no number"]).unwrap();
    assert_eq!(store.load(read(1)).await.unwrap().fields.len(), 1);
    let begins = Read { conversation: Some(ConversationKey([2; 32])), ..read(1) };
    assert!(matches!(store.load(begins).await.unwrap_err(), StoreError::Damaged { .. }));
}

/// What is in a bucket is found although the slots are lost in which the store keeps what it knows of itself.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_a_bucket_is_found_by_itself() {
    let cluster = Cluster::start(1, false, &[]).unwrap();
    let settings = settings(&cluster, Durability::Async);
    ValkeyStore::connect(settings.clone()).await.unwrap().commit(commit(1)).await.unwrap();
    let mut connection = cluster.nodes()[0].connect().unwrap();
    for key in keys(&mut connection, &format!("{}{{[sa]*", settings.prefix)) {
        connection.ask(&[b"DEL", key.as_slice()]).unwrap();
    }
    let store = ValkeyStore::connect(settings).await.unwrap();
    assert_eq!(store.identities(None, 9, NOW).await.unwrap(), [IdentityKey([1; 32])]);
    assert_eq!(store.health(NOW).await.unwrap().fields, 1);
    assert!(everything(&store).await.iter().any(|kept| matches!(kept, Kept::Caller(_))));
    assert_eq!(store.sweep(NOW + 7200).await.unwrap().fields, 1);
}

fn keys(connection: &mut Connection, pattern: &str) -> Vec<Vec<u8>> {
    let Reply::List(keys) = connection.ask(&["KEYS", pattern]).unwrap() else { panic!() };
    let key = |key| match key {
        Reply::Bytes(key) => key,
        other => panic!("{other:?}"),
    };
    keys.into_iter().map(key).collect()
}

async fn everything(store: &ValkeyStore) -> Vec<Kept> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let dump = store.dump(after).await.unwrap();
        all.extend(dump.kept);
        match dump.next {
            Some(next) => after = Some(next),
            None => return all,
        }
    }
}

fn session(number: u8) -> SavedSession {
    SavedSession {
        conversation: ConversationKey([number; 32]),
        expires: NOW + 3600,
        overdue: None,
        revision: Revision([1; 16]),
        session: Sealed(vec![1]),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m4_of_what_was_restored_a_sweep_leaves_nothing() {
    const DAY: i64 = 24 * 3600;
    let cluster = Cluster::start(1, false, &[]).unwrap();
    let store = store_in(&cluster, Durability::Async).await;
    for number in 1..5 {
        store.commit(commit(number)).await.unwrap();
    }
    store.save_session(session(5), Replaces::Nothing, NOW).await.unwrap();
    store.erase(Erasure { identity: IdentityKey([1; 32]), key: None, now: NOW, expires: NOW + 7200 }).await.unwrap();
    let settings = settings(&cluster, Durability::Async);
    let copy = ValkeyStore::connect(settings.clone()).await.unwrap();
    copy.restore(everything(&store).await).await.unwrap();

    // A conversation whose mark has expired is committed anew. Its pointer outlives the new mark.
    let later = NOW + 9000;
    let mark = Mark { expires: later + 90 * DAY, ..commit(2).mark };
    let anew = || Commit { now: later, mark: mark.clone(), patch: Vec::new(), ..commit(2) };
    assert!(matches!(copy.commit(anew()).await.unwrap(), Committed::Now(_)));
    copy.sweep(later + 80 * DAY).await.unwrap();
    assert!(matches!(copy.commit(anew()).await.unwrap(), Committed::Before(_)));

    copy.sweep(later + 92 * DAY).await.unwrap();
    let mut connection = cluster.nodes()[0].connect().unwrap();
    let left = keys(&mut connection, &format!("{}*", settings.prefix));
    let left: Vec<String> = left.iter().map(|key| String::from_utf8_lossy(key).into_owned()).collect();
    assert!(left.iter().all(|key| key.starts_with(&format!("{}{{store}}", settings.prefix))), "{left:?}");
}

/// What has been done already is not acknowledged either before a replica has it.
#[tokio::test(flavor = "multi_thread")]
async fn what_changes_nothing_is_waited_for_too() {
    let mut cluster = Cluster::start(1, true, &[]).unwrap();
    let settings = settings(&cluster, Durability::Replica);
    let short = Settings { acknowledge: Duration::from_millis(200), ..settings };
    let store = ValkeyStore::connect(short).await.unwrap();
    store.claim(Sealed(vec![1])).await.unwrap();
    let (conversation, agent) = (ConversationKey([1; 32]), AgentKey([1; 32]));
    cluster.node(1).unwrap().freeze().unwrap();
    for error in [
        store.delete_session(conversation).await.unwrap_err(),
        store.withdraw_agent(agent, NOW).await.unwrap_err(),
        store.claim(Sealed(vec![2])).await.unwrap_err(),
    ] {
        assert!(error.to_string().contains("not 1 replicas have acknowledged"), "{error}");
    }
    cluster.node(1).unwrap().signal(Signal::Continue);
    cluster.wait_for_replica(1).unwrap();
    store.delete_session(conversation).await.unwrap();
    assert!(!store.withdraw_agent(agent, NOW).await.unwrap());
    assert_eq!(store.claim(Sealed(vec![2])).await.unwrap(), Sealed(vec![1]));
}
