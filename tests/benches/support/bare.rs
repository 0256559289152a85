//! Bare wasmtime, set up as well as we know: two joined components that do nothing, one of which imports the other.

use wasmtime::component::{Component, ComponentExportIndex, InstancePre, Linker};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Result, Store};

/// Each has a memory, which never grows.
const JOINED: &str = r#"(component
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

/// The two components, ready to be instantiated.
pub(crate) struct Bare {
    engine: Engine,
    instance: InstancePre<()>,
    call: ComponentExportIndex,
}

impl Bare {
    /// Compiles them.
    pub(crate) fn new() -> Result<Self> {
        let mut pool = PoolingAllocationConfig::new();
        pool.total_component_instances(2)
            .total_core_instances(4)
            .total_memories(4)
            .max_memory_size(1 << 20)
            .linear_memory_keep_resident(64 << 10)
            .table_keep_resident(64 << 10)
            .pagemap_scan(Enabled::Auto);
        let mut config = Config::new();
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool)).concurrency_support(false);
        let engine = Engine::new(&config)?;
        let component =
            Component::new(&engine, wat::parse_str(JOINED).map_err(|error| wasmtime::Error::msg(error.to_string()))?)?;
        let call = component.get_export_index(None, "call");
        let call = call.ok_or_else(|| wasmtime::Error::msg("the component exports no `call`"))?;
        let instance = Linker::new(&engine).instantiate_pre(&component)?;
        Ok(Self { engine, instance, call })
    }

    /// Makes a sandbox of them, calls it, and throws it away.
    pub(crate) fn call(&self) -> Result<()> {
        let mut store = Store::new(&self.engine, ());
        let instance = self.instance.instantiate(&mut store)?;
        let call = instance.get_typed_func::<(), ()>(&mut store, &self.call)?;
        call.call(&mut store, ())
    }
}
