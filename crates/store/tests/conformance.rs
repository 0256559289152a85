//! The conformance suite, on every store of this crate.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests panic when something is wrong"
)]

use std::{path::Path, sync::Arc};

use agent_memory_store::{Backend, MemoryStore, Shard, SqliteStore, conformance::model};
use proptest::{prelude::ProptestConfig, test_runner::TestRunner};
use tempfile::TempDir;

mod memory {
    use super::*;

    async fn make() -> ((), Arc<dyn Backend>) {
        ((), Arc::new(MemoryStore::new()))
    }

    agent_memory_store::store_conformance!(make);

    mod as_shard {
        use super::*;

        async fn make() -> ((), Arc<dyn Shard>) {
            ((), Arc::new(MemoryStore::new()))
        }

        agent_memory_store::shard_conformance!(make);
    }
}

mod sqlite {
    use super::*;

    async fn make() -> (TempDir, Arc<dyn Backend>) {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("store.db")).unwrap();
        (folder, Arc::new(store))
    }

    agent_memory_store::store_conformance!(make);

    mod as_shard {
        use super::*;

        async fn make() -> (TempDir, Arc<dyn Shard>) {
            let folder = tempfile::tempdir().unwrap();
            let store = SqliteStore::open(folder.path().join("store.db")).unwrap();
            (folder, Arc::new(store))
        }

        agent_memory_store::shard_conformance!(make);
    }

    #[test]
    fn every_answer_is_that_of_the_store_in_memory() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        // Nothing here depends on a disk, and thousands of transactions would wait for it.
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let mut runner = TestRunner::new(ProptestConfig { cases: 300, ..ProptestConfig::default() });
        let outcome = runner.run(&model::operations(), |operations| {
            let folder = tempfile::tempdir_in(&parent)?;
            let path = folder.path().join("store.db");
            let open = || -> Arc<dyn Backend> { Arc::new(SqliteStore::open(&path).unwrap()) };
            runtime.block_on(model::same_as_in_memory(open(), operations, async |store| {
                drop(store);
                open()
            }));
            Ok(())
        });
        outcome.unwrap();
    }
}
