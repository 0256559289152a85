//! Runs the script that builds JavaScript, and says what came of it.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::{Deserialize, Serialize};

use super::project::Source;
use super::tools::Tools;
use super::{JavaScriptError, Project};
use crate::BuildError;

/// What sources may need.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// How large all files of an agent may be together.
    bytes: u64,
    /// How long the files may take to be loaded.
    seconds: u64,
}

impl Limits {
    /// An engine that has loaded more than this leaves a turn too little memory.
    pub(super) const USUAL: Self = Self { bytes: 8 << 20, seconds: 60 };
}

/// What the script has made.
pub(super) struct Made {
    /// The core module.
    pub(super) module: Vec<u8>,
    /// The files that it was made from.
    pub(super) inputs: Vec<Input>,
    /// What the author should know.
    pub(super) diagnostics: String,
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Input {
    pub(super) path: PathBuf,
    /// The digest of what was in it, in hexadecimal.
    pub(super) sha256: String,
}

/// Builds a project.
pub(super) fn run(tools: &Tools, project: &Project, limits: Limits) -> Result<Made, BuildError> {
    let temporary = std::env::temp_dir();
    let scratch = tempfile::Builder::new().prefix("agent-memory-").tempdir_in(&temporary);
    let scratch = scratch.map_err(|source| BuildError::Write { path: temporary, source })?;
    let output = scratch.path().join("module.wasm");
    let request = Request {
        root: &project.root,
        sources: &project.sources,
        output: &output,
        scratch: scratch.path(),
        max_bytes: limits.bytes,
        max_seconds: limits.seconds,
    };
    let broken = |output: String| JavaScriptError::Script { project: project.name.clone(), output };
    let answer = ask(tools, scratch.path(), &request).map_err(broken)?;

    let at_fault = |output| BuildError::Compile { project: project.name.clone(), output };
    let Answer { problems, printed, report, engine, inputs, remarks } = answer;
    if !problems.is_empty() {
        return Err(at_fault(listed(&problems)));
    }
    let report = report.unwrap_or_default();
    let error = report.error.as_ref().map(Thrown::in_words).or(engine.as_ref().map(Problem::in_words));
    let remarks = remarks.iter().map(Problem::in_words).chain(report.remarks.iter().map(Remark::in_words));
    let warnings = remarks.map(|remark| format!("warning: {remark}"));
    if let Some(error) = error {
        // One of the warnings may be the reason.
        let lines: Vec<_> = [error].into_iter().chain(warnings).collect();
        return Err(at_fault(with_printed(&lines.join("\n"), &printed)));
    }
    let module = fs::read(&output).map_err(|source| BuildError::Read { path: output, source })?;
    let warnings: Vec<_> = warnings.collect();
    Ok(Made { module, inputs, diagnostics: with_printed(&warnings.join("\n"), &printed) })
}

/// Runs the script. The error is what it printed.
fn ask(tools: &Tools, scratch: &Path, request: &Request<'_>) -> Result<Answer, String> {
    let request = serde_json::to_vec(request).map_err(|error| error.to_string())?;
    let mut command = tools.command(scratch);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut script = command.spawn().map_err(|error| error.to_string())?;
    // The script reads all of it before it writes anything. If it has ended before that, its output says why.
    if let Some(mut stdin) = script.stdin.take() {
        let _ = stdin.write_all(&request);
    }
    let output = script.wait_with_output().map_err(|error| error.to_string())?;
    serde_json::from_slice(&output.stdout).map_err(|_| {
        let texts = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).trim().to_owned());
        format!("{}{}({})", texts.concat(), if texts.concat().is_empty() { "" } else { "\n" }, output.status)
    })
}

/// What the script is asked for.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    root: &'a Path,
    sources: &'a [Source],
    output: &'a Path,
    scratch: &'a Path,
    max_bytes: u64,
    max_seconds: u64,
}

/// What the script answers.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Answer {
    /// What is wrong with the sources before they are loaded.
    problems: Vec<Problem>,
    /// What the sources printed while they were loaded.
    printed: String,
    /// What the SDK has to say of that.
    report: Option<Report>,
    /// What the engine has to say of sources that it could not load.
    engine: Option<Problem>,
    inputs: Vec<Input>,
    /// What may be wrong.
    remarks: Vec<Problem>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Report {
    error: Option<Thrown>,
    remarks: Vec<Remark>,
}

/// An error that was thrown while the sources were loaded.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Thrown {
    name: String,
    message: String,
    trace: String,
    /// The author's file and line. Empty, if there is no telling.
    place: String,
    /// Whether it was the SDK that did not like what it found.
    is_ours: bool,
}

/// Something that the author should know.
#[derive(Deserialize)]
struct Remark {
    message: String,
    place: String,
}

/// Something that is, or may be, wrong with the sources.
#[derive(Deserialize)]
struct Problem {
    message: String,
    file: Option<String>,
    line: Option<u64>,
    column: Option<u64>,
    /// The line itself.
    text: Option<String>,
}

impl Thrown {
    fn in_words(&self) -> String {
        let Self { name, message, trace, place, is_ours } = self;
        let place = if place.is_empty() { String::new() } else { format!("{place}: ") };
        if *is_ours {
            return format!("{place}{message}");
        }
        let trace: String = trace.lines().map(|line| format!("\n    {line}")).collect();
        format!("{place}loading this file throws {name}: {message}{trace}")
    }
}

impl Remark {
    fn in_words(&self) -> String {
        if self.place.is_empty() { self.message.clone() } else { format!("{}: {}", self.place, self.message) }
    }
}

impl Problem {
    fn in_words(&self) -> String {
        let mut place = self.file.clone().unwrap_or_default();
        for number in [self.line, self.column].into_iter().flatten() {
            // A String takes everything.
            let _ = write!(place, ":{number}");
        }
        let place = if place.is_empty() { place } else { format!("{place}: ") };
        let text = self.text.as_deref().map(str::trim).filter(|text| !text.is_empty() && text.len() < 200);
        let text = text.map(|text| format!("\n    {text}")).unwrap_or_default();
        format!("{place}{}{text}", self.message)
    }
}

fn listed(problems: &[Problem]) -> String {
    problems.iter().map(Problem::in_words).collect::<Vec<_>>().join("\n")
}

fn with_printed(text: &str, printed: &str) -> String {
    match (text.is_empty(), printed.is_empty()) {
        (_, true) => text.to_owned(),
        (true, false) => format!("printed while it was loaded:\n{printed}"),
        (false, false) => format!("{text}\nprinted while it was loaded:\n{printed}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_without_an_end_while_files_are_loaded_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.js");
        fs::write(&path, "export function book(conv) {}\nfor (;;);\n").unwrap();
        let cache = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tests/cache/javascript");
        let tools = Tools::prepare(&cache, &crate::Options::default()).unwrap();
        let project = Project::of_file(&path).unwrap();
        let error = run(&tools, &project, Limits { seconds: 2, ..Limits::USUAL }).err().unwrap().to_string();
        assert_eq!(
            error,
            "shop does not compile:\nloading the files takes more than 2 seconds: is there a loop without an end \
             outside of functions?"
        );
    }

    fn answer(text: &str) -> Answer {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_problem_has_its_place_and_its_line() {
        let answer = answer(
            r#"{"problems": [
                {"message": "Expected \";\"", "file": "src/a.js", "line": 3, "column": 7, "text": "  let a b"},
                {"message": "too large"}
            ]}"#,
        );
        assert_eq!(listed(&answer.problems), "src/a.js:3:7: Expected \";\"\n    let a b\ntoo large");
    }

    #[test]
    fn an_error_at_loading_has_its_trace_and_what_was_printed_before() {
        let answer = answer(
            r#"{"printed": "hello", "engine": {"message": "Error: no brie"}, "report": {"error": {"name": "NoCheese",
                "message": "no brie", "trace": "at shelf (src/a.js:1:2)\nat src/b.js:3:4", "place": "src/a.js:1",
                "isOurs": false}}}"#,
        );
        let error = answer.report.unwrap().error.unwrap();
        assert_eq!(
            with_printed(&error.in_words(), &answer.printed),
            "src/a.js:1: loading this file throws NoCheese: no brie\n    at shelf (src/a.js:1:2)\n    \
             at src/b.js:3:4\nprinted while it was loaded:\nhello"
        );
    }

    #[test]
    fn what_the_sdk_does_not_like_is_told_as_it_says_it() {
        let answer = answer(
            r#"{"report": {"error": {"name": "SourceError", "message": "rename one", "trace": "", "place": "a.js:5",
                "isOurs": true}}}"#,
        );
        assert_eq!(answer.report.unwrap().error.unwrap().in_words(), "a.js:5: rename one");
    }
}
