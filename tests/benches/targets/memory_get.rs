//! `memory.get` in a Rust function against a native map.

use std::hint::black_box;

use agent_memory_host::keys::Keys;
use serde_json::json;

use crate::by_turns;
use crate::report::{Report, Target};
use crate::rust_agent::{agent, native_map, returning_caller, turn};

const ROUNDS: usize = 100;

/// How often each of a round reads.
const TIMES: u32 = 10_000;

pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let agent = agent(&tokio, Keys::ephemeral())?;
    let mut conversation = tokio.block_on(returning_caller(&agent, "+441632960001"))?;
    let mut other = tokio.block_on(returning_caller(&agent, "+441632960002"))?;
    let map = native_map();
    let [native, with, without] = by_turns::medians(
        ROUNDS,
        [
            &mut || {
                for _ in 0..TIMES {
                    black_box(map.get(black_box("cheese_type")).cloned());
                }
                Ok(())
            },
            &mut || tokio.block_on(turn(&mut conversation, "read", &json!({ "times": TIMES }))),
            &mut || tokio.block_on(turn(&mut other, "read", &json!({ "times": 0 }))),
        ],
    )?;
    let nanos = |time: std::time::Duration| time.as_secs_f64() * 1e9 / f64::from(TIMES);
    let (native, ours) = (nanos(native), nanos(with.saturating_sub(without)));
    let what = "`memory.get` in a Rust function, of a native `HashMap`'s get and clone";
    report.add(what, ours / native, Target::AtMost(3.0), format!("{ours:.0} ns, native {native:.0} ns"));
    Ok(())
}
