//! Between what the host knows and what a store may see.
//!
//! A store is given keys that stand for callers and conversations, and sealed bytes. What is in the bytes, by which
//! key a caller goes, and for how long something can be read, is decided here and nowhere else.

use std::fmt;

use agent_memory_keys::{Day, Destroyed, Keys, KeysError, Lifetime, SealError};
use agent_memory_store::{
    ActId, AgentKey, ConversationKey, Field, IdentityKey, Interaction, InteractionId, Mark, NewRow, RowId, Sealed,
    VersionKey,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::bindings::policy::{DraftReport, Identifier, IdentifierKind, Metric, PatchField};
use crate::{Scope, Session};

/// The format of every record, its first byte.
const FORMAT: u8 = 1;

/// No retention is longer (rule C3), in seconds.
pub(crate) const LONGEST_RETENTION: i64 = 90 * DAY;

/// A day, in seconds.
pub(crate) const DAY: i64 = 24 * 3600;

/// Seals and opens. It takes every record together with what the record belongs to.
#[derive(Clone, Debug)]
pub(crate) struct Codec {
    keys: Keys,
}

/// What a sealed record belongs to. A record that turns up elsewhere cannot be opened.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'a> {
    Field {
        identity: IdentityKey,
        key: &'a str,
        written: i64,
        expires: i64,
    },
    Identifier(IdentityKey),
    Report {
        conversation: ConversationKey,
        identity: IdentityKey,
    },
    Session(ConversationKey),
    /// Also the copy in a metric row, which has nothing that leads to the caller (A6).
    Interaction(InteractionId),
    Row {
        id: RowId,
        began: i64,
    },
    Agent(VersionKey),
    Act {
        id: ActId,
        at: i64,
    },
}

/// Why what the store holds cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// It was changed, or belongs elsewhere, or was never written by this program.
    Damaged,
    /// Its day's key was destroyed.
    Destroyed,
    /// It is sealed by a key that the ring does not have, or not sealed although there is a ring, or the other way
    /// round.
    OtherKeys,
}

/// An identifier, in the form in which it is stored.
#[derive(Serialize, Deserialize)]
pub(crate) struct StoredIdentifier {
    pub(crate) scope: Scope,
    pub(crate) identifier: Identifier,
}

/// A report, in the form in which it is stored.
#[derive(Serialize, Deserialize)]
pub(crate) struct StoredReport {
    pub(crate) conversation: String,
    pub(crate) draft: DraftReport,
    /// When its mark expires, which a store could otherwise change unseen.
    pub(crate) expires: i64,
}

/// What is recorded of a conversation for analytics.
#[derive(Serialize, Deserialize)]
pub(crate) struct RowDetails {
    pub(crate) conversation: String,
    pub(crate) scope: Scope,
    pub(crate) channel: String,
}

/// What is recorded of a first interaction, with its times, which a store could otherwise change unseen.
#[derive(Serialize, Deserialize)]
pub(crate) struct InteractionRecord {
    pub(crate) began: i64,
    pub(crate) expires: i64,
    pub(crate) metrics: Vec<Metric>,
}

impl Codec {
    pub(crate) fn new(keys: Keys) -> Self {
        Self { keys }
    }

    /// From when nothing that is held now, and expires as late as anything can, may be read by anybody, once it was swept.
    /// None if nothing is sealed.
    pub(crate) fn unreadable_from(&self, now: i64) -> Option<i64> {
        let first_day = self.keys.description()?.first_day;
        let last_day = first_day.max(Day::of(now.saturating_add(LONGEST_RETENTION)));
        Some((i64::from(last_day.number()) + 1) * DAY)
    }

    /// Destroys the keys of all days before that of a time, for this process and for all that have the ring from the same
    /// source. It may wait for a disk or a program.
    pub(crate) fn destroy_before(&self, now: i64) -> Result<Destroyed, KeysError> {
        self.keys.destroy_before(now)
    }

    /// The key that a caller goes by. No two scopes, kinds and identifiers share one.
    pub(crate) fn identity_key(&self, scope: &Scope, identifier: &Identifier) -> IdentityKey {
        let kind: &[u8] = match identifier.kind {
            IdentifierKind::Phone => b"phone",
            IdentifierKind::Custom => b"custom",
        };
        IdentityKey(self.pseudonym(b"identity", scope, &[kind, identifier.text.as_bytes()]))
    }

    /// The key that a conversation goes by.
    pub(crate) fn conversation_key(&self, scope: &Scope, id: &str) -> ConversationKey {
        ConversationKey(self.pseudonym(b"conversation", scope, &[id.as_bytes()]))
    }

    /// The key that an agent goes by.
    pub(crate) fn agent_key(&self, scope: &Scope) -> AgentKey {
        AgentKey(self.pseudonym(b"agent", scope, &[]))
    }

    /// A field with its value sealed, to be read until it expires.
    pub(crate) fn seal_field(&self, identity: IdentityKey, field: PatchField) -> Field {
        let PatchField { key, value, written, expires } = field;
        let place = Place::Field { identity, key: &key, written, expires };
        let value = Sealed(self.keys.seal(Lifetime::Until(expires), &place.to_bytes(), value.as_bytes()));
        Field { key, written, expires, value }
    }

    /// Opens a field's value.
    pub(crate) fn open_value(&self, identity: IdentityKey, field: &Field) -> Result<String, Unreadable> {
        let Field { key, written, expires, value } = field;
        let place = Place::Field { identity, key, written: *written, expires: *expires };
        let value = self.keys.open_sealed(&place.to_bytes(), &value.0)?;
        String::from_utf8(value).map_err(|_| Unreadable::Damaged)
    }

    /// Seals a record.
    pub(crate) fn seal<T: Serialize>(&self, place: Place<'_>, lifetime: Lifetime, record: &T) -> Sealed {
        // Records are made of texts, numbers and lists of known length, which postcard can always write.
        let record = postcard::to_extend(record, vec![FORMAT]).unwrap_or_default();
        Sealed(self.keys.seal(lifetime, &place.to_bytes(), &record))
    }

    /// Opens a record.
    pub(crate) fn open<T: DeserializeOwned>(&self, place: Place<'_>, sealed: &Sealed) -> Result<T, Unreadable> {
        match self.keys.open_sealed(&place.to_bytes(), &sealed.0)?.split_first() {
            Some((&FORMAT, record)) => postcard::from_bytes(record).map_err(|_| Unreadable::Damaged),
            _ => Err(Unreadable::Damaged),
        }
    }

    /// Seals a session, to be read until it expires.
    pub(crate) fn seal_session(&self, key: ConversationKey, session: &Session) -> Sealed {
        let place = Place::Session(key);
        Sealed(self.keys.seal(Lifetime::Until(session.expires), &place.to_bytes(), &session.to_bytes()))
    }

    /// Opens a session.
    pub(crate) fn open_session(&self, key: ConversationKey, sealed: &Sealed) -> Result<Session, Unreadable> {
        let session = self.keys.open_sealed(&Place::Session(key).to_bytes(), &sealed.0)?;
        Session::from_bytes(&session).map_err(|_| Unreadable::Damaged)
    }

    /// Seals an identifier. It can be read for as long as anything may be held on the caller, whatever retention it was
    /// written with.
    pub(crate) fn identifier(&self, key: IdentityKey, scope: &Scope, identifier: Identifier, now: i64) -> Sealed {
        let until = Lifetime::Until(now.saturating_add(LONGEST_RETENTION));
        self.seal(Place::Identifier(key), until, &StoredIdentifier { scope: scope.clone(), identifier })
    }

    /// What is to be remembered of a commit.
    pub(crate) fn mark(&self, conversation: ConversationKey, identity: IdentityKey, report: &StoredReport) -> Mark {
        let (place, expires) = (Place::Report { conversation, identity }, report.expires);
        Mark { expires, report: self.seal(place, Lifetime::Until(expires), report) }
    }

    /// A first interaction with its record sealed, to be read until it expires.
    pub(crate) fn seal_interaction(&self, id: InteractionId, record: &InteractionRecord) -> Interaction {
        let InteractionRecord { began, expires, .. } = *record;
        let sealed = self.seal(Place::Interaction(id), Lifetime::Until(expires), record);
        Interaction { id, began, expires, record: sealed }
    }

    /// Opens what is recorded of a first interaction.
    pub(crate) fn open_interaction(&self, interaction: &Interaction) -> Result<InteractionRecord, Unreadable> {
        let Interaction { id, began, expires, record } = interaction;
        let record: InteractionRecord = self.open(Place::Interaction(*id), record)?;
        if (record.began, record.expires) != (*began, *expires) {
            return Err(Unreadable::Damaged);
        }
        Ok(record)
    }

    /// The metric row of a conversation. It expires with an interaction that may have begun later than this one, so that
    /// its details can be read for as long as any may be held.
    pub(crate) fn row(&self, id: RowId, began: i64, details: &RowDetails, now: i64) -> NewRow {
        let until = Lifetime::Until(now.saturating_add(LONGEST_RETENTION));
        NewRow { id, began, details: self.seal(Place::Row { id, began }, until, details) }
    }

    fn pseudonym(&self, label: &[u8], scope: &Scope, parts: &[&[u8]]) -> [u8; 32] {
        let within: [&[u8]; 3] = [label, scope.project.as_bytes(), scope.environment.as_bytes()];
        let parts: Vec<&[u8]> = within.iter().chain(parts).copied().collect();
        self.keys.pseudonym(&scope.account, &parts)
    }
}

impl Place<'_> {
    /// Bytes that no other place has: what it is, and then parts of known length but for the last.
    fn to_bytes(self) -> Vec<u8> {
        match self {
            Self::Field { identity, key, written, expires } => {
                let times = [written.to_be_bytes(), expires.to_be_bytes()];
                [b"field".as_slice(), &identity.0, times.as_flattened(), key.as_bytes()].concat()
            }
            Self::Identifier(IdentityKey(key)) => [b"identifier".as_slice(), &key].concat(),
            Self::Report { conversation, identity } => [b"report".as_slice(), &conversation.0, &identity.0].concat(),
            Self::Session(ConversationKey(key)) => [b"session".as_slice(), &key].concat(),
            Self::Interaction(InteractionId(id)) => [b"interaction".as_slice(), &id].concat(),
            Self::Row { id, began } => [b"row".as_slice(), &id.0, &began.to_be_bytes()].concat(),
            Self::Agent(VersionKey(key)) => [b"agent".as_slice(), &key].concat(),
            Self::Act { id, at } => [b"act".as_slice(), &id.0, &at.to_be_bytes()].concat(),
        }
    }
}

impl From<SealError> for Unreadable {
    fn from(error: SealError) -> Self {
        match error {
            SealError::Destroyed { .. } => Self::Destroyed,
            SealError::Damaged => Self::Damaged,
            SealError::UnknownVersion { .. } | SealError::NotSealed | SealError::Sealed => Self::OtherKeys,
        }
    }
}

impl Unreadable {
    /// Why, in words.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Damaged => "it was changed, or belongs to somebody or something else",
            Self::Destroyed => "the key of the day on which it expired was destroyed",
            Self::OtherKeys => "it is not sealed by these keys",
        }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codec() -> Codec {
        Codec::new(Keys::ephemeral())
    }

    fn key(
        codec: &Codec,
        account: &str,
        project: &str,
        environment: &str,
        kind: IdentifierKind,
        text: &str,
    ) -> IdentityKey {
        let [account, project, environment] = [account, project, environment].map(String::from);
        let scope = Scope { account, project, environment };
        codec.identity_key(&scope, &Identifier { kind, text: text.into() })
    }

    /// Every place has keys of its own kind, all of which look alike.
    const PLACES: [Place<'static>; 12] = [
        Place::Field { identity: IdentityKey([1; 32]), key: "key", written: 0, expires: 1 },
        Place::Field { identity: IdentityKey([1; 32]), key: "other", written: 0, expires: 1 },
        Place::Identifier(IdentityKey([1; 32])),
        Place::Report { conversation: ConversationKey([1; 32]), identity: IdentityKey([1; 32]) },
        Place::Report { conversation: ConversationKey([1; 32]), identity: IdentityKey([2; 32]) },
        Place::Session(ConversationKey([1; 32])),
        Place::Interaction(InteractionId([1; 16])),
        Place::Row { id: RowId([1; 16]), began: 1 },
        Place::Row { id: RowId([1; 16]), began: 2 },
        Place::Agent(VersionKey([1; 32])),
        Place::Act { id: ActId([1; 16]), at: 1 },
        Place::Act { id: ActId([1; 16]), at: 2 },
    ];

    #[test]
    fn i8_no_two_scopes_or_kinds_share_a_key() {
        let codec = codec();
        let one = key(&codec, "a", "b", "c", IdentifierKind::Phone, "+1");
        assert_eq!(one, key(&codec, "a", "b", "c", IdentifierKind::Phone, "+1"));
        let others = [
            key(&codec, "ab", "", "c", IdentifierKind::Phone, "+1"),
            key(&codec, "a", "bc", "", IdentifierKind::Phone, "+1"),
            key(&codec, "b", "a", "c", IdentifierKind::Phone, "+1"),
            key(&codec, "a", "b", "c", IdentifierKind::Custom, "+1"),
            key(&codec, "a", "b", "c", IdentifierKind::Phone, "+2"),
        ];
        for other in others {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn a_record_that_was_moved_elsewhere_cannot_be_opened() {
        let codec = codec();
        for (index, place) in PLACES.into_iter().enumerate() {
            let sealed = codec.seal(place, Lifetime::Permanent, &vec!["text".to_owned()]);
            for (other_index, other) in PLACES.into_iter().enumerate() {
                let opened = codec.open::<Vec<String>>(other, &sealed);
                let expected =
                    if index == other_index { Ok(vec!["text".to_owned()]) } else { Err(Unreadable::Damaged) };
                assert_eq!(opened, expected, "{place:?} at {other:?}");
            }
        }
    }

    #[test]
    fn a_value_belongs_to_one_caller_one_key_and_its_times() {
        let (codec, [one, other]) = (codec(), [[1; 32], [2; 32]].map(IdentityKey));
        let field = PatchField { key: "key".into(), value: "value".into(), written: 3600, expires: 7200 };
        let field = codec.seal_field(one, field);
        assert_eq!(codec.open_value(one, &field), Ok("value".to_owned()));
        assert_eq!(codec.open_value(other, &field), Err(Unreadable::Damaged));
        for moved in [
            Field { key: "other".into(), ..field.clone() },
            Field { written: 0, ..field.clone() },
            Field { expires: 10_800, ..field.clone() },
        ] {
            assert_eq!(codec.open_value(one, &moved), Err(Unreadable::Damaged));
        }
        assert!(self::codec().open_value(one, &field).is_err(), "with other keys");
    }

    #[test]
    fn a_record_of_another_format_is_unreadable_and_nothing_else() {
        let (place, codec) = (Place::Agent(VersionKey([0; 32])), Codec::new(Keys::plaintext()));
        for record in [vec![], vec![9], vec![FORMAT, 255, 255]] {
            let sealed = Sealed(codec.keys.seal(Lifetime::Permanent, &place.to_bytes(), &record));
            assert_eq!(codec.open::<Vec<String>>(place, &sealed), Err(Unreadable::Damaged));
        }
    }
}
