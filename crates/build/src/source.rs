//! What there is at a path.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::BuildError;
use crate::{javascript, python};

/// How every WebAssembly binary begins, a component or not.
const MAGIC: [u8; 4] = *b"\0asm";

/// What can become a component.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A component, or what calls itself one.
    Component(Vec<u8>),
    /// A Rust project.
    Rust {
        /// Its `Cargo.toml`, as an absolute path.
        manifest: PathBuf,
    },
    /// Sources in JavaScript or TypeScript.
    JavaScript(javascript::Project),
    /// Sources in Python.
    Python(python::Project),
}

impl Source {
    pub(crate) fn find(path: &Path) -> Result<Self, BuildError> {
        let read_error = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => BuildError::NotFound { path: path.to_owned() },
            _ => BuildError::Read { path: path.to_owned(), source },
        };
        let metadata = fs::metadata(path).map_err(read_error)?;
        if metadata.is_dir() {
            return match rust_manifest(&path.join("Cargo.toml")) {
                Some(manifest) => Ok(Self::Rust { manifest }),
                // A platform's project may have a package.json for tools of its own.
                None if python::Project::has_functions(path) => python::Project::of_folder(path).map(Self::Python),
                None if javascript::Project::is_folder(path) => {
                    javascript::Project::of_folder(path).map(Self::JavaScript)
                }
                None if python::Project::is_folder(path) => python::Project::of_folder(path).map(Self::Python),
                None => Err(BuildError::Unsupported { path: path.to_owned(), found: "a folder without functions" }),
            };
        }
        if !metadata.is_file() {
            return Err(BuildError::Unsupported { path: path.to_owned(), found: "neither a file nor a folder" });
        }
        if path.file_name().is_some_and(|name| name == "Cargo.toml")
            && let Some(manifest) = rust_manifest(path)
        {
            return Ok(Self::Rust { manifest });
        }
        if path.extension().is_some_and(|extension| extension == "wasm") || has_magic(path).map_err(read_error)? {
            return fs::read(path).map(Self::Component).map_err(read_error);
        }
        if python::Project::is_source(path) {
            return python::Project::of_file(path).map(Self::Python);
        }
        if javascript::Project::is_source(path) {
            return javascript::Project::of_file(path).map(Self::JavaScript);
        }
        Err(BuildError::Unsupported { path: path.to_owned(), found: "a file of another kind" })
    }
}

fn rust_manifest(path: &Path) -> Option<PathBuf> {
    path.is_file().then(|| std::path::absolute(path).ok()).flatten()
}

fn has_magic(path: &Path) -> io::Result<bool> {
    let mut start = Vec::new();
    File::open(path)?.take(MAGIC.len() as u64).read_to_end(&mut start)?;
    Ok(start == MAGIC)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(name: &str, content: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        (folder, path)
    }

    #[test]
    fn a_wasm_file_is_passed_through_whatever_is_in_it() {
        let (_folder, path) = written("agent.wasm", b"not wasm");
        assert_eq!(Source::find(&path).unwrap(), Source::Component(b"not wasm".to_vec()));
    }

    #[test]
    fn a_file_that_begins_as_wasm_does_is_passed_through_whatever_its_name() {
        let (_folder, path) = written("agent", b"\0asm\x0d\0\x01\0");
        assert_eq!(Source::find(&path).unwrap(), Source::Component(b"\0asm\x0d\0\x01\0".to_vec()));
    }

    #[test]
    fn a_folder_and_its_manifest_are_the_same_project() {
        let (folder, path) = written("Cargo.toml", b"[package]");
        assert_eq!(Source::find(&path).unwrap(), Source::Rust { manifest: path.clone() });
        assert_eq!(Source::find(folder.path()).unwrap(), Source::Rust { manifest: path });
    }

    #[test]
    fn what_cannot_be_built_is_refused_with_what_can() {
        let (folder, path) = written("functions.txt", b"\0as");
        for (path, found) in [(path.as_path(), "a file of another kind"), (folder.path(), "a folder without functions")]
        {
            let error = Source::find(path).unwrap_err();
            assert!(matches!(&error, BuildError::Unsupported { found: actual, .. } if *actual == found), "{error}");
            assert!(error.to_string().contains("give a component (.wasm), a file in Python"), "{error}");
        }
    }

    #[test]
    fn a_path_to_nothing_is_said_to_be_one() {
        let (folder, _) = written("functions.txt", b"");
        let error = Source::find(&folder.path().join("misspelt")).unwrap_err();
        assert!(matches!(error, BuildError::NotFound { .. }), "{error}");
    }
}
