//! Components that were built, each with a note beside it of what it was built from, so that it is built again only if
//! something of that has changed.

use std::fs::{self, File};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{BuildError, Built, Work, write_atomically};

/// How long a component is kept that nobody asks for.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Where the component of a project is kept. `Origin` is all that decides what the component is.
pub(crate) struct Record<Origin> {
    component: PathBuf,
    note: PathBuf,
    origin: PhantomData<Origin>,
}

/// The file beside the component. It is written last, and holds a digest of the component too, so that one that is
/// damaged, or was replaced by another process, is not taken for what this speaks of.
#[derive(Serialize, Deserialize)]
struct Note<Origin> {
    origin: Origin,
    /// The digest of the component.
    component: String,
    diagnostics: String,
}

impl<Origin: Serialize + DeserializeOwned> Record<Origin> {
    /// The record of the project that has this name, below a folder.
    pub(crate) fn new(folder: &Path, project: &[u8]) -> Self {
        let name = digest(project);
        let component = folder.join("components").join(name).with_added_extension("wasm");
        let note = component.with_extension("json");
        Self { component, note, origin: PhantomData }
    }

    /// The component, if what it was built from is what it would be built from now.
    pub(crate) fn read(&self, is_current: impl FnOnce(&Origin) -> bool) -> Option<Built> {
        let note: Note<Origin> = serde_json::from_slice(&fs::read(&self.note).ok()?).ok()?;
        if !is_current(&note.origin) {
            return None;
        }
        let bytes = fs::read(&self.component).ok()?;
        if digest(&bytes) != note.component {
            return None;
        }
        // So that it is not taken for one that nobody asks for.
        let _ = File::options().append(true).open(&self.note).and_then(|file| file.set_modified(SystemTime::now()));
        Some(Built { path: self.component.clone(), bytes, work: Work::Fresh, diagnostics: note.diagnostics })
    }

    /// Keeps a component.
    pub(crate) fn write(self, origin: Origin, bytes: Vec<u8>, diagnostics: String) -> Result<Built, BuildError> {
        let note = Note { origin, component: digest(&bytes), diagnostics };
        let written = serde_json::to_vec(&note)
            .map_err(|error| BuildError::Write { path: self.note.clone(), source: error.into() })?;
        for (path, content) in [(&self.component, &bytes), (&self.note, &written)] {
            write_atomically(path, content).map_err(|source| BuildError::Write { path: path.clone(), source })?;
        }
        self.forget_others();
        Ok(Built { path: self.component, bytes, work: Work::Done, diagnostics: note.diagnostics })
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
            let built = world.record().write("origin".to_owned(), b"component".to_vec(), "warning".to_owned()).unwrap();
            assert_eq!((built.bytes.as_slice(), built.diagnostics.as_str(), built.work), parts(Work::Done));
            world
        }

        fn record(&self) -> Record<String> {
            Record::new(self.0.path(), b"project")
        }

        fn read(&self, origin: &str) -> Option<Built> {
            self.record().read(|kept| kept == origin)
        }

        fn grow_old(&self) {
            let note = File::options().append(true).open(self.record().note).unwrap();
            note.set_modified(SystemTime::now() - KEPT - Duration::from_secs(60)).unwrap();
        }
    }

    fn parts(work: Work) -> (&'static [u8], &'static str, Work) {
        (b"component", "warning", work)
    }

    #[test]
    fn what_was_built_is_taken_again_with_what_was_said_of_it() {
        let world = World::new();
        let built = world.read("origin").unwrap();
        assert_eq!((built.bytes.as_slice(), built.diagnostics.as_str(), built.work), parts(Work::Fresh));
        assert_eq!(fs::read(built.path).unwrap(), b"component");
        assert!(world.read("another origin").is_none());
        assert!(Record::<String>::new(world.0.path(), b"another project").read(|_| true).is_none());
    }

    #[test]
    fn a_damaged_component_is_built_again() {
        let world = World::new();
        fs::write(world.record().component, b"compo").unwrap();
        assert!(world.read("origin").is_none());
    }

    #[test]
    fn what_nobody_asks_for_is_forgotten() {
        let world = World::new();
        world.grow_old();
        assert!(world.read("origin").is_some(), "asking for it makes it young again");
        world.record().forget_others();
        assert!(world.read("origin").is_some());
        world.grow_old();
        world.record().forget_others();
        assert!(!world.record().note.exists() && !world.record().component.exists());
    }
}
