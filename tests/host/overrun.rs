//! Turns that compute for long: they go on elsewhere, and are what they would be here.

use std::pin::pin;
use std::sync::Arc;
use std::thread::{self, ThreadId};
use std::time::Duration;

use agent_memory_host::store::MemoryStore;
use agent_memory_host::{Json, Limits, RequestError, Requests, StopReason, Turn, TurnOutcome};
use agent_memory_tests::{Desk, call, configuration, returned, set};
use async_trait::async_trait;
use futures::future::poll_fn;
use serde_json::json;
use tokio::sync::{Semaphore, mpsc};

const CALLER: &str = "+441632960001";

/// More polls than a turn has before it goes elsewhere. One that computes here for a second has a thousand.
const POLLS: usize = 100;

/// Rounds that take much longer than a turn may compute here.
const ROUNDS: u64 = 300_000_000;

/// The probe with limits that differ from the defaults, and with this platform.
async fn desk(platform: Option<Arc<Platform>>, change: impl FnOnce(&mut Limits)) -> Desk {
    let mut limits = Limits::default();
    change(&mut limits);
    Desk::with(Arc::new(MemoryStore::new()), &configuration(""), |builder| match platform {
        Some(platform) => builder.limits(limits).requests(platform),
        None => builder.limits(limits),
    })
    .await
}

/// Waits for a future, and counts how often it was polled.
async fn counted<T>(future: impl Future<Output = T>) -> (T, usize) {
    let (mut future, mut polls) = (pin!(future), 0);
    let done = poll_fn(|context| {
        polls += 1;
        future.as_mut().poll(context)
    })
    .await;
    (done, polls)
}

fn is_out_of_time(turn: &Turn) -> bool {
    matches!(&turn.outcome, TurnOutcome::Stopped(stop)
        if stop.reason == StopReason::TimeLimit && stop.message == "it ran for longer than a turn may")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn turns_that_compute_for_long_go_elsewhere_and_leave_the_threads_to_others() {
    let desk = desk(None, |limits| limits.turn_time = Duration::from_secs(5)).await;
    // More than there are threads here.
    let mut runaways = Vec::new();
    for i in 0..4 {
        let mut conversation = desk.call_from(&format!("+44163296001{i}")).await;
        let arguments = json!({"key": "mood", "value": "lost"});
        runaways.push(tokio::spawn(async move {
            let (turn, polls) = counted(call(&mut conversation, "set_then_loop", &arguments)).await;
            set(&mut conversation, "cheese_type", &json!("brie")).await;
            (turn, polls, conversation.state().len())
        }));
    }
    let mut other = desk.call_from(CALLER).await;
    for i in 0..200 {
        set(&mut other, "mood", &json!(i)).await;
    }
    assert!(runaways.iter().all(|runaway| !runaway.is_finished()), "the others were done first");
    for runaway in runaways {
        let (turn, polls, keys) = runaway.await.unwrap();
        assert!(is_out_of_time(&turn), "{turn:?}");
        assert!(polls < POLLS, "it was polled {polls} times here");
        assert_eq!((turn.logs.len(), keys), (1, 1), "its log stays, what it set does not");
    }
}

#[tokio::test]
async fn a_turn_that_is_dropped_while_it_computes_elsewhere_ends_and_leaves_its_place() {
    // Only because it was dropped does a turn end while this test runs, and only then can the next begin.
    let desk = desk(None, |limits| {
        limits.concurrent_turns = 1;
        limits.turn_time = Duration::from_hours(1);
    })
    .await;
    let mut conversation = desk.call_from(CALLER).await;
    for i in 0..10 {
        let nothing = json!({});
        let given_up = call(&mut conversation, "loop_forever", &nothing);
        assert!(tokio::time::timeout(Duration::from_millis(50), given_up).await.is_err());
        set(&mut conversation, "mood", &json!(i)).await;
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_request_is_answered_here_though_the_turn_is_elsewhere() {
    let (platform, mut asked) = Platform::new();
    let desk = desk(Some(platform.clone()), |limits| limits.concurrent_turns = 1).await;
    let mut conversation = desk.call_from(CALLER).await;
    let arguments = json!({"rounds": ROUNDS, "name": "wait", "arguments": "cheese"});

    platform.answers.add_permits(1);
    let (turn, polls) = counted(call(&mut conversation, "compute_then_request", &arguments)).await;
    assert_eq!(returned(&turn), json!("cheese"));
    assert!(polls < POLLS, "it was polled {polls} times here");
    assert_eq!(asked.recv().await, Some(thread::current().id()));

    for _ in 0..3 {
        tokio::select! {
            turn = call(&mut conversation, "compute_then_request", &arguments) => panic!("it was answered: {turn:?}"),
            thread = asked.recv() => assert_eq!(thread, Some(thread::current().id())),
        }
    }
    set(&mut conversation, "mood", &json!("good")).await;
}

/// Answers everything with what it was given when it is told to, and tells on which thread it was asked.
struct Platform {
    asked: mpsc::UnboundedSender<ThreadId>,
    /// One for each request that may be answered.
    answers: Semaphore,
}

impl Platform {
    fn new() -> (Arc<Self>, mpsc::UnboundedReceiver<ThreadId>) {
        let (asked, asking) = mpsc::unbounded_channel();
        (Arc::new(Self { asked, answers: Semaphore::new(0) }), asking)
    }
}

#[async_trait]
impl Requests for Platform {
    async fn answer(&self, _: &str, _: &str, arguments: Json) -> Result<Json, RequestError> {
        self.asked.send(thread::current().id()).unwrap();
        self.answers.acquire().await.unwrap().forget();
        Ok(arguments)
    }
}
