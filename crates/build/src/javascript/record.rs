//! What a component was built from, kept beside it, so that it is built again only if something of that has changed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::project::{Project, Source};
use super::script::{Input, Made};
use super::tools;
use crate::{BuildError, write_atomically};

/// How long a component is kept that nobody asks for.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Files that decide which files are imported and how, beside those themselves.
const SETTINGS: [&str; 2] = ["package.json", "tsconfig.json"];

/// Where the component of a project is, and what it was made from.
pub(super) struct Record {
    component: PathBuf,
    note: PathBuf,
}

/// What was kept.
pub(super) struct Kept {
    pub(super) component: Vec<u8>,
    pub(super) diagnostics: String,
}

/// The file beside the component. It is written last, and holds a digest of the component too, so that one that is
/// damaged, or was replaced by another process, is not taken for what this speaks of.
#[derive(Serialize, Deserialize)]
struct Note {
    tools: String,
    sources: Vec<Source>,
    inputs: Vec<Input>,
    /// The digest of what is around the files.
    surroundings: String,
    /// The digest of the component.
    component: String,
    diagnostics: String,
}

impl Record {
    /// The record of a project.
    pub(super) fn new(project: &Project, cache: &Path) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(project.root.as_os_str().as_encoded_bytes());
        for source in &project.sources {
            hasher.update([0]);
            hasher.update(source.path.as_os_str().as_encoded_bytes());
        }
        let name = hex(hasher);
        let component = cache.join("components").join(name).with_added_extension("wasm");
        let note = component.with_extension("json");
        Self { component, note }
    }

    /// The component's file.
    pub(super) fn component(&self) -> &Path {
        &self.component
    }

    /// The component, if nothing has changed since it was built.
    pub(super) fn read(&self, project: &Project) -> Option<Kept> {
        let note: Note = serde_json::from_slice(&fs::read(&self.note).ok()?).ok()?;
        let is_current = note.tools == *tools::DIGEST
            && note.sources == project.sources
            && note.inputs.iter().all(|input| digest_of(&input.path).is_some_and(|digest| digest == input.sha256))
            && note.surroundings == surroundings(project, &note.inputs);
        if !is_current {
            return None;
        }
        let component = fs::read(&self.component).ok()?;
        if digest(&component) != note.component {
            return None;
        }
        // So that it is not taken for one that nobody asks for.
        let _ = fs::File::options().append(true).open(&self.note).and_then(|file| file.set_modified(SystemTime::now()));
        Some(Kept { component, diagnostics: note.diagnostics })
    }

    /// Keeps a component.
    pub(super) fn write(&self, project: &Project, component: &[u8], made: &Made) -> Result<(), BuildError> {
        let note = Note {
            tools: tools::DIGEST.clone(),
            sources: project.sources.clone(),
            inputs: made.inputs.clone(),
            surroundings: surroundings(project, &made.inputs),
            component: digest(component),
            diagnostics: made.diagnostics.clone(),
        };
        let note = serde_json::to_vec(&note)
            .map_err(|error| BuildError::Write { path: self.note.clone(), source: error.into() })?;
        for (path, content) in [(&self.component, component), (&self.note, &note)] {
            write_atomically(path, content).map_err(|source| BuildError::Write { path: path.clone(), source })?;
        }
        self.forget_others();
        Ok(())
    }

    /// Removes components that nobody has asked for in a while. That one cannot be removed is no reason to fail.
    fn forget_others(&self) {
        let files = self.note.parent().and_then(|folder| fs::read_dir(folder).ok()).into_iter().flatten().flatten();
        for path in files.map(|file| file.path()).filter(|path| path.extension().is_some_and(|it| it == "json")) {
            let used = path.metadata().and_then(|metadata| metadata.modified());
            if used.is_ok_and(|used| used.elapsed().is_ok_and(|since| since > KEPT)) {
                let _ = fs::remove_file(&path);
                let _ = fs::remove_file(path.with_extension("wasm"));
            }
        }
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
    fs::read(path).ok().map(|content| digest(&content))
}

fn digest(content: &[u8]) -> String {
    hex(Sha256::new_with_prefix(content))
}

fn hex(hasher: Sha256) -> String {
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct World {
        _folder: tempfile::TempDir,
        root: PathBuf,
    }

    impl World {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let root = fs::canonicalize(folder.path()).unwrap();
            let world = Self { _folder: folder, root };
            world.put("project/package.json", "{}");
            world.put("project/src/functions/book.js", "import './lib/shelf.js'");
            world.put("project/src/lib/shelf.js", "shelf");
            world.record().write(&world.project(), b"component", &world.made()).unwrap();
            world
        }

        fn put(&self, name: &str, content: &str) {
            let path = self.root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }

        fn project(&self) -> Project {
            Project::of_folder(&self.root.join("project")).unwrap()
        }

        fn record(&self) -> Record {
            Record::new(&self.project(), &self.root.join("cache"))
        }

        fn made(&self) -> Made {
            let input = |name: &str| {
                let path = self.root.join(name);
                let sha256 = digest_of(&path).unwrap();
                Input { path, sha256 }
            };
            let inputs = vec![input("project/src/functions/book.js"), input("project/src/lib/shelf.js")];
            Made { module: Vec::new(), inputs, diagnostics: "warning: x".to_owned() }
        }

        fn kept(&self) -> Option<(Vec<u8>, String)> {
            self.record().read(&self.project()).map(|kept| (kept.component, kept.diagnostics))
        }
    }

    #[test]
    fn what_was_built_is_taken_again_with_what_was_said_of_it() {
        let world = World::new();
        assert_eq!(world.kept(), Some((b"component".to_vec(), "warning: x".to_owned())));
        world.put("project/README.md", "of no account");
        world.put("project/src/notes.txt", "of no account");
        assert!(world.kept().is_some());
    }

    #[test]
    fn every_change_that_matters_is_noticed() {
        for (name, content) in [
            ("project/src/functions/book.js", "changed"),
            ("project/src/lib/shelf.js", "changed"),
            ("project/src/functions/cancel.js", "another function"),
            ("project/src/lib/shelf.ts", "may be imported instead"),
            ("project/package.json", r#"{"type": "module"}"#),
            ("project/tsconfig.json", "{}"),
        ] {
            let world = World::new();
            world.put(name, content);
            assert_eq!(world.kept(), None, "{name}");
        }
        let world = World::new();
        fs::remove_file(world.root.join("project/src/lib/shelf.js")).unwrap();
        assert_eq!(world.kept(), None);
    }

    #[test]
    fn a_damaged_component_is_built_again() {
        let world = World::new();
        fs::write(world.record().component(), b"compo").unwrap();
        assert_eq!(world.kept(), None);
    }

    #[test]
    fn what_nobody_asks_for_is_forgotten() {
        let world = World::new();
        let old = world.record().note;
        let long_ago = SystemTime::now() - KEPT - Duration::from_secs(60);
        fs::File::options().append(true).open(&old).unwrap().set_modified(long_ago).unwrap();
        assert!(world.kept().is_some(), "asking for it makes it young again");
        world.record().forget_others();
        assert!(old.exists());
        fs::File::options().append(true).open(&old).unwrap().set_modified(long_ago).unwrap();
        world.record().forget_others();
        assert!(!old.exists() && !world.record().component().exists());
    }
}
