//! A place of its own for work that computes for long.
//!
//! A turn computes on whatever thread polls it, and as long as it does, other turns wait for that thread. Nearly all are over
//! in less than [`LIMIT`]. What computes for longer goes on elsewhere, on threads that get what the others leave of the
//! machine. So a function that never returns takes time from nobody but its like.

use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::LazyLock;
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use futures::future::poll_fn;
use tokio::runtime::{Builder, Handle, Runtime};
use wasmtime_wasi::runtime::AbortOnDropJoinHandle;

/// How long work computes before it goes elsewhere.
const LIMIT: Duration = Duration::from_millis(5);

/// The threads for all that goes elsewhere, as many as there are cores. They begin when they are first needed, and belong to
/// the whole process, as its cores do. None: the machine gives no more threads.
static ELSEWHERE: LazyLock<Option<Runtime>> = LazyLock::new(|| {
    Builder::new_multi_thread()
        .worker_threads(thread::available_parallelism().map_or(1, NonZeroUsize::get))
        .thread_name("agent-memory-overrun")
        .on_thread_start(stand_back)
        .enable_time()
        .build()
        .inspect_err(|error| tracing::warn!(%error, "functions that compute for long stay among the others"))
        .ok()
});

tokio::task_local! {
    /// Where work came from that goes on elsewhere.
    static HOME: Handle;
}

/// Does work that gives way every now and then: here, and elsewhere as soon as it has computed for long.
///
/// It never goes elsewhere while it `waits`: what it waits for may belong to the executor here. Dropped, it ends as soon as
/// it next gives way.
pub(crate) async fn run<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
    waits: impl Fn() -> bool,
) -> T {
    let mut work = Box::pin(work);
    if let Some(done) = for_a_while(work.as_mut(), waits).await {
        return done;
    }
    let (Some(elsewhere), Ok(home)) = (&*ELSEWHERE, Handle::try_current()) else { return work.await };
    AbortOnDropJoinHandle::from(elsewhere.spawn(HOME.scope(home, work))).await
}

/// Does what may need the executor that work was begun in, such as its timers, its threads or their priority: there, if the
/// work has gone elsewhere.
pub(crate) async fn at_home<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    match HOME.try_with(Handle::clone) {
        Ok(home) => AbortOnDropJoinHandle::from(home.spawn(work)).await,
        Err(_) => work.await,
    }
}

/// Does work until it has computed for long. None: it has, and there is more to do.
async fn for_a_while<T>(mut work: Pin<&mut (impl Future<Output = T> + Send)>, waits: impl Fn() -> bool) -> Option<T> {
    // The first time is not measured, for most work is then done: reading the clock would be a cost without a use.
    let mut computed = None;
    poll_fn(|context| {
        let since = computed.map(|_| Instant::now());
        if let Poll::Ready(done) = work.as_mut().poll(context) {
            return Poll::Ready(Some(done));
        }
        let so_far = computed.unwrap_or(Duration::ZERO) + since.map_or(Duration::ZERO, |since| since.elapsed());
        computed = Some(so_far);
        if so_far > LIMIT && !waits() { Poll::Ready(None) } else { Poll::Pending }
    })
    .await
}

/// Leaves the processor to every other thread that wants it.
fn stand_back() {
    // Elsewhere a priority is one of the whole process.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, 19) {
        tracing::warn!(%error, "functions that compute for long have the same priority as others");
    }
}
