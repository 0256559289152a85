//! The packages that a project needs, for the sandbox: plain Python alone.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::{Deserialize, Serialize};

use super::tools::Tools;
use super::{Project, PythonError};
use crate::cache::{put_in_place, take_turn};
use crate::{BuildError, Options, Progress};

/// The version of Python in the sandbox.
const VERSION: &str = "3.14";

/// Packages that the SDK has something in the place of, by the names that package indexes know them by.
const STAND_IN: [&str; 5] = ["plog", "pydantic", "pydantic-core", "requests", "urllib3"];

/// Packages in a folder.
pub(super) struct Packages {
    /// The folder. None: the project names none.
    pub(super) folder: Option<PathBuf>,
}

impl Packages {
    /// Installs what a project's requirements name, unless the same were installed before.
    pub(super) fn prepare(
        project: &Project,
        tools: &Tools,
        cache: &Path,
        options: &Options<'_>,
    ) -> Result<Self, BuildError> {
        let Some(requirements) = project.requirements() else { return Ok(Self { folder: None }) };
        let content =
            fs::read(&requirements).map_err(|source| BuildError::Read { path: requirements.clone(), source })?;
        // Other files that it names are not looked into: whoever changes one of them changes it as well.
        let name = blake3::Hasher::new().update(super::tools::DIGEST.as_bytes()).update(&content).finalize();
        let folder = cache.join("packages").join(name.to_hex().as_str());
        if !folder.is_dir() {
            let _turn = take_turn(cache)?;
            if !folder.is_dir() {
                let command = format!("pip install --requirement {}", requirements.display());
                options.report(Progress::Fetching { command: &command });
                put_in_place(&folder, |beside| install(project, tools, &requirements, beside))?;
            }
        }
        Ok(Self { folder: Some(folder) })
    }
}

#[derive(Serialize)]
struct Request<'a> {
    requirements: &'a Path,
    folder: &'a Path,
    version: &'static str,
    stand_in: [&'static str; 5],
}

#[derive(Deserialize)]
struct Answer {
    problem: Option<String>,
    line: Option<usize>,
    pip: Option<String>,
}

fn install(project: &Project, tools: &Tools, requirements: &Path, folder: &Path) -> Result<(), BuildError> {
    let broken = |output: String| PythonError::Requirements { path: requirements.to_owned(), output };
    let request = Request { requirements, folder, version: VERSION, stand_in: STAND_IN };
    let request = serde_json::to_vec(&request).map_err(|error| broken(error.to_string()))?;
    let mut command = tools.python();
    command.arg(tools.bundle_script()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut script = command.spawn().map_err(|error| broken(error.to_string()))?;
    if let Some(mut stdin) = script.stdin.take() {
        // If the script has ended before it read all of this, its output says why.
        let _ = stdin.write_all(&request);
    }
    let output = script.wait_with_output().map_err(|error| broken(error.to_string()))?;
    let answer: Answer = serde_json::from_slice(&output.stdout)
        .map_err(|_| broken(String::from_utf8_lossy(&output.stderr).trim().to_owned()))?;
    match answer {
        Answer { problem: None, .. } => Ok(()),
        Answer { problem: Some(problem), line, pip } => {
            let words = pip.map(|pip| format!("\n{pip}")).unwrap_or_default();
            let output = format!("{}:{}: {problem}{words}", requirements.display(), line.unwrap_or(1));
            Err(BuildError::Compile { project: project.name.clone(), output })
        }
    }
}
