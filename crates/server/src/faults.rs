//! What goes on although something of ours has panicked.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;

/// Does something. None: it has panicked, which the log says.
pub(crate) async fn survive<T>(work: impl Future<Output = T>) -> Option<T> {
    let done = AssertUnwindSafe(work).catch_unwind().await;
    done.inspect_err(|_| tracing::error!("the service has a fault, and goes on: please report this")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_ends_only_what_has_panicked() {
        assert_eq!(survive(async { panic!("a fault") }).await, None::<()>);
        assert_eq!(survive(async { 1 }).await, Some(1));
    }
}
