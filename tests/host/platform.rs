//! A platform that functions ask for things, and that answers when a test wants it to.

use std::sync::Arc;

use agent_memory_host::{Json, RequestError, Requests};
use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

/// Answers `echo` at once with what it was given, and `wait` when it is told to. Fails `broken`, and knows nothing
/// else.
pub(crate) struct Platform {
    /// One for each request that has come in.
    asked: Semaphore,
    /// One for each `wait` that may be answered.
    answers: Semaphore,
}

#[async_trait]
impl Requests for Platform {
    async fn answer(&self, conversation: &str, name: &str, arguments: Json) -> Result<Json, RequestError> {
        self.asked.add_permits(1);
        match name {
            "echo" => Ok(arguments),
            "conversation" => Ok(Json::from_value(&conversation).unwrap()),
            "wait" => {
                self.answers.acquire().await.unwrap().forget();
                Ok(arguments)
            }
            "broken" => Err(RequestError::Failed("the model is asleep".into())),
            _ => Err(RequestError::Unanswered),
        }
    }
}

impl Platform {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { asked: Semaphore::new(0), answers: Semaphore::new(0) })
    }

    /// Waits for one more request than before.
    pub(crate) async fn asked(&self) {
        self.asked.acquire().await.unwrap().forget();
    }

    /// Lets one function that waits, or will, have its answer.
    pub(crate) fn answer_one(&self) {
        self.answers.add_permits(1);
    }
}

/// What the probe is told to ask for.
pub(crate) fn request(name: &str) -> Value {
    json!({"name": name, "arguments": {"prompt": "which cheese?"}})
}
