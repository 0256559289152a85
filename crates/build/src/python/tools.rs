//! What builds Python: an interpreter, which has to be there, and packages, which are installed once.
//!
//! The packages and the SDK have a folder that is named by a digest of what is to be in it. It is made beside and moved
//! into place when it is complete, so that what an interruption leaves is never used.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use super::PythonError;
use super::sdk;
use crate::cache::{put_in_place, take_turn};
use crate::files::{self, Files, files};
use crate::{BuildError, Options, Progress, process};

/// Names a Python to be used.
const VARIABLE: &str = "AGENT_MEMORY_PYTHON";

/// Where a Python is looked for.
const PROGRAMS: [&str; 7] = ["python3", "python", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10"];

/// The oldest Python that everything runs on: its major and minor version.
const OLDEST: (u32, u32) = (3, 10);

/// Our own scripts, and what is installed, with digests.
const SCRIPTS: Files = files!("crates/build/src/python/tools": "bundle.py", "requirements.txt");

/// The settings of somebody's own Python and pip, which are not for ours.
const UNWANTED: [&str; 9] = [
    "PIP_PREFIX",
    "PIP_REQUIRE_VIRTUALENV",
    "PIP_TARGET",
    "PIP_USER",
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "VIRTUAL_ENV",
    "__PYVENV_LAUNCHER__",
];

/// A digest of all that a component is built with, beside its sources.
pub(super) static DIGEST: LazyLock<String> =
    LazyLock::new(|| format!("{}-{}", files::digest(&[SCRIPTS, sdk::SDK, files::CONTRACT]), env!("CARGO_PKG_VERSION")));

/// Everything that builds Python, ready for use.
pub(super) struct Tools {
    folder: PathBuf,
}

impl Tools {
    /// Finds it. What is missing is installed into the cache.
    pub(super) fn prepare(cache: &Path, options: &Options<'_>) -> Result<Self, BuildError> {
        let folder = cache.join("tools").join(files::digest(&[SCRIPTS]));
        if !folder.is_dir() {
            // Another process may be installing the same: look again once it is our turn.
            let _turn = take_turn(cache)?;
            if !folder.is_dir() {
                let python = find_python()?;
                put_in_place(&folder, |beside| install(&python, beside, options))?;
            }
        }
        Ok(Self { folder })
    }

    /// The interpreter, without the settings of others.
    pub(super) fn python(&self) -> Command {
        let mut command = clean(&interpreter(&self.folder.join("venv")));
        command.env("PYTHONPATH", self.packages()).env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    /// The folder of the packages that were installed.
    pub(super) fn packages(&self) -> PathBuf {
        self.folder.join("packages")
    }

    /// The script that installs a project's requirements.
    pub(super) fn bundle_script(&self) -> PathBuf {
        self.folder.join("bundle.py")
    }
}

/// Installs the packages into a folder, with an environment of their own.
fn install(python: &Path, folder: &Path, options: &Options<'_>) -> Result<(), BuildError> {
    files::write(SCRIPTS, folder)?;
    let requirements = folder.join("requirements.txt");
    let environment = folder.join("venv");
    let first = format!("{} -m venv", python.display());
    options.report(Progress::Fetching { command: &first });
    run(&first, clean(python).args(["-m", "venv"]).arg(&environment))?;

    let second = "pip install componentize-py tzdata pydantic typing-extensions";
    options.report(Progress::Fetching { command: second });
    let mut pip = clean(&interpreter(&environment));
    pip.args(["-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--no-color", "--quiet"])
        .args(["--no-deps", "--only-binary=:all:", "--no-compile", "--require-hashes", "--requirement"])
        .arg(&requirements)
        .arg("--target")
        .arg(folder.join("packages"));
    run(second, &mut pip)
}

fn run(name: &str, command: &mut Command) -> Result<(), BuildError> {
    let failed = |output: String| PythonError::Install { command: name.to_owned(), output };
    match command.stdin(Stdio::null()).output() {
        Ok(output) if output.status.success() => Ok(()),
        // Python's own installer says on standard output what is missing.
        Ok(output) => {
            let texts = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).trim().to_owned());
            Err(failed(texts.join("\n").trim().to_owned()).into())
        }
        Err(error) => Err(failed(process::not_started(command.get_program(), &error)).into()),
    }
}

/// Finds a Python that is new enough.
fn find_python() -> Result<PathBuf, BuildError> {
    if let Some(named) = std::env::var_os(VARIABLE).filter(|named| !named.is_empty()) {
        let named = PathBuf::from(named);
        return match version(&named) {
            Some(found) if found >= OLDEST => Ok(named),
            Some((major, minor)) => {
                let found = format!("{VARIABLE} is {}, which is Python {major}.{minor} and too old", named.display());
                Err(PythonError::NoPython { found }.into())
            }
            None => {
                let found = format!("{VARIABLE} is {}, which is no Python", named.display());
                Err(PythonError::NoPython { found }.into())
            }
        };
    }
    let mut old = None;
    for program in PROGRAMS {
        match version(Path::new(program)) {
            Some(found) if found >= OLDEST => return Ok(PathBuf::from(program)),
            Some(found) => old = old.max(Some(found)),
            None => {}
        }
    }
    let found = match old {
        Some((major, minor)) => format!("the Python on the search path is {major}.{minor}, which is too old"),
        None => "there is no program `python3` on the search path, which Python is built with".to_owned(),
    };
    Err(PythonError::NoPython { found }.into())
}

/// The version of an interpreter. None if it is none.
fn version(program: &Path) -> Option<(u32, u32)> {
    let mut command = clean(program);
    command.args(["-c", "import sys; print(*sys.version_info[:2])"]);
    let output = process::output(&mut command).ok()?;
    let (major, minor) = output.split_once(' ')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// The interpreter of an environment.
fn interpreter(environment: &Path) -> PathBuf {
    if cfg!(windows) { environment.join("Scripts").join("python.exe") } else { environment.join("bin").join("python") }
}

/// A program without the settings of others.
fn clean(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null());
    for variable in UNWANTED {
        command.env_remove(variable);
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interpreter_is_known_by_what_it_says() {
        assert_eq!(version(Path::new("agent-memory-no-such-python")), None);
        assert_eq!(version(Path::new("true")), None);
    }

    #[test]
    fn every_package_is_pinned_with_a_digest() {
        let lines = include_str!("tools/requirements.txt").lines().filter(|line| !line.starts_with('#'));
        let (packages, digests): (Vec<_>, Vec<_>) = lines.partition(|line| !line.starts_with(' '));
        assert!(packages.iter().all(|line| line.contains("==") && line.ends_with('\\')), "{packages:?}");
        assert!(digests.iter().all(|line| line.trim().starts_with("--hash=sha256:")), "{digests:?}");
        assert!(digests.len() >= packages.len());
    }
}
