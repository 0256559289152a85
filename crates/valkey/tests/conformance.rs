//! The conformance suite, on a real cluster.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests panic when something is wrong"
)]

#[path = "support/spread.rs"]
mod spread;
#[allow(dead_code, reason = "not every test needs all of it")]
mod support;

use std::sync::Arc;

use agent_memory_store::{Backend, conformance::model};
use agent_memory_valkey::{Durability, ValkeyStore};
use proptest::{prelude::ProptestConfig, test_runner::TestRunner};

use self::{
    spread::Spread,
    support::{cluster, settings, store_in},
};

mod in_one_bucket {
    use super::*;

    async fn make() -> ((), Arc<dyn Backend>) {
        ((), Arc::new(store_in(cluster(), Durability::Replica).await))
    }

    agent_memory_store::store_conformance!(make);

    #[test]
    fn every_answer_is_that_of_the_store_in_memory() {
        compare(|store| Arc::new(store));
    }
}

mod in_many_buckets {
    use super::*;

    async fn make() -> ((), Arc<dyn Backend>) {
        ((), Arc::new(Spread(Arc::new(store_in(cluster(), Durability::Async).await))))
    }

    agent_memory_store::store_conformance!(make);

    #[test]
    fn every_answer_is_that_of_the_store_in_memory() {
        compare(|store| Arc::new(Spread(Arc::new(store))));
    }
}

/// Plays random operations on a store and on the one in memory. They are played less often than on other stores: what
/// goes through everything asks 4,096 buckets, each time.
fn compare(wrapped: impl Fn(ValkeyStore) -> Arc<dyn Backend>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(12);
    let mut runner = TestRunner::new(ProptestConfig { cases, ..ProptestConfig::default() });
    let outcome = runner.run(&model::operations(), |operations| {
        let settings = settings(cluster(), Durability::Async);
        runtime.block_on(async {
            let store = ValkeyStore::connect(settings.clone()).await.unwrap();
            model::same_as_in_memory(wrapped(store), operations, async |store| {
                drop(store);
                wrapped(ValkeyStore::connect(settings.clone()).await.unwrap())
            })
            .await;
        });
        Ok(())
    });
    outcome.unwrap();
}
