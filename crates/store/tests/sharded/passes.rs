//! The suite that every store passes.

use std::{path::Path, sync::Arc};

use agent_memory_store::{Backend, Shard, conformance::model};
use proptest::{prelude::ProptestConfig, test_runner::TestRunner};
use tempfile::TempDir;

use crate::support::*;

mod memory {
    use super::*;

    async fn make() -> ((), Arc<dyn Backend>) {
        ((), sharded(&memory_shards(3)).await)
    }

    agent_memory_store::store_conformance!(make);
}

mod sqlite {
    use super::*;

    async fn make() -> (TempDir, Arc<dyn Backend>) {
        let folder = tempfile::tempdir_in(parent()).unwrap();
        let store = sharded(&sqlite_shards(folder.path(), 3)).await;
        (folder, store)
    }

    agent_memory_store::store_conformance!(make);
}

/// Nothing here depends on a disk, and thousands of transactions would wait for it.
fn parent() -> std::path::PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() }
}

fn play(cases: u32, reopen: impl Fn(Option<Arc<dyn Backend>>) -> Vec<Arc<dyn Shard>>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut runner = TestRunner::new(ProptestConfig { cases, ..ProptestConfig::default() });
    let outcome = runner.run(&model::operations(), |operations| {
        runtime.block_on(async {
            let store = sharded(&reopen(None)).await;
            let reopen = async |store| {
                let reopened: Arc<dyn Backend> = sharded(&reopen(Some(store))).await;
                reopened
            };
            model::same_as_in_memory(store, operations, reopen).await;
        });
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn with_three_in_memory_every_answer_is_that_of_one() {
    let kept = std::cell::RefCell::new(Vec::new());
    play(1500, |store| {
        if store.is_none() {
            *kept.borrow_mut() = memory_shards(3);
        }
        kept.borrow().clone()
    });
}

#[test]
fn with_three_files_every_answer_is_that_of_one_in_memory() {
    let folder = std::cell::RefCell::new(None);
    play(120, |store| {
        if store.is_none() {
            *folder.borrow_mut() = Some(tempfile::tempdir_in(parent()).unwrap());
        }
        drop(store);
        sqlite_shards(folder.borrow().as_ref().unwrap().path(), 3)
    });
}
