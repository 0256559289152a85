//! Random sequences of all that can happen to the host on SQLite, played beside a model of the rules: conversations of
//! several callers in several scopes that are saved, carried elsewhere, opened twice and ended twice, erasures, sweeps,
//! restarts, time that passes, and a store that fails at any of its calls, before or after it has done what it was
//! asked. After each step what can be seen has to be as the model has it, and at the end everything.

#![allow(clippy::indexing_slicing, reason = "what a step names is there, or the step is wrong and is to be found")]

mod model;
mod player;
mod steps;
mod world;

use anyhow::Context as _;

use self::player::{Player, Wrong};
use self::steps::{Step, sequence};
use crate::{Figures, Setting, Subject, no_obstacle};

/// How many sequences a round has.
const SEQUENCES: u64 = 50;

/// Sequences of everything.
pub(crate) const SUBJECT: Subject = Subject {
    name: "sequences",
    about: "50 sequences of up to 100 steps of the host on SQLite, against the model",
    full: 2_000,
    obstacle: no_obstacle,
    round,
};

fn round(_: &Setting, number: u64) -> anyhow::Result<Figures> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no tokio")?;
    let mut figures = Figures::default();
    figures.wrong("wrong sequences", 0);
    for sequence_number in number * SEQUENCES..(number + 1) * SEQUENCES {
        let steps = sequence(sequence_number);
        figures.tried("sequences", 1);
        match runtime.block_on(play(&steps)) {
            Ok(played) => figures.merge(&played),
            Err(_) => {
                figures.wrong("wrong sequences", 1);
                let (steps, why) = runtime.block_on(shrunk(steps));
                let steps: Vec<_> = steps.iter().map(|step| format!("  {step:?}")).collect();
                eprintln!("sequence {sequence_number}: {why}\n{}", steps.join("\n"));
            }
        }
    }
    Ok(figures)
}

/// Plays steps from the beginning.
async fn play(steps: &[Step]) -> Result<Figures, Wrong> {
    let mut player = Player::new().await?;
    for step in steps {
        player.play(step).await?;
    }
    player.check_all().await?;
    Ok(player.figures)
}

/// As few of the steps as can be found by which something still goes wrong, and what.
async fn shrunk(mut steps: Vec<Step>) -> (Vec<Step>, Wrong) {
    let mut why = play(&steps).await.err().unwrap_or_else(|| "it went well when it was played again".to_owned());
    let mut part = steps.len() / 2;
    while part > 0 {
        let mut from = 0;
        while from < steps.len() {
            let mut fewer = steps.clone();
            fewer.drain(from..(from + part).min(steps.len()));
            match play(&fewer).await {
                Err(still) => (steps, why) = (fewer, still),
                Ok(_) => from += part,
            }
        }
        part /= 2;
    }
    for index in 0..steps.len() {
        let mut calmer = steps.clone();
        if let Some(step) = calmer.get_mut(index)
            && step.trouble.take().is_some()
            && let Err(still) = play(&calmer).await
        {
            (steps, why) = (calmer, still);
        }
    }
    (steps, why)
}
