//! Why a build has no component.

use std::io;
use std::path::PathBuf;

use crate::javascript::JavaScriptError;
use crate::python::PythonError;
use crate::toolchain::ToolchainError;

/// Why a build has no component.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// There is nothing at the path.
    #[error("{path} does not exist: give {SUPPORTED}", path = path.display())]
    NotFound {
        /// The path.
        path: PathBuf,
    },
    /// What is at the path cannot be built.
    #[error("{path} is {found}, of which no functions can be built: give {SUPPORTED}", path = path.display())]
    Unsupported {
        /// The path.
        path: PathBuf,
        /// What is there, as a noun.
        found: &'static str,
    },
    /// The path is that of a workspace without a package of its own.
    #[error(
        "{path} is a workspace and no package: give the folder of one of its packages{list}",
        path = path.display(), list = list(packages)
    )]
    Workspace {
        /// The manifest.
        path: PathBuf,
        /// The folders of its packages whose library is a `cdylib`.
        packages: Vec<PathBuf>,
    },
    /// The package has no library that becomes a wasm module.
    #[error("{path} has no `cdylib`: add the lines\n[lib]\ncrate-type = [\"cdylib\"]", path = path.display())]
    NotCdylib {
        /// The manifest.
        path: PathBuf,
    },
    /// Cargo cannot make sense of the project.
    #[error("cargo cannot read the project {path}:\n{output}", path = path.display())]
    Project {
        /// The manifest.
        path: PathBuf,
        /// What cargo printed.
        output: String,
    },
    /// The project does not compile.
    #[error("{project} does not compile:\n{output}")]
    Compile {
        /// The project's name.
        project: String,
        /// What cargo printed.
        output: String,
    },
    /// The project compiles and exports nothing, and so says nowhere which world it is for.
    #[error(
        "{project} exports no functions: name them in `agent_memory_sdk::export!(...)`, each with the attribute \
         `#[agent_memory_sdk::function]`; or use `wit_bindgen::generate!` and its `export!`"
    )]
    NoWorld {
        /// The project's name.
        project: String,
    },
    /// The compiler's output cannot be made into a component.
    #[error("{project} cannot be made into a component: {reason}")]
    Encode {
        /// The project's name.
        project: String,
        /// What does not fit.
        reason: String,
    },
    /// The machine cannot compile for wasm.
    #[error(transparent)]
    Toolchain(#[from] ToolchainError),
    /// JavaScript cannot be built, and the sources are not at fault.
    #[error(transparent)]
    JavaScript(#[from] JavaScriptError),
    /// Python cannot be built, and the sources are not at fault.
    #[error(transparent)]
    Python(#[from] PythonError),
    /// A file or folder cannot be read.
    #[error("{path} cannot be read: {source}", path = path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("{path} cannot be written: {source}", path = path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

const SUPPORTED: &str = "a component (.wasm), a file in Python, JavaScript or TypeScript, or a project's folder (in Rust, one whose library is a \
     `cdylib`)";

fn list(packages: &[PathBuf]) -> String {
    packages.iter().map(|package| format!("\n  {}", package.display())).collect()
}
