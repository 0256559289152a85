//! From one store to another.

use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::fixtures::*;
use crate::{
    Act, ActId, AgentKey, AgentVersion, Committed, ComponentKey, CopyError, Erasure, Kept, MemoryStore, SavedSession,
    Tally, Timestamp, VersionKey, copy,
};

/// Everything in a store, in an order that does not depend on it.
pub(super) async fn everything(store: &Subject) -> Vec<Kept> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let part = store.dump(after).await.unwrap();
        all.extend(part.kept);
        after = part.next;
        if after.is_none() {
            break;
        }
    }
    all.sort_by_cached_key(|kept| postcard::to_stdvec(kept).unwrap());
    all
}

/// What of it has not expired, but for what a store knows of itself.
pub(super) async fn everything_alive(store: &Subject, now: Timestamp) -> Vec<Kept> {
    let all = everything(store).await.into_iter().filter_map(|kept| kept.alive(now));
    all.filter(|kept| !matches!(kept, Kept::Totals { .. })).collect()
}

/// Something of every kind, and what is left when something of every kind was erased.
async fn fill(store: &Subject) {
    store.claim(sealed("keys")).await.unwrap();
    for number in 1..=6 {
        let began = NOW - 3 * HOUR;
        let mut commit = counted(number, number % 3, began);
        commit.patch = vec![field("a", "1"), field("ü", "\0"), field(&format!("key {number}"), "x")];
        store.commit(commit).await.unwrap();
    }
    // An interaction that another took the place of.
    let mut late = counted(7, 2, NOW);
    late.interaction.as_mut().unwrap().stands_after = NOW - HOUR;
    store.commit(late).await.unwrap();
    store.commit(commit(8, 4)).await.unwrap();
    store.erase(erasure(1, None)).await.unwrap();
    store.erase(erasure(2, Some("a"))).await.unwrap();
    store.erase(erasure(77, Some("b"))).await.unwrap();
    // A mark without anything, of a conversation that began before its caller was erased.
    store.commit(patch(9, 1, vec![field("a", "1")])).await.unwrap();
    for number in 1..=3 {
        let overdue = (number == 2).then_some(NOW + 5);
        save(store, SavedSession { overdue, ..session(number, "state") }).await;
    }
    for (number, bytes) in [(1, vec![0; 100_000]), (2, Vec::new()), (3, vec![7])] {
        let version = AgentVersion {
            agent: AgentKey([1; 32]),
            version: VersionKey([number; 32]),
            component: ComponentKey([number; 32]),
            record: sealed("record"),
        };
        store.publish_agent(version, Some(bytes), NOW).await.unwrap();
    }
    store.record_act(Act { id: ActId([1; 16]), at: NOW, expires: LATER, record: sealed("act") }).await.unwrap();
    store.sweep(NOW).await.unwrap();
}

pub async fn everything_is_moved(store: Subject) {
    let memory: Subject = Arc::new(MemoryStore::new());
    fill(&memory).await;
    let expected = everything(&memory).await;
    store.restore(expected.clone()).await.unwrap();
    assert_eq!(everything(&store).await, expected);
    // It can be repeated.
    store.restore(expected.clone()).await.unwrap();
    assert_eq!(everything(&store).await, expected);

    // And it is not only there.
    assert_eq!(store.health(NOW).await.unwrap(), memory.health(NOW).await.unwrap());
    assert_eq!(store.metric_rows(NOW).await.unwrap(), memory.metric_rows(NOW).await.unwrap());
    for number in 0..9 {
        let [held, expected] = [&store, &memory].map(|store| store.export(identity(number), NOW));
        assert_eq!(held.await.unwrap(), expected.await.unwrap(), "{number}");
        let [ended, expected] = [&store, &memory].map(|store| store.ended(conversation(number), NOW));
        assert_eq!(ended.await.unwrap(), expected.await.unwrap(), "{number}");
        assert_eq!(stored(&store, number, NOW).await, stored(&memory, number, NOW).await, "{number}");
    }
    assert_eq!(store.overdue_sessions(NOW + 5, 9).await.unwrap(), [conversation(2)]);
    assert_eq!(store.current_agent(AgentKey([1; 32])).await.unwrap().unwrap().version, VersionKey([3; 32]));
    assert_eq!(store.component(ComponentKey([1; 32])).await.unwrap(), Some(vec![0; 100_000]));
    assert_eq!(store.claim(sealed("others")).await.unwrap(), sealed("keys"));
    assert_eq!(erasures(&store).await, erasures(&memory).await);
}

pub async fn e3_what_was_erased_before_a_move_stays_erased(store: Subject) {
    let memory: Subject = Arc::new(MemoryStore::new());
    fill(&memory).await;
    copy(&*memory, &*store, NOW, |_| ()).await.unwrap();
    let settled = committed(&store, patch(20, 2, vec![field("a", "late"), field("c", "late")])).await;
    assert_eq!(settled.erased, crate::ErasedSince::Keys(vec!["a".to_owned()]));
    assert!(matches!(store.commit(commit(3, 3)).await.unwrap(), Committed::Before(_)), "what is committed stays so");
    let swept = store.sweep(Timestamp::MAX).await.unwrap();
    assert!(swept.identifiers > 0 && swept.interactions > 0 && swept.metrics > 0, "{swept:?}");
}

pub async fn a_dump_has_any_number_of_things_once(store: Subject) {
    const CALLERS: u64 = 700;
    let tasks: Vec<_> = (0..CALLERS)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                store.commit(counted(number, number, NOW)).await.unwrap();
                save(&store, session(number, "x")).await;
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let mut all = everything_alive(&store, NOW).await;
    assert_eq!(all.len() as u64, 4 * CALLERS);
    all.dedup();
    assert_eq!(all.len() as u64, 4 * CALLERS);
}

pub async fn a_copy_is_verified(store: Subject) {
    let memory: Subject = Arc::new(MemoryStore::new());
    fill(&memory).await;
    // What has expired stays behind.
    committed(&memory, patch(50, 50, vec![crate::Field { expires: NOW, ..field("a", "1") }])).await;
    // What expires while it is copied may be gone by the end of it.
    save(&memory, SavedSession { expires: NOW + 60, ..session(51, "short") }).await;
    let mut seen = Vec::new();
    let copied = copy(&*memory, &*store, NOW, |tally| seen.push(tally.total())).await.unwrap();
    assert!(seen.contains(&copied.counts.values().sum::<u64>()));
    memory.delete_session(conversation(51)).await.unwrap();
    assert_eq!(stored(&store, 51, NOW).await.unwrap().session, sealed("short"));
    store.delete_session(conversation(51)).await.unwrap();
    let copied = copy(&*memory, &*store, NOW, |_| ()).await.unwrap();
    assert_eq!(everything_alive(&store, NOW).await, everything_alive(&memory, NOW).await);
    // Again, and back.
    assert_eq!(copy(&*memory, &*store, NOW, |_| ()).await.unwrap(), copied);
    let back: Subject = Arc::new(MemoryStore::new());
    assert_eq!(copy(&*store, &*back, NOW, |_| ()).await.unwrap(), copied);

    // Something else is there too.
    committed(&store, patch(60, 60, vec![field("a", "1")])).await;
    let error = copy(&*memory, &*store, NOW, |_| ()).await.unwrap_err();
    assert_eq!(error, CopyError::Different { kinds: vec!["callers", "marks"] });
    store.erase(Erasure { expires: NOW, ..erasure(60, None) }).await.unwrap();
    let other: Subject = Arc::new(MemoryStore::new());
    other.claim(sealed("other keys")).await.unwrap();
    assert_eq!(copy(&*store, &*other, NOW, |_| ()).await.unwrap_err(), CopyError::OtherKeys);
}

pub async fn a_copy_of_what_changes_meanwhile_is_none(store: Subject) {
    let memory: Subject = Arc::new(MemoryStore::new());
    fill(&memory).await;
    let mut has_changed = false;
    let change = |_: &Tally| {
        if !has_changed {
            has_changed = true;
            let mut late = std::pin::pin!(memory.commit(patch(70, 70, vec![field("a", "1")])));
            // Nothing is waited for in memory.
            let committed = late.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(matches!(committed, Poll::Ready(Ok(Committed::Now(_)))));
        }
    };
    assert_eq!(copy(&*memory, &*store, NOW, change).await.unwrap_err(), CopyError::Changed);
    copy(&*memory, &*store, NOW, |_| ()).await.unwrap();
}

pub async fn c7_a_version_that_is_current_again_can_be_copied_again(store: Subject) {
    let memory: Subject = Arc::new(MemoryStore::new());
    let version = |number| AgentVersion {
        agent: AgentKey([1; 32]),
        version: VersionKey([number; 32]),
        component: ComponentKey([1; 32]),
        record: sealed("record"),
    };
    for number in [1, 2, 1] {
        memory.publish_agent(version(number), Some(vec![7]), NOW).await.unwrap();
        copy(&*memory, &*store, NOW, |_| ()).await.unwrap();
        assert_eq!(store.current_agent(AgentKey([1; 32])).await.unwrap(), Some(version(number)));
    }
}
