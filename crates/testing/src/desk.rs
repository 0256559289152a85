//! A desk at which tests take calls.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use agent_memory_host::keys::Keys;
use agent_memory_host::store::MemoryStore;
use agent_memory_host::{
    Administration, AdministrationError, Agent, AgentDefinition, Clock as _, IdentifierKind, Json, LoadError,
    ManualClock, NewConversation, Outcome, RememberedField, Runtime, Scope,
};
use jiff::{SignedDuration, Timestamp};

use crate::result::ConversationResult;
use crate::scenario::{Scenario, Script, ScriptedTurn, local};
use crate::{DeskError, PlayError, play, play_script};

/// An agent, a store and a clock that stands still until it is set.
pub struct Desk {
    runtime: Runtime,
    agent: Agent,
    scope: Scope,
    clock: Arc<ManualClock>,
}

/// A call that is being put together. Nothing happens before [`Call::end`] or [`Call::leave_open`].
#[must_use = "nothing happens before `end` or `leave_open`"]
pub struct Call<'d> {
    desk: &'d Desk,
    script: Script,
    after: SignedDuration,
}

impl Desk {
    /// A desk with an empty store of its own. The clock stands at 2026-01-01T10:00:00Z.
    ///
    /// `functions` are the bytes of a component, `configuration` is a JSON text: `{}` is no memory. Compiled functions
    /// are kept in the folder that the variable `AGENT_MEMORY_CACHE_DIR` names, if it names one, which spares tests
    /// from compiling them again and again.
    ///
    /// # Errors
    /// If the functions or the configuration cannot be used.
    pub async fn new(functions: impl Into<Vec<u8>>, configuration: impl Into<String>) -> Result<Self, DeskError> {
        let clock = Arc::new(ManualClock::new(OPENING));
        let mut builder = Runtime::builder(Arc::new(MemoryStore::new()), Keys::ephemeral()).clock(clock.clone());
        if let Some(folder) = cache_folder() {
            builder = builder.code_cache(folder);
        }
        let runtime = builder.build().await?;
        let (functions, configuration) = (functions.into(), configuration.into());
        Ok(Self::with(runtime, clock, AgentDefinition { scope: local(), functions, configuration }).await?)
    }

    /// A desk with a runtime of the test's own making, which has to run on this clock.
    ///
    /// # Errors
    /// If the functions or the configuration cannot be used.
    pub async fn with(
        runtime: Runtime,
        clock: Arc<ManualClock>,
        definition: AgentDefinition,
    ) -> Result<Self, LoadError> {
        let scope = definition.scope.clone();
        let agent = runtime.load_agent(definition).await?;
        Ok(Self { runtime, agent, scope, clock })
    }

    /// A call from this number.
    pub fn call_from(&self, caller_number: impl Into<String>) -> Call<'_> {
        let default = Script::default().conversation;
        self.call(NewConversation { caller_number: Some(caller_number.into()), ..default })
    }

    /// A conversation of any other kind.
    pub fn call(&self, conversation: NewConversation) -> Call<'_> {
        let script = Script { conversation, ..Script::default() };
        Call { desk: self, script, after: SignedDuration::ZERO }
    }

    /// Plays all conversations of a scenario.
    ///
    /// # Errors
    /// As [`play`].
    pub async fn play(&self, scenario: &Scenario) -> Result<Vec<ConversationResult>, PlayError> {
        play(scenario, &self.agent, &self.clock).await
    }

    /// Where the clock stands.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Sets the clock, forwards or back.
    pub fn set_time(&self, now: Timestamp) {
        self.clock.set(now);
    }

    /// Moves the clock. It stops at the end of the years that it knows.
    pub fn advance(&self, by: SignedDuration) {
        let now = self.clock.now();
        self.clock.set(now.saturating_add(by).unwrap_or(now));
    }

    /// What is stored on the caller with this number, whether or not the configuration exposes it.
    ///
    /// # Errors
    /// If the number is no identifier, or the store fails.
    pub async fn stored(&self, number: &str) -> Result<BTreeMap<String, RememberedField>, AdministrationError> {
        self.administration().get(&self.scope, IdentifierKind::Phone, number).await
    }

    /// Erases, exports, sweeps and counts.
    pub fn administration(&self) -> Administration {
        self.runtime.administration()
    }

    /// The agent.
    pub fn agent(&self) -> &Agent {
        &self.agent
    }
}

impl Call<'_> {
    /// Gives the conversation an id of the test's choice.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.script.conversation.id = Some(id.into());
        self
    }

    /// Calls a function, with an object as its arguments.
    pub fn turn(mut self, function: impl Into<String>, arguments: serde_json::Value) -> Self {
        self.script.turns.push(ScriptedTurn {
            call: function.into(),
            arguments: Json::parse(arguments.to_string()).ok(),
            after: std::mem::take(&mut self.after),
            ..ScriptedTurn::default()
        });
        self
    }

    /// Moves the clock before the next turn.
    pub fn after(mut self, pause: SignedDuration) -> Self {
        self.after = self.after.saturating_add(pause);
        self
    }

    /// Says how the conversation went.
    pub fn outcome(mut self, outcome: Outcome) -> Self {
        self.script.outcome = outcome;
        self
    }

    /// Plays the conversation and ends it.
    ///
    /// # Errors
    /// If it cannot start. What goes wrong later is among the result's `failures`.
    pub async fn end(self) -> Result<ConversationResult, PlayError> {
        play_script(&self.script, &self.desk.agent, &self.desk.clock).await
    }

    /// Plays the conversation and leaves it open: the result's `commit` is a preview, and nothing is remembered.
    ///
    /// # Errors
    /// If it cannot start.
    pub async fn leave_open(mut self) -> Result<ConversationResult, PlayError> {
        self.script.end = false;
        play_script(&self.script, &self.desk.agent, &self.desk.clock).await
    }
}

/// The folder for compiled code that the variable `AGENT_MEMORY_CACHE_DIR` names.
pub fn cache_folder() -> Option<PathBuf> {
    std::env::var_os("AGENT_MEMORY_CACHE_DIR").filter(|folder| !folder.is_empty()).map(PathBuf::from)
}

/// Where a desk's clock stands at first: 2026-01-01T10:00:00Z.
const OPENING: Timestamp = Timestamp::constant(1_767_261_600, 0);

#[cfg(test)]
mod tests {
    #[test]
    fn a_desk_opens_at_ten() {
        assert_eq!(super::OPENING.to_string(), "2026-01-01T10:00:00Z");
    }
}
