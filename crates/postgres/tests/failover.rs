//! The primary is killed while writers commit, and the standby takes its place.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "tests panic when something is wrong")]

#[path = "../examples/postgres-failover/trial.rs"]
mod trial;

use trial::Replication;

const ROUNDS: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn w4_no_acknowledged_commit_is_lost_or_doubled_if_replication_is_synchronous() {
    for round in 0..ROUNDS {
        let found = trial::run(Replication::Synchronous).await.unwrap();
        assert_eq!((found.lost, found.twice, found.torn), (0, 0, 0), "round {round}: {found}");
    }
}

/// What shows that the other test can fail.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn asynchronous_replication_loses_acknowledged_commits_and_doubles_none() {
    for round in 0..ROUNDS {
        let found = trial::run(Replication::Asynchronous).await.unwrap();
        assert!(found.lost > 0, "round {round}: {found}");
        assert_eq!((found.twice, found.torn), (0, 0), "round {round}: {found}");
    }
}
