//! The stores that are measured, and how much room they take.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use agent_memory_host::store::{Backend, SqliteStore};
use agent_memory_postgres::PostgresStore;
use agent_memory_test_servers::{postgres::Postgres, valkey::Cluster};
use agent_memory_valkey::ValkeyStore;
use anyhow::{Context, bail};

/// Their names.
pub(crate) const NAMES: [&str; 3] = ["sqlite", "postgres", "valkey"];

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
            "postgres" => {
                let settings = [("shared_buffers", "1GB"), ("max_wal_size", "8GB"), ("checkpoint_timeout", "1h")];
                let server = Postgres::start(&settings)?;
                server.create_database("memory")?;
                let store = PostgresStore::open(&format!("{}?pool_size=32", server.url("memory")), true).await?;
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
            server.sql("memory", "VACUUM ANALYZE")?;
            server.sql("memory", "CHECKPOINT")?;
        }
        Ok(())
    }

    /// How many bytes it takes: on disk, or for Valkey in the memory of the primaries.
    pub(crate) fn bytes(&self) -> anyhow::Result<u64> {
        match &self.place {
            Place::File(folder) => size(&folder.path().join("memory.db")),
            Place::Postgres(server) => Ok(server.sql("memory", "SELECT pg_database_size('memory')")?.trim().parse()?),
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

fn size(path: &Path) -> anyhow::Result<u64> {
    let log = PathBuf::from(format!("{}-wal", path.display()));
    let log = log.metadata().map(|metadata| metadata.len()).unwrap_or(0);
    Ok(path.metadata()?.len() + log)
}
