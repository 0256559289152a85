//! The agent in Rust whose turns are measured, and a caller it knows.

use std::collections::HashMap;
use std::sync::Arc;

use agent_memory_host::keys::Keys;
use agent_memory_host::store::MemoryStore;
use agent_memory_host::{Agent, AgentDefinition, Conversation, NewConversation, Outcome, Runtime, TurnOutcome};
use agent_memory_tests::{built, clock, json, root, rust_agent, scope};
use anyhow::bail;
use serde_json::{Value, json};

/// The keys that are remembered.
pub(crate) const KEYS: [&str; 5] = ["cheese_type", "booking_day", "mood", "address", "occasion"];

/// What is remembered under each.
pub(crate) const VALUE: &str = "sixty bytes of text, as callers leave them when they call us";

/// Its functions: one that does nothing, one that reads three keys and sets one, as a usual turn does, and one that
/// reads a key so many times.
const SOURCE: &str = r#"
use std::hint::black_box;

use agent_memory_sdk::{Conversation, Error, export, function};

export!(remember, nothing, usual, read);

#[function]
fn remember(conv: &Conversation, keys: Vec<String>, value: String) -> Result<(), Error> {
    for key in keys {
        conv.state().set(&key, &value)?;
    }
    Ok(())
}

#[function]
fn nothing(_: &Conversation) {}

#[function]
fn usual(conv: &Conversation, mood: String) -> Result<String, Error> {
    let memory = conv.memory();
    let cheese = memory.get::<String>("cheese_type")?.unwrap_or_default();
    let day = memory.get::<String>("booking_day")?.unwrap_or_default();
    let address = memory.get::<String>("address")?.unwrap_or_default();
    conv.state().set("mood", &mood)?;
    Ok(format!("{cheese} on {day} for {address}"))
}

#[function]
fn read(conv: &Conversation, times: u32) -> Result<(), Error> {
    for _ in 0..times {
        black_box(conv.memory().get::<String>(black_box("cheese_type"))?);
    }
    Ok(())
}
"#;

/// Its configuration.
pub(crate) fn configuration() -> String {
    json!({ "memory": { "repeat_caller": { "state_keys": KEYS, "analytics_enabled": true } } }).to_string()
}

/// What is remembered of a caller, in a native map.
pub(crate) fn native_map() -> HashMap<String, String> {
    KEYS.map(|key| (key.to_owned(), VALUE.to_owned())).into()
}

/// The agent, on a store in memory whose values are sealed with these keys.
pub(crate) fn agent(tokio: &tokio::runtime::Runtime, keys: Keys) -> anyhow::Result<Agent> {
    let folder = root().join("target/tests/benches/measured");
    rust_agent(&folder, SOURCE);
    let definition = AgentDefinition { scope: scope(), functions: built(&folder), configuration: configuration() };
    tokio.block_on(async {
        let builder = Runtime::builder(Arc::new(MemoryStore::new()), keys).clock(clock());
        let runtime = builder.code_cache(root().join("target/tests/code")).build().await?;
        Ok(runtime.load_agent(definition).await?)
    })
}

/// A conversation of somebody who has called before.
pub(crate) async fn returning_caller(agent: &Agent, number: &str) -> anyhow::Result<Conversation> {
    let caller = || NewConversation { caller_number: Some(number.into()), ..Default::default() };
    let mut first = agent.start(caller()).await?.conversation;
    turn(&mut first, "remember", &json!({ "keys": KEYS, "value": VALUE })).await?;
    first.end(Outcome::default()).await?;
    Ok(agent.start(caller()).await?.conversation)
}

/// A turn, which has to succeed.
pub(crate) async fn turn(conversation: &mut Conversation, function: &str, arguments: &Value) -> anyhow::Result<()> {
    match conversation.call(function, json(arguments)).await?.outcome {
        TurnOutcome::Returned(_) => Ok(()),
        outcome => bail!("{function} did not return: {outcome:?}"),
    }
}
