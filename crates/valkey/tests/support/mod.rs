//! What the tests have in common.

use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering},
};

use agent_memory_store::{Commit, ConversationKey, Field, IdentityKey, Mark, Read, Sealed};
use agent_memory_test_servers::valkey::Cluster;
use agent_memory_valkey::{Durability, Settings, ValkeyStore};

pub(crate) const NOW: i64 = 1_767_225_600;

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

/// A commit of a conversation and for a caller of this number, of one field.
pub(crate) fn commit(number: u8) -> Commit {
    let field = Field { key: "a".to_owned(), written: NOW, expires: NOW + 7200, value: Sealed(vec![number]) };
    Commit {
        conversation: ConversationKey([number; 32]),
        identity: IdentityKey([number; 32]),
        identifier: Sealed(vec![1]),
        erasures: 0,
        now: NOW,
        patch: vec![field],
        interaction: None,
        mark: Mark { expires: NOW + 7200, report: Sealed(vec![number]) },
        ends_session: false,
    }
}

/// Asks for the fields of that caller.
pub(crate) fn read(number: u8) -> Read {
    Read { identity: Some(IdentityKey([number; 32])), conversation: None, now: NOW }
}
