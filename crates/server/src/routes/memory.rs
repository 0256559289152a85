//! Memory administration. Identifiers travel in bodies, and never in a URL.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use agent_memory_host::{ActKind, Administration, AdministrationError, BegunAct, Caller, Export, MemoryPatch, Scope};
use axum::Json;
use axum::body::{Body as Stream, Bytes};
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, TryStreamExt, stream};

use super::{IMPORT_BYTES, Refusals, pages};
use crate::Problem;
use crate::access::{Grant, Holder, Permission};
use crate::input::{At, Body, In, is_of_type, parse};
use crate::lines::{LINE_BYTES, Line, Lines};
use crate::service::Service;
use crate::wire::{
    Erasure, ErasureAnswer, ExportSchema, ImportAnswer, ImportLine, ImportProblem, Named, PatchAnswer, PatchBody,
    ReadAnswer, given,
};

/// How many problems of an import are told.
const PROBLEMS: usize = 1000;

/// How much is told of each, in bytes: a line may have as many mistakes as it has fields.
const PROBLEM_BYTES: usize = 2 << 10;

/// What is remembered of a caller
#[utoipa::path(
    post, path = "/v1/agents/{account}/{project}/{environment}/memory/read", tag = "memory",
    params(At),
    request_body = Named,
    responses((status = 200, body = ReadAnswer), Refusals),
)]
pub(crate) async fn read(
    State(service): State<Service>,
    holder: Holder,
    In(at): In<At>,
    Body { value: Named { identifier, kind }, .. }: Body<Named>,
) -> Result<Json<ReadAnswer>, Problem> {
    let scope = Scope::from(at);
    holder.grant.check(Permission::Administer, &scope)?;
    let fields = holder.administration(&service).get(&scope, kind, &identifier).await?;
    Ok(Json(ReadAnswer { fields }))
}

/// Put fields into a caller's memory
///
/// By the rules that hold for functions: all of them are written, or none. Other fields stay as they are.
#[utoipa::path(
    post, path = "/v1/agents/{account}/{project}/{environment}/memory/patch", tag = "memory",
    params(At),
    request_body = PatchBody,
    responses((status = 200, body = PatchAnswer), Refusals),
)]
pub(crate) async fn patch(
    State(service): State<Service>,
    holder: Holder,
    In(at): In<At>,
    Body { value: PatchBody { identifier, kind, fields }, .. }: Body<PatchBody>,
) -> Result<Json<PatchAnswer>, Problem> {
    let scope = Scope::from(at);
    holder.grant.check(Permission::Administer, &scope)?;
    let (_, agent) = service.agents.current(&scope).await?;
    let administration = holder.administration(&service);
    let act = administration.begin_act(ActKind::Patch, Some(&scope)).await?;
    let patched = agent.patch(MemoryPatch { kind, identifier, fields: given(fields) }).await?;
    let written = if patched.written { patched.report.keys.len() as u64 } else { 0 };
    administration.complete_act(act, [("fields", written)]).await?;
    if !patched.written {
        return Err(refused(&patched));
    }
    Ok(Json(PatchAnswer { commit: patched.report }))
}

/// Erase a caller, or one of the caller's keys
///
/// Conversations that began before commit nothing more of what was erased.
#[utoipa::path(
    post, path = "/v1/agents/{account}/{project}/{environment}/memory/erase", tag = "memory",
    params(At),
    request_body = Erasure,
    responses((status = 200, body = ErasureAnswer), Refusals),
)]
pub(crate) async fn erase(
    State(service): State<Service>,
    holder: Holder,
    In(at): In<At>,
    Body { value: Erasure { identifier, kind, key }, .. }: Body<Erasure>,
) -> Result<Json<ErasureAnswer>, Problem> {
    let scope = Scope::from(at);
    holder.grant.check(Permission::Administer, &scope)?;
    let administration = holder.administration(&service);
    let agent_memory_host::Erasure { deleted, receipt, .. } =
        administration.erase(&scope, kind, &identifier, key.as_deref()).await?;
    Ok(Json(ErasureAnswer { deleted, receipt }))
}

/// All that is held on a caller
#[utoipa::path(
    post, path = "/v1/agents/{account}/{project}/{environment}/memory/export", tag = "memory",
    params(At),
    request_body = Named,
    responses((status = 200, body = ExportSchema), Refusals),
)]
pub(crate) async fn export(
    State(service): State<Service>,
    holder: Holder,
    In(at): In<At>,
    Body { value: Named { identifier, kind }, .. }: Body<Named>,
) -> Result<Json<Export>, Problem> {
    let scope = Scope::from(at);
    holder.grant.check(Permission::Administer, &scope)?;
    Ok(Json(holder.administration(&service).export(&scope, kind, &identifier).await?))
}

/// Put many callers' fields into memory
///
/// A JSON object a line, in the form of `.../memory/patch`: each line is written as a whole or not at all, by the rules that hold
/// for functions. What `GET /v1/memory` gives can be sent here.
#[utoipa::path(
    post, path = "/v1/agents/{account}/{project}/{environment}/memory/import", tag = "memory",
    params(At),
    request_body(content = String, content_type = "application/x-ndjson"),
    responses((status = 200, body = ImportAnswer), Refusals),
)]
pub(crate) async fn import(
    State(service): State<Service>,
    holder: Holder,
    In(at): In<At>,
    request: Request,
) -> Result<Json<ImportAnswer>, Problem> {
    let scope = Scope::from(at);
    holder.grant.check(Permission::Administer, &scope)?;
    if !is_of_type(request.headers(), "application/x-ndjson") {
        let advice = "send a JSON object a line, with the header `Content-Type: application/x-ndjson`";
        return Err(Problem::unsupported_type(advice));
    }
    let _turn = service.imports.turn().await?;
    let (_, agent) = service.agents.current(&scope).await?;
    let administration = holder.administration(&service);
    let act = administration.begin_act(ActKind::Import, Some(&scope)).await?;
    let mut answer = ImportAnswer::default();
    let mut lines = Lines::new(request.into_body(), IMPORT_BYTES);
    for line in 1.. {
        let so_far = |problem: Problem| {
            let advice = format!("the lines before line {line} were imported, and may be sent again");
            problem.and(&advice)
        };
        let parsed = match lines.next().await.map_err(so_far)? {
            None => break,
            Some(Line::Text(text)) if text.trim_ascii().is_empty() => continue,
            Some(Line::Text(text)) => parse::<ImportLine>(&text),
            Some(Line::TooLong) => Err(Problem::too_large(format!("the line has more than {LINE_BYTES} bytes"))),
        };
        let written = match parsed {
            Err(problem) => Err(problem),
            Ok(line) if !line.is_of(&scope) => {
                let detail = "the line is another account's, project's or environment's: send it to that agent";
                Err(Problem::invalid(detail))
            }
            Ok(ImportLine { identifier, kind, fields, .. }) => {
                match agent.patch(MemoryPatch { kind, identifier, fields: given(fields) }).await {
                    Ok(patched) if patched.written => Ok(()),
                    Ok(patched) => Err(refused(&patched)),
                    // The store is away: what comes after would fail as well.
                    Err(error @ AdministrationError::Store(_)) => return Err(so_far(error.into())),
                    Err(error) => Err(error.into()),
                }
            }
        };
        match written {
            Ok(()) => answer.written += 1,
            Err(problem) if answer.refused.len() < PROBLEMS => {
                answer.refused.push(ImportProblem { line, detail: shortened(problem.in_full()) });
            }
            Err(_) => {}
        }
    }
    administration.complete_act(act, [("callers", answer.written)]).await?;
    Ok(Json(answer))
}

/// Everybody on whom something is held
///
/// A JSON object a line, of the accounts, projects and environments that the token is for.
#[utoipa::path(
    get, path = "/v1/memory", tag = "memory",
    responses((status = 200, body = String, content_type = "application/x-ndjson"), Refusals),
)]
pub(crate) async fn export_all(State(service): State<Service>, holder: Holder) -> Result<Response, Problem> {
    holder.grant.check_permission(Permission::Administer)?;
    let administration = holder.administration(&service);
    let act = administration.begin_act(ActKind::ExportAll, holder.grant.scope().as_ref()).await?;
    // A store that is away is still told of by the status.
    let first = administration.callers(None).await?;
    let further = administration.clone();
    let pages = pages(first, move |after| {
        let administration = further.clone();
        async move { administration.callers(Some(after)).await }
    });
    Ok(lines(pages, holder.grant, administration, act))
}

/// The callers that a grant covers, a line each. The audit trail has their number once all are sent.
fn lines(
    pages: impl futures::Stream<Item = Result<Vec<Caller>, AdministrationError>> + Send + 'static,
    grant: Grant,
    administration: Administration,
    act: BegunAct,
) -> Response {
    let sent = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&sent);
    let texts = pages.map_ok(move |callers: Vec<Caller>| {
        let mut text = Vec::new();
        for caller in callers.iter().filter(|caller| grant.covers(&caller.scope)) {
            if serde_json::to_writer(&mut text, caller).is_ok() {
                text.push(b'\n');
                counted.fetch_add(1, Ordering::Relaxed);
            }
        }
        Bytes::from(text)
    });
    let end = stream::once(async move {
        let callers = sent.load(Ordering::Relaxed);
        administration.complete_act(act, [("callers", callers)]).await?;
        Ok(Bytes::new())
    });
    // What has broken off is not completed.
    let texts = texts.chain(end).scan(false, |broken, text: Result<Bytes, AdministrationError>| {
        let text = (!*broken).then_some(text);
        *broken |= matches!(text, Some(Err(_)));
        std::future::ready(text)
    });
    let texts = texts.inspect_err(|error| tracing::error!(%error, "an export has broken off"));
    ([(header::CONTENT_TYPE, "application/x-ndjson")], Stream::from_stream(texts)).into_response()
}

/// Which of the fields may not be stored, and why.
fn refused(patched: &agent_memory_host::Patched) -> Problem {
    let report = &patched.report;
    if let Err(reason) = report.identifier {
        let reason = serde_json::to_string(&reason).unwrap_or_default();
        return Problem::not_storable(format!("nothing was written: there is no identifier ({reason})"));
    }
    let errors = report.keys.iter().filter_map(|(key, outcome)| match outcome {
        agent_memory_host::KeyOutcome::Dropped(reason) => {
            Some((format!("fields.{key}"), serde_json::to_string(reason).unwrap_or_default()))
        }
        agent_memory_host::KeyOutcome::Kept(_) => None,
    });
    Problem::not_storable("nothing was written: mend what `errors` lists").with_errors(errors)
}

/// As much of what is wrong with a line as is told.
fn shortened(mut detail: String) -> String {
    if detail.len() > PROBLEM_BYTES {
        detail.truncate(detail.floor_char_boundary(PROBLEM_BYTES));
        detail.push_str("...");
    }
    detail
}
