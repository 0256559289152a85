//! Write functions with memory in Rust.
//!
//! A conversation's functions greet, book, look up; what they set in `state` under one of the agent's `state_keys`
//! comes back as `memory` in the same caller's next conversation. This crate is what such functions import:
//!
//! ```
//! use agent_memory_sdk::{Conversation, Error, functions};
//! use schemars::JsonSchema;
//! use serde::Deserialize;
//!
//! #[derive(Deserialize, JsonSchema)]
//! struct Order {
//!     /// The cheese, such as brie.
//!     cheese_type: String,
//!     /// The day to keep it for.
//!     booking_day: String,
//! }
//!
//! fn start_function(conv: &Conversation) -> Result<(), Error> {
//!     match conv.memory().get::<String>("cheese_type")? {
//!         Some(cheese) => conv.say(&format!("Welcome back. You picked {cheese} last time.")),
//!         None => conv.say("Welcome to the cheese shop."),
//!     }
//!     Ok(())
//! }
//!
//! fn book(conv: &Conversation, order: Order) -> Result<String, Error> {
//!     conv.state().set("cheese_type", &order.cheese_type)?;
//!     Ok(format!("Booked {} for {}.", order.cheese_type, order.booking_day))
//! }
//!
//! functions! {
//!     start_function,
//!     /// Books a cheese for a day.
//!     book,
//! }
//! ```
//!
//! [`functions!`] says how a function looks, [`Conversation`] what it can do, [`Error`] how it fails. Two names are
//! special: `start_function` runs when a conversation starts, `end_function` when it ends.
//!
//! Build it as a `cdylib` for `wasm32-unknown-unknown`. On other targets the crate compiles, for an editor or for the
//! tests of what needs no conversation, and panics when the conversation is used.

mod attributes;
#[doc(hidden)]
pub mod bindings;
mod conversation;
mod effects;
mod error;
mod function;
mod json;
mod memory;
mod panics;
mod state;

pub use attributes::{Attributes, SipHeader};
pub use conversation::{Conversation, MetricEvent, Role, Utterance};
pub use effects::{EffectError, Handoff, Log, Metric, RequestError};
pub use error::Error;
pub use function::{Function, Output};
pub use json::{JsonProblem, ReadError};
pub use memory::Memory;
pub use serde_json::value::RawValue;
pub use state::{SetError, State, Value};
pub use {schemars, serde_json};

/// The examples of the README, so that they are compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// What [`functions!`] expands to.
#[doc(hidden)]
pub mod __private {
    pub use crate::function::{Entry, adapt, call, describe, names_are_unique};
}
