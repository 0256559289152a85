//! The SDK's own tests, by the real pytest, outside of wasm and inside of a sandbox.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use agent_memory_host::Limits;
use agent_memory_tests::{built, root};
use serde_json::json;

use crate::support::{Desk, agent_folder, value};

/// Tests that need what no sandbox has: files that they write, modules that they import anew, and the real pydantic,
/// which has native code.
const OUTSIDE_ONLY: [&str; 4] = ["test_project.py", "test_provided.py", "test_pydantic.py", "test_readme.py"];

#[test]
fn the_sdks_own_tests_pass_outside_of_wasm() {
    let printed = checked("pytest", &["-p", "no:cacheprovider", "--quiet"]);
    let summary = printed.trim_end().lines().last().unwrap();
    assert!(summary.contains(" passed") && !summary.contains("skipped"), "{printed}");
}

#[test]
fn the_sdks_types_and_style_are_right() {
    checked("mypy", &["--no-incremental"]);
    checked("ruff", &["check", "--no-cache"]);
    checked("ruff", &["format", "--check", "--no-cache"]);
}

#[tokio::test]
async fn the_sdks_own_tests_pass_inside_of_a_component() {
    let folder = root().join("target/tests/python-suite");
    let _ = fs::remove_dir_all(&folder);
    let copy = |from: &Path, to: &str| {
        let to = folder.join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
    };
    let agent = agent_folder("suite");
    let pinned = fs::read_to_string(SDK.join("requirements-dev.txt")).unwrap();
    for needed in fs::read_to_string(agent.join("requirements.txt")).unwrap().lines() {
        assert!(
            pinned.lines().any(|line| line == needed),
            "{needed} is not the version that is tested outside of wasm"
        );
    }
    copy(&agent.join("requirements.txt"), "requirements.txt");
    copy(&agent.join("functions/run_suite.py"), "functions/run_suite.py");
    let mut left_out = BTreeSet::from(OUTSIDE_ONLY);
    for file in fs::read_dir(SDK.join("tests")).unwrap().map(Result::unwrap) {
        let name = file.file_name().into_string().unwrap();
        if name.ends_with(".py") && !left_out.remove(name.as_str()) {
            copy(&file.path(), &format!("suite/{name}"));
        }
    }
    assert_eq!(left_out, BTreeSet::new(), "there are no such tests");

    let mut limits = Limits::default();
    limits.turn_time = Duration::from_secs(120);
    limits.memory_bytes = 256 << 20;
    limits.concurrent_turns = 2;
    let desk = Desk::with(built(&folder), "{}", |builder| builder.limits(limits)).await;
    let mut conversation = desk.call_from("+441632960001").await;
    let found = value(&mut conversation, "run_suite", json!({})).await;
    assert_eq!(found["failed"], json!([]), "{found:#}");
    assert_eq!(found["code"], json!(0), "{found:#}");
    assert!(found["passed"].as_u64().unwrap() > 100, "{found:#}");
}

static SDK: LazyLock<PathBuf> = LazyLock::new(|| root().join("sdk/python"));

/// The folder of programs that the SDK is checked with, at their pinned versions.
static PROGRAMS: LazyLock<PathBuf> = LazyLock::new(|| {
    let requirements = fs::read_to_string(SDK.join("requirements-dev.txt")).unwrap();
    let environment = root().join("target/tests/python-sdk");
    let programs = environment.join("bin");
    let installed = environment.join("installed.txt");
    if fs::read_to_string(&installed).is_ok_and(|found| found == requirements) {
        return programs;
    }
    let python = std::env::var_os("AGENT_MEMORY_PYTHON").unwrap_or_else(|| "python3".into());
    run(Command::new(python).args(["-m", "venv", "--clear"]).arg(&environment));
    let mut pip = Command::new(programs.join("python"));
    pip.args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--requirement"]);
    run(pip.arg(SDK.join("requirements-dev.txt")));
    fs::write(&installed, requirements).unwrap();
    programs
});

/// What a program prints that checks the SDK, and finds nothing wrong.
fn checked(program: &str, arguments: &[&str]) -> String {
    run(Command::new(PROGRAMS.join(program))
        .args(arguments)
        .current_dir(&*SDK)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env_remove("PYTHONPATH"))
}

/// Runs a program that has to succeed, and gives what it prints.
fn run(command: &mut Command) -> String {
    let name = command.get_program().display().to_string();
    let output = command.output();
    let output = output.unwrap_or_else(|error| panic!("{name} is needed and cannot be started: {error}"));
    let printed = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat();
    assert!(output.status.success(), "{command:?}\n{printed}");
    printed
}
