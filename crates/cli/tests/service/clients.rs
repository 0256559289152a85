//! The clients in Python and JavaScript, against the real service.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{Service, root};
use crate::tools::{python, run};

/// What the Python client needs, and what checks its types.
const PYTHON: &str = "httpx==0.28.1\nmypy==1.18.2\n";

/// The only block of a page in a language, with the address of a service.
fn example(page: &str, language: &str, service: &Service) -> String {
    let page = fs::read_to_string(root().join(page)).unwrap();
    let (_, rest) = page.split_once(&format!("```{language}\n")).unwrap();
    let (block, _) = rest.split_once("```").unwrap();
    assert!(block.contains("http://127.0.0.1:8080"));
    block.replace("http://127.0.0.1:8080", service.url())
}

#[track_caller]
fn check(printed: &str) {
    for said in ["book", "hand_over", "Booked brie for Friday.", "kept", "cheese_type"] {
        assert!(printed.contains(said), "{said} is not in\n{printed}");
    }
}

#[test]
fn the_python_clients_example_runs_and_its_types_are_right() {
    let service = Service::with_shop("memory:", &[]);
    let python = python("python-client", PYTHON);
    let client = root().join("clients/python");
    let example = example("clients/python/README.md", "python", &service);
    let command = |arguments: &[&str]| {
        let mut command = Command::new(&python);
        command.args(arguments).current_dir(&client).env("PYTHONPATH", client.join("src"));
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        command
    };
    check(&run(&mut command(&["-c", &example]), "the example"));
    run(&mut command(&["-m", "mypy", "--strict", "--cache-dir", "/dev/null", "src", "tests"]), "types");
    let address = service.url();
    let mut tests = command(&["-m", "unittest", "discover", "--start-directory", "tests"]);
    run(tests.env("AGENT_MEMORY_SERVICE", address), "the client's own tests");
}

#[test]
fn the_javascript_clients_example_runs() {
    let service = Service::with_shop("memory:", &[]);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("javascript-client");
    let packages = folder.join("node_modules");
    fs::create_dir_all(&packages).unwrap();
    let package = packages.join("agent-memory-client");
    if !package.exists() {
        #[cfg(unix)]
        std::os::unix::fs::symlink(root().join("clients/javascript"), &package).unwrap();
    }
    let file = folder.join("example.mjs");
    fs::write(&file, example("clients/javascript/README.md", "js", &service)).unwrap();
    check(&run(Command::new("node").arg(&file), "Node.js is needed"));
    let mut tests = Command::new("node");
    tests.args(["--test", "test/"]).current_dir(root().join("clients/javascript"));
    run(tests.env("AGENT_MEMORY_SERVICE", service.url()), "the client's own tests");
}
