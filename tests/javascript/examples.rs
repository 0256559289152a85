//! The example in TypeScript.

use std::fs;

use agent_memory_tests::root;

use crate::support::{SDK, run};

#[test]
fn the_example_in_typescript_is_well_typed() {
    let folder = SDK.join("example");
    fs::create_dir_all(&folder).unwrap();
    let example = root().join("examples/cheese-shop-typescript");
    let configuration = serde_json::json!({
        "extends": example.join("tsconfig.json"),
        "compilerOptions": { "paths": { "agent-memory": [SDK.join("index.d.ts")] } },
        "include": [example.join("src")],
    });
    fs::write(folder.join("tsconfig.json"), configuration.to_string()).unwrap();
    run(&SDK, "npx", &["tsc", "--project", "example"]);
}
