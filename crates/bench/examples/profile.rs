//! Plays one way of the workload and nothing else, for a profiler to look at.
//!
//! ```sh
//! cargo build --release -p agent-memory-bench --example profile
//! perf record -g target/release/examples/profile sandbox 32 20000   # or bare; the clients, the conversations
//! ```

use std::sync::Arc;

use agent_memory_bench::{Bench, FUNCTIONS, Way, Workload};
use agent_memory_host::Runtime;
use agent_memory_host::keys::Keys;
use agent_memory_host::store::{Backend, SqliteStore};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let way = match arguments.next().as_deref() {
        Some("sandbox") => Way::Sandboxed,
        Some("bare") => Way::Bare,
        _ => return Err("say `sandbox` or `bare`, how many clients there are, and how many conversations".into()),
    };
    let clients = arguments.next().map_or(Ok(32), |clients| clients.parse())?;
    let conversations = arguments.next().map_or(Ok(20_000), |conversations| conversations.parse())?;
    let folder = tempfile::tempdir()?;
    let store: Arc<dyn Backend> = Arc::new(SqliteStore::open(folder.path().join("bench.db"))?);
    let keys = Keys::ephemeral();
    let runtime = Runtime::builder(Arc::clone(&store), keys.clone()).build().await?;
    // Few callers: what is looked at is the way of a conversation, and not how a store is filled.
    let workload = Workload { identities: 2_000, conversations, ..Workload::default() };
    let bench = Bench::prepare(&runtime, store, keys, FUNCTIONS.to_vec(), workload, |_| {}).await?;
    let figures = bench.play(way, clients).await?;
    let (per_second, cpu) = (figures.conversations_per_s(), figures.cpu_us_per_turn());
    println!("{per_second:.0} conversations a second, {cpu:.1} µs of CPU a turn");
    Ok(())
}
