//! Why JavaScript cannot be built, where the sources are not at fault.

use std::path::PathBuf;

/// Why JavaScript or TypeScript cannot be built, where the sources are not at fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JavaScriptError {
    /// The folder has no functions where they are looked for.
    #[error(
        "{path} has no functions: put each into a file of its name in `src/functions`, or name the file that exports \
         them in package.json, as in `\"main\": \"src/index.js\"`",
        path = path.display()
    )]
    NoFunctions {
        /// The folder.
        path: PathBuf,
    },
    /// A project's package.json cannot be read, or names a file that is not there.
    #[error("{path}: {problem}", path = path.display())]
    Package {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// There is no Node.js, or not all of it.
    #[error("there is no program `{program}` on the search path, which JavaScript is built with{INSTALL}")]
    NoNode {
        /// The program.
        program: &'static str,
    },
    /// Node.js is too old.
    #[error("`node` on the search path is {found}, which is too old to build JavaScript with{INSTALL}")]
    OldNode {
        /// What it says its version is.
        found: String,
    },
    /// What Node.js needs could not be installed.
    #[error("what builds JavaScript could not be installed: `{command}` in {folder} failed:\n{output}", folder = folder.display())]
    Install {
        /// The command.
        command: String,
        /// Where it ran.
        folder: PathBuf,
        /// What it printed.
        output: String,
    },
    /// The script that builds JavaScript did not come to its end.
    #[error("building {project} came to no end that we know of; please report this:\n{output}")]
    Script {
        /// The project's name.
        project: String,
        /// What it printed.
        output: String,
    },
}

const INSTALL: &str = ": install Node.js 20 or later, as https://nodejs.org/en/download says, or type one of these\n  \
                       brew install node\n  \
                       apt-get update && apt-get install -y nodejs npm   (as root, on Debian 13 or later)";
