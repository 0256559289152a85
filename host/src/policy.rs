//! The policy component, alone: what the host asks it outside of turns.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::component::{
    Component, ComponentExportIndex, ComponentNamedList, Instance, InstancePre, Lift, Linker, Lower,
};
use wasmtime::{Engine, Store};

use crate::bindings::{memory, policy};
use crate::code_cache::CodeCache;
use crate::component::{self, Interfaces, policy_interfaces};
use crate::engine::QUESTIONS;
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
    functions: Arc<Functions>,
}

/// A fresh instance of the policy, for one question, or for a few that belong together.
pub(crate) struct PolicyInstance {
    store: Store<()>,
    instance: Instance,
    functions: Arc<Functions>,
    questions: Arc<Semaphore>,
    /// Last, so that the place is given back after the instance is gone.
    _place: Option<OwnedSemaphorePermit>,
}

/// Where its functions are. What every conversation asks is found by itself: the generated bindings look up every function
/// of an interface, and compare the types of each.
struct Functions {
    identify: ComponentExportIndex,
    propose: ComponentExportIndex,
    settle: ComponentExportIndex,
    policy: policy::GuestIndices,
    memory: memory::GuestIndices,
}

impl Policy {
    /// Compiles a policy, or takes it from the cache.
    pub(crate) fn load(
        engine: &Engine,
        questions: &Arc<Semaphore>,
        bytes: &[u8],
        cache: Option<&CodeCache>,
    ) -> Result<Self, ComponentError> {
        Interfaces::read(bytes)?.check_policy()?;
        let compile = || {
            component::validate(bytes)?;
            Component::new(engine, bytes).map_err(|error| ComponentError::Uncompilable(format!("{error:#}")))
        };
        let component = match cache {
            Some(cache) => cache.component(engine, &[b"policy", bytes], compile)?.component,
            None => compile()?,
        };
        let wrong_type = |error: wasmtime::Error| ComponentError::WrongType(format!("{error:#}"));
        let instance = Linker::new(engine).instantiate_pre(&component).map_err(wrong_type)?;
        let functions = Functions::of(&component, &instance).map_err(wrong_type)?;

        // The types of exports are checked where they are taken from an instance.
        let mut store = Store::new(engine, ());
        store.set_epoch_deadline(NO_DEADLINE);
        let trial = instance.instantiate(&mut store).map_err(wrong_type)?;
        functions.policy.load(&mut store, &trial).map_err(wrong_type)?;
        functions.memory.load(&mut store, &trial).map_err(wrong_type)?;

        let (bytes, digest) = (bytes.into(), *blake3::hash(bytes).as_bytes());
        let (engine, questions) = (engine.clone(), Arc::clone(questions));
        Ok(Self { bytes, digest, engine, questions, instance, functions: Arc::new(functions) })
    }

    /// A fresh instance: nothing that one question brings is there for the next.
    pub(crate) async fn instance(&self) -> Result<PolicyInstance, PolicyFailure> {
        // The semaphore is never closed, so that every question gets its place in the end.
        let place = Arc::clone(&self.questions).acquire_owned().await.ok();
        let mut store = Store::new(&self.engine, ());
        store.set_epoch_deadline(NO_DEADLINE);
        let instance = self.instance.instantiate_async(&mut store).await?;
        let (functions, questions) = (Arc::clone(&self.functions), Arc::clone(&self.questions));
        Ok(PolicyInstance { store, instance, functions, questions, _place: place })
    }
}

impl PolicyInstance {
    /// Whose memory a conversation reads.
    pub(crate) async fn identify(
        &mut self,
        settings: &policy::Settings,
        caller: &policy::Caller,
        state: &[policy::StateEntry],
        now: i64,
    ) -> Result<Result<policy::Identified, policy::InputError>, PolicyFailure> {
        let identify = self.functions.identify;
        Ok(self.ask::<_, (Result<_, _>,)>(&identify, (settings, caller, state, now)).await?.0)
    }

    /// What a conversation's end is to write.
    pub(crate) async fn propose(&mut self, ending: &policy::Ending) -> Result<policy::Proposal, PolicyFailure> {
        let propose = self.functions.propose;
        Ok(self.ask::<_, (Result<_, policy::InputError>,)>(&propose, (ending,)).await?.0?)
    }

    /// The report, once the store has had its say.
    pub(crate) async fn settle(
        &mut self,
        draft: &policy::DraftReport,
        settlement: &policy::Settlement,
    ) -> Result<policy::Report, PolicyFailure> {
        let settle = self.functions.settle;
        Ok(self.ask::<_, (policy::Report,)>(&settle, (draft, settlement)).await?.0)
    }

    /// The instance, to be asked again after something has been waited for. None where others may soon need its place.
    pub(crate) fn kept(self) -> Option<Self> {
        (self.questions.available_permits() >= QUESTIONS as usize / 2).then_some(self)
    }

    /// All functions of the interface `policy`, and where to call them.
    pub(crate) fn policy(&mut self) -> Result<(policy::Guest, &mut Store<()>), PolicyFailure> {
        let guest = self.functions.policy.load(&mut self.store, &self.instance)?;
        Ok((guest, &mut self.store))
    }

    /// All functions of the interface `memory`, and where to call them.
    pub(crate) fn memory(&mut self) -> Result<(memory::Guest, &mut Store<()>), PolicyFailure> {
        let guest = self.functions.memory.load(&mut self.store, &self.instance)?;
        Ok((guest, &mut self.store))
    }

    async fn ask<P, R>(&mut self, function: &ComponentExportIndex, question: P) -> wasmtime::Result<R>
    where
        P: ComponentNamedList + Lower + Send + Sync,
        R: ComponentNamedList + Lift + Send + Sync + 'static,
    {
        let function = self.instance.get_typed_func::<P, R>(&mut self.store, function)?;
        function.call_async(&mut self.store, question).await
    }
}

impl Functions {
    fn of(component: &Component, instance: &InstancePre<()>) -> wasmtime::Result<Self> {
        let [.., policy] = policy_interfaces();
        let interface = component.get_export_index(None, &policy);
        let index = |function| {
            let function = interface.and_then(|interface| component.get_export_index(Some(&interface), function));
            function.ok_or_else(|| wasmtime::Error::msg("the contract's functions are not all there"))
        };
        Ok(Self {
            identify: index("identify")?,
            propose: index("propose")?,
            settle: index("settle")?,
            policy: policy::GuestIndices::new(instance)?,
            memory: memory::GuestIndices::new(instance)?,
        })
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
