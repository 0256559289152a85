//! `agent-memory move-slots`

use agent_memory_host::store::{Moved, move_slots as move_between};
use serde::Serialize;

use super::Verdict;
use crate::arguments::MoveSlots;
use crate::surroundings::Progress;
use crate::words::count;
use crate::{output, stores};

/// What it prints as JSON.
#[derive(Serialize)]
struct Outcome {
    copied: u64,
    verified: u64,
    removed: u64,
}

pub(crate) async fn move_slots(arguments: &MoveSlots) -> anyhow::Result<Verdict> {
    let (old, new) = (stores::read_map(&arguments.old)?, stores::read_map(&arguments.new)?);
    let shards = stores::open_shards(&new, true).await?;
    let mut progress = Progress::new();
    let moved = move_between(&old, &new, shards, |moved| {
        progress.show(moved.copied + moved.verified + moved.removed);
    })
    .await;
    progress.end();
    let Moved { copied, verified, removed } = moved?;
    if arguments.json {
        output::json_line(&Outcome { copied, verified, removed })?;
        return Ok(Verdict::Good);
    }
    output::text(&format!(
        "Moved {}, found {verified} of them where they belong, and deleted {removed} where they were.\n\
        Use the new map from now on, and sweep.\n",
        count(copied, "record")
    ))?;
    Ok(Verdict::Good)
}
