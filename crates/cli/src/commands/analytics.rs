//! `agent-memory analytics`

use std::fmt::Write;

use agent_memory_host::{Analytics as Figures, AnalyticsRow};

use super::Verdict;
use crate::arguments::Analytics;
use crate::words::count;
use crate::{output, surroundings};

/// The columns of metrics, in the order in which the documentation lists them.
const METRICS: [&str; 5] = [
    "REPEAT_CALLER_CONV_ID",
    "REPEAT_CALLER_DATETIME",
    "REPEAT_CALLER_QA",
    "REPEAT_CALLER_HANDOFF_REASON",
    "REPEAT_CALLER_HANDOFF_TO",
];

pub(crate) async fn analytics(arguments: &Analytics) -> anyhow::Result<Verdict> {
    let figures = surroundings::administration(&arguments.stored)?.analytics().await?;
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
    let own = ["conversation", "account", "project", "environment", "channel", "began"];
    writer.write_record(own.into_iter().chain(METRICS))?;
    for row in rows {
        let began = row.began.to_string();
        let own = [&row.conversation, &row.account, &row.project, &row.environment, &row.channel, &began];
        let metrics = METRICS.iter().map(|name| row.metrics.get(*name).map(String::as_str).unwrap_or_default());
        writer.write_record(own.into_iter().map(String::as_str).chain(metrics))?;
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
