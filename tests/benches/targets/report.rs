//! The table of targets.

use std::fmt;

/// What was measured so far.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

struct Row {
    what: &'static str,
    measured: f64,
    target: Target,
    detail: String,
}

/// What was promised.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    /// This much, or less.
    AtMost(f64),
    /// This much, or more.
    AtLeast(f64),
}

impl Report {
    /// Adds what was measured. The detail gives the figures that the ratio is made of.
    pub(crate) fn add(&mut self, what: &'static str, measured: f64, target: Target, detail: impl Into<String>) {
        self.rows.push(Row { what, measured, target, detail: detail.into() });
    }
}

impl Target {
    fn is_met(self, measured: f64) -> bool {
        match self {
            Self::AtMost(limit) => measured <= limit,
            Self::AtLeast(limit) => measured >= limit,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(limit) => write!(formatter, "at most {limit}"),
            Self::AtLeast(limit) => write!(formatter, "at least {limit}"),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.rows.iter().map(|row| row.what.chars().count()).max().unwrap_or(0);
        writeln!(formatter, "\n{:<width$} {:>9}  {:<13} {:<7} figures", "what", "measured", "target", "")?;
        for Row { what, measured, target, detail } in &self.rows {
            let verdict = if target.is_met(*measured) { "met" } else { "MISSED" };
            writeln!(formatter, "{what:<width$} {measured:>9.2}  {:<13} {verdict:<7} {detail}", target.to_string())?;
        }
        Ok(())
    }
}
