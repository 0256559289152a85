//! An agent's component in bare wasmtime: what a sandbox costs before any rule or host of ours.

use std::io::Write;

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, ComponentExportIndex, InstancePre, Linker, ResourceTable, Val};
use wasmtime::{Engine, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::pooled::pooled;

/// The interface with an agent's functions.
const FUNCTIONS: &str = "agent:memory/functions@0.1.0";

/// A component, ready to be instantiated, with nothing behind its imports but WASI.
pub(crate) struct Bare {
    engine: Engine,
    instance: InstancePre<Wasi>,
    call: ComponentExportIndex,
}

/// Where compiled code comes from.
#[derive(Clone, Copy)]
pub(crate) enum Origin {
    /// It was compiled in this process.
    Compiled,
    /// It was compiled before, and is mapped from a file, as the host does.
    Mapped,
}

struct Wasi {
    context: WasiCtx,
    table: ResourceTable,
}

impl WasiView for Wasi {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.context, table: &mut self.table }
    }
}

impl Bare {
    /// Compiles a component.
    pub(crate) fn new(component: &[u8], origin: Origin) -> wasmtime::Result<Self> {
        let engine = Engine::new(&pooled())?;
        let component = Component::new(&engine, component)?;
        let component = match origin {
            Origin::Compiled => component,
            Origin::Mapped => mapped(&engine, &component)?,
        };
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
        for (name, item) in component.component_type().imports(&engine) {
            let ComponentItem::ComponentInstance(interface) = item.ty else { continue };
            if !name.starts_with("agent:") {
                continue;
            }
            let mut linked = linker.instance(name)?;
            for (name, item) in interface.exports(&engine) {
                if matches!(item.ty, ComponentItem::ComponentFunc(_)) {
                    linked.func_new(name, |_, _, _, _| Err(wasmtime::Error::msg("nothing is behind it")))?;
                }
            }
        }
        let missing = || wasmtime::Error::msg("the component exports no functions");
        let functions = component.get_export_index(None, FUNCTIONS).ok_or_else(missing)?;
        let call = component.get_export_index(Some(&functions), "call").ok_or_else(missing)?;
        let instance = linker.instantiate_pre(&component)?;
        Ok(Self { engine, instance, call })
    }

    /// Instantiates the component, calls a function of the agent without arguments, and throws it all away.
    pub(crate) fn call(&self, function: &str) -> wasmtime::Result<()> {
        let wasi = Wasi { context: WasiCtx::builder().build(), table: ResourceTable::new() };
        let mut store = Store::new(&self.engine, wasi);
        let instance = self.instance.instantiate(&mut store)?;
        let call = instance.get_func(&mut store, self.call).ok_or_else(|| wasmtime::Error::msg("no function"))?;
        let mut results = [Val::Bool(false)];
        call.call(&mut store, &[Val::String(function.into()), Val::String("{}".into())], &mut results)?;
        match &results {
            [Val::Result(Ok(_))] => Ok(()),
            _ => Err(wasmtime::Error::msg(format!("the function failed: {results:?}"))),
        }
    }
}

/// A component as whoever starts with compiled code has it: mapped from a file.
fn mapped(engine: &Engine, component: &Component) -> wasmtime::Result<Component> {
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(&component.serialize()?)?;
    #[allow(unsafe_code, reason = "compiled code is trusted here")]
    // SAFETY: the file has just been written, by the same engine, and nobody else knows of it.
    unsafe {
        Component::deserialize_file(engine, file.path())
    }
}
