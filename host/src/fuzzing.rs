//! Reads what comes from stores and from worker processes, for who tries any bytes.

use std::sync::Arc;

use agent_memory_keys::{Keys, Lifetime};
use agent_memory_store::{IdentityKey, InteractionId, Sealed, VersionKey};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::audit::StoredAct;
use crate::catalogue::StoredAgent;
use crate::codec::{Codec, InteractionRecord, Place, RowDetails, StoredIdentifier, StoredReport};
use crate::{Agent, Session};

#[cfg(unix)]
pub use crate::workers::reread_frames;

/// How many kinds of records a store holds, sessions aside.
pub const RECORD_KINDS: usize = 6;

/// Reads a record of a kind, which is a number below [`RECORD_KINDS`], and writes it again. None: it is unreadable.
pub fn reread_record(kind: usize, record: &[u8]) -> Option<Vec<u8>> {
    match kind {
        0 => reread::<StoredIdentifier>(record),
        1 => reread::<StoredReport>(record),
        2 => reread::<RowDetails>(record),
        3 => reread::<InteractionRecord>(record),
        4 => reread::<StoredAgent>(record),
        _ => reread::<StoredAct>(record),
    }
}

fn reread<T: Serialize + DeserializeOwned>(record: &[u8]) -> Option<Vec<u8>> {
    let (keys, place) = (Keys::plaintext(), Place::Agent(VersionKey([0; 32])));
    let sealed = |record: &[u8]| Sealed(keys.seal(Lifetime::Permanent, b"", record));
    let codec = Codec::new(keys.clone());
    let read = codec.open::<T>(place, &sealed(record)).ok()?;
    keys.open_sealed(b"", &codec.seal(place, Lifetime::Permanent, &read).0).ok()
}

/// A sealed record, and the first interaction that it is of.
pub struct SealedRecord {
    codec: Codec,
    /// The sealed bytes.
    pub bytes: Vec<u8>,
}

impl Default for SealedRecord {
    fn default() -> Self {
        Self::new()
    }
}

impl SealedRecord {
    /// Seals a record of a first interaction under a ring of keys of its own.
    pub fn new() -> Self {
        let codec = Codec::new(Keys::ephemeral());
        let record = InteractionRecord { began: 0, expires: 0, metrics: Vec::new() };
        let bytes = codec.seal(Place::Interaction(InteractionId([1; 16])), Lifetime::Permanent, &record).0;
        Self { codec, bytes }
    }

    /// Whether these bytes can be opened in place of the record.
    pub fn opens(&self, bytes: &[u8]) -> bool {
        let place = Place::Interaction(InteractionId([1; 16]));
        self.codec.open::<InteractionRecord>(place, &Sealed(bytes.to_vec())).is_ok()
    }

    /// Whether it can be opened where it does not belong.
    pub fn opens_elsewhere(&self) -> bool {
        let place = Place::Identifier(IdentityKey([1; 32]));
        self.codec.open::<InteractionRecord>(place, &Sealed(self.bytes.clone())).is_ok()
    }
}

/// A session as one of an agent's, whatever agent and version it says that it began with.
pub fn adopt(agent: &Agent, mut session: Session) -> Session {
    session.version = agent.state.current().key;
    Arc::make_mut(&mut session.facts).scope = agent.state.scope.clone();
    session
}
