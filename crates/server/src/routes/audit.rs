//! The audit trail.

use agent_memory_host::{Act, Administration, AdministrationError};
use axum::body::Body as Stream;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, TryStreamExt, stream};

use super::Refusals;
use crate::Problem;
use crate::access::{Grant, Holder, Permission};
use crate::service::Service;

/// How many acts are read at once.
const PAGE: usize = 256;

/// What administrators did in the last year
///
/// A JSON object a line, by the hour, of the accounts, projects and environments that the token is for. An act that
/// concerned all is shown to a token for every account.
#[utoipa::path(
    get, path = "/v1/audit", tag = "audit",
    responses((status = 200, body = String, content_type = "application/x-ndjson"), Refusals),
)]
pub(crate) async fn list(State(service): State<Service>, holder: Holder) -> Result<Response, Problem> {
    holder.grant.check_permission(Permission::Administer)?;
    let administration = holder.administration(&service);
    // A store that is away is still told of by the status.
    let first = administration.acts(None, PAGE).await?;
    let others = others(administration, &first);
    let pages = stream::once(async { Ok(first) }).chain(others);
    let pages = pages.inspect_err(|error| tracing::error!(%error, "the audit trail has broken off"));
    let lines = pages.map_ok(move |acts: Vec<Act>| lines(&acts, &holder.grant));
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Stream::from_stream(lines)).into_response())
}

/// All further pages.
fn others(
    administration: Administration,
    first: &[Act],
) -> impl futures::Stream<Item = Result<Vec<Act>, AdministrationError>> + use<> {
    stream::try_unfold(next(first), move |after| {
        let administration = administration.clone();
        async move {
            if after.is_none() {
                return Ok(None);
            }
            let acts = administration.acts(after, PAGE).await?;
            let after = next(&acts);
            Ok(Some((acts, after)))
        }
    })
}

/// Where the next page begins, if this was not the last.
fn next(acts: &[Act]) -> Option<agent_memory_host::AuditPage> {
    if acts.len() == PAGE { acts.last().and_then(Act::page) } else { None }
}

/// The acts that a grant covers, a line each.
fn lines(acts: &[Act], grant: &Grant) -> Bytes {
    let mut text = Vec::new();
    for act in acts {
        let covered = match &act.scope {
            Some(scope) => grant.covers(scope),
            None => grant.check_everywhere().is_ok(),
        };
        if covered && serde_json::to_writer(&mut text, act).is_ok() {
            text.push(b'\n');
        }
    }
    text.into()
}
