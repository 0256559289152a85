//! What was measured.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// What is counted as this long is at least as long. In nanoseconds.
const LONGEST: u64 = 600_000_000_000;

/// How long each turn and each end took.
#[derive(Clone, Debug, Default)]
pub struct Times {
    turns: Vec<Duration>,
    commits: Vec<Duration>,
}

/// How one way of playing went.
#[derive(Clone)]
pub struct Figures {
    pub(crate) conversations: u64,
    pub(crate) turns: u64,
    /// How long it took.
    pub(crate) elapsed: Duration,
    /// How long the whole process computed meanwhile, on all cores.
    pub(crate) cpu: Duration,
    turn_times: Histogram<u64>,
    commit_times: Histogram<u64>,
}

/// How long something took, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Latencies {
    /// Half of them took no longer.
    pub p50: f64,
    /// 99 % took no longer.
    pub p99: f64,
}

/// How long something took, in microseconds, to the longest.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Quantiles {
    /// Half of them took no longer.
    pub p50: f64,
    /// 99 % took no longer.
    pub p99: f64,
    /// 99.9 % took no longer.
    pub p99_9: f64,
}

impl Times {
    /// Counts a turn.
    pub fn turn(&mut self, time: Duration) {
        self.turns.push(time);
    }

    /// Counts an end.
    pub fn commit(&mut self, time: Duration) {
        self.commits.push(time);
    }
}

impl Figures {
    pub(crate) fn none() -> Self {
        Self {
            conversations: 0,
            turns: 0,
            elapsed: Duration::ZERO,
            cpu: Duration::ZERO,
            turn_times: histogram(),
            commit_times: histogram(),
        }
    }

    /// Takes over what was measured in a slice that took this long, by clients that each had these times.
    pub(crate) fn add(&mut self, elapsed: Duration, cpu: Duration, clients: &[Times]) {
        self.elapsed += elapsed;
        self.cpu += cpu;
        for Times { turns, commits } in clients {
            self.turns += turns.len() as u64;
            self.conversations += commits.len() as u64;
            turns.iter().for_each(|time| record(&mut self.turn_times, *time));
            commits.iter().for_each(|time| record(&mut self.commit_times, *time));
        }
    }

    /// How many whole conversations there were in a second.
    pub fn conversations_per_s(&self) -> f64 {
        self.conversations as f64 / self.elapsed.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// How many microseconds the whole process computed for a turn, with what a conversation needs at its start and end.
    pub fn cpu_us_per_turn(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.turns.max(1) as f64
    }

    /// How long turns took.
    pub fn turn_us(&self) -> Quantiles {
        let [p50, p99, p99_9] = [0.5, 0.99, 0.999].map(|part| at(&self.turn_times, part));
        Quantiles { p50, p99, p99_9 }
    }

    /// How long ends took, which commit.
    pub fn commit_us(&self) -> Latencies {
        let [p50, p99] = [0.5, 0.99].map(|part| at(&self.commit_times, part));
        Latencies { p50, p99 }
    }
}

/// A number that is not more exact than it is meant.
pub(crate) fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

#[allow(clippy::expect_used, reason = "the range is written down here")]
fn histogram() -> Histogram<u64> {
    Histogram::new_with_max(LONGEST, 3).expect("a histogram of nanoseconds")
}

fn record(histogram: &mut Histogram<u64>, time: Duration) {
    histogram.saturating_record(u64::try_from(time.as_nanos()).unwrap_or(LONGEST));
}

/// In microseconds.
fn at(histogram: &Histogram<u64>, part: f64) -> f64 {
    tenths(histogram.value_at_quantile(part) as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_add_up() {
        let mut times = Times::default();
        for micros in 1..=1000 {
            times.turn(Duration::from_micros(micros));
            times.commit(Duration::from_micros(10 * micros));
        }
        let (elapsed, cpu) = (Duration::from_secs(1), Duration::from_millis(200));
        let mut all = Figures::none();
        all.add(elapsed, cpu, &[times.clone(), times.clone()]);
        all.add(elapsed, cpu, &[times]);
        assert_eq!((all.conversations_per_s(), all.turns), (1500.0, 3000));
        assert!((all.cpu_us_per_turn() - 400_000.0 / 3000.0).abs() < 1e-6);
        let close = |measured: f64, expected: f64| (measured / expected - 1.0).abs() < 0.01;
        let (turn, commit) = (all.turn_us(), all.commit_us());
        assert!(close(turn.p50, 500.0) && close(turn.p99, 990.0) && close(turn.p99_9, 999.0), "{turn:?}");
        assert!(close(commit.p50, 5000.0) && close(commit.p99, 9900.0), "{commit:?}");
    }
}
