//! Measures one language's turns, and the same component in bare wasmtime, by turns.

pub(crate) mod agents;
mod bare;

use std::sync::Arc;
use std::time::{Duration, Instant};

use agent_memory_host::store::MemoryStore;
use agent_memory_host::{AgentDefinition, Conversation, NewConversation, Outcome, TurnOutcome};
use agent_memory_tests::{clock, configuration, json, runtime, scope};
use anyhow::bail;
use serde_json::json;

pub(crate) use agents::LANGUAGES;
use bare::{Bare, Origin};

/// How many of each are measured, after as many as the warm-up takes.
const ROUNDS: usize = 500;
const WARM_UP: usize = 50;

/// How many rounds one conversation has.
const TURNS: usize = 5;

/// What is measured, in the order of a round.
pub(crate) const KINDS: [&str; 5] = ["bare", "mapped", "nothing", "book", "hand_over"];

/// What was found of one kind.
pub(crate) struct Found {
    pub(crate) median: Duration,
    /// How often the kernel had to provide a page, on average.
    pub(crate) faults: f64,
}

/// Measures each of [`KINDS`].
pub(crate) async fn measure(language: &str) -> anyhow::Result<[Found; 5]> {
    let component = agents::component(language)?;
    let bare = |origin| Bare::new(&component, origin).map_err(|error| anyhow::anyhow!("{error:#}"));
    let bare = [bare(Origin::Compiled)?, bare(Origin::Mapped)?];
    let runtime = runtime(Arc::new(MemoryStore::new())).clock(clock()).build().await?;
    let configuration = configuration(r#""analytics_enabled": true"#);
    let agent = runtime.load_agent(AgentDefinition { scope: scope(), functions: component, configuration }).await?;
    let caller = || NewConversation { caller_number: Some("+441632960001".into()), ..Default::default() };

    // Somebody who has called before, so that there is something to load.
    let mut first = agent.start(caller()).await?.conversation;
    turn(&mut first, "book").await?;
    first.end(Outcome::default()).await?;

    let mut times = [const { Vec::new() }; 5];
    let mut faults = [0; 5];
    for start in (0..WARM_UP + ROUNDS).step_by(TURNS) {
        let mut conversation = agent.start(caller()).await?.conversation;
        for round in start..(start + TURNS).min(WARM_UP + ROUNDS) {
            for ((kind, times), faults) in KINDS.into_iter().zip(&mut times).zip(&mut faults) {
                // Each is done once unmeasured, so that all find the machine's caches alike: with its own code and memory.
                once(kind, &bare, &mut conversation).await?;
                let (before, begin) = (page_faults(), Instant::now());
                once(kind, &bare, &mut conversation).await?;
                let time = begin.elapsed();
                if round >= WARM_UP {
                    times.push(time);
                    *faults += page_faults() - before;
                }
            }
        }
    }
    let mut faults = faults.into_iter();
    Ok(times
        .map(|times| Found { median: median(times), faults: faults.next().unwrap_or_default() as f64 / ROUNDS as f64 }))
}

/// Does what is measured, once.
async fn once(kind: &str, [compiled, mapped]: &[Bare; 2], conversation: &mut Conversation) -> anyhow::Result<()> {
    match kind {
        "bare" => compiled.call("nothing").map_err(|error| anyhow::anyhow!("{error:#}")),
        "mapped" => mapped.call("nothing").map_err(|error| anyhow::anyhow!("{error:#}")),
        function => turn(conversation, function).await,
    }
}

/// A turn of the host's, which has to succeed.
async fn turn(conversation: &mut Conversation, function: &str) -> anyhow::Result<()> {
    let arguments = match function {
        "book" => json!({ "cheese_type": "brie", "booking_day": "Friday" }),
        "hand_over" => json!({ "reason": "forty kilos of it" }),
        _ => json!({}),
    };
    let turn = conversation.call(function, json(&arguments)).await?;
    match turn.outcome {
        TurnOutcome::Returned(_) => Ok(()),
        outcome => bail!("{function} did not return: {outcome:?}"),
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// How many pages the kernel has provided to this process without reading a file. 0 where it does not say.
fn page_faults() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(") ").next().unwrap_or_default();
    fields.split(' ').nth(7).and_then(|faults| faults.parse().ok()).unwrap_or(0)
}
