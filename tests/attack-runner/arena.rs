//! Where attacks are run: one runtime for those that a limit of time has to end and one for all others, with callers who must
//! not be harmed.

use std::collections::HashMap;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use agent_memory_host::store::MemoryStore;
use agent_memory_host::{
    Agent, AgentDefinition, Conversation, Json, Limits, LoadError, NewConversation, Outcome, RequestError, Requests,
    Runtime, Scope,
};
use agent_memory_tests::{clock, component, configuration, runtime, scope, set, value};
use async_trait::async_trait;
use futures::future::join_all;
use serde_json::{Value, json};
use tokio::sync::{Barrier, OnceCell, watch};
use tokio::task::JoinHandle;

/// How many turns may run at once.
const CONCURRENT_TURNS: usize = 4;

/// How long a turn may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TurnTime {
    /// For attacks that run until they are stopped. An ordinary turn takes some milliseconds, on a busy machine too.
    Short,
    /// For attacks that come to an end of another kind, however busy the machine is.
    Long,
}

/// How long anything may take that has to come to an end by itself.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The caller who talks while attacks run, and whom they want to rob.
pub(crate) const VICTIM: &str = "+441632960999";

/// What the victim remembers in the attackers' own scope, and elsewhere.
pub(crate) const CANARY: &str = "canary-of-another-caller";

/// A runtime on which attacks are run, one after the other.
pub(crate) struct Arena {
    runtime: Runtime,
    pub(crate) platform: Arc<Platform>,
    /// The probe in the attackers' scope, where the victim talks.
    probe: Agent,
    /// The probe in another project and in another environment, where the victim has talked.
    elsewhere: Vec<Agent>,
}

impl Arena {
    /// The one arena in which a turn may run for so long, with the victim's memory in it.
    pub(crate) async fn shared(time: TurnTime) -> &'static Self {
        static ARENAS: [OnceCell<Arena>; 2] = [const { OnceCell::const_new() }; 2];
        let [short, long] = &ARENAS;
        match time {
            TurnTime::Short => short.get_or_init(|| Self::new(Duration::from_millis(500))).await,
            TurnTime::Long => long.get_or_init(|| Self::new(PATIENCE / 2)).await,
        }
    }

    async fn new(turn_time: Duration) -> Self {
        let mut limits = Limits::default();
        limits.turn_time = turn_time;
        limits.concurrent_turns = CONCURRENT_TURNS as u32;
        let platform =
            Arc::new(Platform { meeting: Barrier::new(CONCURRENT_TURNS), waiting: watch::Sender::default() });
        let store = Arc::new(MemoryStore::new());
        let runtime = runtime(store).clock(clock()).limits(limits).requests(platform.clone()).build().await.unwrap();
        let load = async |scope| {
            let definition = AgentDefinition { scope, functions: component("probe"), configuration: configuration("") };
            runtime.load_agent(definition).await.unwrap()
        };
        let probe = load(scope()).await;
        let project = Scope { project: "other".into(), ..scope() };
        let environment = Scope { environment: "live".into(), ..scope() };
        let elsewhere = vec![load(project).await, load(environment).await];
        for agent in elsewhere.iter().chain([&probe]) {
            let mut conversation = start(agent, VICTIM).await;
            set(&mut conversation, "cheese_type", &json!(CANARY)).await;
            conversation.end(Outcome::default()).await.unwrap();
        }
        Self { runtime, platform, probe, elsewhere }
    }

    /// Loads functions, and gives them to an agent that runs as its next version, which has to go just as well or badly.
    pub(crate) async fn load(&self, functions: Vec<u8>) -> Result<Agent, LoadError> {
        let definition =
            AgentDefinition { scope: scope(), functions: functions.clone(), configuration: configuration("") };
        let loaded = self.runtime.load_agent(definition).await;
        if let Err(refusal) = &loaded {
            let running = Agent::clone(&self.probe);
            let replaced = running.replace(functions, configuration("")).await;
            assert_eq!(replaced.unwrap_err().to_string(), refusal.to_string(), "as the next version of an agent");
        }
        loaded
    }

    /// Has the victim talk for as long as an attack goes on.
    pub(crate) fn neighbour(&self) -> Neighbour {
        let over = Arc::new(AtomicBool::new(false));
        let talk = talk(self.probe.clone(), Arc::clone(&over));
        Neighbour { over, talk: tokio::spawn(talk) }
    }

    /// Checks that as many turns as may run at once still do, all of them at the same moment and with memory of their own.
    pub(crate) async fn check_pool(&self) {
        let turns = (0..CONCURRENT_TURNS).map(|i| async move {
            let mut conversation = start(&self.probe, &format!("+44163296080{i}")).await;
            let met = value(&mut conversation, "request", &json!({"name": "meet", "arguments": i})).await;
            assert_eq!(met, json!(i));
            assert_eq!(value(&mut conversation, "allocate", &json!({"bytes": 16 << 20})).await, json!(16 << 20));
        });
        let all = tokio::time::timeout(PATIENCE, join_all(turns)).await;
        all.expect("not as many turns run at once as before the attack");
    }

    /// Checks that what the victim remembers elsewhere is as it was.
    pub(crate) async fn check_elsewhere(&self) {
        for agent in &self.elsewhere {
            let mut conversation = start(agent, VICTIM).await;
            let remembered = value(&mut conversation, "memory_fields", &json!({})).await;
            assert_eq!(remembered, json!({"cheese_type": CANARY}));
        }
    }

    /// What a caller of the attackers' scope remembers.
    pub(crate) async fn memory_of(&self, caller: &str) -> Value {
        value(&mut start(&self.probe, caller).await, "memory_fields", &json!({})).await
    }
}

/// A conversation of a caller.
pub(crate) async fn start(agent: &Agent, caller: &str) -> Conversation {
    let conversation = NewConversation { caller_number: Some(caller.into()), ..Default::default() };
    agent.start(conversation).await.unwrap_or_else(|error| panic!("{error}")).conversation
}

/// A conversation that goes on while an attack does.
pub(crate) struct Neighbour {
    over: Arc<AtomicBool>,
    talk: JoinHandle<usize>,
}

impl Neighbour {
    /// Ends the conversation, and checks that it took place and went as it should.
    pub(crate) async fn end(mut self) {
        self.over.store(true, Ordering::Relaxed);
        let talked = tokio::time::timeout(PATIENCE, &mut self.talk).await.expect("the other conversation hangs");
        assert!(talked.unwrap() > 0, "the other conversation never came to a turn");
    }
}

/// An attack that fails its test leaves nobody talking beside the next one.
impl Drop for Neighbour {
    fn drop(&mut self) {
        self.talk.abort();
    }
}

/// Talks until it is told to stop, one conversation after the other. Returns how many there were.
async fn talk(agent: Agent, over: Arc<AtomicBool>) -> usize {
    let mut conversations = 0;
    while conversations == 0 || !over.load(Ordering::Relaxed) {
        let mut conversation = start(&agent, VICTIM).await;
        let earlier = value(&mut conversation, "memory_get", &json!({"key": "mood"})).await;
        for turn in 0..3 {
            let mood = json!([conversations, turn]);
            set(&mut conversation, "mood", &mood).await;
            assert_eq!(value(&mut conversation, "state", &json!({})).await, json!({"mood": mood}));
            assert_eq!(value(&mut conversation, "count", &json!({})).await, json!(1), "a fresh sandbox each");
            let remembered = value(&mut conversation, "memory_fields", &json!({})).await;
            assert_eq!(remembered["cheese_type"], json!(CANARY));
            assert_eq!(remembered.get("mood").unwrap_or(&Value::Null), &earlier, "and nobody wrote to it");
            if conversations > 0 {
                assert_eq!(earlier, json!([conversations - 1, 2]), "what the conversation before left");
            }
        }
        conversation.end(Outcome::default()).await.unwrap();
        conversations += 1;
    }
    conversations
}

/// What functions may ask for. It answers `meet` when as many have asked as turns may run at once, and `never` never.
pub(crate) struct Platform {
    meeting: Barrier,
    /// How often `never` was asked for in a conversation.
    waiting: watch::Sender<HashMap<String, usize>>,
}

impl Platform {
    /// Waits until a conversation has asked for `never` so often.
    pub(crate) async fn asked(&self, conversation: &str, times: usize) {
        let mut waiting = self.waiting.subscribe();
        let asked = waiting.wait_for(|waiting| waiting.get(conversation).is_some_and(|asked| *asked >= times)).await;
        drop(asked.unwrap());
    }
}

#[async_trait]
impl Requests for Platform {
    async fn answer(&self, conversation: &str, name: &str, arguments: Json) -> Result<Json, RequestError> {
        match name {
            "meet" => {
                self.meeting.wait().await;
                Ok(arguments)
            }
            "never" => {
                self.waiting.send_modify(|waiting| *waiting.entry(conversation.to_owned()).or_default() += 1);
                std::future::pending().await
            }
            _ => Err(RequestError::Unanswered),
        }
    }
}

/// How much memory this process has.
pub(crate) struct Resident;

impl Resident {
    /// Now, in bytes.
    pub(crate) fn now() -> usize {
        status("VmRSS:")
    }

    /// At most since the last reset, in bytes.
    pub(crate) fn peak() -> usize {
        status("VmHWM:")
    }

    /// Begins to watch for the peak anew.
    pub(crate) fn reset_peak() {
        fs::write("/proc/self/clear_refs", "5").unwrap();
    }
}

fn status(field: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}

/// All that this process logs.
pub(crate) mod log {
    use std::io::{self, Write};
    use std::sync::{Mutex, MutexGuard, Once, PoisonError};

    static LOGGED: Mutex<Vec<u8>> = Mutex::new(Vec::new());

    struct Logged;

    impl Write for Logged {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            logged().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Begins anew.
    pub(crate) fn clear() {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            // Compilers alone write gigabytes of what is of use to their own authors only.
            let levels = "info,agent_memory=trace";
            tracing_subscriber::fmt().with_env_filter(levels).with_writer(|| Logged).init();
            tracing::trace!(target: "agent_memory_host", "shows that what is logged is seen");
            assert!(text().contains("shows that what is logged is seen"));
        });
        logged().clear();
    }

    /// What was logged since then.
    pub(crate) fn text() -> String {
        String::from_utf8_lossy(&logged()).into_owned()
    }

    fn logged() -> MutexGuard<'static, Vec<u8>> {
        LOGGED.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What all tests of the arena run on.
pub(crate) static TOKIO: LazyLock<tokio::runtime::Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap());
