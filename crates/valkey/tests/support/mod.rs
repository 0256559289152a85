//! What the tests have in common.

use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering},
};

use agent_memory_test_servers::valkey::Cluster;
use agent_memory_valkey::{Durability, Settings, ValkeyStore};

/// A cluster of three primaries with a replica each. It is started once and ends with this process.
pub(crate) fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| Cluster::start(3, true, &[]).unwrap())
}

/// Settings of a store in a cluster that nobody else has.
pub(crate) fn settings(cluster: &Cluster, durability: Durability) -> Settings {
    static STORES: AtomicU64 = AtomicU64::new(0);
    let number = STORES.fetch_add(1, Ordering::Relaxed);
    Settings { prefix: format!("test-{number}:"), durability, ..Settings::new(cluster.addresses()) }
}

/// An empty store in a cluster.
pub(crate) async fn store_in(cluster: &Cluster, durability: Durability) -> ValkeyStore {
    ValkeyStore::connect(settings(cluster, durability)).await.unwrap()
}
