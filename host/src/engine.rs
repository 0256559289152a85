//! The wasmtime engine, set up for many short sandboxes.

use std::thread;
use std::time::Duration;

use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::{BuildError, ComponentError, Limits};

/// How often running functions are looked after. A function that computes gives way to other work this often.
const TICK: Duration = Duration::from_millis(1);

/// How many instances of the policy there may be at once, beside the turns. A question is answered in microseconds; an
/// instance that is asked again after a commit waits for the disk meanwhile.
pub(crate) const QUESTIONS: u32 = 64;

/// The most core instances, memories and tables that one agent may have: a Python agent has some 40 instances.
const CORE_INSTANCES: u32 = 64;
const MEMORIES: u32 = 4;
const TABLES: u32 = 48;
const TABLE_ELEMENTS: usize = 40_000;

/// The stack of a function's own code, and the native stack around it. Python raises an error for an endless recursion
/// if there is room for a thousand of its calls, which take about 1 MiB; otherwise the sandbox would have to end it.
const WASM_STACK_BYTES: usize = 2 << 20;
const NATIVE_STACK_BYTES: usize = 3 << 20;

/// How much of a memory is zeroed by hand when a sandbox is gone, rather than given back to the kernel. Guests of
/// ours touch less than this, so that their turns need no page fault.
const RESIDENT_BYTES: usize = 64 << 10;

/// Sets up an engine, and the thread that advances its epoch for as long as it lives.
pub(crate) fn engine(limits: &Limits) -> Result<Engine, BuildError> {
    if limits.concurrent_turns == 0 {
        return Err(BuildError::Sandbox(
            "`concurrent_turns` is 0, and no turn could ever run: allow at least 1".into(),
        ));
    }
    let sandboxes = limits.concurrent_turns.saturating_add(QUESTIONS);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(sandboxes)
        .total_core_instances(sandboxes.saturating_mul(CORE_INSTANCES))
        .total_memories(sandboxes.saturating_mul(MEMORIES))
        .total_tables(sandboxes.saturating_mul(TABLES))
        .total_stacks(sandboxes)
        .max_core_instances_per_component(CORE_INSTANCES)
        .max_memories_per_component(MEMORIES)
        .max_tables_per_component(TABLES)
        .max_memory_size(limits.memory_bytes)
        .table_elements(TABLE_ELEMENTS)
        .linear_memory_keep_resident(RESIDENT_BYTES)
        .table_keep_resident(RESIDENT_BYTES)
        .pagemap_scan(Enabled::Auto);

    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .concurrency_support(false)
        .epoch_interruption(true)
        .max_wasm_stack(WASM_STACK_BYTES)
        .async_stack_size(NATIVE_STACK_BYTES);
    let engine = Engine::new(&config).map_err(|error| BuildError::Sandbox(format!("{error:#}")))?;

    let ticked = engine.weak();
    thread::Builder::new()
        .name("agent-memory-epoch".into())
        .spawn(move || {
            while let Some(engine) = ticked.upgrade() {
                engine.increment_epoch();
                drop(engine);
                thread::sleep(TICK);
            }
        })
        .map_err(|error| BuildError::Sandbox(error.to_string()))?;
    Ok(engine)
}

/// Whether a compiled component fits into a sandbox.
pub(crate) fn check_size(component: &wasmtime::component::Component, limits: &Limits) -> Result<(), ComponentError> {
    // A component that imports components has no known size; it has been refused before.
    let Some(required) = component.resources_required() else {
        return Err(ComponentError::Uncompilable("its size is not known before it runs".into()));
    };
    let memory = required.max_initial_memory_size.unwrap_or(0).saturating_mul(64 << 10);
    let excess = [
        ("memories", u64::from(required.num_memories), u64::from(MEMORIES)),
        ("tables", u64::from(required.num_tables), u64::from(TABLES)),
        ("bytes of initial memory", memory, limits.memory_bytes as u64),
        ("table elements", required.max_initial_table_size.unwrap_or(0), TABLE_ELEMENTS as u64),
    ];
    match excess.iter().find(|(_, needed, allowed)| needed > allowed) {
        None => Ok(()),
        Some((what, needed, allowed)) => Err(ComponentError::Uncompilable(format!(
            "it needs {needed} {what}, and a sandbox has {allowed}; make it smaller, or allow more in `Limits`"
        ))),
    }
}
