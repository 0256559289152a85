//! Memory administration on the wire. Identifiers travel in bodies and nowhere else.

use std::collections::BTreeMap;

use agent_memory_host::store::Erased;
use agent_memory_host::{Act, CommitReport, GivenField, IdentifierKind, Json, RememberedField, Scope};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ActSchema, CommitSchema};
use crate::access::is_in;

/// Whose memory it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Named {
    /// The caller's number, or what else the caller is known by.
    pub(crate) identifier: String,
    /// What that is: `phone` or `custom`.
    #[serde(default = "phone")]
    #[schema(value_type = KindSchema)]
    pub(crate) kind: IdentifierKind,
}

/// What an identifier is.
#[derive(ToSchema)]
#[schema(as = IdentifierKind, rename_all = "lowercase")]
#[allow(dead_code, reason = "the schema of the host's own type")]
enum KindSchema {
    /// The caller's number.
    Phone,
    /// Anything else.
    Custom,
}

/// What is remembered of a caller.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReadAnswer {
    /// The fields, by key.
    #[schema(value_type = BTreeMap<String, FieldAnswer>)]
    pub(crate) fields: BTreeMap<String, RememberedField>,
}

/// A field as it is stored.
#[derive(ToSchema)]
#[allow(dead_code, reason = "the schema of the host's own type")]
pub(crate) struct FieldAnswer {
    /// The value.
    #[schema(value_type = Value)]
    value: Json,
    /// When it expires.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// Fields for a caller's memory: all of them are written, or none.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PatchBody {
    /// The caller's number, or what else the caller is known by.
    pub(crate) identifier: String,
    /// What that is: `phone` or `custom`.
    #[serde(default = "phone")]
    #[schema(value_type = KindSchema)]
    pub(crate) kind: IdentifierKind,
    /// The fields, by key.
    pub(crate) fields: BTreeMap<String, GivenFieldBody>,
}

/// A field that is given.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GivenFieldBody {
    /// The value.
    #[schema(value_type = Value)]
    value: Json,
    /// When it is to expire, if before its retention is over.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

/// What became of each field.
#[derive(Serialize, ToSchema)]
pub(crate) struct PatchAnswer {
    /// The report.
    #[schema(value_type = CommitSchema)]
    pub(crate) commit: CommitReport,
}

/// What is to be erased.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Erasure {
    /// The caller's number, or what else the caller is known by.
    pub(crate) identifier: String,
    /// What that is: `phone` or `custom`.
    #[serde(default = "phone")]
    #[schema(value_type = KindSchema)]
    pub(crate) kind: IdentifierKind,
    /// One key. Default: all that is held on the caller.
    pub(crate) key: Option<String>,
}

/// What was erased.
#[derive(Serialize, ToSchema)]
pub(crate) struct ErasureAnswer {
    /// How much of it.
    #[schema(value_type = ErasedSchema)]
    pub(crate) deleted: Erased,
    /// The erasure as the audit trail has it.
    #[schema(value_type = ActSchema)]
    pub(crate) receipt: Act,
}

/// How much was erased.
#[derive(ToSchema)]
#[schema(as = Erased)]
#[allow(dead_code, reason = "the schema of the store's own type")]
struct ErasedSchema {
    /// Fields.
    fields: u64,
    /// First interactions.
    interactions: u64,
    /// Rows of metrics.
    metrics: u64,
}

/// All that is held on a caller.
#[derive(ToSchema)]
#[schema(as = Export)]
#[allow(dead_code, reason = "the schema of the host's own type")]
pub(crate) struct ExportSchema {
    /// What the identifier is.
    identifier_kind: KindSchema,
    /// The fields, by key.
    fields: BTreeMap<String, FieldAnswer>,
    /// The first interaction.
    first_interaction: Option<BTreeMap<String, String>>,
    /// The ids of the conversations that are remembered as committed.
    conversations: Vec<String>,
}

/// One line of an import: a caller, and the fields of their memory.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportLine {
    /// The account, if it is to be checked: a line of another agent's is refused.
    account: Option<String>,
    /// The project, likewise.
    project: Option<String>,
    /// The environment, likewise.
    environment: Option<String>,
    /// The caller's number, or what else the caller is known by.
    pub(crate) identifier: String,
    /// What that is: `phone` or `custom`.
    #[serde(default = "phone")]
    #[schema(value_type = KindSchema)]
    pub(crate) kind: IdentifierKind,
    /// The fields, by key.
    pub(crate) fields: BTreeMap<String, GivenFieldBody>,
}

/// What became of an import.
#[derive(Default, Serialize, ToSchema)]
pub(crate) struct ImportAnswer {
    /// How many callers' fields were written.
    pub(crate) written: u64,
    /// The lines of which nothing was written.
    pub(crate) refused: Vec<ImportProblem>,
}

/// A line of which nothing was written.
#[derive(Serialize, ToSchema)]
pub(crate) struct ImportProblem {
    /// The line, from 1.
    pub(crate) line: u64,
    /// Why not. It holds no identifier and no value.
    pub(crate) detail: String,
}

impl ImportLine {
    /// Whether it is a line of this agent's, as far as it says.
    pub(crate) fn is_of(&self, scope: &Scope) -> bool {
        is_in([&self.account, &self.project, &self.environment], scope)
    }
}

/// The fields, as the host takes them.
pub(crate) fn given(fields: BTreeMap<String, GivenFieldBody>) -> Vec<GivenField> {
    let field = |(key, GivenFieldBody { value, expires_at })| GivenField { key, value, expires_at };
    fields.into_iter().map(field).collect()
}

fn phone() -> IdentifierKind {
    IdentifierKind::Phone
}
