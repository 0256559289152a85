//! The runtime: what all agents share.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use agent_memory_keys::Keys;
use agent_memory_store::{AgentKey, Backend, Sealed, StoreError};
use futures::future::join_all;
use jiff::Timestamp;
use tokio::sync::Semaphore;
use wasmtime::Engine;

use crate::agent::{self, AgentState};
use crate::code_cache::CodeCache;
use crate::codec::Codec;
use crate::places::{Place, Places};
use crate::policy::{self, Policy};
use crate::sandbox::Environment;
#[cfg(unix)]
use crate::workers::Pool;
use crate::workers::WorkerOptions;
use crate::{
    Administration, Agent, AgentDefinition, BuildError, Busy, Catalogue, Clock, ComponentError, ConfigurationWarning,
    Limits, LoadError, Requests, Scope, Session, SystemClock,
};

/// Runs agents over a store. Cheap to clone: clones share everything.
#[derive(Clone)]
pub struct Runtime {
    pub(crate) shared: Arc<Shared>,
}

/// Sets up a [`Runtime`]. See [`Runtime::builder`].
pub struct RuntimeBuilder {
    store: Arc<dyn Backend>,
    keys: Keys,
    clock: Arc<dyn Clock>,
    limits: Limits,
    code_cache: Option<PathBuf>,
    requests: Option<Arc<dyn Requests>>,
    memory_failure: MemoryFailure,
    policy: Option<Vec<u8>>,
    workers: Option<WorkerOptions>,
}

/// What happens when a caller's memory cannot be read (rule M5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MemoryFailure {
    /// The function is not called, and the caller of the turn gets a typed error.
    #[default]
    FailTurn,
    /// The turn runs with empty memory, and its result says so. If it is the conversation's first read that fails, it is not
    /// known which erasures came before: of a caller of whom an erasure is remembered, nothing is written then (E3).
    EmptyMemory,
}

/// What all agents and conversations of a runtime share.
pub(crate) struct Shared {
    pub(crate) engine: Engine,
    pub(crate) store: Arc<dyn Backend>,
    pub(crate) codec: Codec,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) environment: Arc<Environment>,
    pub(crate) memory_failure: MemoryFailure,
    pub(crate) code_cache: Option<CodeCache>,
    #[cfg(unix)]
    pub(crate) workers: Option<Arc<Pool>>,
    /// One for each turn that may run at once.
    pub(crate) places: Arc<Places>,
    /// One for each question to a policy that may be open at once.
    questions: Arc<Semaphore>,
    policy: Mutex<Arc<Policy>>,
    agents: Mutex<Vec<Weak<AgentState>>>,
}

impl Runtime {
    /// Begins to set up a runtime over a store.
    ///
    /// Everything in the store is sealed by `keys`, but for keys of fields, full hours and components. A store is
    /// used with the same keys for ever.
    pub fn builder(store: Arc<dyn Backend>, keys: Keys) -> RuntimeBuilder {
        RuntimeBuilder {
            store,
            keys,
            clock: Arc::new(SystemClock),
            limits: Limits::default(),
            code_cache: None,
            requests: None,
            memory_failure: MemoryFailure::default(),
            policy: None,
            workers: None,
        }
    }

    /// Loads an agent: checks its component and its configuration, joins it with the policy and compiles it.
    ///
    /// # Errors
    /// If the component cannot be used, or the configuration has mistakes: all of them are listed. Or if too many turns are
    /// running for the functions to be asked what they are.
    pub async fn load_agent(&self, definition: AgentDefinition) -> Result<Agent, LoadError> {
        let agent = Agent::load(Arc::clone(&self.shared), definition).await?;
        let mut agents = lock(&self.shared.agents);
        agents.retain(|agent| agent.strong_count() > 0);
        agents.push(Arc::downgrade(&agent.state));
        Ok(agent)
    }

    /// Whether a component is compiled already, as part of an agent: its code is in the
    /// [folder for compiled code](RuntimeBuilder::code_cache) and whole, so that to load the agent compiles nothing.
    /// It need not say that an agent can be made of the component.
    pub async fn is_compiled(&self, functions: Vec<u8>) -> bool {
        let shared = Arc::clone(&self.shared);
        let look = move || Ok(agent::is_compiled(&shared, &shared.policy(), &functions));
        blocking(look).await.unwrap_or(false)
    }

    /// Checks a configuration without any functions, and tells what looks wrong in it.
    ///
    /// # Errors
    /// [`LoadError::Configuration`] if it has mistakes: all of them are listed (rule C6).
    pub async fn check_configuration(&self, configuration: &str) -> Result<Vec<ConfigurationWarning>, LoadError> {
        agent::check_configuration(&self.shared, configuration).await
    }

    /// Goes on with a conversation whose session is in the store: the session says by which
    /// [version](Session::version) of the agent. None: no session is stored.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn session(&self, scope: &Scope, conversation: &str) -> Result<Option<Session>, StoreError> {
        self.shared.session(self.shared.codec.conversation_key(scope, conversation)).await
    }

    /// The agents that the store keeps.
    pub fn catalogue(&self) -> Catalogue {
        Catalogue::new(Arc::clone(&self.shared))
    }

    /// Reads, exports and erases what is stored, and counts it.
    pub fn administration(&self) -> Administration {
        Administration::new(Arc::clone(&self.shared))
    }

    /// How many worker processes were started in place of one that had ended.
    pub fn worker_restarts(&self) -> u64 {
        #[cfg(unix)]
        return self.shared.workers.as_ref().map_or(0, |workers| workers.restarts());
        #[cfg(not(unix))]
        0
    }

    /// Takes another policy component into use, without a pause: every agent is compiled with it in the background
    /// and serves conversations with the old one meanwhile. Running conversations keep the one they began with
    /// (rule C7). Returns when all agents have changed over.
    ///
    /// # Errors
    /// If the component is no policy, or an agent cannot be loaded with it, or not be read from the
    /// [catalogue](Agent::leave_component_to_catalogue). Such an agent keeps the old one.
    pub async fn replace_policy(&self, policy: Vec<u8>) -> Result<(), LoadError> {
        let shared = Arc::clone(&self.shared);
        let load = move || Policy::load(&shared.engine, &shared.questions, &policy, shared.code_cache.as_ref());
        let loaded = Arc::new(blocking(load).await?);
        *lock(&self.shared.policy) = Arc::clone(&loaded);
        let agents: Vec<_> = lock(&self.shared.agents).iter().filter_map(Weak::upgrade).collect();
        let changes = agents.iter().map(|agent| agent.change_policy(Arc::clone(&loaded)));
        join_all(changes).await.into_iter().collect()
    }
}

impl RuntimeBuilder {
    /// Where time comes from. Default: the machine's clock.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// What turns may use.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// A folder for compiled code, so that an agent is compiled once and not at every start. It is made if it is not
    /// there, and must be writable by nobody who should not decide which code runs here. Default: none.
    pub fn code_cache(mut self, folder: impl Into<PathBuf>) -> Self {
        self.code_cache = Some(folder.into());
        self
    }

    /// Who answers what functions ask the platform for. Default: nobody, which functions are told.
    pub fn requests(mut self, requests: Arc<dyn Requests>) -> Self {
        self.requests = Some(requests);
        self
    }

    /// What happens when a caller's memory cannot be read (rule M5). Default: the turn fails.
    pub fn memory_failure(mut self, choice: MemoryFailure) -> Self {
        self.memory_failure = choice;
        self
    }

    /// Another policy component than the one that this crate was built with.
    pub fn policy(mut self, component: Vec<u8>) -> Self {
        self.policy = Some(component);
        self
    }

    /// Runs turns in [worker processes](crate::workers). Default: none, turns run in this process.
    pub fn workers(mut self, options: WorkerOptions) -> Self {
        self.workers = Some(options);
        self
    }

    /// Sets the runtime up. It has to be used within a tokio runtime that has time enabled.
    ///
    /// # Errors
    /// If the store cannot be reached or was used with other keys, the machine cannot give what the limits ask for,
    /// workers cannot be started, or the folder for compiled code cannot be used.
    pub async fn build(self) -> Result<Runtime, BuildError> {
        claim(&*self.store, &self.keys).await?;
        let engine = crate::engine::engine(&self.limits)?;
        let code_cache = self.code_cache.map(CodeCache::open).transpose()?;
        let component = self.policy.as_deref().unwrap_or(policy::BUILT_IN);
        let questions = Arc::new(Semaphore::new(crate::engine::QUESTIONS as usize));
        let policy = Policy::load(&engine, &questions, component, code_cache.as_ref()).map_err(BuildError::Policy)?;
        #[cfg(unix)]
        let workers = match self.workers {
            Some(options) => Some(Arc::new(Pool::start(options, self.limits.clone()).await?)),
            None => None,
        };
        #[cfg(not(unix))]
        if self.workers.is_some() {
            return Err(BuildError::Workers("they need a Unix".into()));
        }
        let places = Places::new(self.limits.concurrent_turns);
        let shared = Shared {
            engine,
            store: self.store,
            codec: Codec::new(self.keys),
            clock: self.clock,
            environment: Arc::new(Environment { limits: self.limits, requests: self.requests }),
            memory_failure: self.memory_failure,
            code_cache,
            #[cfg(unix)]
            workers,
            places,
            questions,
            policy: Mutex::new(Arc::new(policy)),
            agents: Mutex::default(),
        };
        Ok(Runtime { shared: Arc::new(shared) })
    }
}

impl Shared {
    /// The policy that new versions of agents are joined with.
    pub(crate) fn policy(&self) -> Arc<Policy> {
        Arc::clone(&lock(&self.policy))
    }

    /// A place for a turn of an agent, if there is one before it has waited too long.
    pub(crate) async fn place(&self, agent: AgentKey, longest_wait: Duration) -> Result<Place, Busy> {
        let place = tokio::time::timeout(longest_wait, self.places.take(agent)).await;
        place.map_err(|_| Busy { longest_wait })
    }

    /// The time.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// Learns whether a store belongs to these keys. With other keys every caller would be a stranger.
async fn claim(store: &dyn Backend, keys: &Keys) -> Result<(), BuildError> {
    let Sealed(claimed) = store.claim(Sealed(keys.identification().to_vec())).await?;
    if claimed == keys.identification() {
        Ok(())
    } else if claimed.is_empty() {
        Err(BuildError::KeylessStore)
    } else if claimed == Keys::plaintext().identification() {
        Err(BuildError::PlaintextStore)
    } else if keys.is_plaintext() {
        Err(BuildError::SealedStore)
    } else {
        Err(BuildError::OtherKeys)
    }
}

/// Does what takes long, such as compiling, on a thread of its own.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ComponentError> + Send + 'static,
) -> Result<T, ComponentError> {
    let failed = |_| Err(ComponentError::Uncompilable("the compiler failed; please report this component".into()));
    tokio::task::spawn_blocking(work).await.unwrap_or_else(failed)
}

/// Locks. What is behind these locks is replaced as a whole, so that a panic elsewhere leaves it whole.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
