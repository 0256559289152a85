//! Agents: functions with a configuration, in one or more versions.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use agent_memory_store::{AgentKey, KeptCaller};
use bytes::Bytes;
use serde::Serialize;

use crate::bindings::{functions, policy as wit};
use crate::code_cache::Code;
use crate::component::{self, Interfaces};
use crate::policy::Policy;
use crate::runner::Runner;
use crate::runtime::{Shared, blocking, lock};
use crate::session::VersionKey;
use crate::{
    AdministrationError, Catalogue, ComponentError, ComponentId, Conversation, Json, LoadError, MemoryPatch,
    NewConversation, Patched, ResumeError, Scope, Session, StartError, Started, VersionId,
};

/// The functions that run by themselves.
pub(crate) const START_FUNCTION: &str = "start_function";
pub(crate) const END_FUNCTION: &str = "end_function";

/// A loaded agent. Cheap to clone: clones share everything.
#[derive(Clone)]
pub struct Agent {
    pub(crate) state: Arc<AgentState>,
}

/// What an agent is made of.
#[derive(Clone, Debug)]
pub struct AgentDefinition {
    /// Whose agent it is.
    pub scope: Scope,
    /// The functions component.
    pub functions: Vec<u8>,
    /// The configuration, a JSON text. `{}` has no memory (rule C5).
    pub configuration: String,
}

/// A mistake in a configuration (rule C6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{path}: found {found}; {allowed}")]
pub struct ConfigurationError {
    /// Where: a path such as `memory.repeat_caller.state_keys[2]`.
    pub path: String,
    /// What was found there.
    pub found: String,
    /// What is allowed there, and what to do.
    pub allowed: String,
}

/// Something in a configuration that is allowed and yet looks wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConfigurationWarning {
    /// Where.
    pub path: String,
    /// What is odd about it, and what to do.
    pub message: String,
}

/// A function, as its component describes it.
#[derive(Clone, Debug, Serialize)]
pub struct FunctionDescription {
    /// Its name.
    pub name: String,
    /// What it is for, in words for a language model. May be empty.
    pub description: String,
    /// Its parameters: a JSON Schema of type `object`.
    pub parameters: Json,
    /// What else its author declared: an object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Json>,
}

/// What all clones of an agent share.
pub(crate) struct AgentState {
    pub(crate) shared: Arc<Shared>,
    pub(crate) scope: Scope,
    versions: Mutex<Versions>,
}

struct Versions {
    /// Every version that was loaded, the current one last. Running conversations need the older ones (rule C7).
    loaded: Vec<Arc<Version>>,
    /// What the current one is made from, so that it can be joined with another policy.
    source: Arc<Source>,
}

/// One version of an agent: nothing in it ever changes.
pub(crate) struct Version {
    /// Whose version it is.
    pub(crate) agent: AgentKey,
    pub(crate) key: VersionKey,
    pub(crate) policy: Arc<Policy>,
    pub(crate) runner: Runner,
    pub(crate) configured: wit::Configured,
    pub(crate) functions: Arc<[FunctionDescription]>,
}

/// What a version is made from.
struct Source {
    functions: Component,
    configuration: Arc<str>,
}

/// A component's bytes, or where they are.
enum Component {
    Here(Bytes),
    InCatalogue(ComponentId),
}

impl Agent {
    pub(crate) async fn load(shared: Arc<Shared>, definition: AgentDefinition) -> Result<Self, LoadError> {
        let AgentDefinition { scope, functions, configuration } = definition;
        let source = Source { functions: Component::Here(functions.into()), configuration: configuration.into() };
        let longest_wait = shared.environment.limits.longest_wait;
        let version = Version::load(&shared, &scope, shared.policy(), &source, longest_wait).await?;
        let versions = Mutex::new(Versions { loaded: vec![Arc::new(version)], source: Arc::new(source) });
        Ok(Self { state: Arc::new(AgentState { shared, scope, versions }) })
    }

    /// Replaces the agent's functions and configuration. Conversations that begin from now on have the new ones;
    /// running ones keep what they began with (rule C7).
    ///
    /// # Errors
    /// As [`Runtime::load_agent`](crate::Runtime::load_agent); the agent stays as it was then.
    pub async fn replace(&self, functions: Vec<u8>, configuration: String) -> Result<(), LoadError> {
        let source = Source { functions: Component::Here(functions.into()), configuration: configuration.into() };
        let AgentState { shared, scope, versions } = &*self.state;
        let longest_wait = shared.environment.limits.longest_wait;
        let version = Version::load(shared, scope, shared.policy(), &source, longest_wait).await?;
        let mut versions = lock(versions);
        versions.add(version);
        versions.source = Arc::new(source);
        Ok(())
    }

    /// Lets go of the component's bytes, which may be many. They are needed once more if the policy is
    /// [replaced](crate::Runtime::replace_policy), and are read from the [catalogue](crate::Catalogue) then: only an agent
    /// that is published there can do without them.
    pub fn leave_component_to_catalogue(&self) {
        let mut versions = lock(&self.state.versions);
        let functions = Component::InCatalogue(ComponentId::new(versions.current().key.functions));
        let configuration = Arc::clone(&versions.source.configuration);
        versions.source = Arc::new(Source { functions, configuration });
    }

    /// All functions, `start_function` and `end_function` included.
    pub fn functions(&self) -> Arc<[FunctionDescription]> {
        Arc::clone(&self.state.current().functions)
    }

    /// The keys that may be remembered, in the configuration's order.
    pub fn state_keys(&self) -> Vec<String> {
        self.state.current().configured.state_keys.clone()
    }

    /// What looks wrong in the configuration.
    pub fn configuration_warnings(&self) -> Vec<ConfigurationWarning> {
        warnings(self.state.current().configured.warnings.clone())
    }

    /// Starts a conversation, and runs `start_function` where there is one.
    ///
    /// # Errors
    /// If the id was used before, what is given of the conversation cannot be used, the store cannot be read, or
    /// `start_function` would have to wait for too long.
    pub async fn start(&self, conversation: NewConversation) -> Result<Started, StartError> {
        Conversation::start(Arc::clone(&self.state), conversation).await
    }

    /// The version that conversations begin with.
    pub fn version(&self) -> VersionId {
        self.state.current().key.id()
    }

    /// Puts fields into a caller's memory, by the rules that hold for functions, all of them or none. Nothing is
    /// written if one of them may not be: the report says of each what becomes of it, or why nothing does.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn patch(&self, patch: MemoryPatch) -> Result<Patched, AdministrationError> {
        self.state.patch(patch).await
    }

    /// What a store keeps of a caller who has these fields and nothing else, by the rules that hold for functions: for
    /// [`restore`](agent_memory_store::Transfer::restore), which puts many callers into a store at once. It takes the place
    /// of all that the store holds on the caller, and remembers no commit: it is for filling a store, and
    /// [`patch`](Agent::patch) for everything else.
    ///
    /// None if the identifier is none, or one of the fields may not be written.
    ///
    /// # Errors
    /// If the policy component fails.
    pub async fn kept_caller(&self, patch: MemoryPatch) -> Result<Option<KeptCaller>, AdministrationError> {
        self.state.kept_caller(patch).await
    }

    /// Goes on with a session that the embedder has kept.
    ///
    /// # Errors
    /// If the session belongs to another agent, or to a version of it that is not loaded: load that version first,
    /// then [`replace`](Agent::replace) it.
    pub fn resume(&self, session: Session) -> Result<Conversation, ResumeError> {
        Conversation::resume(Arc::clone(&self.state), session)
    }

    /// Goes on with a conversation whose session is in the store.
    ///
    /// # Errors
    /// If there is none, or as [`resume`](Agent::resume).
    pub async fn open(&self, conversation: &str) -> Result<Conversation, ResumeError> {
        Conversation::open(Arc::clone(&self.state), conversation).await
    }
}

impl AgentState {
    /// The version that conversations begin with.
    pub(crate) fn current(&self) -> Arc<Version> {
        Arc::clone(lock(&self.versions).current())
    }

    /// The version that a session began with. If only the policy has changed since it was saved, as after an
    /// upgrade of this crate, the newer one serves.
    pub(crate) fn version(&self, key: VersionKey) -> Option<Arc<Version>> {
        let versions = &lock(&self.versions).loaded;
        let same = |version: &&Arc<Version>| {
            version.key.functions == key.functions && version.key.configuration == key.configuration
        };
        let exact = versions.iter().find(|version| version.key == key);
        exact.or_else(|| versions.iter().rev().find(same)).cloned()
    }

    /// Joins the current functions with another policy.
    pub(crate) async fn change_policy(&self, policy: Arc<Policy>) -> Result<(), LoadError> {
        loop {
            let source = Arc::clone(&lock(&self.versions).source);
            // Nobody waits for it: it has the time that it needs.
            let version = Version::load(&self.shared, &self.scope, Arc::clone(&policy), &source, Duration::MAX).await?;
            let mut versions = lock(&self.versions);
            // Otherwise the agent was replaced meanwhile.
            if Arc::ptr_eq(&versions.source, &source) {
                versions.add(version);
                return Ok(());
            }
        }
    }
}

impl Versions {
    fn current(&self) -> &Arc<Version> {
        #[allow(clippy::expect_used, reason = "an agent is made with a version, and none is ever taken away")]
        self.loaded.last().expect("an agent has a version")
    }

    /// Takes a version into use.
    fn add(&mut self, version: Version) {
        self.loaded.retain(|other| other.key != version.key);
        self.loaded.push(Arc::new(version));
    }
}

impl Version {
    async fn load(
        shared: &Arc<Shared>,
        scope: &Scope,
        policy: Arc<Policy>,
        source: &Source,
        longest_wait: Duration,
    ) -> Result<Self, LoadError> {
        let agent = shared.codec.agent_key(scope);
        let (program_shared, program_policy) = (Arc::clone(shared), Arc::clone(&policy));
        let bytes = match &source.functions {
            Component::Here(bytes) => bytes.clone(),
            Component::InCatalogue(id) => {
                let bytes = Catalogue::new(Arc::clone(shared)).component(*id).await?;
                bytes.ok_or(LoadError::NotInCatalogue(*id))?.into()
            }
        };
        let compile = move || {
            let digest = *blake3::hash(&bytes).as_bytes();
            Ok((compile(&program_shared, &program_policy, &bytes, &digest)?, digest))
        };
        let (runner, digest) = blocking(compile).await?;
        let configured = configure(shared, &policy, &source.configuration).await?;
        let functions = runner.describe(&shared.environment, shared.place(agent, longest_wait).await?).await?;
        let functions: Vec<_> = functions.into_iter().map(FunctionDescription::read).collect::<Result<_, _>>()?;
        let mut names: Vec<_> = functions.iter().map(|function| function.name.as_str()).collect();
        names.sort_unstable();
        if let Some([name, _]) = names.array_windows().find(|[a, b]| a == b) {
            return Err(ComponentError::DuplicateFunction((*name).to_owned()).into());
        }
        let key = VersionKey {
            functions: digest,
            configuration: *blake3::hash(source.configuration.as_bytes()).as_bytes(),
            policy: policy.digest,
        };
        Ok(Self { agent, key, policy, runner, configured, functions: functions.into() })
    }

    /// Whether there is a function of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.functions.iter().any(|function| function.name == name)
    }

    /// The functions that can be called by name.
    pub(crate) fn callable(&self) -> impl Iterator<Item = &str> {
        let names = self.functions.iter().map(|function| function.name.as_str());
        names.filter(|name| ![START_FUNCTION, END_FUNCTION].contains(name))
    }

    /// The function that can be called by this name, each part of which may also be spelt as JavaScript does: `bookTable`
    /// is `book_table`, and `pickup_flow.confirmOrder` is `pickup_flow.confirm_order`.
    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        let exact = self.callable().find(|callable| *callable == name);
        exact.or_else(|| self.callable().find(|callable| is_respelt(name, callable)))
    }
}

/// Whether a name is that of a function, but for parts in camelCase.
fn is_respelt(name: &str, function: &str) -> bool {
    let mut parts = function.split('.');
    name.split('.').all(|part| parts.next().is_some_and(|own| own == part || own == snake_case(part)))
        && parts.next().is_none()
}

/// A name as the contract spells it: what the SDK for JavaScript makes of `bookTable` and `parseURLNow`.
fn snake_case(name: &str) -> String {
    let mut snake_case = String::with_capacity(name.len() + 4);
    let mut letters = name.chars().peekable();
    let mut before = None;
    while let Some(letter) = letters.next() {
        let begins_word = letter.is_ascii_uppercase()
            && before.is_some_and(|before: char| {
                let ends_capitals = letters.peek().is_some_and(char::is_ascii_lowercase);
                before.is_ascii_lowercase() || before.is_ascii_digit() || (before.is_ascii_uppercase() && ends_capitals)
            });
        if begins_word {
            snake_case.push('_');
        }
        snake_case.extend(letter.to_lowercase());
        before = Some(letter);
    }
    snake_case
}

fn compile(shared: &Shared, policy: &Policy, functions: &[u8], digest: &[u8; 32]) -> Result<Runner, ComponentError> {
    let interfaces = Interfaces::read(functions)?;
    let compile = || {
        component::validate(functions)?;
        interfaces.check_functions()?;
        let joined = crate::join::join(functions, &policy.bytes)?;
        wasmtime::component::Component::new(&shared.engine, joined)
            .map_err(|error| ComponentError::Uncompilable(format!("{error:#}")))
    };
    let code = match &shared.code_cache {
        Some(cache) => cache.component(&shared.engine, &code_key(digest, policy), compile)?,
        None => Code { component: compile()?, file: None },
    };
    // Code may have been kept by an earlier version, which provided more.
    interfaces.check_functions()?;
    crate::engine::check_size(&code.component, &shared.environment.limits)?;
    Runner::new(shared, code, interfaces.imports_wasi())
}

/// Whether [`compile`] would find the code of these functions compiled.
pub(crate) fn is_compiled(shared: &Shared, policy: &Policy, functions: &[u8]) -> bool {
    let digest = blake3::hash(functions);
    let cache = shared.code_cache.as_ref();
    cache.is_some_and(|cache| cache.has(&shared.engine, &code_key(digest.as_bytes(), policy)))
}

/// What determines the code of functions, given by their digest, that are joined with a policy.
fn code_key<'a>(functions: &'a [u8; 32], policy: &'a Policy) -> [&'a [u8]; 3] {
    [b"joined", functions, &policy.digest]
}

/// What looks wrong in a configuration that has no mistakes.
pub(crate) async fn check_configuration(
    shared: &Shared,
    configuration: &str,
) -> Result<Vec<ConfigurationWarning>, LoadError> {
    Ok(warnings(configure(shared, &shared.policy(), configuration).await?.warnings))
}

fn warnings(warnings: Vec<wit::ConfigurationWarning>) -> Vec<ConfigurationWarning> {
    let read = |wit::ConfigurationWarning { path, message }| ConfigurationWarning { path, message };
    warnings.into_iter().map(read).collect()
}

async fn configure(shared: &Shared, policy: &Policy, configuration: &str) -> Result<wit::Configured, LoadError> {
    let limits = &shared.environment.limits;
    let limits = wit::Limits {
        key_bytes: limits.key_bytes,
        value_bytes: limits.value_bytes,
        state_keys: limits.state_keys,
        state_bytes: limits.state_bytes,
    };
    let mut instance = policy.instance().await?;
    let (policy, store) = instance.policy()?;
    let configured = policy.call_configure(store, configuration, limits).await;
    configured.map_err(crate::PolicyFailure::from)?.map_err(|errors| {
        let read = |wit::ConfigurationError { path, found, allowed }| ConfigurationError { path, found, allowed };
        LoadError::Configuration(errors.into_iter().map(read).collect())
    })
}

impl FunctionDescription {
    /// Reads what a component says of a function.
    pub(crate) fn read(function: functions::Function) -> Result<Self, ComponentError> {
        let functions::Function { name, description, parameters, annotations } = function;
        let object = |text: String| match Json::parse(text) {
            Ok(json) if json.is_object() => Ok(json),
            Ok(_) => Err("it is no object".to_owned()),
            Err(error) => Err(error.to_string()),
        };
        let parsed = object(parameters).and_then(|parameters| Ok((parameters, annotations.map(object).transpose()?)));
        match parsed {
            Ok((parameters, annotations)) => Ok(Self { name, description, parameters, annotations }),
            Err(problem) => Err(ComponentError::BadParameters { function: name, problem }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_be_spelt_in_camel_case_part_by_part() {
        for (name, function) in [
            ("bookTable", "book_table"),
            ("book_table", "book_table"),
            ("parseURLNow", "parse_url_now"),
            ("bookTable2Go", "book_table2_go"),
            ("aB", "a_b"),
            // As its author may have called it.
            ("book_Table", "book_table"),
            ("pickup_flow.confirmOrder", "pickup_flow.confirm_order"),
            ("pickupFlow.confirm_order", "pickup_flow.confirm_order"),
            ("pickupFlow.confirmOrder", "pickup_flow.confirm_order"),
            ("PickupFlow.confirmOrder", "PickupFlow.confirm_order"),
        ] {
            assert!(is_respelt(name, function), "{name}");
        }
        for (name, function) in [
            ("aB", "ab"),
            ("booktable", "book_table"),
            ("book_table", "booktable"),
            ("confirmOrder", "pickup_flow.confirm_order"),
            ("pickup_flow.confirmOrder", "confirm_order"),
            ("pickup_flow", "pickup_flow.confirm_order"),
            ("pickupFlow_confirmOrder", "pickup_flow.confirm_order"),
        ] {
            assert!(!is_respelt(name, function), "{name}");
        }
    }
}
