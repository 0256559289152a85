//! Agent Memory as a service: an HTTP API over any store, and a dashboard.
//!
//! ```no_run
//! use std::sync::Arc;
//! use agent_memory_host::{keys::Keys, store::MemoryStore};
//! use agent_memory_server::{Options, Server};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let options = Options::new("127.0.0.1:8080".parse()?, "/var/cache/agent-memory".into());
//! let server = Server::bind(Arc::new(MemoryStore::new()), Keys::ephemeral(), options).await?;
//! println!("http://{}", server.address());
//! server.run(async { tokio::signal::ctrl_c().await.unwrap_or(()) }).await?;
//! # Ok(()) }
//! ```
//!
//! A process keeps nothing that matters: agents and sessions are in the store, so that any number of processes can serve
//! the same conversations, and one that dies between two turns has lost nothing. What is where:
//!
//! - `routes` has the API, `wire` its bodies, `problem` what it says when something is wrong;
//! - `conversations` and `answers` hold the turns of a conversation together;
//! - `agents` and `compiler` bring components from the store into sandboxes;
//! - `access` and `rate` say who may do what, and how often, `connection` and `local` who is listened to at all.

mod access;
mod agents;
mod analytics;
mod answers;
mod compiler;
mod connection;
mod conversations;
mod faults;
mod input;
mod lines;
mod local;
mod observability;
mod options;
mod pace;
mod problem;
mod rate;
mod routes;
mod server;
mod service;
mod upkeep;
mod wire;

pub use access::{Grant, NewToken, Permission, TokenError, Tokens};
pub use compiler::{CompilerCommand, compile_component};
pub use options::{MOST_IDLE, Options, TlsFiles};
pub use problem::Problem;
pub use server::{ServeError, Server, api_description};
