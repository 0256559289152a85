//! Which buckets anything was ever written to, so that going through a store need not ask all of them.

use std::sync::atomic::{AtomicU64, Ordering};

use agent_memory_store::StoreError;
use futures::{StreamExt, TryStreamExt, future::BoxFuture, stream};

use crate::{
    ValkeyStore,
    names::{BUCKETS, key},
    reply,
};

/// How many buckets are asked at once.
const AT_ONCE: usize = 64;

/// The buckets that are known to be noted in the store.
#[derive(Debug)]
pub(crate) struct Buckets {
    words: [AtomicU64; BUCKETS as usize / 64],
}

impl Default for Buckets {
    fn default() -> Self {
        Self { words: std::array::from_fn(|_| AtomicU64::new(0)) }
    }
}

impl Buckets {
    fn word(&self, bucket: u16) -> Option<(&AtomicU64, u64)> {
        Some((self.words.get(usize::from(bucket / 64))?, 1 << (bucket % 64)))
    }

    fn has(&self, bucket: u16) -> bool {
        self.word(bucket).is_some_and(|(word, bit)| word.load(Ordering::Relaxed) & bit != 0)
    }

    fn add(&self, bucket: u16) {
        if let Some((word, bit)) = self.word(bucket) {
            word.fetch_or(bit, Ordering::Relaxed);
        }
    }
}

impl ValkeyStore {
    /// Notes that a bucket is used, before anything is written to it.
    pub(crate) async fn use_bucket(&self, bucket: u16) -> Result<Vec<u8>, StoreError> {
        if !self.buckets.has(bucket) {
            self.note_bucket(bucket).await?;
            self.buckets.add(bucket);
        }
        Ok(self.names.bucket(bucket))
    }

    async fn note_bucket(&self, bucket: u16) -> Result<(), StoreError> {
        let root = self.names.root();
        let mut command = redis::cmd("SETBIT");
        command.arg(key(&root, "buckets", b"")).arg(bucket).arg(1);
        self.cluster.tell(&root, command).await.map(drop)
    }

    /// The buckets that are used, in order.
    pub(crate) async fn used_buckets(&self) -> Result<Vec<u16>, StoreError> {
        let root = self.names.root();
        let mut command = redis::cmd("GET");
        command.arg(key(&root, "buckets", b""));
        let answer = self.cluster.ask(&root, command).await?;
        let bits = self.cluster.sound(reply::optional(answer))?.unwrap_or_default();
        let mut used = Vec::new();
        for bucket in 0..BUCKETS {
            let noted = bits.get(usize::from(bucket / 8)).is_some_and(|bits| bits & (0x80 >> (bucket % 8)) != 0);
            if noted {
                self.buckets.add(bucket);
            } else if self.buckets.has(bucket) {
                // It was, and a failover without acknowledgement has lost it.
                self.note_bucket(bucket).await?;
            } else {
                continue;
            }
            used.push(bucket);
        }
        Ok(used)
    }

    /// Asks all buckets that are used, many at once, and gives their answers in the order of the buckets.
    pub(crate) async fn of_all_buckets<'a, T: Send + 'a>(
        &'a self,
        ask: impl Fn(Vec<u8>) -> BoxFuture<'a, Result<T, StoreError>> + Send + 'a,
    ) -> Result<Vec<T>, StoreError> {
        let buckets = self.used_buckets().await?;
        let asked: Vec<_> = buckets.into_iter().map(|bucket| ask(self.names.bucket(bucket))).collect();
        stream::iter(asked).buffered(AT_ONCE).try_collect().await
    }
}
