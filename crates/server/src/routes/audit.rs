//! The audit trail.

use agent_memory_host::Act;
use axum::body::Body as Stream;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures::TryStreamExt;

use super::{Refusals, pages};
use crate::Problem;
use crate::access::{Grant, Holder, Permission};
use crate::service::Service;

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
    let first = administration.acts(None).await?;
    let pages = pages(first, move |after| {
        let administration = administration.clone();
        async move { administration.acts(Some(after)).await }
    });
    let pages = pages.inspect_err(|error| tracing::error!(%error, "the audit trail has broken off"));
    let lines = pages.map_ok(move |acts: Vec<Act>| lines(&acts, &holder.grant));
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Stream::from_stream(lines)).into_response())
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
