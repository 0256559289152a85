//! What requests bring: where, what, and under which idempotency key. What is wrong with it is a [`Problem`].

use std::error::Error;

use agent_memory_host::Scope;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::{HeaderMap, StatusCode, header, request::Parts};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tower_http::timeout::TimeoutError;
use utoipa::IntoParams;

use crate::pace::TooSlow;
use crate::{Problem, answers};

/// The longest idempotency key, in bytes.
const KEY_BYTES: usize = 256;

/// The agent that a path names.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct At {
    /// The account.
    account: String,
    /// The project.
    project: String,
    /// The environment.
    environment: String,
}

/// The conversation of that agent that a path names.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OfConversation {
    /// The conversation's id.
    pub(crate) conversation: String,
}

/// The header of requests that may be sent again.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code, reason = "the schema of what is read with the body")]
pub(crate) struct Repeatable {
    /// A random text. The same request under the same key is answered as the first was.
    #[param(rename = "Idempotency-Key")]
    key: Option<String>,
}

/// The parameters of a path.
pub(crate) struct In<T>(pub(crate) T);

/// The parameters of a query.
pub(crate) struct Asked<T>(pub(crate) T);

/// A body in JSON.
pub(crate) struct Body<T> {
    pub(crate) value: T,
    /// The request, if it may be repeated.
    pub(crate) request: Option<answers::Request>,
}

impl From<At> for Scope {
    fn from(At { account, project, environment }: At) -> Self {
        Self { account, project, environment }
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for In<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let unreadable = |rejection: PathRejection| Problem::malformed(format!("the path: {}", rejection.body_text()));
        Ok(Self(Path::from_request_parts(parts, state).await.map_err(unreadable)?.0))
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let unreadable =
            |rejection: QueryRejection| Problem::malformed(format!("the query: {}", rejection.body_text()));
        Ok(Self(Query::from_request_parts(parts, state).await.map_err(unreadable)?.0))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let key = key(&parts)?;
        let route = parts.uri.path().to_owned();
        let is_json = is_of_type(&parts.headers, "application/json");
        let bytes = read(Request::from_parts(parts, body), state).await?;
        // Where everything has a default, nothing need be said.
        let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        if !is_json && !bytes.is_empty() {
            return Err(Problem::unsupported_type("send JSON, with the header `Content-Type: application/json`"));
        }
        let value = parse(text)?;
        let request = key.map(|key| answers::Request::new(&key, &route, text));
        Ok(Self { value, request })
    }
}

/// Whether a body is of a content type, by what the headers say.
pub(crate) fn is_of_type(headers: &HeaderMap, kind: &str) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|said| {
        let said = said.to_str().unwrap_or_default();
        said.split(';').next().is_some_and(|said| said.trim().eq_ignore_ascii_case(kind))
    })
}

/// What a client is told whose body did not arrive as a whole.
pub(crate) fn broken_off(error: &(dyn Error + 'static)) -> Problem {
    let mut causes = std::iter::successors(Some(error), |error: &&(dyn Error + 'static)| (*error).source());
    if causes.any(|cause| cause.is::<TimeoutError>() || cause.is::<TooSlow>()) {
        return Problem::too_slow("the body did not arrive in time: send it faster");
    }
    Problem::malformed("the body broke off, or did not arrive")
}

/// Reads a JSON text. What is said of a mistake has nothing of the text itself.
pub(crate) fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        match error.classify() {
            serde_json::error::Category::Data => {
                Problem::invalid(format!("{} (line {line}, column {column})", without_values(&error.to_string())))
            }
            _ => Problem::malformed(format!("this is no JSON (line {line}, column {column})")),
        }
    })
}

/// What a message says without the values that it quotes: those may be a caller's. Names of members are shown, so that who
/// has misspelt one finds it.
fn without_values(message: &str) -> String {
    // A value may have the words in it that come behind it, and so the last ones count.
    let message = message.rsplit_once(" at line ").map_or(message, |(message, _)| message);
    if ["unknown field `", "missing field `", "duplicate field `"].iter().any(|start| message.starts_with(start)) {
        return message.to_owned();
    }
    let kinds = ["invalid type", "invalid value", "invalid length", "unknown variant"];
    // What a type says of its own, such as a time, may quote anything.
    let Some(kind) = kinds.into_iter().find(|kind| message.starts_with(kind)) else {
        return "invalid value".to_owned();
    };
    match message.rsplit_once(", expected ") {
        Some((_, expected)) => format!("{kind}: expected {expected}"),
        None => kind.to_owned(),
    }
}

async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|rejection: BytesRejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large("the body has more bytes than the service takes"),
        _ => broken_off(&rejection),
    })
}

fn key(parts: &Parts) -> Result<Option<Vec<u8>>, Problem> {
    let Some(key) = parts.headers.get("idempotency-key") else { return Ok(None) };
    if key.is_empty() || key.len() > KEY_BYTES {
        return Err(Problem::malformed(format!("an `Idempotency-Key` has 1 to {KEY_BYTES} bytes: use a random one")));
    }
    Ok(Some(key.as_bytes().to_vec()))
}

#[cfg(test)]
mod tests {
    use agent_memory_host::IdentifierKind;

    use super::*;

    /// Says everything that a message of serde's may quote.
    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "it is never read")]
    struct Said {
        known: bool,
        kind: Option<IdentifierKind>,
        at: Option<jiff::Timestamp>,
    }

    fn detail(text: &str) -> String {
        parse::<Said>(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn p3_a_value_is_never_quoted_whatever_words_it_has() {
        for value in ["camembert", "camembert, expected camembert", "camembert at line 1", "unknown field `camembert`"]
        {
            for text in [
                format!(r#"{{"known": "{value}"}}"#),
                format!(r#"{{"known": true, "kind": "{value}"}}"#),
                format!(r#"{{"known": true, "at": "{value}"}}"#),
            ] {
                let detail = detail(&text);
                assert!(!detail.contains("camembert"), "{detail}");
            }
        }
    }

    #[test]
    fn what_is_expected_is_told_and_names_are_shown() {
        assert!(detail(r#"{"known": 1}"#).contains("invalid type: expected a boolean (line 1, column "));
        assert!(detail(r#"{"known": true, "kind": "phon"}"#).contains("unknown variant: expected `phone` or `custom`"));
        assert!(detail(r#"{"knwon": true}"#).contains("unknown field `knwon`, expected one of `known`"));
        assert!(detail("{}").contains("missing field `known`"));
    }
}
