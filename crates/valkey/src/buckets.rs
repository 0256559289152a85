//! Going through all buckets.
//!
//! Which of them are used is noted nowhere: whatever said so would be in another slot than what is in them, and could be
//! lost without it.

use agent_memory_store::StoreError;
use futures::{StreamExt, TryStreamExt, future::BoxFuture, stream};

use crate::{ValkeyStore, names::BUCKETS};

/// How many buckets are asked at once.
pub(crate) const AT_ONCE: usize = 64;

impl ValkeyStore {
    /// Asks all buckets, many at once, and gives their answers in the order of the buckets.
    pub(crate) async fn of_all_buckets<'a, T: Send + 'a>(
        &'a self,
        ask: impl Fn(Vec<u8>) -> BoxFuture<'a, Result<T, StoreError>> + Send + 'a,
    ) -> Result<Vec<T>, StoreError> {
        let asked: Vec<_> = (0..BUCKETS).map(|bucket| ask(self.names.bucket(bucket))).collect();
        stream::iter(asked).buffered(AT_ONCE).try_collect().await
    }
}
