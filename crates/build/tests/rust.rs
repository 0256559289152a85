//! Really builds small Rust guests, each way that there is to the wasm target.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use agent_memory_build::toolchain::{self, Way};
use agent_memory_build::{BuildError, Built, Options, Progress, Work, build};

/// The guests, which make up one workspace, so that what they depend on is compiled once.
const GUESTS: [&str; 8] = ["on-target", "on-debian", "no-world", "wrong", "warned", "watched", "shop", "mistaken"];

/// Those that use the SDK. All others have bindings of their own.
const WITH_SDK: [&str; 2] = ["shop", "mistaken"];

/// The workspace of the guests. It outlives the test, and shares the folder for cargo's output with the workspace that
/// this test is in: both depend on the same versions of the same packages.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = temporary.join("guests");
    let target = temporary.parent().unwrap();
    write(&folder.join(".cargo/config.toml"), &format!("[build]\ntarget-dir = {target:?}\n"));
    write(&folder.join("Cargo.toml"), &format!("[workspace]\nresolver = \"3\"\nmembers = {GUESTS:?}\n"));
    write(&folder.join("Cargo.lock"), &fs::read_to_string(workspace().join("Cargo.lock")).unwrap());
    for guest in GUESTS {
        let dependency = if WITH_SDK.contains(&guest) {
            format!("agent-memory-sdk = {{ path = {:?} }}", workspace().join("sdk/rust").canonicalize().unwrap())
        } else {
            r#"wit-bindgen = { version = "0.61", default-features = false, features = ["macros", "realloc"] }"#
                .to_owned()
        };
        let manifest = format!(
            r#"
[package]
name = "guest-{guest}"
version = "0.1.0"
edition = "2024"

[lib]
crate-type = ["cdylib"]

[dependencies]
{dependency}
"#
        );
        write(&folder.join(guest).join("Cargo.toml"), &manifest);
        write(&folder.join(guest).join("src/lib.rs"), "");
    }
    folder
});

fn write(path: &Path, content: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// One of the guests. Each test has its own.
struct Project(PathBuf);

impl Project {
    fn new(name: &str) -> Self {
        assert!(GUESTS.contains(&name));
        Self(FOLDER.join(name))
    }

    fn source(&self, source: &str) {
        write(&self.0.join("src/lib.rs"), source);
    }

    /// A component that exports `answer`, and panics if the question is the answer.
    fn answer(&self, answer: u32) {
        self.source(&format!(
            r#"
wit_bindgen::generate!({{ inline: "package test:guest; world guest {{ export answer: func(question: u32) -> u32; }}" }});
struct Functions;
impl Guest for Functions {{
    fn answer(question: u32) -> u32 {{
        assert_ne!(question, {answer}, "the answer is not the question");
        {answer}
    }}
}}
export!(Functions);
"#
        ));
    }

    /// Builds it in whatever way this machine has.
    fn build(&self) -> Result<Built, BuildError> {
        build(&self.0, &Options::default())
    }

    fn build_by(&self, way: Way) -> Built {
        build(&self.0, &Options { way: Some(way), ..Options::default() }).unwrap()
    }
}

fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Whether a way can be tested here. Fetches nothing: a test should not change the machine. Under CI, a way is missing
/// only where `cargo xtask test` has tried to fetch it, and names it among what was skipped.
fn is_there(way: Way) -> bool {
    let Err(error) = toolchain::find(Some(way), workspace()) else { return true };
    let excused = std::env::var("AGENT_MEMORY_TEST_WITHOUT").unwrap_or_default();
    let is_excused = excused.split(',').any(|name| name == way.name());
    let is_ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty());
    assert!(!is_ci || is_excused, "{error}");
    println!("skipped: {error}");
    false
}

/// Where the component of a guest is, once it is built.
fn component_of(guest: &str) -> PathBuf {
    let toolchain = toolchain::prepare(None, workspace(), &|_| ()).unwrap();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    target.join("wasm").join(toolchain.name()).join(format!("components/guest-{guest}.wasm"))
}

/// The names of what a component exports.
fn exports(component: &[u8]) -> Vec<String> {
    let decoded = wit_component::decode(component).unwrap();
    let (resolve, world) = match decoded {
        wit_component::DecodedWasm::Component(resolve, world) => (resolve, world),
        wit_component::DecodedWasm::WitPackage(..) => panic!("a package of interfaces"),
    };
    resolve.worlds[world].exports.iter().map(|(name, _)| resolve.name_world_key(name)).collect()
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// All that has to hold, whatever the way.
fn builds_a_component(name: &str, way: Way) {
    if !is_there(way) {
        return;
    }
    let project = Project::new(name);
    project.answer(42);
    let first = project.build_by(way);
    assert_eq!(exports(&first.bytes), ["answer"]);
    assert_eq!(fs::read(&first.path).unwrap(), first.bytes);
    assert_eq!(first.diagnostics, "");
    assert!(contains(&first.bytes, "the answer is not the question"), "a panic's message");
    assert!(!contains(&first.bytes, FOLDER.to_str().unwrap()), "the project's folder");
    let home = std::env::home_dir().unwrap();
    assert!(!contains(&first.bytes, home.to_str().unwrap()), "the home folder");

    let again = project.build_by(way);
    assert_eq!((again.work, &again.bytes), (Work::Fresh, &first.bytes));

    project.answer(43);
    let changed = project.build_by(way);
    assert_eq!(changed.work, Work::Done);
    assert_ne!(changed.bytes, first.bytes);

    fs::write(&changed.path, b"damaged").unwrap();
    let repaired = project.build_by(way);
    assert_eq!((repaired.work, &repaired.bytes), (Work::Done, &changed.bytes));
    assert_eq!(fs::read(&repaired.path).unwrap(), changed.bytes);
}

#[test]
fn the_installed_target_builds_a_component() {
    builds_a_component("on-target", Way::Target);
}

#[test]
fn debian_packages_build_a_component() {
    builds_a_component("on-debian", Way::Debian);
}

#[test]
fn the_two_compilers_keep_apart() {
    if is_there(Way::Target) && is_there(Way::Debian) {
        let name = |way| toolchain::find(Some(way), workspace()).unwrap().name();
        assert_ne!(name(Way::Target), name(Way::Debian));
    }
}

#[test]
fn rustup_has_nothing_to_fetch_where_the_target_is() {
    if is_there(Way::Rustup) {
        let commands = RefCell::new(Vec::new());
        let report = |step: Progress<'_>| commands.borrow_mut().push(step.to_string());
        let toolchain = toolchain::prepare(Some(Way::Rustup), workspace(), &report).unwrap();
        assert_eq!(toolchain, toolchain::find(Some(Way::Target), workspace()).unwrap());
        let expected = "fetching what wasm needs: rustup target add wasm32-unknown-unknown";
        assert_eq!(commands.into_inner(), [expected]);
    }
}

#[test]
fn a_compile_error_is_shown_as_cargo_prints_it() {
    let project = Project::new("wrong");
    project.source("pub fn answer() -> u32 {\n    \"forty-two\"\n}\n");
    let error = project.build().unwrap_err();
    let BuildError::Compile { project, output } = &error else { panic!("{error}") };
    assert_eq!(project, "guest-wrong");
    assert!(output.starts_with("error[E0308]: mismatched types\n --> wrong/src/lib.rs:2:5\n"), "{output}");
    assert!(error.to_string().ends_with(output), "{error}");
}

#[test]
fn a_warning_is_shown_each_time() {
    let project = Project::new("warned");
    project.answer(42);
    let source = fs::read_to_string(project.0.join("src/lib.rs")).unwrap();
    project.source(&format!("{source}\nfn forgotten() {{}}\n"));
    for _ in 0..2 {
        let built = project.build().unwrap();
        assert!(built.diagnostics.starts_with("warning: function `forgotten` is never used"), "{built:?}");
    }
}

#[test]
fn a_library_without_a_world_is_refused_with_what_to_do() {
    let project = Project::new("no-world");
    project.source("#[unsafe(no_mangle)]\npub extern \"C\" fn answer() -> u32 {\n    42\n}\n");
    let error = project.build().unwrap_err();
    assert!(matches!(&error, BuildError::NoWorld { project } if project == "guest-no-world"), "{error}");
}

#[test]
fn progress_is_reported_step_by_step() {
    let project = Project::new("watched");
    // An answer that no earlier run has compiled.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    project.answer(now.subsec_nanos());
    let steps = RefCell::new(Vec::new());
    let report = |step: Progress<'_>| steps.borrow_mut().push(step.to_string());
    build(&project.0, &Options { progress: Some(&report), ..Options::default() }).unwrap();
    let mut steps = steps.into_inner();
    steps.retain(|step| !step.starts_with("fetching "));
    assert_eq!(steps.first().unwrap(), "compiling guest-watched for wasm");
    assert_eq!(steps.last().unwrap(), "making guest-watched a component");
    assert!(steps.iter().any(|step| step == "compiled guest_watched"), "{steps:?}");
}

/// A small agent, from its seventh line on.
const SHOP: &str = r#"//! A cheese shop.

use agent_memory_sdk::{Conversation, Error, export, function};

export!(book);

/// Books a cheese.
#[function]
fn book(conv: &Conversation, cheese_type: String) -> Result<String, Error> {
    conv.state().set("cheese_type", &cheese_type)?;
    Ok(format!("Booked {cheese_type}."))
}
"#;

#[test]
fn functions_that_the_sdk_exports_are_a_component_without_wasi() {
    let project = Project::new("shop");
    project.source(SHOP);
    let built = project.build().unwrap();
    assert_eq!(built.diagnostics, "");
    assert_eq!(exports(&built.bytes), ["agent:memory/functions@0.1.0"]);
    assert!(!contains(&built.bytes, "wasi:"));

    // A function that nobody exports is forgotten, most likely.
    project.source(&format!("{SHOP}\n#[function]\nfn hand_over(_: &Conversation) {{}}\n"));
    let diagnostics = project.build().unwrap().diagnostics;
    assert!(diagnostics.starts_with("warning: function `hand_over` is never used\n"), "{diagnostics}");
    assert!(diagnostics.contains(" shop/src/lib.rs:15:4\n"), "{diagnostics}");
}

#[test]
fn a_mistake_is_shown_with_file_and_line_and_leaves_no_component() {
    let project = Project::new("mistaken");
    let with = |old: &str, new: &str| {
        assert!(SHOP.contains(old), "{old}");
        SHOP.replace(old, new)
    };
    let cases = [
        (with("Ok(format!", "Ok(format!("), "error: mismatched closing delimiter: `}`", "mistaken/src/lib.rs:"),
        (
            with("export!(book)", "export!(book, book)"),
            "error[E0080]: evaluation panicked: two functions have the same name: give one another by `#[function(name = \"...\")]`",
            "mistaken/src/lib.rs:5:1",
        ),
        (
            with("export!(book)", "export!()"),
            "error: list the functions to export: `export!(start_function, book);`",
            "mistaken/src/lib.rs:5:1",
        ),
        (
            with("export!(book)", "export!(order)"),
            "error[E0425]: cannot find type `order` in this scope",
            "mistaken/src/lib.rs:5:9",
        ),
        (with("#[function]\n", ""), "error[E0573]: expected type, found function `book`", "mistaken/src/lib.rs:5:9"),
        (
            with("#[function]\n", "struct book {}\n"),
            "error[E0277]: `book` is no function of an agent",
            "mistaken/src/lib.rs:5:1",
        ),
        (with("type: String)", "type: &str)"), "error: an argument is owned: use `String`", "mistaken/src/lib.rs:9:43"),
        (
            with("type: String)", "type: Error)"),
            "error[E0277]: the trait bound `agent_memory_sdk::Error: ",
            "mistaken/src/lib.rs:",
        ),
        (
            with("Result<String, Error>", "Result<String, String>"),
            "error[E0277]: `?` couldn't convert the error to `",
            "mistaken/src/lib.rs:10:50",
        ),
        (
            SHOP.replace("Result<String, Error>", "Result<String, String>")
                .replace("    conv.state().set(\"cheese_type\", &cheese_type)?;\n", ""),
            "error[E0277]: a function of an agent cannot fail with `std::string::String`",
            "mistaken/src/lib.rs:9:54",
        ),
        (
            with("Result<String, Error>", "Result<Conversation, Error>"),
            "error[E0277]: a function of an agent cannot return `Conversation`",
            "mistaken/src/lib.rs:9:54",
        ),
        (
            with("#[function]\n", "mod book {}\n#[function]\n"),
            "error[E0428]: the name `book` is defined multiple times",
            "mistaken/src/lib.rs:10:4",
        ),
        (
            with("    Ok(format", "    return order(conv, 1);\n    Ok(format"),
            "error[E0425]: cannot find function `order` in this scope",
            "mistaken/src/lib.rs:11:12",
        ),
        (
            with("    Ok(format", "    book(conv, 1)?;\n    Ok(format"),
            "error[E0308]: mismatched types",
            "mistaken/src/lib.rs:11:16",
        ),
        (
            with("use agent", "mod missing;\nuse agent"),
            "error[E0583]: file not found for module `missing`",
            "mistaken/src/lib.rs:3:1",
        ),
    ];
    let component = component_of("mistaken");
    for (source, message, place) in cases {
        project.source(&source);
        let error = project.build().unwrap_err();
        let BuildError::Compile { output, .. } = &error else { panic!("{error}") };
        assert!(output.contains(message), "{message}\n{output}");
        assert!(output.contains(place), "{place}\n{output}");
        assert!(!component.exists(), "{message}");
    }

    fs::write(project.0.join("src/lib.rs"), [SHOP.as_bytes(), b"// Br\xfbl\xe9e\n"].concat()).unwrap();
    let error = project.build().unwrap_err().to_string();
    assert!(error.contains("mistaken/src/lib.rs`: stream did not contain valid UTF-8"), "{error}");

    project.source("//! Nothing.\n\npub use agent_memory_sdk::Conversation;\n");
    let error = project.build().unwrap_err();
    assert!(matches!(&error, BuildError::NoWorld { project } if project == "guest-mistaken"), "{error}");
    assert!(error.to_string().contains("`agent_memory_sdk::export!(...)`"), "{error}");
    assert!(!component.exists());

    // Large files that no source includes are none of the compiler's business.
    fs::File::create(project.0.join("recordings.wav")).unwrap().set_len(50 << 20).unwrap();
    project.source(SHOP);
    let built = project.build().unwrap();
    assert_eq!((&built.path, fs::read(&component).ok()), (&component, Some(built.bytes)));
    fs::remove_file(component).unwrap();
}

#[test]
fn a_package_without_a_cdylib_is_told_what_to_add() {
    let error = build(Path::new(env!("CARGO_MANIFEST_DIR")), &Options::default()).unwrap_err();
    assert!(matches!(error, BuildError::NotCdylib { .. }), "{error}");
    assert!(error.to_string().ends_with("add the lines\n[lib]\ncrate-type = [\"cdylib\"]"), "{error}");
}

#[test]
fn a_workspace_names_the_packages_that_can_be_built() {
    let error = build(workspace(), &Options::default()).unwrap_err();
    let BuildError::Workspace { packages, .. } = &error else { panic!("{error}") };
    assert!(packages.iter().any(|package| package.ends_with("crates/policy")), "{error}");
    assert!(!packages.iter().any(|package| package.ends_with("crates/build")), "{error}");
}

#[test]
fn a_manifest_that_cargo_cannot_read_is_shown_with_cargos_words() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("Cargo.toml"), "[package\n").unwrap();
    let error = build(folder.path(), &Options::default()).unwrap_err();
    let BuildError::Project { output, .. } = &error else { panic!("{error}") };
    assert!(output.contains("Cargo.toml:1:9"), "{output}");
}
