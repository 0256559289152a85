//! Who calls whom, and what is configured.

use agent_memory_host::{NoIdentifier, Scope};

pub(crate) const HOUR: i64 = 3_600;
pub(crate) const DAY: i64 = 24 * HOUR;

/// When every sequence begins: 2026-03-02T10:20:00Z.
pub(crate) const START: i64 = 1_772_446_800;

/// How long a session is kept after the last turn (P4).
pub(crate) const SESSION: i64 = DAY;

/// How long an erasure has to be remembered: as long as the longest retention.
pub(crate) const ERASURE: i64 = 90 * DAY;

/// The keys that functions set. The last one is not configured anywhere.
pub(crate) const KEYS: [&str; 4] = ["cheese_type", "booking_day", "mood", "note"];

pub(crate) const QA: [&str; 2] = ["resolved", "open"];

/// Account, project and environment: two of one account, and one of another.
pub(crate) const SCOPES: [[&str; 3]; 3] =
    [["acme", "shop", "live"], ["acme", "shop", "draft"], ["bolt", "shop", "live"]];

/// Somebody who calls: the number, and the identifier that it stands for (I3, I4, I7).
pub(crate) const CALLERS: [(Option<&str>, Result<&str, NoIdentifier>); 6] = [
    (Some("+441632960001"), Ok("+441632960001")),
    (Some("tel:+44-1632-960002"), Ok("+441632960002")),
    (Some("+44 1632 960001"), Ok("+441632960001")),
    (Some("+447700900000"), Err(NoIdentifier::Blacklisted)),
    (Some("anonymous"), Err(NoIdentifier::Withheld)),
    (None, Err(NoIdentifier::NoCallerNumber)),
];

pub(crate) fn scope(index: usize) -> Scope {
    let [account, project, environment] = SCOPES[index].map(str::to_owned);
    Scope { account, project, environment }
}

/// What is configured for an agent.
#[derive(Debug, PartialEq)]
pub(crate) struct Configuration {
    /// The keys, and for how many days each is retained.
    pub(crate) keys: &'static [(&'static str, i64)],
    pub(crate) retention: i64,
    pub(crate) analytics: bool,
}

/// The configurations of each scope: the first is there at the beginning, the other comes with [`Configure`].
///
/// [`Configure`]: super::steps::Action::Configure
pub(crate) static CONFIGURATIONS: [&[Configuration]; 3] = [
    &[
        Configuration {
            keys: &[("cheese_type", 30), ("booking_day", 30), ("mood", 1)],
            retention: 30,
            analytics: true,
        },
        Configuration { keys: &[("cheese_type", 7), ("mood", 7)], retention: 7, analytics: true },
    ],
    &[Configuration { keys: &[("cheese_type", 90), ("mood", 90)], retention: 90, analytics: false }],
    &[Configuration { keys: &[("booking_day", 2), ("mood", 2)], retention: 2, analytics: true }],
];

impl Configuration {
    pub(crate) fn days(&self, key: &str) -> Option<i64> {
        self.keys.iter().find(|(of, _)| *of == key).map(|(_, days)| *days)
    }

    pub(crate) fn to_json(&self) -> String {
        let keys: Vec<_> = self.keys.iter().map(|(key, _)| key).collect();
        let days: std::collections::BTreeMap<_, _> = self.keys.iter().copied().collect();
        serde_json::json!({"memory": {"repeat_caller": {
            "state_keys": keys,
            "retention_days": self.retention,
            "retention_days_by_key": days,
            "analytics_enabled": self.analytics,
            "identifier_blacklist": ["+4477*"],
        }}})
        .to_string()
    }
}

pub(crate) fn hour(time: i64) -> i64 {
    time / HOUR * HOUR
}
