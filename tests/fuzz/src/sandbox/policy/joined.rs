//! The policy in a sandbox of its own, joined with the cheese shop.

use std::sync::LazyLock;

use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime::{Engine, Store};

use crate::kept::root;
use crate::sandbox::shop;

pub(super) use bindings::exports::agent::memory::{memory, policy, state};

#[allow(missing_docs, unreachable_pub, reason = "generated from the contract")]
mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "agent:memory/policy-component",
        additional_derives: [PartialEq],
    });
}

/// A joined component in a fresh sandbox. Its methods are the policy's functions.
pub(super) struct Joined {
    store: Store<()>,
    exports: bindings::PolicyComponent,
}

/// Makes a method of each function.
macro_rules! functions {
    ($($interface:ident { $(fn $method:ident = $call:ident($($argument:ident: $type:ty),*) -> $result:ty;)+ })+) => {
        impl Joined {
            $($(
                pub(super) fn $method(&mut self, $($argument: $type),*) -> $result {
                    let result = self.exports.$interface().$call(&mut self.store, $($argument),*);
                    result.unwrap_or_else(|trap| panic!("{} traps: {trap:?}", stringify!($method)))
                }
            )+)+
        }
    };
}

functions! {
    agent_memory_policy {
        fn configure = call_configure(source: &str, limits: policy::Limits)
            -> Result<policy::Configured, Vec<policy::ConfigurationError>>;
        fn canonicalize = call_canonicalize(kind: policy::IdentifierKind, text: &str, now: i64)
            -> Result<policy::NamedIdentifier, policy::OffReason>;
        fn identify = call_identify(settings: &Vec<u8>, caller: &policy::Caller, state: &[policy::StateEntry], now: i64)
            -> Result<policy::Identified, policy::InputError>;
        fn begin = call_begin(turn: &policy::Turn) -> Result<i64, policy::InputError>;
        fn finish = call_finish() -> Result<Vec<policy::StateEntry>, policy::InputError>;
        fn propose = call_propose(ending: &policy::Ending) -> Result<policy::Proposal, policy::InputError>;
        fn settle = call_settle(draft: &policy::DraftReport, settlement: &policy::Settlement) -> policy::Report;
        fn patch = call_patch(settings: &Vec<u8>, kind: policy::IdentifierKind, text: &str, fields: &[policy::GivenField],
            now: i64) -> Result<policy::Proposal, policy::InputError>;
        fn amend = call_amend(interaction: &policy::Interaction, outcome: &policy::Outcome) -> policy::Interaction;
    }
    agent_memory_state {
        fn get = call_get(key: &str) -> Option<state::Value>;
        fn set = call_set(key: &str, value: &state::Value) -> Result<(), state::SetError>;
        fn remove = call_remove(key: &str) -> bool;
    }
    agent_memory_memory {
        fn memory_get = call_get(key: &str) -> Option<String>;
        fn memory_contains = call_contains(key: &str) -> bool;
        fn memory_len = call_len() -> u32;
    }
}

impl Joined {
    pub(super) fn new() -> Self {
        static JOINED: LazyLock<InstancePre<()>> = LazyLock::new(prepared);
        let mut store = Store::new(JOINED.engine(), ());
        let instance = JOINED.instantiate(&mut store).expect("an instance");
        let exports = bindings::PolicyComponent::new(&mut store, &instance).expect("the policy's exports");
        Self { store, exports }
    }

    /// All entries of the state.
    pub(super) fn entries(&mut self) -> Vec<(String, state::Value)> {
        let entries = self.exports.agent_memory_state().call_entries(&mut self.store);
        let entries = entries.unwrap_or_else(|trap| panic!("entries traps: {trap:?}"));
        entries.into_iter().map(|state::Entry { key, value }| (key, value)).collect()
    }

    /// All fields of the memory.
    pub(super) fn memory_fields(&mut self) -> Vec<(String, String)> {
        let fields = self.exports.agent_memory_memory().call_fields(&mut self.store);
        let fields = fields.unwrap_or_else(|trap| panic!("fields traps: {trap:?}"));
        fields.into_iter().map(|memory::Field { key, value }| (key, value)).collect()
    }
}

fn prepared() -> InstancePre<()> {
    let policy = root().join("host/src/policy.wasm");
    let policy = std::fs::read(&policy).unwrap_or_else(|error| panic!("{}: {error}", policy.display()));
    let joined = agent_memory_host::join(&shop::component(), &policy).expect("the cheese shop fits the policy");
    let engine = Engine::default();
    let component = Component::new(&engine, joined).expect("a joined component");
    let mut linker = Linker::new(&engine);
    // Nobody calls the shop's functions, which alone have a conversation.
    linker.define_unknown_imports_as_traps(&component).expect("imports of functions");
    linker.instantiate_pre(&component).expect("all imports are there")
}
