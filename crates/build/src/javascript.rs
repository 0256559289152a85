//! JavaScript and TypeScript sources.
//!
//! A script for Node.js, which comes with this crate, bundles the sources with the SDK, learns from comments and types
//! what the functions are, and has componentize-js load all of it into an engine whose memory becomes a core module. See
//! `javascript/node`. What the script needs of npm is [installed](tools) once, into a cache of our own.
//!
//! A component that was built before is [taken again](crate::record) as long as nothing has changed that it was made from.

mod error;
mod origin;
mod project;
mod script;
mod tools;

pub use error::JavaScriptError;
pub(crate) use project::Project;

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wit_component::ComponentEncoder;

use crate::record::Record;
use crate::{BuildError, Built, Options, Progress, cache};
use origin::Origin;
use script::Limits;
use tools::Tools;

/// Builds a project.
pub(crate) fn build(project: &Project, options: &Options<'_>) -> Result<Built, BuildError> {
    let cache = cache::folder(options).join("javascript");
    let record = Record::new(&cache, &project.identity());
    if let Some(built) = record.read(|origin: &Origin| origin.is_current(project)) {
        return Ok(built);
    }
    let tools = Tools::prepare(&cache, options)?;
    options.report(Progress::Compiling { project: &project.name });
    let made = script::run(&tools, project, Limits::USUAL)?;
    options.report(Progress::Encoding { project: &project.name });
    let bytes = encode(project, &made.module)?;
    record.write(Origin::new(project, made.inputs), bytes, made.diagnostics)
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
