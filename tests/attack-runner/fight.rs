//! One attack, and what has to be true of it and of everybody else afterwards.

use std::fs;
use std::sync::{Mutex, PoisonError};

use agent_memory_host::{Agent, ComponentError, Conversation, Json, LoadError, Outcome, StopReason, Turn, TurnOutcome};
use agent_memory_tests::value;
use serde_json::json;

use crate::arena::{Arena, CANARY, PATIENCE, Resident, TOKIO, TurnTime, VICTIM, log, start};
use crate::component::Source;
use crate::folder;

/// Two callers who attack at the same time.
const ATTACKERS: [&str; 2] = ["+441632960001", "+441632960002"];

/// How long what the host says may be, in bytes: its words, with some names of the author's.
const LONGEST_MESSAGE: usize = 5_000;

/// How long a trace of a stack may be, in bytes.
const LONGEST_TRACE: usize = 16 << 10;

/// How much an attack's author may be told, in bytes: what a turn may hand over, and what it may print.
const LARGEST_LOG: usize = (1 << 20) + (128 << 10);

/// How much of a value is shown in an outcome, in bytes.
const SHOWN: usize = 300;

/// How much memory the host may have at the worst moment of an attack beside what it had before: the two sandboxes that
/// attack and the neighbour's, what two turns may hand over, and some room.
const LARGEST_PEAK: usize = 400 << 20;

/// How much memory the host may have after an attack beside what it had before. What allocators keep is not nothing.
const LARGEST_REST: usize = 96 << 20;

/// Runs an attack, one at a time, and checks its outcome and everything else.
pub(crate) fn run(name: &str) {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let source = Source::of(name);
    let component = source.build();
    let file = folder(name).join("outcome.txt");
    let expected = fs::read_to_string(&file).unwrap_or_default();
    let is_stopped_in_time = expected.is_empty() || expected.contains(StopReason::TimeLimit.name());
    let time = if is_stopped_in_time { TurnTime::Short } else { TurnTime::Long };
    let outcome = TOKIO.block_on(async { survive(Arena::shared(time).await, &source.function(name), component).await });
    if std::env::var_os("AGENT_MEMORY_BLESS").is_some() {
        fs::write(&file, format!("{outcome}\n")).unwrap();
    } else {
        assert_eq!(outcome, expected.trim_end(), "the outcome of {name}");
    }
}

/// The outcome of an attack that harmed nobody.
async fn survive(arena: &'static Arena, function: &str, component: Vec<u8>) -> String {
    log::clear();
    let neighbour = arena.neighbour();
    let mut memory = Memory::before();
    let outcome = match arena.load(component).await {
        Err(refusal) => {
            let outcome = refused(&refusal);
            memory.check();
            outcome
        }
        Ok(agent) => {
            // Some are compiled here for the first time, which no attack has a part in.
            memory = Memory::before();
            let outcome = attack(arena, &agent, function).await;
            memory.check();
            outcome
        }
    };
    neighbour.end().await;
    arena.check_pool().await;
    arena.check_elsewhere().await;
    check_secrets("the host's log", &log::text());
    outcome
}

/// Attacks three times: once alone, and then by two callers at once. Each of the conversations has to go on.
async fn attack(arena: &Arena, agent: &Agent, function: &str) -> String {
    let [first, second] = ATTACKERS;
    let (mut one, mut other) = (start(agent, first).await, start(agent, second).await);
    let alone = strike(arena, &mut one, function, 1).await;
    ordinary(&mut one).await;
    let (again, at_once) = tokio::join!(strike(arena, &mut one, function, 2), strike(arena, &mut other, function, 1));
    assert_eq!(again, alone, "in the same conversation again");
    assert_eq!(at_once, alone, "by another caller at the same time");
    for (mut conversation, caller) in [(one, first), (other, second)] {
        ordinary(&mut conversation).await;
        conversation.end(Outcome::default()).await.unwrap();
        assert_eq!(arena.memory_of(caller).await, json!({"mood": "good"}), "what the attacker remembers");
    }
    alone
}

/// One turn of an attack, which is dropped if it waits for the platform.
async fn strike(arena: &Arena, conversation: &mut Conversation, function: &str, time: usize) -> String {
    let before = conversation.state();
    let id = conversation.id().to_owned();
    let turn = tokio::time::timeout(PATIENCE, async {
        tokio::select! {
            turn = conversation.call(function, Json::empty_object()) => {
                Some(turn.unwrap_or_else(|error| panic!("{error}")))
            }
            () = arena.platform.asked(&id, time) => None,
        }
    });
    let Some(turn) = turn.await.expect("the turn has no end") else {
        assert_eq!(conversation.state(), before, "a turn that was dropped has not happened");
        return "waits".to_owned();
    };
    if let TurnOutcome::Stopped(_) = &turn.outcome {
        assert_eq!(conversation.state(), before, "a turn that was stopped has not happened");
        assert!(turn.say.is_empty() && turn.actions.is_empty(), "nor asked for anything: {turn:?}");
    }
    check_logs(&turn);
    check_secrets("the turn's effects", &format!("{:?} {:?}", turn.say, turn.actions));
    told(&turn.outcome)
}

/// What a function does that means no harm.
async fn ordinary(conversation: &mut Conversation) {
    assert_eq!(value(conversation, "ordinary", &json!({})).await, json!(true));
    let mood = conversation.state().into_iter().find(|(key, _)| key == "mood").and_then(|(_, value)| value);
    assert_eq!(mood, Some(Json::from_value(&"good").unwrap()));
}

/// A refusal in one line: its kind, and what the author is told.
fn refused(refusal: &LoadError) -> String {
    let kind = match refusal {
        LoadError::Component(ComponentError::NotWebAssembly { .. }) => "NotWebAssembly",
        LoadError::Component(ComponentError::CoreModule) => "CoreModule",
        LoadError::Component(ComponentError::NoFunctions { .. }) => "NoFunctions",
        LoadError::Component(ComponentError::ForbiddenImports(_)) => "ForbiddenImports",
        LoadError::Component(ComponentError::WrongType(_)) => "WrongType",
        LoadError::Component(ComponentError::Uncompilable(_)) => "Uncompilable",
        LoadError::Component(ComponentError::Undescribed(_)) => "Undescribed",
        LoadError::Component(ComponentError::DuplicateFunction(_)) => "DuplicateFunction",
        LoadError::Component(ComponentError::BadParameters { .. }) => "BadParameters",
        other => panic!("no attack is refused as {other:?}"),
    };
    let message = refusal.to_string();
    check_message(&message);
    format!("refused: {kind}: {message}")
}

/// The outcome of a turn in one line.
fn told(outcome: &TurnOutcome) -> String {
    let (kind, text) = match outcome {
        TurnOutcome::Returned(value) => ("returned".to_owned(), value.as_str().to_owned()),
        TurnOutcome::Failed(error) => (format!("failed: {}", error.name), error.message.clone()),
        TurnOutcome::Stopped(stop) => {
            check_message(&stop.message);
            assert!(stop.trace.len() <= LONGEST_TRACE, "a trace of {} bytes", stop.trace.len());
            check_secrets("the trace", &stop.trace);
            (format!("stopped: {}", stop.reason.name()), stop.message.clone())
        }
    };
    check_secrets("the outcome", &text);
    if text.len() > SHOWN {
        let shown: String = text.chars().take(SHOWN / 10).collect();
        return format!("{kind}: {shown}... of {} bytes", text.len());
    }
    format!("{kind}: {}", text.replace('\n', " / "))
}

/// Checks what the host says: something, in one line, that can be read.
fn check_message(message: &str) {
    let start: String = message.chars().take(SHOWN).collect();
    assert!(!message.is_empty() && message.lines().count() == 1, "one line: {start}");
    assert!(message.len() <= LONGEST_MESSAGE, "{} bytes of message: {start}...", message.len());
    check_secrets("the message", message);
}

fn check_logs(turn: &Turn) {
    let entries = turn.logs.iter().map(|entry| format!("{}{}", entry.content, entry.fields.as_str()));
    let logged: Vec<String> = entries.collect();
    let size: usize = logged.iter().map(|entry| entry.len() - "{}".len()).sum();
    assert!(size <= LARGEST_LOG, "a log of {size} bytes");
    logged.iter().for_each(|entry| check_secrets("the author's log", entry));
}

/// Checks that a text has nothing in it of anybody whom it does not concern.
fn check_secrets(what: &str, text: &str) {
    for secret in ATTACKERS.iter().chain([&VICTIM, &CANARY]) {
        // Without the `+` it is the same number.
        assert!(!text.contains(secret.trim_start_matches('+')), "{what} has {secret} in it");
    }
}

/// How much memory this process had before an attack.
struct Memory {
    before: usize,
}

impl Memory {
    fn before() -> Self {
        Resident::reset_peak();
        Self { before: Resident::now() }
    }

    fn check(&self) {
        let [peak, rest] = [Resident::peak(), Resident::now()].map(|bytes| bytes.saturating_sub(self.before));
        if std::env::var_os("AGENT_MEMORY_ATTACKS_MEASURED").is_some() {
            eprintln!("peak {} MiB, rest {} MiB", peak >> 20, rest >> 20);
        }
        assert!(peak <= LARGEST_PEAK, "{} MiB more than before at the worst moment", peak >> 20);
        assert!(rest <= LARGEST_REST, "{} MiB more than before afterwards", rest >> 20);
    }
}
