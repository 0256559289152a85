//! Turns on two threads against turns on one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use agent_memory_host::Conversation;
use agent_memory_host::keys::Keys;
use serde_json::json;
use tokio::runtime::Builder;

use crate::by_turns::median;
use crate::report::{Report, Target};
use crate::rust_agent::{agent, returning_caller, turn};

const ROUNDS: usize = 15;
const ROUND: Duration = Duration::from_millis(400);

pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    let tokio = Builder::new_current_thread().enable_all().build()?;
    let agent = agent(&tokio, Keys::ephemeral())?;
    let mut one = tokio.block_on(returning_caller(&agent, "+441632960001"))?;
    let mut two = tokio.block_on(returning_caller(&agent, "+441632960002"))?;
    let (mut alone, mut together) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        alone.push(turns_per_second(&mut [&mut one])?);
        together.push(turns_per_second(&mut [&mut one, &mut two])?);
    }
    let (alone, together) = (median(alone), median(together));
    let figures = format!("{together:.0} and {alone:.0} turns per second");
    report.add("Rust turns on two threads, of those on one", together / alone, Target::AtLeast(1.3), figures);
    Ok(())
}

/// How many turns these conversations take together, each on a thread of its own.
fn turns_per_second(conversations: &mut [&mut Conversation]) -> anyhow::Result<f64> {
    let is_over = AtomicBool::new(false);
    let begin = Instant::now();
    let turns: usize = thread::scope(|scope| {
        let threads: Vec<_> =
            conversations.iter_mut().map(|conversation| scope.spawn(|| turns(conversation, &is_over))).collect();
        thread::sleep(ROUND);
        is_over.store(true, Ordering::Relaxed);
        let counts =
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        counts.sum::<anyhow::Result<usize>>()
    })?;
    Ok(turns as f64 / begin.elapsed().as_secs_f64())
}

/// Takes turns until that is over.
fn turns(conversation: &mut Conversation, is_over: &AtomicBool) -> anyhow::Result<usize> {
    let tokio = Builder::new_current_thread().enable_all().build()?;
    let arguments = json!({ "mood": "happy" });
    let mut turns = 0;
    while !is_over.load(Ordering::Relaxed) {
        tokio.block_on(turn(conversation, "usual", &arguments))?;
        turns += 1;
    }
    Ok(turns)
}
