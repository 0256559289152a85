//! Pages that teach: their files are put where they say, and their commands run, in the order of the page.
//!
//! A block of a page is one of these:
//! - `sh`: commands, which have to succeed. They run in a folder that is empty when the page begins.
//! - `console`: commands, each behind `$ `, and below it what it prints. It may fail, as it then says.
//! - any other: a file, as a whole. The line above the block ends in its name, as in ``In `shop/book.py`:``.
//!
//! Commands are run by the shell, with `agent-memory` on the search path: the command itself, as it is built beside
//! the tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::SystemTime;

use crate::root;

/// Does all that a page says, and returns the folder in which it was done.
///
/// # Panics
///
/// If a command fails or prints something else, or if a file is in no folder that a later command names: what no
/// command uses may say anything.
pub fn follow(page: &str) -> PathBuf {
    let text = text(page);
    let folder = root().join("target/tests/guides").join(page.replace('/', "-"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut idle = Vec::new();
    for block in blocks(&text) {
        match block {
            Block::File { name, content } => {
                let path = folder.join(name);
                let written =
                    fs::create_dir_all(path.parent().unwrap_or(&folder)).and_then(|()| fs::write(&path, content));
                written.unwrap_or_else(|error| panic!("{page}: {name}: {error}"));
                idle.push(name);
            }
            Block::Command { command, printed } => {
                let words: Vec<&str> = command.split([' ', '\n']).collect();
                idle.retain(|file| !words.iter().any(|word| folder_of(word) == folder_of(file)));
                run(page, &folder, &command, printed.as_deref());
            }
        }
    }
    assert_eq!(idle, [] as [&str; 0], "{page}: no command uses these");
    folder
}

/// The files of a page: their names, and their content.
///
/// # Panics
///
/// If the page cannot be read.
pub fn files(page: &str) -> Vec<(String, String)> {
    let text = text(page);
    let files = blocks(&text).into_iter().filter_map(|block| match block {
        Block::File { name, content } => Some((name.to_owned(), content)),
        Block::Command { .. } => None,
    });
    files.collect()
}

/// What a page says is to be done.
#[derive(Debug, PartialEq)]
enum Block<'a> {
    /// Write a file.
    File { name: &'a str, content: String },
    /// Run a command, with what is said to be printed. Without that, it has to succeed.
    Command { command: String, printed: Option<String> },
}

fn text(page: &str) -> String {
    fs::read_to_string(root().join(page)).unwrap_or_else(|error| panic!("{page}: {error}"))
}

fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    let mut above = "";
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```") else {
            above = if line.is_empty() { above } else { line };
            continue;
        };
        let content: String = lines.by_ref().take_while(|line| *line != "```").flat_map(|line| [line, "\n"]).collect();
        match language {
            "sh" => blocks.push(Block::Command { command: content, printed: None }),
            "console" => {
                let content = content.strip_prefix("$ ").unwrap_or_else(|| panic!("no command is in\n{content}"));
                blocks.extend(content.split("\n$ ").map(|part| {
                    let (command, printed) = part.split_once('\n').unwrap_or((part, ""));
                    Block::Command { command: command.to_owned(), printed: Some(printed.trim_end().to_owned()) }
                }));
            }
            _ => {
                let name = above.strip_suffix("`:").and_then(|text| Some(text.rsplit_once('`')?.1));
                let name = name.unwrap_or_else(|| panic!("no name of a file is above\n{content}"));
                blocks.push(Block::File { name, content });
            }
        }
        above = "";
    }
    blocks
}

/// The topmost folder of a path.
fn folder_of(path: &str) -> &str {
    path.trim_start_matches("./").split('/').next().unwrap_or(path)
}

fn run(page: &str, folder: &Path, command: &str, printed: Option<&str>) {
    let output = Command::new("sh")
        .args(["-e", "-c", command])
        .current_dir(folder)
        .env("PATH", &*SEARCH_PATH)
        .env("AGENT_MEMORY_CACHE_DIR", crate::cache())
        // What Rust projects depend on is compiled once, and not for each page anew.
        .env("CARGO_TARGET_DIR", root().join("target"))
        .output()
        .unwrap_or_else(|error| panic!("sh: {error}"));
    let found = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    match printed {
        None => assert!(output.status.success(), "{page}: {command}\n{found}"),
        Some(printed) => assert_eq!(found.trim_end(), printed, "{page}: {command}"),
    }
}

/// The search path, with the folder of the command before all others.
static SEARCH_PATH: LazyLock<std::ffi::OsString> = LazyLock::new(|| {
    let others = std::env::var_os("PATH").unwrap_or_default();
    let folders = [command_folder()].into_iter().chain(std::env::split_paths(&others));
    std::env::join_paths(folders).unwrap_or(others)
});

/// The folder of the command. When all tests are run, the command was built before them. When only some are, it may
/// be missing, or older than its sources.
fn command_folder() -> PathBuf {
    let tests = std::env::current_exe().expect("a test is a program");
    let folder = tests.parent().and_then(Path::parent).expect("tests are built into a folder of their own").to_owned();
    let program = folder.join(format!("agent-memory{}", std::env::consts::EXE_SUFFIX));
    if !is_new(&program) {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--package", "agent-memory-cli", "--profile", profile(&folder)]);
        let status = build.current_dir(root()).status().unwrap_or_else(|error| panic!("cargo: {error}"));
        assert!(status.success(), "the command does not compile");
        assert!(program.is_file(), "the command is not at {}", program.display());
    }
    folder
}

/// The profile whose programs are in a folder, which has its name but for one.
fn profile(folder: &Path) -> &str {
    match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(name) => name,
    }
}

/// Whether none of the sources that cargo noted beside a program is newer than it.
fn is_new(program: &Path) -> bool {
    let written = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    let (Some(built), Ok(sources)) = (written(program), fs::read_to_string(program.with_extension("d"))) else {
        return false;
    };
    // A space within a name has a backslash before it.
    let sources = sources.replace("\\ ", "\0");
    let is_older =
        |source: &str| written(Path::new(&source.replace('\0', " "))).is_some_and(|time: SystemTime| time <= built);
    sources.split_whitespace().skip(1).all(is_older)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_as_files_and_commands() {
        let page = "# Shop\nText with `code`:\n\nIn `shop/book.py`:\n\n```python\nx = 1\n\ny = 2\n```\n```sh\ncd shop\nls\n\
                    ```\n\n```console\n$ one\n1\n\n2\n$ two\n```\n";
        let command = |command: &str, printed: Option<&str>| Block::Command {
            command: command.to_owned(),
            printed: printed.map(str::to_owned),
        };
        let expected = [
            Block::File { name: "shop/book.py", content: "x = 1\n\ny = 2\n".to_owned() },
            command("cd shop\nls\n", None),
            command("one", Some("1\n\n2")),
            command("two", Some("")),
        ];
        assert_eq!(blocks(page), expected);
    }

    #[test]
    fn the_command_is_built_by_the_profile_of_the_tests() {
        for (folder, expected) in [("target/debug", "dev"), ("target/release", "release"), ("target/quick", "quick")] {
            assert_eq!(profile(Path::new(folder)), expected);
        }
    }

    #[test]
    #[should_panic = "no name of a file is above\nx = 1"]
    fn a_block_of_no_file_is_refused() {
        blocks("In `shop/book.py`:\n\nText.\n\n```python\nx = 1\n```\n");
    }
}
