//! Embeds Agent Memory in a runtime of your own.
//!
//! A [`Runtime`] has a store and a clock. An [`Agent`] is a customer's functions, compiled to a WebAssembly
//! component, with their configuration. A [`Conversation`] is one caller talking with it: each call of a function is a
//! turn in a fresh sandbox, and the end commits what is to be remembered, by rules that no function gets round.
//!
//! ```
//! use std::sync::Arc;
//! use agent_memory_host::{
//!     AgentDefinition, Json, NewConversation, Outcome, Runtime, Scope, TurnOutcome, keys::Keys, store::MemoryStore,
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let component = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/cli/src/cheese-shop.wasm"))?;
//! let runtime = Runtime::builder(Arc::new(MemoryStore::new()), Keys::ephemeral()).build().await?;
//! let agent = runtime
//!     .load_agent(AgentDefinition {
//!         scope: Scope { account: "acme".into(), project: "shop".into(), environment: "live".into() },
//!         functions: component, // from `agent-memory build`
//!         configuration: r#"{"memory": {"repeat_caller": {"state_keys": ["cheese_type"]}}}"#.into(),
//!     })
//!     .await?;
//!
//! let call = NewConversation { caller_number: Some("+441632960001".into()), ..Default::default() };
//! let mut conversation = agent.start(call).await?.conversation;
//! let arguments = Json::parse(r#"{"cheese_type": "brie", "booking_day": "Friday"}"#)?;
//! let turn = conversation.call("book", arguments).await?;
//! assert!(matches!(turn.outcome, TurnOutcome::Returned(_)));
//! let report = conversation.end(Outcome::default()).await?.report;
//! println!("{}", serde_json::to_string(&report)?);
//! # Ok(()) }
//! ```
//!
//! Everything is asynchronous, on tokio. A turn computes on the thread that polls it, and gives way to other work
//! every millisecond. One that computes for more than some 5 ms goes on in threads of this crate's, which have the lowest
//! priority (on Linux). Or turns run in processes of their own: see [`workers`].
//!
//! What is kept between two turns is a [`Session`], a value. The embedder may keep it in the [`Conversation`], save it
//! to the store ([`Conversation::save`], [`Agent::open`]), or carry it elsewhere ([`Session::to_bytes`],
//! [`Agent::resume`]).
//!
//! The rules are not in this crate. They are in the policy component, whose source is `crates/policy`; this crate
//! asks it and does what it says.

mod administration;
mod agent;
mod analytics;
mod audit;
mod bindings;
mod call;
mod catalogue;
mod clock;
mod code_cache;
mod codec;
mod component;
mod conversation;
mod convert;
mod core_dumps;
mod engine;
mod error;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod instances;
mod join;
mod json;
mod limits;
mod overrun;
mod patch;
mod places;
mod policy;
mod report;
mod requests;
mod runner;
mod runtime;
mod sandbox;
mod session;
mod turn;
mod verification;
pub mod workers;

pub use administration::{
    Administration, Caller, CallerPage, DestroyedKeys, Erasure, Export, IdentifierKind, RememberedField, Sweep,
};
pub use agent::{Agent, AgentDefinition, ConfigurationError, ConfigurationWarning, FunctionDescription};
pub use agent_memory_keys as keys;
pub use agent_memory_store as store;
pub use analytics::{Analytics, AnalyticsDay, AnalyticsRow, AnalyticsTotals, CountedConversation};
pub use audit::{Act, ActKind, AuditPage, BegunAct};
pub use call::{Handoff, NewConversation, Outcome, Role, Scope, Settings, Utterance};
pub use catalogue::{Catalogue, ComponentId, PublishedAgent, VersionId};
pub use clock::{Clock, ManualClock, SystemClock};
pub use component::Interfaces;
pub use conversation::{Conversation, Ended, Started};
pub use core_dumps::refuse_core_dumps;
pub use error::{
    AdministrationError, BuildError, Busy, CallError, ComponentError, EndError, ForbiddenImport, LoadError,
    PolicyFailure, ResumeError, SaveError, StartError,
};
#[doc(hidden)] // For tests that have to run what the host runs, in an engine of their own.
pub use join::join;
pub use json::Json;
pub use limits::Limits;
pub use patch::{GivenField, MemoryPatch, Patched};
pub use report::{CommitReport, CommitStatus, DropReason, KeyOutcome, NoIdentifier, Warning, WarningCode};
pub use requests::{RequestError, Requests};
pub use runtime::{MemoryFailure, Runtime, RuntimeBuilder};
pub use session::Session;
pub use turn::{Action, FunctionError, LogEntry, LogLevel, Stop, StopReason, Turn, TurnOutcome};
pub use verification::{Problem, Verification};
