//! `agent-memory new`

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, bail};

use super::Verdict;
use crate::arguments::{Language, New};
use crate::output;
use crate::words::plain;

/// The files of a template: their paths, and their content with places for what differs.
type Template = &'static [(&'static str, &'static str)];

/// Includes files of `templates`, each in the folder of its language.
macro_rules! template {
    ($language:literal, $($file:literal),+ $(,)?) => {
        &[$(($file, include_str!(concat!("../../templates/", $language, "/", $file)))),+]
    };
}

/// What is the same in every language.
const COMMON: Template = template!("common", "config.json", "scenario.yaml");

const PYTHON: Template =
    template!("python", "README.md", "functions/order.py", "functions/start_function.py", "gitignore");

const JAVASCRIPT: Template =
    template!("javascript", "README.md", "gitignore", "jsconfig.json", "package.json", "src/functions.js");

const TYPESCRIPT: Template = template!(
    "typescript",
    "README.md",
    "gitignore",
    "package.json",
    "src/functions/order.ts",
    "src/functions/startFunction.ts",
    "tsconfig.json",
);

const RUST: Template = template!("rust", "Cargo.toml.template", "README.md", "gitignore", "src/lib.rs");

/// What the template in Rust depends on. No package can have the name of one that it depends on.
const DEPENDENCIES: [&str; 3] = ["agent-memory-sdk", "schemars", "serde"];

/// What editors and `tsc` are told of `conv`. Building has the types by itself.
const TYPES: (&str, &str) = ("types/agent-memory.d.ts", include_str!("../../../../sdk/javascript/index.d.ts"));

pub(crate) fn new(arguments: &New) -> anyhow::Result<Verdict> {
    let New { folder, language } = arguments;
    let name = name(folder)?;
    if *language == Language::Rust {
        check_package_name(&name)?;
    }
    let files = files(*language).into_iter().map(|(file, content)| (file, filled(content, &name)));
    make(folder, files)?;
    let parts = folder.components().filter(|part| *part != Component::CurDir);
    let scenario = parts.collect::<PathBuf>().join("scenario.yaml");
    let told = format!("{name} is ready. Play its conversations:\n\n  agent-memory run {}\n", quoted(&scenario));
    output::text(&plain(&told))?;
    Ok(Verdict::Good)
}

/// What the project is called: the last part of its folder's path.
fn name(folder: &Path) -> anyhow::Result<String> {
    let unnamed = || format!("{} has no name that a project could have: give a folder's path", folder.display());
    let path = fs::canonicalize(folder).or_else(|_| std::path::absolute(folder)).with_context(unnamed)?;
    let name = path.file_name().with_context(unnamed)?;
    let name = name.to_str().with_context(|| format!("{} is no Unicode: give another name", folder.display()))?;
    Ok(name.to_owned())
}

/// Cargo would refuse the name as well, but only when the project is built.
fn check_package_name(name: &str) -> anyhow::Result<()> {
    let is_part = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
    if !name.starts_with(|first: char| first.is_ascii_alphabetic()) || !name.chars().all(is_part) {
        bail!("{name:?} cannot name a Rust package: begin with a letter, and use letters, digits, `-` and `_` only");
    }
    if DEPENDENCIES.contains(&name) {
        bail!("{name:?} is the name of a package that the agent uses: give another name");
    }
    Ok(())
}

/// Makes a folder with files in it, as a whole or not at all.
fn make(folder: &Path, files: impl Iterator<Item = (&'static str, String)>) -> anyhow::Result<()> {
    let folder = &folder.components().collect::<PathBuf>();
    let is_there = is_empty(folder)?;
    let unmade = || format!("{} cannot be made", folder.display());
    let above = folder.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !is_there {
        fs::create_dir_all(above).with_context(unmade)?;
    }
    // It is removed with all that is in it when this function ends. A folder that is not ours may be the only one in which
    // something can be made.
    let place = if is_there { folder } else { above };
    let scratch = tempfile::Builder::new().prefix(".new-").tempdir_in(place).with_context(unmade)?;
    let project = scratch.path().join("project");
    for (file, content) in files {
        let written = write(&project.join(file), &content);
        written.with_context(|| format!("{} cannot be written", folder.join(file).display()))?;
    }
    if is_there { move_into(folder, &project) } else { fs::rename(&project, folder) }.with_context(unmade)
}

/// Whether a folder is there and empty, or not there. Nothing of anybody's is overwritten.
fn is_empty(folder: &Path) -> anyhow::Result<bool> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) if error.kind() == ErrorKind::NotADirectory && folder.exists() => {
            bail!("{} is a file: give a folder that is empty, or not there yet", folder.display());
        }
        Err(error) => return Err(error).with_context(|| format!("{} cannot be read", folder.display())),
    };
    for entry in entries {
        let entry = entry.with_context(|| format!("{} cannot be read", folder.display()))?;
        // Who begins with version control has an empty folder all the same.
        if entry.file_name() != ".git" {
            bail!("{} is not empty: give a folder that is empty, or not there yet", folder.display());
        }
    }
    Ok(true)
}

fn write(path: &Path, content: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, content)
}

/// Moves what is in one folder into another: all of it, or nothing.
fn move_into(folder: &Path, from: &Path) -> io::Result<()> {
    let mut moved = Vec::new();
    for entry in fs::read_dir(from)? {
        let name = entry?.file_name();
        if let Err(error) = fs::rename(from.join(&name), folder.join(&name)) {
            for name in moved {
                // What it fails for is told already.
                let _ = fs::rename(folder.join(&name), from.join(&name));
            }
            return Err(error);
        }
        moved.push(name);
    }
    Ok(())
}

fn files(language: Language) -> Vec<(&'static str, &'static str)> {
    let (template, more) = match language {
        Language::Python => (PYTHON, None),
        Language::Javascript => (JAVASCRIPT, Some(TYPES)),
        Language::Typescript => (TYPESCRIPT, Some(TYPES)),
        Language::Rust => (RUST, None),
    };
    COMMON.iter().chain(template).copied().chain(more).map(|(file, content)| (own_name(file), content)).collect()
}

/// What a file of a template is called in a project. In this repository it must not do what it does there.
fn own_name(file: &'static str) -> &'static str {
    match file {
        "gitignore" => ".gitignore",
        "Cargo.toml.template" => "Cargo.toml",
        file => file,
    }
}

fn filled(content: &str, name: &str) -> String {
    let content = content.replace("{{name}}", name);
    if content.contains("{{sdk}}") { content.replace("{{sdk}}", &sdk()) } else { content }
}

/// Where cargo finds the SDK: in the repository that this command was built from, if that is still there, and otherwise
/// where packages are published.
fn sdk() -> String {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    let folder = repository.map(|repository| repository.join("sdk/rust"));
    match folder.filter(|folder| folder.join("Cargo.toml").is_file()) {
        Some(folder) => format!("{{ path = {} }}", toml_text(&folder.to_string_lossy())),
        None => toml_text(env!("CARGO_PKG_VERSION")),
    }
}

/// A text as TOML writes it. What JSON escapes, TOML escapes alike.
fn toml_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let is_plain = |character: char| character.is_alphanumeric() || "-_./~+@%:,".contains(character);
    if path.chars().all(is_plain) { path } else { format!("'{}'", path.replace('\'', r"'\''")) }
}
