//! `agent-memory bench`

use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;

use agent_memory_bench::{self as bench, ACCOUNT, Measured, Table, Workload};
use agent_memory_host::SystemClock;
use anyhow::Context;

use super::Verdict;
use crate::arguments::Bench;
use crate::surroundings::{Progress, runtime, warn, while_it_lasts};
use crate::{functions, output, stores};

/// What is promised of the command's own function with so many clients, on a SQLite file: of the conversations a second that
/// there are without the sandbox, at least this part.
const TARGET: (u32, f64) = (32, 0.5);

pub(crate) async fn bench(arguments: &Bench) -> anyhow::Result<Verdict> {
    let folder = tempfile::tempdir().context("a temporary folder cannot be made")?;
    let own = format!("sqlite:{}", folder.path().join("bench.db").display());
    let url = arguments.store.as_ref().unwrap_or(&own);
    // A store that cannot be used is said before anything else is judged.
    let store = stores::open(url, &arguments.sealing, true).await?;
    let components = components(arguments.functions.as_deref())?;
    let workload = Workload {
        identities: arguments.identities,
        conversations: arguments.conversations,
        turns: arguments.turns,
        seed: arguments.seed,
    };

    let runtime = runtime(store.clone(), Arc::new(SystemClock)).await?;
    let mut progress = Progress::new();
    let mut filled = 0;
    let prepared = bench::Bench::prepare(&runtime, store.store, store.keys, components, workload, |more| {
        filled += more;
        progress.show(filled);
    });
    let prepared = prepared.await;
    progress.end();
    let prepared = match &arguments.functions {
        Some(path) => prepared.with_context(|| path.display().to_string())?,
        None => prepared?,
    };

    if !arguments.json {
        let place = if arguments.store.is_some() { "in the given store" } else { "in a SQLite file of its own" };
        let Workload { identities, conversations, turns, .. } = workload;
        output::text(&format!(
            "{identities} callers with 5 fields of 60 bytes {place}, {conversations} conversations of {turns} turns.\n\n{}",
            bench::heading()
        ))?;
    }
    for &concurrency in &arguments.concurrency {
        let playing = while_it_lasts("playing conversations");
        let measured = prepared.measure(concurrency).await;
        drop(playing);
        let measured = measured?;
        if arguments.json {
            output::json_line(&measured)?;
        } else {
            output::text(&Table(&measured).to_string())?;
            let has_target = arguments.functions.is_none() && arguments.store.is_none() && concurrency == TARGET.0;
            output::text(if has_target { verdict(&measured) } else { "" })?;
        }
    }
    if arguments.store.as_ref().is_some_and(|url| !url.starts_with("memory:")) {
        warn(&format!(
            "the callers of this run stay in the store, in account {ACCOUNT} and project {}: they expire within a day, and \
            the next `agent-memory sweep` after that deletes them",
            prepared.project()
        ));
    }
    Ok(Verdict::Good)
}

/// What is called.
fn components(path: Option<&Path>) -> anyhow::Result<Vec<u8>> {
    let Some(path) = path else { return Ok(bench::FUNCTIONS.to_vec()) };
    let watched = std::io::stderr().is_terminal();
    let built = functions::build(path, watched)?;
    if watched {
        anstream::eprint!("{}", built.diagnostics);
    }
    Ok(built.bytes)
}

/// Whether what is promised is kept. A promise that is not kept is no failure of the command.
fn verdict(measured: &Measured) -> &'static str {
    if measured.ratio() >= TARGET.1 {
        "The target, at least 50% of bare, is met.\n"
    } else {
        "The target, at least 50% of bare, is missed.\n"
    }
}
