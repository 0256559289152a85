//! Plays conversations against an agent, on a clock that is set and never waited for.
//!
//! ```
//! use agent_memory_host::DropReason;
//! use agent_memory_testing::Desk;
//! use jiff::SignedDuration;
//! use serde_json::json;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let functions = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../cli/src/cheese-shop.wasm"))?;
//! let configuration = r#"{"memory": {"repeat_caller": {"state_keys": ["cheese_type"]}}}"#;
//! let desk = Desk::new(functions, configuration).await?; // the bytes from `agent-memory build`
//!
//! let first = desk.call_from("+441632960001").turn("book", json!({"cheese_type": "brie"})).end().await?;
//! first.assert_returned("book", "Picked brie. Which day?");
//! first.assert_kept("cheese_type");
//! first.assert_dropped("mood", DropReason::NotInStateKeys);
//! first.assert_memory(json!({"cheese_type": "brie"}));
//!
//! desk.advance(SignedDuration::from_hours(24 * 91));
//! let later = desk.call_from("+441632960001").end().await?;
//! later.assert_said(["Welcome to the cheese shop. What may it be?"]);
//! later.assert_memory(json!({}));
//! # Ok(()) }
//! ```
//!
//! What a test says in Rust, a [`Scenario`] says in YAML or JSON, for the `agent-memory run` command and for
//! [`Desk::play`]. Its mistakes are all found before anything is played, each with its line.

mod assertions;
mod desk;
mod difference;
mod error;
mod expectations;
mod player;
mod result;
mod scenario;

pub use desk::{Call, Desk, cache_folder};
pub use error::{DeskError, Mistake, Mistakes, PlayError, ScenarioError};
pub use player::{play, play_script};
pub use result::{CommitResult, ConversationResult, FailedCommit, Outcome, TurnResult};
pub use scenario::{
    ConfigurationSource, ConversationExpectations, ErrorExpectation, KeyExpectation, MAX_BYTES, Place, Scenario,
    Script, ScriptedTurn, TurnExpectations,
};
