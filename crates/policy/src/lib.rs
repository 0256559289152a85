//! The policy component: the rules of `agent-memory-rules` behind the WIT contract, and nothing else.
//!
//! It imports nothing, so it can reach neither a store nor a clock. Functions call `memory` and `state` from component
//! to component, never through the host.

mod convert;

use std::cell::RefCell;

use agent_memory_rules as rules;
use rules::Sandbox;

use bindings::exports::agent::memory::{memory, policy, state};
use convert::all;

#[allow(unsafe_code, unreachable_pub, missing_docs, reason = "generated from the contract")]
mod bindings {
    #[cfg(target_family = "wasm")]
    use super::Policy;

    wit_bindgen::generate!({
        path: "../../wit",
        world: "policy-component",
        // There are none: nothing that is linked here needs to be constructed before it is called.
        disable_run_ctors_once_workaround: true,
    });

    // Only wasm has linkers that take the names of such exports. Elsewhere this is compiled to be checked.
    #[cfg(target_family = "wasm")]
    export!(Policy with_types_in self);
}

/// What a usual turn needs fits: the caller's fields, the state, and what functions read of both.
#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: agent_memory_arena::Arena<{ 128 << 10 }> = agent_memory_arena::Arena::new();

/// What implements the contract.
struct Policy;

thread_local! {
    /// The turn that this instance was made for.
    static SANDBOX: RefCell<Sandbox> = RefCell::new(Sandbox::new());
}

impl memory::Guest for Policy {
    fn get(key: String) -> Option<String> {
        SANDBOX.with_borrow(|sandbox| {
            let value = sandbox.memory().get(&key);
            // The arena gets the key's room back if nothing has come after it.
            drop(key);
            value.map(|value| value.0.clone())
        })
    }

    fn fields() -> Vec<memory::Field> {
        let field = |(key, value): (&str, &rules::Json)| memory::Field { key: key.to_owned(), value: value.0.clone() };
        SANDBOX.with_borrow(|sandbox| sandbox.memory().fields().map(field).collect())
    }

    fn len() -> u32 {
        let count = SANDBOX.with_borrow(|sandbox| sandbox.memory().len());
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    fn contains(key: String) -> bool {
        SANDBOX.with_borrow(|sandbox| sandbox.memory().contains(&key))
    }
}

impl state::Guest for Policy {
    fn get(key: String) -> Option<state::Value> {
        SANDBOX.with_borrow(|sandbox| {
            let value = sandbox.state().get(&key);
            // As above.
            drop(key);
            value.cloned().map(Into::into)
        })
    }

    fn set(key: String, value: state::Value) -> Result<(), state::SetError> {
        Ok(SANDBOX.with_borrow_mut(|sandbox| sandbox.state_mut().set(key, value.into()))?)
    }

    fn remove(key: String) -> bool {
        SANDBOX.with_borrow_mut(|sandbox| sandbox.state_mut().remove(&key))
    }

    fn entries() -> Vec<state::Entry> {
        let entry = |(key, value): (&str, &rules::StateValue)| state::Entry {
            key: key.to_owned(),
            value: value.clone().into(),
        };
        SANDBOX.with_borrow(|sandbox| sandbox.state().entries().map(entry).collect())
    }
}

impl policy::Guest for Policy {
    fn configure(
        source: String,
        limits: policy::Limits,
    ) -> Result<policy::Configured, Vec<policy::ConfigurationError>> {
        let configured = rules::Configuration::parse(&source, limits.into());
        configured.map(Into::into).map_err(all)
    }

    fn canonicalize(
        kind: policy::IdentifierKind,
        text: String,
        now: i64,
    ) -> Result<policy::NamedIdentifier, policy::OffReason> {
        Ok(rules::canonicalize(kind.into(), &text, now)?.into())
    }

    fn identify(
        settings: Vec<u8>,
        caller: policy::Caller,
        state: Vec<policy::StateEntry>,
        now: i64,
    ) -> Result<policy::Identified, policy::InputError> {
        Ok(rules::identify(&rules::Settings(settings), &caller.into(), all(state), now)?.into())
    }

    fn begin(turn: policy::Turn) -> Result<i64, policy::InputError> {
        Ok(SANDBOX.with_borrow_mut(|sandbox| sandbox.begin(turn.into()))?)
    }

    fn finish() -> Result<Vec<policy::StateEntry>, policy::InputError> {
        Ok(all(SANDBOX.with_borrow_mut(Sandbox::finish)?))
    }

    fn propose(ending: policy::Ending) -> Result<policy::Proposal, policy::InputError> {
        Ok(rules::propose(ending.into())?.into())
    }

    fn patch(
        settings: Vec<u8>,
        kind: policy::IdentifierKind,
        identifier: String,
        fields: Vec<policy::GivenField>,
        now: i64,
    ) -> Result<policy::Proposal, policy::InputError> {
        let settings = rules::Settings(settings);
        Ok(rules::patch(rules::Patch { settings, kind: kind.into(), text: identifier, fields: all(fields), now })?
            .into())
    }

    fn settle(draft: policy::DraftReport, settlement: policy::Settlement) -> policy::Report {
        rules::settle(draft.into(), settlement.into()).into()
    }

    fn amend(interaction: policy::Interaction, outcome: policy::Outcome) -> policy::Interaction {
        rules::amend(interaction.into(), outcome.into()).into()
    }
}
