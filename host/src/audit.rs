//! The audit trail: what administrators did, without anything that leads to a caller.

use std::collections::BTreeMap;

use agent_memory_keys::Lifetime;
use agent_memory_store::{self as store, ActId, StoreError};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::codec::{DAY, Place};
use crate::conversation::damaged;
use crate::runtime::Shared;
use crate::{Scope, convert};

/// For how long an act is remembered, in seconds: a year.
const REMEMBERED: i64 = 365 * DAY;

const HOUR: i64 = 3600;

/// How many acts are listed at once.
const PAGE: usize = 256;

/// What an administrator did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ActKind {
    /// Read a caller's memory.
    Read,
    /// Read all that is held on a caller (rule E3).
    Export,
    /// Read the memory of all callers.
    ExportAll,
    /// Erased a caller, or one of the caller's keys (rule E3).
    Erase,
    /// Put fields into a caller's memory.
    Patch,
    /// Put fields into many callers' memory.
    Import,
    /// Deleted what had expired (rule E2).
    Sweep,
    /// Published an agent.
    Publish,
    /// Withdrew an agent.
    Withdraw,
}

/// An act in the audit trail. That of an erasure is its receipt.
///
/// It names no caller. A receipt is proved by finding it in the trail: the digest is a short name for the whole of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Act {
    /// Its random id.
    pub id: String,
    /// The hour in which it was done (rule P1).
    pub at: Timestamp,
    /// What was done.
    pub act: ActKind,
    /// Who did it, as the embedder says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Whose callers or agent it concerned. None: all.
    #[serde(flatten)]
    pub scope: Option<Scope>,
    /// How much it concerned, by what that is.
    pub counts: BTreeMap<String, u64>,
    /// From when no copy of what was erased can be read any more, not in backups or replicas either: the keys that
    /// seal it are destroyed by the first sweep after that. None if nothing was erased, or nothing is sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreadable_from: Option<Timestamp>,
    /// Whether it is known to have been completed. What was begun and broke off may have been carried out or not.
    pub completed: bool,
    /// SHA-256, in hexadecimal, of this object's compact JSON without this member.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub digest: String,
}

/// A place in the audit trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditPage(i64, ActId);

/// An act, in the form in which it is stored.
#[derive(Serialize, Deserialize)]
pub(crate) struct StoredAct {
    act: ActKind,
    by: Option<String>,
    scope: Option<Scope>,
    counts: BTreeMap<String, u64>,
    unreadable_from: Option<i64>,
    completed: bool,
}

/// An act that the audit trail has as begun.
#[must_use = "an act that is not completed shows as one that broke off"]
pub struct BegunAct {
    id: ActId,
    at: i64,
    stored: StoredAct,
}

impl Shared {
    /// Notes in the audit trail that something is about to be done.
    pub(crate) async fn begin_act(
        &self,
        act: ActKind,
        by: Option<&str>,
        scope: Option<&Scope>,
    ) -> Result<BegunAct, StoreError> {
        let now = self.now().as_second();
        let unreadable_from = if act == ActKind::Erase { self.codec.unreadable_from(now) } else { None };
        let begun = BegunAct {
            id: ActId(*Uuid::new_v4().as_bytes()),
            at: now - now.rem_euclid(HOUR),
            stored: StoredAct {
                act,
                by: by.map(str::to_owned),
                scope: scope.cloned(),
                counts: BTreeMap::new(),
                unreadable_from,
                completed: false,
            },
        };
        self.put_act(&begun).await?;
        Ok(begun)
    }

    /// Notes that it was done, and how much it concerned.
    pub(crate) async fn complete_act(
        &self,
        mut begun: BegunAct,
        counts: impl IntoIterator<Item = (&'static str, u64)>,
    ) -> Result<Act, StoreError> {
        begun.stored.counts = counts.into_iter().map(|(what, count)| (what.to_owned(), count)).collect();
        begun.stored.completed = true;
        if begun.stored.counts.values().all(|count| *count == 0) {
            begun.stored.unreadable_from = None;
        }
        self.put_act(&begun).await?;
        Ok(Act::new(begun.id, begun.at, begun.stored))
    }

    /// A page of the trail, and where the next one begins.
    pub(crate) async fn acts(&self, after: Option<AuditPage>) -> Result<(Vec<Act>, Option<AuditPage>), StoreError> {
        let after = after.map(|AuditPage(at, id)| (at, id));
        let found = self.store.acts(after, PAGE, self.now().as_second()).await?;
        let next = found.last().filter(|_| found.len() == PAGE).map(|last| AuditPage(last.at, last.id));
        let read = |store::Act { id, at, record, .. }| match self.codec.open(Place::Act { id, at }, &record) {
            Ok(stored) => Ok(Act::new(id, at, stored)),
            Err(why) => Err(damaged("an entry of the audit trail", why)),
        };
        Ok((found.into_iter().map(read).collect::<Result<_, _>>()?, next))
    }

    async fn put_act(&self, begun: &BegunAct) -> Result<(), StoreError> {
        let expires = begun.at.saturating_add(REMEMBERED);
        // Keys by which something can expire are not kept for as long as acts are.
        let record = self.codec.seal(Place::Act { id: begun.id, at: begun.at }, Lifetime::Permanent, &begun.stored);
        self.store.record_act(store::Act { id: begun.id, at: begun.at, expires, record }).await
    }
}

impl Act {
    fn new(id: ActId, at: i64, stored: StoredAct) -> Self {
        let StoredAct { act, by, scope, counts, unreadable_from, completed } = stored;
        let mut act = Self {
            id: Uuid::from_bytes(id.0).simple().to_string(),
            at: convert::time(at),
            act,
            by,
            scope,
            counts,
            unreadable_from: unreadable_from.map(convert::time),
            completed,
            digest: String::new(),
        };
        act.digest = act.digest_of();
        act
    }

    fn digest_of(&self) -> String {
        let without = Self { digest: String::new(), ..self.clone() };
        // Texts, numbers and maps with texts as keys always have a JSON form.
        let json = serde_json::to_vec(&without).unwrap_or_default();
        Sha256::digest(json).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
