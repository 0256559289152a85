//! Every rule of Agent Memory: who a caller is, what of a conversation is remembered, for how long, and who sees it.
//!
//! ```
//! use agent_memory_rules::*;
//!
//! // At load: a configuration is read once, and its settings are handed to everything else.
//! let source = r#"{"memory": {"repeat_caller": {"state_keys": ["cheese_type"], "retention_days": 30}}}"#;
//! let settings = Configuration::parse(source, Limits::default()).unwrap().configuration.to_settings();
//!
//! // Each turn: whoever has the store brings what it holds on the caller, and takes the state along to the next turn.
//! let now = 1_772_446_800; // 2026-03-02T10:20:00Z
//! let caller = Caller { caller_number: Some("+44 1632 960001".to_owned()), ..Caller::default() };
//! let known = identify(&settings, &caller, Vec::new(), now).unwrap();
//! assert!(matches!(known.identity, Identity::Known(identifier) if identifier.text() == "+441632960001"));
//!
//! let mut sandbox = Sandbox::new();
//! sandbox.begin(Turn { settings: settings.clone(), fields: Vec::new(), state: Vec::new(), now }).unwrap();
//! assert!(sandbox.memory().get("cheese_type").is_none());
//! sandbox.state_mut().set("cheese_type".to_owned(), StateValue::Json(Json::from("\"brie\""))).unwrap();
//! let state = sandbox.finish().unwrap();
//!
//! // At the end: what is to be written, and until when.
//! let proposal = propose(Ending {
//!     settings,
//!     conversation: "call-1".to_owned(),
//!     began: now,
//!     caller,
//!     state,
//!     outcome: Outcome::default(),
//!     requested_handoff: None,
//!     now,
//! })
//! .unwrap();
//! assert_eq!(proposal.patch[0].key, "cheese_type");
//! assert_eq!(proposal.patch[0].value, Json::from("\"brie\""));
//! assert_eq!(proposal.patch[0].expires, floor_to_hour(now) + 30 * DAY);
//! ```
//!
//! Nothing here reads a store or a clock: whoever has them asks, and does what the answer says. Reaching for the store
//! from within would be shorter, and every rule would then have to be tested through a store, could fail half-way, and
//! would put the store within reach of the sandbox that these rules run in.
//!
//! Values stay JSON text from beginning to end. Parsing them into a tree would be the usual way, and would change the
//! numbers that do not fit into its number type.
//!
//! The numbers in the documentation (C1, M3, ...) are those of the rules that the project is specified by. Each has a
//! test that carries it in its name.

mod commit;
mod configuration;
mod error;
mod identifier;
mod interaction;
mod json;
mod memory;
mod patch;
mod session;
mod state;
mod timestamp;
mod turn;

pub use commit::{
    CommitStatus, Commitment, DraftReport, DropReason, Ending, Erased, KeyOutcome, KeyReport, PatchField, Proposal,
    Report, Settlement, Warning, WarningCode, propose, settle,
};
pub use configuration::{
    Configuration, ConfigurationError, ConfigurationWarning, Configured, KeyRules, Limits, MAX_RETENTION_DAYS, Settings,
};
pub use error::InputError;
pub use identifier::{
    Caller, Identified, Identifier, IdentifierKind, Identity, NamedIdentifier, OffReason, canonicalize, identify,
};
pub use interaction::{Handoff, Interaction, InteractionProposal, Metric, Outcome, amend};
pub use json::{Json, MAX_LEVELS};
pub use memory::{Memory, StoredField};
pub use patch::{GivenField, Patch, patch};
pub use session::SESSION_LIFETIME;
pub use state::{OpaqueValue, SetError, State, StateEntry, StateValue, Touch};
pub use timestamp::{DAY, HOUR, Timestamp, floor_to_hour};
pub use turn::{Sandbox, Turn};
