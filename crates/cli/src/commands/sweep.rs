//! `agent-memory sweep`

use serde::Serialize;

use agent_memory_host::store::Swept;

use super::Verdict;
use crate::arguments::Sweep;
use crate::words::count;
use crate::{output, surroundings};

#[derive(Serialize)]
struct Deleted {
    deleted: Swept,
}

pub(crate) async fn sweep(arguments: &Sweep) -> anyhow::Result<Verdict> {
    let deleted = surroundings::administration(&arguments.stored)?.sweep().await?;
    if arguments.json {
        output::json_line(&Deleted { deleted })?;
    } else {
        let Swept { fields, identifiers, interactions, metrics, sessions } = deleted;
        output::text(&format!(
            "Deleted {}, {}, {}, {} and {}.\n",
            count(fields, "field"),
            count(identifiers, "identifier"),
            count(interactions, "first interaction"),
            count(metrics, "metric row"),
            count(sessions, "session"),
        ))?;
    }
    Ok(Verdict::Good)
}
