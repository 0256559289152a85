//! Has `componentize-py` make a component of a project, and says what came of it.
//!
//! The component's Python imports the SDK and the project once, in a folder that has both, and the SDK writes there
//! what it thinks of the project.

use std::fmt::Write as _;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::packages::Packages;
use super::project::SourceFile;
use super::sdk::SDK;
use super::tools::Tools;
use super::{Project, PythonError};
use crate::BuildError;
use crate::files;

/// The world of the contract that functions are for.
const WORLD: &str = "functions-component";

/// The module that is made a component, which is part of the SDK.
const MODULE: &str = "agent_memory_app";

/// How long it may take. The longest part of it is the import of the project.
const LIMIT: Duration = Duration::from_secs(300);

/// How often it is looked whether it has ended.
const PAUSE: Duration = Duration::from_millis(20);

/// What was made.
pub(super) struct Made {
    pub(super) component: Vec<u8>,
    /// What the author should know.
    pub(super) warnings: Vec<Remark>,
}

/// Makes a component.
pub(super) fn run(
    project: &Project,
    files: &[SourceFile],
    tools: &Tools,
    packages: &Packages,
) -> Result<Made, BuildError> {
    let temporary = std::env::temp_dir();
    let folder = tempfile::Builder::new().prefix("agent-memory-").tempdir_in(&temporary);
    let folder = folder.map_err(|source| BuildError::Write { path: temporary, source })?;
    let folder = folder.path();
    lay_out(folder, project, files, tools, packages)?;

    let component = folder.join("component.wasm");
    let ran = componentize(folder, &component, tools, project)?;
    let report = fs::read(folder.join("report.json")).ok();
    let report = report.and_then(|report| serde_json::from_slice::<Report>(&report).ok()).unwrap_or_default();
    if !report.errors.is_empty() {
        return Err(BuildError::Compile { project: project.name.clone(), output: listed(project, &report.errors) });
    }
    let broken = |output: String| PythonError::Broken { project: project.name.clone(), output };
    if let Some(failure) = report.failure {
        return Err(broken(failure).into());
    }
    ran.map_err(broken)?;
    let component = fs::read(&component).map_err(|source| BuildError::Read { path: component, source })?;
    Ok(Made { component, warnings: report.warnings })
}

/// Puts all that the component's Python imports into a folder.
fn lay_out(
    folder: &Path,
    project: &Project,
    files: &[SourceFile],
    tools: &Tools,
    packages: &Packages,
) -> Result<(), BuildError> {
    files::write(files::CONTRACT, &folder.join("wit"))?;
    files::write(SDK, &folder.join("sdk"))?;
    let app = folder.join("sdk/agent_memory/component").join(MODULE).with_added_extension("py");
    copy(&app, &folder.join(MODULE).with_added_extension("py"))?;
    for file in files {
        write(&folder.join("project").join(&file.name), &file.content)?;
    }
    // What componentize-py takes for the packages of a virtual environment, so that it takes no other's.
    fs::create_dir_all(folder.join("environment"))
        .map_err(|source| BuildError::Write { path: folder.to_owned(), source })?;
    let bundled = folder.join("packages");
    if let Some(packages) = &packages.folder {
        copy_all(packages, &bundled)?;
    }
    copy_all(&tools.packages().join("tzdata"), &bundled.join("tzdata"))?;
    if files.iter().any(mentions_old_pydantic) {
        let v1 = bundled.join("pydantic_v1").join("pydantic").join("v1");
        copy_all(&tools.packages().join("pydantic").join("v1"), &v1)?;
        copy(&tools.packages().join("typing_extensions.py"), &bundled.join("typing_extensions.py"))?;
    }
    let instructions = Instructions { kind: project.kind.name() };
    let instructions = serde_json::to_vec(&instructions).unwrap_or_default();
    write(&folder.join("instructions.json"), &instructions)
}

#[derive(Serialize)]
struct Instructions {
    kind: &'static str,
}

/// Whether a file imports `pydantic.v1`.
fn mentions_old_pydantic(file: &SourceFile) -> bool {
    let text = String::from_utf8_lossy(&file.content);
    text.contains("pydantic.v1") || text.contains("pydantic import v1")
}

/// Runs componentize-py. The inner error is what it printed.
fn componentize(
    folder: &Path,
    component: &Path,
    tools: &Tools,
    project: &Project,
) -> Result<Result<(), String>, BuildError> {
    let mut command = tools.python();
    command
        .args(["-c", "import sys; from componentize_py import script; sys.exit(script())"])
        .args(["--quiet", "--wit-path"])
        .arg(folder.join("wit"))
        .args(["--world", WORLD, "componentize", "--python-path"])
        .arg(folder)
        .args([MODULE, "--output"])
        .arg(component)
        .env("VIRTUAL_ENV", folder.join("environment"))
        .env("RUST_BACKTRACE", "0")
        .current_dir(folder);
    match finish(command) {
        Ok(Some(output)) => Ok(output),
        Ok(None) => Err(PythonError::TooSlow { project: project.name.clone(), limit: LIMIT }.into()),
        Err(error) => Ok(Err(error.to_string())),
    }
}

/// Waits for a command's end. None: it took too long and was stopped. The inner error is what it printed.
fn finish(mut command: Command) -> std::io::Result<Option<Result<(), String>>> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let pipes: [Option<Box<dyn Read + Send>>; 2] =
        [child.stdout.take().map(|pipe| Box::new(pipe) as _), child.stderr.take().map(|pipe| Box::new(pipe) as _)];
    std::thread::scope(|scope| {
        // Both pipes are emptied while it runs: it would wait for ever on one that nobody reads.
        let readers = pipes.map(|pipe| {
            scope.spawn(|| {
                let mut bytes = Vec::new();
                // Whatever could be read is all that there is to tell.
                let _ = pipe.map(|mut pipe| pipe.read_to_end(&mut bytes));
                String::from_utf8_lossy(&bytes).into_owned()
            })
        });
        let status = wait(&mut child)?;
        let texts = readers.map(|reader| reader.join().unwrap_or_default());
        Ok(status.map(|status| if status.success() { Ok(()) } else { Err(texts.concat().trim().to_owned()) }))
    })
}

/// Waits for a child's end. None: it took too long and was stopped.
fn wait(child: &mut Child) -> std::io::Result<Option<std::process::ExitStatus>> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if start.elapsed() > LIMIT {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(PAUSE);
    }
}

/// What the SDK thinks of the project.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Report {
    errors: Vec<Remark>,
    warnings: Vec<Remark>,
    /// A mistake of ours.
    failure: Option<String>,
}

/// Something to be said of a line.
#[derive(Serialize, Deserialize)]
pub(super) struct Remark {
    file: String,
    line: usize,
    message: String,
    excerpt: String,
}

impl Remark {
    /// What is told of it to whoever named the project.
    pub(super) fn in_words(&self, project: &Project) -> String {
        let mut words = format!("{}:{}: {}", project.shown(&self.file), self.line, self.message);
        if !self.excerpt.is_empty() {
            // Writing to a text cannot fail.
            let _ = write!(words, "\n{}", self.excerpt);
        }
        words
    }
}

fn listed(project: &Project, remarks: &[Remark]) -> String {
    remarks.iter().map(|remark| remark.in_words(project)).collect::<Vec<_>>().join("\n")
}

fn write(path: &Path, content: &[u8]) -> Result<(), BuildError> {
    let written = |source| BuildError::Write { path: path.to_owned(), source };
    fs::create_dir_all(path.parent().unwrap_or(path)).map_err(written)?;
    fs::write(path, content).map_err(written)
}

fn copy(from: &Path, to: &Path) -> Result<(), BuildError> {
    let content = fs::read(from).map_err(|source| BuildError::Read { path: from.to_owned(), source })?;
    write(to, &content)
}

fn copy_all(from: &Path, to: &Path) -> Result<(), BuildError> {
    let unreadable = |source| BuildError::Read { path: from.to_owned(), source };
    for entry in fs::read_dir(from).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let (path, inner) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() { copy_all(&path, &inner)? } else { copy(&path, &inner)? }
    }
    Ok(())
}
