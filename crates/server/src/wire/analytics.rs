//! Analytics and memory health on the wire. Nothing here leads to a caller.

use std::collections::BTreeMap;

use agent_memory_host::AnalyticsDay;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which conversations are looked at. What is not given is any.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AnalyticsQuery {
    /// The account.
    pub(crate) account: Option<String>,
    /// The project.
    pub(crate) project: Option<String>,
    /// The environment.
    pub(crate) environment: Option<String>,
    /// The channel.
    pub(crate) channel: Option<String>,
    /// The first day (UTC).
    #[param(value_type = Option<String>, format = Date)]
    pub(crate) from: Option<Date>,
    /// The last day (UTC).
    #[param(value_type = Option<String>, format = Date)]
    pub(crate) to: Option<Date>,
}

/// Which conversations are looked at, and how many of them are wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RowsQuery {
    /// The account.
    pub(crate) account: Option<String>,
    /// The project.
    pub(crate) project: Option<String>,
    /// The environment.
    pub(crate) environment: Option<String>,
    /// The channel.
    pub(crate) channel: Option<String>,
    /// The first day (UTC).
    #[param(value_type = Option<String>, format = Date)]
    pub(crate) from: Option<Date>,
    /// The last day (UTC).
    #[param(value_type = Option<String>, format = Date)]
    pub(crate) to: Option<Date>,
    /// At most so many rows. Without it: all of them.
    pub(crate) limit: Option<u32>,
    /// How many rows to leave out before the first.
    #[serde(default)]
    #[param(default = 0)]
    pub(crate) offset: u32,
}

/// Repeat callers in figures: of ended conversations of callers with an identifier, for as long as the first
/// interaction that they point to is kept.
#[derive(Default, Serialize, ToSchema)]
pub(crate) struct AnalyticsAnswer {
    /// How many conversations.
    pub(crate) conversations: u64,
    /// How many of them of returning callers.
    pub(crate) repeat_conversations: u64,
    /// The same, by the day on which they began (UTC).
    #[schema(value_type = Vec<DayCount>)]
    pub(crate) by_day: Vec<AnalyticsDay>,
    /// What quality assurance said of the first interactions of those who came back.
    pub(crate) first_outcomes: Vec<Count>,
    /// Why those who came back had been handed over.
    pub(crate) handoff_reasons: Vec<Count>,
    /// To whom.
    pub(crate) handoff_destinations: Vec<Count>,
    /// How long ago the first interaction was: in whole days, counted.
    pub(crate) days_since_first: Vec<Count>,
    /// What can be filtered by: every project, environment and channel that there is.
    pub(crate) filters: BTreeMap<&'static str, Vec<String>>,
}

/// How many conversations began on a day.
#[derive(ToSchema)]
#[allow(dead_code, reason = "the schema of the host's own type")]
struct DayCount {
    /// The day (UTC).
    #[schema(value_type = String, format = Date)]
    day: Date,
    /// All of them.
    conversations: u64,
    /// Those of returning callers.
    repeat_conversations: u64,
}

/// How many conversations have something in common.
#[derive(Serialize, ToSchema)]
pub(crate) struct Count {
    /// What. Empty: it is not known.
    pub(crate) value: String,
    /// How many.
    pub(crate) conversations: u64,
}

/// A conversation of a returning caller.
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "the schema of the host's own type")]
pub(crate) struct RowAnswer {
    /// Its id.
    conversation: String,
    /// Its account.
    account: String,
    /// Its project.
    project: String,
    /// Its environment.
    environment: String,
    /// Its channel.
    channel: String,
    /// The hour in which it began.
    began: String,
    /// What is recorded of the first interaction: `REPEAT_CALLER_CONV_ID` and the like.
    #[serde(flatten)]
    metrics: BTreeMap<String, String>,
}

/// How much is held, how long still, and how commits go.
#[derive(Clone, Default, Serialize, ToSchema)]
pub(crate) struct MemoryHealth {
    /// Callers on whom something is held.
    pub(crate) identifiers: u64,
    /// Fields.
    pub(crate) fields: u64,
    /// First interactions.
    pub(crate) interactions: u64,
    /// Conversations that analytics count.
    pub(crate) counted_conversations: u64,
    /// Conversations that are going on.
    pub(crate) sessions: u64,
    /// How many fields expire on each day (UTC).
    pub(crate) expiring: Vec<Expiring>,
    /// The hour of the last sweep.
    pub(crate) last_sweep: Option<String>,
    /// How old the figures above are, in seconds.
    pub(crate) age_seconds: u64,
    /// The commits of this process.
    pub(crate) commits: Commits,
}

/// How many fields expire on a day.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct Expiring {
    /// The day (UTC).
    #[schema(value_type = String, format = Date)]
    pub(crate) day: Date,
    /// How many.
    pub(crate) fields: u64,
}

/// How commits go in one process.
#[derive(Clone, Default, Serialize, ToSchema)]
pub(crate) struct Commits {
    /// How many since it started.
    pub(crate) total: u64,
    /// How many failed since it started.
    pub(crate) failed: u64,
    /// How many in each of the last 60 minutes, oldest first.
    pub(crate) by_minute: Vec<u64>,
    /// Half of them took at most so many microseconds.
    pub(crate) p50_micros: u64,
    /// All but one in a hundred took at most so many microseconds.
    pub(crate) p99_micros: u64,
}
