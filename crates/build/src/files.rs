//! Files that are part of this crate, and are put into folders of the cache for the programs that need them there.

use std::fs;
use std::path::Path;

use crate::BuildError;

/// Files with their content, by name, in a folder of their own.
pub(crate) type Files = &'static [(&'static str, &'static str)];

/// Files of a folder of the repository.
macro_rules! files {
    ($folder:literal: $($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../", $folder, "/", $name)))),+]
    };
}
pub(crate) use files;

/// The contract.
pub(crate) const CONTRACT: Files = files!("wit":
    "conversation.wit",
    "functions.wit",
    "memory.wit",
    "policy.wit",
    "state.wit",
    "worlds.wit",
);

/// Writes files into a folder.
pub(crate) fn write(files: Files, folder: &Path) -> Result<(), BuildError> {
    for (name, content) in files {
        let path = folder.join(name);
        let written = |source| BuildError::Write { path: path.clone(), source };
        fs::create_dir_all(path.parent().unwrap_or(folder)).map_err(written)?;
        fs::write(&path, content).map_err(written)?;
    }
    Ok(())
}

/// A name for what is in files.
pub(crate) fn digest(all: &[Files]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in all.iter().copied().flatten().flat_map(|(name, content)| [name, content]) {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
    }
    hasher.finalize().to_hex().chars().take(16).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Checks that lists have all files of a folder of the repository but those whose names, or whose folders' names, are
    /// left out.
    pub(crate) fn is_all_of(folder: &str, lists: &[Files], left_out: &[&str]) {
        let mut names = Vec::new();
        found(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder), "", left_out, &mut names);
        names.sort();
        let mut listed: Vec<_> = lists.iter().copied().flatten().map(|(name, _)| (*name).to_owned()).collect();
        listed.sort();
        assert_eq!(listed, names);
    }

    fn found(folder: &Path, above: &str, left_out: &[&str], names: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{above}{}", entry.file_name().into_string().unwrap());
            if left_out.contains(&&*name) {
                continue;
            }
            if entry.path().is_dir() {
                found(&entry.path(), &format!("{name}/"), left_out, names);
            } else if !name.ends_with(".pyc") {
                names.push(name);
            }
        }
    }

    #[test]
    fn no_file_of_the_contract_is_left_out() {
        is_all_of("wit", &[CONTRACT], &[]);
    }

    #[test]
    fn a_digest_is_of_names_and_contents() {
        let digests = [
            digest(&[&[("a", "bc")]]),
            digest(&[&[("ab", "c")]]),
            digest(&[&[("a", "b")], &[("c", "")]]),
            digest(&[&[("a", "b"), ("c", "d")]]),
        ];
        for (index, one) in digests.iter().enumerate() {
            assert!(!digests[..index].contains(one));
        }
    }
}
