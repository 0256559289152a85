//! Conversations: start, call, preview, end, and what becomes known later.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::Problem;
use crate::access::{Grant, Permission};
use crate::input::{At, AtConversation, Body, In};
use crate::service::Service;
use crate::wire::{
    Call, CallAnswer, ConversationAnswer, ConversationStatus, End, EndAnswer, OutcomeAnswer, OutcomeBody,
    PreviewAnswer, Start,
};

/// Start a conversation
///
/// Runs `start_function`, where the agent has one.
#[utoipa::path(
    post, path = "/v1/agents/{account}/{project}/{environment}/conversations", tag = "conversations",
    params(
        ("account" = String, Path, description = "The account."),
        ("project" = String, Path, description = "The project."),
        ("environment" = String, Path, description = "The environment."),
        ("Idempotency-Key" = Option<String>, Header,
            description = "A random text. The same request under the same key is answered as the first was."),
    ),
    request_body = Start,
    responses(
        (status = 201, body = ConversationAnswer),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn start(
    State(service): State<Service>,
    grant: Grant,
    In(at): In<At>,
    Body { value, request }: Body<Start>,
) -> Result<Response, Problem> {
    let scope = at.scope();
    grant.check(Permission::Call, &scope)?;
    Ok(json(StatusCode::CREATED, service.conversations.start(&scope, value, request).await?))
}

/// Where a conversation stands
#[utoipa::path(
    get, path = "/v1/agents/{account}/{project}/{environment}/conversations/{conversation}", tag = "conversations",
    params(
        ("account" = String, Path, description = "The account."),
        ("project" = String, Path, description = "The project."),
        ("environment" = String, Path, description = "The environment."),
        ("conversation" = String, Path, description = "The conversation's id."),
    ),
    responses(
        (status = 200, body = ConversationStatus),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn status(
    State(service): State<Service>,
    grant: Grant,
    In(at): In<AtConversation>,
) -> Result<Json<ConversationStatus>, Problem> {
    let scope = at.scope();
    grant.check(Permission::Call, &scope)?;
    Ok(Json(service.conversations.status(&scope, &at.conversation).await?))
}

/// Call a function
///
/// A function that fails, or that the sandbox has to stop, is an answer too: the conversation goes on.
#[utoipa::path(
    post, path = "/v1/agents/{account}/{project}/{environment}/conversations/{conversation}/calls", tag = "conversations",
    params(
        ("account" = String, Path, description = "The account."),
        ("project" = String, Path, description = "The project."),
        ("environment" = String, Path, description = "The environment."),
        ("conversation" = String, Path, description = "The conversation's id."),
        ("Idempotency-Key" = Option<String>, Header,
            description = "A random text. The same request under the same key is answered as the first was."),
    ),
    request_body = Call,
    responses(
        (status = 200, body = CallAnswer),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn call(
    State(service): State<Service>,
    grant: Grant,
    In(at): In<AtConversation>,
    Body { value, request }: Body<Call>,
) -> Result<Response, Problem> {
    let scope = at.scope();
    grant.check(Permission::Call, &scope)?;
    Ok(json(StatusCode::OK, service.conversations.call(&scope, &at.conversation, value, request).await?))
}

/// What the end would commit if it came now
///
/// It changes nothing, and runs no function.
#[utoipa::path(
    post, path = "/v1/agents/{account}/{project}/{environment}/conversations/{conversation}/preview", tag = "conversations",
    params(
        ("account" = String, Path, description = "The account."),
        ("project" = String, Path, description = "The project."),
        ("environment" = String, Path, description = "The environment."),
        ("conversation" = String, Path, description = "The conversation's id."),
    ),
    request_body = End,
    responses(
        (status = 200, body = PreviewAnswer),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn preview(
    State(service): State<Service>,
    grant: Grant,
    In(at): In<AtConversation>,
    Body { value: End { outcome }, .. }: Body<End>,
) -> Result<Json<PreviewAnswer>, Problem> {
    let scope = at.scope();
    grant.check(Permission::Call, &scope)?;
    Ok(Json(service.conversations.preview(&scope, &at.conversation, outcome.into()).await?))
}

/// End a conversation
///
/// Runs `end_function`, and commits what is to be remembered, exactly once, so that it can be sent again without a key.
/// A conversation that has ended is answered with its first report, and `turn` is null: `end_function` does not run again.
#[utoipa::path(
    post, path = "/v1/agents/{account}/{project}/{environment}/conversations/{conversation}/end", tag = "conversations",
    params(
        ("account" = String, Path, description = "The account."),
        ("project" = String, Path, description = "The project."),
        ("environment" = String, Path, description = "The environment."),
        ("conversation" = String, Path, description = "The conversation's id."),
    ),
    request_body = End,
    responses(
        (status = 200, body = EndAnswer),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn end(
    State(service): State<Service>,
    grant: Grant,
    In(at): In<AtConversation>,
    Body { value: End { outcome }, .. }: Body<End>,
) -> Result<Json<EndAnswer>, Problem> {
    let scope = at.scope();
    grant.check(Permission::Call, &scope)?;
    Ok(Json(service.conversations.end(&scope, &at.conversation, outcome.into()).await?))
}

/// Add an outcome that became known after the end
#[utoipa::path(
    put, path = "/v1/agents/{account}/{project}/{environment}/conversations/{conversation}/outcome", tag = "conversations",
    params(
        ("account" = String, Path, description = "The account."),
        ("project" = String, Path, description = "The project."),
        ("environment" = String, Path, description = "The environment."),
        ("conversation" = String, Path, description = "The conversation's id."),
    ),
    request_body = OutcomeBody,
    responses(
        (status = 200, body = OutcomeAnswer),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn outcome(
    State(service): State<Service>,
    grant: Grant,
    In(at): In<AtConversation>,
    Body { value, .. }: Body<OutcomeBody>,
) -> Result<Json<OutcomeAnswer>, Problem> {
    let scope = at.scope();
    grant.check(Permission::Call, &scope)?;
    let changed = service.conversations.add_outcome(&scope, &at.conversation, value.into()).await?;
    Ok(Json(OutcomeAnswer { changed }))
}

/// An answer that is JSON already.
fn json(status: StatusCode, body: Vec<u8>) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
