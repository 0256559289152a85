//! What the service tells of itself: metrics for Prometheus, and how commits go. Nothing in it leads to a caller.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use agent_memory_host::{CommitStatus, Turn, TurnOutcome};
use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use hdrhistogram::Histogram;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram as Buckets, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use tower_http::classify::{ServerErrorsAsFailures, SharedClassifier};
use tower_http::trace::TraceLayer;

use crate::service::Service;
use crate::wire::Commits;

/// How many minutes are shown.
const MINUTES: usize = 60;

/// The longest commit that is told from longer ones, in microseconds.
const LONGEST_MICROS: u64 = 60_000_000;

/// What the service tells of itself.
pub(crate) struct Observations {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    request_seconds: Family<RouteLabels, Buckets>,
    turns: Family<TurnLabels, Counter>,
    turn_seconds: Buckets,
    commits: Family<CommitLabels, Counter>,
    commit_seconds: Buckets,
    failed_starts: Counter,
    worker_restarts: Counter,
    recent: Mutex<Recent>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TurnLabels {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CommitLabels {
    status: &'static str,
}

/// The commits of the last hour.
struct Recent {
    started: Instant,
    /// Minutes since the start, and commits; the oldest first.
    minutes: VecDeque<(u64, u64)>,
    total: u64,
    failed: u64,
    micros: Histogram<u64>,
}

impl Observations {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("agent_memory");
        let buckets = || Buckets::new(exponential_buckets(0.000_1, 2.0, 18));
        let requests = Family::default();
        let request_seconds = Family::<RouteLabels, Buckets>::new_with_constructor(buckets);
        let turns = Family::default();
        let commits = Family::default();
        let (turn_seconds, commit_seconds) = (buckets(), buckets());
        let (failed_starts, worker_restarts) = (Counter::default(), Counter::default());
        registry.register("http_requests", "HTTP requests that were answered", Family::clone(&requests));
        registry.register_with_unit(
            "http_request",
            "How long HTTP requests took",
            Unit::Seconds,
            Family::clone(&request_seconds),
        );
        registry.register("turns", "Turns, by how they went", Family::clone(&turns));
        registry.register_with_unit("turn", "How long turns took", Unit::Seconds, turn_seconds.clone());
        registry.register("commits", "Ends of conversations, by how they went", Family::clone(&commits));
        registry.register_with_unit(
            "commit",
            "How long ends of conversations took",
            Unit::Seconds,
            commit_seconds.clone(),
        );
        registry.register(
            "failed_starts",
            "Conversations that could not start because the store failed",
            failed_starts.clone(),
        );
        registry.register(
            "worker_restarts",
            "Processes for functions that were started in place of one that had ended",
            worker_restarts.clone(),
        );
        let recent =
            Recent { started: Instant::now(), minutes: VecDeque::new(), total: 0, failed: 0, micros: histogram() };
        let recent = Mutex::new(recent);
        Self {
            registry,
            requests,
            request_seconds,
            turns,
            turn_seconds,
            commits,
            commit_seconds,
            failed_starts,
            worker_restarts,
            recent,
        }
    }

    /// Counts a turn.
    pub(crate) fn turn(&self, turn: &Turn) {
        let outcome = match &turn.outcome {
            TurnOutcome::Returned(_) => "returned",
            TurnOutcome::Failed(_) => "error",
            TurnOutcome::Stopped(stop) => stop.reason.name(),
        };
        self.turns.get_or_create(&TurnLabels { outcome }).inc();
        self.turn_seconds.observe(turn.elapsed.as_secs_f64());
    }

    /// Counts the end of a conversation.
    pub(crate) fn commit(&self, took: Duration, status: CommitStatus) {
        let status = match status {
            CommitStatus::Committed => "committed",
            CommitStatus::NoIdentifier => "no-identifier",
            CommitStatus::MemoryOff => "memory-off",
            CommitStatus::Preview => "preview",
        };
        self.commits.get_or_create(&CommitLabels { status }).inc();
        self.commit_seconds.observe(took.as_secs_f64());
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).clamp(1, LONGEST_MICROS);
        recent.micros.saturating_record(micros);
        recent.total += 1;
        let minute = recent.minute();
        match recent.minutes.back_mut() {
            Some((last, count)) if *last == minute => *count += 1,
            _ => recent.minutes.push_back((minute, 1)),
        }
        if recent.minutes.len() > MINUTES {
            recent.minutes.pop_front();
        }
    }

    /// Counts an end at which the store failed.
    pub(crate) fn failed_commit(&self) {
        self.commits.get_or_create(&CommitLabels { status: "failed" }).inc();
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).failed += 1;
    }

    /// Counts a conversation that did not start, if the store is to blame.
    pub(crate) fn failed_start(&self, by_store: bool) {
        if by_store {
            self.failed_starts.inc();
        }
    }

    /// How commits go.
    pub(crate) fn commits(&self) -> Commits {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let now = recent.minute();
        let first = now.saturating_sub(MINUTES as u64 - 1);
        let count = |minute: u64| recent.minutes.iter().find(|(of, _)| *of == minute).map_or(0, |(_, count)| *count);
        Commits {
            total: recent.total,
            failed: recent.failed,
            by_minute: (first..=now).map(count).collect(),
            p50_micros: recent.micros.value_at_quantile(0.5),
            p99_micros: recent.micros.value_at_quantile(0.99),
        }
    }

    /// All metrics, in the text format of OpenMetrics.
    pub(crate) fn text(&self, worker_restarts: u64) -> Result<String, std::fmt::Error> {
        self.worker_restarts.inner().store(worker_restarts, Ordering::Relaxed);
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// A histogram of two significant digits.
fn histogram() -> Histogram<u64> {
    #[allow(clippy::expect_used, reason = "these are numbers that a histogram can have")]
    Histogram::new_with_max(LONGEST_MICROS, 2).expect("a histogram")
}

impl Recent {
    fn minute(&self) -> u64 {
        self.started.elapsed().as_secs() / 60
    }
}

/// Counts requests and how long they take, by route: what is in the place of a parameter is not told.
pub(crate) async fn observe(State(service): State<Service>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let method = name(request.method());
    let response = next.run(request).await;
    let observations = &service.observations;
    let took = started.elapsed().as_secs_f64();
    observations.request_seconds.get_or_create(&RouteLabels { route: route.clone() }).observe(took);
    observations.requests.get_or_create(&RequestLabels { method, route, status: response.status().as_u16() }).inc();
    response
}

/// A method's name. A client can make up any number of methods, which would be as many metrics.
fn name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        _ => "other",
    }
}

/// A span for each request, with its route and never its path or query.
pub(crate) fn traces()
-> TraceLayer<SharedClassifier<ServerErrorsAsFailures>, impl Fn(&Request) -> tracing::Span + Clone> {
    TraceLayer::new_for_http().make_span_with(|request: &Request| {
        let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str);
        tracing::info_span!("request", method = name(request.method()), route)
    })
}
