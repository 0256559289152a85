//! A ring together with the day keys that were derived from it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use crate::ring::{Apart, Ring, Version};
use crate::seal::SealingKey;
use crate::secret::Secret;
use crate::{Day, SealError};

/// As many derived days are kept. 90 days of expiry in a few versions is what comes up.
const MAX_DAYS: usize = 1024;

/// The ring as this process knows it. Reading it waits for nobody.
pub(crate) struct Current {
    snapshot: ArcSwap<Snapshot>,
    writing: Mutex<()>,
}

/// What is known at one moment. It is never changed, only replaced, and wiped when the last who reads it is done.
pub(crate) struct Snapshot {
    ring: Arc<Ring>,
    days: BTreeMap<(u16, Day), Arc<DerivedDay>>,
}

/// The chain at one day, from which later ones are derived, and that day's key.
struct DerivedDay {
    at: Version,
    key: SealingKey,
}

impl Current {
    pub(crate) fn new(ring: Ring) -> Self {
        let snapshot = Snapshot { ring: Arc::new(ring), days: BTreeMap::new() };
        Self { snapshot: ArcSwap::from_pointee(snapshot), writing: Mutex::new(()) }
    }

    /// The ring as it is now.
    pub(crate) fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.snapshot.load().ring)
    }

    /// The key of an account's pseudonyms.
    pub(crate) fn tenant_key(&self, account: &str) -> Secret {
        self.snapshot.load().ring.tenant_key(account)
    }

    /// Adds what another copy of the ring has more. Days that have passed in either are forgotten.
    pub(crate) fn learn(&self, ring: &Ring) -> Result<(), Apart> {
        let _one_at_a_time = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.snapshot.load_full();
        let ring = Ring::clone(&current.ring).merged(ring)?;
        if ring == *current.ring {
            return Ok(());
        }
        let alive = |version: u16, day: Day| ring.version(version).is_some_and(|version| version.day <= day);
        let days = current.days.iter().filter(|((version, day), _)| alive(*version, *day));
        let days = days.map(|(name, derived)| (*name, Arc::clone(derived))).collect();
        self.snapshot.store(Arc::new(Snapshot { ring: Arc::new(ring), days }));
        Ok(())
    }

    /// Does something with the newest version's key of a day, or of its first day if that is later.
    pub(crate) fn with_newest<T>(&self, day: Day, work: impl FnOnce(u16, Day, &SealingKey) -> T) -> Option<T> {
        let snapshot = self.snapshot.load();
        let newest = snapshot.ring.newest()?;
        let day = day.max(newest.day);
        if let Some(derived) = snapshot.days.get(&(newest.number, day)) {
            return Some(work(newest.number, day, &derived.key));
        }
        let derived = snapshot.derive(newest, day);
        self.remember(&derived);
        Some(work(newest.number, day, &derived.key))
    }

    /// Does something with the key of a version and day.
    pub(crate) fn with<T>(&self, number: u16, day: Day, work: impl FnOnce(&SealingKey) -> T) -> Result<T, SealError> {
        let snapshot = self.snapshot.load();
        if let Some(derived) = snapshot.days.get(&(number, day)) {
            return Ok(work(&derived.key));
        }
        let version = match snapshot.ring.version(number) {
            Some(version) => version,
            // Versions are dropped when everything that they sealed has expired.
            None if number < snapshot.ring.oldest_number() => return Err(SealError::Destroyed { day }),
            None => return Err(SealError::UnknownVersion { version: number }),
        };
        if day < version.day {
            return Err(SealError::Destroyed { day });
        }
        let derived = snapshot.derive(version, day);
        self.remember(&derived);
        Ok(work(&derived.key))
    }

    /// Keeps a derived day, unless it has passed meanwhile.
    fn remember(&self, derived: &Arc<DerivedDay>) {
        let _one_at_a_time = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.snapshot.load_full();
        let Version { number, day, .. } = derived.at;
        if current.ring.version(number).is_none_or(|version| version.day > day) {
            return;
        }
        // Beginning anew now and then costs less than knowing which days are needed least.
        let mut days = if current.days.len() < MAX_DAYS { current.days.clone() } else { BTreeMap::new() };
        days.insert((number, day), Arc::clone(derived));
        self.snapshot.store(Arc::new(Snapshot { ring: Arc::clone(&current.ring), days }));
    }
}

impl Snapshot {
    /// Derives a day from the latest one before it that is known.
    fn derive(&self, version: &Version, day: Day) -> Arc<DerivedDay> {
        let known = self.days.range((version.number, version.day)..=(version.number, day)).next_back();
        let mut at = known.map_or(version, |(_, derived)| &derived.at).clone();
        at.move_on(day);
        Arc::new(DerivedDay { key: SealingKey::new(at.day_key()), at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_remembered_forgotten_and_bounded() {
        let ring = Ring::random();
        let current = Current::new(ring.clone());
        let day = |number| Day::from_number(number).unwrap();
        let known = || current.snapshot.load().days.keys().map(|(_, day)| *day).collect::<Vec<_>>();
        for number in [20_010, 20_000, 20_010] {
            current.with(1, day(number), |_| ()).unwrap();
        }
        assert_eq!(known(), [day(20_000), day(20_010)]);
        current.learn(&ring.clone().moved_on(day(20_005))).unwrap();
        assert_eq!(known(), [day(20_010)]);
        assert_eq!(current.with(1, day(20_004), |_| ()), Err(SealError::Destroyed { day: day(20_004) }));
        for number in 30_000..32_000 {
            current.with(1, day(number), |_| ()).unwrap();
            assert!(known().len() <= MAX_DAYS);
        }
    }

    #[test]
    fn a_day_that_has_passed_meanwhile_is_not_remembered() {
        let ring = Ring::random();
        let current = Current::new(ring.clone());
        let day = |number| Day::from_number(number).unwrap();
        let derived = current.snapshot.load().derive(ring.newest().unwrap(), day(20_000));
        current.learn(&ring.clone().moved_on(day(20_001))).unwrap();
        current.remember(&derived);
        assert!(current.snapshot.load().days.is_empty());
    }
}
