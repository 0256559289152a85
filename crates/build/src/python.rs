//! Python sources.
//!
//! `componentize-py`, which is [installed](tools) once into a cache of our own, makes a component of CPython, the
//! [SDK](sdk) and the project, whose modules are imported while it is made. What is wrong with them is found by the SDK,
//! by the very Python that runs them later, and [told](componentize) with file and line.
//!
//! A component that was built before is [taken again](crate::record) as long as nothing has changed that it was made from.

mod componentize;
mod error;
mod packages;
mod project;
mod sdk;
mod tools;

pub use error::PythonError;
pub(crate) use project::Project;

use std::fs;

use crate::record::Record;
use crate::{BuildError, Built, Options, Progress, cache};
use componentize::Remark;
use packages::Packages;
use project::SourceFile;
use tools::Tools;

/// Builds a project.
pub(crate) fn build(project: &Project, options: &Options<'_>) -> Result<Built, BuildError> {
    let cache = cache::folder(options).join("python");
    let files = project.files()?;
    let origin = origin(project, &files)?;
    let record = Record::new(&cache, project.identity().as_os_str().as_encoded_bytes());
    if let Some(built) = record.read(|kept| *kept == origin) {
        return Ok(worded(built, project));
    }
    let tools = Tools::prepare(&cache, options)?;
    let packages = Packages::prepare(project, &tools, &cache, options)?;
    options.report(Progress::Compiling { project: &project.name });
    let made = componentize::run(project, &files, &tools, &packages)?;
    let warnings = serde_json::to_string(&made.warnings).unwrap_or_default();
    Ok(worded(record.write(origin, made.component, warnings)?, project))
}

/// What was built, with its warnings in words. They are kept without, for files are told as the project is named now.
fn worded(built: Built, project: &Project) -> Built {
    let warnings: Vec<Remark> = serde_json::from_str(&built.diagnostics).unwrap_or_default();
    let words: Vec<_> = warnings.iter().map(|remark| format!("warning: {}\n", remark.in_words(project))).collect();
    Built { diagnostics: words.concat(), ..built }
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

#[cfg(test)]
mod tests {
    use super::*;

    struct World(tempfile::TempDir);

    impl World {
        fn new() -> Self {
            let world = Self(tempfile::tempdir().unwrap());
            world.put("functions/book.py", "def book(conv): pass");
            world.put("requirements.txt", "isodate");
            world
        }

        fn put(&self, name: &str, content: &str) {
            let path = self.0.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }

        fn origin(&self) -> String {
            let project = Project::of_folder(self.0.path()).unwrap();
            origin(&project, &project.files().unwrap()).unwrap()
        }
    }

    #[test]
    fn what_is_no_part_of_an_agent_does_not_make_another_of_it() {
        let world = World::new();
        let origin = world.origin();
        world.put("scenario.yaml", "of no account");
        world.put("tests/test_book.py", "of no account");
        world.put("agent_settings/experimental_config.json", "of no account");
        assert_eq!(world.origin(), origin);
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
            let origin = world.origin();
            world.put(name, content);
            assert_ne!(world.origin(), origin, "{name}");
        }
    }
}
