//! The conformance suites, and random operations compared with the store in memory.

#![allow(clippy::unwrap_used, reason = "tests panic when something is wrong")]

mod support;

use std::sync::Arc;

use agent_memory_postgres::PostgresStore;
use agent_memory_store::{Backend, Shard, conformance::model};
use proptest::{prelude::ProptestConfig, test_runner::TestRunner};

use support::Database;

async fn make() -> (Database, Arc<dyn Backend>) {
    let database = Database::empty().await;
    let store = PostgresStore::open(&database.url(), false).await.unwrap();
    (database, Arc::new(store))
}

agent_memory_store::store_conformance!(make);

mod as_shard {
    use super::*;

    async fn make() -> (Database, Arc<dyn Shard>) {
        let database = Database::empty().await;
        let store = PostgresStore::open(&database.url(), false).await.unwrap();
        (database, Arc::new(store))
    }

    agent_memory_store::shard_conformance!(make);
}

#[test]
fn every_answer_is_that_of_the_store_in_memory() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner = TestRunner::new(ProptestConfig { cases: 60, ..ProptestConfig::default() });
    let outcome = runner.run(&model::operations(), |operations| {
        runtime.block_on(async {
            let (database, store) = make().await;
            let url = &database.url();
            model::same_as_in_memory(store, operations, async |store| {
                drop(store);
                Arc::new(PostgresStore::open(url, false).await.unwrap()) as Arc<dyn Backend>
            })
            .await;
        });
        Ok(())
    });
    outcome.unwrap();
}
