//! The components that are kept in the repository, so that whoever embeds the host needs no wasm target.
//!
//! Beside each there is a digest of the sources that it was built from, by which it is seen to be out of date
//! without being built.

use std::fs;
use std::path::{Path, PathBuf};

use agent_memory_build::{Built, Options, build as build_component, write_atomically};
use anyhow::{Context, bail};

use crate::workspace;

/// A component that is kept.
pub(crate) struct Guest {
    pub(crate) name: &'static str,
    project: &'static str,
    component: &'static str,
    /// Files, and folders with everything in them. Of packages only what gets into the component: their tests may
    /// change without it.
    sources: &'static [&'static str],
}

/// All of them.
pub(crate) const GUESTS: [Guest; 3] = [
    Guest {
        name: "policy",
        project: "crates/policy",
        component: "host/src/policy.wasm",
        sources: &[
            "crates/arena/Cargo.toml",
            "crates/arena/src",
            "crates/policy/Cargo.toml",
            "crates/policy/src",
            "crates/rules/Cargo.toml",
            "crates/rules/src",
            "wit",
        ],
    },
    Guest {
        name: "cheese-shop",
        project: "examples/cheese-shop",
        component: "crates/cli/src/cheese-shop.wasm",
        sources: &[
            "crates/arena/Cargo.toml",
            "crates/arena/src",
            "examples/cheese-shop/Cargo.toml",
            "examples/cheese-shop/src",
            "sdk/rust/Cargo.toml",
            "sdk/rust/src",
            "sdk/rust-macros/Cargo.toml",
            "sdk/rust-macros/src",
            "wit",
        ],
    },
    Guest {
        name: "benchmark",
        project: "examples/benchmark/rust",
        component: "crates/bench/src/benchmark.wasm",
        sources: &[
            "examples/benchmark/rust/Cargo.toml",
            "examples/benchmark/rust/src",
            "sdk/rust/Cargo.toml",
            "sdk/rust/src",
            "sdk/rust-macros/Cargo.toml",
            "sdk/rust-macros/src",
            "wit",
        ],
    },
];

/// Builds all of them and keeps them.
pub(crate) fn build() -> anyhow::Result<()> {
    for guest in &GUESTS {
        let before = guest.digest_of_sources()?;
        let built = guest.build_from_source()?;
        if guest.digest_of_sources()? != before {
            bail!("the sources of {} have changed while it was built: run it again", guest.name);
        }
        write_atomically(&guest.component(), &built.bytes)?;
        write_atomically(&guest.digest(), note(before, &built.bytes).as_bytes())?;
        println!("{}: {} bytes", guest.component, built.bytes.len());
    }
    Ok(())
}

/// Says which of them are out of date.
pub(crate) fn check() -> anyhow::Result<()> {
    let mut complaints = Vec::new();
    for guest in &GUESTS {
        complaints.extend(guest.complaint()?);
    }
    if !complaints.is_empty() {
        bail!("{}: run `cargo xtask guests`", complaints.join(", "));
    }
    Ok(())
}

impl Guest {
    /// Builds it and keeps nothing.
    pub(crate) fn build_from_source(&self) -> anyhow::Result<Built> {
        let options = Options { progress: Some(&workspace::show), ..Options::default() };
        let built = build_component(&workspace::root().join(self.project), &options)?;
        if !built.diagnostics.is_empty() {
            bail!("{} compiles with warnings:\n{}", self.name, built.diagnostics);
        }
        Ok(built)
    }

    fn component(&self) -> PathBuf {
        workspace::root().join(self.component)
    }

    fn digest(&self) -> PathBuf {
        self.component().with_extension("digest")
    }

    fn complaint(&self) -> anyhow::Result<Option<String>> {
        let (Ok(component), Ok(found)) = (fs::read(self.component()), fs::read_to_string(self.digest())) else {
            return Ok(Some(format!("{} or its digest is missing", self.component)));
        };
        let up_to_date = found == note(self.digest_of_sources()?, &component);
        Ok((!up_to_date).then(|| format!("{} is out of date", self.component)))
    }

    fn digest_of_sources(&self) -> anyhow::Result<blake3::Hash> {
        let mut files = Vec::new();
        for source in self.sources {
            let path = workspace::root().join(source);
            collect(&path, source, &mut files).with_context(|| format!("cannot read {}", path.display()))?;
        }
        Ok(digest(files))
    }
}

/// What stands in the digest's file: it vouches for the component too, lest one be kept without the other.
fn note(sources: blake3::Hash, component: &[u8]) -> String {
    format!("sources {sources}\ncomponent {}\n", blake3::hash(component))
}

/// The names and contents of a file, or of all files in a folder. Names begin with the given one.
fn collect(path: &Path, name: &str, files: &mut Vec<(String, Vec<u8>)>) -> std::io::Result<()> {
    if !path.is_dir() {
        files.push((name.to_owned(), fs::read(path)?));
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let file_name = entry.file_name();
        let file_name = file_name.to_string_lossy();
        // Editors and file managers leave hidden files about.
        if !file_name.starts_with('.') {
            collect(&entry.path(), &format!("{name}/{file_name}"), files)?;
        }
    }
    Ok(())
}

/// Depends on each file's name and content, and not on the order in which they were found.
fn digest(mut files: Vec<(String, Vec<u8>)>) -> blake3::Hash {
    files.sort();
    let mut hasher = blake3::Hasher::new();
    for (name, content) in &files {
        for part in [name.as_bytes(), content] {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
    }
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(files: &[(&str, &str)]) -> blake3::Hash {
        digest(files.iter().map(|(name, content)| ((*name).to_owned(), content.as_bytes().to_vec())).collect())
    }

    #[test]
    fn a_digest_depends_on_names_and_contents_and_on_nothing_else() {
        let digest = files(&[("a", "one"), ("b", "two")]);
        assert_eq!(digest, files(&[("b", "two"), ("a", "one")]));
        assert_ne!(digest, files(&[("a", "one"), ("b", "changed")]));
        assert_ne!(digest, files(&[("a", "one"), ("c", "two")]));
        assert_ne!(digest, files(&[("a", "one"), ("b", "two"), ("c", "")]));
        assert_ne!(digest, files(&[("a", "onebtwo")]));
    }

    #[test]
    fn files_are_collected_from_all_folders_but_not_hidden_ones() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("inner")).unwrap();
        for name in ["lib.rs", "inner/json.rs", ".lib.rs.swp"] {
            fs::write(folder.path().join(name), name).unwrap();
        }
        let mut files = Vec::new();
        collect(folder.path(), "src", &mut files).unwrap();
        files.sort();
        let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["src/inner/json.rs", "src/lib.rs"]);
    }

    #[test]
    fn every_source_exists() {
        for guest in &GUESTS {
            let digest = guest.digest_of_sources();
            assert!(digest.is_ok(), "{}: {:#}", guest.name, digest.unwrap_err());
        }
    }
}
