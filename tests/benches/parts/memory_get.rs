//! `memory.get` in a Rust function, and a native map.

use std::hint::black_box;
use std::time::{Duration, Instant};

use agent_memory_host::Conversation;
use agent_memory_host::keys::Keys;
use criterion::Criterion;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::rust_agent::{agent, native_map, returning_caller, turn};

/// How often one turn reads at most, so that none takes too long.
const READS: u64 = 10_000;

pub(crate) fn measure(criterion: &mut Criterion) {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let agent = agent(&tokio, Keys::ephemeral()).expect("the agent loads");
    let mut conversation = tokio.block_on(returning_caller(&agent, "+441632960001")).expect("a conversation");
    let map = native_map();
    let mut group = criterion.benchmark_group("memory.get");
    group.bench_function("native map, get and clone", |bencher| {
        bencher.iter(|| map.get(black_box("cheese_type")).cloned());
    });
    group.bench_function("through wasm, in a Rust function", |bencher| {
        bencher.iter_custom(|reads| {
            let mut all = Duration::ZERO;
            let mut left = reads;
            while left > 0 {
                let now = left.min(READS);
                // What a turn takes that reads nothing is not what reading takes.
                let without = read(&tokio, &mut conversation, 0);
                all += read(&tokio, &mut conversation, now).saturating_sub(without);
                left -= now;
            }
            all
        });
    });
    group.finish();
}

/// How long a turn takes that reads so often.
fn read(tokio: &Runtime, conversation: &mut Conversation, times: u64) -> Duration {
    let arguments = json!({ "times": times });
    let begin = Instant::now();
    tokio.block_on(turn(conversation, "read", &arguments)).expect("a turn");
    begin.elapsed()
}
