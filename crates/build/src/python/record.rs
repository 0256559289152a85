//! Components that were built, with a note of what each was built from.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::Project;
use super::componentize::Made;
use super::project::SourceFile;
use super::tools;
use crate::{BuildError, write_atomically};

/// How long a component is kept that nobody asks for.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Where the component of a project is, and what it is to be made from.
pub(super) struct Record {
    component: PathBuf,
    note: PathBuf,
    origin: String,
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
    origin: String,
    component: String,
    diagnostics: String,
}

impl Record {
    /// The record of a project that consists of these files.
    pub(super) fn new(project: &Project, files: &[SourceFile], cache: &Path) -> Result<Self, BuildError> {
        let place = blake3::hash(project.identity().as_os_str().as_encoded_bytes());
        let component = cache.join("components").join(place.to_hex().as_str()).with_added_extension("wasm");
        let note = component.with_extension("json");
        Ok(Self { component, note, origin: origin(project, files)? })
    }

    /// The component's file.
    pub(super) fn component(&self) -> &Path {
        &self.component
    }

    /// The component, if nothing has changed since it was built.
    pub(super) fn read(&self) -> Option<Kept> {
        let note: Note = serde_json::from_slice(&fs::read(&self.note).ok()?).ok()?;
        if note.origin != self.origin {
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
    pub(super) fn write(&self, made: &Made) -> Result<(), BuildError> {
        let note = Note {
            origin: self.origin.clone(),
            component: digest(&made.component),
            diagnostics: made.diagnostics.clone(),
        };
        let note = serde_json::to_vec(&note)
            .map_err(|error| BuildError::Write { path: self.note.clone(), source: error.into() })?;
        for (path, content) in [(&self.component, &made.component), (&self.note, &note)] {
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

/// A digest of all that decides what the component is: the files, the requirements, the layout, and what builds it.
fn origin(project: &Project, files: &[SourceFile]) -> Result<String, BuildError> {
    let mut hasher = blake3::Hasher::new();
    let mut add = |part: &[u8]| {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    };
    add(tools::DIGEST.as_bytes());
    add(project.kind.name().as_bytes());
    for file in files {
        add(file.name.as_bytes());
        add(&file.content);
    }
    if let Some(path) = project.requirements() {
        add(&fs::read(&path).map_err(|source| BuildError::Read { path, source })?);
    }
    Ok(hasher.finalize().to_hex().to_string())
}

fn digest(content: &[u8]) -> String {
    blake3::hash(content).to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct World(tempfile::TempDir);

    impl World {
        fn new() -> Self {
            let world = Self(tempfile::tempdir().unwrap());
            world.put("functions/book.py", "def book(conv): pass");
            world.put("requirements.txt", "isodate");
            world.record().write(&Made { component: b"component".to_vec(), diagnostics: "warning".into() }).unwrap();
            world
        }

        fn put(&self, name: &str, content: &str) {
            let path = self.0.path().join("project").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }

        fn record(&self) -> Record {
            let project = Project::of_folder(&self.0.path().join("project")).unwrap();
            Record::new(&project, &project.files().unwrap(), &self.0.path().join("cache")).unwrap()
        }

        fn kept(&self) -> Option<(Vec<u8>, String)> {
            self.record().read().map(|kept| (kept.component, kept.diagnostics))
        }
    }

    #[test]
    fn what_was_built_is_taken_again_with_what_was_said_of_it() {
        let world = World::new();
        assert_eq!(world.kept(), Some((b"component".to_vec(), "warning".to_owned())));
        world.put("scenario.yaml", "of no account");
        world.put("tests/test_book.py", "of no account");
        world.put("agent_settings/experimental_config.json", "of no account");
        assert!(world.kept().is_some());
    }

    #[test]
    fn every_change_that_matters_is_noticed() {
        for (name, content) in [
            ("functions/book.py", "changed"),
            ("functions/cancel.py", "another function"),
            ("functions/prices.json", "{}"),
            ("requirements.txt", "changed"),
        ] {
            let world = World::new();
            world.put(name, content);
            assert_eq!(world.kept(), None, "{name}");
        }
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
        let note = world.record().note;
        let long_ago = SystemTime::now() - KEPT - Duration::from_secs(60);
        fs::File::options().append(true).open(&note).unwrap().set_modified(long_ago).unwrap();
        world.record().forget_others();
        assert!(!note.exists() && !world.record().component().exists());
    }
}
