//! The ring of keys, as a value.

mod text;

pub(crate) use self::text::{MAX_TEXT, NoRing};
use crate::secret::{Secret, fill_random};
use crate::{Day, Description};

/// The days for which a version is kept after it was last used to seal. What it sealed has expired then: no retention
/// is longer than 90 days (C3).
pub(crate) const KEPT_DAYS: u16 = 91;

/// As many versions are kept at once. Each takes room in a text whose length is bounded.
pub(crate) const MAX_VERSIONS: usize = 256;

const LABEL_NEXT: &[u8] = b"agent-memory keys 1: chain key of the next day";
const LABEL_DAY: &[u8] = b"agent-memory keys 1: key of this day";
const LABEL_PERMANENT: &[u8] = b"agent-memory keys 1: permanent records";
const LABEL_TENANT: &[u8] = b"agent-memory keys 1: pseudonyms of account ";
const LABEL_IDENTIFICATION: &[u8] = b"agent-memory keys 1: identification of ring ";

/// What everything is derived from.
///
/// Its versions have numbers without gaps, oldest first, and there is at least one. New data is sealed by the newest.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ring {
    id: [u8; 16],
    root: Secret,
    versions: Vec<Version>,
}

/// A chain of day keys.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Version {
    pub(crate) number: u16,
    /// The earliest day whose key can be had.
    pub(crate) day: Day,
    /// The chain key of that day. Chain keys and day keys of all later days follow from it, and none of earlier ones.
    pub(crate) chain: Secret,
    /// The day of the sweep that found a newer version in use. A rotation is given no time, so the first sweep after it
    /// notes one: too late by a day or so, which errs on the side of keeping.
    pub(crate) retired: Option<Day>,
}

/// Why two rings cannot be made one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Apart {
    /// They are different rings.
    Another,
    /// Both have a version of this number, with different keys.
    Version(u16),
}

impl Ring {
    /// A new ring, with one version.
    pub(crate) fn random() -> Self {
        let mut id = [0; 16];
        fill_random(&mut id);
        let version = Version { number: 1, day: Day::OF_NEW_RINGS, chain: Secret::random(), retired: None };
        Self { id, root: Secret::random(), versions: vec![version] }
    }

    /// What a store remembers of the ring.
    pub(crate) fn identification(&self) -> [u8; 32] {
        *self.root.derive(LABEL_IDENTIFICATION, &self.id).expose()
    }

    /// The key of an account's pseudonyms.
    pub(crate) fn tenant_key(&self, account: &str) -> Secret {
        self.root.derive(LABEL_TENANT, account.as_bytes())
    }

    /// The key of what does not expire.
    pub(crate) fn permanent_key(&self) -> Secret {
        self.root.derive(LABEL_PERMANENT, b"")
    }

    /// The version that seals. None is there only if the invariant of this type is broken.
    pub(crate) fn newest(&self) -> Option<&Version> {
        self.versions.last()
    }

    /// The number of the oldest version that is kept.
    pub(crate) fn oldest_number(&self) -> u16 {
        self.versions.first().map_or(0, |version| version.number)
    }

    /// What is in it, but for its secrets.
    pub(crate) fn description(&self) -> Description {
        Description {
            first_day: self.newest().map_or(Day::OF_NEW_RINGS, |version| version.day),
            versions: self.versions.iter().map(|version| version.number).collect(),
        }
    }

    /// A version by its number.
    pub(crate) fn version(&self, number: u16) -> Option<&Version> {
        self.versions.get(usize::from(number.checked_sub(self.oldest_number())?))
    }

    /// The ring on the day `today`: keys of earlier days are gone, and versions that nothing needs any more too. It
    /// never goes back to a day before that of the newest version.
    pub(crate) fn moved_on(mut self, today: Day) -> Self {
        let Some(newest) = self.newest() else { return self };
        let (newest, today) = (newest.number, today.max(newest.day));
        for version in &mut self.versions {
            if version.number != newest && version.retired.is_none() {
                version.retired = Some(today);
            }
            version.move_on(today);
        }
        let needed = |version: &Version| version.retired.is_none_or(|retired| today.since(retired) < KEPT_DAYS);
        // Only from the front, so that no number is missing in between.
        let first = self.versions.iter().position(needed).unwrap_or_default();
        self.versions.drain(..first);
        self
    }

    /// The ring with a new version, or nothing if it has as many as it may or numbers have run out.
    pub(crate) fn rotated(mut self) -> Option<Self> {
        let newest = self.newest()?;
        let number = newest.number.checked_add(1).filter(|_| self.versions.len() < MAX_VERSIONS)?;
        let version = Version { number, day: newest.day, chain: Secret::random(), retired: None };
        self.versions.push(version);
        Some(self)
    }

    /// What two copies of one ring know together: all versions but those that either has dropped already, each as late
    /// as in either.
    pub(crate) fn merged(self, other: &Self) -> Result<Self, Apart> {
        if self.id != other.id || self.root != other.root {
            return Err(Apart::Another);
        }
        let oldest = self.oldest_number().max(other.oldest_number());
        let newest = |ring: &Self| ring.newest().map_or(0, |version| version.number);
        let newest = newest(&self).max(newest(other));
        let mut versions = Vec::with_capacity(usize::from(newest - oldest.min(newest)) + 1);
        for number in oldest..=newest {
            versions.extend(match (self.version(number), other.version(number)) {
                (Some(one), Some(two)) => Some(one.merged(two)?),
                (one, two) => one.or(two).cloned(),
            });
        }
        Ok(Self { versions, ..self })
    }
}

impl Version {
    /// Goes on to `day`, if that is later.
    pub(crate) fn move_on(&mut self, day: Day) {
        for _ in 0..day.since(self.day) {
            self.chain = self.chain.derive(LABEL_NEXT, b"");
        }
        self.day = self.day.max(day);
    }

    /// The key of this version's first day.
    pub(crate) fn day_key(&self) -> Secret {
        self.chain.derive(LABEL_DAY, b"")
    }

    fn merged(&self, other: &Self) -> Result<Self, Apart> {
        let (earlier, later) = if self.day <= other.day { (self, other) } else { (other, self) };
        let mut merged = earlier.clone();
        merged.move_on(later.day);
        if merged.chain != later.chain {
            return Err(Apart::Version(self.number));
        }
        // The later one keeps longer.
        merged.retired = self.retired.max(other.retired);
        Ok(merged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(number: u16) -> Day {
        Day::from_number(number).unwrap()
    }

    fn numbers(ring: &Ring) -> Vec<u16> {
        ring.versions.iter().map(|version| version.number).collect()
    }

    #[test]
    fn e2_moving_on_by_days_and_at_once_is_the_same_and_never_goes_back() {
        let ring = Ring::random();
        let mut by_days = ring.clone();
        for number in 11_000..=11_005 {
            by_days = by_days.moved_on(day(number));
        }
        let at_once = ring.clone().moved_on(day(11_005));
        assert_eq!(by_days, at_once);
        assert_ne!(ring, at_once);
        assert_eq!(at_once.clone().moved_on(day(11_000)), at_once);
    }

    #[test]
    fn a_rotated_version_is_kept_for_91_days_after_the_sweep_that_notes_it() {
        let ring = Ring::random().moved_on(day(20_000)).rotated().unwrap().moved_on(day(20_001));
        assert_eq!(ring.versions[0].retired, Some(day(20_001)));
        assert_eq!(ring.newest().unwrap().retired, None);
        let ring = ring.moved_on(day(20_091));
        assert_eq!(numbers(&ring), [1, 2]);
        assert_eq!(numbers(&ring.clone().moved_on(day(20_092))), [2]);
        // However late the next sweep comes, the version that seals stays.
        assert_eq!(numbers(&ring.moved_on(Day::LAST)), [2]);
    }

    #[test]
    fn a_rotation_before_the_first_sweep_loses_nothing_at_it() {
        let ring = Ring::random().rotated().unwrap().moved_on(day(20_000));
        assert_eq!(numbers(&ring), [1, 2]);
    }

    #[test]
    fn a_merge_loses_no_version_and_no_progress() {
        let common = Ring::random().moved_on(day(20_000));
        let ahead = common.clone().moved_on(day(20_010));
        let rotated = common.clone().rotated().unwrap().rotated().unwrap();
        let merged = ahead.clone().merged(&rotated).unwrap();
        assert_eq!(merged, rotated.clone().merged(&ahead).unwrap());
        assert_eq!(numbers(&merged), [1, 2, 3]);
        assert_eq!(merged.versions[0], ahead.versions[0]);
        // What one of them has dropped does not come back.
        let dropped = rotated.clone().moved_on(day(20_000)).moved_on(day(20_091));
        assert_eq!(numbers(&dropped), [3]);
        assert_eq!(rotated.merged(&dropped).unwrap(), dropped);
        assert_eq!(common.merged(&dropped).unwrap(), dropped);
    }

    #[test]
    fn rings_that_do_not_belong_together_are_not_merged() {
        let common = Ring::random();
        assert_eq!(common.clone().merged(&Ring::random()), Err(Apart::Another));
        let [one, two] = [common.clone().rotated().unwrap(), common.rotated().unwrap()];
        assert_eq!(one.merged(&two), Err(Apart::Version(2)));
    }

    #[test]
    fn versions_are_limited() {
        let mut ring = Ring::random();
        for _ in 1..MAX_VERSIONS {
            ring = ring.rotated().unwrap();
        }
        assert_eq!(ring.clone().rotated(), None);
        ring.versions = vec![Version { number: u16::MAX, ..ring.versions[0].clone() }];
        assert_eq!(ring.rotated(), None);
    }
}
