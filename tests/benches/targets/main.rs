//! What is promised of speed: every target, measured against its measure in the same run.
//!
//! ```sh
//! cargo bench -p agent-memory-tests --bench targets                # all of them, and a table at the end
//! cargo bench -p agent-memory-tests --bench targets -- memory-get  # some of them, by name
//! ```
//!
//! Nearly all are ratios, for machines differ and are noisy: their figures are there for orientation. Only the memory of an
//! idle conversation and the time of a start are what they are. A target that is missed is shown as missed, and explained
//! in `docs/performance.md`.

#![allow(missing_docs, reason = "a program has no users of its code")]

#[path = "../support/bare.rs"]
mod bare;
mod by_turns;
#[path = "../support/callers.rs"]
mod callers;
mod conversations;
#[path = "../support/fill.rs"]
mod fill;
mod idle;
mod languages;
mod memory_get;
mod open_loop;
#[path = "../support/plain.rs"]
mod plain;
#[path = "../support/pooled.rs"]
mod pooled;
mod report;
#[path = "../support/rust_agent.rs"]
mod rust_agent;
mod rust_turn;
mod start;
mod store;
#[path = "../support/stores.rs"]
mod stores;
mod threads;
// The benchmark of that name and this one measure the same.
#[path = "../turns/measure/mod.rs"]
mod turns;
mod workers;

use anyhow::bail;

use report::Report;

/// Measures one or several targets.
type Measure = fn(&mut Report) -> anyhow::Result<()>;

/// What can be measured, by name.
///
/// What is resident can only be told before others have left memory behind: that is first.
const MEASURES: [(&str, Measure); 12] = [
    ("idle", idle::measure),
    ("memory-get", memory_get::measure),
    ("rust-turn", rust_turn::measure),
    ("threads", threads::measure),
    ("workers", workers::measure),
    ("languages", languages::measure),
    ("conversations", conversations::measure),
    ("commits", store::commits::measure),
    ("commit-latency", store::latency::measure),
    ("reads", store::reads::measure),
    ("start", start::measure),
    ("open-loop", open_loop::measure),
];

fn main() -> anyhow::Result<()> {
    // Some measures start this program once more.
    agent_memory_host::workers::serve_if_worker();
    if let Some(agent) = start::agent_to_start() {
        return start::first_turn(&agent);
    }
    // Cargo says `--bench` to every benchmark.
    let names: Vec<_> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let Some(unknown) = names.iter().find(|name| MEASURES.iter().all(|(known, _)| known != name)) {
        let known: Vec<_> = MEASURES.iter().map(|(name, _)| *name).collect();
        bail!("unknown argument {unknown:?}: give none, or some of {}", known.join(", "));
    }
    let mut report = Report::default();
    let mut failed = Vec::new();
    for (name, measure) in MEASURES {
        if names.is_empty() || names.iter().any(|wanted| wanted == name) {
            eprintln!("measuring {name}");
            // What the others found is worth no less.
            if let Err(error) = measure(&mut report) {
                eprintln!("{name}: {error:#}");
                failed.push(name);
            }
        }
    }
    print!("{report}");
    if !failed.is_empty() {
        bail!("not measured: {}", failed.join(", "));
    }
    Ok(())
}
