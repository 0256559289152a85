//! The fuel that guests take: the policy alone, and joined with the cheese shop as the host joins them.

use std::fs;

use agent_memory_host::join;
use agent_memory_tests::{policy, root};
use wasmtime::component::{Component, Instance, Linker};
use wasmtime::{Config, Engine, Store};

use self::bindings::exports::agent::memory::{functions, memory, policy as rules};
use crate::expected::{Costs, assert_costs};

mod bindings {
    #![allow(missing_docs, reason = "generated; the contract itself is documented in wit/")]

    wasmtime::component::bindgen!({
        path: "../wit",
        inline: "
            package agent:guard;

            world joined {
                export agent:memory/memory@0.1.0;
                export agent:memory/policy@0.1.0;
                export agent:memory/functions@0.1.0;
            }
        ",
        world: "agent:guard/joined",
    });
}

/// 2026-03-02T10:20:00Z.
const NOW: i64 = 1_772_446_800;

const EXPIRES: i64 = NOW + 30 * 24 * 3600;

/// More than anything here takes.
const FUEL: u64 = 1 << 40;

#[test]
fn what_runs_in_guests_takes_the_fuel_that_is_expected() {
    let policy = fs::read(policy()).unwrap();
    let shop = fs::read(root().join("crates/cli/src/cheese-shop.wasm")).unwrap();
    let mut config = Config::new();
    config.consume_fuel(true);
    let engine = Engine::new(&config).unwrap();
    let alone = Guest::new(&engine, &policy);
    let joined = Guest::new(&engine, &join(&shop, &policy).unwrap());
    let costs = [
        ("memory.get", memory_get(&alone)),
        ("a turn of the cheese shop", turn(&joined)),
        ("propose", propose(&alone)),
    ];
    assert_costs("fuel", &costs.into_iter().map(|(name, cost)| (name.to_owned(), cost)).collect::<Costs>());
}

/// A component whose effects go nowhere.
struct Guest {
    engine: Engine,
    component: Component,
    linker: Linker<()>,
}

impl Guest {
    fn new(engine: &Engine, bytes: &[u8]) -> Self {
        let component = Component::new(engine, bytes).unwrap();
        let mut linker = Linker::new(engine);
        linker.define_unknown_imports_as_traps(&component).unwrap();
        linker.allow_shadowing(true);
        let mut conversation = linker.instance("agent:memory/conversation@0.1.0").unwrap();
        conversation.func_wrap("say", |_, (_,): (String,)| Ok(())).unwrap();
        Self { engine: engine.clone(), component, linker }
    }

    /// A fresh instance.
    fn instance(&self) -> (Store<()>, Instance) {
        let mut store = Store::new(&self.engine, ());
        store.set_fuel(FUEL).unwrap();
        let instance = self.linker.instantiate(&mut store, &self.component).unwrap();
        (store, instance)
    }

    fn policy(&self, store: &mut Store<()>, instance: &Instance) -> rules::Guest {
        let before = self.linker.instantiate_pre(&self.component).unwrap();
        rules::GuestIndices::new(&before).unwrap().load(store, instance).unwrap()
    }

    /// The settings that are made of the shop's configuration.
    fn settings(&self) -> Vec<u8> {
        let source = fs::read_to_string(root().join("examples/cheese-shop/config.json")).unwrap();
        let limits = rules::Limits { key_bytes: 1024, value_bytes: 64 << 10, state_keys: 64, state_bytes: 256 << 10 };
        let (mut store, instance) = self.instance();
        let policy = self.policy(&mut store, &instance);
        policy.call_configure(&mut store, &source, limits).unwrap().unwrap().settings
    }

    fn turn(&self) -> rules::Turn {
        let fields = [("booking_day", "Friday"), ("cheese_type", "gorgonzola")].map(|(key, value)| {
            rules::StoredField { key: key.to_owned(), value: format!("{value:?}"), written: NOW, expires: EXPIRES }
        });
        rules::Turn { settings: self.settings(), fields: fields.into(), state: Vec::new(), now: NOW }
    }
}

fn used(store: &Store<()>) -> u64 {
    FUEL - store.get_fuel().unwrap()
}

/// One `memory.get` of a key that is there.
fn memory_get(guest: &Guest) -> u64 {
    let (mut store, instance) = guest.instance();
    let policy = guest.policy(&mut store, &instance);
    let before = guest.linker.instantiate_pre(&guest.component).unwrap();
    let memory = memory::GuestIndices::new(&before).unwrap().load(&mut store, &instance).unwrap();
    policy.call_begin(&mut store, &guest.turn()).unwrap().unwrap();
    let cheese_type = "cheese_type".to_owned();
    let begun = used(&store);
    assert_eq!(memory.call_get(&mut store, &cheese_type).unwrap().as_deref(), Some("\"gorgonzola\""));
    used(&store) - begun
}

/// A whole turn in a fresh sandbox: the shop greets a caller whom it knows.
fn turn(guest: &Guest) -> u64 {
    let (turn, function, arguments) = (guest.turn(), "start_function".to_owned(), "{}".to_owned());
    let (mut store, instance) = guest.instance();
    let policy = guest.policy(&mut store, &instance);
    let before = guest.linker.instantiate_pre(&guest.component).unwrap();
    let functions = functions::GuestIndices::new(&before).unwrap().load(&mut store, &instance).unwrap();
    policy.call_begin(&mut store, &turn).unwrap().unwrap();
    assert_eq!(functions.call_call(&mut store, &function, &arguments).unwrap().unwrap(), "null");
    policy.call_finish(&mut store).unwrap().unwrap();
    used(&store)
}

/// What is to be committed of a conversation that has set two keys, in a fresh sandbox.
fn propose(guest: &Guest) -> u64 {
    let entry = |key: &str, value: &str| rules::StateEntry {
        key: key.to_owned(),
        value: Some(rules::StateValue::Json(format!("{value:?}"))),
        touched: rules::Touch::ASSIGNED,
    };
    let ending = rules::Ending {
        settings: guest.settings(),
        conversation: "a conversation".to_owned(),
        began: NOW,
        caller: rules::Caller {
            caller_number: Some("+441632960001".to_owned()),
            sip_headers: Vec::new(),
            integration_attributes: None,
        },
        state: vec![entry("booking_day", "Friday"), entry("cheese_type", "gorgonzola")],
        outcome: rules::Outcome { qa: None, handoff: None },
        requested_handoff: None,
        now: NOW,
    };
    let (mut store, instance) = guest.instance();
    let policy = guest.policy(&mut store, &instance);
    let proposal = policy.call_propose(&mut store, &ending).unwrap().unwrap();
    assert_eq!(proposal.patch.len(), 2);
    used(&store)
}
