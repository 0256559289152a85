//! How much memory an open conversation takes while nothing happens in it.

use std::sync::Arc;

use agent_memory_bench::FUNCTIONS;
use agent_memory_host::store::MemoryStore;
use agent_memory_host::{Agent, AgentDefinition, Conversation, NewConversation};
use agent_memory_tests::{runtime, scope, value};
use anyhow::Context;
use serde_json::json;

use crate::report::{Report, Target};

/// How many are open before anything is measured: what they share is there then.
const BEFORE: usize = 2_000;

/// How many more are opened.
const CONVERSATIONS: usize = 30_000;

const CONFIGURATION: &str = r#"{"memory": {"repeat_caller": {"state_keys": ["field_3", "field_4"]}}}"#;

pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (resident, state, saved) = tokio.block_on(async {
        let runtime = runtime(Arc::new(MemoryStore::new())).build().await?;
        let configuration = CONFIGURATION.to_owned();
        let definition = AgentDefinition { scope: scope(), functions: FUNCTIONS.to_vec(), configuration };
        let agent = runtime.load_agent(definition).await?;

        let mut open = Vec::with_capacity(BEFORE + CONVERSATIONS);
        for number in 0..BEFORE {
            open.push(conversation(&agent, number).await?);
        }
        let before = resident_bytes()?;
        for number in BEFORE..BEFORE + CONVERSATIONS {
            open.push(conversation(&agent, number).await?);
        }
        let resident = resident_bytes()?.saturating_sub(before) as f64 / CONVERSATIONS as f64;
        let last = open.last().context("a conversation is open")?;
        let state = last.state();
        let sizes = state.iter().map(|(key, value)| key.len() + value.as_ref().map_or(0, |value| value.as_str().len()));
        anyhow::Ok((resident, sizes.sum::<usize>(), last.session().to_bytes().len()))
    })?;
    report.add(
        "memory of an open, idle conversation beyond its own state, in KiB",
        (resident - state as f64) / 1024.0,
        Target::AtMost(2.0),
        format!(
            "{resident:.0} bytes resident for each of {CONVERSATIONS}, {state} of them state; {saved} bytes when saved"
        ),
    );
    Ok(())
}

/// A conversation after a turn that has set two keys of its state.
async fn conversation(agent: &Agent, number: usize) -> anyhow::Result<Conversation> {
    let caller = NewConversation {
        caller_number: Some(format!("+441632{number:08}")),
        callee_number: Some("+441632960100".into()),
        channel: "sip.polyai".into(),
        ..Default::default()
    };
    let mut conversation = agent.start(caller).await?.conversation;
    let texts = json!({ "first": "a".repeat(60), "second": "b".repeat(60) });
    // A turn that went wrong would leave no state.
    value(&mut conversation, "turn", &texts).await;
    Ok(conversation)
}

/// How much memory this process has, as the kernel counts it.
fn resident_bytes() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("the system does not say")?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib << 10)
}
