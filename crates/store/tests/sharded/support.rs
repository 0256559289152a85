//! What the tests have in common.

use std::{ops::RangeInclusive, path::Path, sync::Arc};

use agent_memory_store::{
    Backend, Commit, ConversationKey, Cursor, Field, IdentityKey, Interaction, InteractionId, Kept, Mark, MemoryStore,
    NewInteraction, NewRow, Replaces, Revision, RowId, SavedSession, Sealed, Shard, ShardMap, ShardOfMap, ShardedStore,
    SqliteStore, Timestamp,
};

pub(crate) const HOUR: Timestamp = 3600;
pub(crate) const DAY: Timestamp = 24 * HOUR;

/// 2026-01-01T00:00:00Z.
pub(crate) const NOW: Timestamp = 1_767_225_600;
pub(crate) const LATER: Timestamp = NOW + 90 * DAY;

/// A map in which neighbouring slots are on different shards: the slots go round among the given names.
pub(crate) fn striped(names: &[&str]) -> ShardMap {
    let stripes = names.len() as u16;
    map(names, |slot| usize::from(slot % stripes))
}

/// A map by a rule.
pub(crate) fn map(names: &[&str], owner: impl Fn(u16) -> usize) -> ShardMap {
    let shards = names.iter().enumerate().map(|(position, name)| {
        let slots: Vec<RangeInclusive<u16>> =
            (0..4096).filter(|slot| owner(*slot) == position).map(|slot| slot..=slot).collect();
        ShardOfMap { name: (*name).to_owned(), url: format!("memory:{name}"), slots }
    });
    ShardMap::new(shards.collect()).unwrap()
}

pub(crate) fn memory_shards(number: usize) -> Vec<Arc<dyn Shard>> {
    (0..number).map(|_| Arc::new(MemoryStore::new()) as Arc<dyn Shard>).collect()
}

pub(crate) fn sqlite_shards(folder: &Path, number: usize) -> Vec<Arc<dyn Shard>> {
    let open = |number| SqliteStore::open(folder.join(format!("{number}.db"))).unwrap();
    (0..number).map(|number| Arc::new(open(number)) as Arc<dyn Shard>).collect()
}

/// One store of several, striped.
pub(crate) async fn sharded(stores: &[Arc<dyn Shard>]) -> Arc<ShardedStore> {
    let map = striped(&["a", "b", "c", "d"][..stores.len()]);
    Arc::new(ShardedStore::open(map, stores.to_vec()).await.unwrap())
}

/// A key in a slot.
pub(crate) fn key(slot: u16, number: u8) -> [u8; 32] {
    let mut key = [number; 32];
    key[..2].copy_from_slice(&(slot << 4).to_be_bytes());
    key
}

pub(crate) fn identity(slot: u16) -> IdentityKey {
    IdentityKey(key(slot, 1))
}

pub(crate) fn conversation(slot: u16, number: u8) -> ConversationKey {
    ConversationKey(key(slot, number))
}

pub(crate) fn sealed(text: impl AsRef<[u8]>) -> Sealed {
    Sealed(text.as_ref().to_vec())
}

pub(crate) fn field(key: &str, value: &str) -> Field {
    Field { key: key.to_owned(), written: NOW, expires: LATER, value: sealed(value) }
}

/// A commit that counts, with one field, which ends its session.
pub(crate) fn commit(conversation: ConversationKey, identity: IdentityKey, value: &str) -> Commit {
    let id: [u8; 16] = blake3::hash(&[conversation.0, identity.0].concat()).as_bytes()[..16].try_into().unwrap();
    Commit {
        conversation,
        identity,
        identifier: sealed("identifier"),
        erasures: 0,
        now: NOW,
        patch: vec![field("key", value)],
        interaction: Some(NewInteraction {
            interaction: Interaction { id: InteractionId(id), began: NOW, expires: LATER, record: sealed(value) },
            stands_after: NOW - 90 * DAY,
            row: NewRow { id: RowId(id), began: NOW, details: sealed("details") },
        }),
        mark: Mark { expires: LATER, report: sealed(value) },
        ends_session: true,
    }
}

pub(crate) fn session(conversation: ConversationKey, number: u8) -> SavedSession {
    SavedSession {
        conversation,
        expires: NOW + DAY,
        overdue: Some(NOW),
        revision: Revision([number; 16]),
        session: sealed([number]),
    }
}

pub(crate) async fn save(store: &dyn Backend, conversation: ConversationKey, number: u8) {
    assert!(store.save_session(session(conversation, number), Replaces::Anything, NOW).await.unwrap());
}

/// Everything in a store but for what it knows of itself, in an order that does not depend on it.
pub(crate) async fn everything(store: &dyn Backend) -> Vec<Kept> {
    let (mut all, mut after): (Vec<Kept>, Option<Cursor>) = (Vec::new(), None);
    loop {
        let part = store.dump(after).await.unwrap();
        all.extend(part.kept.into_iter().filter(|kept| !matches!(kept, Kept::Totals { .. })));
        after = part.next;
        if after.is_none() {
            break;
        }
    }
    all.sort_by_cached_key(|kept| format!("{kept:?}{:?}", keys(kept)));
    all
}

/// `Debug` leaves keys out.
fn keys(kept: &Kept) -> Vec<u8> {
    match kept {
        Kept::Caller(caller) => caller.identity.0.to_vec(),
        Kept::Mark(mark) => mark.conversation.0.to_vec(),
        Kept::Session(session) => session.conversation.0.to_vec(),
        _ => Vec::new(),
    }
}
