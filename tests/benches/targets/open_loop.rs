//! Turns that come when they come, with and without a function that runs away.
//!
//! The times of arrival are fixed before anything is measured, and a turn's latency is counted from the time at which it was
//! to arrive: a turn that had to wait because others were late has waited.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use agent_memory_bench::FUNCTIONS;
use agent_memory_host::store::MemoryStore;
use agent_memory_host::{Agent, AgentDefinition, Conversation, Json, NewConversation, Scope, TurnOutcome};
use agent_memory_tests::{component, runtime, scope};
use anyhow::{Context, bail};
use tokio::runtime::Runtime as Tokio;
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;

use crate::report::{Report, Target};

/// How many conversations are open.
const CONVERSATIONS: usize = 10_000;

/// Part of the turns that the machine can do.
const LOAD: f64 = 0.3;

/// How long turns arrive for, in each slice.
const SLICE: Duration = Duration::from_secs(2);

/// How many slices there are of each kind, by turns. The median of them counts: a pause of the whole machine spoils one.
const SLICES: u64 = 9;

/// How long the machine is asked for all that it can do.
const FULL_LOAD: Duration = Duration::from_secs(3);

/// How many turns wait or run at once then.
const WAITING: usize = 256;

const CONFIGURATION: &str = r#"{"memory": {"repeat_caller": {"state_keys": ["field_3", "field_4"]}}}"#;

type Open = Arc<[Mutex<Conversation>]>;

pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (open, runaway) = tokio.block_on(prepare())?;
    let capacity = capacity(&tokio, &open)?;
    let rate = capacity * LOAD;

    let (mut calm, mut disturbed) = (Vec::new(), Vec::new());
    for slice in 0..SLICES {
        calm.push(Quantiles::of(arrivals(&tokio, &open, rate, slice)?));
        let stop = Arc::new(AtomicBool::new(false));
        let running = tokio.spawn(run_away(Arc::clone(&runaway), Arc::clone(&stop)));
        disturbed.push(Quantiles::of(arrivals(&tokio, &open, rate, slice)?));
        stop.store(true, Ordering::Relaxed);
        tokio.block_on(running)??;
    }
    let (calm, disturbed) = (Quantiles::median(&calm), Quantiles::median(&disturbed));
    report.add(
        "p99 of turns at 30 % load beside a runaway function, of that without it",
        disturbed.p99 / calm.p99,
        Target::AtMost(1.5),
        format!(
            "{:.0} of {capacity:.0} turns/s on {CONVERSATIONS} conversations: p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms; without \
            it {:.2}, {:.2}, {:.2}",
            rate, disturbed.p50, disturbed.p99, disturbed.p99_9, calm.p50, calm.p99, calm.p99_9
        ),
    );
    Ok(())
}

/// The open conversations, and one whose function never returns.
async fn prepare() -> anyhow::Result<(Open, Arc<Mutex<Conversation>>)> {
    let runtime = runtime(Arc::new(MemoryStore::new())).build().await?;
    let definition = |scope: Scope, functions: Vec<u8>| AgentDefinition {
        scope,
        functions,
        configuration: CONFIGURATION.to_owned(),
    };
    let agent = runtime.load_agent(definition(scope(), FUNCTIONS.to_vec())).await?;
    let elsewhere = Scope { account: "somebody else".into(), ..scope() };
    let probe = runtime.load_agent(definition(elsewhere, component("probe"))).await?;
    let mut open = Vec::with_capacity(CONVERSATIONS);
    for number in 1..CONVERSATIONS {
        open.push(Mutex::new(start(&agent, number).await?));
    }
    Ok((open.into(), Arc::new(Mutex::new(start(&probe, 0).await?))))
}

async fn start(agent: &Agent, number: usize) -> anyhow::Result<Conversation> {
    let caller_number = Some(format!("+441632{number:08}"));
    Ok(agent.start(NewConversation { caller_number, ..Default::default() }).await?.conversation)
}

/// A turn, which has to succeed.
async fn turn(conversation: &Mutex<Conversation>) -> anyhow::Result<()> {
    let turn = conversation.lock().await.call("turn", Json::empty_object()).await?;
    match turn.outcome {
        TurnOutcome::Returned(_) => Ok(()),
        outcome => bail!("a turn did not return: {outcome:?}"),
    }
}

/// Calls a function that never returns, again and again.
async fn run_away(conversation: Arc<Mutex<Conversation>>, stop: Arc<AtomicBool>) -> anyhow::Result<()> {
    while !stop.load(Ordering::Relaxed) {
        let turn = conversation.lock().await.call("loop_forever", Json::empty_object()).await?;
        if !matches!(turn.outcome, TurnOutcome::Stopped(_)) {
            bail!("the runaway came back: {:?}", turn.outcome);
        }
    }
    Ok(())
}

/// How many turns the machine does in a second, if more arrive whenever one of them is over. They arrive as those of a load
/// do, from a thread of their own: what it takes to hand a turn over is part of what the machine has to do.
fn capacity(tokio: &Tokio, open: &Open) -> anyhow::Result<f64> {
    let places = Arc::new(Semaphore::new(WAITING));
    let mut turns = JoinSet::new();
    let mut done = 0_u64;
    let began = Instant::now();
    let mut indices = (0..open.len()).cycle();
    while began.elapsed() < FULL_LOAD {
        let place = tokio.block_on(Arc::clone(&places).acquire_owned())?;
        let (open, index) = (Arc::clone(open), indices.next().context("no conversation")?);
        turns.spawn_on(
            async move {
                turn(open.get(index).context("no such conversation")?).await?;
                drop(place);
                anyhow::Ok(())
            },
            tokio.handle(),
        );
        while let Some(turn) = turns.try_join_next() {
            turn??;
            done += 1;
        }
    }
    Ok(done as f64 / began.elapsed().as_secs_f64())
}

/// Has turns arrive at random at a rate, and gives the latency of each, in milliseconds. The same seed gives the same times.
fn arrivals(tokio: &Tokio, open: &Open, rate: f64, seed: u64) -> anyhow::Result<Vec<f64>> {
    let mut chance = fastrand::Rng::with_seed(seed);
    let mut schedule = Vec::new();
    let mut at = 0.0;
    while at < SLICE.as_secs_f64() {
        // The gaps of a Poisson process.
        at += -(1.0 - chance.f64()).ln() / rate;
        schedule.push((Duration::from_secs_f64(at), chance.usize(..open.len())));
    }
    let began = Instant::now();
    let mut turns = JoinSet::new();
    for (due, index) in schedule {
        thread::sleep(due.saturating_sub(began.elapsed()));
        let open = Arc::clone(open);
        turns.spawn_on(
            async move {
                turn(open.get(index).context("no such conversation")?).await?;
                anyhow::Ok((began.elapsed() - due).as_secs_f64() * 1e3)
            },
            tokio.handle(),
        );
    }
    tokio.block_on(async {
        let mut latencies = Vec::with_capacity(turns.len());
        while let Some(turn) = turns.join_next().await {
            latencies.push(turn??);
        }
        Ok(latencies)
    })
}

/// In milliseconds.
struct Quantiles {
    p50: f64,
    p99: f64,
    p99_9: f64,
}

impl Quantiles {
    fn of(mut latencies: Vec<f64>) -> Self {
        latencies.sort_unstable_by(f64::total_cmp);
        let at = |part: f64| {
            let index = (latencies.len() as f64 * part) as usize;
            latencies.get(index.min(latencies.len().saturating_sub(1))).copied().unwrap_or_default()
        };
        Self { p50: at(0.5), p99: at(0.99), p99_9: at(0.999) }
    }

    /// The median of each over all slices.
    fn median(slices: &[Self]) -> Self {
        let median = |quantile: fn(&Self) -> f64| {
            let mut values: Vec<_> = slices.iter().map(quantile).collect();
            values.sort_unstable_by(f64::total_cmp);
            values.get(values.len() / 2).copied().unwrap_or_default()
        };
        Self { p50: median(|slice| slice.p50), p99: median(|slice| slice.p99), p99_9: median(|slice| slice.p99_9) }
    }
}
