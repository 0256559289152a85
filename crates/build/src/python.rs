//! Python sources.
//!
//! `componentize-py`, which is [installed](tools) once into a cache of our own, makes a component of CPython, the
//! [SDK](sdk) and the project, whose modules are imported while it is made. What is wrong with them is found by the SDK,
//! by the very Python that runs them later, and [told](componentize) with file and line.
//!
//! A component that was built before is [taken again](record) as long as nothing has changed that it was made from.

mod componentize;
mod error;
mod packages;
mod project;
mod record;
mod sdk;
mod tools;

pub use error::PythonError;
pub(crate) use project::Project;

use std::path::PathBuf;

use crate::{BuildError, Built, Options, Progress, Work};
use packages::Packages;
use record::Record;
use tools::Tools;

/// Builds a project.
pub(crate) fn build(project: &Project, options: &Options<'_>) -> Result<Built, BuildError> {
    let cache = cache_folder();
    let files = project.files()?;
    let record = Record::new(project, &files, &cache)?;
    let path = record.component().to_owned();
    if let Some(kept) = record.read() {
        return Ok(Built { path, bytes: kept.component, work: Work::Fresh, diagnostics: kept.diagnostics });
    }
    let tools = Tools::prepare(&cache, options)?;
    let packages = Packages::prepare(project, &tools, &cache, options)?;
    options.report(Progress::Compiling { project: &project.name });
    let made = componentize::run(project, &files, &tools, &packages)?;
    record.write(&made)?;
    Ok(Built { path, bytes: made.component, work: Work::Done, diagnostics: made.diagnostics })
}

/// The folder in which everything is kept that can be made again.
fn cache_folder() -> PathBuf {
    let named = std::env::var_os("AGENT_MEMORY_CACHE_DIR").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let own = || directories::ProjectDirs::from("", "", "agent-memory").map(|folders| folders.cache_dir().to_owned());
    let folder = named.or_else(own).unwrap_or_else(|| std::env::temp_dir().join("agent-memory"));
    std::path::absolute(&folder).unwrap_or(folder).join("python")
}
