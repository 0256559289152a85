//! Write functions with memory in Rust.
//!
//! A conversation's functions greet, book, look up; what they set in `state` under one of the agent's `state_keys`
//! comes back as `memory` in the same caller's next conversation. This crate is what such functions import:
//!
//! ```
//! use agent_memory_sdk::{Conversation, Error, export, function};
//!
//! export!(start_function, book);
//!
//! /// Greets the caller with what earlier calls left.
//! #[function]
//! fn start_function(conv: &Conversation) -> Result<(), Error> {
//!     match conv.memory().get::<String>("cheese_type")? {
//!         Some(cheese) => conv.say(&format!("Welcome back. You picked {cheese} last time.")),
//!         None => conv.say("Welcome to the cheese shop."),
//!     }
//!     Ok(())
//! }
//!
//! /// Books a cheese for a day.
//! #[function]
//! fn book(
//!     conv: &Conversation,
//!     /// The cheese, such as brie.
//!     cheese_type: String,
//!     /// The day to keep it for, if it is settled.
//!     booking_day: Option<String>,
//! ) -> Result<String, Error> {
//!     conv.state().set("cheese_type", &cheese_type)?;
//!     let day = booking_day.as_deref().unwrap_or("any day");
//!     Ok(format!("Booked {cheese_type} for {day}."))
//! }
//! ```
//!
//! [`function`](macro@function) says how a function looks, [`export!`] which of them an agent can call, [`Conversation`]
//! what they can do, [`Error`] how they fail. Two names are special: `start_function` runs when a conversation starts,
//! `end_function` when it ends. Functions call one another as functions do.
//!
//! Build it as a `cdylib` for `wasm32-unknown-unknown`, which `agent-memory build` and `agent-memory run` do by
//! themselves, or for `wasm32-wasip2`. On other targets the crate compiles, for an editor or for the tests of what needs
//! no conversation, and panics when the conversation is used.
//!
//! In a sandbox the crate brings the allocator that suits a function, which lives for one turn: most memory is given back
//! only at its end. The feature `arena`, on by default, does this. Leave it out, by `default-features = false`, to have an
//! allocator of your own.

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
pub use function::{Failure, Output};
pub use json::{JsonProblem, ReadError};
pub use memory::Memory;
pub use serde_json::value::RawValue;
pub use state::{SetError, State, Value};
pub use {schemars, serde, serde_json};

pub use agent_memory_sdk_macros::function;

/// What a usual turn needs fits. A crate has one allocator, and an author's own needs the feature `arena` to be off.
#[cfg(all(feature = "arena", target_family = "wasm", not(target_feature = "atomics")))]
#[global_allocator]
static ALLOCATOR: agent_memory_arena::Arena<{ 128 << 10 }> = agent_memory_arena::Arena::new();

/// The examples of the README, so that they are compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// What [`function`](macro@function) and [`export!`] expand to.
#[doc(hidden)]
pub mod __private {
    pub use crate::function::{
        Answer, Entry, Exported, Returned, arguments, call, describe, names_are_unique, parameters,
    };
    pub use {schemars, serde};
}

/// The attribute names the crate as others do, also in its own tests.
#[cfg(test)]
extern crate self as agent_memory_sdk;
