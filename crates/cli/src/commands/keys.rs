//! `agent-memory keys`

use std::path::Path;

use agent_memory_host::keys::{Keys as Sealing, Source};
use anyhow::{Context, bail};
use jiff::Timestamp;
use serde::Serialize;

use super::Verdict;
use crate::arguments::{Keys, Ring};
use crate::output;

/// What `rotate` prints as JSON.
#[derive(Serialize)]
struct Rotated {
    version: u32,
}

pub(crate) fn keys(command: &Keys) -> anyhow::Result<Verdict> {
    match command {
        Keys::New { file } => new(file)?,
        Keys::Rotate(ring) => rotate(ring)?,
        Keys::Show(ring) => show(ring)?,
        Keys::MovedOn { keys } => moved_on(keys)?,
    }
    Ok(Verdict::Good)
}

fn new(file: &Path) -> anyhow::Result<()> {
    if file.try_exists().with_context(|| format!("{} cannot be looked at", file.display()))? {
        bail!("{} is there already: a ring is never written over; name another file", file.display());
    }
    Sealing::open(&Source::File(file.to_owned()), true)?;
    let file = file.display();
    output::text(&format!(
        "Made {file}. Keep a copy of it elsewhere, but not where the store is backed up: without it nothing in the \
        store can be read.\n"
    ))
}

fn rotate(ring: &Ring) -> anyhow::Result<()> {
    let version = Sealing::open(&ring.keys, false)?.rotate()?;
    if ring.json {
        return output::json_line(&Rotated { version });
    }
    output::text(&format!(
        "What is written from now on is sealed by version {version}. What is there can be read as before. Copy the ring \
        again.\n"
    ))
}

fn show(ring: &Ring) -> anyhow::Result<()> {
    let description =
        Sealing::open(&ring.keys, false)?.description().context("there are no keys: nothing is sealed")?;
    if ring.json {
        return output::json_line(&description);
    }
    let versions: Vec<String> = description.versions.iter().map(u16::to_string).collect();
    output::text(&format!(
        "What expires on {} or later can be read.\nVersions: {}. The last one seals.\n",
        description.first_day,
        versions.join(", ")
    ))
}

/// Prints secrets, for whoever keeps the ring where it can only be read.
fn moved_on(source: &Source) -> anyhow::Result<()> {
    let keys = Sealing::open(source, false)?;
    let ring = keys.moved_on(Timestamp::now().as_second()).context("there are no keys: nothing is sealed")?;
    output::text(ring.expose())
}
