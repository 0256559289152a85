//! The guide to functions in JavaScript and TypeScript, and the package's first page.

use std::fs;

use agent_memory_tests::{guide, root};
use serde_json::json;

use crate::support::{SDK, run};

#[test]
fn all_that_the_guide_says_works_and_is_well_typed() {
    let folder = guide::follow("docs/guides/javascript.md");
    let configuration = json!({
        "extends": root().join("examples/cheese-shop-typescript/tsconfig.json"),
        "compilerOptions": { "paths": { "agent-memory": [SDK.join("index.d.ts")] } },
        "include": ["cafe/src"],
    });
    fs::write(folder.join("tsconfig.json"), configuration.to_string()).unwrap();
    run(&SDK, "npx", &["tsc", "--project", folder.to_str().unwrap()]);
}

/// The example in TypeScript is played and its types are checked elsewhere.
#[test]
fn the_packages_first_page_shows_files_of_the_example() {
    let files = guide::files("sdk/javascript/README.md");
    assert_ne!(files, []);
    for (name, content) in files {
        let example = fs::read_to_string(root().join("examples/cheese-shop-typescript").join(&name)).unwrap();
        assert_eq!(content, example, "{name}");
    }
}
