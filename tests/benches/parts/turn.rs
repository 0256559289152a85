//! A Rust turn in a fresh sandbox, and bare wasmtime.

use agent_memory_host::keys::Keys;
use criterion::Criterion;
use serde_json::json;

use crate::bare::{Bare, Least};
use crate::rust_agent::{agent, returning_caller, turn};

pub(crate) fn measure(criterion: &mut Criterion) {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let bare = Bare::new().expect("the bare components compile");
    let least = Least::new().expect("what is written by hand compiles");
    let mut group = criterion.benchmark_group("turn");
    group.bench_function("bare wasmtime, two joined components in Rust", |bencher| {
        bencher.iter(|| bare.call().expect("a call"));
    });
    group.bench_function("bare wasmtime, two joined components written by hand", |bencher| {
        bencher.iter(|| least.call().expect("a call"));
    });
    let turns = [
        ("does nothing", "nothing", json!({}), Keys::plaintext()),
        ("reads three keys, sets one", "usual", json!({ "mood": "happy" }), Keys::plaintext()),
        ("reads three keys, sets one, fields sealed", "usual", json!({ "mood": "happy" }), Keys::ephemeral()),
    ];
    for (name, function, arguments, keys) in turns {
        let agent = agent(&tokio, keys).expect("the agent loads");
        let mut conversation = tokio.block_on(returning_caller(&agent, "+441632960001")).expect("a conversation");
        group.bench_function(name, |bencher| {
            bencher.iter(|| tokio.block_on(turn(&mut conversation, function, &arguments)).expect("a turn"));
        });
    }
    group.finish();
}
