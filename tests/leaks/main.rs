//! Canaries: identifiers and values that nobody else would make up go through everything that the host does, well and
//! badly, and are then searched for wherever they must not be (rule P3). This is a program of its own, because it
//! listens to all that is logged in it, by anybody, at every level.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test has nobody else to tell")]

use std::error::Error;
use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, Once, PoisonError};

use agent_memory_host::keys::Keys;
use agent_memory_host::store::SqliteStore;
use agent_memory_host::{
    Agent, Conversation, Handoff, IdentifierKind, Json, MemoryFailure, NewConversation, Outcome, RequestError,
    Requests, Runtime, Settings, Utterance,
};
use agent_memory_tests::{Desk, Fault, FaultyStore, Trouble, call, configuration, json, scope, set};
use async_trait::async_trait;
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

/// What identifies the caller.
const CALLER: &str = "+441632707172";

/// What of it is searched for: numbers are written in many ways.
const NUMBER: &str = "1632707172";

/// What every other canary begins with.
const CANARY: &str = "canary-";

/// All that was logged, and what panics said.
static HEARD: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Ear;

impl io::Write for Ear {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        HEARD.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Ear {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}

/// All that is logged, but for what the compiler tells of each instruction: it sees no caller, and has gigabytes to tell.
const EVERYTHING: &str = "trace,cranelift_codegen=warn,cranelift_frontend=warn,regalloc2=warn,\
                          wasmtime_internal_cranelift=warn,wasmtime_environ=warn";

/// Listens to everything from now on.
fn listen() {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        tracing_subscriber::fmt().with_env_filter(EVERYTHING).with_writer(Ear).init();
        std::panic::set_hook(Box::new(|panic| {
            let backtrace = std::backtrace::Backtrace::force_capture();
            let _ = io::Write::write_all(&mut Ear, format!("PANIC {panic}\n{backtrace}\n").as_bytes());
            eprintln!("{panic}");
        }));
    });
}

/// What was heard so far.
fn heard() -> String {
    String::from_utf8_lossy(&HEARD.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
}

/// Which canaries a text has: where in it, with what is around.
fn found(text: &str) -> Vec<&str> {
    let all = [NUMBER, CANARY].iter().flat_map(|canary| text.match_indices(canary));
    let around = |at: usize| {
        let (mut from, mut to) = (at.saturating_sub(80), (at + 120).min(text.len()));
        while !text.is_char_boundary(from) {
            from -= 1;
        }
        while !text.is_char_boundary(to) {
            to += 1;
        }
        &text[from..to]
    };
    all.map(|(at, _)| around(at)).collect()
}

#[track_caller]
fn assert_clean(what: &str, text: &str) {
    let found = found(text);
    assert!(found.is_empty(), "{what} has {} canaries: {:?}", found.len(), found.first());
}

/// All that an error says, to people and to programmers, with what has caused it.
fn words(error: &impl Error) -> String {
    let mut words = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(error) = source {
        let _ = write!(words, " {error} {error:?}");
        source = error.source();
    }
    words
}

/// A platform that gives back what it is asked, or panics.
struct Platform;

#[async_trait]
impl Requests for Platform {
    async fn answer(&self, _: &str, name: &str, arguments: Json) -> Result<Json, RequestError> {
        if name == "panic" {
            panic!("the embedder's own");
        }
        Ok(arguments)
    }
}

fn new(id: &str) -> NewConversation {
    NewConversation {
        id: Some(id.into()),
        caller_number: Some(CALLER.into()),
        callee_number: Some("canary-callee".into()),
        channel: "sip".into(),
        sip_headers: vec![("X-Canary-Name".into(), "canary-header".into())],
        integration_attributes: Some(json(&json!({"crm": "canary-attribute"}))),
        state: vec![("platform".into(), json(&json!("canary-platform")))],
        settings: Settings {
            history: vec![Utterance { role: agent_memory_host::Role::User, text: "canary-utterance".into() }],
            more: Some(json(&json!({"entities": "canary-entity"}))),
            ..Default::default()
        },
        ..Default::default()
    }
}

/// A conversation in which everything is tried. Gives the words of all that was refused.
async fn converse(conversation: &mut Conversation) -> String {
    let mut words_of = String::new();
    set(conversation, "mood", &json!("canary-value")).await;
    for (function, arguments) in [
        ("set", json!({"key": "mood", "value": {"a": ["canary-nested"]}})),
        ("set", json!({"key": "mood", "value": "canary-".repeat(2_000)})),
        ("set_opaque", json!({"key": "mood", "type_name": "canary-type", "bytes": [1]})),
        ("set_then_fail", json!({"key": "cheese_type", "value": "canary-failed"})),
        ("set_then_trap", json!({"key": "cheese_type", "value": "canary-trapped"})),
        ("fail", json!({"message": "canary-message"})),
        ("panic", json!({"message": "canary-panic"})),
        ("say", json!({"text": "canary-said"})),
        ("log", json!({"level": "error", "content": "canary-log", "is_pii": true, "fields": {"a": "canary-field"}})),
        ("metric", json!({"name": "canary-metric", "value": "canary-metric-value"})),
        ("act", json!({"name": "canary-act", "arguments": {"a": "canary-argument"}})),
        ("handoff", json!({"destination": "canary-destination", "reason": "canary-reason"})),
        ("request", json!({"name": "canary-request", "arguments": {"a": "canary-asked"}})),
        ("malformed", json!({"place": "state", "text": "canary-malformed {"})),
        ("set_many", json!({"n": 40, "value_bytes": 8_000})),
        ("allocate_forever", json!({})),
        ("say_much", json!({"bytes": 1_000_000, "calls": 5})),
        ("set", json!({"canary-parameter": "canary-argument"})),
    ] {
        call(conversation, function, &arguments).await;
    }
    for (function, arguments) in [("canary-function", json!({})), ("say", json!(["canary-list"]))] {
        // The name of a function is the author's; what it is called with is not.
        let error = conversation.call(function, json(&arguments)).await.unwrap_err();
        words_of += &words(&error).replace("canary-function", "");
    }
    let _ = write!(words_of, "{:?}", conversation.session());
    let _ = write!(words_of, "{:?}", conversation.preview(outcome()).await.unwrap());
    words_of
}

fn outcome() -> Outcome {
    let handoff = Handoff { reason: Some("canary-why".into()), to: Some("canary-whom".into()) };
    Outcome { qa: Some("canary-qa".into()), handoff: Some(handoff) }
}

/// Everything that an administrator does.
async fn administer(runtime: &Runtime, agent: &Agent, id: &str) -> String {
    let mut told = String::new();
    let administration = runtime.administration().by("operator");
    let results = [
        administration.get(&scope(), IdentifierKind::Phone, CALLER).await.err(),
        administration.export(&scope(), IdentifierKind::Phone, CALLER).await.err(),
        administration.add_outcome(&scope(), id, outcome()).await.err(),
        administration.add_outcome(&scope(), "canary-nobody", outcome()).await.err(),
        administration.report(&scope(), id).await.err(),
        administration.analytics().await.err(),
        administration.callers(None).await.err(),
        administration.get(&scope(), IdentifierKind::Custom, " ").await.err(),
        administration.erase(&scope(), IdentifierKind::Phone, CALLER, Some("canary-key")).await.err(),
        administration.erase(&scope(), IdentifierKind::Phone, CALLER, None).await.err(),
        administration.sweep().await.err(),
    ];
    results.iter().flatten().for_each(|error| told += &words(error));
    if let Err(error) = agent.open(id).await {
        told += &words(&error);
    }
    match administration.verify(|_| ()).await {
        Ok(verification) => {
            let _ = write!(told, "{verification:?}");
        }
        Err(error) => told += &words(&error),
    }
    if let Ok((acts, _)) = administration.acts(None).await {
        let _ = write!(told, "{acts:?}");
    }
    told
}

/// Whether a canary is in a file of a folder. Another program looks: to close a file here would drop locks of SQLite's.
fn is_in_files(folder: &Path) -> bool {
    let grep = |canary| {
        let grep = std::process::Command::new("grep").args(["-rqaF", canary]).arg(folder).status().unwrap();
        match grep.code() {
            Some(code @ (0 | 1)) => code == 0,
            _ => panic!("the files cannot be searched: {grep}"),
        }
    };
    [NUMBER, CANARY].into_iter().any(grep)
}

#[tokio::test(flavor = "multi_thread")]
async fn p3_no_canary_is_where_it_must_not_be() {
    listen();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memory.db");
    let config = configuration(
        r#""analytics_enabled": true, "identifier_blacklist": ["canary-listed"],
        "identifier_source": ["state:canary_nowhere", "caller_number"]"#,
    );
    let mut told = String::new();
    let keys = Keys::ephemeral();
    for (failure, id) in
        [(MemoryFailure::FailTurn, "canary-conversation-1"), (MemoryFailure::EmptyMemory, "canary-conversation-2")]
    {
        let store = Arc::new(FaultyStore::over(SqliteStore::open(&path).unwrap()));
        let desk = Desk::sealed(store.clone(), keys.clone(), &config, |builder| {
            builder.requests(Arc::new(Platform)).memory_failure(failure)
        })
        .await;
        let mut conversation = desk.agent.start(new(id)).await.unwrap().conversation;
        told += &converse(&mut conversation).await;
        conversation.keep(b"canary-note".to_vec());
        conversation.save().await.unwrap();
        assert!(!is_in_files(folder.path()), "a canary is in a file");

        // The store fails at everything.
        for trouble in [Trouble::Refused, Trouble::LostBefore, Trouble::LostAfter] {
            for after in 0..2 {
                store.trouble(after, trouble);
                if let Err(error) = conversation.call("memory_fields", Json::empty_object()).await {
                    told += &words(&error);
                }
                if let Err(error) = conversation.save().await {
                    told += &words(&error);
                }
                if let Err(error) = desk.agent.start(new(id)).await {
                    told += &words(&error);
                }
                assert!(store.no_more_trouble(), "{trouble:?} after {after} calls has met nobody");
            }
        }
        for fault in [Fault::SaveSession, Fault::SaveSessionUnknown] {
            store.fail(&[fault]);
            told += &words(&conversation.save().await.unwrap_err());
        }
        for fault in [Fault::CommitRejected, Fault::CommitUnknown] {
            store.fail(&[fault]);
            told += &words(&conversation.end(outcome()).await.err().unwrap());
        }
        store.fail(&[]);
        let report = conversation.end(outcome()).await.unwrap().report;
        let _ = write!(told, "{}", serde_json::to_string(&report).unwrap());
        assert!(!is_in_files(folder.path()), "a canary is in a file");

        // Two of one id, and what is refused of a beginning.
        for bad in [
            new(id),
            NewConversation { id: Some("canary-".repeat(100)), ..new(id) },
            NewConversation { integration_attributes: Some(json(&json!(["canary-attribute"]))), ..new(id) },
            NewConversation { state: vec![("canary-key-".repeat(100), json(&json!("canary-value")))], ..new(id) },
        ] {
            told += &words(&desk.agent.start(bad).await.err().unwrap());
        }
        for faults in [&[Fault::Load][..], &[Fault::Erase], &[Fault::RecordAct], &[]] {
            store.fail(faults);
            told += &administer(&desk.runtime, &desk.agent, id).await;
        }
        assert!(!is_in_files(folder.path()), "a canary is in a file");
    }

    // Other keys, and no keys.
    for other in [Keys::ephemeral(), Keys::plaintext()] {
        let store = Arc::new(SqliteStore::open(&path).unwrap());
        told += &words(&Runtime::builder(store, other).build().await.err().unwrap());
    }
    assert_clean("what errors tell", &told);
    assert_clean("the log", &heard());
    assert!(heard().contains("TRACE"), "nobody logs at the lowest level here");
}

#[tokio::test(flavor = "multi_thread")]
async fn p3_a_panic_in_the_middle_of_a_turn_tells_no_canary() {
    listen();
    let desk = Desk::with(Arc::new(agent_memory_host::store::MemoryStore::new()), &configuration(""), |builder| {
        builder.requests(Arc::new(Platform))
    })
    .await;
    let mut conversation = desk.agent.start(new("canary-conversation")).await.unwrap().conversation;
    set(&mut conversation, "mood", &json!("canary-value")).await;
    let asked = json!({"name": "panic", "arguments": {"a": "canary-asked"}});
    // Whoever answers panics in the middle of the turn.
    let turn = tokio::spawn(async move {
        let _ = conversation.call("request", json(&asked)).await;
    });
    let _ = turn.await;
    assert!(heard().contains("PANIC"), "nobody has heard the panic");
    assert_clean("the log", &heard());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_search_finds_what_is_there() {
    listen();
    // In plain text, and in an error of somebody who does not care.
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteStore::open(folder.path().join("plain.db")).unwrap());
    let desk = Desk::sealed(store, Keys::plaintext(), &configuration(""), |builder| builder).await;
    let mut conversation = desk.agent.start(new("canary-conversation")).await.unwrap().conversation;
    set(&mut conversation, "mood", &json!("canary-value")).await;
    conversation.end(outcome()).await.unwrap();
    assert!(is_in_files(folder.path()), "nothing is found in a store in plain text");

    let careless = io::Error::other(format!("{CALLER} set canary-value"));
    assert_eq!(found(&words(&careless)).len(), 4);
    assert!(found("nothing of it, 441632 and canaries").is_empty());
}
