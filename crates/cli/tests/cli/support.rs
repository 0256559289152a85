//! How tests run the command.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// A folder of its own in which the command is run, with some of the files that it needs.
pub(crate) struct Folder(tempfile::TempDir);

/// What a run of the command came to.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A folder with this scenario.
    pub(crate) fn with_scenario(text: &str) -> Self {
        let folder = Self::new();
        folder.write("scenario.yaml", text);
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    /// The names of what is in it.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    }

    /// The command, to be run here.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_agent-memory"));
        command.current_dir(self.0.path()).args(arguments).stdin(Stdio::null());
        command.env("AGENT_MEMORY_CACHE_DIR", cache());
        command
    }

    /// Runs the command here.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    /// Plays `scenario.yaml` with the cheese shop.
    pub(crate) fn play(&self, more: &[&str]) -> Ran {
        self.run(&[&["run", "scenario.yaml", "--functions", &cheese_shop()], more].concat())
    }
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// It has ended with this code, and said nothing else than it should.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\nstdout: {}\nstderr: {}", self.out, self.err);
        self
    }

    /// It has refused to work, for these reasons, and printed nothing else.
    #[track_caller]
    pub(crate) fn expect_refusal(self, reasons: &[&str]) {
        let ran = self.expect(2);
        assert_eq!(ran.out, "");
        assert!(ran.err.starts_with("error: "), "{}", ran.err);
        for reason in reasons {
            assert!(ran.err.contains(reason), "{reason:?} is not in {:?}", ran.err);
        }
        for crutch in ["panicked", "stack backtrace", "RUST_BACKTRACE", "Caused by"] {
            assert!(!ran.err.contains(crutch), "{}", ran.err);
        }
    }

    /// Its output as one JSON value.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }

    /// Its output as a JSON value a line.
    #[track_caller]
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// The path of the cheese shop's component.
pub(crate) fn cheese_shop() -> String {
    concat!(env!("CARGO_MANIFEST_DIR"), "/src/cheese-shop.wasm").to_owned()
}

/// The path of the probe's component, built from its source: an agent that does what it is told.
pub(crate) fn probe() -> String {
    static PROBE: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        let built = agent_memory_build::build(&root().join("tests/agents/probe"), &Default::default());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("probe.wasm");
        agent_memory_build::write_atomically(&path, &built.unwrap().bytes).unwrap();
        path
    };
    PROBE.get_or_init(build).to_str().unwrap().to_owned()
}

/// The folder in which all tests keep tools and components.
pub(crate) fn cache() -> PathBuf {
    root().join("target/tests/cache")
}

/// The folder of the whole project.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// Compares a text with the file of `tests/transcripts` that has this name, or writes the file anew if
/// `AGENT_MEMORY_BLESS` is set.
#[track_caller]
pub(crate) fn assert_transcript(name: &str, came: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts").join(name);
    if std::env::var_os("AGENT_MEMORY_BLESS").is_some() {
        std::fs::write(&path, came).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(came == expected, "{}\nexpected:\n{expected}\ncame:\n{came}", path.display());
}
