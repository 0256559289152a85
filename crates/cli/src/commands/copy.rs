//! `agent-memory copy`

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use agent_memory_host::store::{Tally, copy as copy_store};
use jiff::Timestamp;

use super::Verdict;
use crate::arguments::Copy;
use crate::words::count;
use crate::{output, stores};

/// How often the progress is shown.
const SHOWN: Duration = Duration::from_millis(200);

pub(crate) async fn copy(arguments: &Copy) -> anyhow::Result<Verdict> {
    let from = stores::open_store(&arguments.from, false).await?;
    let to = stores::open_store(&arguments.to, true).await?;
    let now = arguments.at.unwrap_or_else(Timestamp::now).as_second();
    let mut progress = Progress::new();
    let copied = copy_store(&*from, &*to, now, |tally| progress.show(tally)).await;
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

/// A line on the terminal that says how far the copying has come, if somebody is watching.
struct Progress {
    watched: bool,
    shown: Option<Instant>,
}

impl Progress {
    fn new() -> Self {
        Self { watched: std::io::stderr().is_terminal(), shown: None }
    }

    fn show(&mut self, tally: &Tally) {
        if self.watched && self.shown.is_none_or(|shown| shown.elapsed() >= SHOWN) {
            self.shown = Some(Instant::now());
            anstream::eprint!("\r\x1b[K{} records", tally.total());
            std::io::stderr().flush().ok();
        }
    }

    fn end(&self) {
        if self.shown.is_some() {
            anstream::eprint!("\r\x1b[K");
        }
    }
}
