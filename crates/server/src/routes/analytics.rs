//! Analytics and memory health.

use agent_memory_host::AnalyticsRow;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse, Response};

use super::Refusals;
use crate::Problem;
use crate::access::{Grant, Permission};
use crate::input::Asked;
use crate::service::Service;
use crate::wire::{AnalyticsAnswer, AnalyticsQuery, MemoryHealth, RowAnswer, RowsQuery};

/// How many rows there are, whatever `limit` and `offset` say.
const TOTAL: HeaderName = HeaderName::from_static("x-total-count");

/// Repeat callers in figures
#[utoipa::path(
    get, path = "/v1/analytics", tag = "analytics", params(AnalyticsQuery),
    responses((status = 200, body = AnalyticsAnswer), Refusals),
)]
pub(crate) async fn figures(
    State(service): State<Service>,
    grant: Grant,
    Asked(query): Asked<AnalyticsQuery>,
) -> Result<Json<AnalyticsAnswer>, Problem> {
    grant.check_permission(Permission::View)?;
    Ok(Json(service.figures.analytics(&query, &grant).await?))
}

/// The conversations of returning callers
///
/// The latest first. As CSV with the header `Accept: text/csv`.
#[utoipa::path(
    get, path = "/v1/analytics/rows", tag = "analytics", params(RowsQuery),
    responses(
        (
            status = 200,
            content((Vec<RowAnswer> = "application/json"), (String = "text/csv")),
            headers(("X-Total-Count" = u64, description = "How many there are, whatever `limit` and `offset` say.")),
        ),
        Refusals,
    ),
)]
pub(crate) async fn rows(
    State(service): State<Service>,
    grant: Grant,
    Asked(query): Asked<RowsQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    grant.check_permission(Permission::View)?;
    let (total, rows) = service.figures.rows(query, &grant).await?;
    let total = [(TOTAL, total.to_string())];
    let wants_csv =
        headers.get(header::ACCEPT).is_some_and(|accept| accept.to_str().is_ok_and(|it| it.contains("text/csv")));
    if !wants_csv {
        return Ok((total, Json(rows)).into_response());
    }
    let text = csv(&rows).map_err(|error| {
        tracing::error!(%error, "a table cannot be written");
        Problem::internal("the table could not be written: please report this")
    })?;
    let disposition = "attachment; filename=\"repeat-callers.csv\"";
    let kind = [(header::CONTENT_TYPE, "text/csv; charset=utf-8"), (header::CONTENT_DISPOSITION, disposition)];
    Ok((total, kind, text).into_response())
}

/// How much is held, how long still, and how commits go
#[utoipa::path(
    get, path = "/v1/memory/health", tag = "analytics",
    responses((status = 200, body = MemoryHealth), Refusals),
)]
pub(crate) async fn health(State(service): State<Service>, grant: Grant) -> Result<Json<MemoryHealth>, Problem> {
    grant.check_permission(Permission::View)?;
    // The figures are of the whole store.
    grant.check_everywhere()?;
    Ok(Json(service.figures.health().await?))
}

fn csv(rows: &[AnalyticsRow]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(AnalyticsRow::COLUMNS)?;
    for row in rows {
        for cell in row.cells() {
            writer.write_field(harmless(&cell).as_bytes())?;
        }
        // The end of the row.
        writer.write_record(None::<&[u8]>)?;
    }
    writer.into_inner().map_err(|error| csv::Error::from(std::io::Error::other(error.to_string())))
}

/// A text that no spreadsheet takes for a formula.
fn harmless(text: &str) -> std::borrow::Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}").into() } else { text.into() }
}
