//! `agent-memory check`, and components that cannot be used.

use serde_json::{Value, json};

use crate::support::{Folder, assert_transcript, cheese_shop, probe};

/// Components that cannot be used, and what is said of each.
fn bad_components() -> Vec<(&'static str, Vec<u8>, &'static [&'static str])> {
    let component = |text: &str| wat::parse_str(text).unwrap();
    let functions = r#"(instance $functions) (export "agent:memory/functions@0.1.0" (instance $functions))"#;
    vec![
        ("empty.wasm", Vec::new(), &["this is no WebAssembly component"]),
        ("text.wasm", b"def start_function(conv): pass".to_vec(), &["this is no WebAssembly component"]),
        ("module.wasm", component("(module)"), &["this is a core WebAssembly module, not a component"]),
        ("world.wasm", component("(component)"), &["exports no `agent:memory/functions@0.1.0`", "it exports nothing"]),
        (
            "imports.wasm",
            component(&format!(
                r#"(component (import "wasi:http/outgoing-handler@0.2.0" (instance))
                    (import "agent:memory/policy@0.1.0" (instance)) {functions})"#
            )),
            &["`wasi:http/outgoing-handler@0.2.0`", "`agent:memory/policy@0.1.0`"],
        ),
        (
            "type.wasm",
            component(&format!("(component {functions})")),
            &["does not fit the contract agent:memory@0.1.0"],
        ),
    ]
}

#[test]
fn a_component_that_cannot_be_used_is_told_in_a_line() {
    let folder = Folder::with_scenario("conversations: [{}]");
    for (name, bytes, reasons) in bad_components() {
        folder.write(name, bytes);
        let ran = folder.run(&["check", name]).expect(1);
        let errors: Vec<_> = ran.out.lines().filter(|line| line.starts_with("error: ")).collect();
        assert_eq!(errors.len(), 1, "{name}: {}", ran.out);
        assert!(reasons.iter().all(|reason| errors[0].contains(reason)), "{name}: {errors:?}");

        let ran = folder.run(&["run", "scenario.yaml", "--functions", name]).expect(2);
        assert_eq!(ran.err.lines().count(), 1, "{name}: {}", ran.err);
        assert!(ran.err.starts_with(&format!("error: {name}: ")), "{name}: {}", ran.err);
        assert!(reasons.iter().all(|reason| ran.err.contains(reason)), "{name}: {}", ran.err);
    }
}

#[test]
fn what_is_good_is_described() {
    let folder = Folder::new();
    folder.write("config.json", r#"{"memory": {"repeat_caller": {"state_keys": ["cheese_type"]}}}"#);
    std::fs::copy(cheese_shop(), folder.path("agent.wasm")).unwrap();
    let ran = folder.run(&["check", "agent.wasm", "--config", "config.json"]).expect(0);
    let size = std::fs::metadata(cheese_shop()).unwrap().len();
    assert_transcript("check.txt", &ran.out.replace(&format!("{size} bytes"), "SIZE bytes"));

    let found = folder.run(&["check", "agent.wasm", "--config", "config.json", "--json"]).expect(0).json();
    assert_eq!((&found["path"], &found["size"]), (&json!("agent.wasm"), &json!(size)));
    assert_eq!(found["exports"], json!(["agent:memory/functions@0.1.0"]));
    assert!(found["imports"].as_array().unwrap().contains(&json!("agent:memory/memory@0.1.0")));
    let book = found["functions"].as_array().unwrap().iter().find(|function| function["name"] == "book").unwrap();
    assert_eq!(book["parameters"]["required"], json!(["cheese_type"]));
    assert_eq!((&found["errors"], &found["warnings"]), (&json!([]), &json!([])));
}

#[test]
fn c6_mistakes_of_functions_and_configuration_are_told_together() {
    let folder = Folder::new();
    folder.write("agent.wasm", wat::parse_str("(module)").unwrap());
    folder.write("config.json", r#"{"memory": {"repeat_caller": {"retention_days": 91, "state_key": ["a"]}}}"#);
    let ran = folder.run(&["check", "agent.wasm", "--config", "config.json", "--json"]).expect(1);
    let found = ran.json();
    let errors: Vec<(&Value, &Value)> =
        found["errors"].as_array().unwrap().iter().map(|error| (&error["in"], &error["path"])).collect();
    assert_eq!(errors.len(), 3, "{errors:?}");
    assert_eq!(errors[0], (&json!("functions"), &Value::Null));
    let paths: Vec<_> =
        errors[1..].iter().map(|(part, path)| (part.as_str().unwrap(), path.as_str().unwrap())).collect();
    assert!(paths.contains(&("configuration", "memory.repeat_caller.retention_days")), "{paths:?}");
    assert!(paths.contains(&("configuration", "memory.repeat_caller.state_key")), "{paths:?}");
}

#[test]
fn functions_that_do_not_compile_are_told_together_with_the_configuration() {
    let folder = Folder::with_scenario("functions: .\nconversations: [{}]");
    std::fs::create_dir(folder.path("src")).unwrap();
    folder.write("src/lib.rs", "fn book(");
    let manifest =
        "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"cdylib\"]";
    folder.write("Cargo.toml", manifest);
    folder.write("config.json", r#"{"memory": {"repeat_caller": {"retention_days": 91}}}"#);
    let found = folder.run(&["check", ".", "--config", "config.json", "--json"]).expect(1).json();
    assert!(found["errors"][0]["message"].as_str().unwrap().contains("shop does not compile"), "{found}");
    assert_eq!(found["errors"][1]["path"], "memory.repeat_caller.retention_days");
    assert_eq!(found["size"], Value::Null);
    folder.run(&["run", "scenario.yaml"]).expect_refusal(&["shop does not compile", "src/lib.rs:1"]);
}

#[test]
fn what_only_looks_wrong_is_a_warning() {
    let folder = Folder::new();
    folder.write("config.json", r#"{"memory": {"repeat_caller": {"state_keys": ["handoff"]}}}"#);
    let found = folder.run(&["check", &cheese_shop(), "--config", "config.json", "--json"]).expect(0).json();
    assert_eq!(found["warnings"][0]["path"], "memory.repeat_caller.state_keys[0]");
    let ran = folder.run(&["check", &cheese_shop(), "--config", "config.json"]).expect(0);
    assert!(ran.out.contains("warning: memory.repeat_caller.state_keys[0]: "), "{}", ran.out);
}

#[test]
fn what_cannot_be_read_ends_with_2() {
    let folder = Folder::new();
    folder.write("notes.txt", "no functions");
    folder.run(&["check", "nowhere"]).expect_refusal(&["nowhere does not exist"]);
    folder.run(&["check", "notes.txt"]).expect_refusal(&["no functions can be built"]);
    folder.run(&["check", &cheese_shop(), "--config", "nowhere.json"]).expect_refusal(&["nowhere.json cannot be read"]);
}

#[test]
fn a_project_of_many_functions_is_listed_in_its_order() {
    let found = Folder::new().run(&["check", &probe(), "--json"]).expect(0).json();
    let names: Vec<_> = found["functions"].as_array().unwrap().iter().map(|function| &function["name"]).collect();
    assert_eq!(names[..3], [&json!("start_function"), &json!("end_function"), &json!("memory_get")]);
}
