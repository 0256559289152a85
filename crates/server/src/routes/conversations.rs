//! Conversations: start, call, preview, end, and what becomes known later.

use agent_memory_host::Scope;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Refusals;
use crate::Problem;
use crate::access::{Grant, Permission};
use crate::input::{At, Body, In, OfConversation, Repeatable};
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
    params(At, Repeatable),
    request_body = Start,
    responses((status = 201, body = ConversationAnswer), Refusals),
)]
pub(crate) async fn start(
    State(service): State<Service>,
    grant: Grant,
    In(at): In<At>,
    Body { value, request }: Body<Start>,
) -> Result<Response, Problem> {
    let scope = Scope::from(at);
    grant.check(Permission::Call, &scope)?;
    Ok(json(StatusCode::CREATED, service.conversations.start(&scope, value, request).await?))
}

/// Where a conversation stands
#[utoipa::path(
    get, path = "/v1/agents/{account}/{project}/{environment}/conversations/{conversation}", tag = "conversations",
    params(At, OfConversation),
    responses((status = 200, body = ConversationStatus), Refusals),
)]
pub(crate) async fn status(
    State(service): State<Service>,
    grant: Grant,
    In(at): In<At>,
    In(OfConversation { conversation }): In<OfConversation>,
) -> Result<Json<ConversationStatus>, Problem> {
    let scope = Scope::from(at);
    grant.check(Permission::Call, &scope)?;
    Ok(Json(service.conversations.status(&scope, &conversation).await?))
}

/// Call a function
///
/// A function that fails, or that the sandbox has to stop, is an answer too: the conversation goes on.
#[utoipa::path(
    post, path = "/v1/agents/{account}/{project}/{environment}/conversations/{conversation}/calls", tag = "conversations",
    params(At, OfConversation, Repeatable),
    request_body = Call,
    responses((status = 200, body = CallAnswer), Refusals),
)]
pub(crate) async fn call(
    State(service): State<Service>,
    grant: Grant,
    In(at): In<At>,
    In(OfConversation { conversation }): In<OfConversation>,
    Body { value, request }: Body<Call>,
) -> Result<Response, Problem> {
    let scope = Scope::from(at);
    grant.check(Permission::Call, &scope)?;
    Ok(json(StatusCode::OK, service.conversations.call(&scope, &conversation, value, request).await?))
}

/// What the end would commit if it came now
///
/// It changes nothing, and runs no function.
#[utoipa::path(
    post, path = "/v1/agents/{account}/{project}/{environment}/conversations/{conversation}/preview", tag = "conversations",
    params(At, OfConversation),
    request_body = End,
    responses((status = 200, body = PreviewAnswer), Refusals),
)]
pub(crate) async fn preview(
    State(service): State<Service>,
    grant: Grant,
    In(at): In<At>,
    In(OfConversation { conversation }): In<OfConversation>,
    Body { value: End { outcome }, .. }: Body<End>,
) -> Result<Json<PreviewAnswer>, Problem> {
    let scope = Scope::from(at);
    grant.check(Permission::Call, &scope)?;
    Ok(Json(service.conversations.preview(&scope, &conversation, outcome.into()).await?))
}

/// End a conversation
///
/// Runs `end_function`, and commits what is to be remembered, exactly once, so that it can be sent again without a key.
/// A conversation that has ended is answered with its first report, and `turn` is null: `end_function` does not run again.
#[utoipa::path(
    post, path = "/v1/agents/{account}/{project}/{environment}/conversations/{conversation}/end", tag = "conversations",
    params(At, OfConversation),
    request_body = End,
    responses((status = 200, body = EndAnswer), Refusals),
)]
pub(crate) async fn end(
    State(service): State<Service>,
    grant: Grant,
    In(at): In<At>,
    In(OfConversation { conversation }): In<OfConversation>,
    Body { value: End { outcome }, .. }: Body<End>,
) -> Result<Json<EndAnswer>, Problem> {
    let scope = Scope::from(at);
    grant.check(Permission::Call, &scope)?;
    Ok(Json(service.conversations.end(&scope, &conversation, outcome.into()).await?))
}

/// Add an outcome that became known after the end
#[utoipa::path(
    put, path = "/v1/agents/{account}/{project}/{environment}/conversations/{conversation}/outcome", tag = "conversations",
    params(At, OfConversation),
    request_body = OutcomeBody,
    responses((status = 200, body = OutcomeAnswer), Refusals),
)]
pub(crate) async fn outcome(
    State(service): State<Service>,
    grant: Grant,
    In(at): In<At>,
    In(OfConversation { conversation }): In<OfConversation>,
    Body { value, .. }: Body<OutcomeBody>,
) -> Result<Json<OutcomeAnswer>, Problem> {
    let scope = Scope::from(at);
    grant.check(Permission::Call, &scope)?;
    let changed = service.conversations.add_outcome(&scope, &conversation, value.into()).await?;
    Ok(Json(OutcomeAnswer { changed }))
}

/// An answer that is JSON already.
fn json(status: StatusCode, body: Vec<u8>) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
