//! Everything that has to hold.
//!
//! The order has a reason: what is quick comes first. Everything that compiles for the host does so for the whole
//! workspace, with the same features, so that nothing is compiled twice; lints and documentation share what they
//! check, and all tests share what they link.

use std::path::{Path, PathBuf};
use std::process::Command;

use agent_memory_build::toolchain::{self, Way};
use anyhow::Context;
use cargo_metadata::{Message, Metadata, Package};

use crate::steps::{Log, Outcome, Steps};
use crate::{contract, guests, workspace};

/// The package and the tests of it that put the policy to work.
const POLICY_SUITE: (&str, &str) = ("agent-memory-tests", "host");

/// Has those tests run another policy than the one in the repository.
const POLICY_VARIABLE: &str = "AGENT_MEMORY_POLICY";

/// The version that is installed where there is none and nobody to ask.
const CARGO_DENY: &str = "0.20.2";

/// Tells tests of builds which ways to the wasm target cannot be had here, as the names of ways with commas between, and
/// [`WASIP2`] where that cannot be had. Under CI they take nothing else for a reason to be skipped.
const WITHOUT_VARIABLE: &str = "AGENT_MEMORY_TEST_WITHOUT";

/// The target of Rust that authors may compile for by themselves.
const WASIP2: &str = "wasm32-wasip2";

/// Runs everything, or what is quick.
pub(crate) fn run(fast: bool) -> anyhow::Result<()> {
    let checkout = Checkout::find()?;
    let mut steps = Steps::new(checkout.scratch.clone());
    steps.run("wasm tool-chain", |_| set_up());
    let mut missing = Way::ALL.to_vec();
    missing.retain(|way| !is_there(*way));
    let has_wasip2 = has_wasip2();
    steps.run("formatting", |log| log.run(&mut workspace::cargo(["fmt", "--all", "--check", "--", "-l"])));
    steps.run("guests up to date", |_| guests::check().map(|()| Outcome::Passed));
    steps.run("contract page up to date", |_| contract::check().map(|()| Outcome::Passed));
    steps.run("lints", |log| {
        log.run(&mut workspace::cargo(["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))
    });
    steps.run("tests", |log| {
        let wasip2 = (!has_wasip2).then_some(WASIP2);
        let names: Vec<&str> = missing.iter().map(|way| way.name()).chain(wasip2).collect();
        log.run(workspace::cargo(["test", "--workspace", "--no-fail-fast"]).env(WITHOUT_VARIABLE, names.join(",")))
    });

    let unless_fast = |step: fn(&Log, &Checkout) -> anyhow::Result<Outcome>| {
        let checkout = &checkout;
        move |log: &Log| if fast { Ok(Outcome::Skipped("--fast".to_owned())) } else { step(log, checkout) }
    };
    steps.run("tests with guests built from source", unless_fast(policy_from_source));
    steps.run("documentation", unless_fast(documentation));
    steps.run("dependencies", unless_fast(dependencies));

    for way in missing {
        let reason = match way {
            Way::Target => "the target is not installed: `rustup target add wasm32-unknown-unknown`",
            Way::Rustup => "there is no rustup, or it cannot fetch the target",
            Way::Debian => "the packages are not installed: `apt-get install rustc-web rust-web-src`",
        };
        steps.skip(&format!("builds of guests the way `{way}`"), reason.to_owned());
    }
    if !has_wasip2 {
        let reason = format!("the target is not installed: `rustup target add {WASIP2}`");
        steps.skip(&format!("functions in Rust for {WASIP2}"), reason);
    }
    steps.finish()
}

/// What the steps work on.
struct Checkout {
    metadata: Metadata,
    /// The folder for what need not be kept.
    scratch: PathBuf,
}

impl Checkout {
    fn find() -> anyhow::Result<Self> {
        let metadata = workspace::metadata()?;
        let scratch = metadata.target_directory.join("xtask").into_std_path_buf();
        Ok(Self { metadata, scratch })
    }
}

fn is_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty())
}

/// Fetches what building guests needs. Where nobody minds, also what the way needs that this machine would not take, so
/// that both are tested; that it cannot be had is no failure.
fn set_up() -> anyhow::Result<Outcome> {
    let fetch = |way| toolchain::prepare(way, workspace::root(), &workspace::show);
    fetch(Way::from_environment()?)?;
    if is_ci() {
        for way in [Way::Rustup, Way::Debian] {
            if !is_there(way) {
                // Without success, the summary names it.
                let _ = fetch(Some(way));
            }
        }
        if !has_wasip2() {
            // As above.
            let _ = Command::new("rustup").args(["target", "add", WASIP2]).output();
        }
    }
    Ok(Outcome::Passed)
}

/// Whether functions can be compiled for the target that has clocks and random numbers.
fn has_wasip2() -> bool {
    let rustc = Command::new("rustc").args(["--print", "target-libdir", "--target", WASIP2]).output();
    rustc.is_ok_and(|found| Path::new(String::from_utf8_lossy(&found.stdout).trim()).is_dir())
}

fn is_there(way: Way) -> bool {
    toolchain::find(Some(way), workspace::root()).is_ok()
}

/// Builds the guests and runs on that policy the tests that ran on the one in the repository.
fn policy_from_source(log: &Log, checkout: &Checkout) -> anyhow::Result<Outcome> {
    let mut policy = None;
    for guest in &guests::GUESTS {
        let built = guest.build_from_source()?;
        // A copy: tests may build the same guest again meanwhile.
        let copy = checkout.scratch.join(format!("{}.wasm", guest.name));
        agent_memory_build::write_atomically(&copy, &built.bytes)?;
        if guest.name == "policy" {
            policy = Some(copy);
        }
    }
    let policy = policy.context("the policy is no guest")?;
    let tests = test_programs(&checkout.metadata)?;
    let (of, name) = POLICY_SUITE;
    let mut suite = tests.iter().filter(|test| test.package.name == of && test.name == name).peekable();
    suite.peek().with_context(|| format!("{of} has no tests named {name}"))?;
    for TestProgram { package, program, .. } in suite {
        let manifest = package.manifest_path.as_std_path();
        let folder = manifest.parent().unwrap_or(workspace::root());
        let mut test = Command::new(program);
        test.current_dir(folder).env("CARGO_MANIFEST_DIR", folder).env("CARGO_MANIFEST_PATH", manifest);
        log.run(test.env(POLICY_VARIABLE, &policy))?;
    }
    Ok(Outcome::Passed)
}

/// A program of tests that is built already.
struct TestProgram<'a> {
    package: &'a Package,
    name: String,
    program: PathBuf,
}

/// All test programs of the workspace. They are started themselves: to have cargo run the tests of some packages means
/// to have it build those with other features than the whole.
fn test_programs(metadata: &Metadata) -> anyhow::Result<Vec<TestProgram<'_>>> {
    let arguments = ["test", "--workspace", "--no-run", "--message-format", "json-render-diagnostics"];
    let output = workspace::output(&mut workspace::cargo(arguments))?;
    let mut programs = Vec::new();
    for message in Message::parse_stream(output.as_slice()) {
        let Message::CompilerArtifact(artifact) = message? else { continue };
        let Some(program) = artifact.executable.filter(|_| artifact.profile.test) else { continue };
        let package = metadata.packages.iter().find(|package| package.id == artifact.package_id);
        let package = package.with_context(|| format!("{program} is of no package of the workspace"))?;
        programs.push(TestProgram { package, name: artifact.target.name, program: program.into() });
    }
    Ok(programs)
}

fn documentation(log: &Log, _: &Checkout) -> anyhow::Result<Outcome> {
    log.run(workspace::cargo(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "--deny warnings"))
}

/// Advisories are no part of this: they change without us, and need a database that not everybody can fetch.
fn dependencies(log: &Log, checkout: &Checkout) -> anyhow::Result<Outcome> {
    let tools = checkout.scratch.join("tools");
    let own = tools.join("bin").join("cargo-deny");
    let is_installed = Command::new("cargo-deny").arg("--version").output().is_ok();
    if !is_installed && !own.is_file() {
        let skip = |reason| Ok(Outcome::Skipped(format!("{reason}: `cargo install --locked cargo-deny`")));
        if !is_ci() {
            return skip("cargo-deny is not installed");
        }
        let mut install = workspace::cargo(["install", "--locked", "--version", CARGO_DENY, "cargo-deny", "--root"]);
        if log.run(install.arg(&tools)).is_err() {
            return skip("cargo-deny cannot be installed");
        }
    }
    let mut deny = Command::new(if is_installed { Path::new("cargo-deny") } else { &own });
    deny.current_dir(workspace::root());
    log.run(deny.args(["check", "bans", "licenses", "sources"]))
}
