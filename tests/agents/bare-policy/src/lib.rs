//! A policy that does nothing: what a turn is measured against.
//!
//! It has the exports of the real one, and is compiled and joined in the same way. Nothing that comes in is looked at.

use bindings::exports::agent::memory::{memory, policy, state};

#[allow(unsafe_code, unreachable_pub, missing_docs, reason = "generated from the contract")]
mod bindings {
    #[cfg(target_family = "wasm")]
    use super::Nothing;

    wit_bindgen::generate!({ path: "../../../wit", world: "policy-component" });

    // Only wasm has linkers that take the names of such exports.
    #[cfg(target_family = "wasm")]
    export!(Nothing with_types_in self);
}

#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: agent_memory_arena::Arena<{ 128 << 10 }> = agent_memory_arena::Arena::new();

struct Nothing;

impl memory::Guest for Nothing {
    fn get(_: String) -> Option<String> {
        None
    }

    fn fields() -> Vec<memory::Field> {
        Vec::new()
    }

    fn len() -> u32 {
        0
    }

    fn contains(_: String) -> bool {
        false
    }
}

impl state::Guest for Nothing {
    fn get(_: String) -> Option<state::Value> {
        None
    }

    fn set(_: String, _: state::Value) -> Result<(), state::SetError> {
        Ok(())
    }

    fn remove(_: String) -> bool {
        false
    }

    fn entries() -> Vec<state::Entry> {
        Vec::new()
    }
}

impl policy::Guest for Nothing {
    fn begin(_: policy::Turn) -> Result<i64, policy::InputError> {
        Ok(0)
    }

    fn finish() -> Result<Vec<policy::StateEntry>, policy::InputError> {
        Ok(Vec::new())
    }

    fn configure(_: String, _: policy::Limits) -> Result<policy::Configured, Vec<policy::ConfigurationError>> {
        Err(Vec::new())
    }

    fn canonicalize(
        _: policy::IdentifierKind,
        _: String,
        _: i64,
    ) -> Result<policy::NamedIdentifier, policy::OffReason> {
        Err(policy::OffReason::MemoryOff)
    }

    fn identify(
        _: Vec<u8>,
        _: policy::Caller,
        _: Vec<policy::StateEntry>,
        _: i64,
    ) -> Result<policy::Identified, policy::InputError> {
        Err(policy::InputError::Settings)
    }

    fn propose(_: policy::Ending) -> Result<policy::Proposal, policy::InputError> {
        Err(policy::InputError::Settings)
    }

    fn patch(
        _: Vec<u8>,
        _: policy::IdentifierKind,
        _: String,
        _: Vec<policy::GivenField>,
        _: i64,
    ) -> Result<policy::Proposal, policy::InputError> {
        Err(policy::InputError::Settings)
    }

    fn settle(draft: policy::DraftReport, _: policy::Settlement) -> policy::Report {
        policy::Report {
            status: policy::CommitStatus::Preview,
            off: draft.off,
            keys: Vec::new(),
            first_interaction: false,
            warnings: Vec::new(),
            metrics: Vec::new(),
        }
    }

    fn amend(interaction: policy::Interaction, _: policy::Outcome) -> policy::Interaction {
        interaction
    }
}
