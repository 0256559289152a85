//! The policy component, alone: what the host asks it outside of turns.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime::{Engine, Store};

use crate::bindings::{memory, policy};
use crate::code_cache::CodeCache;
use crate::component::Interfaces;
use crate::{ComponentError, PolicyFailure};

/// The policy that this crate was built with. `cargo xtask guests` builds it from `crates/policy`.
pub(crate) const BUILT_IN: &[u8] = include_bytes!("policy.wasm");

/// Ticks of the epoch that no call lasts for. The policy answers in microseconds and is trusted to.
const NO_DEADLINE: u64 = 1 << 40;

/// A compiled policy component.
pub(crate) struct Policy {
    /// The component itself, to be joined with functions.
    pub(crate) bytes: Arc<[u8]>,
    pub(crate) digest: [u8; 32],
    engine: Engine,
    /// One for each question that may be open at once.
    questions: Arc<Semaphore>,
    instance: InstancePre<()>,
    policy: policy::GuestIndices,
    memory: memory::GuestIndices,
}

/// A fresh instance of the policy, for one question.
pub(crate) struct PolicyInstance {
    pub(crate) store: Store<()>,
    pub(crate) policy: policy::Guest,
    pub(crate) memory: memory::Guest,
    /// Last, so that the place is given back after the instance is gone.
    _place: Option<OwnedSemaphorePermit>,
}

impl Policy {
    /// Compiles a policy, or takes it from the cache.
    pub(crate) fn load(
        engine: &Engine,
        questions: &Arc<Semaphore>,
        bytes: &[u8],
        cache: Option<&CodeCache>,
    ) -> Result<Self, ComponentError> {
        Interfaces::of(bytes)?.check_policy()?;
        let compile =
            || Component::new(engine, bytes).map_err(|error| ComponentError::Uncompilable(format!("{error:#}")));
        let component = match cache {
            Some(cache) => cache.component(engine, &[b"policy", bytes], compile)?.component,
            None => compile()?,
        };
        let wrong_type = |error: wasmtime::Error| ComponentError::WrongType(format!("{error:#}"));
        let instance = Linker::new(engine).instantiate_pre(&component).map_err(wrong_type)?;
        let policy = policy::GuestIndices::new(&instance).map_err(wrong_type)?;
        let memory = memory::GuestIndices::new(&instance).map_err(wrong_type)?;

        // The types of exports are checked where they are taken from an instance.
        let mut store = Store::new(engine, ());
        store.set_epoch_deadline(NO_DEADLINE);
        let trial = instance.instantiate(&mut store).map_err(wrong_type)?;
        policy.load(&mut store, &trial).map_err(wrong_type)?;
        memory.load(&mut store, &trial).map_err(wrong_type)?;

        let (bytes, digest) = (bytes.into(), *blake3::hash(bytes).as_bytes());
        let (engine, questions) = (engine.clone(), Arc::clone(questions));
        Ok(Self { bytes, digest, engine, questions, instance, policy, memory })
    }

    /// A fresh instance: nothing that one question brings is there for the next.
    pub(crate) async fn instance(&self) -> Result<PolicyInstance, PolicyFailure> {
        // The semaphore is never closed, so that every question gets its place in the end.
        let place = Arc::clone(&self.questions).acquire_owned().await.ok();
        let mut store = Store::new(&self.engine, ());
        store.set_epoch_deadline(NO_DEADLINE);
        let instance = self.instance.instantiate_async(&mut store).await?;
        let policy = self.policy.load(&mut store, &instance)?;
        let memory = self.memory.load(&mut store, &instance)?;
        Ok(PolicyInstance { store, policy, memory, _place: place })
    }
}

impl From<wasmtime::Error> for PolicyFailure {
    fn from(error: wasmtime::Error) -> Self {
        Self(format!("{error:#}"))
    }
}

impl From<policy::InputError> for PolicyFailure {
    fn from(error: policy::InputError) -> Self {
        Self(match error {
            policy::InputError::Settings => "it does not know its own settings".into(),
            policy::InputError::State(problem) => problem,
            policy::InputError::IntegrationAttributes => "integration attributes have to be a JSON object".into(),
            policy::InputError::OutOfOrder => "a turn was framed twice".into(),
        })
    }
}
