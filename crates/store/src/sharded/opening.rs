//! Opening, and what each shard remembers of the map that it belongs to.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, atomic::AtomicU64},
};

use super::{Member, ShardMap, ShardedStore, claim::Claim};
use crate::{Kept, Register, RegisterKey, Replacement, Shard, StoreError};

/// The register in which a shard remembers its map.
const KEY: &[u8] = b"map";

/// What begins the register.
const SETTLED: u8 = b's';
const MOVING: u8 = b'm';
const COPIED: u8 = b'd';

/// What a shard remembers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Belongs {
    /// It is used.
    Settled {
        /// Its name.
        name: String,
        /// The map.
        map: [u8; 32],
    },
    /// Slots are being moved.
    Moving {
        /// Its name.
        name: String,
        /// The map before.
        old: [u8; 32],
        /// The map afterwards.
        new: [u8; 32],
        /// Whether what leaves this shard has arrived elsewhere as a whole.
        is_copied: bool,
    },
}

impl ShardedStore {
    /// Uses several stores as one. They are given in the order of the map.
    ///
    /// Each of them remembers its name and the map, at the first time. Where that is another one it is refused, so that
    /// nobody who has an older map reads and writes in the wrong place. It is looked at here only: whoever changes the
    /// map has to stop all processes that use it.
    ///
    /// # Errors
    /// - [`StoreError::OtherMap`]: a store belongs to another map or another place in it, slots are being moved, it has
    ///   been in use on its own, or there are not as many stores as the map has.
    /// - [`StoreError::Shard`]: a store cannot be asked.
    pub async fn open(map: ShardMap, stores: Vec<Arc<dyn Shard>>) -> Result<Self, StoreError> {
        let members = members(&map, stores)?;
        for member in &members {
            match member.belongs().await? {
                None => member.join(&map).await?,
                Some(belongs) => member.check(&belongs, &map)?,
            }
        }
        let directory = members.first().cloned().ok_or_else(|| other_map("", "the map has no shard"))?;
        Ok(Self { map, members, directory, erasures: AtomicU64::new(0), restored: Mutex::new(HashMap::new()) })
    }
}

/// The stores with their names.
pub(super) fn members(map: &ShardMap, stores: Vec<Arc<dyn Shard>>) -> Result<Vec<Member>, StoreError> {
    if stores.len() != map.shards().len() {
        let name = map.shards().get(stores.len()).map_or("", |shard| &shard.name);
        return Err(other_map(name, "as many stores have to be opened as the map has shards"));
    }
    let names = map.shards().iter().map(|shard| Arc::from(shard.name.as_str()));
    Ok(names.zip(stores).map(|(name, store)| Member { name, store }).collect())
}

pub(super) fn other_map(shard: &str, reason: &str) -> StoreError {
    StoreError::OtherMap { shard: shard.to_owned(), reason: reason.to_owned() }
}

impl Member {
    /// What the store remembers.
    pub(super) async fn belongs(&self) -> Result<Option<Belongs>, StoreError> {
        let register = self.ask(self.store.register(RegisterKey(KEY.to_vec()))).await?;
        let damaged = || other_map(&self.name, "what it remembers of its map cannot be read: restore it from a backup");
        register.map(|register| Belongs::read(&register.value).ok_or_else(damaged)).transpose()
    }

    /// Makes the store remember something else. Answers what it remembers then.
    pub(super) async fn remember(&self, from: Option<&Belongs>, to: &Belongs) -> Result<Option<Belongs>, StoreError> {
        let replacement = Replacement {
            key: RegisterKey(KEY.to_vec()),
            from: from.map(Belongs::register),
            to: to.register(),
            ends: None,
        };
        let standing = self.ask(self.store.replace_register(replacement)).await?;
        Ok(standing.and_then(|register| Belongs::read(&register.value)))
    }

    /// Makes an empty store one of the map's.
    async fn join(&self, map: &ShardMap) -> Result<(), StoreError> {
        let settled = Belongs::Settled { name: self.name.to_string(), map: map.digest() };
        let is_empty = self.is_empty().await?;
        let standing = if is_empty { self.remember(None, &settled).await? } else { self.belongs().await? };
        // Another process may have been faster, and have used it since.
        match standing {
            Some(standing) => self.check(&standing, map),
            None => Err(other_map(
                &self.name,
                "it has been in use on its own: name an empty store, and copy what this one holds to all of the map's",
            )),
        }
    }

    pub(super) async fn is_empty(&self) -> Result<bool, StoreError> {
        let mut after = None;
        loop {
            let part = self.ask(self.store.dump(after)).await?;
            if part.kept.iter().any(|kept| !matches!(kept, Kept::Totals { .. })) {
                return Ok(false);
            }
            after = part.next;
            if after.is_none() {
                return Ok(true);
            }
        }
    }

    fn check(&self, belongs: &Belongs, map: &ShardMap) -> Result<(), StoreError> {
        let reason = match belongs {
            Belongs::Settled { name, map: of } if *name == *self.name && *of == map.digest() => return Ok(()),
            Belongs::Settled { name, .. } if *name != *self.name => {
                return Err(other_map(&self.name, &format!("it is shard {name:?}: correct the URLs of both")));
            }
            Belongs::Settled { .. } => {
                "it belongs to another map: use the newest one, or if this is the newest, move the slots first"
            }
            Belongs::Moving { .. } => "its slots are being moved: finish that first",
        };
        Err(other_map(&self.name, reason))
    }
}

impl Belongs {
    fn register(&self) -> Register {
        let (kind, maps, name) = match self {
            Self::Settled { name, map } => (SETTLED, map.to_vec(), name),
            Self::Moving { name, old, new, is_copied } => {
                (if *is_copied { COPIED } else { MOVING }, [*old, *new].concat(), name)
            }
        };
        Register { value: [&[kind], maps.as_slice(), name.as_bytes()].concat(), expires: None }
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let (first, rest) = rest.split_first_chunk::<32>()?;
        let name = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
        match *kind {
            SETTLED => Some(Self::Settled { name: name(rest)?, map: *first }),
            MOVING | COPIED => {
                let (second, rest) = rest.split_first_chunk::<32>()?;
                Some(Self::Moving { name: name(rest)?, old: *first, new: *second, is_copied: *kind == COPIED })
            }
            _ => None,
        }
    }
}

/// Whether a register is a conversation's claim, and not what a shard knows of itself.
pub(super) fn is_claim(key: &RegisterKey) -> bool {
    Claim::conversation(key).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shard_remembers_is_read_as_it_was_written() {
        let name = "a-1".to_owned();
        let moving = |is_copied| Belongs::Moving { name: name.clone(), old: [1; 32], new: [2; 32], is_copied };
        for belongs in [Belongs::Settled { name: name.clone(), map: [3; 32] }, moving(false), moving(true)] {
            assert_eq!(Belongs::read(&belongs.register().value), Some(belongs));
        }
        assert_eq!(Belongs::read(b"x"), None);
    }
}
