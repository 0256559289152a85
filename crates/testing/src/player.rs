//! Plays scripts on an agent.

use agent_memory_host::{Agent, CallError, Clock as _, CommitStatus, Conversation, Json, ManualClock};

use crate::PlayError;
use crate::expectations::{check_conversation, check_turn};
use crate::result::{CommitResult, ConversationResult, FailedCommit, TurnResult, on_one_line};
use crate::scenario::{Scenario, Script, ScriptedTurn};

/// Plays all conversations of a scenario, one after another.
///
/// The agent's runtime has to run on `clock`, and the agent should be loaded with the scenario's scope and
/// configuration. Expectations that do not hold are among the results.
///
/// # Errors
/// If a conversation cannot start, such as one whose id has ended in the store before. Those before it are played
/// then, and stay in the store.
pub async fn play(
    scenario: &Scenario,
    agent: &Agent,
    clock: &ManualClock,
) -> Result<Vec<ConversationResult>, PlayError> {
    let mut results = Vec::with_capacity(scenario.conversations.len());
    for script in &scenario.conversations {
        results.push(play_script(script, agent, clock).await?);
    }
    Ok(results)
}

/// Plays one conversation. See [`play`].
///
/// # Errors
/// If the conversation cannot start, or an `after` moves the clock out of the years that it knows.
pub async fn play_script(script: &Script, agent: &Agent, clock: &ManualClock) -> Result<ConversationResult, PlayError> {
    if let Some(at) = script.at {
        clock.set(at);
    }
    let at = clock.now();
    let started = agent
        .start(script.conversation.clone())
        .await
        .map_err(|source| PlayError::Start { conversation: name(script), source })?;
    let mut player = Player {
        name: started.conversation.id().to_owned(),
        conversation: started.conversation,
        clock,
        turns: started.turn.map(|turn| TurnResult::of(turn, None, at)).into_iter().collect(),
        failures: Vec::new(),
    };
    // A store that fails here fails the turns as well, which say so.
    let remembered = on_one_line_each(player.conversation.remembered().await.unwrap_or_default());
    for (index, turn) in script.turns.iter().enumerate() {
        player.turn(index, turn).await?;
    }
    let commit = player.finish(script).await;
    let memory = player.memory().await;
    let metrics = commit.report().filter(|_| script.end).map(|report| report.metrics.clone()).unwrap_or_default();
    let mut result = ConversationResult {
        conversation: player.conversation.id().to_owned(),
        at,
        turns: player.turns,
        commit,
        metrics,
        memory,
        failures: player.failures,
        remembered,
    };
    let place = match &script.place {
        Some(place) => format!("{} ({place})", player.name),
        None => player.name,
    };
    let failures = check_conversation(&place, &script.expect, &result);
    result.failures.extend(failures);
    Ok(result)
}

/// A conversation that is being played.
struct Player<'a> {
    /// What failures call it.
    name: String,
    conversation: Conversation,
    clock: &'a ManualClock,
    turns: Vec<TurnResult>,
    failures: Vec<String>,
}

impl Player<'_> {
    async fn turn(&mut self, index: usize, turn: &ScriptedTurn) -> Result<(), PlayError> {
        let name = match &turn.place {
            Some(place) => format!("{}, turn {} `{}` ({place})", self.name, index + 1, turn.call),
            None => format!("{}, turn {} `{}`", self.name, index + 1, turn.call),
        };
        let Ok(now) = self.clock.now().checked_add(turn.after) else {
            return Err(PlayError::Clock { turn: name });
        };
        self.clock.set(now);
        let arguments = turn.arguments.clone().unwrap_or_else(Json::empty_object);
        match self.conversation.call(&turn.call, arguments).await {
            Ok(done) => {
                let done = TurnResult::of(done, turn.arguments.clone(), now);
                self.failures.extend(check_turn(&name, &turn.expect, &done, &self.conversation.state()));
                self.turns.push(done);
            }
            Err(error) => {
                self.failures.push(format!("{name}: {error}"));
                let (kind, message) = (call_error_name(&error), error.to_string());
                self.turns.push(TurnResult::not_called(&turn.call, turn.arguments.clone(), now, kind, message));
            }
        }
        Ok(())
    }

    /// Ends the conversation, or previews its end.
    async fn finish(&mut self, script: &Script) -> CommitResult {
        if script.end {
            let ended = self.conversation.end(script.outcome.clone()).await;
            let turn = self.conversation.end_turn().cloned();
            self.turns.extend(turn.map(|turn| TurnResult::of(turn, None, self.clock.now())));
            match ended {
                Ok(ended) => return CommitResult::Reported(ended.report),
                Err(error) => self.failures.push(format!("{}: {error}", self.name)),
            }
        }
        match self.conversation.preview(script.outcome.clone()).await {
            Ok(report) if script.end && report.status == CommitStatus::Preview => {
                CommitResult::Failed(FailedCommit { identifier: Some(report.identifier) })
            }
            // A preview was wanted, or the commit succeeded after all and only what came after it failed.
            Ok(report) => CommitResult::Reported(report),
            Err(error) => {
                self.failures.push(format!("{}: {error}", self.name));
                CommitResult::Failed(FailedCommit { identifier: None })
            }
        }
    }

    /// What the caller's memory holds now.
    async fn memory(&mut self) -> Vec<(String, Json)> {
        match self.conversation.remembered().await {
            Ok(memory) => on_one_line_each(memory),
            Err(error) => {
                self.failures.push(format!("{}: {error}", self.name));
                Vec::new()
            }
        }
    }
}

fn on_one_line_each(fields: Vec<(String, Json)>) -> Vec<(String, Json)> {
    fields.into_iter().map(|(key, value)| (key, on_one_line(value))).collect()
}

/// What an error calls a conversation that did not start.
fn name(script: &Script) -> String {
    let name = match &script.conversation.id {
        Some(id) => format!("the conversation {id:?}"),
        None => "the conversation".into(),
    };
    match &script.place {
        Some(place) => format!("{name} at {place}"),
        None => name,
    }
}

fn call_error_name(error: &CallError) -> &'static str {
    match error {
        CallError::UnknownFunction { .. } => "unknown-function",
        CallError::Arguments { .. } => "invalid-arguments",
        CallError::Store(_) => "memory-unavailable",
        _ => "not-called",
    }
}
