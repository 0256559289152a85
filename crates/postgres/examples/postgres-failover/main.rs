//! Kills the primary under 16 writers, again and again, and counts what is lost.
//!
//! ```sh
//! # Synchronous: exits with 1 if any is lost.
//! cargo run -p agent-memory-postgres --example postgres-failover -- --rounds 20
//! # Loses some, and says how many.
//! cargo run -p agent-memory-postgres --example postgres-failover -- --rounds 3 --asynchronous
//! ```

#![allow(missing_docs, unreachable_pub, reason = "a program has no users of its code")]

mod trial;

use std::process::ExitCode;

use trial::{Findings, Replication};

#[tokio::main]
async fn main() -> ExitCode {
    match rounds().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// Answers whether nothing is wrong.
async fn rounds() -> Result<bool, String> {
    let mut rounds = 3;
    let mut replication = Replication::Synchronous;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--rounds" => {
                let number = arguments.next().and_then(|number| number.parse().ok());
                rounds = number.ok_or("`--rounds` needs a number")?;
            }
            "--asynchronous" => replication = Replication::Asynchronous,
            _ => return Err(format!("unknown argument {argument:?}: give `--rounds NUMBER` or `--asynchronous`")),
        }
    }
    let mut sum = Findings::default();
    for round in 1..=rounds {
        let found = trial::run(replication).await?;
        println!("round {round}: {found}");
        sum.acknowledged += found.acknowledged;
        sum.lost += found.lost;
        sum.twice += found.twice;
        sum.torn += found.torn;
        sum.unknown += found.unknown;
        sum.outage = sum.outage.max(found.outage);
    }
    println!("{rounds} rounds, {replication:?}: {sum} at most");
    let may_lose = replication == Replication::Asynchronous;
    Ok((may_lose || sum.lost == 0) && sum.twice == 0 && sum.torn == 0)
}
