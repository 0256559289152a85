//! Repeat callers in figures and rows.

use std::borrow::Cow;
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
        for conversation in conversations {
            analytics.count(conversation.began, conversation.repeat_of.is_some());
            analytics.rows.extend(conversation.into_row());
        }
        analytics
    }
}

impl CountedConversation {
    /// The row of a returning caller's conversation. None for one that was a caller's first.
    pub fn into_row(self) -> Option<AnalyticsRow> {
        let Self { conversation, scope, channel, began, repeat_of } = self;
        let Scope { account, project, environment } = scope;
        let metrics = repeat_of?;
        Some(AnalyticsRow { conversation, account, project, environment, channel, began, metrics })
    }
}

impl AnalyticsRow {
    /// The columns of a table of rows: what is in every row, and the metrics of rule A3.
    pub const COLUMNS: [&str; 11] = [
        "conversation",
        "account",
        "project",
        "environment",
        "channel",
        "began",
        "REPEAT_CALLER_CONV_ID",
        "REPEAT_CALLER_DATETIME",
        "REPEAT_CALLER_QA",
        "REPEAT_CALLER_HANDOFF_REASON",
        "REPEAT_CALLER_HANDOFF_TO",
    ];

    /// What stands in each of [`COLUMNS`](AnalyticsRow::COLUMNS). Empty, where the first interaction did not have it.
    pub fn cells(&self) -> [Cow<'_, str>; 11] {
        Self::COLUMNS.map(|column| match column {
            "conversation" => self.conversation.as_str().into(),
            "account" => self.account.as_str().into(),
            "project" => self.project.as_str().into(),
            "environment" => self.environment.as_str().into(),
            "channel" => self.channel.as_str().into(),
            "began" => self.began.to_string().into(),
            metric => self.metrics.get(metric).map(String::as_str).unwrap_or_default().into(),
        })
    }
}

impl Analytics {
    /// Counts a conversation, in all and on its day. They come in the order in which they began.
    pub fn count(&mut self, began: Timestamp, repeat: bool) {
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
