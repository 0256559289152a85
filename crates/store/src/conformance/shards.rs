//! What a store has to offer beside the rest to be one of several.

use std::sync::Arc;

use super::fixtures::*;
use super::transfer::everything;
use crate::{
    Commit, Committed, Ended, Erased, ErasedSince, Erasure, Health, InteractionId, Kept, KeptKey, KeptMark, MarkRecord,
    Recorded, Register, RegisterKey, Replacement, RowId, SavedSession, Settled, Shard, Swept, Timestamp,
};

type Subject = Arc<dyn Shard>;

fn key(text: &str) -> RegisterKey {
    RegisterKey(text.as_bytes().to_vec())
}

fn register(value: &str) -> Register {
    Register { value: value.as_bytes().to_vec(), expires: None }
}

async fn replace(store: &Subject, from: Option<&Register>, to: &Register) -> Option<Register> {
    let replacement = Replacement { key: key("a"), from: from.cloned(), to: to.clone(), ends: None };
    store.replace_register(replacement).await.unwrap()
}

fn as_backend(store: &Subject) -> super::fixtures::Subject {
    Arc::clone(store) as super::fixtures::Subject
}

pub async fn a_register_is_replaced_only_by_who_knows_what_is_in_it(store: Subject) {
    let [one, two, three] = ["1", "2", ""].map(register);
    assert_eq!(store.register(key("a")).await.unwrap(), None);
    assert_eq!(replace(&store, Some(&one), &two).await, None, "nothing is there");
    assert_eq!(replace(&store, None, &one).await, Some(one.clone()));
    assert_eq!(replace(&store, None, &two).await, Some(one.clone()));
    assert_eq!(replace(&store, Some(&two), &three).await, Some(one.clone()));
    // When it expires is a part of it.
    let expiring = Register { expires: Some(LATER), ..one.clone() };
    assert_eq!(replace(&store, Some(&expiring), &three).await, Some(one.clone()));
    assert_eq!(replace(&store, Some(&one), &expiring).await, Some(expiring.clone()));
    assert_eq!(replace(&store, Some(&one), &three).await, Some(expiring.clone()));
    assert_eq!(replace(&store, Some(&expiring), &three).await, Some(three.clone()));
    assert_eq!(replace(&store, Some(&expiring), &three).await, Some(three.clone()), "it is repeated");
    assert_eq!(store.register(key("a")).await.unwrap(), Some(three));
    assert_eq!(store.register(key("")).await.unwrap(), None);
    assert_eq!(store.register(key("a\0")).await.unwrap(), None);
}

pub async fn of_replacements_at_once_one_counts(store: Subject) {
    let first = register("first");
    for from in [None, Some(first.clone())] {
        let tasks: Vec<_> = (0..16)
            .map(|number| {
                let (store, from) = (Arc::clone(&store), from.clone());
                let to = if from.is_none() { register("first") } else { register(&number.to_string()) };
                tokio::spawn(async move { (replace(&store, from.as_ref(), &to).await == Some(to.clone()), to) })
            })
            .collect();
        let mut winners = Vec::new();
        for task in tasks {
            let (won, to) = task.await.unwrap();
            winners.extend(won.then_some(to));
        }
        winners.dedup();
        let [winner] = &winners[..] else { panic!("{winners:?}") };
        assert_eq!(store.register(key("a")).await.unwrap().as_ref(), Some(winner));
    }
}

pub async fn registers_are_listed_by_key(store: Subject) {
    let keys = ["", "a", "a\0", "aa", "b"];
    let all: Vec<(RegisterKey, Register)> = keys.iter().map(|text| (key(text), register(text))).collect();
    let mut mixed = all.clone();
    mixed.swap(0, 3);
    mixed.push((key("b"), register("replaced")));
    mixed.push((key("b"), register("b")));
    store.put_registers(mixed).await.unwrap();
    assert_eq!(store.registers(None, usize::MAX).await.unwrap(), all);
    assert_eq!(store.registers(None, 2).await.unwrap(), all[..2]);
    assert_eq!(store.registers(Some(key("a\0")), 1).await.unwrap(), all[3..4]);
    assert_eq!(store.registers(Some(key("ab")), 9).await.unwrap(), all[4..]);
    assert_eq!(store.registers(Some(key("b")), 9).await.unwrap(), []);
    let gone = keys.map(|text| KeptKey::Register(key(text)));
    store.remove(gone.to_vec()).await.unwrap();
    assert_eq!(store.registers(None, 9).await.unwrap(), []);
}

pub async fn e2_a_register_is_there_until_a_sweep_finds_it_expired(store: Subject) {
    let until = |expires| Register { expires, ..register("x") };
    let registers = [("a", Some(NOW)), ("b", Some(NOW + 1)), ("c", None)];
    store.put_registers(registers.map(|(text, expires)| (key(text), until(expires))).to_vec()).await.unwrap();
    let left = async || -> Vec<RegisterKey> {
        store.registers(None, 9).await.unwrap().into_iter().map(|(key, _)| key).collect()
    };
    assert_eq!(store.sweep(NOW - 1).await.unwrap(), Swept::default());
    assert_eq!(left().await, ["a", "b", "c"].map(key));
    assert_eq!(store.sweep(NOW).await.unwrap(), Swept::default(), "it is not counted");
    assert_eq!(left().await, ["b", "c"].map(key));
    store.sweep(Timestamp::MAX).await.unwrap();
    assert_eq!(left().await, [key("c")]);
}

pub async fn registers_are_nothing_that_is_held(store: Subject) {
    let before = everything(&as_backend(&store)).await;
    store.put_registers(vec![(key("a"), register("x"))]).await.unwrap();
    assert_eq!(store.health(NOW).await.unwrap(), Health::default());
    assert_eq!(everything(&as_backend(&store)).await, before);
}

pub async fn p4_a_session_is_deleted_with_a_replacement_that_counts(store: Subject) {
    let backend = as_backend(&store);
    for number in [1, 2] {
        save(&backend, session(number, "x")).await;
    }
    let [one, two] = ["1", "2"].map(register);
    let replacement = |from: Option<&Register>, to: &Register| Replacement {
        key: key("a"),
        from: from.cloned(),
        to: to.clone(),
        ends: Some(conversation(1)),
    };
    let standing = store.replace_register(replacement(Some(&two), &one)).await.unwrap();
    assert!(standing.is_none() && stored(&backend, 1, NOW).await.is_some());
    store.replace_register(replacement(None, &one)).await.unwrap();
    assert_eq!(stored(&backend, 1, NOW).await, None);
    // What was replaced already deletes nothing again.
    save(&backend, session(1, "y")).await;
    assert_eq!(store.replace_register(replacement(None, &one)).await.unwrap(), Some(one.clone()));
    assert!(stored(&backend, 1, NOW).await.is_some());
    store.replace_register(replacement(Some(&one), &two)).await.unwrap();
    assert_eq!(stored(&backend, 1, NOW).await, None);
    assert!(stored(&backend, 2, NOW).await.is_some(), "another conversation's");
}

pub async fn e3_an_erasure_is_carried_out_under_a_number(store: Subject) {
    const HIGH: u64 = (1 << 63) - 1;
    let backend = as_backend(&store);
    let written = |number, erasures| Commit { erasures, ..patch(number, 1, vec![field("a", "1"), field("b", "1")]) };
    committed(&backend, Commit { patch: vec![field("a", "1"), field("b", "1")], ..counted(1, 1, NOW) }).await;
    assert_eq!(store.erase_as(erasure(1, Some("a")), HIGH).await.unwrap(), Erased { fields: 1, ..Erased::default() });
    assert_eq!(erasures(&backend).await, 0, "it is not counted");
    let keys = ErasedSince::Keys(vec!["a".to_owned()]);
    assert_eq!(committed(&backend, written(2, HIGH - 1)).await.erased, keys);

    store.renumber_erasure(identity(1), Some("b".to_owned()), HIGH, 5).await.unwrap();
    store.renumber_erasure(identity(1), Some("a".to_owned()), HIGH - 1, 5).await.unwrap();
    store.renumber_erasure(identity(1), None, HIGH, 5).await.unwrap();
    store.renumber_erasure(identity(2), None, HIGH, 5).await.unwrap();
    assert_eq!(committed(&backend, written(3, HIGH - 1)).await.erased, keys, "none of these is that erasure");
    store.renumber_erasure(identity(1), Some("a".to_owned()), HIGH, 5).await.unwrap();
    assert_eq!(committed(&backend, written(4, 4)).await.erased, keys);
    assert_eq!(committed(&backend, written(5, 5)).await.erased, ErasedSince::Nothing);

    let erased = store.erase_as(erasure(1, None), HIGH).await.unwrap();
    assert_eq!(erased, Erased { fields: 2, interactions: 1, metrics: 1 });
    assert_eq!(committed(&backend, written(6, HIGH - 1)).await.erased, ErasedSince::Everything);
    // A later one's number takes the place of it, also if it is lower.
    store.erase_as(erasure(1, None), 7).await.unwrap();
    assert_eq!(committed(&backend, written(7, 6)).await.erased, ErasedSince::Everything);
    store.renumber_erasure(identity(1), None, 7, 8).await.unwrap();
    assert_eq!(committed(&backend, written(8, 7)).await.erased, ErasedSince::Everything);
    assert_eq!(committed(&backend, written(9, 8)).await.erased, ErasedSince::Nothing);
}

pub async fn e3_a_later_number_shortens_no_erasure(store: Subject) {
    let backend = as_backend(&store);
    let until = |hours, key| Erasure { expires: NOW + hours * HOUR, ..erasure(1, key) };
    store.erase_as(until(9, None), 3).await.unwrap();
    store.erase_as(until(2, None), 4).await.unwrap();
    let late = Commit { now: NOW + 9 * HOUR - 1, erasures: 3, ..patch(1, 1, vec![field("a", "1")]) };
    assert_eq!(committed(&backend, late).await.erased, ErasedSince::Everything);
}

pub async fn e3_erasures_elsewhere_are_counted(store: Subject) {
    let backend = as_backend(&store);
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.count_erasure().await.unwrap() })
        })
        .collect();
    let mut counts = Vec::new();
    for task in tasks {
        counts.push(task.await.unwrap());
    }
    counts.sort_unstable();
    assert_eq!(counts, (1..=20).collect::<Vec<u64>>());
    store.erase(erasure(1, None)).await.unwrap();
    assert_eq!(erasures(&backend).await, 21);
}

fn mark(number: u64, expires: Timestamp, text: Option<&str>) -> KeptMark {
    let record = |text| MarkRecord { report: sealed(text), erased: ErasedSince::Nothing, first: false, row: None };
    KeptMark { conversation: conversation(number), expires, recorded: text.map(|text| (identity(9), record(text))) }
}

pub async fn w4_a_mark_is_put_in_unless_one_stands(store: Subject) {
    let backend = as_backend(&store);
    let ended = |text| Ended {
        recorded: Some(Recorded {
            identity: identity(9),
            report: sealed(text),
            settled: Settled { erased: ErasedSince::Nothing, standing: None, first: false },
        }),
    };
    assert_eq!(store.mark_unless(mark(1, NOW + HOUR, Some("a")), NOW).await.unwrap(), None);
    assert_eq!(store.mark_unless(mark(1, LATER, Some("b")), NOW).await.unwrap(), Some(ended("a")));
    assert_eq!(store.ended(conversation(1), NOW).await.unwrap(), Some(ended("a")));
    assert_eq!(repeated(&backend, commit(1, 1)).await, ended("a"), "nothing can be committed");
    assert_eq!(fields(&backend, 1, NOW).await, []);
    // In the place of one that has expired.
    assert_eq!(store.mark_unless(mark(1, LATER, None), NOW + HOUR).await.unwrap(), None);
    assert_eq!(store.ended(conversation(1), NOW).await.unwrap(), Some(Ended { recorded: None }));
    assert_eq!(store.mark_unless(mark(1, LATER, Some("c")), NOW).await.unwrap(), Some(Ended { recorded: None }));
    // Of whom it is need not be known.
    assert_eq!(store.health(NOW).await.unwrap(), Health::default());
    let callers = everything(&backend).await.into_iter().filter(|kept| matches!(kept, Kept::Caller(_))).count();
    assert_eq!(callers, 0);
}

pub async fn w4_of_a_mark_and_a_commit_at_once_one_stands(store: Subject) {
    for number in 0..30 {
        let (marking, committing) = (Arc::clone(&store), Arc::clone(&store));
        let marked = tokio::spawn(async move {
            marking.mark_unless(mark(number, LATER, Some("fence")), NOW).await.unwrap().is_none()
        });
        let done = tokio::spawn(async move {
            let commit = patch(number, number, vec![field("a", "1")]);
            matches!(committing.commit(commit).await.unwrap(), Committed::Now(_))
        });
        let (marked, done) = (marked.await.unwrap(), done.await.unwrap());
        assert!(marked != done, "{number}: {marked} {done}");
        assert_eq!(fields(&as_backend(&store), number, NOW).await.len(), usize::from(done));
    }
}

pub async fn the_longest_overdue_is_first_and_says_since_when(store: Subject) {
    let backend = as_backend(&store);
    for (number, overdue) in [(1, Some(30)), (2, None), (3, Some(10)), (4, Some(20))] {
        save(&backend, SavedSession { overdue: overdue.map(|seconds| NOW + seconds), ..session(number, "x") }).await;
    }
    let expected = [(NOW + 10, conversation(3)), (NOW + 20, conversation(4)), (NOW + 30, conversation(1))];
    assert_eq!(store.overdue_since(NOW + 30, usize::MAX).await.unwrap(), expected);
    assert_eq!(store.overdue_since(NOW + 29, 1).await.unwrap(), expected[..1]);
}

pub async fn what_is_removed_is_gone_and_the_rest_stays(store: Subject) {
    let backend = as_backend(&store);
    for number in [1, 2] {
        committed(&backend, Commit { patch: vec![field("a", "1")], ..counted(number, number, NOW) }).await;
        save(&backend, session(number, "x")).await;
        store.erase(erasure(number, Some("b"))).await.unwrap();
    }
    let before = everything(&backend).await;
    let interaction = interaction(1, NOW).id;
    let keys = [
        (KeptKey::Caller(identity(1)), 1),
        (KeptKey::Mark(conversation(1)), 1),
        (KeptKey::Row(interaction, row_id(1)), 1),
        (KeptKey::Session(conversation(1)), 1),
        (KeptKey::Row(interaction, row_id(2)), 0),
        (KeptKey::Row(InteractionId([9; 16]), RowId([9; 16])), 0),
        (KeptKey::Caller(identity(3)), 0),
    ];
    let mut left = before.len();
    for (key, things) in keys.clone() {
        store.remove(vec![key.clone()]).await.unwrap();
        left -= things;
        let kept = everything(&backend).await;
        assert_eq!(kept.len(), left, "{key:?}");
        assert!(kept.iter().all(|kept| before.contains(kept)));
    }
    assert_eq!(fields(&backend, 1, NOW).await, []);
    store.remove(keys.into_iter().map(|(key, _)| key).collect()).await.unwrap();
    assert_eq!(everything(&backend).await.len(), left, "it can be repeated");
    store.restore(before.clone()).await.unwrap();
    assert_eq!(everything(&backend).await, before);
}
