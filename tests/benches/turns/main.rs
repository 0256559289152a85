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

mod measure;
#[path = "../support/pooled.rs"]
mod pooled;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use measure::{Found, KINDS, LANGUAGES, measure};

fn main() -> anyhow::Result<()> {
    let mut as_json = false;
    let mut languages = Vec::new();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--json" => as_json = true,
            // Cargo says so to every benchmark.
            "--bench" => {}
            language if LANGUAGES.contains(&language) => languages.push(language.to_owned()),
            other => bail!("unknown argument {other:?}: give --json, or one of {}", LANGUAGES.join(", ")),
        }
    }
    if languages.is_empty() {
        languages = LANGUAGES.map(str::to_owned).to_vec();
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
