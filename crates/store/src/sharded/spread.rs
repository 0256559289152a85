//! What is asked of all shards at once.

use std::collections::BTreeMap;

use futures::{
    future::join_all,
    stream::{self, StreamExt, TryStreamExt},
};

use super::{Member, ShardedStore};
use crate::{Health, StoreError, Swept, Timestamp};

impl ShardedStore {
    /// Asks all shards at once. All of them have answered when it returns, also if one has failed: the error is the
    /// first one's in the order of the map.
    pub(super) async fn of_all<'a, T, F>(&'a self, ask: impl Fn(&'a Member) -> F) -> Result<Vec<T>, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        join_all(self.members.iter().map(ask)).await.into_iter().collect()
    }
}

/// How many small questions are asked of shards at once where there may be many: a shard refuses what it has no room for.
const AT_ONCE: usize = 16;

/// The answers to many small questions, in their order. After the first error no more are asked.
pub(super) async fn few_at_once<T, F>(questions: impl IntoIterator<Item = F>) -> Result<Vec<T>, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    stream::iter(questions).buffered(AT_ONCE).try_collect().await
}

/// What several shards hold.
pub(super) fn together(of_all: Vec<Health>) -> Health {
    // One that was never swept makes all of it never swept.
    let swept = of_all.iter().map(|health| health.swept).min().flatten();
    let mut expiring: BTreeMap<Timestamp, u64> = BTreeMap::new();
    let mut all = Health { swept, ..Health::default() };
    for Health { identities, fields, interactions, metrics, sessions, expiring: of_one, swept: _ } in of_all {
        all.identities += identities;
        all.fields += fields;
        all.interactions += interactions;
        all.metrics += metrics;
        all.sessions += sessions;
        for (day, fields) in of_one {
            *expiring.entry(day).or_default() += fields;
        }
    }
    all.expiring = expiring.into_iter().collect();
    all
}

/// What several shards have swept.
pub(super) fn sum(of_all: Vec<Swept>) -> Swept {
    let mut all = Swept::default();
    for swept in of_all {
        all += swept;
    }
    all
}
