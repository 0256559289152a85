//! What a turn may use, and what is left of one that wanted more (rules V5 and W6).

use std::sync::Arc;
use std::time::Duration;

use agent_memory_host::store::MemoryStore;
use agent_memory_host::{
    AgentDefinition, CallError, Conversation, EndError, Json, Limits, LoadError, LogLevel, NewConversation, Outcome,
    Scope, StartError, Stop, StopReason, Turn, TurnOutcome,
};
use agent_memory_tests::{Desk, call, component, configuration, returned, scope, set, value};
use serde_json::{Value, json};
use tokio::task::JoinSet;

const CALLER: &str = "+441632960001";

/// More than a turn may hand over.
const TOO_MUCH: usize = 10 << 20;

/// The probe with limits that differ from the defaults.
async fn desk(change: impl FnOnce(&mut Limits)) -> Desk {
    let mut limits = Limits::default();
    change(&mut limits);
    let analytics = configuration(r#""analytics_enabled": true"#);
    Desk::with(Arc::new(MemoryStore::new()), &analytics, |builder| builder.limits(limits)).await
}

/// The probe with so little time that an endless loop does not take long.
async fn hasty_desk() -> Desk {
    desk(|limits| limits.turn_time = Duration::from_millis(100)).await
}

/// A call that the sandbox stops, and with what words.
struct Attack {
    function: &'static str,
    arguments: Value,
    reason: StopReason,
    message: &'static str,
}

const TIME: &str = "it ran for longer than a turn may";
const MEMORY: &str = "it wanted more memory than a turn may have";
const OUTPUT: &str = "it handed over more than a turn may";
const OUTPUT_AT_ONCE: &str = "it handed over more at once than a turn may";
const STACK: &str = "its stack overflowed: is there a recursion without an end?";
const ABORT: &str = "it aborted, as a panic or an uncaught error does";
const ABORT_AND_LOG: &str = "it aborted, as a panic or an uncaught error does: see its log";

/// All attacks but those on time.
fn attacks() -> Vec<Attack> {
    let attack = |function, arguments, reason, message| Attack { function, arguments, reason, message };
    let at_once = json!({"bytes": TOO_MUCH, "calls": 1});
    let bit_by_bit = json!({"bytes": 1 << 10, "calls": TOO_MUCH >> 10});
    let empty = json!({"bytes": 0, "calls": TOO_MUCH});
    vec![
        attack("allocate_forever", json!({}), StopReason::MemoryLimit, MEMORY),
        attack("allocate", json!({"bytes": 97 << 20}), StopReason::MemoryLimit, MEMORY),
        attack("recurse_forever", json!({}), StopReason::Trap, STACK),
        attack("say_much", at_once.clone(), StopReason::OutputLimit, OUTPUT_AT_ONCE),
        attack("say_much", bit_by_bit.clone(), StopReason::OutputLimit, OUTPUT),
        attack("say_much", empty.clone(), StopReason::OutputLimit, OUTPUT),
        attack("log_much", at_once, StopReason::OutputLimit, OUTPUT_AT_ONCE),
        attack("log_much", bit_by_bit, StopReason::OutputLimit, OUTPUT),
        attack("log_much", empty, StopReason::OutputLimit, OUTPUT),
        attack("return_bytes", json!({"n": TOO_MUCH}), StopReason::OutputLimit, OUTPUT_AT_ONCE),
        attack("return_bytes", json!({"n": (1 << 20) - 10}), StopReason::OutputLimit, OUTPUT),
        attack("panic", json!({"message": "no cheese left"}), StopReason::Trap, ABORT_AND_LOG),
        attack("unreachable", json!({}), StopReason::Trap, ABORT),
    ]
}

fn stop(turn: &Turn) -> &Stop {
    match &turn.outcome {
        TurnOutcome::Stopped(stop) => stop,
        outcome => panic!("{} was not stopped: {outcome:?}", turn.function),
    }
}

/// Calls a function that has to be stopped, and checks that nothing but its log is left of it.
async fn attack(conversation: &mut Conversation, Attack { function, arguments, reason, message }: Attack) -> Turn {
    let before = conversation.state();
    let turn = call(conversation, function, &arguments).await;
    assert_eq!((stop(&turn).reason, stop(&turn).message.as_str()), (reason, message), "{function} {arguments}");
    assert!(turn.say.is_empty() && turn.actions.is_empty(), "{function} {arguments}: {turn:?}");
    assert_eq!(conversation.state(), before, "{function} {arguments}");
    turn
}

fn error_name(turn: &Turn) -> &str {
    match &turn.outcome {
        TurnOutcome::Failed(error) => &error.name,
        outcome => panic!("{} did not fail: {outcome:?}", turn.function),
    }
}

#[test]
fn w6_reasons_have_the_names_that_reports_use() {
    let reasons = [
        (StopReason::TimeLimit, "time-limit"),
        (StopReason::MemoryLimit, "memory-limit"),
        (StopReason::OutputLimit, "output-limit"),
        (StopReason::Trap, "trap"),
        (StopReason::Worker, "worker"),
    ];
    for (reason, name) in reasons {
        assert_eq!(reason.name(), name);
    }
}

#[tokio::test]
async fn w6_a_turn_that_wants_too_much_is_stopped_and_the_conversation_goes_on() {
    let desk = desk(|_| {}).await;
    let mut conversation = desk.call_from(CALLER).await;
    set(&mut conversation, "cheese_type", &json!("brie")).await;
    let attacks = attacks();
    let count = attacks.len();
    for (i, next) in attacks.into_iter().enumerate() {
        attack(&mut conversation, next).await;
        set(&mut conversation, "mood", &json!(i)).await;
    }
    conversation.end(Outcome::default()).await.unwrap();
    let mut next = desk.call_from(CALLER).await;
    let remembered = value(&mut next, "memory_fields", &json!({})).await;
    assert_eq!(remembered, json!({"cheese_type": "brie", "mood": count - 1}));
}

#[tokio::test]
async fn w6_a_turn_that_runs_out_of_time_is_stopped_and_the_conversation_goes_on() {
    let desk = hasty_desk().await;
    let mut conversation = desk.call_from(CALLER).await;
    set(&mut conversation, "cheese_type", &json!("brie")).await;
    for function in ["loop_forever", "loop_forever"] {
        let arguments = json!({});
        let turn =
            attack(&mut conversation, Attack { function, arguments, reason: StopReason::TimeLimit, message: TIME });
        assert!(turn.await.elapsed >= Duration::from_millis(100));
    }
    conversation.end(Outcome::default()).await.unwrap();
    let mut next = desk.call_from(CALLER).await;
    assert_eq!(value(&mut next, "memory_fields", &json!({})).await, json!({"cheese_type": "brie"}));
}

#[tokio::test]
async fn w6_a_panic_says_in_the_log_what_it_was() {
    let desk = desk(|_| {}).await;
    let mut conversation = desk.call_from(CALLER).await;
    let turn = call(&mut conversation, "panic", &json!({"message": "no cheese left"})).await;
    let [entry] = &turn.logs[..] else { panic!("one entry: {:?}", turn.logs) };
    assert!(entry.content.contains("limits.rs") && entry.content.ends_with(": no cheese left"), "{entry:?}");
    assert_eq!((entry.level, entry.is_pii), (LogLevel::Error, true));
}

#[tokio::test]
async fn w6_what_a_stopped_turn_did_is_discarded_and_its_log_stays() {
    let desk = hasty_desk().await;
    let mut conversation = desk.call_from(CALLER).await;
    set(&mut conversation, "mood", &json!("good")).await;
    call(&mut conversation, "metric", &json!({"name": "written_before"})).await;
    call(&mut conversation, "handoff", &json!({"destination": "billing", "reason": "refund"})).await;
    for (function, reason, message) in
        [("set_then_trap", StopReason::Trap, ABORT_AND_LOG), ("set_then_loop", StopReason::TimeLimit, TIME)]
    {
        for key in ["mood", "booking_day"] {
            let arguments = json!({"key": key, "value": "lost"});
            let turn = attack(&mut conversation, Attack { function, arguments, reason, message }).await;
            let logged: Vec<_> = turn.logs.iter().map(|entry| entry.content.as_str()).collect();
            assert_eq!(logged, ["logged before the end"]);
        }
    }
    let events = value(&mut conversation, "metric_events", &json!({})).await;
    assert_eq!(events, json!([{"name": "written_before", "value": null}]));
    let once = json!({"name": "written_before_the_end", "write_once": true});
    assert_eq!(call(&mut conversation, "metric", &once).await.actions.len(), 1, "it was never written");
    assert_eq!(call(&mut conversation, "metric", &once).await.actions.len(), 0);

    let report = conversation.end(Outcome::default()).await.unwrap().report;
    let keys: Vec<_> = report.keys.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["mood"], "a stopped turn has set nothing");
    let mut next = desk.call_from(CALLER).await;
    assert_eq!(value(&mut next, "memory_fields", &json!({})).await, json!({"mood": "good"}));
    let metrics = next.end(Outcome::default()).await.unwrap().report.metrics;
    assert_eq!(metrics["REPEAT_CALLER_HANDOFF_TO"], "billing");
    assert_eq!(metrics["REPEAT_CALLER_HANDOFF_REASON"], "refund");
}

#[tokio::test]
async fn w6_the_handoff_of_a_failed_turn_stands_and_that_of_a_stopped_one_does_not() {
    let desk = desk(|_| {}).await;
    let arguments = json!({"key": "mood", "value": "bad"});
    for (caller, function, handed_over) in [(CALLER, "set_then_fail", true), ("+441632960002", "set_then_trap", false)]
    {
        let mut conversation = desk.call_from(caller).await;
        call(&mut conversation, function, &arguments).await;
        conversation.end(Outcome::default()).await.unwrap();
        let mut next = desk.call_from(caller).await;
        let metrics = next.end(Outcome::default()).await.unwrap().report.metrics;
        assert!(metrics.contains_key("REPEAT_CALLER_CONV_ID"), "{metrics:?}");
        assert_eq!(metrics.contains_key("REPEAT_CALLER_HANDOFF_TO"), handed_over, "{function}: {metrics:?}");
    }
}

#[tokio::test]
async fn w6_a_function_that_copes_with_less_memory_is_not_stopped() {
    let desk = desk(|_| {}).await;
    let mut conversation = desk.call_from(CALLER).await;
    let try_allocate =
        async |conversation: &mut _, bytes: usize| value(conversation, "try_allocate", &json!({"bytes": bytes})).await;
    assert_eq!(try_allocate(&mut conversation, 32 << 20).await, json!(true));
    assert_eq!(try_allocate(&mut conversation, 512 << 20).await, json!(false), "and it had more after that");
    assert_eq!(value(&mut conversation, "allocate", &json!({"bytes": 48 << 20})).await, json!(48 << 20));
}

#[tokio::test]
async fn w6_a_function_that_leaves_no_memory_and_returns_is_not_stopped() {
    let desk = desk(|_| {}).await;
    let mut conversation = desk.call_from(CALLER).await;
    // So many entries that the policy needs memory of its own to hand them over.
    value(&mut conversation, "set_many", &json!({"n": 15_000, "value_bytes": 1})).await;
    value(&mut conversation, "allocate_all", &json!({})).await;
    assert_eq!(conversation.state().len(), 15_001);
    assert_eq!(value(&mut conversation, "get", &json!({"key": "used_up"})).await, json!(true));
}

#[tokio::test]
async fn w6_what_an_error_says_counts_as_output() {
    let desk = desk(|_| {}).await;
    let mut conversation = desk.call_from(CALLER).await;
    let turn = call(&mut conversation, "fail", &json!({"message": "x".repeat(1 << 10)})).await;
    assert_eq!(error_name(&turn), "ProbeFailed");
    let too_long = json!({"message": "x".repeat(1 << 20)});
    let turn = call(&mut conversation, "fail", &too_long).await;
    assert_eq!(stop(&turn).reason, StopReason::OutputLimit);
}

#[tokio::test]
async fn the_largest_output_that_fits_is_handed_over() {
    let desk = desk(|limits| limits.output_bytes = 12_000).await;
    let mut conversation = desk.call_from(CALLER).await;
    // 32 bytes for each entry, and two quotes around a text.
    let turn = call(&mut conversation, "return_bytes", &json!({"n": 12_000 - 32 - 2})).await;
    assert_eq!(returned(&turn).as_str().map(str::len), Some(11_966));
    let turn = call(&mut conversation, "return_bytes", &json!({"n": 12_000 - 32 - 1})).await;
    assert_eq!(stop(&turn).reason, StopReason::OutputLimit);
    let said = call(&mut conversation, "say_much", &json!({"bytes": 68, "calls": 119})).await.say;
    assert_eq!(said.len(), 119, "and `null` is returned");
    let turn = call(&mut conversation, "say_much", &json!({"bytes": 68, "calls": 120})).await;
    assert_eq!(stop(&turn).reason, StopReason::OutputLimit);
}

/// If a sandbox leaves anything in the pool, fifty of them leave nothing to the next.
#[tokio::test]
async fn stopped_turns_leave_the_whole_pool_to_the_next() {
    let desk = desk(|limits| limits.concurrent_turns = 1).await;
    let mut conversation = desk.call_from(CALLER).await;
    for Attack { function, arguments, reason, .. } in attacks() {
        for _ in 0..50 {
            let turn = call(&mut conversation, function, &arguments).await;
            assert_eq!(stop(&turn).reason, reason, "{function} {arguments}");
        }
        assert_eq!(value(&mut conversation, "allocate", &json!({"bytes": 48 << 20})).await, json!(48 << 20));
    }
}

#[tokio::test]
async fn turns_out_of_time_leave_the_whole_pool_to_the_next() {
    let desk = desk(|limits| {
        limits.concurrent_turns = 1;
        limits.turn_time = Duration::from_millis(100);
    })
    .await;
    let mut conversation = desk.call_from(CALLER).await;
    for _ in 0..50 {
        let turn = call(&mut conversation, "loop_forever", &json!({})).await;
        assert_eq!(stop(&turn).reason, StopReason::TimeLimit);
    }
    set(&mut conversation, "mood", &json!("good")).await;
}

/// On a single thread: whoever computes gives way.
#[tokio::test(flavor = "current_thread")]
async fn an_endless_loop_does_not_hold_up_another_conversation() {
    let desk = desk(|_| {}).await;
    let mut looping = desk.call_from(CALLER).await;
    let mut other = desk.call_from("+441632960002").await;
    let talk = async {
        for i in 0..20 {
            set(&mut other, "mood", &json!(i)).await;
        }
        other.end(Outcome::default()).await.unwrap();
    };
    let nothing = json!({});
    tokio::select! {
        biased;
        turn = call(&mut looping, "loop_forever", &nothing) => panic!("the loop ended first: {turn:?}"),
        () = talk => {}
    }
    // The turn was not waited for, and has not happened.
    set(&mut looping, "mood", &json!("good")).await;
}

#[tokio::test]
async fn an_agent_with_many_long_turns_leaves_places_to_another() {
    const LOOPS: usize = 20;
    let desk = desk(|limits| {
        limits.concurrent_turns = 2;
        limits.turn_time = Duration::from_millis(200);
    })
    .await;
    let definition = AgentDefinition {
        scope: Scope { account: "other".into(), ..scope() },
        functions: component("probe"),
        configuration: configuration(""),
    };
    let other = desk.runtime.load_agent(definition).await.unwrap();
    let new = NewConversation { caller_number: Some(CALLER.into()), ..Default::default() };
    let mut other = other.start(new).await.unwrap().conversation;

    let mut conversations = Vec::new();
    for caller in 0..LOOPS {
        conversations.push(desk.call_from(&format!("+4416329600{caller:02}")).await);
    }
    let mut loops = JoinSet::new();
    for mut looping in conversations {
        loops.spawn(async move { call(&mut looping, "loop_forever", &json!({})).await });
    }
    // All of them want a place before the other agent does.
    tokio::time::sleep(Duration::from_millis(50)).await;
    set(&mut other, "mood", &json!("good")).await;
    let over = std::iter::from_fn(|| loops.try_join_next()).count();
    assert!(over <= LOOPS / 2, "{over} turns of one agent came before the only one of another");
    loops.join_all().await;
}

#[tokio::test]
async fn a_turn_that_waits_too_long_is_refused_and_leaves_no_trace() {
    let desk = desk(|limits| {
        limits.concurrent_turns = 1;
        limits.longest_wait = Duration::from_millis(50);
    })
    .await;
    let mut looping = desk.call_from(CALLER).await;
    let mut other = desk.call_from("+441632960002").await;
    set(&mut other, "mood", &json!("good")).await;
    let before = other.session().to_bytes();
    let refused = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let arguments = Json::parse(r#"{"key": "mood", "value": "bad"}"#).unwrap();
        let error = other.call("set", arguments).await.unwrap_err();
        assert!(matches!(error, CallError::Busy(_)), "{error}");
        let error = desk.agent.start(NewConversation::default()).await.err().unwrap();
        assert!(matches!(error, StartError::Busy(_)), "{error}");
        let definition =
            AgentDefinition { scope: scope(), functions: component("probe"), configuration: configuration("") };
        let error = desk.runtime.load_agent(definition).await.err().unwrap();
        assert!(matches!(error, LoadError::Busy(_)), "{error}");
        let error = other.end(Outcome::default()).await.unwrap_err();
        assert!(matches!(error, EndError::Busy(_)), "{error}");
    };
    let nothing = json!({});
    tokio::select! {
        biased;
        turn = call(&mut looping, "loop_forever", &nothing) => panic!("the loop ended first: {turn:?}"),
        () = refused => {}
    }
    assert_eq!(other.session().to_bytes(), before);
    // The loop was not waited for, and gives its place back when it notices.
    let ended = loop {
        match other.end(Outcome::default()).await {
            Err(EndError::Busy(_)) => {}
            ended => break ended.unwrap(),
        }
    };
    assert_eq!(ended.report.keys.len(), 1);
}

#[tokio::test]
async fn more_turns_than_may_run_at_once_wait() {
    let desk = desk(|limits| limits.concurrent_turns = 2).await;
    let calls = (0..200).map(|i| {
        let desk = &desk;
        async move {
            let mut conversation = desk.call_from(&format!("+441632960{i:03}")).await;
            set(&mut conversation, "mood", &json!(i)).await;
            value(&mut conversation, "get", &json!({"key": "mood"})).await
        }
    });
    let moods = futures::future::join_all(calls).await;
    assert_eq!(moods, (0..200).map(|i| json!(i)).collect::<Vec<_>>());
}

#[tokio::test]
async fn v5_what_is_too_large_is_refused_when_it_is_set_and_the_rest_stays() {
    let desk = desk(|_| {}).await;
    let mut conversation = desk.call_from(CALLER).await;
    set(&mut conversation, "mood", &json!("good")).await;
    let (longest_key, longest_value) = ("k".repeat(128), "x".repeat((8 << 10) - 2));
    set(&mut conversation, &longest_key, &json!(1)).await;
    set(&mut conversation, "cheese_type", &json!(longest_value)).await;
    let before = conversation.state();

    let refusals = [
        (json!({"key": "k".repeat(129), "value": 1}), "KeyTooLong", ["129", "128"]),
        (json!({"key": "mood", "value": format!("{longest_value}x")}), "ValueTooLarge", ["8193", "8192"]),
        (json!({"key": "free", "value": "x".repeat(256 << 10)}), "StateTooLarge", ["270492", "262144"]),
    ];
    for (arguments, case, sizes) in refusals {
        let turn = call(&mut conversation, "set", &arguments).await;
        let TurnOutcome::Failed(error) = &turn.outcome else { panic!("{case}: {turn:?}") };
        assert_eq!(error.name, "SetError", "{case}");
        assert!(sizes.iter().all(|size| error.message.contains(size)), "{case}: {error:?}");
        assert!(!error.message.contains("xxx"), "{case}: the value is not in the message");
        assert_eq!(conversation.state(), before, "{case}");
    }
    set(&mut conversation, "free", &json!("x".repeat(9 << 10))).await;

    conversation.end(Outcome::default()).await.unwrap();
    let mut next = desk.call_from(CALLER).await;
    let remembered = value(&mut next, "memory_fields", &json!({})).await;
    assert_eq!(remembered, json!({"cheese_type": longest_value, "mood": "good"}));
}

#[tokio::test]
async fn v5_a_full_state_refuses_the_value_that_does_not_fit_and_keeps_the_others() {
    let desk = desk(|limits| limits.state_bytes = 1_000).await;
    let mut conversation = desk.call_from(CALLER).await;
    // A key of 5 bytes and a value of 102: nine of them fit.
    let turn = call(&mut conversation, "set_many", &json!({"n": 20, "value_bytes": 100})).await;
    assert_eq!(error_name(&turn), "SetError");
    let keys: Vec<_> = conversation.state().into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, (0..9).map(|i| format!("key_{i}")).collect::<Vec<_>>());
    value(&mut conversation, "remove", &json!({"key": "key_0"})).await;
    set(&mut conversation, "key_9", &json!("x".repeat(100))).await;
}

#[tokio::test]
async fn v5_a_platform_state_that_is_too_large_is_refused_at_the_start() {
    let desk = desk(|_| {}).await;
    let start = async |state: Vec<(String, Json)>| {
        let conversation = NewConversation { caller_number: Some(CALLER.into()), state, ..Default::default() };
        desk.agent.start(conversation).await
    };
    let text = |bytes: usize| Json::from_value(&"x".repeat(bytes - 2)).unwrap();
    let Err(StartError::Invalid(problem)) = start(vec![("call".into(), text(256 << 10))]).await else {
        panic!("a state of 256 KiB and 4 bytes was taken");
    };
    assert_eq!(problem, "with `call` the state has 262148 bytes, and at most 262144 are allowed");
    assert!(start(vec![("call".into(), text((256 << 10) - 4))]).await.is_ok());

    let twice = vec![("call".to_owned(), text(10)), ("call".to_owned(), text(10))];
    let Err(StartError::Invalid(problem)) = start(twice).await else { panic!("a key was taken twice") };
    assert_eq!(problem, "the key `call` is there twice");
}

#[tokio::test]
async fn metrics_of_a_conversation_are_bounded_as_a_whole() {
    let desk = Desk::new("").await;
    let mut conversation = desk.call_from("+441632960001").await;
    let metric = json!({"name": "m", "value": "x".repeat(300 << 10), "write_once": false});
    let mut outcomes = Vec::new();
    for _ in 0..5 {
        let turn = call(&mut conversation, "metric", &metric).await;
        outcomes.push(matches!(turn.outcome, TurnOutcome::Returned(_)));
    }
    assert_eq!(outcomes, [true, true, true, false, false]);
    assert_eq!(value(&mut conversation, "memory_len", &json!({})).await, json!(0), "and the conversation goes on");
}
