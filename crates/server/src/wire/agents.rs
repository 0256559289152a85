//! Agents on the wire.

use agent_memory_host::{Agent, ConfigurationWarning, FunctionDescription, Json, PublishedAgent, Scope};
use serde::Serialize;
use utoipa::ToSchema;

/// An agent, in the version that conversations begin with.
#[derive(Serialize, ToSchema)]
pub(crate) struct AgentAnswer {
    /// Its account.
    account: String,
    /// Its project.
    project: String,
    /// Its environment.
    environment: String,
    /// The version, which changes with its functions and its configuration.
    version: String,
    /// The component of its functions, by digest: it can be named in place of sending it again.
    component: String,
    /// What may be remembered.
    state_keys: Vec<String>,
    /// Its functions, `start_function` and `end_function` included.
    functions: Vec<FunctionAnswer>,
    /// What looks wrong in the configuration.
    #[schema(value_type = Vec<WarningAnswer>)]
    warnings: Vec<ConfigurationWarning>,
}

/// All agents that the token may see.
#[derive(Serialize, ToSchema)]
pub(crate) struct AgentList {
    /// The agents, by account, project and environment.
    pub(crate) agents: Vec<AgentSummary>,
}

/// An agent in a list.
#[derive(Serialize, ToSchema)]
pub(crate) struct AgentSummary {
    /// Its account.
    account: String,
    /// Its project.
    project: String,
    /// Its environment.
    environment: String,
    /// The version that conversations begin with.
    version: String,
    /// The component of its functions, by digest.
    component: String,
}

/// A function.
#[derive(Serialize, ToSchema)]
pub(crate) struct FunctionAnswer {
    /// Its name.
    name: String,
    /// What it is for, in words for a language model.
    description: String,
    /// Its parameters, as a JSON Schema.
    #[schema(value_type = Object)]
    parameters: Json,
    /// What else its author declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    annotations: Option<Json>,
}

/// A function that can be called, in the form in which language models are given tools.
#[derive(Serialize, ToSchema)]
pub(crate) struct ToolAnswer {
    /// Always `function`.
    r#type: &'static str,
    /// The function.
    function: ToolFunction,
}

/// The function of a tool.
#[derive(Serialize, ToSchema)]
struct ToolFunction {
    /// Its name.
    name: String,
    /// What it is for.
    description: String,
    /// Its parameters, as a JSON Schema.
    #[schema(value_type = Object)]
    parameters: Json,
}

/// Something in a configuration that is allowed and yet looks wrong.
#[derive(ToSchema)]
#[allow(dead_code, reason = "the schema of the host's own type")]
struct WarningAnswer {
    /// Where.
    path: String,
    /// What is odd about it, and what to do.
    message: String,
}

impl AgentAnswer {
    pub(crate) fn new(published: PublishedAgent, agent: &Agent) -> Self {
        let Scope { account, project, environment } = published.scope;
        Self {
            account,
            project,
            environment,
            version: published.version.to_string(),
            component: published.component.to_string(),
            state_keys: agent.state_keys(),
            functions: agent.functions().iter().cloned().map(FunctionAnswer::from).collect(),
            warnings: agent.configuration_warnings(),
        }
    }
}

impl From<PublishedAgent> for AgentSummary {
    fn from(published: PublishedAgent) -> Self {
        let Scope { account, project, environment } = published.scope;
        let (version, component) = (published.version.to_string(), published.component.to_string());
        Self { account, project, environment, version, component }
    }
}

impl From<FunctionDescription> for FunctionAnswer {
    fn from(function: FunctionDescription) -> Self {
        let FunctionDescription { name, description, parameters, annotations, .. } = function;
        Self { name, description, parameters, annotations }
    }
}

impl ToolAnswer {
    /// The function as a tool. None for those that run by themselves.
    pub(crate) fn of(function: &FunctionDescription) -> Option<Self> {
        let FunctionDescription { name, description, parameters, .. } = function.clone();
        let runs_by_itself = ["start_function", "end_function"].contains(&name.as_str());
        (!runs_by_itself)
            .then_some(Self { r#type: "function", function: ToolFunction { name, description, parameters } })
    }
}
