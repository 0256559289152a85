//! The keys that a process works with.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hmac::Mac;
use hmac::digest::Update;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::accounts::Accounts;
use crate::origin::{Changed, Origin};
use crate::ring::{Apart, Ring};
use crate::seal::{self, KeyName, Parts, SealingKey};
use crate::secret::SecretText;
use crate::snapshot::Current;
use crate::{Day, KeysError, SealError, Source};

/// A source is read no more often than this because of a version that is unknown.
const READ_AGAIN: Duration = Duration::from_secs(1);

const PLAINTEXT: &[u8] = b"agent-memory keys 1: plaintext";

/// The keys that a process works with. Clones share everything. `Debug` shows where keys come from, and no key.
#[derive(Clone)]
pub struct Keys(Arc<Kind>);

/// Until when what is sealed can be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// Until the end of the day, in UTC, in which this moment lies. Unix seconds, at most 90 days ahead (C3): keys
    /// that were rotated away are kept for longer than that, but not for ever.
    Until(i64),
    /// For as long as the ring exists.
    Permanent,
}

/// What [`Keys::destroy_before`] has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Destroyed {
    /// The earliest day of expiry whose key still exists.
    pub first_day: Day,
    /// Versions that nothing needed any more.
    pub dropped_versions: u16,
    /// Whether this call changed where the ring is kept, and not an earlier one or another process's.
    pub written: bool,
    /// Where the keys are gone.
    pub reach: Reach,
}

/// Where keys that were destroyed are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Where the ring is kept, and in this process. Other processes follow with their own next sweep.
    Everywhere,
    /// In this process only: it can only read the ring. An administrator has to install [`Keys::moved_on`].
    ThisProcess,
    /// There are no keys, and nothing is sealed.
    NothingSealed,
}

/// What is in a ring, but for its secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Description {
    /// The earliest day of expiry whose key exists.
    pub first_day: Day,
    /// The numbers of its versions. The last one seals.
    pub versions: Vec<u16>,
}

enum Kind {
    Plaintext,
    Ring(Box<Live>),
}

/// A ring in use.
struct Live {
    origin: Origin,
    current: Current,
    identification: [u8; 32],
    permanent: SealingKey,
    /// No copy of the ring has another root, so nothing in it is ever out of date.
    accounts: Accounts,
    /// Held by who changes the ring, so that in one process it is done once.
    changing: Mutex<()>,
    /// When the source was last read because of an unknown version.
    read_again: Mutex<Option<Instant>>,
}

impl Keys {
    /// The keys of a source.
    ///
    /// With `create`, a ring file that is not there is made, readable by its owner only; its folder has to exist. For
    /// other sources, somebody else has to put [`Keys::create_text`] in place.
    ///
    /// It reads files or runs a program, and waits for them.
    ///
    /// # Errors
    /// If there are no keys, they make no sense, or others may read them. Each says what to do.
    pub fn open(source: &Source, create: bool) -> Result<Self, KeysError> {
        Ok(match Origin::open(source, create)? {
            None => Self::plaintext(),
            Some((origin, ring)) => Self::live(origin, ring),
        })
    }

    /// No keys: nothing is sealed, and pseudonyms can be guessed. For debugging.
    pub fn plaintext() -> Self {
        Self(Arc::new(Kind::Plaintext))
    }

    /// Random keys of this process alone, which end with it. For stores in memory.
    pub fn ephemeral() -> Self {
        Self::live(Origin::Memory, Ring::random())
    }

    /// The text of a new ring, for who keeps it elsewhere than in a file.
    pub fn create_text() -> SecretText {
        Ring::random().to_text()
    }

    /// Whether nothing is sealed.
    pub fn is_plaintext(&self) -> bool {
        matches!(*self.0, Kind::Plaintext)
    }

    /// What a store remembers of the keys, to notice wrong ones. It stays the same for the life of a ring, tells
    /// nothing of it, and there is one for plaintext too.
    pub fn identification(&self) -> [u8; 32] {
        match &*self.0 {
            Kind::Plaintext => Sha256::digest(PLAINTEXT).into(),
            Kind::Ring(live) => live.identification,
        }
    }

    /// What goes for something in a store: HMAC-SHA-256 under the account's key, over the parts, each with its length.
    /// No two accounts or lists of parts share one, and without the ring nobody can tell which belongs to what (I8,
    /// P3).
    ///
    /// Plaintext: SHA-256 over the account and the parts, each with its length.
    pub fn pseudonym(&self, account: &str, parts: &[&[u8]]) -> [u8; 32] {
        match &*self.0 {
            Kind::Plaintext => {
                let mut digest = Sha256::new();
                [account.as_bytes()].iter().chain(parts).for_each(|part| absorb(&mut digest, part));
                digest.finalize().into()
            }
            Kind::Ring(live) => {
                let mut mac = live.accounts.hmac(account, || live.current.tenant_key(account));
                parts.iter().for_each(|part| absorb(&mut mac, part));
                mac.finalize().into_bytes().into()
            }
        }
    }

    /// Seals bytes for one place, in which alone they can be opened.
    ///
    /// What expires is sealed under the key of its last day; under the ring's first day, if that is later: the caller's
    /// clock is behind then.
    pub fn seal(&self, lifetime: Lifetime, place: &[u8], plain: &[u8]) -> Vec<u8> {
        let Kind::Ring(live) = &*self.0 else { return seal::plain(plain) };
        let sealed = match lifetime {
            Lifetime::Permanent => None,
            Lifetime::Until(expiry) => live.current.with_newest(Day::of(expiry), |version, day, key| {
                key.seal(KeyName::Day { version, day }, place, plain)
            }),
        };
        sealed.unwrap_or_else(|| live.permanent.seal(KeyName::Permanent, place, plain))
    }

    /// Opens what was sealed for a place.
    ///
    /// A version that is not known may be another process's: the source is read again, at most once a second, and this
    /// call waits for it.
    ///
    /// # Errors
    /// If it cannot be opened: see [`SealError`]. Whoever changes the format, version or day in sealed bytes may get
    /// any of its cases; everything else that was changed is [`SealError::Damaged`].
    pub fn open_sealed(&self, place: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let Kind::Ring(live) = &*self.0 else { return seal::open_plain(sealed) };
        let parts = Parts::of(sealed)?;
        let KeyName::Day { version, day } = parts.key else { return live.permanent.open(&parts, place) };
        let open = || live.current.with(version, day, |key| key.open(&parts, place))?;
        match open() {
            Err(SealError::UnknownVersion { .. }) if live.read_again() => open(),
            other => other,
        }
    }

    /// Destroys the keys of days before that of `now` (Unix seconds), so that what has expired until then cannot be
    /// opened any more by anybody, whatever copies of it there are (E2). Versions that were rotated away go when
    /// everything that they sealed has expired.
    ///
    /// It never goes back. It reads and writes files or runs a program, and waits for them.
    ///
    /// **Every process that works with keys has to call this daily**: the first one destroys the keys where they are
    /// kept, the others learn of that, and of rotations, and forget what they have in memory.
    ///
    /// A clock that is ahead destroys what has not expired. Nothing can undo that.
    ///
    /// # Errors
    /// If the ring cannot be read or written. The keys may still exist then: try again.
    pub fn destroy_before(&self, now: i64) -> Result<Destroyed, KeysError> {
        let today = Day::of(now);
        let Kind::Ring(live) = &*self.0 else {
            let reach = Reach::NothingSealed;
            return Ok(Destroyed { first_day: today, dropped_versions: 0, written: false, reach });
        };
        let changed = live.change(|ring| Ok(ring.moved_on(today)))?;
        Ok(Destroyed {
            first_day: changed.after.newest().map_or(today, |version| version.day),
            dropped_versions: changed.after.oldest_number().saturating_sub(changed.before.oldest_number()),
            written: changed.written,
            reach: match live.origin {
                Origin::Environment(_) => Reach::ThisProcess,
                _ => Reach::Everywhere,
            },
        })
    }

    /// Makes a new version of the keys, by which everything is sealed from now on, and gives its number. What older
    /// versions sealed can be opened until it expires. Pseudonyms and what is permanent are not concerned.
    ///
    /// Other processes that have the ring open go on with the older version until they meet the new one or sweep.
    ///
    /// It reads and writes files or runs a program, and waits for them.
    ///
    /// # Errors
    /// If the ring cannot be read or written, or cannot be rotated where it is. Nothing is sealed by a version that was
    /// not kept.
    pub fn rotate(&self) -> Result<u32, KeysError> {
        let refused = |place: &str, advice| KeysError::NotRotatable { place: place.to_owned(), advice };
        let Kind::Ring(live) = &*self.0 else {
            return Err(refused("plaintext", "there are none; give a source of keys"));
        };
        let place = live.origin.place();
        if matches!(live.origin, Origin::Environment(_)) {
            let advice = "a variable can only be read; put its text into a file that only you can read, rotate that \
                          with `file:PATH`, then set the variable to the file's new text wherever it is used";
            return Err(refused(&place, advice));
        }
        let versions = crate::ring::MAX_VERSIONS;
        let full = || KeysError::TooManyVersions { place: place.clone(), versions };
        let changed = live.change(|ring| ring.rotated().ok_or_else(full))?;
        Ok(changed.after.newest().map_or(0, |version| u32::from(version.number)))
    }

    /// What is in the ring, but for its secrets. None for plaintext, which has no ring.
    pub fn description(&self) -> Option<Description> {
        match &*self.0 {
            Kind::Plaintext => None,
            Kind::Ring(live) => Some(live.current.ring().description()),
        }
    }

    /// The text of the ring as it is after a sweep at `now` (Unix seconds), for an administrator to put where this
    /// process can only read it. None for plaintext, which has no ring.
    pub fn moved_on(&self, now: i64) -> Option<SecretText> {
        match &*self.0 {
            Kind::Plaintext => None,
            Kind::Ring(live) => Some(Ring::clone(&live.current.ring()).moved_on(Day::of(now)).to_text()),
        }
    }

    fn live(origin: Origin, ring: Ring) -> Self {
        Self(Arc::new(Kind::Ring(Box::new(Live {
            origin,
            identification: ring.identification(),
            permanent: SealingKey::new(ring.permanent_key()),
            current: Current::new(ring),
            accounts: Accounts::new(),
            changing: Mutex::new(()),
            read_again: Mutex::new(None),
        }))))
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::Plaintext => f.write_str("Keys(plaintext)"),
            Kind::Ring(live) => write!(f, "Keys({}, [redacted])", live.origin.place()),
        }
    }
}

impl Live {
    /// Changes the ring where it is kept, together with what this process knows of it.
    fn change(&self, change: impl Fn(Ring) -> Result<Ring, KeysError>) -> Result<Changed, KeysError> {
        let _one_at_a_time = locked(&self.changing);
        let current = self.current.ring();
        let changed = self.origin.change(&current, &|kept: &Ring| {
            let both = kept.clone().merged(&current).map_err(|apart| self.apart(apart))?;
            change(both)
        })?;
        self.current.learn(&changed.after).map_err(|apart| self.apart(apart))?;
        Ok(changed)
    }

    /// Reads the source again, and tells whether something was learnt.
    fn read_again(&self) -> bool {
        let mut last = locked(&self.read_again);
        if last.is_some_and(|last| last.elapsed() < READ_AGAIN) {
            // Who waited for the lock may find that what it needs was just read.
            return true;
        }
        let read = self.origin.read();
        *last = Some(Instant::now());
        matches!(read, Ok(Some(ring)) if self.current.learn(&ring).is_ok())
    }

    fn apart(&self, apart: Apart) -> KeysError {
        let place = self.origin.place();
        match apart {
            Apart::Another => KeysError::Replaced { place },
            Apart::Version(version) => KeysError::Diverged { place, version },
        }
    }
}

/// Takes in a part after its length, so that no two lists of parts are the same bytes.
fn absorb(into: &mut impl Update, part: &[u8]) {
    into.update(&(part.len() as u64).to_be_bytes());
    into.update(part);
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a pseudonym is made from.
    #[derive(Default)]
    struct Input(Vec<u8>);

    impl Update for Input {
        fn update(&mut self, data: &[u8]) {
            self.0.extend_from_slice(data);
        }
    }

    /// Takes the parts out of it again.
    fn parts(mut input: &[u8]) -> Vec<Vec<u8>> {
        let mut parts = Vec::new();
        while let Some((length, rest)) = input.split_first_chunk() {
            let (part, rest) = rest.split_at(usize::try_from(u64::from_be_bytes(*length)).unwrap());
            parts.push(part.to_vec());
            input = rest;
        }
        parts
    }

    proptest! {
        #[test]
        fn i8_no_two_lists_of_parts_are_the_same_bytes(
            list in proptest::collection::vec(proptest::collection::vec(0..3_u8, 0..12), 0..6),
        ) {
            let mut input = Input::default();
            list.iter().for_each(|part| absorb(&mut input, part));
            // What can be read back in one way was written by one list only.
            prop_assert_eq!(parts(&input.0), list);
        }
    }
}
