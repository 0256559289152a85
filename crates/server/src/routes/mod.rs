//! The API: what can be asked, and what comes back.

mod agents;
mod analytics;
mod audit;
mod conversations;
mod dashboard;
mod memory;
mod status;

use std::time::Duration;

use std::collections::BTreeMap;

use agent_memory_host::AdministrationError;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{from_fn_with_state, map_request, map_response};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use futures::{Stream, StreamExt, stream};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::{RequestBodyDeadlineLayer, RequestBodyTimeoutLayer};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};
use utoipa::{IntoResponses, Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::service::Service;
use crate::{Problem, local, observability, pace, rate};

/// How long the next piece of a body may take to arrive.
const PIECE_TIME: Duration = Duration::from_secs(15);

/// How long a body may take to arrive, but for components and imports.
const BODY_TIME: Duration = Duration::from_secs(60);

/// How long a component may take to arrive.
const COMPONENT_TIME: Duration = Duration::from_secs(10 * 60);

/// How long an import may take as a whole.
const IMPORT_TIME: Duration = Duration::from_secs(2 * 60 * 60);

/// The largest body, but for components and imports.
const BODY_BYTES: usize = 1 << 20;

/// The largest component with its configuration.
const COMPONENT_BYTES: usize = 80 << 20;

/// The largest import, of which a line at a time is in memory.
const IMPORT_BYTES: usize = 256 << 20;

#[derive(OpenApi)]
#[openapi(
    info(title = "Agent Memory", description = "Agents that remember their callers, by rules that are enforced."),
    modifiers(&Tokens),
    security(("token" = [])),
    tags(
        (name = "agents", description = "Functions with their configuration."),
        (name = "conversations", description = "Callers talking with agents, turn by turn."),
        (name = "memory", description = "What is remembered: read, changed, erased, moved."),
        (name = "audit", description = "What administrators did."),
        (name = "analytics", description = "Repeat callers, and how much is held. No identifier and no value."),
        (name = "status", description = "The service itself."),
    ),
)]
struct Api;

/// What every route may answer in place of what it is for.
struct Refusals;

impl IntoResponses for Refusals {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        let problem = || {
            let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
            RefOr::T(ResponseBuilder::new().content("application/problem+json", content).build())
        };
        ["4XX", "5XX"].map(|status| (status.to_owned(), problem())).into()
    }
}

/// All pages of a list, of which the first was read already.
fn pages<T, P: Copy + Send + 'static, F>(
    (first, next): (T, Option<P>),
    read: impl Fn(P) -> F + Send + 'static,
) -> impl Stream<Item = Result<T, AdministrationError>> + Send + 'static
where
    T: Send + 'static,
    F: Future<Output = Result<(T, Option<P>), AdministrationError>> + Send + 'static,
{
    let further = stream::try_unfold((next, read), |(next, read)| async move {
        let Some(after) = next else { return Ok(None) };
        let (page, next) = read(after).await?;
        Ok(Some((page, (next, read))))
    });
    stream::once(async { Ok(first) }).chain(further)
}

struct Tokens;

impl Modify for Tokens {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(
            "A token of `agent-memory token`. A service that listens on its own machine alone may do without.",
        ));
        api.components.get_or_insert_default().add_security_scheme("token", SecurityScheme::Http(token.build()));
    }
}

/// The description of the API, in the words of OpenAPI.
pub(crate) fn description() -> utoipa::openapi::OpenApi {
    api().split_for_parts().1
}

fn api() -> OpenApiRouter<Service> {
    OpenApiRouter::with_openapi(Api::openapi())
        .routes(routes!(agents::list))
        .routes(routes!(agents::show, agents::withdraw))
        .routes(routes!(agents::tools))
        .routes(routes!(conversations::start))
        .routes(routes!(conversations::status))
        .routes(routes!(conversations::call))
        .routes(routes!(conversations::preview))
        .routes(routes!(conversations::end))
        .routes(routes!(conversations::outcome))
        .routes(routes!(memory::read))
        .routes(routes!(memory::patch))
        .routes(routes!(memory::erase))
        .routes(routes!(audit::list))
        .routes(routes!(memory::export))
        .routes(routes!(memory::export_all))
        .routes(routes!(analytics::figures))
        .routes(routes!(analytics::rows))
        .routes(routes!(analytics::health))
        .routes(routes!(status::metrics))
        .routes(routes!(status::alive))
        .routes(routes!(status::ready))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(RequestBodyDeadlineLayer::new(BODY_TIME))
        .merge(large(routes!(agents::publish), COMPONENT_BYTES, COMPONENT_TIME))
        .merge(large(routes!(memory::import), IMPORT_BYTES, IMPORT_TIME))
}

fn large(
    route: utoipa_axum::router::UtoipaMethodRouter<Service>,
    bytes: usize,
    time: Duration,
) -> OpenApiRouter<Service> {
    let router = OpenApiRouter::new().routes(route).layer(map_request(pace::keep_pace));
    router.layer(DefaultBodyLimit::max(bytes)).layer(RequestBodyDeadlineLayer::new(time))
}

/// Everything that the service answers.
pub(crate) fn router(service: Service) -> Router {
    let (router, description) = api().split_for_parts();
    let description = Json(description);
    let security = |name, value| SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value));
    router
        .route("/openapi.json", axum::routing::get(|| async { description }))
        .merge(dashboard::router())
        .fallback(|| async { Problem::no_such_route("look at /openapi.json for what there is") })
        .method_not_allowed_fallback(|| async {
            Problem::method_not_allowed("look at /openapi.json for the methods that there are")
        })
        .layer(from_fn_with_state(service.clone(), rate::limit))
        .layer(from_fn_with_state(service.clone(), local::refuse_foreign))
        .route_layer(from_fn_with_state(service.clone(), observability::observe))
        .layer(map_response(as_problem))
        .layer(CatchPanicLayer::custom(|_| Problem::fault().into_response()))
        .layer(RequestBodyTimeoutLayer::new(PIECE_TIME))
        .layer(CompressionLayer::new())
        .layer(security(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(security(header::REFERRER_POLICY, "no-referrer"))
        .layer(security(header::CACHE_CONTROL, "no-store"))
        .layer(observability::traces())
        .with_state(service)
}

/// Makes a problem document of what the framework refuses by itself.
async fn as_problem(response: Response) -> Response {
    let status = response.status();
    let is_ours = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind != "text/plain; charset=utf-8");
    if is_ours || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large("the body has more bytes than the service takes"),
        StatusCode::REQUEST_TIMEOUT => Problem::too_slow("send the request faster"),
        status if status.is_server_error() => Problem::fault(),
        _ => Problem::malformed("the request cannot be read: look at /openapi.json for its form"),
    }
    .into_response()
}
