//! Which way to take, decided from what is known of the machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::fetch::{Apt, Fetch};
use super::{Kind, TARGET, Way};
use crate::process;

/// Where Debian puts its compiler. One that rustup shadows on the search path is of no less use.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

/// What is known of the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// Whether the tool-chain in use has the target.
    pub(super) target: bool,
    /// A compiler that can build the standard library too, with a linker.
    pub(super) from_source: Option<Kind>,
    /// Whether there is rustup.
    pub(super) rustup: bool,
    /// How Debian packages can be installed.
    pub(super) apt: Option<Apt>,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Use this.
    Use(Kind),
    /// Fetch this, then look again.
    Fetch(Fetch),
    /// Nothing is left to try.
    GiveUp,
}

/// What to do next, after `tried` was fetched, with or without success.
pub(super) fn next_step(way: Option<Way>, facts: &Facts, tried: &[Fetch]) -> Step {
    let target = || facts.target.then_some(Step::Use(Kind::Installed));
    let from_source = || facts.from_source.clone().map(Step::Use);
    let add_target = || (facts.rustup && !tried.contains(&Fetch::Target)).then_some(Step::Fetch(Fetch::Target));
    let install = || facts.apt.map(Fetch::Packages).filter(|fetch| !tried.contains(fetch)).map(Step::Fetch);
    let step = match way {
        None => target().or_else(from_source).or_else(add_target).or_else(install),
        Some(Way::Target) => target(),
        // Whoever asks for rustup wants it run, also where it has nothing to do.
        Some(Way::Rustup) => add_target().or_else(|| target().filter(|_| tried.contains(&Fetch::Target))),
        Some(Way::Debian) => from_source().or_else(install),
    };
    step.unwrap_or(Step::GiveUp)
}

impl Facts {
    /// Looks at the machine, and at the tool-chain that is in charge of a folder, as far as it matters for a way.
    pub(super) fn gather(way: Option<Way>, folder: &Path) -> Self {
        let mut facts = Self::default();
        let in_use = Rustc::ask(process::rust_program("rustc", folder));
        facts.target = in_use.as_ref().is_some_and(|rustc| rustc.target_library.is_dir());
        if facts.target && matches!(way, None | Some(Way::Target)) {
            return facts;
        }
        facts.from_source = debian(in_use.as_ref());
        if facts.from_source.is_some() && matches!(way, None | Some(Way::Debian)) {
            return facts;
        }
        facts.rustup = process::output(process::rust_program("rustup", folder).arg("--version")).is_ok();
        facts.apt = Apt::find();
        facts
    }
}

/// Debian's compiler, if it is there with all that it needs.
fn debian(in_use: Option<&Rustc>) -> Option<Kind> {
    let rustc = Path::new(DEBIAN_RUSTC);
    if !rustc.is_file() || !is_new_enough(&process::output(Command::new(rustc).arg("--version")).ok()?) {
        return None;
    }
    let debian = Rustc::ask(Command::new(rustc))?;
    let linker = in_use.and_then(Rustc::linker).or_else(|| debian.linker()).or_else(linker_on_search_path)?;
    debian.has_library_sources().then(|| Kind::FromSource { rustc: rustc.to_owned(), linker })
}

/// Whether a compiler compiles what we support. Debian's ordinary one, at the same place, may be years old.
fn is_new_enough(version: &str) -> bool {
    let minor = |version: &str| version.split('.').nth(1)?.parse::<u32>().ok();
    minor(version) >= minor(env!("CARGO_PKG_RUST_VERSION"))
}

/// What a compiler says of itself.
struct Rustc {
    sysroot: PathBuf,
    host: String,
    target_library: PathBuf,
}

impl Rustc {
    fn ask(mut rustc: Command) -> Option<Self> {
        let prints = ["sysroot", "host-tuple", "target-libdir"];
        rustc.args(["--target", TARGET]).args(prints.iter().flat_map(|print| ["--print", print]));
        let output = process::output(&mut rustc).ok()?;
        let mut lines = output.lines();
        Some(Self {
            sysroot: lines.next()?.into(),
            host: lines.next()?.to_owned(),
            target_library: lines.next()?.into(),
        })
    }

    fn has_library_sources(&self) -> bool {
        self.sysroot.join("lib/rustlib/src/rust/library/std/Cargo.toml").is_file()
    }

    fn linker(&self) -> Option<PathBuf> {
        let linker = self.sysroot.join("lib/rustlib").join(&self.host).join("bin/rust-lld");
        linker.is_file().then_some(linker)
    }
}

fn linker_on_search_path() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    ["rust-lld", "wasm-ld"]
        .into_iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|linker| linker.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_source() -> Kind {
        Kind::FromSource { rustc: "/usr/bin/rustc".into(), linker: "/rust-lld".into() }
    }

    /// A machine on which everything is there and everything can be fetched.
    fn complete() -> Facts {
        Facts { target: true, from_source: Some(from_source()), rustup: true, apt: Some(Apt::AsRoot) }
    }

    /// All that happens on a machine on which fetching changes nothing.
    fn steps(way: Option<Way>, facts: &Facts) -> Vec<Step> {
        let mut tried = Vec::new();
        let mut steps = Vec::new();
        loop {
            let step = next_step(way, facts, &tried);
            steps.push(step.clone());
            match step {
                Step::Fetch(fetch) => tried.push(fetch),
                Step::Use(_) | Step::GiveUp => return steps,
            }
        }
    }

    #[test]
    fn what_is_there_comes_before_what_has_to_be_fetched() {
        assert_eq!(steps(None, &complete()), [Step::Use(Kind::Installed)]);
        assert_eq!(steps(None, &Facts { target: false, ..complete() }), [Step::Use(from_source())]);
    }

    #[test]
    fn rustup_is_asked_before_packages_and_an_error_comes_last() {
        let bare = Facts { target: false, from_source: None, ..complete() };
        let target = Step::Fetch(Fetch::Target);
        let packages = Step::Fetch(Fetch::Packages(Apt::AsRoot));
        assert_eq!(steps(None, &bare), [target.clone(), packages.clone(), Step::GiveUp]);
        assert_eq!(steps(None, &Facts { rustup: false, ..bare.clone() }), [packages, Step::GiveUp]);
        assert_eq!(steps(None, &Facts { apt: None, ..bare }), [target, Step::GiveUp]);
        assert_eq!(steps(None, &Facts::default()), [Step::GiveUp]);
    }

    #[test]
    fn what_was_fetched_is_used() {
        let bare = Facts { target: false, from_source: None, ..complete() };
        let fetched = [Fetch::Target];
        assert_eq!(next_step(None, &Facts { target: true, ..bare.clone() }, &fetched), Step::Use(Kind::Installed));
        let fetched = [Fetch::Target, Fetch::Packages(Apt::AsRoot)];
        assert_eq!(
            next_step(None, &Facts { from_source: Some(from_source()), ..bare }, &fetched),
            Step::Use(from_source())
        );
    }

    #[test]
    fn a_forced_way_never_becomes_another() {
        let only_target = Facts { from_source: None, apt: None, ..complete() };
        let only_from_source = Facts { target: false, rustup: false, ..complete() };
        assert_eq!(steps(Some(Way::Target), &only_from_source), [Step::GiveUp]);
        assert_eq!(steps(Some(Way::Rustup), &only_from_source), [Step::GiveUp]);
        assert_eq!(steps(Some(Way::Debian), &only_target), [Step::GiveUp]);
        assert_eq!(steps(Some(Way::Target), &complete()), [Step::Use(Kind::Installed)]);
        assert_eq!(steps(Some(Way::Debian), &complete()), [Step::Use(from_source())]);
    }

    #[test]
    fn a_forced_target_is_not_fetched_and_forced_packages_are() {
        let bare = Facts { target: false, from_source: None, ..complete() };
        assert_eq!(steps(Some(Way::Target), &bare), [Step::GiveUp]);
        assert_eq!(steps(Some(Way::Debian), &bare), [Step::Fetch(Fetch::Packages(Apt::AsRoot)), Step::GiveUp]);
    }

    #[test]
    fn a_forced_rustup_is_run_even_if_the_target_is_there() {
        assert_eq!(steps(Some(Way::Rustup), &complete()), [Step::Fetch(Fetch::Target), Step::Use(Kind::Installed)]);
    }

    #[test]
    fn a_compiler_older_than_ours_is_no_compiler() {
        assert!(is_new_enough(concat!("rustc ", env!("CARGO_PKG_RUST_VERSION"), ".0 (0123abcd 2026-05-25)")));
        assert!(is_new_enough("rustc 1.1000.0"));
        assert!(!is_new_enough("rustc 1.63.0 (4b91a6ea7 2022-08-08)"));
        assert!(!is_new_enough("gibberish"));
    }
}
