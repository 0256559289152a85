//! Answers that are given again when a request is repeated.
//!
//! A client that has not heard the answer to a call repeats it under the same idempotency key. The answers are kept with
//! the conversation's session, so that an answer is there exactly if the turn has happened.

use agent_memory_host::{Scope, Session};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Problem;

/// How many answers are kept of a conversation.
const MOST: usize = 8;

/// How large all of them may be. The last one is kept whatever its size.
const BYTES: usize = 64 << 10;

/// A request that may be repeated.
#[derive(Clone)]
pub(crate) struct Request {
    key: [u8; 32],
    content: [u8; 32],
}

/// The last answers of a conversation, oldest first.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Answers(Vec<Answer>);

#[derive(Serialize, Deserialize)]
struct Answer {
    key: [u8; 32],
    content: [u8; 32],
    body: Vec<u8>,
}

impl Request {
    /// A request by its idempotency key, and what it asks.
    pub(crate) fn new(key: &[u8], route: &str, content: &[u8]) -> Self {
        let content = Sha256::new().chain_update(route).chain_update([0]).chain_update(content).finalize();
        Self { key: Sha256::digest(key).into(), content: content.into() }
    }

    /// A name that is the same for the same key in a scope.
    pub(crate) fn id(&self, scope: &Scope) -> String {
        let mut hasher = Sha256::new_with_prefix(self.key);
        for part in [&scope.account, &scope.project, &scope.environment] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        hasher.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Answers {
    /// Those that are kept with a session.
    pub(crate) fn of(session: &Session) -> Self {
        postcard::from_bytes(session.note()).unwrap_or_default()
    }

    /// The answer that a request was given before.
    pub(crate) fn find(&self, request: &Request) -> Result<Option<Vec<u8>>, Problem> {
        match self.0.iter().find(|answer| answer.key == request.key) {
            Some(answer) if answer.content == request.content => Ok(Some(answer.body.clone())),
            Some(_) => Err(Problem::key_reused("a request with another content had this key: give each its own")),
            None => Ok(None),
        }
    }

    /// Keeps an answer, and lets go of those that are too old or too much.
    pub(crate) fn add(&mut self, request: Option<Request>, body: &[u8]) {
        let Some(Request { key, content }) = request else { return };
        self.0.push(Answer { key, content, body: body.to_vec() });
        let size = |answers: &[Answer]| answers.iter().map(|answer| answer.body.len()).sum::<usize>();
        while self.0.len() > MOST || (self.0.len() > 1 && size(&self.0) > BYTES) {
            self.0.remove(0);
        }
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        if self.0.is_empty() { Vec::new() } else { postcard::to_stdvec(self).unwrap_or_default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(key: &str, content: &str) -> Request {
        Request::new(key.as_bytes(), "call", content.as_bytes())
    }

    #[test]
    fn a_repeated_request_gets_the_first_answer() {
        let mut answers = Answers::default();
        answers.add(Some(request("k", "brie")), b"Booked brie.");
        answers.add(Some(request("l", "stilton")), b"Booked stilton.");
        let answers: Answers = postcard::from_bytes(&answers.to_bytes()).unwrap();
        assert_eq!(answers.find(&request("k", "brie")).unwrap().as_deref(), Some(&b"Booked brie."[..]));
        assert!(answers.find(&request("m", "brie")).unwrap().is_none());
        assert_eq!(answers.find(&request("k", "edam")).unwrap_err().status().as_u16(), 422);
    }

    #[test]
    fn only_the_last_answers_are_kept_and_never_too_much() {
        let mut answers = Answers::default();
        for number in 0..=MOST {
            answers.add(Some(request(&number.to_string(), "")), b"answer");
        }
        assert!(answers.find(&request("0", "")).unwrap().is_none());
        assert!(answers.find(&request("1", "")).unwrap().is_some());
        answers.add(Some(request("large", "")), &vec![0; BYTES + 1]);
        assert!(answers.find(&request("large", "")).unwrap().is_some(), "the last one is always kept");
        assert_eq!(answers.0.len(), 1);
    }
}
