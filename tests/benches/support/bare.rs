//! Bare wasmtime, set up as well as we know: two joined components that do nothing, one of which imports the other.

use agent_memory_host::join;
use agent_memory_tests::component;
use anyhow::Context;
use wasmtime::component::{Component, ComponentExportIndex, InstancePre, Linker};
use wasmtime::{Engine, Store};

use self::bindings::exports::agent::memory::{functions, policy};
use crate::pooled::pooled;

mod bindings {
    #![allow(missing_docs, reason = "generated; the contract itself is documented in wit/")]

    wasmtime::component::bindgen!({
        path: "../wit",
        inline: "
            package agent:bare;

            world joined {
                export agent:memory/policy@0.1.0;
                export agent:memory/functions@0.1.0;
            }
        ",
        world: "agent:bare/joined",
    });
}

/// Two components in Rust, of the same tool-chain, with the same imports and exports and joined in the same way as an
/// agent and the policy are. A turn is called of them, with nothing in it.
pub(crate) struct Bare {
    engine: Engine,
    instance: InstancePre<()>,
    begin: ComponentExportIndex,
    call: ComponentExportIndex,
    finish: ComponentExportIndex,
}

/// The least that wasmtime does: two components of a few instructions, written by hand, with a single call in which
/// nothing goes in or comes out.
pub(crate) struct Least {
    engine: Engine,
    instance: InstancePre<()>,
    call: ComponentExportIndex,
}

type Begin = (Result<i64, policy::InputError>,);
type Call = (Result<String, functions::CallError>,);
type Finish = (Result<Vec<policy::StateEntry>, policy::InputError>,);

impl Bare {
    /// Builds, joins and compiles them.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let joined = join(&component("bare-functions"), &component("bare-policy"))?;
        let engine = Engine::new(&pooled()).map_err(untyped)?;
        let component = Component::new(&engine, joined).map_err(untyped)?;
        let mut linker = Linker::new(&engine);
        linker.define_unknown_imports_as_traps(&component).map_err(untyped)?;
        let instance = linker.instantiate_pre(&component).map_err(untyped)?;
        let index = |interface: &str, function| {
            let interface = component.get_export_index(None, format!("agent:memory/{interface}@0.1.0"));
            let function = interface.and_then(|interface| component.get_export_index(Some(&interface), function));
            function.context("the components do not export what a turn calls")
        };
        let (begin, call, finish) =
            (index("policy", "begin")?, index("functions", "call")?, index("policy", "finish")?);
        Ok(Self { engine, instance, begin, call, finish })
    }

    /// Makes a sandbox of them, calls what a turn calls, and throws it away.
    pub(crate) fn call(&self) -> anyhow::Result<()> {
        self.turn().map_err(untyped)
    }

    fn turn(&self) -> wasmtime::Result<()> {
        let mut store = Store::new(&self.engine, ());
        let instance = self.instance.instantiate(&mut store)?;
        let turn = policy::Turn { settings: Vec::new(), fields: Vec::new(), state: Vec::new(), now: 0 };
        let begin = instance.get_typed_func::<(&policy::Turn,), Begin>(&mut store, &self.begin)?;
        let begun = begin.call(&mut store, (&turn,))?.0;
        let call = instance.get_typed_func::<(&str, &str), Call>(&mut store, &self.call)?;
        let called = call.call(&mut store, ("", ""))?.0;
        let finish = instance.get_typed_func::<(), Finish>(&mut store, &self.finish)?;
        let finished = finish.call(&mut store, ())?.0;
        match (begun, called, finished) {
            (Ok(_), Ok(_), Ok(_)) => Ok(()),
            _ => Err(wasmtime::Error::msg("what does nothing has failed")),
        }
    }
}

/// Each has a memory, which never grows.
const LEAST: &str = r#"(component
    (component $rules
        (core module $module
            (memory (export "memory") 1)
            (func (export "nothing")))
        (core instance $instance (instantiate $module))
        (func (export "nothing") (canon lift (core func $instance "nothing"))))
    (component $functions
        (import "nothing" (func $nothing))
        (core func $nothing (canon lower (func $nothing)))
        (core module $module
            (import "rules" "nothing" (func $nothing))
            (memory (export "memory") 1)
            (func (export "call") (call $nothing)))
        (core instance $instance (instantiate $module (with "rules" (instance (export "nothing" (func $nothing))))))
        (func (export "call") (canon lift (core func $instance "call"))))
    (instance $rules (instantiate $rules))
    (instance $functions (instantiate $functions (with "nothing" (func $rules "nothing"))))
    (export "call" (func $functions "call")))"#;

impl Least {
    /// Compiles them.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let engine = Engine::new(&pooled()).map_err(untyped)?;
        let component = Component::new(&engine, wat::parse_str(LEAST)?).map_err(untyped)?;
        let call = component.get_export_index(None, "call").context("the component exports no `call`")?;
        let instance = Linker::new(&engine).instantiate_pre(&component).map_err(untyped)?;
        Ok(Self { engine, instance, call })
    }

    /// Makes a sandbox of them, calls it, and throws it away.
    pub(crate) fn call(&self) -> anyhow::Result<()> {
        let call = || {
            let mut store = Store::new(&self.engine, ());
            let instance = self.instance.instantiate(&mut store)?;
            let call = instance.get_typed_func::<(), ()>(&mut store, &self.call)?;
            call.call(&mut store, ())
        };
        call().map_err(untyped)
    }
}

fn untyped(error: wasmtime::Error) -> anyhow::Error {
    anyhow::anyhow!("{error:#}")
}
