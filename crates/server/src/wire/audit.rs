//! The audit trail on the wire.

use std::collections::BTreeMap;

use utoipa::ToSchema;

/// What an administrator did. It names no caller.
#[derive(ToSchema)]
#[schema(as = Act)]
#[allow(dead_code, reason = "the schema of the host's own type")]
pub(crate) struct ActSchema {
    /// Its random id.
    id: String,
    /// The hour in which it was done.
    #[schema(format = DateTime)]
    at: String,
    /// What was done.
    act: ActKindSchema,
    /// The name of the token with which it was done.
    #[schema(required = false)]
    by: Option<String>,
    /// The account that it concerned. Account, project and environment are left out where it concerned all.
    #[schema(required = false)]
    account: Option<String>,
    /// The project.
    #[schema(required = false)]
    project: Option<String>,
    /// The environment.
    #[schema(required = false)]
    environment: Option<String>,
    /// How much it concerned, by what that is.
    counts: BTreeMap<String, u64>,
    /// From when no copy of what was erased can be read any more, not in backups either.
    #[schema(required = false, format = DateTime)]
    unreadable_from: Option<String>,
    /// Whether it is known to have been completed.
    completed: bool,
    /// SHA-256 of this object without this member.
    digest: String,
}

/// What an administrator may do.
#[derive(ToSchema)]
#[schema(as = ActKind, rename_all = "kebab-case")]
#[allow(dead_code, reason = "the schema of the host's own type")]
enum ActKindSchema {
    /// Read a caller's memory.
    Read,
    /// Read all that is held on a caller.
    Export,
    /// Read the memory of all callers.
    ExportAll,
    /// Erased a caller, or one of the caller's keys.
    Erase,
    /// Put fields into a caller's memory.
    Patch,
    /// Put fields into many callers' memory.
    Import,
    /// Deleted what had expired.
    Sweep,
    /// Published an agent.
    Publish,
    /// Withdrew an agent.
    Withdraw,
}
