//! `agent-memory audit`

use agent_memory_host::Act;
use owo_colors::OwoColorize;

use super::Verdict;
use crate::arguments::Audit;
use crate::words::{plain, time};
use crate::{output, surroundings};

pub(crate) async fn audit(arguments: &Audit) -> anyhow::Result<Verdict> {
    let administration = surroundings::administration(&arguments.stored).await?;
    let mut after = None;
    let mut any = false;
    loop {
        let (acts, next) = administration.acts(after).await?;
        for act in &acts {
            if arguments.json {
                output::json_line(act)?;
            } else {
                output::text(&line(act)?)?;
            }
        }
        any |= !acts.is_empty();
        after = next;
        if after.is_none() {
            break;
        }
    }
    if !any && !arguments.json {
        output::text("Nothing was done in the last year.\n")?;
    }
    Ok(Verdict::Good)
}

fn line(act: &Act) -> anyhow::Result<String> {
    let kind = serde_json::to_value(act.act)?;
    let mut parts = vec![time(act.at), kind.as_str().unwrap_or_default().to_owned()];
    parts.extend(act.scope.as_ref().map(|scope| {
        let (account, project) = (plain(&scope.account), plain(&scope.project));
        format!("of {account}/{project}/{}", plain(&scope.environment))
    }));
    parts.extend(act.by.as_ref().map(|name| format!("by {}", plain(name))));
    parts.extend(act.counts.iter().filter(|(_, count)| **count > 0).map(|(what, count)| format!("{what}: {count}")));
    if !act.completed {
        parts.push("not known to be completed".to_owned());
    }
    Ok(format!("{}  {}\n", parts.join("  "), act.id.dimmed()))
}
