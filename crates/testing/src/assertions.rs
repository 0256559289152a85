//! Assertions for tests. Each panics with what was expected and what came.
#![allow(clippy::panic, reason = "an assertion that does not hold fails its test by a panic")]

use agent_memory_host::{DropReason, Json, KeyOutcome};

use crate::expectations::{check_conversation, compare, data, error_in_words};
use crate::result::ConversationResult;
use crate::scenario::{ConversationExpectations, KeyExpectation};

impl ConversationResult {
    /// Every expectation of the scenario held, every function could be called, and the store did not fail.
    #[track_caller]
    pub fn assert_ok(&self) {
        assert!(self.failures.is_empty(), "{}", self.failures.join("\n"));
    }

    /// The last turn that called this function returned this, numbers by their exact text.
    #[track_caller]
    pub fn assert_returned(&self, function: &str, expected: impl serde::Serialize) {
        let Some(turn) = self.turn(function) else { panic!("{}: no turn called `{function}`", self.conversation) };
        match (&turn.returns, &turn.error) {
            (Some(returned), _) => {
                let wrong =
                    compare(&self.conversation, &format!("`{function}`"), &data(&json(expected)), &data(returned));
                assert!(wrong.is_none(), "{}", wrong.unwrap_or_default());
            }
            (None, error) => {
                let error = error.as_ref().map(error_in_words).unwrap_or_default();
                panic!("{}: `{function}` failed: {error}", self.conversation);
            }
        }
    }

    /// This, and nothing else, was said in the conversation.
    #[track_caller]
    pub fn assert_said<T: Into<String>>(&self, expected: impl IntoIterator<Item = T>) {
        let said = Some(expected.into_iter().map(Into::into).collect());
        self.assert_expected(ConversationExpectations { said, ..Default::default() });
    }

    /// The caller's memory holds this afterwards, and nothing else. `expected` is an object.
    #[track_caller]
    pub fn assert_memory(&self, expected: impl serde::Serialize) {
        let expected = json(expected);
        let memory = crate::expectations::fields(&self.memory);
        let wrong = compare(&self.conversation, "`memory`", &data(&expected), &memory);
        assert!(wrong.is_none(), "{}", wrong.unwrap_or_default());
    }

    /// What a function set under this key is remembered. Answers until when.
    #[track_caller]
    pub fn assert_kept(&self, key: &str) -> jiff::Timestamp {
        self.assert_key(key, KeyExpectation::Kept);
        match self.keys().iter().find(|(found, _)| found == key) {
            Some((_, KeyOutcome::Kept(expires))) => *expires,
            _ => panic!("{}: `{key}` is not remembered", self.conversation),
        }
    }

    /// What a function set under this key is not remembered, for this reason.
    #[track_caller]
    pub fn assert_dropped(&self, key: &str, reason: DropReason) {
        self.assert_key(key, KeyExpectation::Dropped(reason));
    }

    /// The caller is a repeat caller, and these metrics, no more and no less, tell of the first interaction.
    #[track_caller]
    pub fn assert_metrics<N: Into<String>, V: Into<String>>(&self, expected: impl IntoIterator<Item = (N, V)>) {
        let metrics = Some(expected.into_iter().map(|(name, value)| (name.into(), value.into())).collect());
        self.assert_expected(ConversationExpectations { metrics, ..Default::default() });
    }

    #[track_caller]
    fn assert_key(&self, key: &str, expected: KeyExpectation) {
        assert!(self.commit.report().is_some(), "the commit failed: {}", self.failures.join("\n"));
        let commit = vec![(key.to_owned(), expected)];
        self.assert_expected(ConversationExpectations { commit, ..Default::default() });
    }

    #[track_caller]
    fn assert_expected(&self, expect: ConversationExpectations) {
        let failures = check_conversation(&self.conversation, &expect, self);
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }
}

#[track_caller]
fn json(value: impl serde::Serialize) -> Json {
    Json::from_value(&value).unwrap_or_else(|error| panic!("the expected value cannot be written as JSON: {error}"))
}
