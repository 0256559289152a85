//! The workload is played as it is described, both ways, and callers are put into a store by the rules.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test has nobody else to tell")]

use std::sync::Arc;

use agent_memory_bench::{ACCOUNT, Bench, BenchError, FUNCTIONS, Measured, Workload};
use agent_memory_host::keys::Keys;
use agent_memory_host::store::{Backend, Kept, MemoryStore};
use agent_memory_host::{
    Agent, AgentDefinition, GivenField, IdentifierKind, Json, MemoryPatch, Runtime, Scope, SystemClock,
};

const SMALL: Workload = Workload { identities: 300, conversations: 40, turns: 3, seed: 7 };

/// The cheese shop, which has no function `turn`.
const OTHER_FUNCTIONS: &[u8] = include_bytes!("../../cli/src/cheese-shop.wasm");

async fn runtime(store: &Arc<dyn Backend>, keys: &Keys) -> Runtime {
    Runtime::builder(Arc::clone(store), keys.clone()).clock(Arc::new(SystemClock)).build().await.unwrap()
}

async fn measured(workload: Workload, clients: u32) -> (Measured, Arc<dyn Backend>, String) {
    let (store, keys): (Arc<dyn Backend>, _) = (Arc::new(MemoryStore::new()), Keys::ephemeral());
    let runtime = runtime(&store, &keys).await;
    let mut filled = 0;
    let more = |count| filled += count;
    let functions = FUNCTIONS.to_vec();
    let bench = Bench::prepare(&runtime, Arc::clone(&store), keys, functions, workload, more).await.unwrap();
    assert_eq!(filled, 2 * workload.identities, "both ways have callers of their own");
    let measured = bench.measure(clients).await.unwrap();
    (measured, store, bench.project().to_owned())
}

/// All that is in a store.
async fn kept(store: &Arc<dyn Backend>) -> Vec<Kept> {
    let (mut kept, mut after) = (Vec::new(), None);
    loop {
        let part = store.dump(after).await.unwrap();
        kept.extend(part.kept);
        after = part.next;
        if after.is_none() {
            return kept;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_ways_commit_every_conversation_and_leave_as_much() {
    let (measured, store, project) = measured(SMALL, 4).await;
    assert!(measured.ratio() > 0.0 && measured.peak_rss_mb >= 0.0 && !project.is_empty());
    let kept = kept(&store).await;
    let callers: Vec<_> =
        kept.iter().filter_map(|kept| if let Kept::Caller(caller) = kept { Some(caller) } else { None }).collect();
    assert_eq!(callers.len(), 2 * 300);
    assert!(callers.iter().all(|caller| caller.fields.len() == 5));
    // 40 conversations are played as a warm-up, and 40 are measured, both ways.
    let marks = kept.iter().filter(|kept| matches!(kept, Kept::Mark(_))).count();
    assert_eq!(marks, 2 * 80);
    let line = serde_json::to_value(&measured).unwrap();
    assert_eq!((&line["concurrency"], &line["conversations"]), (&4.into(), &40.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn conversations_of_one_turn_or_of_many_are_played_too() {
    for turns in [1, 5] {
        let (measured, ..) = measured(Workload { identities: 3, conversations: 5, turns, seed: 1 }, 2).await;
        assert!(measured.sandboxed.cpu_us_per_turn() > 0.0);
    }
}

#[tokio::test]
async fn functions_that_the_workload_cannot_call_are_refused() {
    let (store, keys): (Arc<dyn Backend>, _) = (Arc::new(MemoryStore::new()), Keys::ephemeral());
    let runtime = runtime(&store, &keys).await;
    let prepared = Bench::prepare(&runtime, Arc::clone(&store), keys, OTHER_FUNCTIONS.to_vec(), SMALL, |_| {}).await;
    let Err(error @ BenchError::NoFunction { .. }) = prepared else { panic!("it was prepared") };
    assert!(error.to_string().contains("`turn`") && error.to_string().contains("book"), "{error}");
    assert_eq!(kept(&store).await.iter().filter(|kept| matches!(kept, Kept::Caller(_))).count(), 0);
}

fn patch(identifier: &str, key: &str, value: &str) -> MemoryPatch {
    let field = GivenField { key: key.into(), value: Json::parse(value).unwrap(), expires_at: None };
    MemoryPatch { kind: IdentifierKind::Phone, identifier: identifier.into(), fields: vec![field] }
}

async fn agent(store: &Arc<dyn Backend>) -> (Runtime, Agent, Scope) {
    let runtime = runtime(store, &Keys::ephemeral()).await;
    let scope = Scope { account: ACCOUNT.into(), project: "test".into(), environment: "test".into() };
    let configuration = r#"{"memory": {"repeat_caller": {"state_keys": ["field"]}}}"#.to_owned();
    let definition = AgentDefinition { scope: scope.clone(), functions: FUNCTIONS.to_vec(), configuration };
    let agent = runtime.load_agent(definition).await.unwrap();
    (runtime, agent, scope)
}

#[tokio::test]
async fn a_kept_caller_is_remembered_once_the_store_has_it() {
    let store: Arc<dyn Backend> = Arc::new(MemoryStore::new());
    let (runtime, agent, scope) = agent(&store).await;
    let caller = agent.kept_caller(patch("+44 1632 960001", "field", "\"brie\"")).await.unwrap().unwrap();
    let number = "+441632960001";
    let remembered = || async { runtime.administration().get(&scope, IdentifierKind::Phone, number).await.unwrap() };
    assert!(remembered().await.is_empty(), "nothing is written yet");
    store.restore(vec![Kept::Caller(caller)]).await.unwrap();
    assert_eq!(remembered().await["field"].value.as_str(), "\"brie\"");
}

#[tokio::test]
async fn v2_i4_w5_a_kept_caller_holds_what_the_rules_allow_or_is_none() {
    let store: Arc<dyn Backend> = Arc::new(MemoryStore::new());
    let (_runtime, agent, _) = agent(&store).await;
    for (identifier, key, value) in [
        ("anonymous", "field", "1"),
        ("+441632960001", "field", "[[1]]"),
        ("+441632960001", "field", "null"),
        ("+441632960001", "other", "1"),
    ] {
        assert!(agent.kept_caller(patch(identifier, key, value)).await.unwrap().is_none(), "{key} {value}");
    }
}
