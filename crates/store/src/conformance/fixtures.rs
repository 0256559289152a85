//! What the rules have in common.

use std::sync::Arc;

use crate::{
    Backend, Commit, Committed, ConversationKey, Ended, Erasure, Erasures, Field, IdentityKey, Interaction,
    InteractionId, Loaded, Mark, NewInteraction, NewRow, Read, Recorded, Replaces, Revision, RowId, SavedSession,
    Sealed, Settled, StoreError, StoredSession, Timestamp,
};

pub(super) type Subject = Arc<dyn Backend>;

pub(super) const HOUR: Timestamp = 3600;
pub(super) const DAY: Timestamp = 24 * HOUR;

/// 2026-01-01T00:00:00Z.
pub(super) const NOW: Timestamp = 1_767_225_600;

/// When everything expires that a test says nothing else about.
pub(super) const LATER: Timestamp = NOW + 90 * DAY;

pub(super) fn identity(number: u64) -> IdentityKey {
    IdentityKey(bytes(number, 1))
}

pub(super) fn conversation(number: u64) -> ConversationKey {
    ConversationKey(bytes(number, 2))
}

pub(super) fn sealed(text: impl AsRef<[u8]>) -> Sealed {
    Sealed(text.as_ref().to_vec())
}

pub(super) fn identifier(number: u64) -> Sealed {
    sealed(format!("identifier {number}"))
}

pub(super) fn report(number: u64) -> Sealed {
    sealed(format!("report {number}"))
}

pub(super) fn field(key: &str, value: &str) -> Field {
    Field { key: key.to_owned(), written: NOW, expires: LATER, value: sealed(value) }
}

/// A commit that writes nothing but its mark.
pub(super) fn commit(conversation_number: u64, identity_number: u64) -> Commit {
    Commit {
        conversation: conversation(conversation_number),
        identity: identity(identity_number),
        identifier: identifier(identity_number),
        erasures: 0,
        now: NOW,
        patch: Vec::new(),
        interaction: None,
        mark: Mark { expires: LATER, report: report(conversation_number) },
        ends_session: false,
    }
}

pub(super) fn patch(conversation_number: u64, identity_number: u64, patch: Vec<Field>) -> Commit {
    Commit { patch, ..commit(conversation_number, identity_number) }
}

/// The interaction of a conversation that began at a time and is kept for 90 days.
pub(super) fn interaction(number: u64, began: Timestamp) -> Interaction {
    Interaction {
        id: InteractionId(half(bytes(number, 3))),
        began,
        expires: began + 90 * DAY,
        record: sealed(format!("record {number}")),
    }
}

pub(super) fn row_id(number: u64) -> RowId {
    RowId(half(bytes(number, 4)))
}

/// A commit that counts: its conversation began at a time, and ends then too.
pub(super) fn counted(conversation_number: u64, identity_number: u64, began: Timestamp) -> Commit {
    Commit {
        now: began,
        interaction: Some(NewInteraction {
            interaction: interaction(conversation_number, began),
            stands_after: began - 90 * DAY,
            row: NewRow {
                id: row_id(conversation_number),
                began,
                details: sealed(format!("details {conversation_number}")),
            },
        }),
        mark: Mark { expires: began + 90 * DAY, report: report(conversation_number) },
        ..commit(conversation_number, identity_number)
    }
}

pub(super) fn erasure(identity_number: u64, key: Option<&str>) -> Erasure {
    Erasure { identity: identity(identity_number), key: key.map(str::to_owned), now: NOW, expires: NOW + 2 * DAY }
}

pub(super) fn revision(number: u64) -> Revision {
    Revision(half(bytes(number, 5)))
}

/// A session that is kept for a day and that nobody has to end.
pub(super) fn session(conversation_number: u64, text: &str) -> SavedSession {
    SavedSession {
        conversation: conversation(conversation_number),
        expires: NOW + DAY,
        overdue: None,
        revision: revision(conversation_number),
        session: sealed(text),
    }
}

/// Saves a session, whatever was there.
pub(super) async fn save(store: &Subject, session: SavedSession) {
    assert!(store.save_session(session, Replaces::Anything, NOW).await.unwrap());
}

pub(super) async fn stored(store: &Subject, conversation_number: u64, now: Timestamp) -> Option<StoredSession> {
    store.load_session(conversation(conversation_number), now).await.unwrap()
}

/// Commits, and expects that it had not been committed before.
pub(super) async fn committed(store: &Subject, commit: Commit) -> Settled {
    match store.commit(commit).await.unwrap() {
        Committed::Now(settled) => settled,
        Committed::Before(ended) => panic!("committed before: {ended:?}"),
    }
}

/// Commits, and expects that it had been committed before.
pub(super) async fn repeated(store: &Subject, commit: Commit) -> Ended {
    match store.commit(commit).await.unwrap() {
        Committed::Before(ended) => ended,
        Committed::Now(settled) => panic!("committed only now: {settled:?}"),
    }
}

pub(super) async fn fields(store: &Subject, identity_number: u64, now: Timestamp) -> Vec<Field> {
    let read = Read { identity: Some(identity(identity_number)), conversation: None, now };
    store.load(read).await.unwrap().fields
}

/// The fields as pairs of key and value.
pub(super) async fn values(store: &Subject, identity_number: u64, now: Timestamp) -> Vec<(String, String)> {
    let text = |sealed: Sealed| String::from_utf8(sealed.0).unwrap();
    fields(store, identity_number, now).await.into_iter().map(|field| (field.key, text(field.value))).collect()
}

pub(super) fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

pub(super) async fn erasures(store: &Subject) -> Erasures {
    store.load(Read { identity: None, conversation: Some(conversation(u64::MAX)), now: NOW }).await.unwrap().erasures
}

/// What is read, but for what is said only to those who name a conversation.
pub(super) async fn load_without_erasures(store: &Subject, read: Read) -> Result<Loaded, StoreError> {
    Ok(Loaded { erasures: 0, ..store.load(read).await? })
}

pub(super) async fn recorded(store: &Subject, conversation_number: u64, now: Timestamp) -> Recorded {
    let ended = store.ended(conversation(conversation_number), now).await.unwrap();
    ended.expect("it is committed").recorded.expect("nobody was erased")
}

/// Bytes that no other number and kind have, in the order of the numbers. Of two neighbours they begin alike, so that
/// nothing less than all of them tells them apart; others differ in their first 12 bits, so that they are in different
/// slots.
pub(super) fn bytes(number: u64, kind: u8) -> [u8; 32] {
    let mut bytes = [kind; 32];
    let slot = (number / 2).min(800) * 5 + u64::from(kind);
    bytes[..2].copy_from_slice(&(slot << 4).to_be_bytes()[6..]);
    bytes[8..16].copy_from_slice(&number.to_be_bytes());
    bytes
}

pub(super) fn half(bytes: [u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&bytes[..16]);
    half
}
