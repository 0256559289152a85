//! Why Python cannot be built, where the sources are not at fault.

use std::path::PathBuf;
use std::time::Duration;

/// Why Python cannot be built, where the sources are not at fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PythonError {
    /// There is no Python that is new enough.
    #[error("{found}{INSTALL}")]
    NoPython {
        /// What was found in its place, as a sentence without its end.
        found: String,
    },
    /// What builds Python could not be installed.
    #[error("what builds Python could not be installed: `{command}` failed:\n{output}{ADVICE}")]
    Install {
        /// The command.
        command: String,
        /// What it printed.
        output: String,
    },
    /// A project's requirements could not be installed, and no line of them is at fault.
    #[error("{path} could not be installed:\n{output}", path = path.display())]
    Requirements {
        /// The file.
        path: PathBuf,
        /// What was printed.
        output: String,
    },
    /// What builds Python did not come to its end.
    #[error("building {project} came to no end that we know of; please report this:\n{output}")]
    Broken {
        /// The project's name.
        project: String,
        /// What was printed.
        output: String,
    },
    /// The project took too long to be imported.
    #[error(
        "{project} was not imported within {} s: is there work without an end outside of its functions?", limit.as_secs()
    )]
    TooSlow {
        /// The project's name.
        project: String,
        /// The longest time allowed.
        limit: Duration,
    },
}

const INSTALL: &str = ": install Python 3.10 or later, as https://www.python.org/downloads says, or type one of these\n  \
                       brew install python\n  \
                       apt-get update && apt-get install -y python3-venv   (as root, on Debian 12 or later)";

const ADVICE: &str = "\nIf it says that there is no `ensurepip`, type `apt-get install -y python3-venv` as root; if it says \
                      that there is no connection, give pip one, such as by the variable `PIP_INDEX_URL`";
