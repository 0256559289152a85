//! Compiles components in a process of their own, which may use so much and no more.
//!
//! A compiler that is given a hostile file may take for ever, eat all memory, or crash. It then does so in a process
//! that has nothing but that file. What it has compiled reaches this one through the folder of compiled code.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use agent_memory_host::keys::Keys;
use agent_memory_host::store::MemoryStore;
use agent_memory_host::{AgentDefinition, ConfigurationError, Limits, LoadError, Runtime, Scope};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::sync::Semaphore;

use crate::Problem;

/// How long a compilation may take.
const TIME: Duration = Duration::from_secs(180);

/// How much processor time it may take, in seconds. It compiles on several threads.
const PROCESSOR_SECONDS: u64 = 300;

/// How much memory it may write to.
const MEMORY_BYTES: u64 = 3 << 30;

/// The largest answer that is read.
const ANSWER_BYTES: usize = 1 << 20;

/// Compiles components in processes of their own.
pub(crate) struct Compiler {
    command: Option<CompilerCommand>,
    code_cache: PathBuf,
    /// One compilation at a time: each may use all processors.
    turns: Semaphore,
}

/// How to start a process that calls [`compile_component`] with what it is given as its last argument.
#[derive(Clone, Debug)]
pub struct CompilerCommand {
    /// The program.
    pub program: PathBuf,
    /// Its arguments before the folder of compiled code.
    pub arguments: Vec<String>,
}

/// What the process is asked, on its standard input.
#[derive(Serialize, Deserialize)]
struct Question {
    scope: Scope,
    configuration: String,
    functions: Vec<u8>,
}

/// What it answers, on its standard output.
#[derive(Debug, Serialize, Deserialize)]
enum Answer {
    Compiled,
    Component(String),
    Configuration(Vec<(String, String, String)>),
    Failed(String),
}

impl Compiler {
    /// Without a command, components are compiled in this process: only for components that are trusted.
    pub(crate) fn new(command: Option<CompilerCommand>, code_cache: &Path) -> Self {
        Self { command, code_cache: code_cache.to_owned(), turns: Semaphore::new(1) }
    }

    /// Sees to it that an agent's component is in the folder of compiled code, so that `runtime`, which has the same
    /// folder, need not compile it. A component that is there waits for nobody.
    pub(crate) async fn compile(&self, runtime: &Runtime, definition: &AgentDefinition) -> Result<(), Problem> {
        let Some(command) = &self.command else { return Ok(()) };
        let functions = &definition.functions;
        if runtime.is_compiled(functions.clone()).await {
            return Ok(());
        }
        // The semaphore is never closed, so that everybody's turn comes in the end.
        let _turn = self.turns.acquire().await;
        // The one before may have been the same.
        if runtime.is_compiled(functions.clone()).await {
            return Ok(());
        }
        self.compile_elsewhere(command, definition).await?;
        if runtime.is_compiled(functions.clone()).await {
            return Ok(());
        }
        // It must not be compiled in this process instead.
        tracing::error!(folder = %self.code_cache.display(), "compiled code is not kept: make the folder writable");
        Err(Problem::internal("compiled code cannot be kept, for a reason of the service's own: look at its log"))
    }

    async fn compile_elsewhere(&self, command: &CompilerCommand, definition: &AgentDefinition) -> Result<(), Problem> {
        let AgentDefinition { scope, functions, configuration } = definition.clone();
        let question = postcard::to_stdvec(&Question { scope, configuration, functions })
            .map_err(|error| failed(&io::Error::other(error)))?;
        match tokio::time::timeout(TIME, self.ask(command, question)).await {
            Ok(Ok(answer)) => answer.into_result(),
            Ok(Err(error)) => Err(failed(&error)),
            Err(_) => Err(Problem::invalid_component("it takes too long to compile: it has to be smaller")),
        }
    }

    async fn ask(&self, command: &CompilerCommand, question: Vec<u8>) -> io::Result<Answer> {
        let mut process = Command::new(&command.program)
            .args(&command.arguments)
            .arg(&self.code_cache)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        if let Some(mut input) = process.stdin.take() {
            // A process that has died says why by its status.
            let _ = input.write_all(&question).await;
        }
        let output = process.wait_with_output().await?;
        if !output.status.success() {
            tracing::warn!(status = %output.status, "a compilation was ended");
            let problem = "it needs more time or memory to compile than a component may: it has to be smaller";
            return Ok(Answer::Component(problem.to_owned()));
        }
        let answer = output.stdout.get(..output.stdout.len().min(ANSWER_BYTES)).unwrap_or_default();
        serde_json::from_slice(answer).map_err(io::Error::from)
    }
}

impl Answer {
    fn into_result(self) -> Result<(), Problem> {
        match self {
            Self::Compiled => Ok(()),
            Self::Component(problem) => Err(Problem::invalid_component(problem)),
            Self::Configuration(errors) => {
                let error = |(path, found, allowed)| ConfigurationError { path, found, allowed };
                Err(Problem::configuration(errors.into_iter().map(error).collect()))
            }
            Self::Failed(problem) => Err(failed(&io::Error::other(problem))),
        }
    }
}

/// What the process of a [`CompilerCommand`] does: it compiles what it reads from its standard input into a folder, and
/// says on its standard output how that went.
///
/// # Errors
/// If it cannot read or write. The process should then end with a status that is not 0.
pub fn compile_component(code_cache: &Path) -> io::Result<()> {
    limit()?;
    let mut question = Vec::new();
    io::stdin().read_to_end(&mut question)?;
    let question: Question = postcard::from_bytes(&question).map_err(io::Error::other)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let answer = runtime.block_on(compile(question, code_cache));
    serde_json::to_writer(io::stdout(), &answer).map_err(io::Error::from)
}

async fn compile(question: Question, code_cache: &Path) -> Answer {
    let Question { scope, configuration, functions } = question;
    // A single turn is run here, in which the component says what its functions are.
    let mut limits = Limits::default();
    limits.concurrent_turns = 1;
    let runtime = Runtime::builder(Arc::new(MemoryStore::new()), Keys::ephemeral());
    let runtime = runtime.code_cache(code_cache).limits(limits).build().await;
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return Answer::Failed(error.to_string()),
    };
    match runtime.load_agent(AgentDefinition { scope, functions, configuration }).await {
        Ok(_) => Answer::Compiled,
        Err(LoadError::Configuration(errors)) => {
            let error = |ConfigurationError { path, found, allowed }| (path, found, allowed);
            Answer::Configuration(errors.into_iter().map(error).collect())
        }
        Err(LoadError::Component(error)) => Answer::Component(error.to_string()),
        Err(error) => Answer::Failed(error.to_string()),
    }
}

/// Takes from this process what a compiler does not need.
fn limit() -> io::Result<()> {
    #[cfg(unix)]
    {
        use rlimit::Resource;
        for (resource, most) in [(Resource::CPU, PROCESSOR_SECONDS), (Resource::DATA, MEMORY_BYTES)] {
            let (_, hard) = resource.get()?;
            resource.set(most.min(hard), hard)?;
        }
    }
    // Too much of its time is a signal that has a core dump made, and the configuration says who is on the blacklist.
    agent_memory_host::refuse_core_dumps()
}

fn failed(error: &io::Error) -> Problem {
    tracing::error!(%error, "the compiler could not be run");
    Problem::internal("the component could not be compiled, for a reason of the service's own: look at its log")
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// What runs this instead of a compiler.
    fn command(script: &str) -> CompilerCommand {
        CompilerCommand { program: "/bin/sh".into(), arguments: vec!["-c".to_owned(), script.to_owned()] }
    }

    fn definition(functions: Vec<u8>) -> AgentDefinition {
        let scope = Scope { account: "a".into(), project: "p".into(), environment: "e".into() };
        AgentDefinition { scope, functions, configuration: "{}".into() }
    }

    /// What comes of asking a process that does this.
    async fn asked(script: &str) -> Result<(), Problem> {
        let command = command(script);
        let compiler = Compiler::new(Some(command.clone()), Path::new("/nowhere"));
        // More than a pipe takes at once.
        compiler.compile_elsewhere(&command, &definition(vec![0; 1 << 20])).await
    }

    #[tokio::test]
    async fn what_is_compiled_already_needs_no_compiler() {
        let cache = tempfile::tempdir().unwrap();
        let runtime = Runtime::builder(Arc::new(MemoryStore::new()), Keys::ephemeral());
        let runtime = runtime.code_cache(cache.path()).build().await.unwrap();
        let functions = include_bytes!("../../cli/src/cheese-shop.wasm");
        runtime.load_agent(definition(functions.to_vec())).await.unwrap();
        let compiler = Compiler::new(Some(command("exit 3")), cache.path());
        // Whoever is compiling keeps nobody waiting either.
        let _turn = compiler.turns.acquire().await.unwrap();
        compiler.compile(&runtime, &definition(functions.to_vec())).await.unwrap();
    }

    #[tokio::test]
    async fn what_is_not_kept_is_not_compiled_in_this_process() {
        let cache = tempfile::tempdir().unwrap();
        let runtime = Runtime::builder(Arc::new(MemoryStore::new()), Keys::ephemeral());
        let runtime = runtime.code_cache(cache.path()).build().await.unwrap();
        let compiler = Compiler::new(Some(command("cat >/dev/null; echo '\"Compiled\"'")), cache.path());
        let problem = compiler.compile(&runtime, &definition(vec![0])).await.unwrap_err();
        assert_eq!(problem.status().as_u16(), 500);
    }

    #[tokio::test]
    async fn a_component_that_crashes_its_compiler_is_refused() {
        for script in ["kill -9 $$", "ulimit -t 1; while :; do :; done", "exit 3", "cat >/dev/null; kill -SEGV $$"] {
            let problem = asked(script).await.unwrap_err();
            assert_eq!((problem.status().as_u16(), &*problem.name()), (422, "invalid-component"), "{script}");
        }
    }

    #[tokio::test]
    async fn what_the_compiler_says_is_told() {
        assert!(asked("cat >/dev/null; echo '\"Compiled\"'").await.is_ok());
        let problem = asked("cat >/dev/null; echo '{\"Component\": \"it has no functions\"}'").await.unwrap_err();
        assert_eq!((problem.status().as_u16(), problem.detail()), (422, "it has no functions"));
        let problem = asked("cat >/dev/null; echo nonsense").await.unwrap_err();
        assert_eq!(problem.status().as_u16(), 500, "that is our fault");
    }
}
