//! `agent-memory verify`

use std::fmt::Write;

use agent_memory_host::Problem;

use super::Verdict;
use crate::arguments::Verify;
use crate::output;
use crate::surroundings::{self, Progress};
use crate::words::count;

pub(crate) async fn verify(arguments: &Verify) -> anyhow::Result<Verdict> {
    let administration = surroundings::administration(&arguments.stored).await?;
    let mut progress = Progress::new();
    let verified = administration.verify(|records| progress.show(records)).await;
    progress.end();
    let verified = verified?;
    let verdict = if verified.problems.is_empty() { Verdict::Good } else { Verdict::Bad };
    if arguments.json {
        output::json_line(&verified)?;
        return Ok(verdict);
    }
    let kinds = verified.checked.iter().map(|(kind, number)| count(*number, kind.strip_suffix('s').unwrap_or(kind)));
    let kinds: Vec<String> = kinds.collect();
    let mut text = match kinds.as_slice() {
        [] => "Checked the store, which is empty.\n".to_owned(),
        kinds => format!("Checked {}.\n", kinds.join(", ")),
    };
    for Problem { what, why, count: number, .. } in &verified.problems {
        let subject = if *what == "store" { "The store".to_owned() } else { count(*number, what) };
        writeln!(text, "{subject}: {why}")?;
    }
    text.push_str(match verdict {
        Verdict::Good => "All of it is whole.\n",
        Verdict::Bad => {
            "The store is damaged. What cannot be read is refused, and never read as something else; restore the store \
            from a backup.\n"
        }
    });
    output::text(&text)?;
    Ok(verdict)
}
