//! The stores that are measured, and how much room they take.

use std::sync::Arc;

use agent_memory_host::store::{Backend, Shard, ShardMap, ShardOfMap, ShardedStore, SqliteStore};
use agent_memory_postgres::PostgresStore;
use agent_memory_test_servers::{postgres::Postgres, valkey::Cluster};
use agent_memory_valkey::ValkeyStore;
use anyhow::{Context, bail};

/// Their names.
pub(crate) const NAMES: [&str; 5] = ["sqlite", "sqlite-3", "postgres", "postgres-3", "valkey"];

/// The names of the shards of a store of three.
const SHARDS: [&str; 3] = ["a", "b", "c"];

/// A store, and the server that it is on.
pub(crate) struct Subject {
    pub(crate) store: Arc<dyn Backend>,
    place: Place,
}

enum Place {
    File(tempfile::TempDir),
    Postgres(Postgres),
    Valkey(Cluster),
}

impl Subject {
    /// An empty store.
    pub(crate) async fn start(name: &str) -> anyhow::Result<Self> {
        Ok(match name {
            "sqlite" => {
                let folder = tempfile::tempdir()?;
                let store = SqliteStore::open(folder.path().join("memory.db"))?;
                Self { store: Arc::new(store), place: Place::File(folder) }
            }
            "sqlite-3" => {
                let folder = tempfile::tempdir()?;
                let mut shards: Vec<Arc<dyn Shard>> = Vec::new();
                for name in SHARDS {
                    shards.push(Arc::new(SqliteStore::open(folder.path().join(name))?));
                }
                let store = ShardedStore::open(map()?, shards).await?;
                Self { store: Arc::new(store), place: Place::File(folder) }
            }
            "postgres" => {
                let server = postgres()?;
                let store = database(&server, "memory").await?;
                Self { store: Arc::new(store), place: Place::Postgres(server) }
            }
            "postgres-3" => {
                let server = postgres()?;
                let mut shards: Vec<Arc<dyn Shard>> = Vec::new();
                for name in SHARDS {
                    shards.push(Arc::new(database(&server, name).await?));
                }
                let store = ShardedStore::open(map()?, shards).await?;
                Self { store: Arc::new(store), place: Place::Postgres(server) }
            }
            "valkey" => {
                let cluster = Cluster::start(3, true, &[("appendonly", "yes"), ("appendfsync", "everysec")])?;
                let hosts: Vec<_> = cluster.addresses().iter().map(|(host, port)| format!("{host}:{port}")).collect();
                let store = ValkeyStore::open(&format!("valkey://{}/?durability=replica", hosts.join(","))).await?;
                Self { store: Arc::new(store), place: Place::Valkey(cluster) }
            }
            other => bail!("{other} is no store that is measured"),
        })
    }

    /// Has the server do now what it would do anyhow at some time, so that it does not while something is measured.
    pub(crate) fn settle(&self) -> anyhow::Result<()> {
        if let Place::Postgres(server) = &self.place {
            for database in databases(server)? {
                server.sql(&database, "VACUUM ANALYZE")?;
            }
            server.sql("postgres", "CHECKPOINT")?;
        }
        Ok(())
    }

    /// How many bytes it takes: on disk, or for Valkey in the memory of the primaries.
    pub(crate) fn bytes(&self) -> anyhow::Result<u64> {
        match &self.place {
            Place::File(folder) => {
                let mut sum = 0;
                for entry in folder.path().read_dir()? {
                    sum += entry?.metadata()?.len();
                }
                Ok(sum)
            }
            Place::Postgres(server) => {
                let mut sum = 0;
                for database in databases(server)? {
                    let size = server.sql(&database, "SELECT pg_database_size(current_database())")?;
                    sum += size.trim().parse::<u64>()?;
                }
                Ok(sum)
            }
            Place::Valkey(cluster) => {
                let mut sum = 0;
                for node in cluster.nodes().iter().take(3) {
                    let used = node.connect()?.info("memory", "used_memory");
                    sum += used.context("a node does not say how much memory it uses")?.parse::<u64>()?;
                }
                Ok(sum)
            }
        }
    }
}

/// Three shards, with a third of the slots each.
fn map() -> anyhow::Result<ShardMap> {
    let slots = [0..=1364, 1365..=2729, 2730..=4095];
    let shards = SHARDS.iter().zip(slots).map(|(name, slots)| ShardOfMap {
        name: (*name).to_owned(),
        url: (*name).to_owned(),
        slots: vec![slots],
    });
    Ok(ShardMap::new(shards.collect())?)
}

fn postgres() -> anyhow::Result<Postgres> {
    Ok(Postgres::start(&[("shared_buffers", "1GB"), ("max_wal_size", "8GB"), ("checkpoint_timeout", "1h")])?)
}

async fn database(server: &Postgres, name: &str) -> anyhow::Result<PostgresStore> {
    server.create_database(name)?;
    Ok(PostgresStore::open(&format!("{}?pool_size=32", server.url(name)), true).await?)
}

/// The databases that hold a store.
fn databases(server: &Postgres) -> anyhow::Result<Vec<String>> {
    let names = server.sql("postgres", "SELECT datname FROM pg_database WHERE datname IN ('memory', 'a', 'b', 'c')")?;
    Ok(names.split_whitespace().map(str::to_owned).collect())
}
