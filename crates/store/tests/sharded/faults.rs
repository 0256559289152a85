//! Operations at once, on shards that fail at any of their steps. Then all of it is repeated.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use agent_memory_store::{
    Commit, Committed, ConversationKey, Erasure, Erasures, IdentityKey, Kept, Read, Sessions, Shard, ShardedStore,
    Store, Swept, Timestamp,
};
use futures::future::join_all;
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};

use crate::{
    faulty::{Fault, Faults, FaultyShard},
    support::*,
};

const CALLERS: u16 = 3;
const CONVERSATIONS: u16 = 7;

/// The slots are chosen so that callers and conversations meet on one shard and on several.
fn caller(number: u16) -> IdentityKey {
    identity(number * 7)
}

fn talk(number: u16) -> ConversationKey {
    conversation(number * 11 + 1, 2)
}

#[derive(Clone, Debug)]
enum Step {
    Begin(u16),
    Commit(u16, u16),
    Erase(u16),
    EraseKey(u16),
    Look(u16),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0..CONVERSATIONS).prop_map(Step::Begin),
        6 => (0..CONVERSATIONS, 0..CALLERS).prop_map(|(talk, caller)| Step::Commit(talk, caller)),
        1 => (0..CALLERS).prop_map(Step::Erase),
        1 => (0..CALLERS).prop_map(Step::EraseKey),
        1 => (0..CONVERSATIONS).prop_map(Step::Look),
    ]
}

fn fault() -> impl Strategy<Value = (Option<Fault>, u8)> {
    let fault = prop_oneof![Just(Fault::Rejected), Just(Fault::Lost), Just(Fault::Unanswered)];
    (proptest::option::weighted(0.2, fault), 0..4_u8)
}

#[test]
fn w4_a4_e3_hold_whatever_fails() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut runner = TestRunner::new(ProptestConfig { cases: 1500, ..ProptestConfig::default() });
    // What is in one list is done at once.
    let steps = vec(vec(step(), 1..5), 1..10);
    let outcome = runner.run(&(steps, vec(fault(), 0..300)), |(steps, faults)| {
        runtime.block_on(play(steps, faults));
        Ok(())
    });
    outcome.unwrap();
}

/// What is known of what was done.
struct Play {
    store: Arc<ShardedStore>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// The conversations that have begun, and the number of erasures that they were told.
    begun: BTreeMap<u16, Erasures>,
    /// Which fields of whom they have read then.
    read: BTreeMap<u16, (u16, Vec<String>)>,
    /// The commits that were asked for.
    asked: BTreeSet<(u16, u16)>,
    /// Who was told that the commit counts.
    counted: Vec<(u16, u16)>,
    /// The erasures that failed.
    to_be_repeated: Vec<Step>,
    /// Of an erasure that was acknowledged: the caller, and the conversations that had begun before it.
    erased: Vec<(u16, BTreeSet<u16>)>,
}

async fn play(steps: Vec<Vec<Step>>, plan: Vec<(Option<Fault>, u8)>) {
    let faults = Arc::new(Faults::default());
    let shards = memory_shards(3);
    let store = sharded(&FaultyShard::all(shards.clone(), &faults)).await;
    let play = Play { store, seen: Mutex::default() };
    faults.plan(plan);
    for at_once in steps {
        join_all(at_once.iter().map(|step| play.step(step))).await;
    }

    faults.plan(Vec::new());
    let repeated = std::mem::take(&mut play.seen.lock().unwrap().to_be_repeated);
    for step in &repeated {
        play.step(step).await;
    }
    let asked = play.seen.lock().unwrap().asked.clone();
    for (talk, caller) in asked {
        play.step(&Step::Commit(talk, caller)).await;
    }
    play.check(&shards).await;
}

impl Play {
    async fn step(&self, step: &Step) {
        match *step {
            Step::Begin(number) => {
                let read =
                    Read { identity: Some(caller(number % CALLERS)), conversation: Some(talk(number)), now: NOW };
                let Ok(loaded) = self.store.load(read).await else { return };
                let is_new = !loaded.ended && !self.seen.lock().unwrap().begun.contains_key(&number);
                let session = session(talk(number), 1);
                let replaces = agent_memory_store::Replaces::Nothing;
                if is_new && self.store.save_session(session, replaces, NOW).await == Ok(true) {
                    let keys = loaded.fields.into_iter().map(|field| field.key).filter(|key| key != "key");
                    let mut seen = self.seen.lock().unwrap();
                    seen.begun.insert(number, loaded.erasures);
                    seen.read.insert(number, (number % CALLERS, keys.collect()));
                }
            }
            Step::Commit(talk, caller) => self.commit(talk, caller).await,
            Step::Erase(number) => self.erase(step, number, None).await,
            Step::EraseKey(number) => self.erase(step, number, Some("key")).await,
            Step::Look(number) => {
                // Once it has ended, the session is gone.
                let Ok(Some(_)) = self.store.ended(talk(number), NOW).await else { return };
                if let Ok(session) = self.store.load_session(talk(number), NOW).await {
                    assert_eq!(session, None);
                }
            }
        }
    }

    async fn commit(&self, number: u16, of: u16) {
        let Some(erasures) = self.seen.lock().unwrap().begun.get(&number).copied() else { return };
        self.seen.lock().unwrap().asked.insert((number, of));
        let patch = vec![field("key", "x"), field(&format!("of {number}"), "x")];
        let commit = Commit { erasures, patch, ..commit(talk(number), caller(of), "x") };
        match self.store.commit(commit).await {
            Ok(Committed::Now(_)) => self.seen.lock().unwrap().counted.push((number, of)),
            Ok(Committed::Before(ended)) => {
                let is_somebody = |of: IdentityKey| (0..CALLERS).any(|number| caller(number) == of);
                assert!(ended.recorded.is_none_or(|recorded| is_somebody(recorded.identity)));
            }
            Err(_) => {}
        }
    }

    async fn erase(&self, step: &Step, number: u16, key: Option<&str>) {
        let before = self.seen.lock().unwrap().begun.keys().copied().collect();
        let erasure =
            Erasure { identity: caller(number), key: key.map(str::to_owned), now: NOW, expires: NOW + 2 * DAY };
        let erased = self.store.erase(erasure).await;
        let mut seen = self.seen.lock().unwrap();
        match erased {
            Err(_) => seen.to_be_repeated.push(step.clone()),
            Ok(_) if key.is_none() => seen.erased.push((number, before)),
            Ok(_) => {}
        }
    }

    async fn check(&self, shards: &[Arc<dyn Shard>]) {
        let store = &self.store;
        let seen = std::mem::take(&mut *self.seen.lock().unwrap());
        let mut held = Vec::new();
        for number in 0..CALLERS {
            held.push(store.export(caller(number), NOW).await.unwrap());
        }
        let asked: BTreeSet<u16> = seen.asked.iter().map(|(talk, _)| *talk).collect();
        for &number in &asked {
            // W4: it is committed, for one caller, and nobody else was told so.
            let ended = store.ended(talk(number), NOW).await.unwrap().expect("it is committed");
            let told: Vec<u16> = seen.counted.iter().filter(|(talk, _)| *talk == number).map(|(_, of)| *of).collect();
            assert!(told.len() <= 1, "{told:?}");
            let holders: Vec<u16> = (0..CALLERS)
                .filter(|of| held[usize::from(*of)].conversations.iter().any(|(key, _)| *key == talk(number)))
                .collect();
            match &ended.recorded {
                Some(recorded) => {
                    let [holder] = holders[..] else { panic!("{holders:?}") };
                    assert_eq!(recorded.identity, caller(holder));
                    assert!(told.iter().all(|of| *of == holder), "{told:?} {holder}");
                    assert_eq!(recorded.report, sealed("x"));
                }
                None => assert_eq!(holders, [0; 0]),
            }
            let key = format!("of {number}");
            for (of, held) in held.iter().enumerate() {
                let is_there = held.fields.iter().any(|field| field.key == key);
                assert!(!is_there || holders == [of as u16], "{holders:?} {of}");
            }
            // P4: its session has ended.
            assert_eq!(store.load_session(talk(number), NOW).await.unwrap(), None);
        }
        // A4: one of a caller's conversations is the first, and the others are repeats of it.
        for held in &held {
            let recorded = || held.conversations.iter().map(|(_, recorded)| &recorded.settled);
            assert_eq!(recorded().filter(|settled| settled.first).count(), usize::from(recorded().count() > 0));
            assert!(recorded().all(|settled| settled.standing == held.interaction));
            assert_eq!(held.metric_rows.len(), held.conversations.len());
        }
        // E3: nothing is left of conversations that had begun before.
        for (of, before) in &seen.erased {
            let held = &held[usize::from(*of)];
            for &number in before {
                assert!(held.fields.iter().all(|field| field.key != format!("of {number}")), "{of} {number}");
                assert!(held.conversations.iter().all(|(key, _)| *key != talk(number)), "{of} {number}");
            }
        }
        // E3: whoever has read what was erased could not commit it again.
        for (number, (of, keys)) in &seen.read {
            let held = &held[usize::from(*of)];
            if held.conversations.iter().any(|(key, _)| *key == talk(*number)) {
                let is_held = |key: &String| held.fields.iter().any(|field| field.key == *key);
                assert!(keys.iter().all(is_held), "{number} of {of} has read {keys:?}");
            }
        }
        // E3: what begins now is not refused, because every erasure was carried out.
        for number in 0..CALLERS {
            let conversation = conversation(4000 + number, 3);
            let read = Read { identity: Some(caller(number)), conversation: Some(conversation), now: NOW };
            let erasures = store.load(read).await.unwrap().erasures;
            let commit = Commit { erasures, ..commit(conversation, caller(number), "new") };
            let Committed::Now(settled) = store.commit(commit).await.unwrap() else { panic!("it is new") };
            assert_eq!(settled.erased, agent_memory_store::ErasedSince::Nothing);
        }
        self.check_what_is_left(shards, &asked).await;
    }

    async fn check_what_is_left(&self, shards: &[Arc<dyn Shard>], asked: &BTreeSet<u16>) {
        let store = &self.store;
        let overdue = store.overdue_sessions(NOW, 99).await.unwrap();
        for &number in asked {
            assert!(!overdue.contains(&talk(number)));
        }
        // Those that were left to somebody else were deleted by that.
        assert_eq!(store.health(NOW).await.unwrap().sessions, overdue.len() as u64);
        let kept = everything(&**store).await;
        let marks = kept.iter().filter(|kept| matches!(kept, Kept::Mark(_))).count();
        assert_eq!(marks, asked.len() + usize::from(CALLERS), "each has one, and fences are none");

        store.sweep(Timestamp::MAX).await.unwrap();
        assert_eq!(everything(&**store).await, []);
        for shard in shards {
            assert_eq!(shard.registers(None, 9).await.unwrap().len(), 1, "it belongs to its map");
        }
        assert_eq!(store.sweep(Timestamp::MAX).await.unwrap(), Swept::default());
    }
}
