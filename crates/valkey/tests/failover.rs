//! Primaries are killed while 16 writers commit, and their replicas take over.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests panic when something is wrong"
)]

#[allow(dead_code, reason = "what is counted is shown in messages")]
#[path = "support/failover.rs"]
mod failover;

use agent_memory_test_servers::valkey::Cluster;
use agent_memory_valkey::Durability;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn w4_with_replicas_nothing_that_is_acknowledged_is_lost() {
    let mut cluster = Cluster::start(3, true, &[]).unwrap();
    let outcome = failover::run(&mut cluster, Durability::Replica, 3, |_, _| ()).await.unwrap();
    assert!(outcome.acknowledged >= 1200, "{outcome:?}");
    assert_eq!((outcome.lost, outcome.twice, outcome.torn), (0, 0, 0), "{outcome:?}");
}

/// So the other test can fail.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_waiting_for_replicas_something_is_lost() {
    let mut cluster = Cluster::start(3, true, &[]).unwrap();
    let outcome = failover::run(&mut cluster, Durability::Async, 1, |_, _| ()).await.unwrap();
    assert!(outcome.lost > 0, "{outcome:?}");
}
