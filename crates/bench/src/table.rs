//! What was measured, for people.

use std::fmt;

use crate::{Figures, Latencies, Measured, Quantiles};

/// What stands above the rows.
pub fn heading() -> String {
    format!(
        "{:<8}{:<9}{:>15}{:>12}{:>29}{:>23}{:>10}\n{:<8}{:<9}{:>15}{:>12}{:>11}{:>9}{:>9}{:>12}{:>11}{:>10}\n",
        "",
        "",
        "conversations",
        "CPU",
        "turn, µs",
        "commit, µs",
        "memory",
        "clients",
        "",
        "a second",
        "µs a turn",
        "p50",
        "p99",
        "p99.9",
        "p50",
        "p99",
        "MiB"
    )
}

/// Rows for one number of clients: in the sandbox, without it, and how much of it there is.
pub struct Table<'a>(pub &'a Measured);

impl fmt::Display for Table<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Measured { concurrency, sandboxed, bare, peak_rss_mb, .. } = self.0;
        row(formatter, &concurrency.to_string(), "sandbox", sandboxed)?;
        writeln!(formatter, "{peak_rss_mb:>10.0}")?;
        row(formatter, "", "bare", bare)?;
        writeln!(formatter, "\n{:<8}{:<9}{:>14.1}%", "", "of bare", self.0.ratio() * 100.0)
    }
}

fn row(formatter: &mut fmt::Formatter<'_>, clients: &str, way: &str, figures: &Figures) -> fmt::Result {
    let (per_second, cpu) = (figures.conversations_per_s(), figures.cpu_us_per_turn());
    let Quantiles { p50, p99, p99_9 } = figures.turn_us();
    write!(formatter, "{clients:<8}{way:<9}{per_second:>15.0}{cpu:>12.1}{p50:>11.1}{p99:>9.1}{p99_9:>9.1}")?;
    let Latencies { p50, p99 } = figures.commit_us();
    write!(formatter, "{p50:>12.1}{p99:>11.1}")
}
