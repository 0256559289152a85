//! Components from strangers.

use std::cell::RefCell;

use agent_memory_host::{AgentDefinition, Interfaces, Json, LoadError, NewConversation, Outcome, Runtime, TurnOutcome};

use super::shop::{CONFIGURATION, limits, on_this_thread, runtime, scope};
use crate::Target;

pub(crate) const TARGET: Target = Target {
    name: "components",
    run: components,
    longest: 32 << 10,
    words: &[
        "\0asm\r\0\u{1}\0",
        "\0asm\u{1}\0\0\0",
        "agent:memory/functions@0.1.0",
        "agent:memory/memory@0.1.0",
        "agent:memory/state@0.1.0",
        "agent:memory/conversation@0.1.0",
        "agent:memory/policy@0.1.0",
        "wasi:io/poll@0.2.0",
        "describe",
        "call",
        "cabi_realloc",
        "memory",
        "post-return",
    ],
};

/// The longest that is said of a component, in bytes.
const MESSAGE_BYTES: usize = 5_000;

/// After how many components the runtime is made anew.
const COMPONENTS: u32 = 200;

/// Loads bytes as a component, and runs its functions if that can be done.
///
/// - What cannot be loaded is refused in one line that is not long.
/// - What is looked at without loading is told alike: what can be loaded can be looked at.
/// - Whatever its functions do, each turn has an outcome, and the conversation ends with a commit.
pub fn components(data: &[u8]) {
    thread_local! {
        static RUNTIME: RefCell<Option<(tokio::runtime::Runtime, Runtime, u32)>> = const { RefCell::new(None) };
    }
    RUNTIME.with_borrow_mut(|kept| {
        let fresh = || {
            let tokio = on_this_thread();
            let runtime = tokio.block_on(runtime().limits(limits()).build()).expect("a runtime");
            (tokio, runtime, COMPONENTS)
        };
        let (tokio, runtime, left) = kept.take().filter(|(_, _, left)| *left > 0).unwrap_or_else(fresh);
        tokio.block_on(load(&runtime, data));
        *kept = Some((tokio, runtime, left - 1));
    });
}

async fn load(runtime: &Runtime, data: &[u8]) {
    let interfaces = Interfaces::of(data);
    let definition =
        AgentDefinition { scope: scope("account"), functions: data.to_vec(), configuration: CONFIGURATION.to_owned() };
    let agent = match runtime.load_agent(definition).await {
        Ok(agent) => agent,
        Err(error @ LoadError::Component(_)) => {
            let message = error.to_string();
            assert!(!message.is_empty() && message.len() <= MESSAGE_BYTES, "a message of {} bytes", message.len());
            assert!(!message.contains('\n'), "more than a line: {message}");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    assert!(interfaces.is_ok(), "what can be loaded cannot be looked at");
    let call = NewConversation { caller_number: Some("+441632960001".into()), ..NewConversation::default() };
    let mut conversation = match agent.start(call).await {
        Ok(started) => started.conversation,
        Err(error) => panic!("it does not start: {error}"),
    };
    for function in agent.functions().iter().take(2) {
        let Ok(turn) = conversation.call(&function.name, Json::empty_object()).await else { continue };
        if let TurnOutcome::Stopped(stop) = &turn.outcome {
            assert!(stop.message.len() <= MESSAGE_BYTES, "a stop of {} bytes", stop.message.len());
        }
    }
    if let Err(error) = conversation.end(Outcome::default()).await {
        panic!("it does not end: {error}");
    }
}
