//! What a commit writes, and that it does so once.

use super::fixtures::*;
use crate::{Commit, Committed, Ended, ErasedSince, Field, Read, Recorded, Settled};

const NOTHING_ELSE: Settled = Settled { erased: ErasedSince::Nothing, standing: None, first: false };

pub async fn i8_callers_are_kept_apart(store: Subject) {
    let mut neighbour = identity(1);
    neighbour.0[31] ^= 1;
    committed(&store, patch(1, 1, vec![field("name", "Ann")])).await;
    committed(&store, Commit { identity: neighbour, ..patch(2, 1, vec![field("name", "Ben")]) }).await;

    assert_eq!(values(&store, 1, NOW).await, pairs(&[("name", "Ann")]));
    let read = Read { identity: Some(neighbour), conversation: None, now: NOW };
    assert_eq!(store.load(read).await.unwrap().fields, [field("name", "Ben")]);
    assert_eq!(fields(&store, 2, NOW).await, []);
}

pub async fn m1_a_caller_without_an_identifier_reads_nothing(store: Subject) {
    committed(&store, patch(1, 1, vec![field("name", "Ann")])).await;
    let read = Read { identity: None, conversation: Some(conversation(1)), now: NOW };
    let loaded = store.load(read).await.unwrap();
    assert_eq!(loaded.fields, []);
    assert!(loaded.ended, "the rest of the answer does not depend on the caller");
}

pub async fn m2_fields_are_ordered_by_key(store: Subject) {
    let unordered = ["b", "a", "", "ä", "B", "aa", "a\0"].map(|key| field(key, key));
    committed(&store, patch(1, 1, unordered.to_vec())).await;
    let keys: Vec<String> = fields(&store, 1, NOW).await.into_iter().map(|field| field.key).collect();
    assert_eq!(keys, ["", "B", "a", "a\0", "aa", "b", "ä"]);
}

pub async fn v5_every_key_and_every_value_comes_back(store: Subject) {
    let keys = [
        "",
        " ",
        "\0",
        "a\0b",
        "'; DROP TABLE callers; --",
        "\"quoted\" 'twice' `thrice` \\",
        "%_*?[]$1?1:name",
        "\u{feff}\u{202e}\u{10ffff}",
        "e\u{301}",
        "\u{e9}",
        &"ß".repeat(64),
        &"\u{10ffff}".repeat(32),
    ];
    let every_byte: Vec<u8> = (0..=255).collect();
    let patched: Vec<Field> = keys
        .iter()
        .enumerate()
        .map(|(number, key)| Field { value: sealed(&every_byte[..number * 23]), ..field(key, "") })
        .collect();
    committed(&store, patch(1, 1, patched.clone())).await;

    let mut expected = patched;
    expected.sort_by(|a, b| a.key.cmp(&b.key));
    assert_eq!(fields(&store, 1, NOW).await, expected);
    for key in keys {
        let erased = store.erase(erasure(1, Some(key))).await.unwrap();
        assert_eq!(erased.fields, 1);
    }
    assert_eq!(fields(&store, 1, NOW).await, []);
}

pub async fn v5_as_much_as_the_limits_allow_comes_back(store: Subject) {
    let large = |number: usize| -> Field {
        let value: Vec<u8> = (0..8192).map(|index| (index * 31 + number) as u8).collect();
        Field { value: sealed(value), ..field(&format!("{number:0128}"), "") }
    };
    let patched: Vec<Field> = (0..64).map(large).collect();
    committed(&store, patch(1, 1, patched.clone())).await;
    assert_eq!(fields(&store, 1, NOW).await, patched);

    committed(&store, patch(2, 1, vec![Field { value: sealed("small"), ..large(7) }])).await;
    let read = fields(&store, 1, NOW).await;
    assert_eq!((read.len(), &read[7].value, &read[8]), (64, &sealed("small"), &patched[8]));
}

pub async fn w2_other_fields_and_their_expiry_stay(store: Subject) {
    let early = Field { expires: NOW + 2 * HOUR, ..field("early", "1") };
    let late = Field { expires: NOW + 9 * HOUR, ..field("late", "1") };
    committed(&store, patch(1, 1, vec![early.clone(), late])).await;
    let later = Field { written: NOW + HOUR, expires: NOW + 10 * HOUR, ..field("late", "2") };
    committed(&store, Commit { now: NOW + HOUR, ..patch(2, 1, vec![later.clone()]) }).await;
    assert_eq!(fields(&store, 1, NOW + HOUR).await, [early, later]);
}

pub async fn w3_a_patch_lands_as_a_whole(store: Subject) {
    assert_eq!(fields(&store, 1, NOW).await, []);
    let patched: Vec<Field> = (0..10)
        .map(|number| Field { expires: NOW + number * HOUR + HOUR, ..field(&number.to_string(), "x") })
        .collect();
    let settled = committed(&store, patch(1, 1, patched.clone())).await;
    assert_eq!(settled, NOTHING_ELSE);
    assert_eq!(fields(&store, 1, NOW).await, patched);
}

pub async fn w3_later_commits_win_key_by_key(store: Subject) {
    committed(&store, patch(1, 1, vec![field("a", "1"), field("b", "1")])).await;
    committed(&store, patch(2, 1, vec![field("b", "2"), field("c", "2")])).await;
    committed(&store, patch(3, 1, vec![field("c", "3"), field("c", "4")])).await;
    assert_eq!(values(&store, 1, NOW).await, pairs(&[("a", "1"), ("b", "2"), ("c", "4")]));
}

pub async fn w3_no_reader_sees_half_a_patch(store: Subject) {
    let commits = (0..4).map(|task| {
        let store = store.clone();
        tokio::spawn(async move {
            for number in 0..25 {
                let value = format!("{task} {number}");
                let fields = vec![field("a", &value), field("b", &value), field("c", &value)];
                committed(&store, patch(task * 100 + number, 1, fields)).await;
            }
        })
    });
    let commits: Vec<_> = commits.collect();
    loop {
        let is_over = commits.iter().all(|commits| commits.is_finished());
        let read = values(&store, 1, NOW).await;
        assert!(read.is_empty() || read.len() == 3);
        assert!(read.iter().all(|(_, value)| *value == read[0].1), "{read:?}");
        if is_over {
            break;
        }
        tokio::task::yield_now().await;
    }
    for commits in commits {
        commits.await.unwrap();
    }
    assert_eq!(values(&store, 1, NOW).await.len(), 3);
}

pub async fn w4_a_repeated_commit_writes_nothing(store: Subject) {
    let first = counted(1, 1, NOW);
    let first = Commit { patch: vec![field("a", "1")], ..first };
    let settled = committed(&store, first.clone()).await;
    let expected = Ended { recorded: Some(Recorded { identity: identity(1), report: report(1), settled }) };
    assert_eq!(repeated(&store, first).await, expected);

    // Not even with other content, or for another caller.
    let mut other = Commit { patch: vec![field("a", "2"), field("b", "2")], ..counted(2, 2, NOW) };
    other.conversation = conversation(1);
    assert_eq!(repeated(&store, other).await, expected);
    assert_eq!(values(&store, 1, NOW).await, pairs(&[("a", "1")]));
    assert_eq!(fields(&store, 2, NOW).await, []);
    assert_eq!(store.metric_rows(NOW).await.unwrap().len(), 1);
}

pub async fn w4_of_commits_at_once_one_counts(store: Subject) {
    let tasks: Vec<_> = (0..64)
        .map(|task: u64| {
            let store = store.clone();
            let mut commit = Commit { patch: vec![field("winner", &task.to_string())], ..counted(task, 1, NOW) };
            commit.conversation = conversation(1000);
            tokio::spawn(async move { (task, store.commit(commit).await.unwrap()) })
        })
        .collect();
    let mut winners = Vec::new();
    let mut others = Vec::new();
    for task in tasks {
        match task.await.unwrap() {
            (task, Committed::Now(settled)) => winners.push((task, settled)),
            (_, Committed::Before(ended)) => others.push(ended),
        }
    }
    let [(winner, settled)] = winners.as_slice() else { panic!("{winners:?}") };
    let recorded = Recorded { identity: identity(1), report: report(*winner), settled: settled.clone() };
    assert_eq!(others, vec![Ended { recorded: Some(recorded) }; 63]);
    assert_eq!(values(&store, 1, NOW).await, pairs(&[("winner", &winner.to_string())]));
    assert_eq!(store.metric_rows(NOW).await.unwrap().len(), 1);
}

pub async fn w4_a_mark_tells_what_was_recorded(store: Subject) {
    let asked = |number| Read { identity: Some(identity(1)), conversation: Some(conversation(number)), now: NOW };
    assert_eq!(store.ended(conversation(1), NOW).await.unwrap(), None);
    assert!(!store.load(asked(1)).await.unwrap().ended);

    let settled = committed(&store, counted(1, 1, NOW)).await;
    let expected = Recorded { identity: identity(1), report: report(1), settled };
    assert_eq!(recorded(&store, 1, NOW).await, expected);
    assert!(store.load(asked(1)).await.unwrap().ended);
    assert!(!store.load(asked(2)).await.unwrap().ended);
    assert!(!store.load(Read { conversation: None, ..asked(1) }).await.unwrap().ended);
    assert_eq!(store.ended(conversation(2), NOW).await.unwrap(), None);
}

pub async fn w4_a_mark_expires(store: Subject) {
    let mut first = patch(1, 1, vec![field("a", "1")]);
    first.mark.expires = NOW + HOUR;
    committed(&store, first.clone()).await;
    assert!(store.ended(conversation(1), NOW + HOUR - 1).await.unwrap().is_some());
    assert_eq!(store.ended(conversation(1), NOW + HOUR).await.unwrap(), None);
    let asked = Read { identity: None, conversation: Some(conversation(1)), now: NOW + HOUR };
    assert!(!store.load(asked).await.unwrap().ended);

    let mut second = Commit { now: NOW + HOUR, ..patch(1, 1, vec![field("a", "2")]) };
    second.mark.report = report(2);
    committed(&store, second).await;
    assert_eq!(values(&store, 1, NOW + HOUR).await, pairs(&[("a", "2")]));
    assert_eq!(recorded(&store, 1, NOW + HOUR).await.report, report(2));
}
