//! Moves all that a store keeps, and proves that it has arrived.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::{Backend, Erasures, Kept, StoreError, Timestamp};

/// How long a copy may take, in seconds: half a day. A store may delete by itself what expires meanwhile, so that this is copied
/// and not compared.
const LONGEST_COPY: Timestamp = 12 * 3600;

/// How many things of each kind there are, and a digest of them that does not depend on their order.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Tally {
    /// By kind: how many there are.
    pub counts: BTreeMap<&'static str, u64>,
    #[serde(skip)]
    digests: BTreeMap<&'static str, Sum>,
    /// Of two stores that hold the same, one may have carried out more erasures.
    #[serde(skip)]
    erasures: Erasures,
}

/// What was copied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Copied {
    /// How much of each kind.
    pub counts: BTreeMap<&'static str, u64>,
    /// A digest, in hexadecimal, of all of it that lasts for half a day. That of both stores is the same.
    pub digest: String,
}

/// Why not everything was copied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// One of the stores failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The other store belongs to other keys.
    #[error("the store that is copied to is sealed by other keys than the one that is copied from: copy to a new one")]
    OtherKeys,
    /// Somebody has written to the store that is copied.
    #[error("the store that is copied from has changed meanwhile: stop what writes to it, and copy again")]
    Changed,
    /// Afterwards the stores are not the same.
    #[error(
        "after copying, the stores differ in {}: copy to an empty store, or to the one that an earlier copy of this store \
        was broken off in, to which nobody writes",
        kinds.join(", ")
    )]
    Different {
        /// The kinds of things in which they differ.
        kinds: Vec<&'static str>,
    },
}

/// A sum of digests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum([u64; 4]);

/// Copies all that has not expired, and compares afterwards what both stores have of it that does not expire within the
/// hours that a copy may take. `progress` is told after every part how much
/// has been read: from the one store, from the other, and from the one again.
///
/// Nothing is opened or sealed anew: the other store has to be used with the same keys. A copy that was broken off is
/// repeated: what has arrived already is replaced by itself.
///
/// # Errors
/// If a store fails, the other store was used with other keys, or the two differ afterwards: because somebody has
/// written to one of them meanwhile, or because there was something else in the other.
pub async fn copy(
    from: &dyn Backend,
    to: &dyn Backend,
    now: Timestamp,
    mut progress: impl FnMut(&Tally),
) -> Result<Copied, CopyError> {
    let lasts_until = now.saturating_add(LONGEST_COPY);
    let (mut copied, mut expected) = (Tally::default(), Tally::default());
    let mut after = None;
    loop {
        let part = from.dump(after).await?;
        let kept: Vec<Kept> = part.kept.into_iter().filter_map(|kept| kept.alive(now)).collect();
        for kept in &kept {
            if let Kept::Totals { keys: Some(keys), .. } = kept
                && to.claim(keys.clone()).await? != *keys
            {
                return Err(CopyError::OtherKeys);
            }
            copied.add(kept);
            kept.clone().alive(lasts_until).iter().for_each(|kept| expected.add(kept));
        }
        to.restore(kept).await?;
        progress(&copied);
        after = part.next;
        if after.is_none() {
            break;
        }
    }
    let found = Tally::of(to, lasts_until, &mut progress).await?;
    // Somebody may have written to what was read already.
    let again = Tally::of(from, lasts_until, &mut progress).await?;
    if again != expected || again.erasures != expected.erasures {
        return Err(CopyError::Changed);
    }
    if found != expected || found.erasures < expected.erasures {
        return Err(CopyError::Different { kinds: expected.differences(&found) });
    }
    Ok(Copied { digest: found.digest(), counts: copied.counts })
}

impl PartialEq for Tally {
    fn eq(&self, other: &Self) -> bool {
        self.counts == other.counts && self.digests == other.digests
    }
}

impl Tally {
    /// Of all in a store that has not expired.
    async fn of(store: &dyn Backend, now: Timestamp, progress: &mut impl FnMut(&Self)) -> Result<Self, StoreError> {
        let mut tally = Self::default();
        let mut after = None;
        loop {
            let part = store.dump(after).await?;
            part.kept.into_iter().filter_map(|kept| kept.alive(now)).for_each(|kept| tally.add(&kept));
            progress(&tally);
            after = part.next;
            if after.is_none() {
                return Ok(tally);
            }
        }
    }

    /// How many things there are.
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    pub(crate) fn add(&mut self, kept: &Kept) {
        let kind = match kept {
            Kept::Totals { erasures, .. } => {
                self.erasures = self.erasures.max(*erasures);
                return;
            }
            Kept::Caller(_) => "callers",
            Kept::Mark(_) => "marks",
            Kept::Row(_) => "metrics",
            Kept::Session(_) => "sessions",
            Kept::Agent { .. } => "agents",
            Kept::Component { .. } => "components",
            Kept::Act(_) => "acts",
        };
        self.add_as(kind, kept);
    }

    /// Counts a thing of a kind.
    pub(crate) fn add_as(&mut self, kind: &'static str, thing: &impl Serialize) {
        *self.counts.entry(kind).or_default() += 1;
        self.digests.entry(kind).or_default().add(digest(thing));
    }

    /// The kinds of which there are not the same.
    pub(crate) fn differences(&self, other: &Self) -> Vec<&'static str> {
        let mut kinds: Vec<&'static str> = self.counts.keys().chain(other.counts.keys()).copied().collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds.retain(|kind| {
            self.counts.get(kind) != other.counts.get(kind) || self.digests.get(kind) != other.digests.get(kind)
        });
        kinds
    }

    fn digest(&self) -> String {
        let mut all = Sum::default();
        for sum in self.digests.values() {
            all.add(*sum);
        }
        all.to_string()
    }
}

impl Sum {
    fn add(&mut self, other: Self) {
        for (limb, other) in self.0.iter_mut().zip(other.0) {
            *limb = limb.wrapping_add(other);
        }
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|limb| write!(f, "{limb:016x}"))
    }
}

/// A digest of one thing, which says of what kind it is.
fn digest(thing: &impl Serialize) -> Sum {
    let mut hasher = blake3::Hasher::new();
    // What is written to a hasher is always taken, and every list knows its length.
    let _ = postcard::to_io(thing, &mut hasher);
    let mut limbs = [0; 4];
    for (limb, bytes) in limbs.iter_mut().zip(hasher.finalize().as_bytes().as_chunks().0) {
        *limb = u64::from_be_bytes(*bytes);
    }
    Sum(limbs)
}
