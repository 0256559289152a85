//! Between what the host knows and what a store may see.
//!
//! A store is given keys that stand for callers and conversations, and bytes. What is in the bytes, and by which
//! key a caller goes, is decided here and nowhere else.

use agent_memory_store::{AgentKey, ConversationKey, IdentityKey, InteractionId, RowId, Sealed, VersionKey};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use crate::bindings::policy::{DraftReport, Identifier, IdentifierKind, Metric};
use crate::{Scope, Session};

/// The format of every sealed record, its first byte.
const FORMAT: u8 = 1;

/// Seals and opens. It takes every record together with what the record belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Codec;

/// What a sealed record belongs to. A record that turns up elsewhere is damaged.
#[derive(Clone, Copy, Debug)]
#[allow(dead_code, reason = "what a record belongs to is bound to it once records are encrypted")]
pub(crate) enum Place<'a> {
    Field { identity: IdentityKey, key: &'a str, expires: i64 },
    Identifier(IdentityKey),
    Report(ConversationKey),
    Session(ConversationKey),
    Interaction(InteractionId),
    Row(RowId),
    Agent(VersionKey),
}

/// What the store holds cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable;

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
}

/// What is recorded of a conversation for analytics.
#[derive(Serialize, Deserialize)]
pub(crate) struct RowDetails {
    pub(crate) conversation: String,
    pub(crate) scope: Scope,
    pub(crate) channel: String,
}

/// What is recorded of a first interaction.
pub(crate) type InteractionRecord = Vec<Metric>;

impl Codec {
    /// The key that a caller goes by. No two scopes, kinds and identifiers share one.
    pub(crate) fn identity_key(self, scope: &Scope, identifier: &Identifier) -> IdentityKey {
        let kind: &[u8] = match identifier.kind {
            IdentifierKind::Phone => b"phone",
            IdentifierKind::Custom => b"custom",
        };
        IdentityKey(digest(b"identity", scope, &[kind, identifier.text.as_bytes()]))
    }

    /// The key that a conversation goes by.
    pub(crate) fn conversation_key(self, scope: &Scope, id: &str) -> ConversationKey {
        ConversationKey(digest(b"conversation", scope, &[id.as_bytes()]))
    }

    /// The key that an agent goes by.
    pub(crate) fn agent_key(self, scope: &Scope) -> AgentKey {
        AgentKey(digest(b"agent", scope, &[]))
    }

    /// Seals a field's value.
    pub(crate) fn seal_value(self, _place: Place<'_>, value: String) -> Sealed {
        Sealed(value.into_bytes())
    }

    /// Opens a field's value.
    pub(crate) fn open_value(self, _place: Place<'_>, sealed: Sealed) -> Result<String, Unreadable> {
        String::from_utf8(sealed.0).map_err(|_| Unreadable)
    }

    /// Seals a record.
    pub(crate) fn seal<T: Serialize>(self, _place: Place<'_>, record: &T) -> Sealed {
        // Records are made of texts, numbers and lists of known length, which postcard can always write.
        Sealed(postcard::to_extend(record, vec![FORMAT]).unwrap_or_default())
    }

    /// Opens a record.
    pub(crate) fn open<T: DeserializeOwned>(self, _place: Place<'_>, sealed: &Sealed) -> Result<T, Unreadable> {
        match sealed.0.split_first() {
            Some((&FORMAT, record)) => postcard::from_bytes(record).map_err(|_| Unreadable),
            _ => Err(Unreadable),
        }
    }

    /// Seals a session.
    pub(crate) fn seal_session(self, _place: Place<'_>, session: &Session) -> Sealed {
        Sealed(session.to_bytes())
    }

    /// Opens a session.
    pub(crate) fn open_session(self, _place: Place<'_>, sealed: &Sealed) -> Result<Session, Unreadable> {
        Session::from_bytes(&sealed.0).map_err(|_| Unreadable)
    }
}

/// A digest of parts that cannot be confused: each goes in with its length.
fn digest(label: &[u8], scope: &Scope, parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    let scope = [scope.account.as_bytes(), scope.project.as_bytes(), scope.environment.as_bytes()];
    for part in [label].iter().chain(&scope).chain(parts) {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(account: &str, project: &str, environment: &str, kind: IdentifierKind, text: &str) -> IdentityKey {
        let [account, project, environment] = [account, project, environment].map(String::from);
        let scope = Scope { account, project, environment };
        Codec.identity_key(&scope, &Identifier { kind, text: text.into() })
    }

    #[test]
    fn i8_no_two_scopes_or_kinds_share_a_key() {
        let one = key("a", "b", "c", IdentifierKind::Phone, "+1");
        assert_eq!(one, key("a", "b", "c", IdentifierKind::Phone, "+1"));
        let others = [
            key("ab", "", "c", IdentifierKind::Phone, "+1"),
            key("a", "bc", "", IdentifierKind::Phone, "+1"),
            key("b", "a", "c", IdentifierKind::Phone, "+1"),
            key("a", "b", "c", IdentifierKind::Custom, "+1"),
            key("a", "b", "c", IdentifierKind::Phone, "+2"),
        ];
        for other in others {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn a_record_of_another_format_is_unreadable_and_nothing_else() {
        let place = Place::Row(RowId([0; 16]));
        let sealed = Codec.seal(place, &vec!["text".to_owned()]);
        assert_eq!(Codec.open::<Vec<String>>(place, &sealed), Ok(vec!["text".to_owned()]));
        for bytes in [vec![], vec![9], vec![FORMAT, 255, 255], sealed.0[..3].to_vec()] {
            assert_eq!(Codec.open::<Vec<String>>(place, &Sealed(bytes)), Err(Unreadable));
        }
    }
}
