//! Repeat callers in figures and rows.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::Scope;

/// The repeat-caller figures and rows (rule A6). Counted are the ended conversations of callers with an identifier,
/// for as long as the first interaction that they point to is kept.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Analytics {
    /// All days together.
    pub totals: AnalyticsTotals,
    /// The days on which conversations began, in order.
    pub by_day: Vec<AnalyticsDay>,
    /// The conversations of returning callers, by the hour in which they began.
    pub rows: Vec<AnalyticsRow>,
}

/// How many conversations there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AnalyticsTotals {
    /// All of them.
    pub conversations: u64,
    /// Those of returning callers.
    pub repeat_conversations: u64,
}

/// How many conversations began on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct AnalyticsDay {
    /// The day, in UTC.
    pub day: Date,
    /// All of them.
    pub conversations: u64,
    /// Those of returning callers.
    pub repeat_conversations: u64,
}

/// A conversation of a returning caller. Nothing in it leads to the caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AnalyticsRow {
    /// The conversation's id.
    pub conversation: String,
    /// The account.
    pub account: String,
    /// The project.
    pub project: String,
    /// The environment.
    pub environment: String,
    /// The channel.
    pub channel: String,
    /// The hour in which the conversation began.
    pub began: Timestamp,
    /// What is recorded of the caller's first interaction (rule A3).
    #[serde(flatten)]
    pub metrics: BTreeMap<String, String>,
}

/// A conversation of a caller with an identifier, as analytics see it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CountedConversation {
    /// Its id.
    pub conversation: String,
    /// Whose agent's it was.
    pub scope: Scope,
    /// The channel.
    pub channel: String,
    /// The hour in which it began.
    pub began: Timestamp,
    /// For a returning caller: what is recorded of the first interaction (rule A3).
    pub repeat_of: Option<BTreeMap<String, String>>,
}

impl FromIterator<CountedConversation> for Analytics {
    /// Counts conversations, which come in the order in which they began.
    fn from_iter<T: IntoIterator<Item = CountedConversation>>(conversations: T) -> Self {
        let mut analytics = Self::default();
        for CountedConversation { conversation, scope, channel, began, repeat_of } in conversations {
            analytics.count(began, repeat_of.is_some());
            let Some(metrics) = repeat_of else { continue };
            let Scope { account, project, environment } = scope;
            analytics.rows.push(AnalyticsRow { conversation, account, project, environment, channel, began, metrics });
        }
        analytics
    }
}

impl Analytics {
    fn count(&mut self, began: Timestamp, repeat: bool) {
        let day = TimeZone::UTC.to_datetime(began).date();
        if self.by_day.last().is_none_or(|last| last.day != day) {
            self.by_day.push(AnalyticsDay { day, conversations: 0, repeat_conversations: 0 });
        }
        let repeats = u64::from(repeat);
        self.totals.conversations += 1;
        self.totals.repeat_conversations += repeats;
        if let Some(last) = self.by_day.last_mut() {
            last.conversations += 1;
            last.repeat_conversations += repeats;
        }
    }
}
