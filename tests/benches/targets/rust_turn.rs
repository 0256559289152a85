//! A Rust turn in a fresh sandbox, rules included.

use std::time::Duration;

use agent_memory_host::keys::Keys;
use serde_json::json;

use crate::bare::{Bare, Least};
use crate::by_turns;
use crate::report::{Report, Target};
use crate::rust_agent::{agent, returning_caller, turn};

const ROUNDS: usize = 3_000;

pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let clear = agent(&tokio, Keys::plaintext())?;
    let sealed = agent(&tokio, Keys::ephemeral())?;
    let mut first = tokio.block_on(returning_caller(&clear, "+441632960001"))?;
    let mut second = tokio.block_on(returning_caller(&clear, "+441632960002"))?;
    let mut third = tokio.block_on(returning_caller(&sealed, "+441632960001"))?;
    let arguments = json!({ "mood": "happy" });
    let (bare, least) = (Bare::new()?, Least::new()?);
    let times = by_turns::medians(
        ROUNDS,
        [
            &mut || bare.call(),
            &mut || least.call(),
            &mut || tokio.block_on(turn(&mut first, "nothing", &json!({}))),
            &mut || tokio.block_on(turn(&mut second, "usual", &arguments)),
            &mut || tokio.block_on(turn(&mut third, "usual", &arguments)),
        ],
    )?;
    let [bare, least, turns @ ..] = times.map(|time: Duration| time.as_secs_f64() * 1e6);
    let whats = [
        "a Rust turn that does nothing, of two bare components in Rust that do nothing",
        "a Rust turn that reads three keys and sets one, of the same",
        "... and has five sealed fields to open, of the same",
    ];
    for (what, time) in whats.into_iter().zip(turns) {
        let detail = format!(
            "{time:.1} µs, bare {bare:.1} µs; {:.2} times the {least:.1} µs of two that are written by hand",
            time / least
        );
        report.add(what, time / bare, Target::AtMost(2.0), detail);
    }
    Ok(())
}
