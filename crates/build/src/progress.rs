//! What a build is doing.

use std::fmt;

/// A step of a build that takes time. Its `Display` is a line for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// Something that the machine lacks is being fetched, by this command.
    Fetching {
        /// The command.
        command: &'a str,
    },
    /// A project is being compiled.
    Compiling {
        /// The project's name.
        project: &'a str,
    },
    /// The compiler has finished one of the project's packages.
    Compiled {
        /// The package's name.
        package: &'a str,
    },
    /// The compiler's output is being made into a component.
    Encoding {
        /// The project's name.
        project: &'a str,
    },
}

impl fmt::Display for Progress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fetching { command } => write!(f, "fetching what wasm needs: {command}"),
            Self::Compiling { project } => write!(f, "compiling {project} for wasm"),
            Self::Compiled { package } => write!(f, "compiled {package}"),
            Self::Encoding { project } => write!(f, "making {project} a component"),
        }
    }
}
