//! The service itself: metrics, health, readiness.

use agent_memory_host::Scope;
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::Refusals;
use crate::Problem;
use crate::access::{Grant, Permission};
use crate::service::Service;

/// How the service is.
#[derive(Serialize, ToSchema)]
pub(crate) struct StatusAnswer {
    /// Always `ok`.
    status: &'static str,
    /// The version of the service.
    version: &'static str,
}

const OK: StatusAnswer = StatusAnswer { status: "ok", version: env!("CARGO_PKG_VERSION") };

/// Metrics for Prometheus
#[utoipa::path(
    get, path = "/metrics", tag = "status",
    responses((status = 200, body = String, content_type = "application/openmetrics-text"), Refusals),
)]
pub(crate) async fn metrics(State(service): State<Service>, grant: Grant) -> Result<Response, Problem> {
    grant.check_permission(Permission::View)?;
    // They are of all accounts.
    grant.check_everywhere()?;
    let text = service.observations.text(service.runtime.worker_restarts()).map_err(|error| {
        tracing::error!(%error, "metrics cannot be written");
        Problem::internal("the metrics could not be written: please report this")
    })?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

/// Whether the process is alive
#[utoipa::path(
    get, path = "/healthz", tag = "status", security(()),
    responses(
        (status = 200, body = StatusAnswer),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn alive() -> Json<StatusAnswer> {
    Json(OK)
}

/// Whether it can serve: the store can be read
#[utoipa::path(
    get, path = "/readyz", tag = "status", security(()),
    responses(
        (status = 200, body = StatusAnswer),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn ready(State(service): State<Service>) -> Result<Json<StatusAnswer>, Problem> {
    // Anybody may ask, so that one row is read, whether it is there or not.
    let anywhere = Scope { account: "local".into(), project: "local".into(), environment: "sandbox".into() };
    match service.runtime.catalogue().current(&anywhere).await {
        Ok(_) => Ok(Json(OK)),
        Err(error) => {
            tracing::warn!(%error, "the store cannot be read");
            Err(Problem::unavailable("the store cannot be read: the log says why").retry_after(1))
        }
    }
}
