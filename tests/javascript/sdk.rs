//! The SDK's own tests, outside of wasm and inside a component, and its types.

use agent_memory_tests::value;
use serde_json::json;

use crate::support::{Desk, SDK, run};

#[tokio::test]
async fn the_sdks_tests_pass_in_node_and_inside_a_component() {
    // Each version of Node.js has its own way of telling results to people, and all have this one.
    let in_node = run(&SDK, "npm", &["test", "--loglevel=error", "--", "--test-reporter=tap"]);
    assert!(in_node.contains("\n# fail 0\n") && in_node.contains("\n# skipped 0\n"), "{in_node}");

    let desk = Desk::with(&SDK.join("test/in-component.js"), "", |builder| builder).await;
    let results = value(&mut desk.call().await, "run_all", &json!({})).await;
    assert_eq!(results["failed"], json!([]));
    let passed = results["passed"].as_array().unwrap().len();
    assert_ne!(passed, 0);
    assert!(in_node.contains(&format!("# pass {passed}\n")), "{passed} have passed inside of a component\n{in_node}");
}

#[test]
fn the_types_are_right() {
    run(&SDK, "npm", &["run", "types", "--loglevel=error"]);
}
