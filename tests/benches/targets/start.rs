//! How long it takes from the start of a process to the end of its first turn.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use agent_memory_host::keys::Keys;
use agent_memory_host::store::MemoryStore;
use agent_memory_host::{AgentDefinition, NewConversation, Runtime, TurnOutcome};
use agent_memory_tests::{configuration, json, root, scope};
use anyhow::{Context, bail};
use serde_json::json;

use crate::report::{Report, Target};
use crate::turns::agents;

/// Names the component of an agent that this program is to run a turn of, and nothing else.
const VARIABLE: &str = "AGENT_MEMORY_BENCH_FIRST_TURN";

/// How many processes are started.
const STARTS: usize = 20;

pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    let component = root().join("target/tests/turns/python.wasm");
    std::fs::write(&component, agents::component("python")?)?;
    // The first one compiles.
    start(&component)?;
    let mut times = (0..STARTS).map(|_| start(&component)).collect::<anyhow::Result<Vec<_>>>()?;
    times.sort_unstable();
    let milliseconds = |time: &Duration| time.as_secs_f64() * 1e3;
    let median = times.get(STARTS / 2).map_or(f64::NAN, milliseconds);
    let slowest = times.last().map_or(f64::NAN, milliseconds);
    let detail = format!("the median of {STARTS} processes; the slowest {slowest:.1} ms");
    report.add(
        "process start to the end of a cached Python agent's first turn, in ms",
        median,
        Target::AtMost(50.0),
        detail,
    );
    Ok(())
}

/// Starts this program once more, and waits for its first turn.
fn start(component: &Path) -> anyhow::Result<Duration> {
    let begin = Instant::now();
    let mut process = Command::new(env::current_exe()?).env(VARIABLE, component).stdout(Stdio::piped()).spawn()?;
    let mut said = String::new();
    BufReader::new(process.stdout.take().context("no output")?).read_line(&mut said)?;
    let time = begin.elapsed();
    if !process.wait()?.success() || said.trim() != "done" {
        bail!("a process did not come to the end of its first turn");
    }
    Ok(time)
}

/// The agent that this process was started for.
pub(crate) fn agent_to_start() -> Option<PathBuf> {
    env::var_os(VARIABLE).map(PathBuf::from)
}

/// Runs one turn, as a program that embeds the host does, and says so.
pub(crate) fn first_turn(component: &Path) -> anyhow::Result<()> {
    let executor = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    executor.block_on(async {
        let builder = Runtime::builder(Arc::new(MemoryStore::new()), Keys::ephemeral());
        let runtime = builder.code_cache(root().join("target/tests/code")).build().await?;
        let definition =
            AgentDefinition { scope: scope(), functions: std::fs::read(component)?, configuration: configuration("") };
        let agent = runtime.load_agent(definition).await?;
        let mut conversation = agent.start(NewConversation::default()).await?.conversation;
        let arguments = json(&json!({ "cheese_type": "brie", "booking_day": "Friday" }));
        let turn = conversation.call("book", arguments).await?;
        if !matches!(turn.outcome, TurnOutcome::Returned(_)) {
            bail!("the turn went wrong: {:?}", turn.outcome);
        }
        println!("done");
        Ok(())
    })
}
