//! Requests that only the embedder can answer.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::Json;

/// Answers what functions ask the platform for, such as a language model. The time that it takes does not count
/// against the function's limit.
#[async_trait]
pub trait Requests: Send + Sync + 'static {
    /// Answers one request.
    async fn answer(&self, conversation: &str, name: &str, arguments: Json) -> Result<Json, RequestError>;
}

/// Why a request has no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum RequestError {
    /// Nobody answers requests of this name.
    #[error("nobody answers requests of this name")]
    Unanswered,
    /// It was tried and failed. The function sees the message.
    #[error("{0}")]
    Failed(String),
}
