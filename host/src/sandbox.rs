//! One turn in a fresh sandbox: a value in, a value out.
//!
//! Nothing but a [`TurnRequest`] goes in and nothing but a [`TurnResult`] comes out, the platform's answers to
//! `conversation.request` aside. So a turn may as well run in another process: see
//! [`workers`](crate::workers). The sandbox is gone when the turn
//! is over, and with it all that was in its memory.

mod calls;
mod conversation;
pub(crate) mod deadline;
mod limiter;
mod stop;
mod wasi;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use agent_memory_store::Timestamp;
use serde::{Deserialize, Serialize};
use wasmtime::component::{Component, HasSelf, Instance, InstancePre, Linker};
use wasmtime::{Engine, Store, UpdateDeadline};

use crate::bindings::{agent, functions, policy};
use crate::places::Place;
use crate::session::{Facts, MetricEvent};
use crate::turn::{Action, LogEntry, TurnOutcome};
use crate::{ComponentError, Handoff, Limits, PolicyFailure, Requests, overrun};
use calls::Calls;
use conversation::Effects;
use deadline::Deadline;
use limiter::MemoryLimiter;
use stop::Stopping;
use wasi::Wasi;

/// How much the policy may hand over when a turn is finished: a state within its limits always fits.
const POLICY_FUEL: usize = 64 << 20;

/// How many things of the host's, such as streams, a turn may hold at once. Language runtimes hold a few.
const HANDLES: usize = 1_000;

/// Functions joined with the policy, ready to run.
pub(crate) struct Program {
    engine: Engine,
    instance: InstancePre<Sandbox>,
    calls: Calls,
    functions: functions::GuestIndices,
    /// Whether a function can wait without computing, as WASI lets it.
    can_wait: bool,
}

/// What is the same for every turn of a runtime.
pub(crate) struct Environment {
    pub(crate) limits: Limits,
    pub(crate) requests: Option<Arc<dyn Requests>>,
}

/// All that a turn needs.
#[derive(Serialize, Deserialize)]
pub(crate) struct TurnRequest {
    pub(crate) function: String,
    /// An object.
    pub(crate) arguments: String,
    pub(crate) facts: Arc<Facts>,
    pub(crate) metric_events: Vec<MetricEvent>,
    /// What the policy needs: the state, and the caller's fields.
    pub(crate) turn: policy::Turn,
    /// The time since 1970 that the sandbox's wall clock shows for the whole turn.
    pub(crate) wall_clock: Duration,
}

/// All that a turn leaves.
#[derive(Serialize, Deserialize)]
pub(crate) struct TurnResult {
    pub(crate) outcome: TurnOutcome,
    pub(crate) say: Vec<String>,
    pub(crate) actions: Vec<Action>,
    pub(crate) logs: Vec<LogEntry>,
    pub(crate) metric_events: Vec<MetricEvent>,
    pub(crate) requested_handoff: Option<Handoff>,
    pub(crate) state: Vec<policy::StateEntry>,
    /// When the session is to be deleted if nothing happens until then. None if the turn never began.
    pub(crate) session_expires: Option<Timestamp>,
}

/// What the host keeps for one sandbox.
pub(crate) struct Sandbox {
    facts: Arc<Facts>,
    effects: Effects,
    requests: Option<Arc<dyn Requests>>,
    deadline: Arc<Deadline>,
    memory: MemoryLimiter,
    wall_clock: Duration,
    wasi: Option<Box<Wasi>>,
    session_expires: Option<Timestamp>,
}

impl Program {
    /// Prepares a joined component.
    pub(crate) fn new(engine: &Engine, component: &Component, can_wait: bool) -> Result<Self, ComponentError> {
        let mut linker = Linker::new(engine);
        agent::memory::conversation::add_to_linker::<_, HasSelf<_>>(&mut linker, |sandbox: &mut Sandbox| sandbox)
            .map_err(wrong_type)?;
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).map_err(wrong_type)?;
        let instance = linker.instantiate_pre(component).map_err(wrong_type)?;
        let functions = functions::GuestIndices::new(&instance).map_err(wrong_type)?;
        Ok(Self {
            engine: engine.clone(),
            calls: Calls::of(component).map_err(wrong_type)?,
            functions,
            instance,
            can_wait,
        })
    }

    /// Asks the functions what they are.
    pub(crate) async fn describe(
        self: Arc<Self>,
        environment: Arc<Environment>,
        place: Place,
    ) -> Result<Vec<functions::Function>, ComponentError> {
        let describe = async move {
            let _place = place;
            self.description(&environment).await
        };
        overrun::run(describe, || false).await
    }

    /// Runs a turn.
    pub(crate) async fn run(
        self: Arc<Self>,
        environment: Arc<Environment>,
        place: Place,
        request: TurnRequest,
    ) -> Result<TurnResult, PolicyFailure> {
        let deadline = Arc::new(Deadline::new(environment.limits.turn_time));
        let turn_deadline = Arc::clone(&deadline);
        let turn = async move {
            let _place = place;
            self.turn(&environment, turn_deadline, request).await
        };
        overrun::run(turn, || deadline.is_paused()).await
    }

    async fn description(&self, environment: &Environment) -> Result<Vec<functions::Function>, ComponentError> {
        let deadline = Arc::new(Deadline::new(environment.limits.turn_time));
        let facts = Arc::new(Facts::nobody());
        let mut store = self.store(environment, Arc::clone(&deadline), facts, Vec::new(), Duration::ZERO);
        // There is no conversation yet that a request could be answered in.
        store.data_mut().requests = None;
        let described = async {
            let instance = self.instance.instantiate_async(&mut store).await?;
            match self.functions.load(&mut store, &instance) {
                Ok(guest) => guest.call_describe(&mut store).await.map(Ok),
                Err(error) => Ok(Err(wrong_type(error))),
            }
        };
        let described = self.within(&deadline, described).await;
        described.unwrap_or_else(|error| {
            let stop = store.data().stop(&error);
            Err(ComponentError::Undescribed(format!("{}: {}", stop.reason.name(), stop.message)))
        })
    }

    async fn turn(
        &self,
        environment: &Environment,
        deadline: Arc<Deadline>,
        mut request: TurnRequest,
    ) -> Result<TurnResult, PolicyFailure> {
        let mut store = self.store(
            environment,
            Arc::clone(&deadline),
            Arc::clone(&request.facts),
            std::mem::take(&mut request.metric_events),
            request.wall_clock,
        );
        let call = self.call(&mut store, &request);
        let called = match self.within(&deadline, call).await {
            Ok(called) => called?,
            Err(error) => {
                let stop = store.data().stop(&error);
                return Ok(store.into_data().stopped(TurnOutcome::Stopped(stop), request.turn.state));
            }
        };
        // The function has returned in time. What it left of its time and memory is no measure for the policy.
        store.set_hostcall_fuel(POLICY_FUEL);
        store.data_mut().memory.lift();
        store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Yield(1)));
        let finish = self.calls.finish(&mut store, &called.instance)?;
        request.turn.state = finish.call_async(&mut store, ()).await?.0?;
        Ok(store.into_data().finished(called.outcome, request.turn.state))
    }

    /// Everything up to the function's return. The outer error stops the turn, the inner one is the policy's.
    async fn call(
        &self,
        store: &mut Store<Sandbox>,
        request: &TurnRequest,
    ) -> wasmtime::Result<Result<Called, PolicyFailure>> {
        let instance = self.instance.instantiate_async(&mut *store).await?;
        let begin = self.calls.begin(store, &instance)?;
        match begin.call_async(&mut *store, (&request.turn,)).await?.0 {
            Ok(expires) => store.data_mut().session_expires = Some(expires),
            Err(error) => return Ok(Err(error.into())),
        }
        let call = self.calls.call(store, &instance)?;
        let outcome = match call.call_async(&mut *store, (&request.function, &request.arguments)).await?.0 {
            Ok(value) => store.data_mut().returned(value)?,
            Err(error) => store.data_mut().failed(error.into())?,
        };
        Ok(Ok(Called { instance, outcome }))
    }

    /// Stops a call that waits beyond its deadline. One that computes is stopped by the epoch.
    async fn within<T>(
        &self,
        deadline: &Deadline,
        call: impl Future<Output = wasmtime::Result<T>>,
    ) -> wasmtime::Result<T> {
        if !self.can_wait {
            return call.await;
        }
        let mut call = pin!(call);
        while !deadline.is_over() {
            if let Ok(called) = tokio::time::timeout(deadline.left(), &mut call).await {
                return called;
            }
        }
        Err(Stopping::TimeLimit.into())
    }

    fn store(
        &self,
        environment: &Environment,
        deadline: Arc<Deadline>,
        facts: Arc<Facts>,
        metric_events: Vec<MetricEvent>,
        wall_clock: Duration,
    ) -> Store<Sandbox> {
        let limits = &environment.limits;
        let sandbox = Sandbox {
            facts,
            effects: Effects::new(metric_events, limits.output_bytes),
            requests: environment.requests.clone(),
            deadline: Arc::clone(&deadline),
            memory: MemoryLimiter::new(limits.memory_bytes),
            wall_clock,
            wasi: None,
            session_expires: None,
        };
        let mut store = Store::new(&self.engine, sandbox);
        store.limiter(|sandbox| &mut sandbox.memory);
        store.set_hostcall_fuel(limits.output_bytes);
        store.set_max_component_handles(HANDLES);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |_| {
            if deadline.is_over() { Err(Stopping::TimeLimit.into()) } else { Ok(UpdateDeadline::Yield(1)) }
        });
        store
    }
}

/// What does not fit the contract by its type.
fn wrong_type(error: wasmtime::Error) -> ComponentError {
    ComponentError::WrongType(format!("{error:#}"))
}

struct Called {
    instance: Instance,
    outcome: TurnOutcome,
}
