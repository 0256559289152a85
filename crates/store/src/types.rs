//! What goes into a store and what comes out of it.

use std::fmt;
use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// Seconds since 1970-01-01T00:00:00Z. All that a store keeps of a caller is at a full hour; sessions are exempt.
pub type Timestamp = i64;

/// How many erasures a store has carried out, which orders conversations against erasures without any time.
pub type Erasures = u64;

/// Stands for a caller within an account, project and environment. Two callers never share one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IdentityKey(pub [u8; 32]);

/// Stands for a conversation within an account, project and environment.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ConversationKey(pub [u8; 32]);

/// A first interaction's random id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct InteractionId(pub [u8; 16]);

/// A metric row's random id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RowId(pub [u8; 16]);

/// Names one saved state of a session. Whoever saves it makes it up at random, anew for each save.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Revision(pub [u8; 16]);

/// Bytes that only the codec can read.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed(#[serde(with = "serde_bytes")] pub Vec<u8>);

impl fmt::Debug for IdentityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdentityKey(..)")
    }
}

impl fmt::Debug for ConversationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConversationKey(..)")
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

/// A remembered field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// The key.
    pub key: String,
    /// The hour in which it was committed.
    pub written: Timestamp,
    /// When it expires.
    pub expires: Timestamp,
    /// The value.
    pub value: Sealed,
}

/// What a turn asks for.
#[derive(Clone, Copy, Debug)]
pub struct Read {
    /// The caller. None where there is no identifier: the answer has no fields then.
    pub identity: Option<IdentityKey>,
    /// If given, the answer says whether this conversation is committed already, and how many erasures there were.
    pub conversation: Option<ConversationKey>,
    /// The time.
    pub now: Timestamp,
}

/// What a turn is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// The fields that have not expired, ordered by key.
    pub fields: Vec<Field>,
    /// How many erasures the store had carried out when the fields were read, or a little earlier. Whoever does not give
    /// [`Read::conversation`] may get 0: only the beginning of a conversation needs it.
    pub erasures: Erasures,
    /// Whether the conversation that was asked about is committed.
    pub ended: bool,
}

/// What a conversation's end writes.
#[derive(Clone, Debug)]
pub struct Commit {
    /// The conversation.
    pub conversation: ConversationKey,
    /// The caller.
    pub identity: IdentityKey,
    /// The identifier, for exports of a whole store.
    pub identifier: Sealed,
    /// What [`Loaded::erasures`] was when the conversation began.
    pub erasures: Erasures,
    /// The time.
    pub now: Timestamp,
    /// The fields to be written.
    pub patch: Vec<Field>,
    /// The interaction to be inserted if none stands, and the row to be added. None without analytics.
    pub interaction: Option<NewInteraction>,
    /// What is to be remembered of the commit itself.
    pub mark: Mark,
    /// Whether the conversation's session is deleted with it.
    pub ends_session: bool,
}

/// A first interaction, to be inserted if none stands.
#[derive(Clone, Debug)]
pub struct NewInteraction {
    /// The interaction.
    pub interaction: Interaction,
    /// An older one stands only if it began after this time.
    pub stands_after: Timestamp,
    /// The metric row of this conversation.
    pub row: NewRow,
}

/// A first interaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interaction {
    /// Its random id.
    pub id: InteractionId,
    /// The hour in which its conversation began.
    pub began: Timestamp,
    /// When it expires.
    pub expires: Timestamp,
    /// What is recorded of it.
    pub record: Sealed,
}

/// A metric row to be added. It expires with the interaction that stands.
#[derive(Clone, Debug)]
pub struct NewRow {
    /// Its random id.
    pub id: RowId,
    /// The hour in which its conversation began.
    pub began: Timestamp,
    /// What is recorded of the conversation.
    pub details: Sealed,
}

/// What is remembered of a commit.
#[derive(Clone, Debug)]
pub struct Mark {
    /// Until when.
    pub expires: Timestamp,
    /// The report, before the store had its say.
    pub report: Sealed,
}

/// The answer to a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Committed {
    /// It is committed now.
    Now(Settled),
    /// It was committed before, and this call wrote nothing.
    Before(Ended),
}

/// What the store did about a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// What of the caller was erased after the conversation had begun.
    pub erased: ErasedSince,
    /// The interaction that stands. None if the commit had none, and if the caller was erased.
    pub standing: Option<Interaction>,
    /// Whether that is this conversation's own.
    pub first: bool,
}

/// What of a caller was erased after a conversation had begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ErasedSince {
    /// Nothing.
    Nothing,
    /// These keys, ordered.
    Keys(Vec<String>),
    /// Everything: nothing was written.
    Everything,
}

/// What is remembered of a committed conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The caller and the report. None after the caller was erased.
    pub recorded: Option<Recorded>,
}

/// What is remembered of a committed conversation whose caller was not erased since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The caller.
    pub identity: IdentityKey,
    /// The report, before the store had its say.
    pub report: Sealed,
    /// What the store said then. The interaction is as it was then, and is gone once it has expired.
    pub settled: Settled,
}

/// A new record for a first interaction.
#[derive(Clone, Debug)]
pub struct Amendment {
    /// The caller.
    pub identity: IdentityKey,
    /// The interaction as it was read.
    pub from: Interaction,
    /// Its new record.
    pub record: Sealed,
}

/// What is to be erased.
#[derive(Clone, Debug)]
pub struct Erasure {
    /// The caller.
    pub identity: IdentityKey,
    /// One key, or all that is held on the caller.
    pub key: Option<String>,
    /// The time.
    pub now: Timestamp,
    /// Until when the erasure is to be remembered.
    pub expires: Timestamp,
}

/// How much was erased. What had expired already does not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    /// Fields.
    pub fields: u64,
    /// First interactions.
    pub interactions: u64,
    /// Metric rows.
    pub metrics: u64,
}

/// All that is held on a caller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// The identifier. None if nothing is held.
    pub identifier: Option<Sealed>,
    /// The fields that have not expired, ordered by key.
    pub fields: Vec<Field>,
    /// The first interaction that has not expired.
    pub interaction: Option<Interaction>,
    /// The committed conversations whose marks have not expired, by key.
    pub conversations: Vec<(ConversationKey, Recorded)>,
    /// The metric rows that are tied to the interaction and to those whose place it took, by the hour they began in and
    /// then by id.
    pub metric_rows: Vec<MetricRow>,
}

/// How much a sweep has deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swept {
    /// Fields.
    pub fields: u64,
    /// Callers on whom nothing was left, not even the mark of a conversation.
    pub identifiers: u64,
    /// First interactions.
    pub interactions: u64,
    /// Metric rows.
    pub metrics: u64,
    /// Sessions.
    pub sessions: u64,
    /// Callers on whom something is held that has expired, and whose records cannot be decoded. Such a record is left until
    /// everything that it may hold has expired.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub undecodable: u64,
}

impl AddAssign for Swept {
    fn add_assign(&mut self, more: Self) {
        let Self { fields, identifiers, interactions, metrics, sessions, undecodable } = more;
        self.fields += fields;
        self.identifiers += identifiers;
        self.interactions += interactions;
        self.metrics += metrics;
        self.sessions += sessions;
        self.undecodable += undecodable;
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// One conversation of a caller with an identifier, as analytics see it. It has nothing that leads to the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricRow {
    /// Its random id.
    pub id: RowId,
    /// The first interaction that it is tied to, or is.
    pub interaction: InteractionId,
    /// The hour in which its conversation began.
    pub began: Timestamp,
    /// What is recorded of the conversation.
    pub details: Sealed,
    /// For a repeat: the first interaction's record as it was at this conversation's end.
    pub repeat_of: Option<Sealed>,
}

/// A running conversation, or one that has ended and whose session has not expired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedSession {
    /// The conversation.
    pub conversation: ConversationKey,
    /// When it is to be deleted, to the second.
    pub expires: Timestamp,
    /// When, to the second, somebody should end the conversation if nothing has happened until then. None: never.
    pub overdue: Option<Timestamp>,
    /// The name of this state.
    pub revision: Revision,
    /// The session.
    pub session: Sealed,
}

/// What a save may take the place of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replaces {
    /// Whatever is there.
    Anything,
    /// Nothing: only if no session that has not expired is there.
    Nothing,
    /// The session in this state, if it has not expired.
    Revision(Revision),
}

/// A session as it was last saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSession {
    /// The name of this state.
    pub revision: Revision,
    /// The session.
    pub session: Sealed,
}

/// How much is held, and how long still. What has expired does not count, whether or not it was swept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Callers on whom a field or an interaction is held.
    pub identities: u64,
    /// Fields.
    pub fields: u64,
    /// First interactions.
    pub interactions: u64,
    /// Metric rows.
    pub metrics: u64,
    /// Sessions.
    pub sessions: u64,
    /// How many fields expire on each day, by day: the first second of the UTC day, and the fields. Days on which none
    /// does are left out.
    pub expiring: Vec<(Timestamp, u64)>,
    /// The hour in which the last sweep deleted what had expired. None if there was none.
    pub swept: Option<Timestamp>,
}

/// The full hour that a time is in (P1).
pub(crate) fn hour_of(time: Timestamp) -> Timestamp {
    time.saturating_sub(time.rem_euclid(HOUR))
}

/// The first second of the UTC day that a time is in.
pub(crate) fn day_of(time: Timestamp) -> Timestamp {
    time.saturating_sub(time.rem_euclid(24 * HOUR))
}

const HOUR: Timestamp = 3600;
