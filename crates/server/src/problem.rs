//! What a client is told when something is wrong: a problem document (RFC 9457).

use std::borrow::Cow;
use std::fmt;

use agent_memory_host::store::{Effect, StoreError};
use agent_memory_host::{
    AdministrationError, Busy, CallError, ConfigurationError, EndError, LoadError, PolicyFailure, ResumeError,
    SaveError, StartError,
};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// A problem document. It never holds an identifier, a remembered value, or anything of another caller.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Which problem it is, for programs: `urn:agent-memory:problem:` and a name.
    #[serde(rename = "type")]
    kind: String,
    /// Which problem it is, for people.
    title: &'static str,
    /// The status of the answer.
    status: u16,
    /// What is wrong here, and what to do.
    detail: String,
    /// All mistakes, where there can be several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Mistake>,
    /// When to try again, in seconds.
    #[serde(skip)]
    retry_after: Option<u32>,
}

/// One of several mistakes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Mistake {
    /// Where it is.
    path: String,
    /// What is wrong, and what to do.
    detail: String,
}

/// The problems that there are: name, status, title.
macro_rules! problems {
    ($($(#[$doc:meta])* $function:ident: $name:literal, $status:ident, $title:literal;)+) => {
        impl Problem {
            $($(#[$doc])* pub(crate) fn $function(detail: impl Into<String>) -> Self {
                Self::new($name, StatusCode::$status, $title, detail.into())
            })+
        }
    };
}

problems! {
    /// The request is no request of this API.
    malformed: "malformed-request", BAD_REQUEST, "The request cannot be read";
    /// There is no token, or one that is not known, or has expired.
    unauthenticated: "unauthenticated", UNAUTHORIZED, "A valid token is needed";
    /// The token does not allow this.
    forbidden: "forbidden", FORBIDDEN, "The token does not allow this";
    /// A page from elsewhere may be behind it.
    foreign: "foreign-request", FORBIDDEN, "The request may come from a page from elsewhere";
    /// There is no such place.
    no_such_route: "no-such-route", NOT_FOUND, "There is nothing here";
    /// There is no agent.
    unknown_agent: "unknown-agent", NOT_FOUND, "There is no such agent";
    /// There is no conversation.
    unknown_conversation: "unknown-conversation", NOT_FOUND, "There is no such conversation";
    /// There is no function.
    unknown_function: "unknown-function", NOT_FOUND, "There is no such function";
    /// There is no component.
    unknown_component: "unknown-component", NOT_FOUND, "There is no such component";
    /// The method is another's.
    method_not_allowed: "method-not-allowed", METHOD_NOT_ALLOWED, "This cannot be done here";
    /// The client took too long.
    too_slow: "too-slow", REQUEST_TIMEOUT, "The request took too long to arrive";
    /// The conversation has ended.
    ended: "conversation-ended", CONFLICT, "The conversation has ended";
    /// The id is taken.
    exists: "conversation-exists", CONFLICT, "There is a conversation of this id";
    /// Another call of the conversation is running.
    busy: "conversation-busy", CONFLICT, "Another call of this conversation is running";
    /// Too much.
    too_large: "too-large", PAYLOAD_TOO_LARGE, "The request is too large";
    /// Neither this nor that.
    unsupported_type: "unsupported-media-type", UNSUPPORTED_MEDIA_TYPE, "The content is of another type";
    /// It is JSON, and says what cannot be.
    invalid: "invalid-request", UNPROCESSABLE_ENTITY, "The request says what cannot be";
    /// The configuration has mistakes.
    invalid_configuration: "invalid-configuration", UNPROCESSABLE_ENTITY, "The configuration has mistakes";
    /// The component cannot be used.
    invalid_component: "invalid-component", UNPROCESSABLE_ENTITY, "The component cannot be used";
    /// The fields break a rule.
    not_storable: "not-storable", UNPROCESSABLE_ENTITY, "These fields cannot be stored";
    /// The key was used for another request.
    key_reused: "idempotency-key-reused", UNPROCESSABLE_ENTITY, "The idempotency key was used for another request";
    /// Too many requests.
    rate_limited: "rate-limited", TOO_MANY_REQUESTS, "Too many requests";
    /// Something of ours is broken.
    internal: "internal", INTERNAL_SERVER_ERROR, "The service has failed";
    /// Enough is going on.
    overloaded: "overloaded", SERVICE_UNAVAILABLE, "The service is busy with other requests";
    /// The store is away.
    unavailable: "store-unavailable", SERVICE_UNAVAILABLE, "The store cannot be used";
    /// The version is gone, and no attempt brings it back.
    version_unavailable: "version-unavailable", GONE, "The agent's version is not there any more";
}

impl Problem {
    fn new(name: &str, status: StatusCode, title: &'static str, detail: String) -> Self {
        Self {
            kind: format!("urn:agent-memory:problem:{name}"),
            title,
            status: status.as_u16(),
            detail,
            errors: Vec::new(),
            retry_after: None,
        }
    }

    /// Adds where the mistakes are.
    pub(crate) fn with_errors(mut self, errors: impl IntoIterator<Item = (String, String)>) -> Self {
        self.errors = errors.into_iter().map(|(path, detail)| Mistake { path, detail }).collect();
        self
    }

    /// Adds to what is wrong.
    pub(crate) fn and(mut self, detail: &str) -> Self {
        self.detail = format!("{}; {detail}", self.detail);
        self
    }

    /// Says when to try again, in seconds.
    pub(crate) fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The status of the answer.
    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// What is wrong here, and what to do.
    #[cfg(test)]
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// What is wrong, with all mistakes.
    pub(crate) fn in_full(&self) -> String {
        let errors = self.errors.iter().map(|Mistake { path, detail }| format!("; {path}: {detail}"));
        std::iter::once(self.detail.clone()).chain(errors).collect()
    }

    /// The name of the problem.
    pub(crate) fn name(&self) -> Cow<'_, str> {
        self.kind.strip_prefix("urn:agent-memory:problem:").unwrap_or(&self.kind).into()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.title, self.in_full())
    }
}

impl std::error::Error for Problem {}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if error.is_damaged() {
            tracing::error!(%error, "the store is damaged");
            return Self::internal("what the store holds cannot be read: restore it from a backup");
        }
        tracing::warn!(%error, "the store failed");
        let advice = match error.effect() {
            Effect::Rejected => "nothing was changed: try again",
            Effect::Unknown => "it is not known whether anything was changed: try again to find out",
        };
        Self::unavailable(advice).retry_after(1)
    }
}

impl From<PolicyFailure> for Problem {
    fn from(error: PolicyFailure) -> Self {
        tracing::error!(%error, "the policy failed");
        Self::internal("the rules could not be applied, and nothing was changed: please report this")
    }
}

impl From<Busy> for Problem {
    fn from(_: Busy) -> Self {
        Self::overloaded("as many functions as may run at once are running, and nothing was changed: try again")
            .retry_after(5)
    }
}

impl From<StartError> for Problem {
    fn from(error: StartError) -> Self {
        match error {
            StartError::AlreadyEnded => Self::ended(error.to_string()),
            StartError::Store(error) => error.into(),
            StartError::Busy(error) => error.into(),
            StartError::Policy(error) => error.into(),
            error => Self::invalid(error.to_string()),
        }
    }
}

impl From<CallError> for Problem {
    fn from(error: CallError) -> Self {
        match error {
            CallError::UnknownFunction { .. } => Self::unknown_function(error.to_string()),
            CallError::Ended => Self::ended(error.to_string()),
            CallError::Store(error) => error.into(),
            CallError::Busy(error) => error.into(),
            CallError::Policy(error) => error.into(),
            error => Self::invalid(error.to_string()),
        }
    }
}

impl From<ResumeError> for Problem {
    fn from(error: ResumeError) -> Self {
        match error {
            ResumeError::NotFound => Self::unknown_conversation(error.to_string()),
            ResumeError::Store(error) => error.into(),
            error => {
                tracing::error!(%error, "a session cannot go on");
                Self::internal("the conversation cannot go on: start a new one")
            }
        }
    }
}

impl From<EndError> for Problem {
    fn from(error: EndError) -> Self {
        match error {
            EndError::Conflict => Self::changed(),
            EndError::Busy(error) => error.into(),
            EndError::Policy(error) => error.into(),
            EndError::Rejected(damage) | EndError::Unknown(damage) | EndError::Committed(damage)
                if damage.is_damaged() =>
            {
                damage.into()
            }
            error => {
                tracing::warn!(%error, "a conversation's end is not complete");
                let advice = match error {
                    EndError::Rejected(_) => "nothing was committed: end the conversation again",
                    EndError::Unknown(_) => "it is not known whether anything was committed: end it again to find out",
                    _ => "everything is committed: end the conversation again for its report",
                };
                Self::unavailable(advice).retry_after(1)
            }
        }
    }
}

impl From<SaveError> for Problem {
    fn from(error: SaveError) -> Self {
        match error {
            SaveError::Store(error) => error.into(),
            _ => Self::changed(),
        }
    }
}

impl From<AdministrationError> for Problem {
    fn from(error: AdministrationError) -> Self {
        match error {
            AdministrationError::UnknownConversation => Self::unknown_conversation(error.to_string()),
            AdministrationError::Store(error) => error.into(),
            AdministrationError::Policy(error) => error.into(),
            AdministrationError::NoIdentifier(_) => Self::invalid(error.to_string()),
            error => {
                tracing::error!(%error, "administration failed");
                Self::internal("what the store holds cannot be read: restore it from a backup")
            }
        }
    }
}

impl From<LoadError> for Problem {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Configuration(errors) => Self::configuration(errors),
            LoadError::Busy(error) => error.into(),
            LoadError::Store(error) => error.into(),
            LoadError::Policy(error) => error.into(),
            error => Self::invalid_component(error.to_string()),
        }
    }
}

impl Problem {
    /// All mistakes of a configuration (rule C6).
    pub(crate) fn configuration(errors: Vec<ConfigurationError>) -> Self {
        let detail = "nothing was published: mend what `errors` lists";
        Self::invalid_configuration(detail).with_errors(
            errors
                .into_iter()
                .map(|ConfigurationError { path, found, allowed }| (path, format!("found {found}; {allowed}"))),
        )
    }

    /// Something of ours has panicked, or answered what it must not.
    pub(crate) fn fault() -> Self {
        Self::internal("the service has a fault: please report this")
    }

    fn changed() -> Self {
        Self::busy("another call has changed the conversation meanwhile, and this one has left no trace: try again")
            .retry_after(1)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn who_cannot_be_served_now_is_told_when_to_come_again() {
        let busy = || Busy { longest_wait: Duration::from_secs(1) };
        let problems: [Problem; 4] = [
            StartError::from(busy()).into(),
            CallError::from(busy()).into(),
            EndError::from(busy()).into(),
            LoadError::from(busy()).into(),
        ];
        for problem in problems {
            assert_eq!(problem.name(), "overloaded");
            let response = problem.into_response();
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(response.headers()[header::RETRY_AFTER], "5");
        }
    }
}
