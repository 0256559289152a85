//! Turns in processes of their own: they are what they are here, and nothing that becomes of a process ends a conversation.
#![cfg(target_os = "linux")]

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use agent_memory_host::store::MemoryStore;
use agent_memory_host::workers::{WorkerAgents, WorkerOptions};
use agent_memory_host::{
    AgentDefinition, BuildError, Conversation, Limits, NewConversation, Outcome, Runtime, StopReason, Turn,
    TurnOutcome, keys::Keys,
};
use agent_memory_tests::{Desk, call, component, configuration, json, returned, scope, set, value, workers};
use serde_json::json;

use crate::platform::{Platform, request};

const CALLER: &str = "+441632960001";
const OTHER: &str = "+441632960002";

/// A program that becomes a worker.
const WORKER: &str = env!("CARGO_BIN_EXE_agent-memory-test-worker");

/// Workers that are told from those of other tests by their arguments.
struct Workers {
    tag: String,
}

impl Workers {
    fn new(tag: &str) -> Self {
        Self { tag: format!("{tag}-{}", std::process::id()) }
    }

    fn options(&self, count: usize) -> WorkerOptions {
        let mut options = workers(WORKER.into(), vec![self.tag.clone()]);
        options.count = NonZeroUsize::new(count).unwrap();
        options
    }

    /// The processes that there are.
    fn processes(&self) -> Vec<u32> {
        let tagged = |process: &u32| {
            fs::read(format!("/proc/{process}/cmdline"))
                .is_ok_and(|line| line.ends_with(format!("{}\0", self.tag).as_bytes()))
        };
        let names = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().file_name());
        names.filter_map(|name| name.to_str()?.parse().ok()).filter(tagged).collect()
    }

    fn kill(&self, process: u32) {
        self.signal("-KILL", process);
    }

    fn signal(&self, signal: &str, process: u32) {
        assert!(self.processes().contains(&process), "it is one of these");
        assert!(Command::new("kill").args([signal, &process.to_string()]).status().unwrap().success());
    }

    /// Waits until that many were started in place of one that had ended, and `count` are there.
    async fn restarted(&self, runtime: &Runtime, restarts: u64, count: usize) {
        while runtime.worker_restarts() < restarts || self.processes().len() < count {
            tokio::task::yield_now().await;
        }
        assert_eq!(runtime.worker_restarts(), restarts);
    }
}

/// The probe with this platform and these workers.
async fn desk(platform: &Arc<Platform>, workers: Option<WorkerOptions>, change: impl FnOnce(&mut Limits)) -> Desk {
    let mut limits = Limits::default();
    change(&mut limits);
    let requests = platform.clone();
    Desk::with(Arc::new(MemoryStore::new()), &configuration(""), |builder| {
        let builder = builder.limits(limits).requests(requests);
        match workers {
            Some(workers) => builder.workers(workers),
            None => builder,
        }
    })
    .await
}

/// Whether a turn was stopped because its worker ended.
fn lost_its_worker(turn: &Turn) -> bool {
    matches!(&turn.outcome, TurnOutcome::Stopped(stop) if stop.reason == StopReason::Worker)
        && turn.say.is_empty()
        && turn.actions.is_empty()
}

/// All of a turn but the time that it took.
fn seen(turn: &Turn) -> String {
    let Turn { function, outcome, say, actions, logs, identifier, memory_unavailable, .. } = turn;
    format!("{function} {outcome:?} {say:?} {actions:?} {logs:?} {identifier:?} {memory_unavailable}")
}

#[tokio::test]
async fn a_turn_is_the_same_in_a_worker() {
    // Long enough for all but the one that loops, even on a busy machine.
    let short = |limits: &mut Limits| limits.turn_time = Duration::from_secs(3);
    let here = desk(&Platform::new(), None, short).await;
    let there = desk(&Platform::new(), Some(Workers::new("same").options(2)), short).await;
    let much = json!({"bytes": 1 << 10, "calls": 2_000});
    let turns = [
        ("get", json!({"key": "mood"})),
        ("set", json!({"key": "mood", "value": "1.0 é \u{1f9c0}"})),
        ("set", json!({"key": "cheese_type", "value": {"nested": {"too": "deep"}}})),
        ("set_opaque", json!({"key": "since", "type_name": "datetime", "bytes": [0, 255, 7]})),
        ("set_many", json!({"n": 500, "value_bytes": 100})),
        ("state", json!({})),
        ("attributes", json!({})),
        ("say", json!({"text": "Hello."})),
        ("metric", json!({"name": "calls", "value": 1, "write_once": true})),
        ("metric_events", json!({})),
        ("handoff", json!({"destination": "billing", "reason": "refund"})),
        ("set_then_fail", json!({"key": "mood", "value": "kept"})),
        ("set_then_trap", json!({"key": "mood", "value": "lost"})),
        ("set_then_loop", json!({"key": "mood", "value": "lost"})),
        ("panic", json!({"message": "no cheese left"})),
        ("unreachable", json!({})),
        ("recurse_forever", json!({})),
        ("allocate_forever", json!({})),
        ("say_much", much.clone()),
        ("log_much", much),
        ("request", request("echo")),
        ("request", request("broken")),
        ("request", request("unknown")),
        ("memory_fields", json!({})),
    ];
    let mut conversations = Vec::new();
    for desk in [&here, &there] {
        let caller = NewConversation { id: Some("1".into()), caller_number: Some(CALLER.into()), ..Default::default() };
        conversations.push(desk.start(caller).await);
    }
    for (function, arguments) in turns {
        let [here, there] = &mut conversations[..] else { panic!("two conversations") };
        let (ours, theirs) = (call(here, function, &arguments).await, call(there, function, &arguments).await);
        assert_eq!(seen(&ours), seen(&theirs), "{function} {arguments}");
        assert_eq!(format!("{:?}", here.state()), format!("{:?}", there.state()), "{function} {arguments}");
    }
    let mut reports = Vec::new();
    for mut conversation in conversations {
        reports.push(serde_json::to_value(conversation.end(Outcome::default()).await.unwrap().report).unwrap());
    }
    assert_eq!(reports[0], reports[1]);
}

#[tokio::test]
async fn a_language_runtime_is_the_same_in_a_worker() {
    let mut seen_in = Vec::new();
    for workers in [None, Some(Workers::new("wasi").options(1))] {
        let clock = agent_memory_tests::clock();
        let mut builder = agent_memory_tests::runtime(Arc::new(MemoryStore::new())).clock(clock);
        if let Some(mut workers) = workers {
            workers.agents = WorkerAgents::Runtimes;
            builder = builder.workers(workers);
        }
        let mut limits = Limits::default();
        limits.turn_time = Duration::from_millis(300);
        let runtime = builder.limits(limits).build().await.unwrap();
        let (functions, configuration) = (component("wasi-probe"), configuration(""));
        let agent = runtime.load_agent(AgentDefinition { scope: scope(), functions, configuration }).await.unwrap();
        let mut conversation = agent.start(NewConversation::default()).await.unwrap().conversation;
        let mut turns = Vec::new();
        for (function, arguments) in [
            ("wall_clock", json!({})),
            ("environment", json!({})),
            ("preopens", json!({})),
            ("print", json!({"output": "stderr", "text": "one\ntwo\n", "times": 2})),
            ("wait_forever", json!({})),
            ("exit", json!({})),
        ] {
            turns.push(seen(&call(&mut conversation, function, &arguments).await));
        }
        seen_in.push(turns);
    }
    assert_eq!(seen_in[0], seen_in[1]);
}

#[tokio::test]
async fn w6_a_turn_whose_worker_is_killed_is_stopped_and_every_conversation_goes_on() {
    let (platform, processes) = (Platform::new(), Workers::new("killed"));
    let desk = desk(&platform, Some(processes.options(2)), |_| {}).await;
    let (mut first, mut second) = (desk.call_from(CALLER).await, desk.call_from(OTHER).await);
    set(&mut first, "mood", &json!("good")).await;
    let before = first.session().to_bytes();
    // The first worker has the first turn, and the second worker, which has less to do then, the second.
    let wait = request("wait");
    let stopped = async {
        let turn = call(&mut first, "request", &wait).await;
        platform.answer_one();
        turn
    };
    let asked = async {
        platform.asked().await;
        let kill = async {
            platform.asked().await;
            processes.kill(*processes.processes().iter().min().unwrap());
        };
        tokio::join!(call(&mut second, "request", &wait), kill).0
    };
    let (stopped, answered) = tokio::join!(stopped, asked);
    assert!(lost_its_worker(&stopped), "{stopped:?}");
    assert_eq!(returned(&answered), wait["arguments"]);
    assert_eq!(first.session().to_bytes(), before);
    assert_eq!(value(&mut first, "get", &json!({"key": "mood"})).await, json!("good"));
    processes.restarted(&desk.runtime, 1, 2).await;
}

#[tokio::test]
async fn w6_a_turn_that_computes_when_its_worker_is_killed_is_stopped() {
    let (platform, processes) = (Platform::new(), Workers::new("computing"));
    let desk = desk(&platform, Some(processes.options(1)), |_| {}).await;
    let mut conversation = desk.call_from(CALLER).await;
    set(&mut conversation, "mood", &json!("good")).await;
    let echo = request("echo");
    for restarts in 1..=3 {
        let kill = async {
            platform.asked().await;
            processes.kill(processes.processes()[0]);
        };
        let (turn, ()) = tokio::join!(call(&mut conversation, "request_then_loop", &echo), kill);
        assert!(lost_its_worker(&turn), "{turn:?}");
        assert_eq!(value(&mut conversation, "get", &json!({"key": "mood"})).await, json!("good"));
        processes.restarted(&desk.runtime, restarts, 1).await;
    }
    conversation.end(Outcome::default()).await.unwrap();
    assert_eq!(value(&mut desk.call_from(CALLER).await, "memory_fields", &json!({})).await, json!({"mood": "good"}));
}

#[tokio::test]
async fn a_worker_that_hangs_is_killed() {
    let (platform, processes) = (Platform::new(), Workers::new("hanging"));
    let mut options = processes.options(1);
    options.grace = Duration::from_millis(200);
    let desk = desk(&platform, Some(options), |limits| limits.turn_time = Duration::from_millis(200)).await;
    let mut conversation = desk.call_from(CALLER).await;
    let stop = async {
        platform.asked().await;
        processes.signal("-STOP", processes.processes()[0]);
    };
    let echo = request("echo");
    let (turn, ()) = tokio::join!(call(&mut conversation, "request_then_loop", &echo), stop);
    assert!(lost_its_worker(&turn), "{turn:?}");
    set(&mut conversation, "mood", &json!("good")).await;
}

#[tokio::test]
async fn w6_a_turn_that_is_dropped_is_ended_in_its_worker() {
    let (platform, processes) = (Platform::new(), Workers::new("dropped"));
    let mut options = processes.options(1);
    // A worker that goes on with what nobody waits for is killed.
    options.grace = Duration::from_millis(200);
    let desk = desk(&platform, Some(options), |_| {}).await;
    let mut conversation = desk.call_from(CALLER).await;
    let before = conversation.session().to_bytes();
    for function in ["request", "request_then_loop"].into_iter().cycle().take(20) {
        let asks = request(if function == "request" { "wait" } else { "echo" });
        tokio::select! {
            turn = call(&mut conversation, function, &asks) => panic!("it ended: {turn:?}"),
            () = platform.asked() => {}
        }
        assert_eq!(conversation.session().to_bytes(), before);
    }
    // As long as a worker may take that has not ended something, and three times as long.
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!(desk.runtime.worker_restarts(), 0);
    set(&mut conversation, "mood", &json!("good")).await;
}

#[tokio::test]
async fn a_worker_has_no_environment_and_no_file_but_its_connection() {
    let (folder, processes) = (tempfile::tempdir().unwrap(), Workers::new("bare"));
    let store = agent_memory_host::store::SqliteStore::open(folder.path().join("memory.db")).unwrap();
    let desk = Desk::with(Arc::new(store), &configuration(""), |builder| builder.workers(processes.options(1))).await;
    set(&mut desk.call_from(CALLER).await, "mood", &json!("good")).await;
    let process = PathBuf::from(format!("/proc/{}", processes.processes()[0]));
    assert_eq!(fs::read(process.join("environ")).unwrap(), b"AGENT_MEMORY_WORKER=1\0");
    assert_eq!(fs::read_link(process.join("cwd")).unwrap(), Path::new("/"));
    let mut files = Vec::new();
    for entry in fs::read_dir(process.join("fd")).unwrap() {
        files.push(fs::read_link(entry.unwrap().path()).unwrap().to_string_lossy().into_owned());
    }
    // Beside the kernel's own: standard output and error, the connection, compiled code, and what wasmtime asks for its own
    // pages.
    let expected = |file: &String| {
        ["anon_inode:", "socket:", "/dev/null"].iter().any(|kind| file.starts_with(kind))
            || ["/pagemap", ".cwasm"].iter().any(|kind| file.ends_with(kind))
    };
    assert!(files.iter().all(expected), "{files:?}");
    let connections: std::collections::BTreeSet<_> = files.iter().filter(|file| file.starts_with("socket:")).collect();
    // Where another crate of the program has tokio hear signals, both ends of a pair of its own are there too.
    assert!([1, 3].contains(&connections.len()), "{files:?}");
    let mapped = fs::read_to_string(process.join("maps")).unwrap();
    assert!(!mapped.contains("memory.db"));
}

#[tokio::test]
async fn workers_end_with_their_runtime() {
    let processes = Workers::new("ending");
    let desk = desk(&Platform::new(), Some(processes.options(2)), |_| {}).await;
    assert_eq!(processes.processes().len(), 2);
    drop(desk);
    while !processes.processes().is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_program_that_does_not_become_a_worker_is_an_error_that_says_what_to_do() {
    let hook = "call `agent_memory_host::workers::serve_if_worker()` as the first line of its `main`";
    let sh = |script: &str| ("/bin/sh", vec!["-c".to_owned(), script.to_owned()]);
    for ((program, arguments), expected) in [
        (("/bin/true", vec![]), hook),
        (sh("printf nonsense >&0"), hook),
        (sh("head -c 8 <&0; printf '\\377\\377\\377\\377' >&0"), hook),
        (("/nowhere/worker", vec![]), "No such file"),
    ] {
        let builder = Runtime::builder(Arc::new(MemoryStore::new()), Keys::ephemeral());
        let built = builder.workers(workers(program.into(), arguments)).build().await;
        let Some(BuildError::Workers(problem)) = built.err() else { panic!("{program} became a worker") };
        assert!(problem.contains(expected) && problem.contains(program), "{problem}");
    }
}

/// Becomes a worker, takes the next message, and answers it like this.
fn impostor(answer: &str) -> WorkerOptions {
    let version = env!("CARGO_PKG_VERSION");
    let ready = format!(r"\{:03o}\0\0\0\0\{:03o}{version}\0", version.len() + 3, version.len());
    let script = format!("printf '{ready}' >&0; head -c 100 <&0; {answer}; sleep 1000");
    workers("/bin/sh".into(), vec!["-c".into(), script])
}

#[tokio::test]
async fn a_worker_that_does_not_keep_to_the_protocol_is_killed() {
    for answer in [
        "printf 'nonsense and more of it' >&0",
        // A message of 4 GiB, one of nothing, a second beginning, and the end of a task that was never given.
        r"printf '\377\377\377\377' >&0",
        r"printf '\0\0\0\0' >&0",
        r"printf '\4\0\0\0\0\1a\0' >&0",
        r"printf '\4\0\0\0\2\143\3' >&0",
        "exec <&-",
        "exit 1",
    ] {
        let mut options = impostor(answer);
        options.agents = WorkerAgents::Runtimes;
        let builder = agent_memory_tests::runtime(Arc::new(MemoryStore::new()));
        let runtime = builder.workers(options).build().await.unwrap();
        let load = |name| {
            let (functions, configuration) = (component(name), configuration(""));
            runtime.load_agent(AgentDefinition { scope: scope(), functions, configuration })
        };
        let error = load("wasi-probe").await.err().unwrap().to_string();
        assert!(error.contains("the worker process that it ran in"), "{answer}: {error}");
        // Agents without a language runtime have nothing to do with it.
        load("probe").await.unwrap();
    }
}

#[tokio::test]
async fn code_that_was_deleted_is_written_again_for_a_new_worker() {
    let (folder, processes) = (tempfile::tempdir().unwrap(), Workers::new("deleted"));
    for cached in [true, false] {
        let mut builder = Runtime::builder(Arc::new(MemoryStore::new()), Keys::ephemeral());
        if cached {
            builder = builder.code_cache(folder.path());
        }
        let runtime = builder.workers(processes.options(1)).build().await.unwrap();
        let definition =
            AgentDefinition { scope: scope(), functions: component("probe"), configuration: configuration("") };
        let agent = runtime.load_agent(definition).await.unwrap();
        let mut conversation: Conversation = agent.start(NewConversation::default()).await.unwrap().conversation;
        for entry in fs::read_dir(folder.path()).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
        processes.kill(processes.processes()[0]);
        processes.restarted(&runtime, 1, 1).await;
        let turn = conversation.call("count", json(&json!({}))).await.unwrap();
        assert_eq!(returned(&turn), json!(1), "cached: {cached}");
    }
}
