//! What has to be true of the project as a whole.

use std::collections::BTreeSet;
use std::process::Command;

use agent_memory_tests::root;

/// What the rules must never come to depend on.
const FORBIDDEN: [&str; 9] =
    ["wasmtime", "wit-bindgen", "tokio", "rusqlite", "jiff", "chrono", "time", "getrandom", "agent-memory-store"];

#[test]
fn rules_depend_on_leaf_crates_only() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let tree = Command::new(cargo)
        .args(["tree", "--package", "agent-memory-rules", "--edges", "normal", "--prefix", "none", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8(tree.stdout).unwrap();
    let names: BTreeSet<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains("serde_json"), "{names:?}");
    for name in FORBIDDEN {
        assert!(!names.contains(name), "the rules depend on {name}");
    }
}
