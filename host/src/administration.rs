//! What an administrator can do with what is stored: read, export, erase, sweep, count.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use agent_memory_keys::Reach;
use agent_memory_store::{
    self as store, Amendment, Erased, Field, Health, Held, IdentityKey, Interaction, Read, Recorded, StoreError, Swept,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::bindings::policy as wit;
use crate::codec::{Codec, DAY, InteractionRecord, Place, RowDetails, StoredIdentifier, StoredReport, Unreadable};
use crate::runtime::Shared;
use crate::session::Phase;
use crate::{
    Act, ActKind, AdministrationError, Analytics, AuditPage, BegunAct, CommitReport, CountedConversation, Json,
    NoIdentifier, Outcome, PolicyFailure, Scope, Session, convert,
};

/// How often an amendment is tried again when the record changes under it.
const AMENDMENTS: usize = 8;

/// How many callers are listed at once.
const PAGE: usize = 256;

/// Administers what a runtime's store holds. Identifiers are canonicalised as those of callers are (rule I3).
///
/// What reads or erases what is held on a caller is noted in the [audit trail](Administration::acts) before it is done,
/// and again when it is.
#[derive(Clone)]
pub struct Administration {
    pub(crate) shared: Arc<Shared>,
    by: Option<Arc<str>>,
}

/// What an identifier is (rule I8). The same text of two kinds is two identifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IdentifierKind {
    /// The caller's number.
    Phone,
    /// Anything else.
    Custom,
}

/// A field as it is stored.
#[derive(Clone, Debug, Serialize)]
pub struct RememberedField {
    /// The value.
    pub value: Json,
    /// When it expires: a full hour.
    pub expires_at: Timestamp,
}

/// All that is held on an identifier (rule E3).
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Export {
    /// What the identifier is.
    pub identifier_kind: IdentifierKind,
    /// The fields, by key, whether a configuration still exposes them or not.
    pub fields: BTreeMap<String, RememberedField>,
    /// The first interaction: its metrics, and `expires_at`.
    pub first_interaction: Option<BTreeMap<String, String>>,
    /// The ids of the conversations that are remembered as committed, sorted.
    pub conversations: Vec<String>,
}

/// A caller on whom something is held.
#[derive(Clone, Serialize)]
#[non_exhaustive]
pub struct Caller {
    /// Whose memory it is in.
    #[serde(flatten)]
    pub scope: Scope,
    /// What the identifier is.
    pub kind: IdentifierKind,
    /// Who it is.
    pub identifier: String,
    /// The fields, by key.
    pub fields: BTreeMap<String, RememberedField>,
}

/// What an erasure did (rule E3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Erasure {
    /// How much is gone. What had expired already does not count.
    pub deleted: Erased,
    /// The erasure as the audit trail has it.
    pub receipt: Act,
}

/// What a sweep did (rule E2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Sweep {
    /// How much is gone.
    pub deleted: Swept,
    /// Which keys are gone. None if nothing is sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys: Option<DestroyedKeys>,
}

/// Keys that are gone, so that copies of what they sealed cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DestroyedKeys {
    /// What expired on a day before this time cannot be read any more.
    pub before: Timestamp,
    /// Whether they are gone where the ring is kept. If not, this process can only read the ring: an administrator has to
    /// replace it by one that is [moved on](agent_memory_keys::Keys::moved_on).
    pub everywhere: bool,
}

/// A place in the list of callers.
#[derive(Clone, Copy, Debug)]
pub struct CallerPage(IdentityKey);

impl Administration {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, by: None }
    }

    /// The same, as somebody whom the audit trail names. It is the name of an account or a token, and nobody's identifier.
    pub fn by(self, name: &str) -> Self {
        Self { by: Some(name.into()), ..self }
    }

    /// What is remembered of a caller, by key, whether a configuration still exposes it or not.
    ///
    /// # Errors
    /// If the identifier is none, or the store cannot be read.
    pub async fn get(
        &self,
        scope: &Scope,
        kind: IdentifierKind,
        identifier: &str,
    ) -> Result<BTreeMap<String, RememberedField>, AdministrationError> {
        let (identity, _) = self.identity(scope, kind, identifier).await?;
        let act = self.begin_act(ActKind::Read, Some(scope)).await?;
        let read = Read { identity: Some(identity), conversation: None, now: self.now() };
        let loaded = self.shared.store.load(read).await?;
        let fields = self.fields(identity, loaded.fields)?;
        self.complete_act(act, [("fields", fields.len() as u64)]).await?;
        Ok(fields)
    }

    /// All that is held on a caller (rule E3).
    ///
    /// # Errors
    /// If the identifier is none, or the store cannot be read.
    pub async fn export(
        &self,
        scope: &Scope,
        kind: IdentifierKind,
        identifier: &str,
    ) -> Result<Export, AdministrationError> {
        let (identity, _) = self.identity(scope, kind, identifier).await?;
        let act = self.begin_act(ActKind::Export, Some(scope)).await?;
        let Held { fields, interaction, conversations, .. } = self.shared.store.export(identity, self.now()).await?;
        let interaction = interaction.map(|interaction| self.interaction(&interaction)).transpose()?;
        let first_interaction = interaction.map(|interaction| {
            let expires_at = ("expires_at".to_owned(), convert::time(interaction.expires).to_string());
            metrics(interaction.metrics).into_iter().chain([expires_at]).collect()
        });
        let conversations = conversations.into_iter().map(|(conversation, Recorded { report, .. })| {
            let report: StoredReport = self.codec().open(Place::Report { conversation, identity }, &report)?;
            Ok(report.conversation)
        });
        let mut conversations: Vec<_> = conversations.collect::<Result<_, Unreadable>>()?;
        conversations.sort_unstable();
        let fields = self.fields(identity, fields)?;
        let counts = [("fields", fields.len() as u64), ("conversations", conversations.len() as u64)];
        self.complete_act(act, counts).await?;
        Ok(Export { identifier_kind: kind, fields, first_interaction, conversations })
    }

    /// Erases a caller, or one of the caller's keys (rule E3). A conversation that began before commits nothing more
    /// of what was erased.
    ///
    /// # Errors
    /// If the identifier is none, or the store cannot be written.
    pub async fn erase(
        &self,
        scope: &Scope,
        kind: IdentifierKind,
        identifier: &str,
        key: Option<&str>,
    ) -> Result<Erasure, AdministrationError> {
        let (identity, expires) = self.identity(scope, kind, identifier).await?;
        let act = self.begin_act(ActKind::Erase, Some(scope)).await?;
        let erasure = store::Erasure { identity, key: key.map(str::to_owned), now: self.now(), expires };
        let deleted = self.shared.store.erase(erasure).await?;
        let Erased { fields, interactions, metrics } = deleted;
        let counts = [("fields", fields), ("interactions", interactions), ("metrics", metrics)];
        Ok(Erasure { deleted, receipt: self.complete_act(act, counts).await? })
    }

    /// Deletes for good what has expired (rule E2), and destroys the keys of the days that are past, so that no copy
    /// elsewhere can be read any more. The audit trail tells of a sweep that found something.
    ///
    /// # Errors
    /// If the store cannot be written: the keys are destroyed all the same, so that nobody can read what has expired and is
    /// still there. Or if the keys cannot be destroyed: what has expired is deleted then.
    pub async fn sweep(&self) -> Result<Sweep, AdministrationError> {
        let now = self.now();
        let deleted = self.delete_expired(now).await;
        let shared = Arc::clone(&self.shared);
        let destroying = tokio::task::spawn_blocking(move || shared.codec.destroy_before(now)).await;
        let keys = destroying.map_err(|_| AdministrationError::Damaged("the ring of keys cannot be moved on"))??;
        let keys = (keys.reach != Reach::NothingSealed).then(|| DestroyedKeys {
            before: convert::time(i64::from(keys.first_day.number()) * DAY),
            everywhere: keys.reach == Reach::Everywhere,
        });
        Ok(Sweep { deleted: deleted?, keys })
    }

    async fn delete_expired(&self, now: store::Timestamp) -> Result<Swept, StoreError> {
        let deleted = self.shared.store.sweep(now).await?;
        let Swept { fields, identifiers, interactions, metrics, sessions, undecodable: _ } = deleted;
        let counts = [
            ("fields", fields),
            ("identifiers", identifiers),
            ("interactions", interactions),
            ("metrics", metrics),
            ("sessions", sessions),
        ];
        if counts.iter().any(|(_, count)| *count > 0) {
            let act = self.begin_act(ActKind::Sweep, None).await?;
            self.complete_act(act, counts).await?;
        }
        Ok(deleted)
    }

    /// The audit trail: the acts of the last year in the order of their hours, a page at a time, the first page or the one
    /// after another. Acts of one hour are in no order: whoever wants what came later has to ask again for the whole of
    /// the last hour.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn acts(&self, after: Option<AuditPage>) -> Result<(Vec<Act>, Option<AuditPage>), AdministrationError> {
        Ok(self.shared.acts(after).await?)
    }

    /// Notes in the audit trail that something is about to be done by other ways than this: an agent is published, fields
    /// are imported.
    ///
    /// # Errors
    /// If the store cannot be written. It should not be done then.
    pub async fn begin_act(&self, act: ActKind, scope: Option<&Scope>) -> Result<BegunAct, StoreError> {
        self.shared.begin_act(act, self.by.as_deref(), scope).await
    }

    /// Notes that it was done, and how much it concerned, by what that is.
    ///
    /// # Errors
    /// If the store cannot be written. The trail has the act as one that may not have been completed then.
    pub async fn complete_act(
        &self,
        act: BegunAct,
        counts: impl IntoIterator<Item = (&'static str, u64)>,
    ) -> Result<Act, StoreError> {
        self.shared.complete_act(act, counts).await
    }

    /// The repeat-caller figures and rows (rule A6), of conversations whose first interaction has not expired.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn analytics(&self) -> Result<Analytics, AdministrationError> {
        Ok(self.conversations().await?.into_iter().collect())
    }

    /// The conversations that [`analytics`](Administration::analytics) counts, in the order in which they began.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn conversations(&self) -> Result<Vec<CountedConversation>, AdministrationError> {
        let rows = self.shared.store.metric_rows(self.now()).await?.into_iter().map(|row| {
            let place = Place::Row { id: row.id, began: row.began };
            let RowDetails { conversation, scope, channel } = self.codec().open(place, &row.details)?;
            let first = row
                .repeat_of
                .map(|first| self.codec().open::<InteractionRecord>(Place::Interaction(row.interaction), &first));
            let repeat_of = first.transpose()?.map(|first| metrics(first.metrics).into_iter().collect());
            Ok(CountedConversation { conversation, scope, channel, began: convert::time(row.began), repeat_of })
        });
        Ok(rows.collect::<Result<_, Unreadable>>()?)
    }

    /// How much the store holds, and how long still. On a large store it takes a while.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn health(&self) -> Result<Health, AdministrationError> {
        Ok(self.shared.store.health(self.now()).await?)
    }

    /// Everybody on whom something is held, a page at a time, in no particular order: the first page, or the one after
    /// another.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn callers(
        &self,
        after: Option<CallerPage>,
    ) -> Result<(Vec<Caller>, Option<CallerPage>), AdministrationError> {
        let identities = self.shared.store.identities(after.map(|page| page.0), PAGE, self.now()).await?;
        let next = identities.last().filter(|_| identities.len() == PAGE).copied().map(CallerPage);
        let mut callers = Vec::with_capacity(identities.len());
        for identity in identities {
            let Held { identifier, fields, .. } = self.shared.store.export(identity, self.now()).await?;
            // Who is erased meanwhile is not there any more.
            let Some(identifier) = identifier else { continue };
            let StoredIdentifier { scope, identifier } = self.codec().open(Place::Identifier(identity), &identifier)?;
            let wit::Identifier { kind, text } = identifier;
            callers.push(Caller { scope, kind: kind.into(), identifier: text, fields: self.fields(identity, fields)? });
        }
        Ok((callers, next))
    }

    /// Up to `limit` conversations that somebody should end, because nothing has happened in them for as long as
    /// [`Conversation::overdue_at`](crate::Conversation::overdue_at) said, the longest overdue first. One may have gone
    /// on since, or have been ended by somebody else.
    ///
    /// Sessions that cannot be read, because they are damaged or a newer version wrote them, are left out. They do not
    /// count towards `limit`.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn overdue(&self, limit: usize) -> Result<Vec<Session>, AdministrationError> {
        let (mut sessions, mut seen, mut unreadable) = (Vec::new(), HashSet::new(), 0_usize);
        loop {
            // The store gives the longest overdue, so that whoever wants others has to ask for more.
            let asked = limit.saturating_add(unreadable);
            let found = self.shared.store.overdue_sessions(self.now(), asked).await?;
            let (all, unreadable_before) = (found.len() < asked, unreadable);
            for conversation in found {
                if sessions.len() == limit || !seen.insert(conversation) {
                    continue;
                }
                match self.shared.session(conversation).await {
                    // None: somebody else has ended it meanwhile.
                    Ok(session) => sessions.extend(session),
                    Err(error) if error.is_damaged() => unreadable = unreadable.saturating_add(1),
                    Err(error) => return Err(error.into()),
                }
            }
            if all || sessions.len() == limit || unreadable == unreadable_before {
                break;
            }
        }
        if unreadable > 0 {
            tracing::warn!(unreadable, "overdue conversations whose sessions cannot be read are left alone");
        }
        Ok(sessions)
    }

    /// Puts off a conversation that could not be ended, so that [`overdue`](Administration::overdue) finds it again no
    /// earlier than `until`. Answers whether it did: not if the conversation has gone on since its session was read.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn put_off(&self, session: &Session, until: Timestamp) -> Result<bool, AdministrationError> {
        Ok(self.shared.put_off(session, until).await?)
    }

    /// The report of a conversation's end, if it has ended and that is still remembered (rule W4).
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn report(&self, scope: &Scope, conversation: &str) -> Result<Option<CommitReport>, AdministrationError> {
        let key = self.codec().conversation_key(scope, conversation);
        let Some(ended) = self.shared.store.ended(key, self.now()).await? else {
            let session = self.shared.session(key).await?;
            return Ok(session.and_then(|session| match session.phase {
                Phase::Ended(report) => Some((*report).into()),
                Phase::Running | Phase::Proposed(_) => None,
            }));
        };
        let (draft, commitment) = convert::ended(self.codec(), key, ended)?;
        let mut instance = self.shared.policy().instance().await?;
        let settlement = wit::Settlement::Committed(commitment);
        Ok(Some(instance.settle(&draft, &settlement).await?.into()))
    }

    /// Adds an outcome that became known after the conversation's end, such as what quality assurance says (rule
    /// A8). Answers whether that conversation was a caller's first and its record has changed.
    ///
    /// # Errors
    /// If no such conversation is remembered, or the store fails.
    pub async fn add_outcome(
        &self,
        scope: &Scope,
        conversation: &str,
        outcome: Outcome,
    ) -> Result<bool, AdministrationError> {
        let outcome = wit::Outcome::from(outcome);
        for _ in 0..AMENDMENTS {
            let Some(ended) = self.ended(scope, conversation).await? else {
                return Err(AdministrationError::UnknownConversation);
            };
            let Some((identity, first)) = ended else { return Ok(false) };
            let standing = self.shared.store.export(identity, self.now()).await?.interaction;
            let Some(standing) = standing.filter(|standing| standing.id == first.id) else { return Ok(false) };
            let interaction = self.interaction(&standing)?;
            let mut instance = self.shared.policy().instance().await?;
            let (policy, store) = instance.policy()?;
            let amended = policy.call_amend(store, &interaction, &outcome).await;
            let amended = amended.map_err(PolicyFailure::from)?;
            let Interaction { id, began, expires, .. } = standing;
            let record = InteractionRecord { began, expires, metrics: amended.metrics };
            let Interaction { record, .. } = self.codec().seal_interaction(id, &record);
            if self.shared.store.amend(Amendment { identity, from: standing, record }).await? {
                return Ok(true);
            }
        }
        Err(StoreError::Failed {
            place: "this store".into(),
            reason: "the record kept changing; try again".into(),
            effect: agent_memory_store::Effect::Rejected,
        }
        .into())
    }

    /// Whether a conversation of this id has ended.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn has_ended(&self, scope: &Scope, conversation: &str) -> Result<bool, AdministrationError> {
        Ok(self.ended(scope, conversation).await?.is_some())
    }

    /// Whether a conversation has ended, and if it was a caller's first, whose and by which record.
    #[allow(clippy::type_complexity, reason = "two questions with one answer each")]
    async fn ended(
        &self,
        scope: &Scope,
        conversation: &str,
    ) -> Result<Option<Option<(IdentityKey, Interaction)>>, AdministrationError> {
        let key = self.codec().conversation_key(scope, conversation);
        if let Some(ended) = self.shared.store.ended(key, self.now()).await? {
            let first = ended.recorded.filter(|recorded| recorded.settled.first);
            return Ok(Some(first.and_then(|first| Some((first.identity, first.settled.standing?)))));
        }
        // One without an identifier is remembered by its session alone.
        let session = self.shared.session(key).await?;
        Ok(session.filter(Session::has_ended).map(|_| None))
    }

    /// The key of a caller, and until when an erasure now has to be remembered.
    async fn identity(
        &self,
        scope: &Scope,
        kind: IdentifierKind,
        text: &str,
    ) -> Result<(IdentityKey, i64), AdministrationError> {
        let mut instance = self.shared.policy().instance().await?;
        let (policy, store) = instance.policy()?;
        let named = policy.call_canonicalize(store, kind.into(), text, self.now()).await;
        match named.map_err(PolicyFailure::from)? {
            Ok(named) => Ok((self.codec().identity_key(scope, &named.identifier), named.erasure_expires)),
            Err(reason) => Err(AdministrationError::NoIdentifier(match NoIdentifier::from(reason) {
                NoIdentifier::Withheld => "it stands for a withheld number",
                _ => "it is empty",
            })),
        }
    }

    fn fields(
        &self,
        identity: IdentityKey,
        fields: Vec<Field>,
    ) -> Result<BTreeMap<String, RememberedField>, AdministrationError> {
        let fields = fields.into_iter().map(|field| {
            let value = self.codec().open_value(identity, &field)?;
            let remembered = RememberedField { value: convert::json(value)?, expires_at: convert::time(field.expires) };
            Ok((field.key, remembered))
        });
        Ok(fields.collect::<Result<_, Unreadable>>()?)
    }

    fn interaction(&self, stored: &Interaction) -> Result<wit::Interaction, Unreadable> {
        convert::interaction(self.codec(), stored)
    }

    fn codec(&self) -> &Codec {
        &self.shared.codec
    }

    fn now(&self) -> i64 {
        self.shared.now().as_second()
    }
}

impl From<Unreadable> for AdministrationError {
    fn from(why: Unreadable) -> Self {
        Self::Damaged(why.reason())
    }
}

fn metrics(metrics: Vec<wit::Metric>) -> Vec<(String, String)> {
    metrics.into_iter().map(|wit::Metric { name, value }| (name, value)).collect()
}
