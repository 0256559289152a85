//! Agents in Python, built once for each process, and a short way to talk with them.

use std::path::PathBuf;
use std::sync::Arc;

use agent_memory_host::store::MemoryStore;
use agent_memory_host::{
    Agent, AgentDefinition, Conversation, FunctionError, Json, ManualClock, NewConversation, RuntimeBuilder, Turn,
    TurnOutcome,
};
use agent_memory_tests::{built, clock, json, root, runtime, scope};
use serde_json::Value;

/// The folder of an agent of these tests.
pub(crate) fn agent_folder(name: &str) -> PathBuf {
    root().join("tests/python/agents").join(name)
}

/// An agent on a fresh store, with a clock that stands still.
pub(crate) struct Desk {
    pub(crate) agent: Agent,
    pub(crate) clock: Arc<ManualClock>,
}

impl Desk {
    /// The probe, with a configuration.
    pub(crate) async fn probe(configuration: &str) -> Self {
        Self::with(built(&agent_folder("probe")), configuration, |builder| builder).await
    }

    /// Any agent, with what `change` does to the runtime.
    pub(crate) async fn with(
        functions: Vec<u8>,
        configuration: &str,
        change: impl FnOnce(RuntimeBuilder) -> RuntimeBuilder,
    ) -> Self {
        // The first who needs an agent compiles it, and all others find it compiled.
        static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
        let _turn = TURN.lock().await;
        let clock = clock();
        let runtime =
            change(runtime(Arc::new(MemoryStore::new())).clock(clock.clone())).build().await.expect("a runtime");
        let definition = AgentDefinition { scope: scope(), functions, configuration: configuration.to_owned() };
        let agent = runtime.load_agent(definition).await.unwrap_or_else(|error| panic!("{error}"));
        Self { agent, clock }
    }

    /// A conversation of a caller.
    pub(crate) async fn call_from(&self, number: &str) -> Conversation {
        let start = NewConversation { caller_number: Some(number.into()), ..Default::default() };
        self.agent.start(start).await.unwrap_or_else(|error| panic!("{error}")).conversation
    }
}

/// Calls a function.
pub(crate) async fn call(conversation: &mut Conversation, function: &str, arguments: Value) -> Turn {
    conversation.call(function, json(&arguments)).await.unwrap_or_else(|error| panic!("{error}"))
}

/// Calls a function that has to return.
pub(crate) async fn value(conversation: &mut Conversation, function: &str, arguments: Value) -> Value {
    let turn = call(conversation, function, arguments).await;
    match &turn.outcome {
        TurnOutcome::Returned(value) => value.to().expect("JSON"),
        outcome => panic!("{function} did not return: {outcome:?}, {:?}", turn.logs),
    }
}

/// Calls a function that has to fail.
pub(crate) async fn failure(conversation: &mut Conversation, function: &str, arguments: Value) -> FunctionError {
    match call(conversation, function, arguments).await.outcome {
        TurnOutcome::Failed(error) => error,
        outcome => panic!("{function} did not fail: {outcome:?}"),
    }
}

/// What the conversation's state has under a key that JSON can express.
pub(crate) fn state(conversation: &Conversation, key: &str) -> Option<Value> {
    let found = conversation.state().into_iter().find(|(name, _)| name == key)?.1?;
    Some(Json::to(&found).expect("JSON"))
}
