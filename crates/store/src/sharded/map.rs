//! Which store has which slots, and the file that says so.

use std::{collections::BTreeSet, fmt, ops::RangeInclusive};

use serde::Deserialize;

use crate::{ConversationKey, IdentityKey};

/// How many slots there are. It never changes: every key would be somewhere else.
pub(super) const SLOTS: u16 = 4096;

/// The format of the file.
const FORMAT: u64 = 1;

/// How long a shard's name may be, in bytes.
const LONGEST_NAME: usize = 64;

/// What a key's first 12 bits say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u16);

/// Which of several stores has which slots: each of the 4,096 slots belongs to exactly one.
///
/// A slot is the first 12 bits of a caller's or a conversation's key. The first store of a map is the directory: it has
/// what there is only once.
#[derive(Clone, PartialEq, Eq)]
pub struct ShardMap {
    shards: Vec<ShardOfMap>,
    /// By slot: the position of the store that has it.
    owners: Vec<usize>,
}

/// One of the stores of a map.
#[derive(Clone, PartialEq, Eq)]
pub struct ShardOfMap {
    /// Its name, which stays when its place changes: small letters, digits, `-` and `_`.
    pub name: String,
    /// Where it is. It may have a password, so that `Debug` leaves it out.
    pub url: String,
    /// Its slots. A shard without any has nothing, or is the directory.
    pub slots: Vec<RangeInclusive<u16>>,
}

/// What is wrong with a map.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MapError {
    /// It is no JSON, or not such JSON.
    #[error(
        "line {line}, column {column} is not as it has to be in a map of shards: a map is \
        {{\"agent_memory_shards\": 1, \"shards\": [{{\"name\": \"a\", \"url\": \"postgres://...\", \
        \"slots\": \"0-4095\"}}]}}"
    )]
    Syntax {
        /// Where, from 1.
        line: usize,
        /// Where, from 1.
        column: usize,
    },
    /// It was written for another version.
    #[error("\"agent_memory_shards\" is {found}, and this version knows {FORMAT}")]
    Format {
        /// What it says.
        found: u64,
    },
    /// It has no shard.
    #[error("\"shards\" is empty: a map has at least one")]
    NoShard,
    /// A shard has no good name.
    #[error("shards[{position}].name has to be 1 to {LONGEST_NAME} small letters, digits, `-` and `_`")]
    Name {
        /// Which shard, from 0.
        position: usize,
    },
    /// Two shards have one name.
    #[error("shards[{position}].name is {name:?}, and so is that of a shard before it: give every shard its own")]
    NameTwice {
        /// Which shard, from 0.
        position: usize,
        /// The name.
        name: String,
    },
    /// Two shards are in one place.
    #[error("shards[{position}].url is that of a shard before it: give every shard a store of its own")]
    UrlTwice {
        /// Which shard, from 0.
        position: usize,
    },
    /// A shard's slots cannot be read.
    #[error(
        "shards[{position}].slots is {found:?}, and has to be ranges of slots from 0 to 4095 such as \"0-2047\" or \
        \"0-99,200-299\""
    )]
    Slots {
        /// Which shard, from 0.
        position: usize,
        /// What it says.
        found: String,
    },
    /// A slot belongs to two shards, or twice to one.
    #[error("slot {slot} belongs to {first:?} and again to {second:?}: each slot belongs to exactly one shard")]
    SlotTwice {
        /// The first such slot.
        slot: u16,
        /// The shard that has it first.
        first: String,
        /// The shard that has it too.
        second: String,
    },
    /// A slot belongs to no shard.
    #[error("slot {slot} belongs to no shard: each of the slots from 0 to 4095 belongs to exactly one")]
    SlotMissing {
        /// The first such slot.
        slot: u16,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    agent_memory_shards: u64,
    shards: Vec<ShardOfFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ShardOfFile {
    name: String,
    url: String,
    slots: String,
}

impl Slot {
    /// A caller's.
    pub fn of_caller(identity: &IdentityKey) -> Self {
        Self::of(&identity.0)
    }

    /// A conversation's.
    pub fn of_conversation(conversation: &ConversationKey) -> Self {
        Self::of(&conversation.0)
    }

    /// The slot of a number below 4,096.
    pub(super) fn new(number: u16) -> Option<Self> {
        (number < SLOTS).then_some(Self(number))
    }

    pub(super) fn number(self) -> u16 {
        self.0
    }

    fn of([high, low, ..]: &[u8; 32]) -> Self {
        Self(u16::from_be_bytes([*high, *low]) >> 4)
    }
}

impl ShardMap {
    /// Reads the text of a map file.
    ///
    /// # Errors
    /// If it is not as it has to be. No message has a URL.
    pub fn parse(text: &str) -> Result<Self, MapError> {
        let file: File = serde_json::from_str(text)
            .map_err(|error| MapError::Syntax { line: error.line(), column: error.column() })?;
        if file.agent_memory_shards != FORMAT {
            return Err(MapError::Format { found: file.agent_memory_shards });
        }
        let shards = file.shards.into_iter().enumerate().map(|(position, ShardOfFile { name, url, slots })| {
            let ranges = slots.split_terminator(',').map(|range| read_range(range.trim())).collect::<Option<Vec<_>>>();
            let slots = ranges.ok_or(MapError::Slots { position, found: slots })?;
            Ok(ShardOfMap { name, url, slots })
        });
        Self::new(shards.collect::<Result<_, MapError>>()?)
    }

    /// A map of stores, the directory first.
    ///
    /// # Errors
    /// If names or places are not unique, or not every slot belongs to exactly one.
    pub fn new(shards: Vec<ShardOfMap>) -> Result<Self, MapError> {
        if shards.is_empty() {
            return Err(MapError::NoShard);
        }
        let (mut names, mut urls) = (BTreeSet::new(), BTreeSet::new());
        let mut owners: Vec<Option<(usize, &str)>> = vec![None; usize::from(SLOTS)];
        for (position, ShardOfMap { name, url, slots }) in shards.iter().enumerate() {
            let is_good = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
            if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(is_good) {
                return Err(MapError::Name { position });
            }
            if !names.insert(name) {
                return Err(MapError::NameTwice { position, name: name.clone() });
            }
            if !urls.insert(url) {
                return Err(MapError::UrlTwice { position });
            }
            for slot in slots.iter().cloned().flatten() {
                match owners.get_mut(usize::from(slot)) {
                    Some(owner @ None) => *owner = Some((position, name)),
                    Some(Some((_, first))) => {
                        return Err(MapError::SlotTwice { slot, first: (*first).to_owned(), second: name.clone() });
                    }
                    None => return Err(MapError::Slots { position, found: slot.to_string() }),
                }
            }
        }
        let owned = (0..).zip(owners).map(|(slot, owner)| match owner {
            Some((position, _)) => Ok(position),
            None => Err(MapError::SlotMissing { slot }),
        });
        let owners = owned.collect::<Result<_, _>>()?;
        Ok(Self { shards, owners })
    }

    /// The stores, the directory first.
    pub fn shards(&self) -> &[ShardOfMap] {
        &self.shards
    }

    /// The position of the store that has a slot.
    pub(super) fn owner(&self, slot: Slot) -> usize {
        self.owners.get(usize::from(slot.0)).copied().unwrap_or_default()
    }

    /// The name of the store that has a slot.
    pub(super) fn owner_name(&self, slot: Slot) -> &str {
        self.shards.get(self.owner(slot)).map_or("", |shard| &shard.name)
    }

    /// Stands for which slots which names have, and which of them is the directory. Places are not in it: a store may
    /// move to another machine.
    pub(super) fn digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        for slot in (0..SLOTS).filter_map(Slot::new) {
            hasher.update(self.owner_name(slot).as_bytes());
            hasher.update(&[0]);
        }
        hasher.update(self.shards.first().map_or("", |directory| &directory.name).as_bytes());
        *hasher.finalize().as_bytes()
    }
}

impl fmt::Debug for ShardMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.shards).finish()
    }
}

impl fmt::Debug for ShardOfMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, url: _, slots } = self;
        f.debug_struct("ShardOfMap").field("name", name).field("slots", slots).finish_non_exhaustive()
    }
}

/// Reads `7` or `0-99`.
fn read_range(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let read = |text: &str| text.trim().parse().ok().filter(|slot| *slot < SLOTS);
    let (first, last) = (read(first)?, read(last)?);
    (first <= last).then_some(first..=last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(shards: &[(&str, &str, &str)]) -> Result<ShardMap, MapError> {
        let shards = shards
            .iter()
            .map(|(name, url, slots)| format!(r#"{{"name": "{name}", "url": "{url}", "slots": "{slots}"}}"#));
        let shards: Vec<String> = shards.collect();
        ShardMap::parse(&format!(r#"{{"agent_memory_shards": 1, "shards": [{}]}}"#, shards.join(", ")))
    }

    #[test]
    fn every_slot_belongs_to_the_shard_that_the_map_names() {
        let map = map(&[("a", "x", "0-99, 200-4095"), ("b", "y", "100-198,199")]).unwrap();
        for slot in 0..SLOTS {
            let expected = if (100..200).contains(&slot) { "b" } else { "a" };
            assert_eq!(map.owner_name(Slot(slot)), expected, "{slot}");
        }
    }

    #[test]
    fn a_slot_is_the_first_12_bits_of_a_key() {
        let mut key = [0xff; 32];
        (key[0], key[1]) = (0xab, 0xcd);
        assert_eq!(Slot::of_caller(&IdentityKey(key)), Slot(0xabc));
        assert_eq!(Slot::of_conversation(&ConversationKey(key)), Slot(0xabc));
    }

    #[test]
    fn a_map_that_is_wrong_is_refused_and_says_where() {
        let wrong = [
            (map(&[]), "\"shards\" is empty: a map has at least one"),
            (map(&[("A", "x", "0-4095")]), "shards[0].name has to be 1 to 64 small letters, digits, `-` and `_`"),
            (
                map(&[("a", "x", "0-4"), ("a", "y", "5-4095")]),
                "shards[1].name is \"a\", and so is that of a shard before it: give every shard its own",
            ),
            (
                map(&[("a", "x", "0-4"), ("b", "x", "5-4095")]),
                "shards[1].url is that of a shard before it: give every shard a store of its own",
            ),
            (
                map(&[("a", "x", "0-5"), ("b", "y", "5-4095")]),
                "slot 5 belongs to \"a\" and again to \"b\": each slot belongs to exactly one shard",
            ),
            (
                map(&[("a", "x", "0-5"), ("b", "y", "7-4095")]),
                "slot 6 belongs to no shard: each of the slots from 0 to 4095 belongs to exactly one",
            ),
        ];
        for (map, expected) in wrong {
            assert_eq!(map.unwrap_err().to_string(), expected);
        }
        for slots in [" ", "0-4096", "5-4", "-1", "0-1-2", "a", "0-4095,,", "65536"] {
            let error = map(&[("a", "x", slots)]).unwrap_err();
            assert_eq!(error, MapError::Slots { position: 0, found: slots.to_owned() });
        }
        let format = ShardMap::parse(r#"{"agent_memory_shards": 2, "shards": []}"#).unwrap_err();
        assert_eq!(format, MapError::Format { found: 2 });
    }

    #[test]
    fn no_message_has_a_password() {
        let url = "postgres://user:secret@host/";
        let texts = [
            format!(r#"{{"agent_memory_shards": "{url}"}}"#),
            format!(r#"{{"agent_memory_shards": 1, "shards": ["{url}"]}}"#),
            format!(r#"{{"agent_memory_shards": 1, "{url}": 1}}"#),
        ];
        for text in texts {
            let error = ShardMap::parse(&text).unwrap_err();
            assert!(matches!(error, MapError::Syntax { line: 1, .. }), "{error}");
            assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
        }
        let map = map(&[("a", url, "0-4095")]).unwrap();
        assert!(!format!("{map:?}").contains("secret"));
    }

    #[test]
    fn a_digest_tells_maps_apart_and_not_places() {
        let of = |shards: &[_]| map(shards).unwrap().digest();
        let one = of(&[("a", "x", "0-99"), ("b", "y", "100-4095")]);
        assert_eq!(one, of(&[("a", "z", "0-9,10-99"), ("b", "w", "100-4095")]));
        assert_ne!(one, of(&[("a", "x", "0-98"), ("b", "y", "99-4095")]));
        assert_ne!(one, of(&[("b", "y", "100-4095"), ("a", "x", "0-99")]), "the directory is another");
    }
}
