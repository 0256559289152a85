//! Running conversations.

use super::fixtures::*;
use crate::{SavedSession, Sealed, Swept};

fn session(number: u64, text: &str) -> SavedSession {
    SavedSession { conversation: conversation(number), expires: NOW + DAY, session: sealed(text) }
}

async fn loaded(store: &Subject, number: u64) -> Option<Sealed> {
    store.load_session(conversation(number), NOW).await.unwrap()
}

pub async fn p4_the_session_last_saved_is_loaded(store: Subject) {
    assert_eq!(loaded(&store, 1).await, None);
    for text in ["first", "second, which is longer", "3"] {
        store.save_session(session(1, text)).await.unwrap();
        assert_eq!(loaded(&store, 1).await, Some(sealed(text)));
    }
}

pub async fn p4_a_session_expires_to_the_second(store: Subject) {
    let expires = NOW + DAY + 17;
    store.save_session(SavedSession { expires, ..session(1, "x") }).await.unwrap();
    assert_eq!(store.load_session(conversation(1), expires - 1).await.unwrap(), Some(sealed("x")));
    assert_eq!(store.load_session(conversation(1), expires).await.unwrap(), None);

    // Saving it again moves its expiry, also to an earlier time.
    store.save_session(SavedSession { expires: expires + 9, ..session(1, "x") }).await.unwrap();
    assert_eq!(store.sweep(expires).await.unwrap(), Swept::default());
    store.save_session(SavedSession { expires: expires - 9, ..session(1, "x") }).await.unwrap();
    assert_eq!(store.sweep(expires - 9).await.unwrap(), Swept { sessions: 1, ..Swept::default() });
    assert_eq!(loaded(&store, 1).await, None);
}

pub async fn p4_a_session_can_be_deleted(store: Subject) {
    store.save_session(session(1, "x")).await.unwrap();
    store.delete_session(conversation(1)).await.unwrap();
    assert_eq!(loaded(&store, 1).await, None);
    store.delete_session(conversation(1)).await.unwrap();
    store.save_session(session(1, "y")).await.unwrap();
    assert_eq!(loaded(&store, 1).await, Some(sealed("y")));
}

pub async fn p4_sessions_are_kept_apart(store: Subject) {
    store.save_session(session(1, "one")).await.unwrap();
    store.save_session(session(2, "two")).await.unwrap();
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
        let saved = SavedSession { session: Sealed(bytes.clone()), ..session(1, "") };
        store.save_session(saved).await.unwrap();
        assert_eq!(loaded(&store, 1).await, Some(Sealed(bytes)));
    }
}
