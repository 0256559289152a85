//! The inputs that are kept: seeds, and what was found once.

use std::fs;
use std::path::{Path, PathBuf};

/// An input that is kept in a file.
#[derive(Clone, Debug)]
pub struct Input {
    /// The file.
    pub path: PathBuf,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// All that are kept for a target: those that fuzzing begins with, and those that have found something, by name.
///
/// What `cargo fuzz` adds to a corpus has no extension, and is not kept.
///
/// # Panics
///
/// If they cannot be read.
pub fn kept(target: &str) -> Vec<Input> {
    let mut inputs = Vec::new();
    for folder in ["corpus", "regressions"] {
        let folder = root().join("fuzz").join(folder).join(target);
        if !folder.exists() {
            continue;
        }
        let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut paths: Vec<_> = entries.map(|entry| entry.expect("a folder's entry").path()).collect();
        paths.retain(|path| path.extension().is_some());
        paths.sort();
        let read = |path: PathBuf| {
            let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            Input { path, bytes }
        };
        inputs.extend(paths.into_iter().map(read));
    }
    inputs
}

/// The folder of the whole project.
pub(crate) fn root() -> &'static Path {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the folder of all tests");
    tests.parent().expect("the folder of the whole project")
}
