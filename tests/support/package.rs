//! Agents in Rust that tests write themselves.

use std::fs;
use std::path::Path;

use crate::root;

/// Writes a package with these functions, named by its folder, as its author would. What has its content already is left
/// as it is, so that it is not built again.
///
/// # Panics
///
/// If it cannot be written.
pub fn rust_agent(folder: &Path, source: &str) {
    let name = folder.file_name().and_then(|name| name.to_str()).expect("the folder has a name");
    let manifest = format!(
        "[package]\nname = {name:?}\nedition = \"2024\"\n\n[workspace]\n\n[lib]\ncrate-type = [\"cdylib\"]\n\n\
         [dependencies]\nagent-memory-sdk = {{ path = {:?} }}\n",
        root().join("sdk/rust")
    );
    write(&folder.join("Cargo.toml"), &manifest);
    // What is compiled for other agents is not compiled again.
    write(&folder.join(".cargo/config.toml"), &format!("[build]\ntarget-dir = {:?}\n", root().join("target")));
    // What the workspace has settled on, and no newer versions. Cargo then takes out what is not needed.
    let settled = fs::read_to_string(root().join("Cargo.lock")).expect("the workspace has settled on versions");
    write(&folder.join("Cargo.lock"), &settled);
    write(&folder.join("src/lib.rs"), source);
}

fn write(path: &Path, content: &str) {
    if fs::read_to_string(path).is_ok_and(|old| old == content) {
        return;
    }
    let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(path, content));
    written.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
