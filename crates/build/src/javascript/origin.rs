//! What decides what a component is: what builds it, the author's files, those that they import, and what is around them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::project::{Project, Source};
use super::script::Input;
use super::tools;

/// Files that decide which files are imported and how, beside those themselves.
const SETTINGS: [&str; 2] = ["package.json", "tsconfig.json"];

/// What a component was built from.
#[derive(Serialize, Deserialize)]
pub(super) struct Origin {
    tools: String,
    sources: Vec<Source>,
    inputs: Vec<Input>,
    /// The digest of what is around the files.
    surroundings: String,
}

impl Origin {
    /// The origin of what is built now from a project, which had these inputs.
    pub(super) fn new(project: &Project, inputs: Vec<Input>) -> Self {
        let surroundings = surroundings(project, &inputs);
        Self { tools: tools::DIGEST.clone(), sources: project.sources.clone(), inputs, surroundings }
    }

    /// Whether the project would be built from the same now.
    pub(super) fn is_current(&self, project: &Project) -> bool {
        self.tools == *tools::DIGEST
            && self.sources == project.sources
            && self.inputs.iter().all(|input| digest_of(&input.path).is_some_and(|digest| digest == input.sha256))
            && self.surroundings == surroundings(project, &self.inputs)
    }
}

/// A digest of what is around the author's files and decides which of them an import means: the names of the files in
/// their folders, and settings.
fn surroundings(project: &Project, inputs: &[Input]) -> String {
    let is_package = |path: &Path| path.components().any(|part| part.as_os_str() == "node_modules");
    let own = inputs.iter().map(|input| input.path.as_path()).filter(|path| !is_package(path));
    let sources = project.sources.iter().map(|source| source.path.as_path());
    let mut folders = BTreeSet::from([project.root.as_path()]);
    for path in own.chain(sources) {
        let above = path.ancestors().skip(1).take_while(|folder| folder.starts_with(&project.root));
        folders.extend(above);
        folders.extend(path.parent());
    }
    let mut hasher = Sha256::new();
    for folder in folders {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut names: Vec<_> = entries.map(|entry| entry.file_name()).collect();
        names.retain(|name| Project::is_source(Path::new(name)) || SETTINGS.iter().any(|setting| name == *setting));
        names.sort();
        hasher.update(folder.as_os_str().as_encoded_bytes());
        for name in names {
            hasher.update([0]);
            hasher.update(name.as_encoded_bytes());
        }
        for setting in SETTINGS {
            hasher.update([0]);
            hasher.update(digest_of(&folder.join(setting)).unwrap_or_default());
        }
    }
    hex(hasher)
}

fn digest_of(path: &Path) -> Option<String> {
    fs::read(path).ok().map(|content| hex(Sha256::new_with_prefix(content)))
}

fn hex(hasher: Sha256) -> String {
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    struct World {
        _folder: tempfile::TempDir,
        root: PathBuf,
        origin: Option<Origin>,
    }

    impl World {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let root = fs::canonicalize(folder.path()).unwrap();
            let mut world = Self { _folder: folder, root, origin: None };
            world.put("package.json", "{}");
            world.put("src/functions/book.js", "import './lib/shelf.js'");
            world.put("src/lib/shelf.js", "shelf");
            let inputs = vec![world.input("src/functions/book.js"), world.input("src/lib/shelf.js")];
            world.origin = Some(Origin::new(&world.project(), inputs));
            world
        }

        fn put(&self, name: &str, content: &str) {
            let path = self.root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }

        fn input(&self, name: &str) -> Input {
            let path = self.root.join(name);
            let sha256 = digest_of(&path).unwrap();
            Input { path, sha256 }
        }

        fn project(&self) -> Project {
            Project::of_folder(&self.root).unwrap()
        }

        fn is_current(&self) -> bool {
            self.origin.as_ref().unwrap().is_current(&self.project())
        }
    }

    #[test]
    fn what_is_no_part_of_an_agent_does_not_make_another_of_it() {
        let world = World::new();
        assert!(world.is_current());
        world.put("README.md", "of no account");
        world.put("src/notes.txt", "of no account");
        assert!(world.is_current());
    }

    #[test]
    fn every_change_that_matters_is_noticed() {
        for (name, content) in [
            ("src/functions/book.js", "changed"),
            ("src/lib/shelf.js", "changed"),
            ("src/functions/cancel.js", "another function"),
            ("src/lib/shelf.ts", "may be imported instead"),
            ("package.json", r#"{"type": "module"}"#),
            ("tsconfig.json", "{}"),
        ] {
            let world = World::new();
            world.put(name, content);
            assert!(!world.is_current(), "{name}");
        }
        let world = World::new();
        fs::remove_file(world.root.join("src/lib/shelf.js")).unwrap();
        assert!(!world.is_current());
    }
}
