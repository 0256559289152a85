//! Stores and the keys that seal them, as commands name them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use agent_memory_host::BuildError;
use agent_memory_host::keys::{Keys, Source};
use agent_memory_host::store::{
    Backend, Kept, MemoryStore, Shard, ShardMap, ShardOfMap, ShardedStore, SqliteStore, StoreError, open_url,
};
use agent_memory_postgres::PostgresStore;
use agent_memory_valkey::ValkeyStore;
use anyhow::{Context, anyhow, bail};

use crate::arguments::Sealing;
use crate::surroundings::warn;

/// A store, and what seals it.
#[derive(Clone)]
pub(crate) struct OpenStore {
    pub(crate) store: Arc<dyn Backend>,
    pub(crate) keys: Keys,
}

impl OpenStore {
    /// A store that ends with this process.
    pub(crate) fn in_memory() -> Self {
        Self { store: Arc::new(MemoryStore::new()), keys: Keys::ephemeral() }
    }
}

/// Opens a store with its keys. The store is made if it is not there and that is wanted, and the file of keys beside it if
/// it was never used with any.
pub(crate) async fn open(url: &str, sealing: &Sealing, create: bool) -> anyhow::Result<OpenStore> {
    let store = open_store(url, create).await?;
    let keys = match (&sealing.keys, Place::of(url)) {
        _ if sealing.plaintext => {
            warn("nothing in this store is sealed (--plaintext): whoever reads its files reads what callers have said");
            Keys::plaintext()
        }
        // What is forgotten in a moment needs no keys that last.
        (_, Place::Memory) => Keys::ephemeral(),
        (Some(source), _) => ring(source.clone(), false).await?,
        (None, Place::File(path)) => beside(&path, &*store).await?,
        (None, Place::Server) => bail!(
            "say which keys seal this store: make a ring with `agent-memory keys new FILE` and give `--keys file:FILE` \
            wherever the store is used, or keep the ring elsewhere and give `--keys env:NAME` or `--keys \
            command:PROGRAM`; `--plaintext` seals nothing"
        ),
    };
    Ok(OpenStore { store, keys })
}

/// Opens a store, and makes it if it is not there and that is wanted.
pub(crate) async fn open_store(url: &str, create: bool) -> anyhow::Result<Arc<dyn Backend>> {
    Ok(match url.split_once(':') {
        Some(("postgres" | "postgresql", _)) => Arc::new(PostgresStore::open(url, create).await?),
        Some(("valkey" | "valkeys", _)) => Arc::new(ValkeyStore::open(url).await?),
        Some(("shards", file)) => {
            let map = read_map(Path::new(file))?;
            let shards = open_shards(&map, create).await?;
            Arc::new(ShardedStore::open(map, shards).await?)
        }
        _ => open_url(url, create).map_err(|error| match error {
            StoreError::UnknownUrl { url } => anyhow!(
                "{url:?} names no store: use `memory:`, `sqlite:PATH`, `postgres://USER@HOST/DATABASE`, \
                `valkey://HOST:PORT` or `shards:FILE`"
            ),
            error => error.into(),
        })?,
    })
}

/// Reads a map of shards.
pub(crate) fn read_map(file: &Path) -> anyhow::Result<ShardMap> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    ShardMap::parse(&text).map_err(|error| anyhow!("{}: {error}", file.display()))
}

/// Opens the stores of a map, in its order, and makes those that are not there if that is wanted.
pub(crate) async fn open_shards(map: &ShardMap, create: bool) -> anyhow::Result<Vec<Arc<dyn Shard>>> {
    let mut shards: Vec<Arc<dyn Shard>> = Vec::new();
    for ShardOfMap { name, url, .. } in map.shards() {
        let opened: Result<Arc<dyn Shard>, StoreError> = match url.split_once(':') {
            Some(("postgres" | "postgresql", _)) => {
                PostgresStore::open(url, create).await.map(|store| Arc::new(store) as _)
            }
            Some(("sqlite", _)) => {
                let path = sqlite_path(url);
                let store = if create { SqliteStore::open(path) } else { SqliteStore::open_existing(path) };
                store.map(|store| Arc::new(store) as _)
            }
            _ => bail!("shard {name:?} cannot be one: use `postgres://USER@HOST/DATABASE` or `sqlite:PATH`"),
        };
        shards.push(opened.map_err(|error| anyhow!("shard {name:?}: {error}"))?);
    }
    Ok(shards)
}

/// Where a URL says that a store is.
enum Place {
    Memory,
    File(PathBuf),
    Server,
}

impl Place {
    fn of(url: &str) -> Self {
        match url.split_once(':') {
            Some(("memory", _)) => Self::Memory,
            Some(("sqlite", _)) => Self::File(sqlite_path(url).to_owned()),
            _ => Self::Server,
        }
    }
}

/// The file of a SQLite store.
fn sqlite_path(url: &str) -> &Path {
    let path = url.strip_prefix("sqlite:").unwrap_or(url);
    Path::new(path.strip_prefix("//").unwrap_or(path))
}

/// The ring in the file beside a store, which is made for a store that was never used.
async fn beside(store_file: &Path, store: &dyn Backend) -> anyhow::Result<Keys> {
    let mut file = store_file.as_os_str().to_owned();
    file.push(".keys");
    let file = PathBuf::from(file);
    if !file.try_exists()? {
        let claimed = claimed(store).await?;
        let place = file.display();
        if claimed.as_ref().is_some_and(|keys| *keys == Keys::plaintext().identification()) {
            bail!("the store is in plain text: open it with --plaintext, or use another one");
        }
        if claimed.as_ref().is_some_and(Vec::is_empty) {
            return Err(BuildError::KeylessStore.into());
        }
        if claimed.is_some() {
            bail!(
                "the store is sealed, and its keys are not in {place}: put that file back, or say with --keys where \
                they are; without them nothing in the store can be read by anybody"
            );
        }
        return ring(Source::File(file), true).await;
    }
    ring(Source::File(file), false).await
}

/// What a store remembers of its keys, if it was ever used with any.
async fn claimed(store: &dyn Backend) -> Result<Option<Vec<u8>>, StoreError> {
    let mut after = None;
    loop {
        let part = store.dump(after).await?;
        let totals = part.kept.into_iter().find_map(|kept| match kept {
            Kept::Totals { keys, .. } => Some(keys),
            _ => None,
        });
        match (totals, part.next) {
            (Some(keys), _) => return Ok(keys.map(|keys| keys.0)),
            (None, Some(next)) => after = Some(next),
            (None, None) => return Ok(None),
        }
    }
}

/// Opens a ring, for which a disk or a program may have to be waited for.
async fn ring(source: Source, create: bool) -> anyhow::Result<Keys> {
    Ok(tokio::task::spawn_blocking(move || Keys::open(&source, create)).await??)
}
