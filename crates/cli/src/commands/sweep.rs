//! `agent-memory sweep`

use std::fmt::Write;

use agent_memory_host::store::Swept;

use super::Verdict;
use crate::arguments::Sweep;
use crate::words::{count, time};
use crate::{output, surroundings};

pub(crate) async fn sweep(arguments: &Sweep) -> anyhow::Result<Verdict> {
    let sweep = surroundings::administration(&arguments.stored).await?.sweep().await?;
    let Swept { fields, identifiers, interactions, metrics, sessions, undecodable } = sweep.deleted;
    let verdict = if undecodable == 0 { Verdict::Good } else { Verdict::Bad };
    if arguments.json {
        output::json_line(&sweep)?;
        return Ok(verdict);
    }
    let mut text = format!(
        "Deleted {}, {}, {}, {} and {}.\n",
        count(fields, "field"),
        count(identifiers, "identifier"),
        count(interactions, "first interaction"),
        count(metrics, "metric row"),
        count(sessions, "session"),
    );
    match sweep.keys {
        Some(keys) if keys.everywhere => {
            writeln!(
                text,
                "What expired before {} cannot be read any more, wherever a copy may be.",
                time(keys.before)
            )?;
        }
        Some(keys) => writeln!(
            text,
            "The keys of the days before {} are still where the ring is kept, which this command can only read: replace \
            it by what `agent-memory keys moved-on` prints.",
            time(keys.before),
        )?,
        None => {}
    }
    if undecodable > 0 {
        writeln!(
            text,
            "The store is damaged: {} cannot be decoded, and what has expired there is left. They are deleted 91 days after \
            the first thing in them has expired; `agent-memory verify` tells what else is damaged.",
            count(undecodable, "caller record"),
        )?;
    }
    output::text(&text)?;
    Ok(verdict)
}
