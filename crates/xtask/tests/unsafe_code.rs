//! `unsafe` stands where ARCHITECTURE.md says, and nowhere else.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The files that may have it, as ARCHITECTURE.md lists them.
const LISTED: [&str; 4] =
    ["crates/arena/src/lib.rs", "host/src/code_cache.rs", "host/src/workers/serve.rs", "tests/torture/src/disk.rs"];

/// Bindings, which are generated where they are used: nobody writes `unsafe` there.
const GENERATED: [&str; 5] = [
    "crates/policy/src/lib.rs",
    "sdk/rust/src/bindings.rs",
    "tests/agents/bare-functions/src/lib.rs",
    "tests/agents/bare-policy/src/lib.rs",
    "tests/agents/wasi-probe/src/lib.rs",
];

/// What is no part of the product: measurements, and attacks, which are in sandboxes.
const OUTSIDE: [&str; 2] = ["tests/attacks/", "tests/benches/"];

#[test]
fn unsafe_code_is_where_the_architecture_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let (mut allowed, mut written) = (BTreeSet::new(), BTreeSet::new());
    let mut sources = Vec::new();
    for folder in ["clients", "crates", "examples", "host", "sdk", "tests"] {
        collect(&root.join(folder), &mut sources);
    }
    assert!(sources.len() > 300, "only {} sources were found", sources.len());
    for path in sources {
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        if OUTSIDE.iter().any(|folder| name.starts_with(folder)) || name == "crates/xtask/tests/unsafe_code.rs" {
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        let (allows, writes) = search(&source);
        if allows {
            allowed.insert(name.clone());
        }
        if writes {
            written.insert(name);
        }
    }
    let listed: BTreeSet<_> = LISTED.iter().map(|name| (*name).to_owned()).collect();
    let generated = GENERATED.iter().map(|name| (*name).to_owned());
    assert_eq!(written, listed, "`unsafe` is written in other files than are listed");
    assert_eq!(allowed, generated.chain(listed).collect(), "`unsafe_code` is allowed in other files than are listed");

    let architecture = fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    for name in LISTED {
        let place = name.strip_suffix("/src/lib.rs").unwrap_or(name);
        assert!(architecture.contains(&format!("`{place}`")), "ARCHITECTURE.md does not tell of {place}");
    }
}

/// Every package keeps to the lints of the workspace, which deny `unsafe`.
#[test]
fn every_package_keeps_to_the_lints_that_deny_it() {
    let metadata = cargo_metadata::MetadataCommand::new().no_deps().exec().unwrap();
    assert!(metadata.packages.len() > 20, "only {} packages were found", metadata.packages.len());
    for package in metadata.packages {
        let manifest = fs::read_to_string(&package.manifest_path).unwrap();
        assert!(manifest.contains("[lints]\nworkspace = true"), "{} has lints of its own", package.name);
    }
    let root = fs::read_to_string(metadata.workspace_root.join("Cargo.toml")).unwrap();
    assert!(root.contains("unsafe_code = \"deny\""), "the workspace does not deny it");
}

#[test]
fn the_search_finds_what_it_is_for() {
    assert_eq!(search("// unsafe { }\nlet text = \"unsafe \";"), (false, false));
    assert_eq!(search("    drop(unsafe { from_raw(file) });"), (false, true));
    assert_eq!(search("unsafe impl Sync for A {}"), (false, true));
    assert_eq!(search("pub unsafe extern \"C\" fn f() {}"), (false, true));
    assert_eq!(search("#![allow(unsafe_code, reason = \"\")]"), (true, false));
    assert_eq!(search("#[expect(\n    unsafe_code,\n)]"), (true, false));
}

/// Whether a source allows the lint, and whether it has the keyword, outside of comments and texts.
fn search(source: &str) -> (bool, bool) {
    let mut found = (false, false);
    for line in source.lines() {
        // Every second part is within quotes. A quote that is a character of its own does not count.
        let line = line.replace("'\"'", "").replace("\\\"", "");
        let outside: String = line.split('"').step_by(2).collect();
        let code = outside.split("//").next().unwrap_or_default();
        for word in code.split(|char: char| !char.is_alphanumeric() && char != '_') {
            found.0 |= word == "unsafe_code";
            found.1 |= word == "unsafe";
        }
    }
    found
}

fn collect(folder: &Path, sources: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && !["target", "node_modules"].contains(&name) {
            collect(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push(path);
        }
    }
}
