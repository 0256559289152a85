//! `agent-memory run`

use std::io::IsTerminal;
use std::sync::Arc;

use agent_memory_host::{Agent, AgentDefinition, LoadError, ManualClock};
use agent_memory_testing::{ConfigurationSource, Scenario, play_script};
use anyhow::{Context, anyhow};
use jiff::Timestamp;

use super::Verdict;
use crate::arguments::Run;
use crate::functions::{self, Configuration};
use crate::output;
use crate::stores::{self, OpenStore};
use crate::surroundings::{runtime, warn, while_it_lasts};
use crate::transcript::{Transcript, summary};

/// Conversations, and what they are played with.
pub(crate) struct Performance {
    pub(crate) store: OpenStore,
    pub(crate) scenario: Scenario,
    pub(crate) configuration: Configuration,
    /// The component.
    pub(crate) functions: Vec<u8>,
    /// What messages call the component.
    pub(crate) functions_name: String,
}

/// How conversations are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As JSON, a line each.
    Json,
    /// As a text for people.
    Transcript,
}

pub(crate) async fn run(arguments: &Run) -> anyhow::Result<Verdict> {
    // A store that cannot be used is said before anything else is judged.
    let store = stores::open(&arguments.store, &arguments.sealing, true).await?;
    let scenario = Scenario::load(&arguments.scenario)?;
    let path = arguments.functions.as_ref().or(scenario.functions.as_ref());
    let path = path.with_context(|| {
        let scenario = arguments.scenario.display();
        format!("{scenario} does not say which functions to call: give --functions, or `functions:` in it")
    })?;
    let given = arguments.config.clone().map(ConfigurationSource::File);
    let configuration = Configuration::read(given.or_else(|| scenario.configuration.clone()), path)?;
    let watched = std::io::stderr().is_terminal();
    let built = functions::build(path, watched)?;
    if watched {
        anstream::eprint!("{}", built.diagnostics);
    }
    let functions_name = path.display().to_string();
    let performance = Performance { store, configuration, functions: built.bytes, functions_name, scenario };
    performance.play(if arguments.json { Form::Json } else { Form::Transcript }).await
}

impl Performance {
    /// Plays all conversations and shows each as soon as it is over.
    pub(crate) async fn play(self, form: Form) -> anyhow::Result<Verdict> {
        // To the second: what people read and write in scenarios has no finer times.
        let now = Timestamp::from_second(Timestamp::now().as_second())?;
        let clock = Arc::new(ManualClock::new(now));
        let agent = self.load(clock.clone()).await?;
        for warning in agent.configuration_warnings() {
            warn(&format!("{}: {}: {}", self.configuration.name(), warning.path, warning.message));
        }
        let mut results = Vec::new();
        for script in &self.scenario.conversations {
            let result = play_script(script, &agent, &clock).await?;
            match form {
                Form::Json => output::json_line(&result)?,
                Form::Transcript => output::text(&Transcript { script, result: &result }.to_string())?,
            }
            results.push(result);
        }
        if form == Form::Transcript {
            output::text(&summary(&self.scenario.conversations, &results))?;
        }
        let holds = results.iter().all(|result| result.failures.is_empty());
        Ok(if holds { Verdict::Good } else { Verdict::Bad })
    }

    async fn load(&self, clock: Arc<ManualClock>) -> anyhow::Result<Agent> {
        let runtime = runtime(self.store.clone(), clock).await?;
        let _compiling = while_it_lasts("compiling the functions");
        let loaded = runtime
            .load_agent(AgentDefinition {
                scope: self.scenario.scope.clone(),
                functions: self.functions.clone(),
                configuration: self.configuration.text.clone(),
            })
            .await;
        loaded.map_err(|error| match error {
            LoadError::Configuration(errors) => anyhow!(self.configuration.mistakes(&errors)),
            LoadError::Component(error) => anyhow!("{}: {error}", self.functions_name),
            error => error.into(),
        })
    }
}
