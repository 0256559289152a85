//! Whose memory it is (I1 to I9).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::configuration::{Configuration, MAX_RETENTION_DAYS, MemoryRules, Settings};
use crate::error::InputError;
use crate::json::{self, Json};
use crate::session::session_expiry;
use crate::state::{State, StateEntry, StateValue};
use crate::timestamp::{Timestamp, expiry};

/// What an identifier is. The two kinds never meet, even with the same text (I8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum IdentifierKind {
    /// The caller's number.
    Phone,
    /// Anything else.
    Custom,
}

/// An identifier in canonical form (I3).
///
/// It has no `Display`, and its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Identifier {
    kind: IdentifierKind,
    text: String,
}

/// Why there is no identifier. An ordinary outcome (I9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffReason {
    /// The configuration has no memory.
    MemoryOff,
    /// There is no caller's number.
    NoCallerNumber,
    /// The caller's number is withheld.
    Withheld,
    /// The configured source yields nothing.
    SourceEmpty,
    /// The identifier is on the blacklist.
    Blacklisted,
}

/// Whose memory it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// This caller's.
    Known(Identifier),
    /// Nobody's, and why.
    Off(OffReason),
}

/// What a caller may be identified by, the state aside.
///
/// Its `Debug` shows none of it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Caller {
    /// The caller's number.
    pub caller_number: Option<String>,
    /// The call's SIP headers: names and values.
    pub sip_headers: Vec<(String, String)>,
    /// What integrations attached to the conversation: a JSON object.
    pub integration_attributes: Option<Json>,
}

/// The answer of [`identify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identified {
    /// Whose memory it is.
    pub identity: Identity,
    /// When the conversation's session is to be deleted if nothing happens until then (P4).
    pub session_expires: Timestamp,
}

/// An identifier that an administrator named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedIdentifier {
    /// The identifier.
    pub identifier: Identifier,
    /// Until when an erasure carried out now has to be remembered, so that no conversation that began before it writes
    /// again.
    pub erasure_expires: Timestamp,
}

/// Whose memory a conversation reads, from what is known now.
pub fn identify(
    settings: &Settings,
    caller: &Caller,
    state: Vec<StateEntry>,
    now: Timestamp,
) -> Result<Identified, InputError> {
    let Configuration { keys, memory } = Configuration::from_settings(settings)?;
    let identity = identity(memory.as_ref(), caller, &State::new(keys, state)?)?;
    Ok(Identified { identity, session_expires: session_expiry(now) })
}

/// The canonical form of an identifier that an administrator names, or why it is none.
pub fn canonicalize(kind: IdentifierKind, text: &str, now: Timestamp) -> Result<NamedIdentifier, OffReason> {
    let identifier = Identifier::canonical(kind, text)?;
    Ok(NamedIdentifier { identifier, erasure_expires: expiry(now, MAX_RETENTION_DAYS) })
}

/// Whose memory it is that an administrator names under a configuration, which is none with memory off.
pub(crate) fn named(memory: Option<&MemoryRules>, kind: IdentifierKind, text: &str) -> Identity {
    let Some(MemoryRules { blacklist, .. }) = memory else { return Identity::Off(OffReason::MemoryOff) };
    match Identifier::canonical(kind, text) {
        Ok(identifier) if blacklist.contains(&identifier) => Identity::Off(OffReason::Blacklisted),
        Ok(identifier) => Identity::Known(identifier),
        Err(reason) => Identity::Off(reason),
    }
}

/// Whose memory a conversation reads and writes under a configuration, which is none with memory off.
pub(crate) fn identity(memory: Option<&MemoryRules>, caller: &Caller, state: &State) -> Result<Identity, InputError> {
    let attributes = match &caller.integration_attributes {
        Some(Json(text)) => json::object_members(text).ok_or(InputError::IntegrationAttributes)?,
        None => Vec::new(),
    };
    let Some(MemoryRules { sources, blacklist, .. }) = memory else {
        return Ok(Identity::Off(OffReason::MemoryOff));
    };
    let mut reason = OffReason::SourceEmpty;
    for source in sources {
        let text = match source {
            Source::CallerNumber => caller.caller_number.clone(),
            Source::SipHeader(name) => sip_header(caller, name).map(str::to_owned),
            Source::IntegrationAttribute(name) => {
                let value = attributes.iter().rev().find(|(attribute, _)| attribute == name);
                value.and_then(|(_, value)| json::text_or_integer(value.get()))
            }
            Source::State(key) => match state.get(key) {
                Some(StateValue::Json(Json(value))) => json::text_or_integer(value),
                _ => None,
            },
        };
        match Identifier::canonical(source.kind(), text.as_deref().unwrap_or_default()) {
            Ok(identifier) if blacklist.contains(&identifier) => return Ok(Identity::Off(OffReason::Blacklisted)),
            Ok(identifier) => return Ok(Identity::Known(identifier)),
            Err(why_not) => reason = why_not,
        }
    }
    Ok(Identity::Off(reason))
}

impl Identifier {
    /// What it is.
    pub fn kind(&self) -> IdentifierKind {
        self.kind
    }

    /// The canonical text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The canonical text, to keep.
    pub fn into_text(self) -> String {
        self.text
    }

    /// The identifier that a text stands for, or why it stands for none.
    fn canonical(kind: IdentifierKind, text: &str) -> Result<Self, OffReason> {
        let (text, if_empty) = match kind {
            IdentifierKind::Phone => (canonical_number(text), OffReason::NoCallerNumber),
            IdentifierKind::Custom => (text.trim().to_owned(), OffReason::SourceEmpty),
        };
        // What has another address in it, such as `tel:tel:1`, would be another caller's once somebody names it in the form
        // in which it is exported.
        let is_nested =
            kind == IdentifierKind::Phone && SCHEMES.iter().any(|scheme| strip_scheme(&text, scheme).is_some());
        if text.is_empty() || is_nested {
            return Err(if_empty);
        }
        if kind == IdentifierKind::Phone && is_withheld(&text) {
            return Err(OffReason::Withheld);
        }
        Ok(Self { kind, text })
    }
}

impl fmt::Debug for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identifier({:?}, ..)", self.kind)
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Caller(..)")
    }
}

/// The first header of a name, compared without case, that is not empty.
fn sip_header<'a>(caller: &'a Caller, name: &str) -> Option<&'a str> {
    let mut values = caller.sip_headers.iter().filter(|(header, _)| header.eq_ignore_ascii_case(name));
    values.find_map(|(_, value)| Some(value.as_str()).filter(|value| !value.trim().is_empty()))
}

/// The number in `tel:` URIs, the user in `sip:` and `sips:` URIs, or else the whole text; without parameters, white
/// space and visual separators. A `sip:` URI without a user yields nothing, for its host is no caller.
fn canonical_number(text: &str) -> String {
    let text = text.trim();
    let number = if let Some(number) = strip_scheme(text, "tel:") {
        until(number, ';')
    } else if let Some(address) = strip_scheme(text, "sip:").or_else(|| strip_scheme(text, "sips:")) {
        address.split_once('@').map_or("", |(user, _)| until(until(user, ';'), ':'))
    } else {
        text
    };
    number.chars().filter(|char| !char.is_whitespace() && !"-.()".contains(*char)).collect()
}

/// What an address begins with.
const SCHEMES: [&str; 3] = ["tel:", "sip:", "sips:"];

fn strip_scheme<'a>(text: &'a str, scheme: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(scheme.len())?;
    start.eq_ignore_ascii_case(scheme).then_some(rest)
}

fn until(text: &str, end: char) -> &str {
    text.split(end).next().unwrap_or_default()
}

/// What carriers send in place of a withheld number, without the leading `+`: words typed on a telephone's keypad.
///
/// They count without the `+` too, which some carriers leave out. Some could then be a local number or an extension:
/// that somebody is not remembered does less harm than that all withheld callers share one memory.
const WITHHELD_NUMBERS: [&str; 7] = [
    "266696687",   // ANONYMOUS
    "1266696687",  // ANONYMOUS, behind the country code of North America
    "7378742833",  // RESTRICTED
    "2562533",     // BLOCKED
    "8656696",     // UNKNOWN
    "86282452253", // UNAVAILABLE
    "464",
];

/// Whether a canonical number stands for no caller at all (I4): it has no digit, or none but zeros, or is one that
/// carriers send for a withheld number.
fn is_withheld(number: &str) -> bool {
    let digits = number.strip_prefix('+').unwrap_or(number);
    let has_other_digit_than_zero = number.bytes().any(|byte| byte.is_ascii_digit() && byte != b'0');
    !has_other_digit_than_zero || WITHHELD_NUMBERS.contains(&digits)
}

/// Where an identifier comes from (I2).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Source {
    CallerNumber,
    /// By the header's name in lower case.
    SipHeader(String),
    IntegrationAttribute(String),
    State(String),
}

impl Source {
    fn kind(&self) -> IdentifierKind {
        match self {
            Self::CallerNumber => IdentifierKind::Phone,
            Self::SipHeader(_) | Self::IntegrationAttribute(_) | Self::State(_) => IdentifierKind::Custom,
        }
    }
}

/// The identifiers that are not to be remembered (I7), in canonical form, both lists ordered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Blacklist {
    exact: Vec<Identifier>,
    prefixes: Vec<Identifier>,
}

/// What an entry of the blacklist is good for.
pub(crate) enum BlacklistEntry {
    Useful,
    MatchesNothing,
    MatchesEverything,
}

impl Blacklist {
    /// The list of entries as they were written, and what each is good for.
    pub(crate) fn new<'a>(
        entries: impl IntoIterator<Item = &'a str>,
        sources: &[Source],
    ) -> (Self, Vec<BlacklistEntry>) {
        let mut blacklist = Self::default();
        let uses = entries.into_iter().map(|entry| blacklist.add(entry, sources)).collect();
        for entries in [&mut blacklist.exact, &mut blacklist.prefixes] {
            entries.sort();
            entries.dedup();
        }
        (blacklist, uses)
    }

    fn contains(&self, identifier: &Identifier) -> bool {
        let begins = |prefix: &Identifier| prefix.kind == identifier.kind && identifier.text.starts_with(&prefix.text);
        self.exact.binary_search(identifier).is_ok() || self.prefixes.iter().any(begins)
    }

    /// Adds an entry for every kind of identifier that the sources yield.
    fn add(&mut self, entry: &str, sources: &[Source]) -> BlacklistEntry {
        let mut matches_something = false;
        let mut matches_everything = false;
        for kind in [IdentifierKind::Phone, IdentifierKind::Custom] {
            if !sources.iter().any(|source| source.kind() == kind) {
                continue;
            }
            if let Some(prefix) = entry.trim().strip_suffix('*') {
                let text = canonical_prefix(kind, prefix);
                matches_everything |= text.is_empty();
                matches_something = true;
                self.prefixes.push(Identifier { kind, text });
            } else if let Ok(identifier) = Identifier::canonical(kind, entry) {
                matches_something = true;
                self.exact.push(identifier);
            }
        }
        match (matches_something, matches_everything) {
            (false, _) => BlacklistEntry::MatchesNothing,
            (true, true) => BlacklistEntry::MatchesEverything,
            (true, false) => BlacklistEntry::Useful,
        }
    }
}

/// The beginning of an identifier in canonical form. That of a `sip:` URI has no host yet.
fn canonical_prefix(kind: IdentifierKind, prefix: &str) -> String {
    match kind {
        IdentifierKind::Phone => canonical_number(&format!("{prefix}@")).trim_end_matches('@').to_owned(),
        IdentifierKind::Custom => prefix.trim_start().to_owned(),
    }
}
