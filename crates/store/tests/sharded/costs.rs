//! What an operation asks of the shards. `docs/shards.md` has these figures.

use std::sync::Arc;

use agent_memory_store::{Commit, Erasure, Read, Replaces, Revision, Sessions, Store};

use crate::{
    faulty::{Faults, FaultyShard},
    support::*,
};

/// The slots 1 and 4 are on one shard, 2 on another.
const TOGETHER: (u16, u16) = (1, 4);
const APART: (u16, u16) = (1, 2);

#[tokio::test]
async fn what_an_operation_costs() {
    let faults = Arc::new(Faults::default());
    let store = sharded(&FaultyShard::all(memory_shards(3), &faults)).await;
    let asked = |expected: &[&str], what: &str| assert_eq!(faults.calls(), expected, "{what}");
    faults.calls();

    for (number, (talk, of)) in [(2, TOGETHER), (3, APART)] {
        let talk = conversation(talk, number);
        let read = |conversation| Read { identity: Some(identity(of)), conversation, now: NOW };
        store.load(read(Some(talk))).await.unwrap();
        asked(&["load", "load", "register"], "the first load");
        store.load(read(None)).await.unwrap();
        asked(&["load"], "a later load");
        store.save_session(session(talk, 1), Replaces::Nothing, NOW).await.unwrap();
        asked(&["save_session", "register"], "the first save");
        store.save_session(session(talk, 2), Replaces::Revision(Revision([1; 16])), NOW).await.unwrap();
        asked(&["save_session", "register"], "a save");
        store.load_session(talk, NOW).await.unwrap();
        asked(&["load_session", "register"], "a session");
        store.ended(talk, NOW).await.unwrap();
        asked(&["register"], "whether it is committed, before it is");
        store.commit(commit(talk, identity(of), "x")).await.unwrap();
        if number == 2 {
            asked(&["replace_register", "commit"], "a commit on one shard");
        } else {
            asked(&["replace_register", "commit", "replace_register"], "a commit on two shards");
        }
        store.ended(talk, NOW).await.unwrap();
        asked(&["register", "ended"], "whether it is committed");
        // Another caller, who does not get it.
        store.commit(Commit { ends_session: false, ..commit(talk, identity(3), "y") }).await.unwrap();
        asked(&["replace_register", "mark_unless"], "a commit for another caller");
    }

    let erasure = Erasure { identity: identity(1), key: None, now: NOW, expires: NOW + DAY };
    store.erase(erasure).await.unwrap();
    asked(&["erase_as", "count_erasure", "renumber_erasure"], "an erasure");
    // This process has counted it. Another has not.
    let read = Read { identity: Some(identity(1)), conversation: Some(conversation(9, 9)), now: NOW };
    store.load(read).await.unwrap();
    asked(&["load", "load", "register"], "the first load after an erasure by this process");
}
