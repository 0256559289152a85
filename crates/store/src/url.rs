//! Stores by their URL.

use std::sync::Arc;

use crate::{Backend, MemoryStore, SqliteStore, StoreError};

/// Opens the store that a URL names.
///
/// - `memory:` is a new [`MemoryStore`], which ends with the last reference to it.
/// - `sqlite:PATH` is the [`SqliteStore`] in that file. With `create`, a file that is not there is made; without, it
///   is an error, so that a mistyped path makes no empty store.
///
/// # Errors
/// [`StoreError::UnknownUrl`] for any other URL, and what [`SqliteStore::open`] and [`SqliteStore::open_existing`]
/// say.
///
/// ```
/// let store = agent_memory_store::open_url("memory:", true)?;
/// assert!(agent_memory_store::open_url("carrier-pigeon:", true).is_err());
/// # Ok::<(), agent_memory_store::StoreError>(())
/// ```
pub fn open_url(url: &str, create: bool) -> Result<Arc<dyn Backend>, StoreError> {
    match url.split_once(':') {
        Some(("memory", "")) => Ok(Arc::new(MemoryStore::new())),
        Some(("sqlite", path)) if is_path(path) => {
            let store = if create { SqliteStore::open(path) } else { SqliteStore::open_existing(path) };
            Ok(Arc::new(store?))
        }
        _ => Err(StoreError::UnknownUrl { url: without_password(url) }),
    }
}

/// Whether this names a file. `//host/...` does not: some tools read it as relative to here and some as absolute.
fn is_path(path: &str) -> bool {
    !path.is_empty() && (!path.starts_with("//") || path.starts_with("///"))
}

/// The URL up to its scheme if more of it could hold a password.
fn without_password(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) if !rest.is_empty() => format!("{scheme}://..."),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str) -> String {
        match open_url(url, true).err() {
            Some(StoreError::UnknownUrl { url }) => url,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_names_no_store_is_refused() {
        for url in ["", "memory", "memory:x", "sqlite", "sqlite:", "sqlite://", "store.db", "Sqlite:a"] {
            assert_eq!(refused(url), url);
        }
        assert_eq!(refused("sqlite://folder/file"), "sqlite://...");
    }

    #[test]
    fn a_password_is_not_repeated() {
        assert_eq!(refused("postgres://me:s3cret@host:5432/db"), "postgres://...");
        assert_eq!(refused("postgres://host/db?password=s3cret"), "postgres://...");
    }

    #[test]
    fn a_sqlite_store_is_made_only_if_that_is_wanted() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("store.db").display());
        assert!(matches!(open_url(&url, false), Err(StoreError::Unavailable { .. })));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        open_url(&url, true).unwrap();
        open_url(&url, false).unwrap();
        open_url(&url.replace("sqlite:", "sqlite://"), false).unwrap();
    }
}
