//! From the source of an attack to its component, built once.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use agent_memory_host::Interfaces;
use agent_memory_tests::{built, encode, root, rust_agent};

use crate::generate::generate;
use crate::{folder, names};

/// What an attack is written in.
pub(crate) enum Source {
    /// A component in text form.
    Component(String),
    /// A world, and a core module that is made a component of it. Without a module every function traps.
    World {
        world: String,
        module: Option<String>,
    },
    /// A setting of the generators.
    Generated(String),
    /// One function of a component that it shares with all others of its language.
    Python,
    JavaScript,
    Rust,
}

impl Source {
    /// The source in an attack's folder:
    ///
    /// - `attack.wat`: imports, and a function `$attack` to be put into `frame.wat`, beside `world.wit` if that is there;
    /// - `module.wat`: a core module that imports at most the contract and exports the functions;
    /// - `component.wat`: a component;
    /// - `world.wit` alone: a component of that world, every function of which traps;
    /// - `generate.toml`: what to generate;
    /// - `attack.py`, `attack.js`, `attack.rs`: a function with the folder's name.
    pub(crate) fn of(name: &str) -> Self {
        let read = |file: &str| fs::read_to_string(folder(name).join(file)).ok();
        let world = || read("world.wit");
        if let Some(attack) = read("attack.wat") {
            let world = world().unwrap_or_else(|| include_str!("wasi.wit").to_owned());
            Self::World { world, module: Some(frame(&attack, 1)) }
        } else if let Some(module) = read("module.wat") {
            let contract = "package tests:attacks; world contract { include agent:memory/functions-component@0.1.0; }";
            Self::World { world: contract.to_owned(), module: Some(module) }
        } else if let Some(component) = read("component.wat") {
            Self::Component(component)
        } else if let Some(settings) = read("generate.toml") {
            Self::Generated(settings)
        } else if let Some(world) = world() {
            Self::World { world, module: None }
        } else if read("attack.py").is_some() {
            Self::Python
        } else if read("attack.js").is_some() {
            Self::JavaScript
        } else if read("attack.rs").is_some() {
            Self::Rust
        } else {
            panic!("{name} has no source")
        }
    }

    /// The component.
    pub(crate) fn build(&self) -> Vec<u8> {
        static PYTHON: LazyLock<Vec<u8>> = LazyLock::new(python);
        static JAVASCRIPT: LazyLock<Vec<u8>> = LazyLock::new(javascript);
        static RUST: LazyLock<Vec<u8>> = LazyLock::new(rust);
        match self {
            Self::Component(text) => wat::parse_str(text).unwrap_or_else(|error| panic!("{error}")),
            Self::World { world, module } => encode(world, module.as_deref()),
            Self::Generated(settings) => generate(settings),
            Self::Python => PYTHON.clone(),
            Self::JavaScript => JAVASCRIPT.clone(),
            Self::Rust => RUST.clone(),
        }
    }

    /// The function to call.
    pub(crate) fn function(&self, name: &str) -> String {
        match self {
            Self::Python | Self::JavaScript | Self::Rust => name.replace('-', "_"),
            _ => "attack".to_owned(),
        }
    }
}

/// The component of an attack in text form, with one page of memory.
pub(crate) fn framed(attack: &str) -> Vec<u8> {
    framed_in(include_str!("wasi.wit"), attack, 1)
}

/// The same of a world, with so many pages of memory.
pub(crate) fn framed_in(world: &str, attack: &str, pages: usize) -> Vec<u8> {
    encode(world, Some(&frame(attack, pages)))
}

fn frame(attack: &str, pages: usize) -> String {
    let frame = include_str!("frame.wat");
    // One `cabi_realloc` is exported: the attack's, if it has its own.
    let realloc = if attack.contains("(export \"cabi_realloc\")") {
        "(func $realloc"
    } else {
        "(func $realloc (export \"cabi_realloc\")"
    };
    let (comment, module) = frame.split_once("(module").unwrap();
    let module = module.replace("PAGES", &pages.to_string()).replace("(func $realloc", realloc);
    let (before, after) = module.split_once("ATTACK").unwrap();
    format!("{comment}(module{before}{attack}{after}")
}

/// All attacks in Python, in the one layout in which each function has a file of its own.
fn python() -> Vec<u8> {
    let project = project("python");
    for (name, source) in sources("attack.py") {
        write(&project.join(format!("functions/{name}.py")), &source);
    }
    write(
        &project.join("functions/ordinary.py"),
        "def ordinary(conv: Conversation):\n    conv.state[\"mood\"] = \"good\"\n    return True\n",
    );
    built(&project)
}

fn javascript() -> Vec<u8> {
    let project = project("javascript");
    let mut exports =
        String::from("export function ordinary(conv) {\n  conv.state.mood = \"good\";\n  return true;\n}\n");
    for (name, source) in sources("attack.js") {
        write(&project.join(format!("{name}.js")), &source);
        exports.push_str(&format!("export * from \"./{name}.js\";\n"));
    }
    write(&project.join("functions.js"), &exports);
    built(&project.join("functions.js"))
}

fn rust() -> Vec<u8> {
    let mut library = String::from("use agent_memory_sdk::{Conversation, Error, export, function};\n");
    let mut functions = vec!["ordinary".to_owned()];
    for (name, source) in sources("attack.rs") {
        library.push_str(&format!("mod {name}_attack {{\n{source}\n}}\nuse {name}_attack::{name};\n"));
        functions.push(name);
    }
    library.push_str(&format!("export!({});\n", functions.join(", ")));
    library.push_str(
        "#[function]\nfn ordinary(conv: &Conversation) -> Result<bool, Error> {\n    conv.state().set(\"mood\", \
         \"good\")?;\n    Ok(true)\n}\n",
    );
    let package = root().join("target/tests/attacks/attacks-in-rust");
    rust_agent(&package, &library);
    built(&package)
}

/// The sources of all attacks that have this file, by the names of their functions.
fn sources(file: &str) -> Vec<(String, String)> {
    let read = |name: String| {
        let source = fs::read_to_string(folder(&name).join(file)).ok()?;
        Some((name.replace('-', "_"), source))
    };
    names().into_iter().filter_map(read).collect()
}

/// An empty folder for a project.
fn project(language: &str) -> PathBuf {
    let project = root().join("target/tests/attacks").join(language);
    let _ = fs::remove_dir_all(&project);
    project
}

fn write(path: &Path, content: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// Shows that what is refused is refused for what it is, and not for how it is made.
#[test]
fn the_frame_around_nothing_is_a_component() {
    let bytes = framed("(func $attack (result i32) (global.get $null))");
    let interfaces = Interfaces::of(&bytes).unwrap();
    assert_eq!(interfaces.imports, ["agent:memory/state@0.1.0"]);
    assert_eq!(interfaces.exports, ["agent:memory/functions@0.1.0"]);
}
