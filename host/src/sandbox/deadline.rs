//! How long a turn may run.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Measures a turn's time, without the time in which it waits for the embedder's answers.
pub(crate) struct Deadline {
    limit: Duration,
    started: Instant,
    waits: Mutex<Waits>,
}

#[derive(Default)]
struct Waits {
    over: Duration,
    since: Option<Instant>,
}

impl Deadline {
    pub(crate) fn new(limit: Duration) -> Self {
        Self { limit, started: Instant::now(), waits: Mutex::default() }
    }

    /// Whether the turn has used up its time.
    pub(crate) fn is_over(&self) -> bool {
        self.left().is_zero()
    }

    /// The time that is left. It does not pass while the turn waits.
    pub(super) fn left(&self) -> Duration {
        let waits = self.waits();
        let waiting = waits.over + waits.since.map_or(Duration::ZERO, |since| since.elapsed());
        (self.limit + waiting).saturating_sub(self.started.elapsed())
    }

    /// Whether the turn waits for an answer.
    pub(super) fn is_paused(&self) -> bool {
        self.waits().since.is_some()
    }

    /// Stops the clock until the guard is dropped.
    pub(crate) fn pause(&self) -> impl Drop {
        self.waits().since = Some(Instant::now());
        Pause(self)
    }

    fn waits(&self) -> MutexGuard<'_, Waits> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Pause<'a>(&'a Deadline);

impl Drop for Pause<'_> {
    fn drop(&mut self) {
        let mut waits = self.0.waits();
        if let Some(since) = waits.since.take() {
            waits.over += since.elapsed();
        }
    }
}
