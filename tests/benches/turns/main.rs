//! What a turn costs beside the sandbox that it runs in, for the cheese shop in each language.
//!
//! ```sh
//! cargo bench -p agent-memory-tests --bench turns               # a table
//! cargo bench -p agent-memory-tests --bench turns -- --json     # a line of JSON for each language
//! ```
//!
//! Five things are measured in one run, by turns, so that whatever else the machine does meets all of them: the same
//! component in bare wasmtime, instantiated to call a function that does nothing, once compiled in this process and once
//! mapped from a file, which makes its page faults cheaper; the host's turn that calls it; and the host's turns of two
//! functions of the example, which read and set, log, write a metric and hand over. Medians are
//! compared. A turn does all that a host has to do: it loads the caller's fields, runs policy and functions in a fresh
//! sandbox, and takes the state back.

#![allow(missing_docs, reason = "a program has no users of its code")]

mod agents;
mod bare;

use std::sync::Arc;
use std::time::{Duration, Instant};

use agent_memory_host::store::MemoryStore;
use agent_memory_host::{AgentDefinition, Conversation, NewConversation, Outcome, TurnOutcome};
use agent_memory_tests::{clock, configuration, json, runtime, scope};
use anyhow::{Context, bail};
use serde_json::{Value, json};

use bare::{Bare, Origin};

/// How many of each are measured, after as many as the warm-up takes.
const ROUNDS: usize = 500;
const WARM_UP: usize = 50;

/// How many rounds one conversation has.
const TURNS: usize = 5;

/// What is measured, in the order of a round.
const KINDS: [&str; 5] = ["bare", "mapped", "nothing", "book", "hand_over"];

fn main() -> anyhow::Result<()> {
    let mut as_json = false;
    let mut languages = Vec::new();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--json" => as_json = true,
            // Cargo says so to every benchmark.
            "--bench" => {}
            language if agents::LANGUAGES.contains(&language) => languages.push(language.to_owned()),
            other => bail!("unknown argument {other:?}: give --json, or one of {}", agents::LANGUAGES.join(", ")),
        }
    }
    if languages.is_empty() {
        languages = agents::LANGUAGES.map(str::to_owned).to_vec();
    }
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if !as_json {
        println!("{:<12} {:<10} {:>9} {:>8} {:>7}", "language", "turn", "median", "of bare", "faults");
    }
    for language in languages {
        let found = tokio.block_on(measure(&language)).with_context(|| format!("the agent in {language}"))?;
        if as_json {
            println!("{}", in_json(&language, &found));
        } else {
            print!("{}", in_words(&language, &found));
        }
    }
    Ok(())
}

/// What was found of one kind.
struct Found {
    median: Duration,
    /// How often the kernel had to provide a page, on average.
    faults: f64,
}

/// Measures each of [`KINDS`].
async fn measure(language: &str) -> anyhow::Result<[Found; 5]> {
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

/// How much the medians are, in the bare one.
fn ratios(found: &[Found; 5]) -> [f64; 5] {
    let [bare, ..] = found;
    found.each_ref().map(|found| found.median.as_secs_f64() / bare.median.as_secs_f64())
}

fn in_words(language: &str, found: &[Found; 5]) -> String {
    let line = |((kind, found), ratio): ((&str, &Found), f64)| {
        let micros = found.median.as_secs_f64() * 1e6;
        format!("{language:<12} {kind:<10} {micros:>6.0} µs {ratio:>8.2} {:>7.1}\n", found.faults)
    };
    KINDS.into_iter().zip(found).zip(ratios(found)).map(line).collect()
}

fn in_json(language: &str, found: &[Found; 5]) -> Value {
    let turns: serde_json::Map<_, _> = KINDS
        .into_iter()
        .zip(found)
        .zip(ratios(found))
        .map(|((kind, found), ratio)| {
            let micros = found.median.as_secs_f64() * 1e6;
            (kind.to_owned(), json!({ "median_us": micros, "of_bare": ratio, "page_faults": found.faults }))
        })
        .collect();
    json!({ "language": language, "turns": turns })
}
