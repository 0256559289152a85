//! Requests to the service.

mod logs;

use std::cell::RefCell;
use std::sync::Arc;

use agent_memory_host::AgentDefinition;
use agent_memory_host::keys::Keys;
use agent_memory_host::store::MemoryStore;
use agent_memory_server::{Options, Server};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode, header};
use serde_json::Value;
use tower::ServiceExt as _;

use super::shop::{CONFIGURATION, component, limits, on_this_thread, scope};
use crate::Target;
use crate::kept::root;

pub(crate) const TARGET: Target = Target {
    name: "http",
    run: http,
    longest: 16 << 10,
    words: &[
        "GET ",
        "POST ",
        "PUT ",
        "DELETE ",
        "HEAD ",
        "OPTIONS ",
        "/v1/agents/",
        "ACCOUNT/project/live",
        "/conversations",
        "/conversations/one",
        "/calls",
        "/preview",
        "/end",
        "/outcome",
        "/memory/read",
        "/memory/patch",
        "/memory/erase",
        "/memory/export",
        "/memory/import",
        "/v1/memory",
        "/v1/memory/health",
        "/v1/audit",
        "/v1/analytics",
        "/v1/analytics/rows",
        "/metrics",
        "/healthz",
        "/readyz",
        "/openapi.json",
        "?after=",
        "?limit=",
        "&format=csv",
        "Content-Type: application/json\n",
        "Content-Type: application/x-ndjson\n",
        "Idempotency-Key: k\n",
        "Accept-Encoding: gzip\n",
        "Host: localhost\n",
        "Origin: http://localhost\n",
        "%00",
        "%2F",
        "%ff",
        "\n\n",
        "\0",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "null",
        "true",
        "1e999",
        "-1",
        "\"\"",
        "\\ud83d",
        ", expected ",
        " at line ",
        "\"id\"",
        "\"caller_number\"",
        "\"+441632960001\"",
        "\"state\"",
        "\"function\"",
        "\"book\"",
        "\"arguments\"",
        "\"identifier\"",
        "\"kind\"",
        "\"phone\"",
        "\"custom\"",
        "\"fields\"",
        "\"value\"",
        "\"expires\"",
        "\"key\"",
        "\"cheese_type\"",
        "\"outcome\"",
        "\"handoff\"",
        "\"qa\"",
        "\"run_start_function\"",
        "\"settings\"",
    ],
};

/// What separates requests.
const SEPARATOR: u8 = 0;

/// What stands in a path for the account whose agent there is, which no other input knows.
const ACCOUNT: &str = "ACCOUNT";

/// How many requests are made of an input, at most.
const REQUESTS: usize = 12;

/// After how many inputs the service is made anew.
const INPUTS: u32 = 1_000;

/// The longest that is said of what is wrong, in bytes.
const PROBLEM_BYTES: usize = 64 << 10;

/// Digits of the callers' numbers, and a word of the remembered values, that the inputs have: nothing that the service logs
/// or complains of may have them (P3).
const CANARIES: [&str; 2] = ["441632960001", "quargel"];

/// Sends requests to a service on which there is an agent: method and path, headers line by line, an empty line and the body.
///
/// - No request makes the service fail, and each is answered.
/// - What is wrong with a request is a problem document of the status that it has, and not long.
/// - What a body says of a caller is neither in problems nor in the log (P3).
pub fn http(data: &[u8]) {
    logs::begin();
    thread_local! {
        static SERVICE: RefCell<Option<(Service, u32)>> = const { RefCell::new(None) };
    }
    SERVICE.with_borrow_mut(|kept| {
        // What panics leaves no service behind, and begins with a fresh one.
        let (service, inputs) = kept.take().filter(|(_, left)| *left > 0).unwrap_or_else(|| (Service::new(), INPUTS));
        service.tokio.block_on(ask(&service, inputs, data));
        *kept = Some((service, inputs - 1));
    });
    let log = logs::end();
    let in_heads =
        data.split(|byte| *byte == SEPARATOR).any(|request| has_canary(&String::from_utf8_lossy(head(request).0)));
    assert!(in_heads || !has_canary(&log), "P3: the log has a caller's data: {log}");
}

struct Service {
    tokio: tokio::runtime::Runtime,
    server: Server,
    router: Router,
}

impl Service {
    fn new() -> Self {
        let tokio = on_this_thread();
        let mut options = Options::new("127.0.0.1:0".parse().expect("an address"), root().join("target/tests/code"));
        options.requests_per_second = None;
        options.sweep_every = None;
        options.limits = limits();
        let server = tokio.block_on(Server::bind(Arc::new(MemoryStore::new()), Keys::ephemeral(), options));
        let server = server.unwrap_or_else(|error| panic!("{error}"));
        let router = server.router();
        Self { tokio, server, router }
    }
}

async fn ask(service: &Service, input: u32, data: &[u8]) {
    let account = format!("account-{input}");
    let definition =
        AgentDefinition { scope: scope(&account), functions: component(), configuration: CONFIGURATION.into() };
    service.server.publish(definition).await.unwrap_or_else(|problem| panic!("{problem:?}"));
    for text in data.split(|byte| *byte == SEPARATOR).take(REQUESTS) {
        let Some(request) = request(text, &account) else { continue };
        let is_head = request.method() == "HEAD";
        let response = service.router.clone().oneshot(request).await.unwrap_or_else(|never| match never {});
        check(response, text, is_head).await;
    }
}

/// The request that a text describes, if HTTP has words for it.
fn request(text: &[u8], account: &str) -> Option<Request<Body>> {
    let (head, body) = head(text);
    let head = std::str::from_utf8(head).ok()?.replace(ACCOUNT, account);
    let mut lines = head.lines();
    let (method, path) = lines.next()?.split_once(' ')?;
    let mut request = Request::builder().method(method).uri(path);
    for line in lines {
        let (name, value) = line.split_once(':')?;
        request = request.header(name, value.trim());
    }
    request.body(Body::from(body.to_vec())).ok()
}

/// What stands before the empty line, and what behind it.
fn head(text: &[u8]) -> (&[u8], &[u8]) {
    match text.windows(2).position(|pair| pair == b"\n\n") {
        Some(end) => (&text[..end], &text[end + 2..]),
        None => (text, &[]),
    }
}

async fn check(response: Response<Body>, request: &[u8], is_head: bool) {
    let (parts, body) = response.into_parts();
    let status = parts.status;
    let body = to_bytes(body, usize::MAX).await.unwrap_or_else(|error| panic!("an answer breaks off: {error}"));
    let is_busy = status == StatusCode::SERVICE_UNAVAILABLE && parts.headers.contains_key(header::RETRY_AFTER);
    assert!(!status.is_server_error() || is_busy, "{status}: {}", String::from_utf8_lossy(&body));
    if !status.is_client_error() && !status.is_server_error() {
        return;
    }
    let kind = parts.headers.get(header::CONTENT_TYPE).map(|kind| kind.to_str().expect("a text"));
    assert_eq!(kind, Some("application/problem+json"), "{status}");
    if is_head || parts.headers.contains_key(header::CONTENT_ENCODING) {
        return;
    }
    assert!(body.len() <= PROBLEM_BYTES, "a problem of {} bytes", body.len());
    let problem: Value = serde_json::from_slice(&body).expect("a problem is JSON");
    assert_eq!(problem["status"], status.as_u16());
    let is_named = problem["type"].as_str().is_some_and(|kind| kind.starts_with("urn:agent-memory:problem:"));
    assert!(is_named && problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{problem}");
    assert!(
        names_canary(request) || !has_canary(&without_names(&problem.to_string())),
        "P3: a problem has a caller's data: {problem}"
    );
}

/// A problem without the name of a member that there is not, which is shown even if the rest of the body is no JSON.
fn without_names(problem: &str) -> String {
    let unknown = problem.split_once("unknown field `").and_then(|(before, rest)| {
        let (_, after) = rest.rsplit_once("`, ")?;
        Some([before, after].concat())
    });
    unknown.unwrap_or_else(|| problem.to_owned())
}

fn has_canary(text: &str) -> bool {
    CANARIES.iter().any(|canary| text.contains(canary))
}

/// Whether a request has what a caller would say in a place where no caller speaks: in its head, or as the name of a member,
/// which is shown so that its author finds it.
fn names_canary(request: &[u8]) -> bool {
    fn names(value: &Value) -> bool {
        match value {
            Value::Object(members) => members.iter().any(|(name, value)| has_canary(name) || names(value)),
            Value::Array(elements) => elements.iter().any(names),
            _ => false,
        }
    }
    let (head, body) = head(request);
    let mut lines = body.split(|byte| *byte == b'\n').chain([body]);
    has_canary(&String::from_utf8_lossy(head))
        || lines.any(|line| serde_json::from_slice(line).is_ok_and(|value: Value| names(&value)))
}
