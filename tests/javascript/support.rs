//! The agent of these tests, and what Node.js is needed for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, LazyLock};

use agent_memory_host::store::MemoryStore;
use agent_memory_host::{Agent, AgentDefinition, Conversation, ManualClock, NewConversation, RuntimeBuilder};
use agent_memory_tests::{built, clock, configuration, root, runtime, scope};

/// The agent.
pub(crate) const AGENT: &str = "tests/javascript/agent/functions.ts";

/// The agent in a runtime, with a clock.
pub(crate) struct Desk {
    agent: Agent,
    pub(crate) clock: Arc<ManualClock>,
}

impl Desk {
    /// The agent of [`AGENT`], with these members of the configuration.
    pub(crate) async fn new(more: &str) -> Self {
        Self::with(&root().join(AGENT), more, |builder| builder).await
    }

    /// Another agent, with what `change` does to the runtime.
    pub(crate) async fn with(
        functions: &Path,
        more: &str,
        change: impl FnOnce(RuntimeBuilder) -> RuntimeBuilder,
    ) -> Self {
        // The first who needs an agent compiles it, and all others find it compiled.
        static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
        let _turn = TURN.lock().await;
        let clock = clock();
        let runtime = change(runtime(Arc::new(MemoryStore::new())).clock(clock.clone())).build().await.unwrap();
        let (functions, configuration) = (built(functions), configuration(more));
        let agent = runtime.load_agent(AgentDefinition { scope: scope(), functions, configuration }).await.unwrap();
        Self { agent, clock }
    }

    /// A conversation of the one caller that these tests have.
    pub(crate) async fn call(&self) -> Conversation {
        self.start(NewConversation::default()).await
    }

    /// A conversation of that caller.
    pub(crate) async fn start(&self, conversation: NewConversation) -> Conversation {
        let conversation = NewConversation { caller_number: Some("+441632960001".into()), ..conversation };
        self.agent.start(conversation).await.unwrap().conversation
    }

    /// What the functions are called.
    pub(crate) fn functions(&self) -> Vec<String> {
        self.agent.functions().iter().map(|function| function.name.clone()).collect()
    }
}

/// A line of a trace: a function of the agent's, and where this text is in it for the first time.
pub(crate) fn at(function: &str, text: &str) -> String {
    let source = fs::read_to_string(root().join(AGENT)).unwrap();
    let (_, body) = source.split_once(&format!("function {function}(")).unwrap();
    let start = source.len() - body.len() + body.find(text).unwrap();
    let before = &source[..start];
    let (line, column) = (before.matches('\n').count() + 1, start - before.rfind('\n').unwrap());
    format!("at {function} (functions.ts:{line}:{column})")
}

/// A copy of the SDK with what its tests need.
pub(crate) static SDK: LazyLock<PathBuf> = LazyLock::new(|| {
    let (from, to) = (root().join("sdk/javascript"), Path::new(env!("CARGO_TARGET_TMPDIR")).join("javascript-sdk"));
    for folder in ["src", "test"] {
        let _ = fs::remove_dir_all(to.join(folder));
        copy(&from.join(folder), &to.join(folder));
    }
    for file in ["index.d.ts", "package.json", "package-lock.json", "tsconfig.json"] {
        fs::copy(from.join(file), to.join(file)).unwrap();
    }
    let lock = fs::read(to.join("package-lock.json")).unwrap();
    let installed = to.join("installed");
    if fs::read(&installed).ok().as_ref() != Some(&lock) {
        run(&to, "npm", &["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
        fs::write(&installed, &lock).unwrap();
    }
    to
});

/// Runs a program that has to succeed.
pub(crate) fn run(folder: &Path, program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(folder).output().unwrap();
    let printed = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "{program} {arguments:?}\n{printed}");
    printed
}

/// Copies a folder with all that is in it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(from, to).unwrap();
        }
    }
}
