//! Everything that has to hold.
//!
//! The order has a reason: what is quick comes first. Everything that compiles for the host does so for the whole
//! workspace, with the same features, so that nothing is compiled twice; lints and documentation share what they
//! check, and all tests share what they link.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use cargo_metadata::{Artifact, Metadata, Package};

use crate::needs::{self, Need};
use crate::steps::{Log, Outcome, Steps};
use crate::{contract, guests, is_ci, workspace};

/// The package and the tests of it that put the policy to work.
const POLICY_SUITE: (&str, &str) = ("agent-memory-tests", "host");

/// Has those tests run another policy than the one in the repository.
const POLICY_VARIABLE: &str = "AGENT_MEMORY_POLICY";

/// Has them run every turn in a worker.
const WORKER_VARIABLE: &str = "AGENT_MEMORY_TEST_WORKER";

/// The program that they use as a worker.
const WORKER: &str = "agent-memory-test-worker";

/// The version that is installed where there is none and nobody to ask.
const CARGO_DENY: &str = "0.20.2";

/// Tells tests what cannot be had here, as the names of [`Need`]s with commas between. Under CI they take nothing else for
/// a reason to be skipped.
const WITHOUT_VARIABLE: &str = "AGENT_MEMORY_TEST_WITHOUT";

/// Runs everything, or what is quick.
pub(crate) fn run(fast: bool) -> anyhow::Result<()> {
    let checkout = Checkout::find()?;
    let mut steps = Steps::new(checkout.scratch.clone());
    steps.run("set-up", |_| needs::set_up());
    let missing = Need::missing();
    steps.run("formatting", |log| log.run(&mut workspace::cargo(["fmt", "--all", "--check", "--", "-l"])));
    steps.run("guests up to date", |_| guests::check().map(|()| Outcome::Passed));
    steps.run("contract page up to date", |_| contract::check().map(|()| Outcome::Passed));
    steps.run("lints", |log| {
        log.run(&mut workspace::cargo(["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))
    });
    steps.run("tests", |log| {
        let names: Vec<&str> = missing.iter().map(|need| need.name()).collect();
        let mut tests = workspace::cargo(["test", "--workspace", "--no-fail-fast"]);
        tests.args(missing.iter().filter_map(|need| need.package()).flat_map(|package| ["--exclude", package]));
        log.run(tests.env(WITHOUT_VARIABLE, names.join(",")))
    });

    let unless_fast = |step: fn(&Log, &Checkout) -> anyhow::Result<Outcome>| {
        let checkout = &checkout;
        move |log: &Log| if fast { Ok(Outcome::Skipped("--fast".to_owned())) } else { step(log, checkout) }
    };
    steps.run("tests with built guests, in workers", unless_fast(policy_from_source));
    steps.run("documentation", unless_fast(documentation));
    steps.run("dependencies", unless_fast(dependencies));

    for need in missing {
        steps.skip(&need.left_out(), need.advice().to_owned());
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

/// Builds the guests and runs on that policy, and in workers, the tests that ran on the one in the repository and in
/// their own process.
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
    let programs = workspace::test_programs()?;
    let worker = workspace::program(WORKER, &programs)?;
    let tests = test_programs(&checkout.metadata, programs)?;
    let (of, name) = POLICY_SUITE;
    let mut suite = tests.iter().filter(|test| test.package.name == of && test.name == name).peekable();
    suite.peek().with_context(|| format!("{of} has no tests named {name}"))?;
    for TestProgram { package, program, .. } in suite {
        let manifest = package.manifest_path.as_std_path();
        let folder = manifest.parent().unwrap_or(workspace::root());
        let mut test = Command::new(program);
        test.current_dir(folder).env("CARGO_MANIFEST_DIR", folder).env("CARGO_MANIFEST_PATH", manifest);
        log.run(test.env(POLICY_VARIABLE, &policy).env(WORKER_VARIABLE, &worker))?;
    }
    Ok(Outcome::Passed)
}

/// A program of tests that is built already.
struct TestProgram<'a> {
    package: &'a Package,
    name: String,
    program: PathBuf,
}

/// The test programs among those that were built. They are started themselves: to have cargo run the tests of some packages
/// means to have it build those with other features than the whole.
fn test_programs(metadata: &Metadata, programs: Vec<Artifact>) -> anyhow::Result<Vec<TestProgram<'_>>> {
    let mut tests = Vec::new();
    for artifact in programs {
        let Some(program) = artifact.executable.filter(|_| artifact.profile.test) else { continue };
        let package = metadata.packages.iter().find(|package| package.id == artifact.package_id);
        let package = package.with_context(|| format!("{program} is of no package of the workspace"))?;
        tests.push(TestProgram { package, name: artifact.target.name, program: program.into() });
    }
    Ok(tests)
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
