//! Wasmtime set up for many short sandboxes, as the host's is, but for what a host needs to stop functions and to do other
//! work meanwhile.

use agent_memory_host::Limits;
use wasmtime::{Config, Enabled, InstanceAllocationStrategy, PoolingAllocationConfig};

/// How much of each memory and table stays mapped, as the host has it.
const RESIDENT_BYTES: usize = 64 << 10;

/// Settings with a pool that has room for two sandboxes of any agent.
pub(crate) fn pooled() -> Config {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(2)
        .total_core_instances(128)
        .total_memories(8)
        .total_tables(96)
        .total_stacks(2)
        .max_core_instances_per_component(64)
        .max_memories_per_component(4)
        .max_tables_per_component(48)
        .max_memory_size(Limits::default().memory_bytes)
        .table_elements(40_000)
        .linear_memory_keep_resident(RESIDENT_BYTES)
        .table_keep_resident(RESIDENT_BYTES)
        .pagemap_scan(Enabled::Auto);
    let mut config = Config::new();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool)).concurrency_support(false);
    config
}
