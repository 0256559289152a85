//! `agent-memory copy`

use agent_memory_host::store::copy as copy_store;
use jiff::Timestamp;

use super::Verdict;
use crate::arguments::Copy;
use crate::surroundings::Progress;
use crate::words::count;
use crate::{output, stores};

pub(crate) async fn copy(arguments: &Copy) -> anyhow::Result<Verdict> {
    let from = stores::open_store(&arguments.from, false).await?;
    let to = stores::open_store(&arguments.to, true).await?;
    let now = arguments.at.unwrap_or_else(Timestamp::now).as_second();
    let mut progress = Progress::new();
    let copied = copy_store(&*from, &*to, now, |tally| progress.show(tally.total())).await;
    progress.end();
    let copied = copied?;
    if arguments.json {
        output::json_line(&copied)?;
        return Ok(Verdict::Good);
    }
    let kinds = copied.counts.iter().map(|(kind, number)| count(*number, kind.strip_suffix('s').unwrap_or(kind)));
    let kinds: Vec<String> = kinds.collect();
    let kinds = if kinds.is_empty() { "nothing: the store is empty".to_owned() } else { kinds.join(", ") };
    output::text(&format!("Copied {kinds}.\nBoth stores hold the same, with digest {}.\n", copied.digest))?;
    Ok(Verdict::Good)
}
