//! The workload of callers who return, played with the sandbox and without it, so that one run tells what the sandbox costs.
//!
//! A store is filled with callers, who all have five fields of 60 bytes. Then callers chosen at random call again: each
//! turn reads the caller's memory once and three keys of it, the second turn sets two keys, and the end commits them. That
//! is played by the real host ([`Sandboxed`]), and as an embedder would write it who trusted all functions ([`Bare`]): the
//! same calls of the store, the same values sealed and opened, the same rules, called natively, and a function in Rust.
//!
//! Both have callers of their own, in a scope that no other run has, and in the same store. They are played by turns, in
//! slices, so that whatever else the machine does meets both.
//!
//! ```
//! use std::sync::Arc;
//! use agent_memory_bench::{Bench, FUNCTIONS, Workload};
//! use agent_memory_host::{Runtime, keys::Keys, store::MemoryStore};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (store, keys) = (Arc::new(MemoryStore::new()), Keys::ephemeral());
//! let runtime = Runtime::builder(store.clone(), keys.clone()).build().await?;
//! let workload = Workload { identities: 100, conversations: 20, ..Workload::default() };
//! let bench = Bench::prepare(&runtime, store, keys, FUNCTIONS.to_vec(), workload, |_| {}).await?;
//! let measured = bench.measure(2).await?;
//! println!("{:.2} of what there is without the sandbox", measured.ratio());
//! # Ok(()) }
//! ```

mod bare;
mod bench;
mod error;
mod figures;
mod fill;
mod process;
mod sandboxed;
mod table;
mod workload;

pub use bare::Bare;
pub use bench::{Bench, Measured, Player, Way};
pub use error::BenchError;
pub use figures::{Figures, Latencies, Quantiles, Times};
pub use sandboxed::Sandboxed;
pub use table::{Table, heading};
pub use workload::{ACCOUNT, FUNCTION, Plan, Workload};

/// The function that is called if there is no other: `examples/benchmark/rust`, built.
pub const FUNCTIONS: &[u8] = include_bytes!("benchmark.wasm");
