//! What an administrator can do with what is stored: read, export, erase, sweep, count.

use std::collections::BTreeMap;
use std::sync::Arc;

use agent_memory_store::{
    Amendment, Erased, Erasure, Field, Held, IdentityKey, Interaction, Read, Recorded, StoreError, Swept,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::bindings::policy as wit;
use crate::codec::{Codec, Place, RowDetails, StoredReport, Unreadable};
use crate::runtime::Shared;
use crate::session::Phase;
use crate::{AdministrationError, Analytics, AnalyticsRow, Json, NoIdentifier, Outcome, PolicyFailure, Scope, convert};

/// How often an amendment is tried again when the record changes under it.
const AMENDMENTS: usize = 8;

/// Administers what a runtime's store holds. Identifiers are canonicalised as those of callers are (rule I3).
#[derive(Clone)]
pub struct Administration {
    shared: Arc<Shared>,
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

impl Administration {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
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
        let read = Read { identity: Some(identity), conversation: None, now: self.now() };
        let loaded = self.shared.store.load(read).await?;
        self.fields(identity, loaded.fields)
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
        let Held { fields, interaction, conversations, .. } = self.shared.store.export(identity, self.now()).await?;
        let interaction = interaction.map(|interaction| self.interaction(&interaction)).transpose()?;
        let first_interaction = interaction.map(|interaction| {
            let expires_at = ("expires_at".to_owned(), convert::time(interaction.expires).to_string());
            metrics(interaction.metrics).into_iter().chain([expires_at]).collect()
        });
        let conversations = conversations.into_iter().map(|(key, Recorded { report, .. })| {
            let report: StoredReport = self.codec().open(Place::Report(key), &report)?;
            Ok(report.conversation)
        });
        let mut conversations: Vec<_> = conversations.collect::<Result<_, Unreadable>>()?;
        conversations.sort_unstable();
        Ok(Export { identifier_kind: kind, fields: self.fields(identity, fields)?, first_interaction, conversations })
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
    ) -> Result<Erased, AdministrationError> {
        let (identity, expires) = self.identity(scope, kind, identifier).await?;
        let erasure = Erasure { identity, key: key.map(str::to_owned), now: self.now(), expires };
        Ok(self.shared.store.erase(erasure).await?)
    }

    /// Deletes for good what has expired (rule E2).
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn sweep(&self) -> Result<Swept, AdministrationError> {
        Ok(self.shared.store.sweep(self.now()).await?)
    }

    /// The repeat-caller figures and rows (rule A6), of conversations whose first interaction has not expired.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn analytics(&self) -> Result<Analytics, AdministrationError> {
        let mut analytics = Analytics::default();
        for row in self.shared.store.metric_rows(self.now()).await? {
            let began = convert::time(row.began);
            analytics.count(began, row.repeat_of.is_some());
            let Some(first) = row.repeat_of else { continue };
            let details: RowDetails = self.codec().open(Place::Row(row.id), &row.details)?;
            let first = self.codec().open(Place::Interaction(row.interaction), &first)?;
            let RowDetails { conversation, scope, channel } = details;
            let Scope { account, project, environment } = scope;
            let metrics = metrics(first).into_iter().collect();
            let row = AnalyticsRow { conversation, account, project, environment, channel, began, metrics };
            analytics.rows.push(row);
        }
        Ok(analytics)
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
            let amended = instance.policy.call_amend(&mut instance.store, &interaction, &outcome).await;
            let amended = amended.map_err(PolicyFailure::from)?;
            let record = self.codec().seal(Place::Interaction(standing.id), &amended.metrics);
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
        let Some(session) = self.shared.store.load_session(key, self.now()).await? else { return Ok(None) };
        let session = self.codec().open_session(Place::Session(key), &session)?;
        Ok(matches!(session.phase, Phase::Ended(_)).then_some(None))
    }

    /// The key of a caller, and until when an erasure now has to be remembered.
    async fn identity(
        &self,
        scope: &Scope,
        kind: IdentifierKind,
        text: &str,
    ) -> Result<(IdentityKey, i64), AdministrationError> {
        let mut instance = self.shared.policy().instance().await?;
        let named = instance.policy.call_canonicalize(&mut instance.store, kind.into(), text, self.now()).await;
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
        let fields = fields.into_iter().map(|Field { key, expires, value, .. }| {
            let value = self.codec().open_value(Place::Field { identity, key: &key, expires }, value)?;
            Ok((key, RememberedField { value: convert::json(value)?, expires_at: convert::time(expires) }))
        });
        Ok(fields.collect::<Result<_, Unreadable>>()?)
    }

    fn interaction(&self, stored: &Interaction) -> Result<wit::Interaction, Unreadable> {
        convert::interaction(self.codec(), stored)
    }

    fn codec(&self) -> Codec {
        self.shared.codec
    }

    fn now(&self) -> i64 {
        self.shared.now().as_second()
    }
}

impl From<Unreadable> for AdministrationError {
    fn from(_: Unreadable) -> Self {
        Self::Damaged("a record is not what was written")
    }
}

fn metrics(metrics: Vec<wit::Metric>) -> Vec<(String, String)> {
    metrics.into_iter().map(|wit::Metric { name, value }| (name, value)).collect()
}
