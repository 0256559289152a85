//! One conversation, and several who commit it for different callers.

use std::sync::Arc;

use agent_memory_store::{
    Commit, Committed, ConversationKey, Kept, Register, RegisterKey, Replaces, Revision, SavedSession, Sessions,
    ShardedStore, Store,
};

use crate::{
    faulty::{Fault, Faults, FaultyShard},
    support::*,
};

const CALLERS: u16 = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn w4_of_callers_at_once_one_counts() {
    let folder = tempfile::tempdir().unwrap();
    for shards in [memory_shards(3), sqlite_shards(folder.path(), 3)] {
        let store = sharded(&shards).await;
        for number in 0..20 {
            let talk = conversation(number, 2);
            save(&*store, talk, 1).await;
            let tasks: Vec<_> = (0..CALLERS)
                .map(|of| {
                    let store = Arc::clone(&store);
                    tokio::spawn(async move {
                        let told = store.commit(commit(talk, identity(of), "x")).await.unwrap();
                        assert_eq!(store.load_session(talk, NOW).await.unwrap(), None);
                        (of, told)
                    })
                })
                .collect();
            let mut answers = Vec::new();
            for task in tasks {
                answers.push(task.await.unwrap());
            }
            let told: Vec<u16> =
                answers.iter().filter(|(_, told)| matches!(told, Committed::Now(_))).map(|(of, _)| *of).collect();
            let [winner] = told[..] else { panic!("{told:?}") };
            // All others were told who it is.
            for (of, told) in answers.iter().filter(|(of, _)| *of != winner) {
                let Committed::Before(ended) = told else { panic!("{of}") };
                assert_eq!(ended.recorded.as_ref().unwrap().identity, identity(winner));
            }
            for of in 0..CALLERS {
                let held = store.export(identity(of), NOW).await.unwrap();
                let is_held = held.conversations.iter().any(|(key, _)| *key == talk);
                assert_eq!(is_held, of == winner);
            }
        }
        let marks = everything(&*store).await.into_iter().filter(|kept| matches!(kept, Kept::Mark(_))).count();
        assert_eq!(marks, 20);
    }
}

/// Two callers take turns, and each time a process dies between two steps.
#[tokio::test]
async fn w4_a_conversation_is_committed_in_the_end_whoever_had_it_before() {
    let shards = memory_shards(3);
    let faults = Arc::new(Faults::default());
    let store = sharded(&FaultyShard::all(shards, &faults)).await;
    let talk = conversation(1, 2);
    let of = |number: usize| commit(talk, identity(2 + (number % 2) as u16), "x");
    save(&*store, talk, 1).await;
    for number in 0..40 {
        // Claiming is one step. Taking over is two more: to fence, and to claim.
        let steps = if number == 0 { 1 } else { 3 };
        let mut plan = vec![(None, 0); steps];
        plan.push((Some(Fault::Rejected), 0));
        faults.plan(plan);
        store.commit(of(number)).await.unwrap_err();
        faults.plan(Vec::new());
        assert_eq!(store.ended(talk, NOW).await.unwrap(), None);
        assert!(store.load_session(talk, NOW).await.unwrap().is_some());
    }
    let told = store.commit(of(40)).await.unwrap();
    assert!(matches!(told, Committed::Now(_)), "{told:?}");
    assert_eq!(store.load_session(talk, NOW).await.unwrap(), None);
    for again in [40, 41] {
        let Committed::Before(ended) = store.commit(of(again)).await.unwrap() else { panic!("{again}") };
        assert_eq!(ended.recorded.unwrap().identity, of(40).identity);
    }
}

#[tokio::test]
async fn w4_a_conversation_that_is_taken_over_again_and_again_is_refused_in_the_end() {
    let faults = Arc::new(Faults::default());
    let store = sharded(&FaultyShard::all(memory_shards(3), &faults)).await;
    let talk = conversation(1, 2);
    for number in 0..256 {
        faults.at("commit", 0, Fault::Rejected);
        store.commit(commit(talk, identity(2 + number % 2), "x")).await.unwrap_err();
    }
    let error = store.commit(commit(talk, identity(2), "x")).await.unwrap_err();
    assert!(error.to_string().contains("claimed for different callers more than 255 times"), "{error}");
    // It can still be committed for the caller for whom it is claimed.
    let told = store.commit(commit(talk, identity(3), "x")).await.unwrap();
    assert!(matches!(told, Committed::Now(_)), "{told:?}");
}

/// A store that fails when it is told to, and the same shards as another process uses them.
async fn two_processes() -> (Arc<Faults>, Arc<ShardedStore>, Arc<ShardedStore>) {
    let faults = Arc::new(Faults::default());
    let shards = memory_shards(3);
    (Arc::clone(&faults), sharded(&FaultyShard::all(shards.clone(), &faults)).await, sharded(&shards).await)
}

#[tokio::test]
async fn w4_who_is_fenced_off_is_told_who_was_faster() {
    let (faults, store, others) = two_processes().await;
    let talk = conversation(1, 2);
    faults.after("replace_register", async move {
        let told = others.commit(commit(talk, identity(3), "faster")).await.unwrap();
        assert!(matches!(told, Committed::Now(_)), "{told:?}");
    });
    let told = store.commit(commit(talk, identity(2), "x")).await.unwrap();
    let Committed::Before(ended) = told else { panic!("{told:?}") };
    assert_eq!(ended.recorded.unwrap().identity, identity(3));
    assert_eq!(store.export(identity(2), NOW).await.unwrap().fields, []);
}

/// A conversation that is committed, and whose session is to be deleted yet.
async fn half_ended(faults: &Faults, store: &ShardedStore) -> ConversationKey {
    let talk = conversation(1, 2);
    save(store, talk, 1).await;
    faults.at("replace_register", 1, Fault::Rejected);
    let told = store.commit(commit(talk, identity(2), "x")).await.unwrap();
    assert!(matches!(told, Committed::Now(_)), "{told:?}");
    assert_eq!(store.health(NOW).await.unwrap().sessions, 1, "it is there yet");
    talk
}

#[tokio::test]
async fn w4_a_session_that_is_to_be_deleted_yet_is_gone() {
    for replaces in [Replaces::Anything, Replaces::Nothing, Replaces::Revision(Revision([1; 16]))] {
        let (faults, store, _) = two_processes().await;
        let talk = half_ended(&faults, &store).await;
        assert_eq!(store.load_session(talk, NOW).await.unwrap(), None);
        assert!(everything(&*store).await.iter().all(|kept| !matches!(kept, Kept::Session(_))));
        // A new one takes its place, and is not taken for it.
        let is_saved = store.save_session(session(talk, 7), replaces, NOW).await.unwrap();
        assert_eq!(is_saved, !matches!(replaces, Replaces::Revision(_)), "{replaces:?}");
        let there = store.load_session(talk, NOW).await.unwrap();
        assert_eq!(there.map(|stored| stored.revision), is_saved.then_some(Revision([7; 16])));
        store.commit(commit(talk, identity(2), "x")).await.unwrap();
        assert_eq!(store.load_session(talk, NOW).await.unwrap(), None, "a repeated commit ends it too");
    }
}

#[tokio::test]
async fn w4_a_session_that_is_deleted_while_it_is_read_is_gone() {
    let (faults, store, others) = two_processes().await;
    let talk = half_ended(&faults, &store).await;
    faults.after("load_session", async move {
        others.commit(commit(talk, identity(2), "x")).await.unwrap();
    });
    assert_eq!(store.load_session(talk, NOW).await.unwrap(), None);
    assert_eq!(store.health(NOW).await.unwrap().sessions, 0);

    // And what is saved meanwhile stays.
    let (faults, store, others) = two_processes().await;
    let talk = half_ended(&faults, &store).await;
    faults.after("save_session", async move {
        others.commit(commit(talk, identity(2), "x")).await.unwrap();
    });
    save(&*store, talk, 7).await;
    let there = store.load_session(talk, NOW).await.unwrap();
    assert_eq!(there.map(|stored| stored.revision), Some(Revision([7; 16])));
}

#[tokio::test]
async fn w4_a_session_that_is_to_be_deleted_yet_is_not_overdue() {
    let (faults, store, _) = two_processes().await;
    let talk = half_ended(&faults, &store).await;
    let running = conversation(2, 9);
    let later = SavedSession { overdue: Some(NOW + 5), ..session(running, 1) };
    assert!(store.save_session(later, Replaces::Nothing, NOW).await.unwrap());
    assert!(talk < running);
    assert_eq!(store.overdue_sessions(NOW + 5, 1).await.unwrap(), [running]);
    assert_eq!(store.health(NOW).await.unwrap().sessions, 1, "it was deleted by that");
}

#[tokio::test]
async fn a_claim_that_cannot_be_read_hides_no_overdue_session() {
    let shards = memory_shards(3);
    let store = sharded(&shards).await;
    let (spoilt, running) = (conversation(1, 2), conversation(4, 9));
    for talk in [spoilt, running] {
        save(&*store, talk, 1).await;
    }
    let claim = RegisterKey([b"c", spoilt.0.as_slice()].concat());
    for shard in &shards {
        let nonsense = Register { value: b"nonsense".to_vec(), expires: Some(LATER) };
        shard.put_registers(vec![(claim.clone(), nonsense)]).await.unwrap();
    }
    assert!(store.load_session(spoilt, NOW).await.unwrap_err().is_damaged());
    assert_eq!(store.overdue_sessions(NOW, 9).await.unwrap(), [spoilt, running]);
}

#[tokio::test]
async fn w4_a_commit_whose_answer_is_lost_counts_once() {
    for steps in 0..4 {
        for fault in [Fault::Lost, Fault::Unanswered] {
            let faults = Arc::new(Faults::default());
            let store = sharded(&FaultyShard::all(memory_shards(3), &faults)).await;
            let talk = conversation(1, 2);
            save(&*store, talk, 1).await;
            let mut plan = vec![(None, 0); steps];
            plan.push((Some(fault), 0));
            faults.plan(plan);
            let first = store.commit(commit(talk, identity(2), "x")).await;
            faults.plan(Vec::new());
            let other = Commit { patch: vec![field("other", "y")], ..commit(talk, identity(3), "y") };
            let second = store.commit(other).await.unwrap();
            let counted =
                usize::from(matches!(first, Ok(Committed::Now(_)))) + usize::from(matches!(second, Committed::Now(_)));
            let fields: usize = {
                let mut fields = 0;
                for of in [2, 3] {
                    fields += store.export(identity(of), NOW).await.unwrap().fields.len();
                }
                fields
            };
            assert!(counted <= 1 && fields == 1, "{steps} {fault:?}: {counted} {fields}");
            assert_eq!(store.load_session(talk, NOW).await.unwrap(), None);
        }
    }
}
