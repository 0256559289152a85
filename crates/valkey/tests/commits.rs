//! Commits of one conversation for different callers, and what a client leaves that dies in the middle.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests panic when something is wrong"
)]

#[allow(dead_code, reason = "not every test needs all of it")]
mod support;

use std::sync::Arc;

use agent_memory_store::{
    Commit, Committed, ConversationKey, Ended, ErasedSince, Erasure, Field, IdentityKey, Interaction, InteractionId,
    Kept, Mark, NewInteraction, NewRow, Read, Replaces, Revision, RowId, SavedSession, Sealed, Sessions, Settled,
    Store, Transfer,
};
use agent_memory_test_servers::valkey::Reply;
use agent_memory_valkey::{Durability, Settings, ValkeyStore};

use self::support::{cluster, settings};

const NOW: i64 = 1_767_225_600;
const LATER: i64 = NOW + 90 * 24 * 3600;
const CONVERSATION: ConversationKey = ConversationKey([0x77; 32]);

/// A caller in a bucket of its own.
fn identity(number: u8) -> IdentityKey {
    IdentityKey([number; 32])
}

/// The bucket of that caller.
fn bucket(number: u8) -> u16 {
    u16::from_be_bytes([number, number]) >> 4
}

fn commit(number: u8) -> Commit {
    let id = [number; 16];
    Commit {
        conversation: CONVERSATION,
        identity: identity(number),
        identifier: Sealed(vec![number]),
        erasures: 0,
        now: NOW,
        patch: vec![Field { key: "a".to_owned(), written: NOW, expires: LATER, value: Sealed(vec![number]) }],
        interaction: Some(NewInteraction {
            interaction: Interaction { id: InteractionId(id), began: NOW, expires: LATER, record: Sealed(vec![]) },
            stands_after: 0,
            row: NewRow { id: RowId(id), began: NOW, details: Sealed(vec![number]) },
        }),
        mark: Mark { expires: LATER, report: Sealed(vec![number]) },
        ends_session: false,
    }
}

fn session() -> SavedSession {
    SavedSession {
        conversation: CONVERSATION,
        expires: NOW + 3600,
        overdue: Some(NOW),
        revision: Revision([1; 16]),
        session: Sealed(vec![1]),
    }
}

/// Sends a command to whichever primary has its key.
fn raw(command: &[&[u8]]) -> Reply {
    let nodes = cluster().nodes().iter().take(3);
    let mut answers = nodes.map(|node| node.connect().unwrap().ask(command));
    answers.find_map(Result::ok).unwrap()
}

fn name(settings: &Settings, bucket: u16, kind: &str, key: &[u8]) -> Vec<u8> {
    [format!("{}{{{bucket:04x}}}{kind}", settings.prefix).as_bytes(), key].concat()
}

/// The pointer of the conversation.
fn pointer(settings: &Settings) -> Vec<u8> {
    name(settings, bucket(0x77), "p", &CONVERSATION.0)
}

async fn open() -> (Settings, Arc<ValkeyStore>) {
    let settings = settings(cluster(), Durability::Replica);
    let store = ValkeyStore::connect(settings.clone()).await.unwrap();
    (settings, Arc::new(store))
}

async fn held(store: &ValkeyStore, number: u8) -> usize {
    let read = Read { identity: Some(identity(number)), conversation: None, now: NOW };
    store.load(read).await.unwrap().fields.len()
}

/// Whether a dump has a session.
async fn has_session(store: &ValkeyStore) -> bool {
    let mut after = None;
    loop {
        let dump = store.dump(after).await.unwrap();
        if dump.kept.iter().any(|kept| matches!(kept, Kept::Session(_))) {
            return true;
        }
        match dump.next {
            Some(next) => after = Some(next),
            None => return false,
        }
    }
}

fn winner(ended: &Ended) -> IdentityKey {
    ended.recorded.as_ref().unwrap().identity
}

#[tokio::test(flavor = "multi_thread")]
async fn w4_of_commits_for_different_callers_at_once_one_counts() {
    for round in 0..10 {
        let (_, store) = open().await;
        let tasks: Vec<_> = (0..24)
            .map(|number| {
                let store = Arc::clone(&store);
                tokio::spawn(async move { (number, store.commit(commit(number * 10 + round)).await.unwrap()) })
            })
            .collect();
        let (mut now, mut before) = (Vec::new(), Vec::new());
        for task in tasks {
            match task.await.unwrap() {
                (number, Committed::Now(_)) => now.push(number * 10 + round),
                (_, Committed::Before(ended)) => before.push(winner(&ended)),
            }
        }
        let [first] = now[..] else { panic!("{now:?}") };
        assert_eq!(before, vec![identity(first); 23]);
        for number in (0..24).map(|number| number * 10 + round) {
            assert_eq!(held(&store, number).await, usize::from(number == first), "{number}");
        }
        assert_eq!(store.metric_rows(NOW).await.unwrap().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn w4_a_claim_that_came_to_nothing_holds_up_nobody() {
    let (settings, store) = open().await;
    // Somebody has claimed the conversation for the first caller, and died.
    let claimed = [&bucket(1).to_be_bytes()[..], &1_u32.to_be_bytes(), &[1]].concat();
    raw(&[b"SET", &pointer(&settings), &claimed]);
    assert_eq!(store.ended(CONVERSATION, NOW).await.unwrap(), None);
    // The session has not ended with that.
    assert!(store.save_session(session(), Replaces::Nothing, NOW).await.unwrap());
    assert!(store.load_session(CONVERSATION, NOW).await.unwrap().is_some());
    assert_eq!(store.overdue_sessions(NOW, 9).await.unwrap(), [CONVERSATION]);

    assert!(matches!(store.commit(commit(2)).await.unwrap(), Committed::Now(_)));
    let Committed::Before(ended) = store.commit(commit(1)).await.unwrap() else { panic!() };
    assert_eq!(winner(&ended), identity(2));
    assert_eq!((held(&store, 1).await, held(&store, 2).await), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn w4_a_fence_that_was_left_is_stepped_over() {
    let (settings, store) = open().await;
    // Somebody wanted to commit for another caller, has put a fence there, and died before the pointer was moved.
    let claimed = [&bucket(1).to_be_bytes()[..], &7_u32.to_be_bytes(), &[0]].concat();
    raw(&[b"SET", &pointer(&settings), &claimed]);
    let fence = [&b"F"[..], &7_u32.to_be_bytes()].concat();
    raw(&[b"SET", &name(&settings, bucket(1), "m", &CONVERSATION.0), &fence]);
    assert!(matches!(store.commit(commit(1)).await.unwrap(), Committed::Now(_)));
    let Committed::Before(ended) = store.commit(commit(2)).await.unwrap() else { panic!() };
    assert_eq!(winner(&ended), identity(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn w4_a_session_has_ended_although_nobody_has_deleted_it() {
    let (settings, store) = open().await;
    assert!(store.save_session(session(), Replaces::Nothing, NOW).await.unwrap());
    store.commit(commit(1)).await.unwrap();
    assert!(store.load_session(CONVERSATION, NOW).await.unwrap().is_some(), "it was not asked to end");
    // A client that dies right behind its commit leaves the session, and a pointer that says that it ends.
    let claimed = [&bucket(1).to_be_bytes()[..], &1_u32.to_be_bytes(), &[1]].concat();
    raw(&[b"SET", &pointer(&settings), &claimed]);
    assert_eq!(store.load_session(CONVERSATION, NOW).await.unwrap(), None);
    assert_eq!(store.overdue_sessions(NOW, 9).await.unwrap(), []);
    assert_eq!(store.health(NOW).await.unwrap().sessions, 0);
    assert!(!has_session(&store).await);

    // Nothing is there that could be replaced, and what is saved next is not taken for what has ended.
    let next = SavedSession { revision: Revision([2; 16]), ..session() };
    let replaces = Replaces::Revision(Revision([1; 16]));
    assert!(!store.save_session(next.clone(), replaces, NOW).await.unwrap());
    assert!(store.save_session(next, Replaces::Nothing, NOW).await.unwrap());
    let there = store.load_session(CONVERSATION, NOW).await.unwrap().unwrap();
    assert_eq!(there.revision, Revision([2; 16]));
    assert_eq!(store.overdue_sessions(NOW, 9).await.unwrap(), [CONVERSATION]);
    assert_eq!(store.health(NOW).await.unwrap().sessions, 1);
    assert!(has_session(&store).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn e3_an_erasure_that_was_broken_off_refuses_until_it_is_repeated() {
    let (settings, store) = open().await;
    let erasure = Erasure { identity: identity(1), key: None, now: NOW, expires: NOW + 7200 };
    store.commit(Commit { conversation: ConversationKey([1; 32]), ..commit(1) }).await.unwrap();
    store.erase(erasure.clone()).await.unwrap();
    // As if it had died before the erasure had its number.
    let key = name(&settings, bucket(1), "e", &identity(1).0);
    let Reply::Bytes(mut remembered) = raw(&[b"HGET", &key, b"a"]) else { panic!() };
    remembered[..8].fill(255);
    raw(&[b"HSET", &key, b"a", &remembered]);

    let everything = Settled { erased: ErasedSince::Everything, standing: None, first: false };
    let began = |number: u8, erasures| Commit { conversation: ConversationKey([number; 32]), erasures, ..commit(1) };
    assert_eq!(store.commit(began(2, 1)).await.unwrap(), Committed::Now(everything));
    assert_eq!(held(&store, 1).await, 0);
    store.erase(erasure).await.unwrap();
    assert!(matches!(store.commit(began(3, 2)).await.unwrap(), Committed::Now(settled) if settled.first));
    assert_eq!(held(&store, 1).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn e2_servers_delete_what_expires_by_themselves() {
    let (settings, store) = open().await;
    let mut late = commit(1);
    late.patch[0].expires = NOW + 3600;
    store.commit(late).await.unwrap();
    store.save_session(session(), Replaces::Nothing, NOW).await.unwrap();
    let ttl = |command: &[&[u8]]| match raw(command) {
        Reply::Number(ttl) => ttl,
        Reply::List(list) => match list[..] {
            [Reply::Number(ttl)] => ttl,
            _ => panic!("{list:?}"),
        },
        other => panic!("{other:?}"),
    };
    let caller = name(&settings, bucket(1), "c", &identity(1).0);
    let days = 90 * 24 * 3600;
    for (found, expected) in [
        (ttl(&[b"HTTL", &caller, b"FIELDS", b"1", b"fa"]), 3600),
        (ttl(&[b"HTTL", &caller, b"FIELDS", b"1", b"n"]), days),
        (ttl(&[b"TTL", &caller]), days),
        (ttl(&[b"TTL", &name(&settings, bucket(1), "m", &CONVERSATION.0)]), days),
        (ttl(&[b"TTL", &name(&settings, bucket(1), "r", &[1; 16])]), days),
        (ttl(&[b"TTL", &name(&settings, bucket(0x77), "s", &CONVERSATION.0)]), 3600),
        (ttl(&[b"TTL", &pointer(&settings)]), days + 24 * 3600),
    ] {
        assert!((expected - 30..=expected).contains(&found), "{found} is not {expected}");
    }
}
