//! The workload as the host plays it.

use std::time::Instant;

use agent_memory_host::{Agent, NewConversation, Outcome, Turn, TurnOutcome};

use crate::workload::{CHARACTERS, FUNCTION, Plan};
use crate::{BenchError, Player, Times};

/// Plays conversations with an agent, every turn in a fresh sandbox.
pub struct Sandboxed {
    agent: Agent,
}

impl Sandboxed {
    pub(crate) fn new(agent: Agent) -> Result<Self, BenchError> {
        let functions = agent.functions();
        let mut names = functions.iter().map(|function| function.name.clone());
        if names.any(|name| name == FUNCTION) {
            return Ok(Self { agent });
        }
        Err(BenchError::NoFunction { known: functions.iter().map(|function| function.name.clone()).collect() })
    }
}

impl Player for Sandboxed {
    async fn play(&self, plan: &Plan, times: &mut Times) -> Result<(), BenchError> {
        let call = NewConversation {
            id: Some(plan.id.clone()),
            caller_number: Some(plan.caller.clone()),
            ..Default::default()
        };
        let mut conversation = self.agent.start(call).await?.conversation;
        for number in 1..=plan.turns {
            let arguments = plan.arguments(number);
            let begun = Instant::now();
            let turn = conversation.call(FUNCTION, arguments).await?;
            times.turn(begun.elapsed());
            check(&turn)?;
        }
        let begun = Instant::now();
        conversation.end(Outcome::default()).await?;
        times.commit(begun.elapsed());
        Ok(())
    }
}

/// The function has to have read what the caller's memory holds.
fn check(turn: &Turn) -> Result<(), BenchError> {
    let problem = match &turn.outcome {
        TurnOutcome::Returned(value) => match value.to::<usize>() {
            Ok(CHARACTERS) => return Ok(()),
            _ => format!("did not return {CHARACTERS}, which is how many characters it has to read"),
        },
        TurnOutcome::Failed(error) => format!("failed: {}: {}", error.name, error.message),
        TurnOutcome::Stopped(stop) => format!("was stopped: {}", stop.message),
    };
    Err(BenchError::Function { problem })
}
