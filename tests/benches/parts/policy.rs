//! What the policy is asked, each question to a fresh instance, as the host asks it.
//!
//! A turn of the host's asks `begin` and `finish` of the policy joined with functions; here they are asked of the policy
//! alone, with nothing between them.

use std::fs;

use agent_memory_host::Limits;
use agent_memory_tests::policy;
use criterion::Criterion;
use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime::{Engine, Store};

use self::bindings::exports::agent::memory::{memory, policy as rules};
use crate::pooled::pooled;
use crate::rust_agent::{KEYS, VALUE, configuration};

mod bindings {
    #![allow(missing_docs, reason = "generated; the contract itself is documented in wit/")]

    wasmtime::component::bindgen!({
        path: "../wit",
        inline: "
            package agent:parts;

            world rules {
                export agent:memory/memory@0.1.0;
                export agent:memory/policy@0.1.0;
            }
        ",
        world: "agent:parts/rules",
        exports: { default: async },
    });
}

/// 2026-03-02T10:20:00Z, and the hour.
const NOW: i64 = 1_772_446_800;
const HOUR: i64 = NOW - NOW % 3600;

const EXPIRES: i64 = HOUR + 30 * 24 * 3600;

pub(crate) fn measure(criterion: &mut Criterion) {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let policy = Policy::new().expect("the policy compiles");
    let source = configuration();
    let configured = tokio.block_on(policy.configure(&source)).expect("an answer").expect("the configuration is right");
    let settings = configured.settings;
    let turn = turn(settings.clone());
    let ending = ending(settings.clone());
    let proposal = tokio.block_on(policy.propose(&ending)).expect("an answer").expect("the state is right");
    assert_eq!(proposal.patch.len(), 1, "there is a field to be written");
    let settlement = settlement(&proposal);

    let mut group = criterion.benchmark_group("policy");
    group.bench_function("an instance, asked nothing", |bencher| {
        bencher.iter(|| drop(tokio.block_on(policy.instance()).expect("an instance")));
    });
    group.bench_function("configure", |bencher| {
        bencher.iter(|| tokio.block_on(policy.configure(&source)).expect("an answer"));
    });
    group.bench_function("identify", |bencher| {
        bencher.iter(|| {
            tokio.block_on(policy.identify(&settings, &ending.caller, &turn.state)).expect("an answer").expect("known")
        });
    });
    group.bench_function("begin and finish", |bencher| {
        bencher.iter(|| tokio.block_on(policy.begin_and_finish(&turn)).expect("an answer").expect("the state"));
    });
    group.bench_function("propose", |bencher| {
        bencher.iter(|| tokio.block_on(policy.propose(&ending)).expect("an answer").expect("a proposal"));
    });
    group.bench_function("settle", |bencher| {
        bencher.iter(|| tokio.block_on(policy.settle(&proposal.draft, &settlement)).expect("a report"));
    });
    group.finish();
}

/// The policy component, in an engine that is set up as the host's is.
struct Policy {
    engine: Engine,
    instance: InstancePre<()>,
    policy: rules::GuestIndices,
    memory: memory::GuestIndices,
}

/// What it answers, where wasm may trap and the policy may refuse.
type Answer<T> = wasmtime::Result<Result<T, rules::InputError>>;

impl Policy {
    fn new() -> wasmtime::Result<Self> {
        let mut config = pooled();
        config.epoch_interruption(true).max_wasm_stack(2 << 20).async_stack_size(3 << 20);
        let engine = Engine::new(&config)?;
        let component = Component::new(&engine, fs::read(policy())?)?;
        let instance = Linker::new(&engine).instantiate_pre(&component)?;
        let policy = rules::GuestIndices::new(&instance)?;
        let memory = memory::GuestIndices::new(&instance)?;
        Ok(Self { engine, instance, policy, memory })
    }

    /// A fresh instance, which the host finds all functions in before it asks.
    async fn instance(&self) -> wasmtime::Result<(Store<()>, rules::Guest, memory::Guest)> {
        let mut store = Store::new(&self.engine, ());
        store.set_epoch_deadline(1 << 40);
        let instance = self.instance.instantiate_async(&mut store).await?;
        let policy = self.policy.load(&mut store, &instance)?;
        let memory = self.memory.load(&mut store, &instance)?;
        Ok((store, policy, memory))
    }

    async fn configure(
        &self,
        source: &str,
    ) -> wasmtime::Result<Result<rules::Configured, Vec<rules::ConfigurationError>>> {
        let limits = Limits::default();
        let limits = rules::Limits {
            key_bytes: limits.key_bytes,
            value_bytes: limits.value_bytes,
            state_keys: limits.state_keys,
            state_bytes: limits.state_bytes,
        };
        let (mut store, policy, _) = self.instance().await?;
        policy.call_configure(&mut store, source, limits).await
    }

    async fn identify(
        &self,
        settings: &rules::Settings,
        caller: &rules::Caller,
        state: &[rules::StateEntry],
    ) -> Answer<rules::Identified> {
        let (mut store, policy, _) = self.instance().await?;
        policy.call_identify(&mut store, settings, caller, state, NOW).await
    }

    async fn begin_and_finish(&self, turn: &rules::Turn) -> Answer<Vec<rules::StateEntry>> {
        let (mut store, policy, _) = self.instance().await?;
        match policy.call_begin(&mut store, turn).await? {
            Ok(_) => policy.call_finish(&mut store).await,
            Err(error) => Ok(Err(error)),
        }
    }

    async fn propose(&self, ending: &rules::Ending) -> Answer<rules::Proposal> {
        let (mut store, policy, _) = self.instance().await?;
        policy.call_propose(&mut store, ending).await
    }

    async fn settle(
        &self,
        draft: &rules::DraftReport,
        settlement: &rules::Settlement,
    ) -> wasmtime::Result<rules::Report> {
        let (mut store, policy, _) = self.instance().await?;
        policy.call_settle(&mut store, draft, settlement).await
    }
}

/// A turn of a caller who is known: all five keys are remembered, and one has been set in this conversation.
fn turn(settings: rules::Settings) -> rules::Turn {
    let fields = KEYS.map(|key| rules::StoredField {
        key: key.to_owned(),
        value: format!("{VALUE:?}"),
        written: HOUR,
        expires: EXPIRES,
    });
    rules::Turn { settings, fields: fields.into(), state: state(), now: NOW }
}

/// The state after a function has set a key.
fn state() -> Vec<rules::StateEntry> {
    vec![rules::StateEntry {
        key: "mood".to_owned(),
        value: Some(rules::StateValue::Json(r#""happy""#.to_owned())),
        touched: rules::Touch::ASSIGNED,
    }]
}

/// The end of that conversation.
fn ending(settings: rules::Settings) -> rules::Ending {
    rules::Ending {
        settings,
        conversation: "a conversation".to_owned(),
        began: NOW,
        caller: rules::Caller {
            caller_number: Some("+441632960001".to_owned()),
            sip_headers: Vec::new(),
            integration_attributes: None,
        },
        state: state(),
        outcome: rules::Outcome { qa: None, handoff: None },
        requested_handoff: None,
        now: NOW,
    }
}

/// It is committed, and is not the caller's first.
fn settlement(proposal: &rules::Proposal) -> rules::Settlement {
    let proposed = proposal.interaction.as_ref().expect("repeat callers are counted");
    rules::Settlement::Committed(rules::Commitment {
        erased: rules::Erased::Nothing,
        standing: Some(proposed.interaction.clone()),
        first: false,
    })
}
