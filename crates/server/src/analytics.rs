//! Repeat callers and memory health in figures, from what the store holds, no older than a moment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use agent_memory_host::{Administration, Analytics, AnalyticsRow, CountedConversation};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::Mutex;

use crate::Problem;
use crate::access::{Grant, is_in};
use crate::observability::Observations;
use crate::wire::{AnalyticsAnswer, AnalyticsQuery, Count, Expiring, MemoryHealth, RowsQuery};

/// How old the conversations may be that figures are made of. Every change of a filter asks again.
const CONVERSATIONS_FRESH: Duration = Duration::from_secs(2);

/// How old the figures on memory may be, for which the whole store is read.
const HEALTH_FRESH: Duration = Duration::from_secs(60);

const QA: &str = "REPEAT_CALLER_QA";
const REASON: &str = "REPEAT_CALLER_HANDOFF_REASON";
const DESTINATION: &str = "REPEAT_CALLER_HANDOFF_TO";
const BEGAN: &str = "REPEAT_CALLER_DATETIME";

/// Makes figures.
pub(crate) struct Figures {
    administration: Administration,
    conversations: Mutex<Option<(Instant, Arc<Vec<CountedConversation>>)>>,
    health: Mutex<Option<(Instant, MemoryHealth)>>,
    observations: Arc<Observations>,
}

impl Figures {
    pub(crate) fn new(administration: Administration, observations: Arc<Observations>) -> Self {
        Self { administration, conversations: Mutex::default(), health: Mutex::default(), observations }
    }

    /// The figures of the conversations that a query means and a grant covers.
    pub(crate) async fn analytics(&self, query: &AnalyticsQuery, grant: &Grant) -> Result<AnalyticsAnswer, Problem> {
        let all = self.conversations().await?;
        let mut answer = AnalyticsAnswer { filters: filters(&all, grant), ..AnalyticsAnswer::default() };
        let mut counted = Analytics::default();
        let mut counts: [BTreeMap<String, u64>; 3] = Default::default();
        let mut days: BTreeMap<i64, u64> = BTreeMap::new();
        for conversation in
            all.iter().filter(|conversation| query.means(conversation) && grant.covers(&conversation.scope))
        {
            counted.count(conversation.began, conversation.repeat_of.is_some());
            let Some(first) = &conversation.repeat_of else { continue };
            for (counts, name) in counts.iter_mut().zip([QA, REASON, DESTINATION]) {
                *counts.entry(first.get(name).cloned().unwrap_or_default()).or_default() += 1;
            }
            let since = first.get(BEGAN).and_then(|began| began.parse::<Timestamp>().ok());
            if let Some(since) = since.map(|since| conversation.began.duration_since(since)) {
                *days.entry(since.as_hours() / 24).or_default() += 1;
            }
        }
        (answer.conversations, answer.repeat_conversations) =
            (counted.totals.conversations, counted.totals.repeat_conversations);
        answer.by_day = counted.by_day;
        let [outcomes, reasons, destinations] = counts.map(most_first);
        (answer.first_outcomes, answer.handoff_reasons, answer.handoff_destinations) =
            (outcomes, reasons, destinations);
        let day = |(days, conversations): (i64, u64)| Count { value: days.to_string(), conversations };
        answer.days_since_first = days.into_iter().map(day).collect();
        Ok(answer)
    }

    /// The conversations of returning callers that a query means and a grant covers, the latest first, and how many there
    /// are without the query's `limit` and `offset`.
    pub(crate) async fn rows(&self, query: RowsQuery, grant: &Grant) -> Result<(usize, Vec<AnalyticsRow>), Problem> {
        let RowsQuery { account, project, environment, channel, from, to, limit, offset } = query;
        let query = AnalyticsQuery { account, project, environment, channel, from, to };
        let first = offset as usize;
        let end = limit.map_or(usize::MAX, |limit| first.saturating_add(limit as usize));
        let all = self.conversations().await?;
        let meant =
            all.iter().rev().filter(|conversation| query.means(conversation) && grant.covers(&conversation.scope));
        let mut rows = Vec::new();
        let mut count = 0;
        for conversation in meant.filter(|conversation| conversation.repeat_of.is_some()) {
            if (first..end).contains(&count) {
                rows.extend(conversation.clone().into_row());
            }
            count += 1;
        }
        Ok((count, rows))
    }

    /// How much is held, and how commits go.
    pub(crate) async fn health(&self) -> Result<MemoryHealth, Problem> {
        let mut cached = self.health.lock().await;
        let (since, figures) = match &*cached {
            Some((since, figures)) if since.elapsed() < HEALTH_FRESH => (*since, figures.clone()),
            _ => {
                let health = self.administration.health().await?;
                let day = |seconds: i64| {
                    TimeZone::UTC.to_datetime(Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)).date()
                };
                let figures = MemoryHealth {
                    identifiers: health.identities,
                    fields: health.fields,
                    interactions: health.interactions,
                    counted_conversations: health.metrics,
                    sessions: health.sessions,
                    expiring: health
                        .expiring
                        .iter()
                        .map(|(at, fields)| Expiring { day: day(*at), fields: *fields })
                        .collect(),
                    last_sweep: health
                        .swept
                        .and_then(|hour| Timestamp::from_second(hour).ok())
                        .map(|hour| hour.to_string()),
                    ..MemoryHealth::default()
                };
                let now = Instant::now();
                *cached = Some((now, figures.clone()));
                (now, figures)
            }
        };
        drop(cached);
        Ok(MemoryHealth { age_seconds: since.elapsed().as_secs(), commits: self.observations.commits(), ..figures })
    }

    async fn conversations(&self) -> Result<Arc<Vec<CountedConversation>>, Problem> {
        // While one request reads, others wait for what it finds.
        let mut cached = self.conversations.lock().await;
        if let Some((since, conversations)) = &*cached
            && since.elapsed() < CONVERSATIONS_FRESH
        {
            return Ok(Arc::clone(conversations));
        }
        let conversations = Arc::new(self.administration.conversations().await?);
        *cached = Some((Instant::now(), Arc::clone(&conversations)));
        Ok(conversations)
    }
}

impl AnalyticsQuery {
    fn means(&self, conversation: &CountedConversation) -> bool {
        let CountedConversation { scope, channel, began, .. } = conversation;
        let day = TimeZone::UTC.to_datetime(*began).date();
        is_in([&self.account, &self.project, &self.environment], scope)
            && self.channel.as_ref().is_none_or(|asked| asked == channel)
            && self.from.is_none_or(|from| from <= day)
            && self.to.is_none_or(|to| day <= to)
    }
}

/// What there is to filter by, for whoever holds the grant.
fn filters(all: &[CountedConversation], grant: &Grant) -> BTreeMap<&'static str, Vec<String>> {
    let mut found: BTreeMap<&'static str, BTreeSet<&str>> = BTreeMap::new();
    for CountedConversation { scope, channel, .. } in
        all.iter().filter(|conversation| grant.covers(&conversation.scope))
    {
        let parts = [
            ("account", &scope.account),
            ("project", &scope.project),
            ("environment", &scope.environment),
            ("channel", channel),
        ];
        for (name, value) in parts {
            found.entry(name).or_default().insert(value);
        }
    }
    found.into_iter().map(|(name, values)| (name, values.into_iter().map(str::to_owned).collect())).collect()
}

fn most_first(counts: BTreeMap<String, u64>) -> Vec<Count> {
    let mut counts: Vec<_> = counts.into_iter().map(|(value, conversations)| Count { value, conversations }).collect();
    counts.sort_by_key(|count| std::cmp::Reverse(count.conversations));
    counts
}
