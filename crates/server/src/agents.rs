//! The agents that this process runs, loaded from the store when they are first asked for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use agent_memory_host::{Agent, AgentDefinition, ComponentId, PublishedAgent, Runtime, Scope, VersionId};
use tokio::sync::OnceCell;

use crate::Problem;
use crate::compiler::Compiler;

/// How long it may take until this process knows of a version that another has published.
const FRESH: Duration = Duration::from_millis(500);

/// How long a version is kept in memory that nobody asks for.
const IDLE: Duration = Duration::from_secs(60 * 60);

/// The agents that this process runs.
pub(crate) struct Agents {
    runtime: Runtime,
    compiler: Compiler,
    loaded: Mutex<HashMap<(Scope, VersionId), Loaded>>,
    current: Mutex<HashMap<Scope, (Instant, Option<PublishedAgent>)>>,
}

/// A version, loaded once, however many ask for it.
#[derive(Clone)]
struct Loaded {
    agent: Arc<OnceCell<Agent>>,
    used: Instant,
}

impl Agents {
    pub(crate) fn new(runtime: Runtime, compiler: Compiler) -> Self {
        Self { runtime, compiler, loaded: Mutex::default(), current: Mutex::default() }
    }

    /// Publishes an agent, if it can be loaded.
    pub(crate) async fn publish(&self, definition: AgentDefinition) -> Result<(PublishedAgent, Agent), Problem> {
        let agent = self.load(&definition).await?;
        let published = self.runtime.catalogue().publish(&definition).await?;
        self.keep(&published, agent.clone());
        Ok((published, agent))
    }

    /// Publishes an agent whose component is in the store already.
    pub(crate) async fn publish_known(
        &self,
        scope: Scope,
        component: ComponentId,
        configuration: String,
    ) -> Result<(PublishedAgent, Agent), Problem> {
        let functions = self.runtime.catalogue().component(component).await?;
        let unknown =
            "no component of this digest was ever sent here, or none uses it any more: send it as `functions`";
        let functions = functions.ok_or_else(|| Problem::unknown_component(unknown))?;
        let definition = AgentDefinition { scope, functions, configuration };
        let agent = self.load(&definition).await?;
        let catalogue = self.runtime.catalogue();
        let published = catalogue.publish_known(&definition.scope, component, &definition.configuration).await?;
        // A sweep may have been faster.
        let published = published.ok_or_else(|| Problem::unknown_component(unknown))?;
        self.keep(&published, agent.clone());
        Ok((published, agent))
    }

    /// Removes an agent.
    pub(crate) async fn withdraw(&self, scope: &Scope) -> Result<(), Problem> {
        let was_there = self.runtime.catalogue().withdraw(scope).await?;
        lock(&self.current).remove(scope);
        if was_there { Ok(()) } else { Err(unknown(scope)) }
    }

    /// The version that conversations begin with.
    pub(crate) async fn current(&self, scope: &Scope) -> Result<(PublishedAgent, Agent), Problem> {
        let known = lock(&self.current).get(scope).filter(|(since, _)| since.elapsed() < FRESH).cloned();
        let published = match known {
            Some((_, published)) => published,
            None => {
                let published = self.runtime.catalogue().current(scope).await?;
                // Who asks for what is not there must not fill the memory.
                if published.is_some() {
                    lock(&self.current).insert(scope.clone(), (Instant::now(), published.clone()));
                }
                published
            }
        };
        let published = published.ok_or_else(|| unknown(scope))?;
        let agent = self.loaded(&published).await?;
        Ok((published, agent))
    }

    /// The version that a conversation began with.
    pub(crate) async fn version(&self, scope: &Scope, version: VersionId) -> Result<Agent, Problem> {
        let known = lock(&self.loaded).get_mut(&(scope.clone(), version)).and_then(|loaded| {
            loaded.used = Instant::now();
            loaded.agent.get().cloned()
        });
        if let Some(agent) = known {
            return Ok(agent);
        }
        let published = self.runtime.catalogue().version(scope, version).await?;
        let gone = "the version of the agent that this conversation began with was removed: start a new conversation";
        self.loaded(&published.ok_or_else(|| Problem::version_unavailable(gone))?).await
    }

    /// Lets go of versions that nobody has asked for in a while.
    pub(crate) fn forget(&self) {
        lock(&self.loaded).retain(|_, loaded| loaded.used.elapsed() < IDLE);
        lock(&self.current).retain(|_, (since, _)| since.elapsed() < IDLE);
    }

    async fn loaded(&self, published: &PublishedAgent) -> Result<Agent, Problem> {
        let key = (published.scope.clone(), published.version);
        let cell = {
            let mut loaded = lock(&self.loaded);
            let entry = loaded.entry(key).or_insert_with(|| Loaded { agent: Arc::default(), used: Instant::now() });
            entry.used = Instant::now();
            Arc::clone(&entry.agent)
        };
        let load = async {
            let functions = self.runtime.catalogue().component(published.component).await?;
            let functions = functions.ok_or_else(|| {
                tracing::error!(component = %published.component, "a component is missing");
                Problem::internal("the agent's component is missing from the store: publish the agent again")
            })?;
            let (scope, configuration) = (published.scope.clone(), published.configuration.clone());
            self.load(&AgentDefinition { scope, functions, configuration }).await
        };
        cell.get_or_try_init(|| load).await.cloned()
    }

    async fn load(&self, definition: &AgentDefinition) -> Result<Agent, Problem> {
        self.compiler.compile(&self.runtime, definition).await?;
        let agent = self.runtime.load_agent(definition.clone()).await?;
        // It is published, or is about to be, and is needed no more once it is compiled.
        agent.leave_component_to_catalogue();
        Ok(agent)
    }

    fn keep(&self, published: &PublishedAgent, agent: Agent) {
        let key = (published.scope.clone(), published.version);
        let loaded = Loaded { agent: Arc::new(OnceCell::new_with(Some(agent))), used: Instant::now() };
        lock(&self.loaded).insert(key, loaded);
        lock(&self.current).insert(published.scope.clone(), (Instant::now(), Some(published.clone())));
    }
}

fn unknown(Scope { account, project, environment }: &Scope) -> Problem {
    Problem::unknown_agent(format!(
        "there is no agent {account}/{project}/{environment}: publish one with PUT /v1/agents/{account}/{project}/\
         {environment}"
    ))
}

/// Locks. What is behind these locks is whole between any two statements.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
