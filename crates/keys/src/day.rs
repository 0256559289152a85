//! Days, as keys know them.

use std::fmt;

use jiff::civil::Date;
use jiff::{SignedDuration, Unit};
use serde::{Serialize, Serializer};

const SECONDS: i64 = 24 * 60 * 60;
const EPOCH: Date = Date::constant(1970, 1, 1);

/// A day in UTC, from 1970-01-01 to 2149-06-05. `Display` gives `2026-01-31`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(u16);

impl Day {
    /// The first day of a new ring, so that clocks may be set to the past. The first sweep moves it on.
    pub(crate) const OF_NEW_RINGS: Self = Self(10_957);
    /// The last day that can be written down: the number after it means that something never expires.
    pub(crate) const LAST: Self = Self(u16::MAX - 1);

    /// The day in which a moment lies, in Unix seconds. Moments before the first and after the last day count as these.
    pub fn of(seconds: i64) -> Self {
        let day = seconds.div_euclid(SECONDS).clamp(0, i64::from(Self::LAST.0));
        u16::try_from(day).map_or(Self::LAST, Self)
    }

    /// The day of a number, unless it is the number that means "never".
    pub(crate) fn from_number(number: u16) -> Option<Self> {
        (number <= Self::LAST.0).then_some(Self(number))
    }

    /// Days since 1970-01-01.
    pub fn number(self) -> u16 {
        self.0
    }

    /// The day of a text like `2026-01-31`.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let date: Date = text.parse().ok()?;
        let days = EPOCH.until((Unit::Day, date)).ok()?.get_days();
        let day = u16::try_from(days).ok().and_then(Self::from_number)?;
        // A date can be spelt in other ways, which are of no use here.
        (day.to_string() == text).then_some(day)
    }

    /// Days from `earlier` to this one, 0 if it is not earlier.
    pub(crate) fn since(self, earlier: Self) -> u16 {
        self.0.saturating_sub(earlier.0)
    }
}

impl Serialize for Day {
    /// As the date, such as `2026-11-20`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = EPOCH.checked_add(SignedDuration::from_secs(i64::from(self.0) * SECONDS));
        date.map_err(|_| fmt::Error)?.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_the_one_in_which_a_moment_lies() {
        for (seconds, text) in [
            (i64::MIN, "1970-01-01"),
            (-1, "1970-01-01"),
            (0, "1970-01-01"),
            (946_684_799, "1999-12-31"),
            (946_684_800, "2000-01-01"),
            (1_772_323_199, "2026-02-28"),
            (1_772_323_200, "2026-03-01"),
            (i64::MAX, "2149-06-05"),
        ] {
            assert_eq!(Day::of(seconds).to_string(), text);
            assert_eq!(Day::from_text(text).unwrap(), Day::of(seconds));
        }
        assert_eq!(Day::OF_NEW_RINGS, Day::of(946_684_800));
    }

    #[test]
    fn no_other_text_is_a_day() {
        for text in
            ["", "2026", "2026-2-1", "20260201", "2026-02-30", "1969-12-31", "2149-06-06", "2026-02-01T00:00:00"]
        {
            assert_eq!(Day::from_text(text), None, "{text}");
        }
    }
}
