//! Kills primaries while 16 writers commit, and says what is left of what was acknowledged.
//!
//! ```text
//! cargo run -p agent-memory-valkey --example valkey-failover -- --rounds 20
//! cargo run -p agent-memory-valkey --example valkey-failover -- --rounds 1 --async
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is a test that is run by hand"
)]

#[path = "../tests/support/failover.rs"]
mod failover;

use agent_memory_test_servers::valkey::Cluster;
use agent_memory_valkey::Durability;
use clap::Parser;

/// Kills primaries while 16 writers commit, and says what is left of what was acknowledged.
#[derive(Parser)]
struct Arguments {
    /// How many primaries are killed, one after another.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Waits for no replica, and lets replicas stand still before their primary is killed: something is lost then.
    #[arg(long = "async")]
    without_replicas: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let durability = if arguments.without_replicas { Durability::Async } else { Durability::Replica };
    let mut cluster = Cluster::start(3, true, &[])?;
    let told = |round: usize, took: std::time::Duration| {
        println!("round {}: killed; the replica took over after {} ms", round + 1, took.as_millis());
    };
    let outcome = failover::run(&mut cluster, durability, arguments.rounds, told).await?;
    println!(
        "{} commits acknowledged, {} tried again; {} lost, {} applied twice, {} torn; longest pause {} ms",
        outcome.acknowledged,
        outcome.repeated,
        outcome.lost,
        outcome.twice,
        outcome.torn,
        outcome.longest_pause.as_millis()
    );
    anyhow::ensure!(
        arguments.without_replicas || (outcome.lost, outcome.twice, outcome.torn) == (0, 0, 0),
        "what was acknowledged is not what is there"
    );
    Ok(())
}
