//! Turns per second of language runtimes: two workers against one.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use agent_memory_host::store::MemoryStore;
use agent_memory_host::workers::WorkerOptions;
use agent_memory_host::{Agent, AgentDefinition, NewConversation, TurnOutcome};
use agent_memory_tests::{clock, configuration, json, runtime, scope};
use anyhow::bail;
use futures::future::try_join_all;
use serde_json::json;

use crate::by_turns::median;
use crate::report::{Report, Target};
use crate::turns::agents;

/// How many conversations go on at once: so many that no worker waits for this process.
const CONVERSATIONS: usize = 8;

/// How many turns a conversation has, `start_function` included.
const TURNS: u32 = 6;

/// How often everything is measured, by turns, and for how long each time.
const ROUNDS: usize = 7;
const TIME: Duration = Duration::from_millis(700);

pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    for language in agents::LANGUAGES {
        let what = match language {
            "python" => "Python turns: two workers against one",
            "javascript" => "JavaScript turns: two workers against one",
            // The others bring no runtime.
            _ => continue,
        };
        let component = agents::component(language)?;
        let threads = |count| tokio::runtime::Builder::new_multi_thread().worker_threads(count).enable_all().build();
        // Turns in this process run on one thread and on two. One is enough to keep workers busy, and more only take time
        // from them.
        let [one_thread, two_threads] = [threads(1)?, threads(2)?];
        let here = one_thread.block_on(agent(&component, None))?;
        let one = one_thread.block_on(agent(&component, NonZeroUsize::new(1)))?;
        let two = one_thread.block_on(agent(&component, NonZeroUsize::new(2)))?;
        let mut rates = [const { Vec::new() }; 4];
        for _ in 0..ROUNDS {
            for (rates, (executor, agent)) in rates.iter_mut().zip([
                (&one_thread, &here),
                (&two_threads, &here),
                (&one_thread, &one),
                (&one_thread, &two),
            ]) {
                rates.push(executor.block_on(turns_per_second(agent))?);
            }
        }
        let [here_one, here_two, one, two] = rates.map(median);
        let detail = format!(
            "{two:.0}/s and {one:.0}/s; in one process with one thread {here_one:.0}/s, with two {here_two:.0}/s"
        );
        report.add(what, two / one, Target::AtLeast(1.8), detail);
    }
    Ok(())
}

async fn agent(component: &[u8], workers: Option<NonZeroUsize>) -> anyhow::Result<Agent> {
    let mut builder = runtime(Arc::new(MemoryStore::new())).clock(clock());
    if let Some(count) = workers {
        let mut options = WorkerOptions::default();
        options.count = count;
        builder = builder.workers(options);
    }
    let (functions, configuration) = (component.to_owned(), configuration(r#""analytics_enabled": true"#));
    Ok(builder.build().await?.load_agent(AgentDefinition { scope: scope(), functions, configuration }).await?)
}

/// Has conversations go on for a while.
async fn turns_per_second(agent: &Agent) -> anyhow::Result<f64> {
    // Whoever comes first wakes workers and fills caches.
    converse(agent, Instant::now()).await?;
    let begin = Instant::now();
    let tasks = (0..CONVERSATIONS).map(|_| {
        let agent = agent.clone();
        let all = async move {
            let mut turns = 0;
            while begin.elapsed() < TIME {
                turns += converse(&agent, begin).await?;
            }
            anyhow::Ok(turns)
        };
        async { tokio::spawn(all).await? }
    });
    let turns: u32 = try_join_all(tasks).await?.into_iter().sum();
    Ok(f64::from(turns) / begin.elapsed().as_secs_f64())
}

/// One conversation. Answers how many turns it had.
async fn converse(agent: &Agent, begin: Instant) -> anyhow::Result<u32> {
    let caller = NewConversation { caller_number: Some("+441632960001".into()), ..Default::default() };
    let mut conversation = agent.start(caller).await?.conversation;
    for turns in 1..TURNS {
        if begin.elapsed() >= TIME {
            return Ok(turns);
        }
        let arguments = json(&json!({ "cheese_type": "brie", "booking_day": "Friday" }));
        let turn = conversation.call("book", arguments).await?;
        if !matches!(turn.outcome, TurnOutcome::Returned(_)) {
            bail!("a turn went wrong: {:?}", turn.outcome);
        }
    }
    Ok(TURNS)
}
