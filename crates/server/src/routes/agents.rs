//! Agents: list, publish, show, remove.

use agent_memory_host::{ActKind, AgentDefinition, ComponentId, Scope};
use axum::Json;
use axum::extract::State;
use axum::extract::multipart::{Multipart, MultipartError, MultipartRejection};
use axum::http::StatusCode;
use utoipa::ToSchema;

use super::Refusals;
use crate::Problem;
use crate::access::{Grant, Holder, Permission};
use crate::input::{At, In, broken_off};
use crate::service::Service;
use crate::wire::{AgentAnswer, AgentList, AgentSummary, ToolAnswer};

/// Functions with their configuration.
#[derive(ToSchema)]
#[allow(dead_code, reason = "the schema of a form that is read piece by piece")]
pub(crate) struct Publication {
    /// The component, from `agent-memory build`. Or name one that was sent before.
    #[schema(value_type = Option<String>, format = Binary, content_media_type = "application/wasm")]
    functions: Option<Vec<u8>>,
    /// The digest of a component that was sent before.
    component: Option<String>,
    /// The configuration. Default: `{}`, which remembers nothing.
    #[schema(value_type = Option<Object>)]
    configuration: Option<String>,
}

/// The agents
#[utoipa::path(
    get, path = "/v1/agents", tag = "agents",
    responses((status = 200, body = AgentList), Refusals),
)]
pub(crate) async fn list(State(service): State<Service>, grant: Grant) -> Result<Json<AgentList>, Problem> {
    if grant.check_permission(Permission::Administer).is_err() {
        grant.check_permission(Permission::Call)?;
    }
    let agents = service.runtime.catalogue().agents().await?;
    let mut agents: Vec<_> = agents.into_iter().filter(|agent| grant.covers(&agent.scope)).collect();
    agents.sort_by(|a, b| {
        let key = |agent: &agent_memory_host::PublishedAgent| {
            let scope = agent.scope.clone();
            (scope.account, scope.project, scope.environment)
        };
        key(a).cmp(&key(b))
    });
    Ok(Json(AgentList { agents: agents.into_iter().map(AgentSummary::from).collect() }))
}

/// An agent
#[utoipa::path(
    get, path = "/v1/agents/{account}/{project}/{environment}", tag = "agents",
    params(At),
    responses((status = 200, body = AgentAnswer), Refusals),
)]
pub(crate) async fn show(
    State(service): State<Service>,
    grant: Grant,
    In(at): In<At>,
) -> Result<Json<AgentAnswer>, Problem> {
    let scope = Scope::from(at);
    if grant.check(Permission::Administer, &scope).is_err() {
        grant.check(Permission::Call, &scope)?;
    }
    let (published, agent) = service.agents.current(&scope).await?;
    Ok(Json(AgentAnswer::new(published, &agent)))
}

/// Publish an agent
///
/// Conversations that begin from now on have the new version; running ones go on with theirs.
#[utoipa::path(
    put, path = "/v1/agents/{account}/{project}/{environment}", tag = "agents",
    params(At),
    request_body(content = Publication, content_type = "multipart/form-data"),
    responses((status = 200, body = AgentAnswer), Refusals),
)]
pub(crate) async fn publish(
    State(service): State<Service>,
    holder: Holder,
    In(at): In<At>,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Json<AgentAnswer>, Problem> {
    let scope = Scope::from(at);
    holder.grant.check(Permission::Administer, &scope)?;
    let _turn = service.publications.turn().await?;
    let unreadable = |_| Problem::unsupported_type("send a form, as `curl --form functions=@agent.wasm` does");
    let form = Form::read(form.map_err(unreadable)?).await?;
    let configuration = form.configuration.unwrap_or_else(|| "{}".to_owned());
    let administration = holder.administration(&service);
    let act = administration.begin_act(ActKind::Publish, Some(&scope)).await?;
    let (published, agent) = match (form.functions, form.component) {
        (Some(functions), None) => service.agents.publish(AgentDefinition { scope, functions, configuration }).await?,
        (None, Some(component)) => service.agents.publish_known(scope, component, configuration).await?,
        _ => {
            let problem =
                "give either `functions`, a component, or `component`, the digest of one that was sent before";
            return Err(Problem::invalid(problem));
        }
    };
    administration.complete_act(act, []).await?;
    Ok(Json(AgentAnswer::new(published, &agent)))
}

/// Remove an agent
///
/// No conversation can begin with it. Running ones go on for up to a week.
#[utoipa::path(
    delete, path = "/v1/agents/{account}/{project}/{environment}", tag = "agents",
    params(At),
    responses((status = 204, description = "It is removed."), Refusals),
)]
pub(crate) async fn withdraw(
    State(service): State<Service>,
    holder: Holder,
    In(at): In<At>,
) -> Result<StatusCode, Problem> {
    let scope = Scope::from(at);
    holder.grant.check(Permission::Administer, &scope)?;
    let administration = holder.administration(&service);
    let act = administration.begin_act(ActKind::Withdraw, Some(&scope)).await?;
    service.agents.withdraw(&scope).await?;
    administration.complete_act(act, []).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An agent's functions as tools
///
/// In the form in which language models are given tools. `start_function` and `end_function` run by themselves, and are
/// none.
#[utoipa::path(
    get, path = "/v1/agents/{account}/{project}/{environment}/tools", tag = "agents",
    params(At),
    responses((status = 200, body = Vec<ToolAnswer>), Refusals),
)]
pub(crate) async fn tools(
    State(service): State<Service>,
    grant: Grant,
    In(at): In<At>,
) -> Result<Json<Vec<ToolAnswer>>, Problem> {
    let scope = Scope::from(at);
    grant.check(Permission::Call, &scope)?;
    let (_, agent) = service.agents.current(&scope).await?;
    Ok(Json(agent.functions().iter().filter_map(ToolAnswer::of).collect()))
}

/// What a form brings.
#[derive(Default)]
struct Form {
    functions: Option<Vec<u8>>,
    component: Option<ComponentId>,
    configuration: Option<String>,
}

impl Form {
    async fn read(mut multipart: Multipart) -> Result<Self, Problem> {
        let mut form = Self::default();
        while let Some(field) = multipart.next_field().await.map_err(broken)? {
            match field.name().unwrap_or_default() {
                "functions" => form.functions = Some(field.bytes().await.map_err(broken)?.into()),
                "component" => {
                    let text = field.text().await.map_err(broken)?;
                    let no_digest = |_| Problem::invalid("`component` is no digest: take the one of an earlier answer");
                    form.component = Some(text.trim().parse().map_err(no_digest)?);
                }
                "configuration" => form.configuration = Some(field.text().await.map_err(broken)?),
                _ => {
                    let known = "`functions`, `component` and `configuration`";
                    return Err(Problem::invalid(format!("the form has a field that is not known: send {known} only")));
                }
            }
        }
        Ok(form)
    }
}

fn broken(error: MultipartError) -> Problem {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Problem::too_large("the component has more bytes than the service takes");
    }
    let problem = broken_off(&error);
    if problem.status() == StatusCode::REQUEST_TIMEOUT {
        return problem;
    }
    Problem::malformed("the form cannot be read: send one, as `curl --form functions=@agent.wasm` does")
}
