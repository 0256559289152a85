//! `agent-memory new`

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Folder, Ran, cache};

/// Makes an agent and plays its scenario.
fn plays_at_once(language: &str) -> Folder {
    let folder = Folder::new();
    let made = folder.run(&["new", "agents/shop", "--language", language]).expect(0);
    assert_eq!(made.err, "");
    assert!(made.out.ends_with("\n  agent-memory run agents/shop/scenario.yaml\n"), "{}", made.out);
    assert!(fs::read_to_string(folder.path("agents/shop/README.md")).unwrap().starts_with("# shop\n"));
    assert!(folder.path("agents/shop/.gitignore").is_file());
    for file in files(&folder.path("agents/shop")) {
        assert!(!fs::read_to_string(&file).unwrap().contains("{{"), "{} is not filled in", file.display());
    }

    let run = ["run", "agents/shop/scenario.yaml", "--json"];
    let mut command = folder.command(&run);
    // What the SDK depends on is compiled once, and not for each test anew.
    command.env("CARGO_TARGET_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/new"));
    let lines = Ran::of(command.output().unwrap()).expect(0).json_lines();
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[0]["memory"]["drink"], "flat white");
    assert_eq!(lines[1]["turns"][0]["say"][0], "Welcome back. A flat white again?");
    assert_eq!(lines[2]["commit"]["keys"]["drink"]["reason"], "no-identifier");
    assert_eq!(lines[3]["turns"][0]["say"][0], lines[0]["turns"][0]["say"][0], "all is forgotten");

    let config = ["check", "agents/shop", "--config", "agents/shop/config.json"];
    let mut command = folder.command(&config);
    command.env("CARGO_TARGET_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/new"));
    let checked = Ran::of(command.output().unwrap()).expect(0);
    assert!(checked.out.contains("  order(drink: string, to_go?: boolean)\n"), "{}", checked.out);
    assert!(checked.out.contains("Orders a drink for the caller."), "{}", checked.out);
    folder
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// What the TypeScript that came with the build says of a project, if anything.
fn type_errors(project: &Path) -> String {
    let tools = cache().join("javascript/tools");
    let compiler = fs::read_dir(&tools).unwrap().map(|tools| tools.unwrap().path());
    let compiler = compiler.map(|tools| tools.join("node_modules/typescript/bin/tsc")).find(|path| path.is_file());
    let output = Command::new("node").arg(compiler.unwrap()).arg("-p").arg(project).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn an_agent_in_python_plays_at_once() {
    plays_at_once("python");
}

#[test]
fn an_agent_in_javascript_plays_at_once_and_editors_know_its_types() {
    let folder = plays_at_once("javascript");
    let project = folder.path("agents/shop/jsconfig.json");
    assert_eq!(type_errors(&project), "");
    let functions = folder.path("agents/shop/src/functions.js");
    fs::write(&functions, fs::read_to_string(&functions).unwrap().replace("conv.memory", "conv.memroy")).unwrap();
    assert!(type_errors(&project).contains("Property 'memroy' does not exist on type 'Conversation'"));
}

#[test]
fn an_agent_in_typescript_plays_at_once_and_editors_know_its_types() {
    let folder = plays_at_once("typescript");
    let project = folder.path("agents/shop/tsconfig.json");
    assert_eq!(type_errors(&project), "");
    let function = folder.path("agents/shop/src/functions/startFunction.ts");
    fs::write(&function, fs::read_to_string(&function).unwrap().replace("conv.memory", "conv.memroy")).unwrap();
    assert!(type_errors(&project).contains("Property 'memroy' does not exist on type 'Conversation'"));
}

#[test]
fn an_agent_in_rust_plays_at_once() {
    let folder = plays_at_once("rust");
    let manifest = fs::read_to_string(folder.path("agents/shop/Cargo.toml")).unwrap();
    assert!(manifest.contains("name = \"shop\""), "{manifest}");
}

#[test]
fn an_empty_folder_is_taken_and_named_by_its_path() {
    let folder = Folder::new();
    fs::create_dir_all(folder.path("my shop/.git")).unwrap();
    let output = folder.command(&["new", ".", "--language", "python"]).current_dir(folder.path("my shop")).output();
    let made = Ran::of(output.unwrap()).expect(0);
    assert!(made.out.ends_with("\n  agent-memory run scenario.yaml\n"), "{}", made.out);
    assert!(fs::read_to_string(folder.path("my shop/README.md")).unwrap().starts_with("# my shop\n"));

    let made = folder.run(&["new", "her shop", "--language", "python"]).expect(0);
    assert!(made.out.ends_with("\n  agent-memory run 'her shop/scenario.yaml'\n"), "{}", made.out);
}

/// The largest file that can be written is smaller than the largest of the project.
#[cfg(unix)]
#[test]
fn a_project_is_there_as_a_whole_or_not_at_all() {
    let folder = Folder::new();
    fs::create_dir_all(folder.path("mine/.git")).unwrap();
    for name in ["agents/shop", "mine", "."] {
        let at = folder.path(if name == "." { "mine" } else { "" });
        let mut shell = Command::new("sh");
        shell.args(["-c", r#"trap "" XFSZ; ulimit -f 8; exec "$@""#, "sh", env!("CARGO_BIN_EXE_agent-memory")]);
        let output = shell.args(["new", name, "--language", "typescript"]).current_dir(at).output();
        Ran::of(output.unwrap()).expect_refusal(&["types/agent-memory.d.ts cannot be written"]);
        assert_eq!(files(&folder.path("")), [] as [PathBuf; 0], "{name}");
        assert_eq!(fs::read_dir(folder.path("mine")).unwrap().count(), 1, "{name}");
    }
}

#[test]
fn nothing_of_anybodys_is_overwritten() {
    let folder = Folder::new();
    fs::create_dir(folder.path("full")).unwrap();
    folder.write("full/notes.txt", "mine");
    folder.write("file", "mine");
    folder.run(&["new", "full", "--language", "python"]).expect_refusal(&["full is not empty"]);
    folder.run(&["new", "file", "--language", "python"]).expect_refusal(&["file is a file"]);
    folder.run(&["new", "file/shop", "--language", "python"]).expect_refusal(&["file/shop cannot be"]);
    folder.run(&["new", "/", "--language", "python"]).expect_refusal(&["/ has no name"]);
    assert_eq!(folder.names(), ["file", "full"]);
    assert_eq!(fs::read(folder.path("full/notes.txt")).unwrap(), b"mine");
}

#[test]
fn a_name_that_cargo_would_refuse_is_refused_before_anything_is_made() {
    let folder = Folder::new();
    for name in ["my shop", "7cheeses", "käse", "a.b"] {
        folder.run(&["new", name, "--language", "rust"]).expect_refusal(&[name, "cannot name a Rust package"]);
    }
    folder.run(&["new", "serde", "--language", "rust"]).expect_refusal(&["is the name of a package"]);
    assert_eq!(folder.names(), [""; 0]);
}
