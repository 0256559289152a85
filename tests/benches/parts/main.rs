//! Parts of the whole, measured by criterion, each beside the least that it could take.
//!
//! ```sh
//! cargo bench -p agent-memory-tests --bench parts            # all of them
//! cargo bench -p agent-memory-tests --bench parts -- policy  # some of them, by name
//! ```
//!
//! Criterion measures one after the other, and remembers the run before: this is for whoever changes a part and wants to
//! know what became of it. What is promised is measured by turns, in the benchmark `targets`.

#![allow(missing_docs, reason = "a program has no users of its code")]
#![allow(clippy::expect_used, reason = "criterion takes no error from what it measures")]

#[path = "../support/bare.rs"]
mod bare;
#[path = "../support/callers.rs"]
mod callers;
#[path = "../support/fill.rs"]
mod fill;
mod memory_get;
#[path = "../support/plain.rs"]
mod plain;
mod policy;
#[path = "../support/pooled.rs"]
mod pooled;
#[path = "../support/rust_agent.rs"]
mod rust_agent;
mod store;
#[path = "../support/stores.rs"]
mod stores;
mod turn;

use std::time::Duration;

use agent_memory_tests::root;
use criterion::{Criterion, criterion_group};

criterion_group! {
    name = parts;
    config = Criterion::default()
        .output_directory(&root().join("target/criterion"))
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .nresamples(10_000);
    targets = memory_get::measure, turn::measure, policy::measure, store::measure
}

fn main() {
    parts();
    Criterion::default().configure_from_args().final_summary();
    println!("What is promised, and whether it is kept: cargo bench -p agent-memory-tests --bench targets");
}
