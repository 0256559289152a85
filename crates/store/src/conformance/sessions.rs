//! Running conversations.

use super::fixtures::*;
use crate::{Commit, ConversationKey, Replaces, SavedSession, Sealed, StoredSession, Swept, Timestamp};

async fn loaded(store: &Subject, number: u64) -> Option<Sealed> {
    stored(store, number, NOW).await.map(|stored| stored.session)
}

async fn overdue(store: &Subject, now: Timestamp, limit: usize) -> Vec<ConversationKey> {
    store.overdue_sessions(now, limit).await.unwrap()
}

pub async fn p4_the_session_last_saved_is_loaded(store: Subject) {
    assert_eq!(loaded(&store, 1).await, None);
    for (number, text) in [(7, "first"), (8, "second, which is longer"), (9, "3")] {
        save(&store, SavedSession { revision: revision(number), ..session(1, text) }).await;
        let expected = StoredSession { revision: revision(number), session: sealed(text) };
        assert_eq!(stored(&store, 1, NOW).await, Some(expected));
    }
}

pub async fn p4_a_session_expires_to_the_second(store: Subject) {
    let expires = NOW + DAY + 17;
    save(&store, SavedSession { expires, ..session(1, "x") }).await;
    assert!(stored(&store, 1, expires - 1).await.is_some());
    assert_eq!(stored(&store, 1, expires).await, None);

    // Saving it again moves its expiry, also to an earlier time.
    save(&store, SavedSession { expires: expires + 9, ..session(1, "x") }).await;
    assert_eq!(store.sweep(expires).await.unwrap(), Swept::default());
    save(&store, SavedSession { expires: expires - 9, ..session(1, "x") }).await;
    assert_eq!(store.sweep(expires - 9).await.unwrap(), Swept { sessions: 1, ..Swept::default() });
    assert_eq!(loaded(&store, 1).await, None);
}

pub async fn p4_a_session_can_be_deleted(store: Subject) {
    save(&store, session(1, "x")).await;
    store.delete_session(conversation(1)).await.unwrap();
    assert_eq!(loaded(&store, 1).await, None);
    store.delete_session(conversation(1)).await.unwrap();
    save(&store, session(1, "y")).await;
    assert_eq!(loaded(&store, 1).await, Some(sealed("y")));
}

pub async fn p4_sessions_are_kept_apart(store: Subject) {
    save(&store, session(1, "one")).await;
    save(&store, session(2, "two")).await;
    store.delete_session(conversation(1)).await.unwrap();
    assert_eq!((loaded(&store, 1).await, loaded(&store, 2).await), (None, Some(sealed("two"))));
    // Nor has a session to do with what is committed of its conversation.
    committed(&store, commit(2, 1)).await;
    store.erase(erasure(1, None)).await.unwrap();
    assert_eq!(loaded(&store, 2).await, Some(sealed("two")));
}

pub async fn p4_a_session_of_any_bytes_comes_back(store: Subject) {
    for size in [0, 1, 4096, 300_000] {
        let bytes: Vec<u8> = (0..size).map(|index: usize| (index * 7 + index / 256) as u8).collect();
        save(&store, SavedSession { session: Sealed(bytes.clone()), ..session(1, "") }).await;
        assert_eq!(loaded(&store, 1).await, Some(Sealed(bytes)));
    }
}

pub async fn a_save_replaces_only_what_it_may(store: Subject) {
    let save = async |number: u64, replaces| {
        let text = number.to_string();
        let session = SavedSession { revision: revision(number), ..session(1, &text) };
        let saved = store.save_session(session, replaces, NOW).await.unwrap();
        let there = stored(&store, 1, NOW).await.map(|stored| (stored.revision, stored.session));
        assert_eq!(there == Some((revision(number), sealed(text))), saved, "{number}");
        saved
    };
    assert!(!save(10, Replaces::Revision(revision(9))).await, "nothing is there");
    assert!(save(11, Replaces::Nothing).await);
    assert!(!save(12, Replaces::Nothing).await);
    assert!(!save(13, Replaces::Revision(revision(12))).await);
    assert!(save(14, Replaces::Revision(revision(11))).await);
    assert!(!save(15, Replaces::Revision(revision(11))).await);
    assert!(save(16, Replaces::Anything).await);
    store.delete_session(conversation(1)).await.unwrap();
    assert!(!save(17, Replaces::Revision(revision(16))).await);
    assert!(save(18, Replaces::Anything).await);
}

pub async fn a_session_that_has_expired_is_nothing_to_a_save(store: Subject) {
    let expires = NOW + HOUR;
    let next = |number| SavedSession { revision: revision(number), expires: expires + HOUR, ..session(1, "next") };
    save(&store, SavedSession { expires, revision: revision(1), ..session(1, "x") }).await;
    assert!(!store.save_session(next(2), Replaces::Nothing, expires - 1).await.unwrap());
    assert!(!store.save_session(next(3), Replaces::Revision(revision(1)), expires).await.unwrap());
    assert!(store.save_session(next(4), Replaces::Nothing, expires).await.unwrap());
    assert_eq!(stored(&store, 1, expires).await.unwrap().revision, revision(4));
}

pub async fn a_save_that_is_repeated_is_saved(store: Subject) {
    let first = || SavedSession { revision: revision(1), ..session(1, "first") };
    let second = || SavedSession { revision: revision(2), ..session(1, "second") };
    for _ in 0..3 {
        assert!(store.save_session(first(), Replaces::Nothing, NOW).await.unwrap());
    }
    for _ in 0..3 {
        assert!(store.save_session(second(), Replaces::Revision(revision(1)), NOW).await.unwrap());
    }
    assert!(!store.save_session(first(), Replaces::Nothing, NOW).await.unwrap(), "it was replaced since");
    assert_eq!(loaded(&store, 1).await, Some(sealed("second")));
}

pub async fn of_saves_of_one_revision_at_once_one_wins(store: Subject) {
    save(&store, SavedSession { revision: revision(0), ..session(1, "begun") }).await;
    for round in 0..10 {
        let before = stored(&store, 1, NOW).await.unwrap().revision;
        let tasks: Vec<_> = (0..16)
            .map(|task| {
                let store = store.clone();
                let number = 1 + round * 16 + task;
                let session = SavedSession { revision: revision(number), ..session(1, &number.to_string()) };
                tokio::spawn(async move {
                    let saved = store.save_session(session, Replaces::Revision(before), NOW).await.unwrap();
                    saved.then_some(number)
                })
            })
            .collect();
        let mut winners = Vec::new();
        for task in tasks {
            winners.extend(task.await.unwrap());
        }
        let [winner] = winners[..] else { panic!("{winners:?}") };
        let expected = StoredSession { revision: revision(winner), session: sealed(winner.to_string()) };
        assert_eq!(stored(&store, 1, NOW).await, Some(expected));
    }
}

pub async fn of_first_saves_at_once_one_wins(store: Subject) {
    let tasks: Vec<_> = (0..32)
        .map(|number| {
            let store = store.clone();
            let session = SavedSession { revision: revision(number), ..session(1, "") };
            tokio::spawn(async move { store.save_session(session, Replaces::Nothing, NOW).await.unwrap() })
        })
        .collect();
    let mut winners = 0;
    for task in tasks {
        winners += usize::from(task.await.unwrap());
    }
    assert_eq!(winners, 1);
}

pub async fn no_update_of_a_session_is_lost(store: Subject) {
    save(&store, SavedSession { revision: revision(0), ..session(1, "0") }).await;
    let tasks: Vec<_> = (0..6_u64)
        .map(|task| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut tries = 0;
                for turn in 0..8 {
                    loop {
                        let before = stored(&store, 1, NOW).await.unwrap();
                        let count: u64 = String::from_utf8(before.session.0).unwrap().parse().unwrap();
                        tries += 1;
                        let revision = revision(1_000_000 * (task + 1) + 1000 * turn + tries);
                        let next = SavedSession { revision, ..session(1, &(count + 1).to_string()) };
                        if store.save_session(next, Replaces::Revision(before.revision), NOW).await.unwrap() {
                            break;
                        }
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(loaded(&store, 1).await, Some(sealed("48")));
}

pub async fn the_longest_overdue_is_first(store: Subject) {
    for (number, overdue) in [(1, Some(30)), (2, None), (3, Some(10)), (4, Some(20)), (5, Some(10)), (6, Some(40))] {
        save(&store, SavedSession { overdue: overdue.map(|seconds| NOW + seconds), ..session(number, "x") }).await;
    }
    let expected = [3, 5, 4, 1].map(conversation);
    assert_eq!(overdue(&store, NOW + 9, 9).await, []);
    assert_eq!(overdue(&store, NOW + 10, 9).await, expected[..2]);
    assert_eq!(overdue(&store, NOW + 39, 9).await, expected);
    for limit in 0..4 {
        assert_eq!(overdue(&store, NOW + 39, limit).await, expected[..limit]);
    }
    assert_eq!(overdue(&store, NOW + 39, usize::MAX).await, expected);
}

pub async fn what_has_happened_since_makes_a_session_less_overdue(store: Subject) {
    let due = |overdue| SavedSession { overdue, ..session(1, "x") };
    save(&store, due(Some(NOW + 10))).await;
    save(&store, due(Some(NOW + 20))).await;
    assert_eq!(overdue(&store, NOW + 19, 9).await, []);
    assert_eq!(overdue(&store, NOW + 20, 9).await, [conversation(1)]);
    // A save that is refused moves nothing.
    let refused = SavedSession { revision: revision(9), ..due(None) };
    assert!(!store.save_session(refused, Replaces::Nothing, NOW).await.unwrap());
    assert_eq!(overdue(&store, NOW + 20, 9).await, [conversation(1)]);
    save(&store, due(None)).await;
    assert_eq!(overdue(&store, Timestamp::MAX - 1, 9).await, []);
    save(&store, due(Some(NOW))).await;
    store.delete_session(conversation(1)).await.unwrap();
    assert_eq!(overdue(&store, NOW + 20, 9).await, []);
}

pub async fn p4_a_session_that_has_expired_is_not_overdue(store: Subject) {
    save(&store, SavedSession { overdue: Some(NOW), expires: NOW + 5, ..session(1, "x") }).await;
    assert_eq!(overdue(&store, NOW + 4, 9).await, [conversation(1)]);
    assert_eq!(overdue(&store, NOW + 5, 9).await, []);
}

pub async fn w4_a_commit_ends_its_session(store: Subject) {
    let ending = |commit: Commit| Commit { ends_session: true, ..commit };
    for number in 1..=3 {
        save(&store, session(number, "x")).await;
    }
    committed(&store, commit(1, 1)).await;
    assert!(loaded(&store, 1).await.is_some(), "it was not asked to");
    // Also if it was committed before.
    repeated(&store, ending(commit(1, 1))).await;
    assert_eq!(loaded(&store, 1).await, None);

    committed(&store, ending(commit(2, 1))).await;
    assert_eq!(loaded(&store, 2).await, None);
    assert!(loaded(&store, 3).await.is_some(), "another conversation's");

    // Also if nothing else is written.
    store.erase(erasure(1, None)).await.unwrap();
    committed(&store, ending(commit(3, 1))).await;
    assert_eq!(loaded(&store, 3).await, None);
    // Nothing has to be there.
    committed(&store, ending(commit(4, 1))).await;
}

pub async fn w4_a_session_ends_in_the_moment_of_its_commit(store: Subject) {
    const CONVERSATIONS: u64 = 60;
    for number in 0..CONVERSATIONS {
        save(&store, session(number, "x")).await;
    }
    let commits = tokio::spawn({
        let store = store.clone();
        async move {
            for number in 0..CONVERSATIONS {
                committed(&store, Commit { ends_session: true, ..commit(number, number) }).await;
            }
        }
    });
    let mut number = 0;
    while number < CONVERSATIONS {
        let key = conversation(number);
        if number % 2 == 0 {
            // Once the session is gone, the mark is there,
            if stored(&store, number, NOW).await.is_none() {
                assert!(store.ended(key, NOW).await.unwrap().is_some());
                number += 1;
            }
        } else if store.ended(key, NOW).await.unwrap().is_some() {
            // and once the mark is there, the session is gone.
            assert_eq!(stored(&store, number, NOW).await, None);
            number += 1;
        }
        tokio::task::yield_now().await;
    }
    commits.await.unwrap();
}
