//! What is done while nobody asks: abandoned conversations are ended, what has expired is deleted.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::conversations::Overdue;
use crate::faults::survive;
use crate::service::Service;

/// How often abandoned conversations are looked for.
const LOOK: Duration = Duration::from_secs(5);

/// How many abandoned conversations are looked for at a time.
const AT_A_TIME: usize = 100;

/// How often what nobody has asked for is let go.
const FORGET: Duration = Duration::from_secs(60);

/// What runs beside the requests.
pub(crate) struct Upkeep {
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
}

/// Starts it.
pub(crate) fn start(service: &Service) -> Upkeep {
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    let each = |every: Duration| Ticks::new(every, stopped.clone());
    let (mut ticks, ending) = (each(LOOK), service.clone());
    tasks.spawn(async move {
        while ticks.next().await {
            while survive(end_overdue(&ending)).await.unwrap_or(false) && !ticks.have_stopped() {}
        }
    });
    let (mut ticks, forgetting) = (each(FORGET), service.clone());
    tasks.spawn(async move {
        while ticks.next().await {
            forgetting.agents.forget();
            if let Some(rate) = &forgetting.rate {
                rate.forget();
            }
        }
    });
    if let Some(every) = service.sweep_every {
        let (mut ticks, sweeping) = (each(every), service.clone());
        tasks.spawn(async move {
            while ticks.next().await {
                survive(sweep(&sweeping)).await;
            }
        });
    }
    Upkeep { tasks, stop }
}

impl Upkeep {
    /// Stops it, once what it is doing is done.
    pub(crate) async fn stop(mut self) {
        let _ = self.stop.send(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn sweep(service: &Service) {
    match service.runtime.administration().sweep().await {
        Ok(swept) => {
            tracing::info!(?swept, "what had expired is deleted");
            if swept.deleted.undecodable > 0 {
                tracing::error!("the store is damaged: `agent-memory verify` tells where");
            }
        }
        Err(error) => tracing::warn!(%error, "what has expired could not be deleted, and is tried again"),
    }
}

/// Ends some abandoned conversations. Answers whether there may be more.
async fn end_overdue(service: &Service) -> bool {
    match service.conversations.end_overdue(AT_A_TIME).await {
        Ok(Overdue { ended, put_off, more }) => {
            if ended > 0 || put_off > 0 {
                tracing::info!(ended, put_off, "abandoned conversations were ended, or put off");
            }
            more
        }
        Err(problem) => {
            tracing::warn!(problem = %problem.name(), "abandoned conversations could not be looked for");
            false
        }
    }
}

/// Times at which something is to be done, until it is to stop.
struct Ticks {
    interval: tokio::time::Interval,
    stopped: watch::Receiver<bool>,
}

impl Ticks {
    fn new(every: Duration, stopped: watch::Receiver<bool>) -> Self {
        let mut interval = interval(every);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { interval, stopped }
    }

    /// Waits for the next. False: it is to stop.
    async fn next(&mut self) -> bool {
        tokio::select! {
            biased;
            _ = self.stopped.wait_for(|stopped| *stopped) => false,
            _ = self.interval.tick() => true,
        }
    }

    /// Whether it is to stop.
    fn have_stopped(&self) -> bool {
        *self.stopped.borrow()
    }
}
