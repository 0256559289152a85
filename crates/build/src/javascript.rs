//! JavaScript and TypeScript sources.
//!
//! A script for Node.js, which comes with this crate, bundles the sources with the SDK, learns from comments and types
//! what the functions are, and has componentize-js load all of it into an engine whose memory becomes a core module. See
//! `javascript/node`. What the script needs of npm is [installed](tools) once, into a cache of our own.
//!
//! A component that was built before is [taken again](record) as long as nothing has changed that it was made from.

mod error;
mod project;
mod record;
mod script;
mod tools;

pub use error::JavaScriptError;
pub(crate) use project::Project;

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wit_component::ComponentEncoder;

use crate::{BuildError, Built, Options, Progress, Work, cache};
use record::Record;
use tools::Tools;

/// Builds a project.
pub(crate) fn build(project: &Project, options: &Options<'_>) -> Result<Built, BuildError> {
    let cache = cache::folder(options).join("javascript");
    let record = Record::new(project, &cache);
    if let Some(kept) = record.read(project) {
        let (path, diagnostics) = (record.component().to_owned(), kept.diagnostics);
        return Ok(Built { path, bytes: kept.component, work: Work::Fresh, diagnostics });
    }
    let tools = Tools::prepare(&cache, options)?;
    options.report(Progress::Compiling { project: &project.name });
    let made = script::run(&tools, project)?;
    options.report(Progress::Encoding { project: &project.name });
    let bytes = encode(project, &made.module)?;
    record.write(project, &bytes, &made)?;
    Ok(Built { path: record.component().to_owned(), bytes, work: Work::Done, diagnostics: made.diagnostics })
}

/// Makes a component of the core module, with the way to WASI that its engine needs.
fn encode(project: &Project, module: &[u8]) -> Result<Vec<u8>, BuildError> {
    ComponentEncoder::default()
        .module(module)
        .and_then(|encoder| {
            encoder.adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER)
        })
        .and_then(|encoder| encoder.validate(true).encode())
        .map_err(|error| BuildError::Encode { project: project.name.clone(), reason: format!("{error:#}") })
}
