//! `agent-memory analytics`

use std::fmt::Write;

use agent_memory_host::{Analytics as Figures, AnalyticsRow};

use super::Verdict;
use crate::arguments::Analytics;
use crate::words::count;
use crate::{output, surroundings};

pub(crate) async fn analytics(arguments: &Analytics) -> anyhow::Result<Verdict> {
    let figures = surroundings::administration(&arguments.stored).await?.analytics().await?;
    if arguments.json {
        output::json_line(&figures)?;
    } else if arguments.csv {
        output::data(&as_csv(&figures.rows)?)?;
    } else {
        output::text(&in_words(&figures)?)?;
    }
    Ok(Verdict::Good)
}

fn as_csv(rows: &[AnalyticsRow]) -> anyhow::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(AnalyticsRow::COLUMNS)?;
    for row in rows {
        writer.write_record(row.cells().iter().map(|cell| cell.as_bytes()))?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

fn in_words(figures: &Figures) -> anyhow::Result<String> {
    let Figures { totals, by_day, .. } = figures;
    let mut text = format!(
        "{} of known callers, {} of them by repeat callers.\n",
        count(totals.conversations, "conversation"),
        totals.repeat_conversations
    );
    if !by_day.is_empty() {
        writeln!(text, "\n{:<10}  {:>13}  {:>20}", "day", "conversations", "by repeat callers")?;
        for day in by_day {
            writeln!(text, "{:<10}  {:>13}  {:>20}", day.day, day.conversations, day.repeat_conversations)?;
        }
    }
    Ok(text)
}
