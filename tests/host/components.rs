//! Components that cannot be agents: each is refused when it is loaded, with one clear line. Those that mean harm are in
//! `tests/attacks`.
//!
//! Each folder of `components/` has the component in one of these forms, and what the host has to say in `error.txt`:
//!
//! - `component.wat` or `component.wasm`: as it is;
//! - `world.wit`: a component of the world in it, every function of which traps;
//! - `module.wat`: a core module that becomes a component which imports nothing and exports the functions.
//!
//! With `AGENT_MEMORY_BLESS` set, `error.txt` is written anew instead of compared.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use agent_memory_host::store::MemoryStore;
use agent_memory_host::{AgentDefinition, ComponentError, Interfaces, Limits, LoadError, Runtime, TurnOutcome};
use agent_memory_tests::{FUNCTIONS_ALONE, component, encode, root, runtime, scope};

/// A host that loses patience with an endless `describe` sooner than usual.
async fn host() -> Runtime {
    let mut limits = Limits::default();
    limits.turn_time = Duration::from_secs(1);
    runtime(Arc::new(MemoryStore::new())).limits(limits).build().await.unwrap()
}

async fn load(host: &Runtime, functions: Vec<u8>) -> Result<agent_memory_host::Agent, LoadError> {
    host.load_agent(AgentDefinition { scope: scope(), functions, configuration: "{}".into() }).await
}

/// The component of a case.
fn build(case: &Path) -> Vec<u8> {
    let read = |name: &str| fs::read(case.join(name)).ok();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    if let Some(component) = read("component.wasm") {
        component
    } else if let Some(wat) = read("component.wat") {
        wat::parse_bytes(&wat).unwrap_or_else(|error| panic!("{}: {error}", case.display())).into_owned()
    } else if let Some(world) = read("world.wit") {
        encode(&text(world), None)
    } else {
        let module = read("module.wat").unwrap_or_else(|| panic!("{} has no component", case.display()));
        encode(FUNCTIONS_ALONE, Some(&text(module)))
    }
}

fn cases() -> Vec<PathBuf> {
    let folder = root().join("tests/host/components");
    let mut cases: Vec<_> = fs::read_dir(folder).unwrap().map(|case| case.unwrap().path()).collect();
    cases.sort();
    cases
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_an_agent_is_refused_in_one_line() {
    let host = host().await;
    let mut wrong = Vec::new();
    for case in cases() {
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let said = match load(&host, build(&case)).await {
            Ok(_) => "it was loaded".to_owned(),
            Err(error) => error.to_string(),
        };
        if said.lines().count() != 1 {
            wrong.push(format!("{name}: more than one line:\n{said}"));
        }
        let expected = case.join("error.txt");
        if std::env::var_os("AGENT_MEMORY_BLESS").is_some() {
            fs::write(&expected, format!("{said}\n")).unwrap();
        } else if fs::read_to_string(&expected).unwrap_or_default().trim_end() != said {
            wrong.push(format!("{name}: {said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Shows that the cases above fail for what is wrong with them, and not for how they are made.
#[tokio::test]
async fn a_component_that_is_made_in_the_same_way_and_right_is_loaded() {
    let host = host().await;
    let module = r#"(module
        (memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
        (func (export "agent:memory/functions@0.1.0#describe") (result i32) (i32.const 0))
        (func (export "agent:memory/functions@0.1.0#call") (param i32 i32 i32 i32) (result i32) (i32.const 64))
        (data (i32.const 0) (i32 16 1))
        (data (i32.const 16) (i32 256 10 0 0 272 2) (i32 1 272 2))
        (data (i32.const 64) (i32 0 280 4))
        (data (i32.const 256) "book_table")
        (data (i32.const 272) "{}")
        (data (i32.const 280) "true"))"#;
    let agent = load(&host, encode(FUNCTIONS_ALONE, Some(module))).await.unwrap_or_else(|error| panic!("{error}"));
    let functions = serde_json::to_value(agent.functions()).unwrap();
    let expected = serde_json::json!([{"name": "book_table", "description": "", "parameters": {}, "annotations": {}}]);
    assert_eq!(functions, expected);
    let mut conversation = agent.start(Default::default()).await.unwrap().conversation;
    let turn = conversation.call("book_table", agent_memory_host::Json::empty_object()).await.unwrap();
    let TurnOutcome::Returned(value) = &turn.outcome else { panic!("{turn:?}") };
    assert_eq!(value.as_str(), "true");
}

#[test]
fn a_component_that_was_cut_off_anywhere_is_refused() {
    let whole = component("probe");
    let interfaces = Interfaces::of(&whole).unwrap();
    for length in (0..whole.len()).step_by(997).chain(whole.len() - 64..whole.len()) {
        match Interfaces::of(&whole[..length]) {
            Err(ComponentError::NotWebAssembly { .. }) => {}
            // What comes after the exports is names for debuggers.
            Ok(found) if found == interfaces => {}
            // A cut between two sections leaves a whole component without exports, which is refused as such.
            Ok(found) if found.exports.is_empty() => {}
            other => panic!("{length} of {} bytes: {other:?}", whole.len()),
        }
    }
}

#[test]
fn damaged_bytes_are_read_without_a_panic() {
    let whole = encode("package tests:components; world all { include agent:memory/functions-component@0.1.0; }", None);
    assert!(Interfaces::of(&whole).is_ok());
    for i in 0..whole.len() {
        for damage in [0x01, 0x80, 0xff] {
            let mut damaged = whole.clone();
            damaged[i] ^= damage;
            // Some damage is harmless, such as that to a name in a custom section.
            let _: Result<_, ComponentError> = Interfaces::of(&damaged);
        }
    }
}

#[test]
fn components_that_are_nested_without_an_end_are_refused_at_once() {
    let mut component = b"\0asm\x0d\0\x01\0".to_vec();
    for _ in 0..20_000 {
        let mut length = component.len();
        let mut outer = b"\0asm\x0d\0\x01\0\x04".to_vec();
        while length >= 0x80 {
            outer.push(length as u8 | 0x80);
            length >>= 7;
        }
        outer.push(length as u8);
        outer.append(&mut component);
        component = outer;
    }
    let error = Interfaces::of(&component).unwrap_err().to_string();
    let expected = "the component cannot be compiled: it has components within components, more than 32 deep";
    assert_eq!(error, expected);
}
