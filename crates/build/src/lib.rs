//! Builds the sources of functions into WebAssembly components.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use agent_memory_build::{Options, build};
//!
//! let built = build(Path::new("examples/cheese-shop"), &Options::default())?;
//! println!("{} bytes in {}", built.bytes.len(), built.path.display());
//! # Ok::<(), agent_memory_build::BuildError>(())
//! ```
//!
//! What is built already is passed through, so that a caller need not know which of the two it was given.
//!
//! - A **Rust** project is built by cargo for `wasm32-unknown-unknown`, which has no WASI imports at all, and then
//!   encoded as a component. Whatever the machine lacks for that is fetched first: see [`toolchain`].
//! - **Python** is built by `componentize-py`, **JavaScript and TypeScript** by esbuild and `componentize-js`. They are
//!   installed into a cache of our own, pinned by digests, by the Python or Node.js that has to be there.
//!
//! Nothing is built again whose sources, tools and SDK are what they were. A build that is interrupted leaves nothing
//! behind that a later one would take for finished.

mod cache;
mod component;
mod error;
mod files;
mod javascript;
mod process;
mod progress;
mod python;
mod record;
mod rust;
mod source;
pub mod toolchain;

pub use cache::write_atomically;
pub use error::BuildError;
pub use javascript::JavaScriptError;
pub use progress::Progress;
pub use python::PythonError;

use std::path::{Path, PathBuf};

use source::Source;
use toolchain::Way;

/// How to build.
#[derive(Clone, Copy, Default)]
pub struct Options<'a> {
    /// The way to the wasm target. None: what the variable [`toolchain::VARIABLE`] says, or the first that works.
    pub way: Option<Way>,
    /// Whether compilers may colour what they print.
    pub color: bool,
    /// Where to keep what can be made again: tools that were installed, and components. None: in the folder that the
    /// variable `AGENT_MEMORY_CACHE_DIR` names, or else in the user's cache. Rust projects have a folder of their own.
    pub cache: Option<&'a Path>,
    /// Is told of each step. What a terminal shows, and a pipe does not.
    pub progress: Option<&'a dyn Fn(Progress<'_>)>,
}

impl Options<'_> {
    fn report(&self, progress: Progress<'_>) {
        if let Some(report) = self.progress {
            report(progress);
        }
    }
}

/// A component.
#[derive(Clone, PartialEq, Eq)]
pub struct Built {
    /// The file that it is in. For a project, a later build may replace it.
    pub path: PathBuf,
    /// The component.
    pub bytes: Vec<u8>,
    /// What had to be done.
    pub work: Work,
    /// What compilers remarked, warnings above all, as they printed it. Empty if nothing.
    pub diagnostics: String,
}

/// What had to be done for a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Nothing: the path was that of a component.
    Given,
    /// Nothing: it was built before, and no source has changed since.
    Fresh,
    /// It was compiled or encoded.
    Done,
}

impl std::fmt::Debug for Built {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Built")
            .field("path", &self.path)
            .field("bytes", &self.bytes.len())
            .field("work", &self.work)
            .field("diagnostics", &self.diagnostics)
            .finish()
    }
}

/// Builds what is at a path into a component.
///
/// The path is one of:
/// - a file that ends in `.wasm` or begins as WebAssembly does: it is passed through unread, and whether it is a
///   component is for the one who loads it to say;
/// - a folder with a `Cargo.toml`, or the path of one, of a package whose library is a `cdylib`.
///
/// A Rust package is compiled with the profile `guest` of its workspace. Where the workspace has none, one that is
/// small and fast stands in for it, made from `release`: whole-program optimisation, no unwinding, no symbols.
/// Paths of this machine do not get into the component. Cargo puts its files into the folder `wasm` of the
/// workspace's target folder, so that builds for the host and for wasm never wait for, or undo, one another.
///
/// # Errors
///
/// Everything that a reader can do something about has a case of its own in [`BuildError`], and the message says
/// what.
pub fn build(path: &Path, options: &Options<'_>) -> Result<Built, BuildError> {
    match Source::find(path)? {
        Source::Component(bytes) => {
            Ok(Built { path: path.to_owned(), bytes, work: Work::Given, diagnostics: String::new() })
        }
        Source::Rust { manifest } => rust::build(&manifest, options),
        Source::JavaScript(project) => javascript::build(&project, options),
        Source::Python(project) => python::build(&project, options),
    }
}
