//! What is counted in a round.

use std::collections::BTreeMap;

use serde::Serialize;

/// Counts by name: of what was tried, and of what must never happen. Both are shown, the latter most of all when it is
/// zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Figures {
    tried: BTreeMap<&'static str, u64>,
    wrong: BTreeMap<&'static str, u64>,
}

impl Figures {
    /// Counts something that was tried.
    pub fn tried(&mut self, name: &'static str, count: u64) {
        *self.tried.entry(name).or_default() += count;
    }

    /// Counts something that must never happen.
    pub fn wrong(&mut self, name: &'static str, count: u64) {
        *self.wrong.entry(name).or_default() += count;
    }

    /// How often something was tried, or happened that must not.
    pub fn count(&self, name: &str) -> u64 {
        self.tried.get(name).or(self.wrong.get(name)).copied().unwrap_or_default()
    }

    /// How much happened that must never happen.
    pub fn all_wrong(&self) -> u64 {
        self.wrong.values().sum()
    }

    /// Adds those of another round.
    pub fn merge(&mut self, other: &Self) {
        other.tried.iter().for_each(|(name, count)| self.tried(name, *count));
        other.wrong.iter().for_each(|(name, count)| self.wrong(name, *count));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_add_up() {
        let mut figures = Figures::default();
        figures.tried("cuts", 1);
        figures.wrong("lost", 0);
        let mut other = Figures::default();
        other.tried("cuts", 1);
        other.wrong("lost", 2);
        other.wrong("torn", 1);
        figures.merge(&other);
        assert_eq!((figures.count("cuts"), figures.count("lost"), figures.all_wrong()), (2, 2, 3));
    }
}
