//! What builds JavaScript: Node.js, which has to be there, and packages of npm, which are installed once.
//!
//! The packages have a folder that is named by a digest of what is to be in it, and in it folders of our own scripts with
//! the SDK, named likewise. Each is made beside and moved into place when it is complete, so that what an interruption
//! leaves is never used.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use super::JavaScriptError;
use crate::{BuildError, Options, Progress, process};

/// The oldest Node.js that everything runs on.
const OLDEST_NODE: u32 = 20;

/// The arguments of the npm that installs the packages. Nothing that a package brings is run.
const INSTALL: [&str; 6] = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-progress", "--loglevel=error"];

/// What there are packages for.
const PACKAGES: Files = &[
    ("package.json", include_str!("node/package.json")),
    ("package-lock.json", include_str!("node/package-lock.json")),
    ("jco/package.json", include_str!("node/jco/package.json")),
    ("jco/index.js", include_str!("node/jco/index.js")),
    ("weval/package.json", include_str!("node/weval/package.json")),
    ("weval/index.js", include_str!("node/weval/index.js")),
];

/// Our own scripts, the SDK and the contract.
const SCRIPTS: Files = &[
    ("build.js", include_str!("node/build.js")),
    ("bundle.js", include_str!("node/bundle.js")),
    ("declare.js", include_str!("node/declare.js")),
    ("positions.js", include_str!("node/positions.js")),
    ("problems.js", include_str!("node/problems.js")),
    ("schema.js", include_str!("node/schema.js")),
    ("sdk/package.json", include_str!("../../../../sdk/javascript/package.json")),
    ("sdk/index.d.ts", include_str!("../../../../sdk/javascript/index.d.ts")),
    ("sdk/src/arguments.js", include_str!("../../../../sdk/javascript/src/arguments.js")),
    ("sdk/src/built.js", include_str!("../../../../sdk/javascript/src/built.js")),
    ("sdk/src/component.js", include_str!("../../../../sdk/javascript/src/component.js")),
    ("sdk/src/conversation.js", include_str!("../../../../sdk/javascript/src/conversation.js")),
    ("sdk/src/errors.js", include_str!("../../../../sdk/javascript/src/errors.js")),
    ("sdk/src/functions.js", include_str!("../../../../sdk/javascript/src/functions.js")),
    ("sdk/src/host.js", include_str!("../../../../sdk/javascript/src/host.js")),
    ("sdk/src/index.js", include_str!("../../../../sdk/javascript/src/index.js")),
    ("sdk/src/json.js", include_str!("../../../../sdk/javascript/src/json.js")),
    ("sdk/src/log.js", include_str!("../../../../sdk/javascript/src/log.js")),
    ("sdk/src/memory.js", include_str!("../../../../sdk/javascript/src/memory.js")),
    ("sdk/src/names.js", include_str!("../../../../sdk/javascript/src/names.js")),
    ("sdk/src/requests.js", include_str!("../../../../sdk/javascript/src/requests.js")),
    ("sdk/src/sandbox.js", include_str!("../../../../sdk/javascript/src/sandbox.js")),
    ("sdk/src/state.js", include_str!("../../../../sdk/javascript/src/state.js")),
    ("sdk/src/trace.js", include_str!("../../../../sdk/javascript/src/trace.js")),
    ("sdk/src/values.js", include_str!("../../../../sdk/javascript/src/values.js")),
    ("sdk/src/voices.js", include_str!("../../../../sdk/javascript/src/voices.js")),
    ("sdk/src/warm.js", include_str!("../../../../sdk/javascript/src/warm.js")),
    ("wit/conversation.wit", include_str!("../../../../wit/conversation.wit")),
    ("wit/functions.wit", include_str!("../../../../wit/functions.wit")),
    ("wit/memory.wit", include_str!("../../../../wit/memory.wit")),
    ("wit/policy.wit", include_str!("../../../../wit/policy.wit")),
    ("wit/state.wit", include_str!("../../../../wit/state.wit")),
    ("wit/worlds.wit", include_str!("../../../../wit/worlds.wit")),
];

/// A digest of all that a component is built with, beside its sources.
pub(super) static DIGEST: LazyLock<String> =
    LazyLock::new(|| format!("{}-{}-{}", digest(PACKAGES), digest(SCRIPTS), env!("CARGO_PKG_VERSION")));

/// Files by name, in a folder of their own.
type Files = &'static [(&'static str, &'static str)];

/// Everything that builds JavaScript, ready for use.
pub(super) struct Tools {
    script: PathBuf,
}

impl Tools {
    /// Finds it. What is missing is installed into the cache.
    pub(super) fn prepare(cache: &Path, options: &Options<'_>) -> Result<Self, BuildError> {
        check_node()?;
        let packages = cache.join("tools").join(digest(PACKAGES));
        let scripts = packages.join(format!("scripts-{}", digest(SCRIPTS)));
        if !scripts.is_dir() {
            // Another process may be installing the same: look again once it is our turn.
            let _turn = take_turn(cache)?;
            if !packages.is_dir() {
                put_in_place(&packages, |folder| install(folder, options))?;
            }
            if !scripts.is_dir() {
                put_in_place(&scripts, |folder| write(SCRIPTS, folder))?;
            }
        }
        Ok(Self { script: scripts.join("build.js") })
    }

    /// A command that builds what it is told on standard input, with a folder for what it needs for a while.
    pub(super) fn command(&self, scratch: &Path) -> Command {
        let mut command = Command::new("node");
        // A trace is of use to us, and warnings of Node.js are of use to nobody.
        command.args(["--enable-source-maps", "--no-warnings"]).arg(&self.script);
        command.env_remove("NODE_OPTIONS").env("TMPDIR", scratch).current_dir(scratch);
        command
    }
}

/// Whether there is a Node.js that is new enough.
fn check_node() -> Result<(), BuildError> {
    let version = match Command::new("node").arg("--version").stdin(Stdio::null()).output() {
        Ok(output) => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(JavaScriptError::NoNode { program: "node" }.into());
        }
        Err(error) => process::not_started("node".as_ref(), &error),
    };
    let major = version.strip_prefix('v').and_then(|version| version.split('.').next()?.parse::<u32>().ok());
    match major {
        Some(major) if major >= OLDEST_NODE => Ok(()),
        _ => Err(JavaScriptError::OldNode { found: version }.into()),
    }
}

/// Installs the packages into a folder.
fn install(folder: &Path, options: &Options<'_>) -> Result<(), BuildError> {
    write(PACKAGES, folder)?;
    let command = format!("npm {}", INSTALL.join(" "));
    options.report(Progress::Fetching { command: &command });
    let failed = |output| JavaScriptError::Install { command: command.clone(), folder: folder.to_owned(), output };
    let mut npm = Command::new("npm");
    npm.args(INSTALL).current_dir(folder).stdin(Stdio::null());
    // We may run inside a script of npm, whose settings are not for us.
    for (variable, _) in std::env::vars_os() {
        if variable.to_str().is_some_and(|name| name.starts_with("npm_package_") || name.starts_with("npm_lifecycle_"))
        {
            npm.env_remove(variable);
        }
    }
    match npm.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()).into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(JavaScriptError::NoNode { program: "npm" }.into()),
        Err(error) => Err(failed(error.to_string()).into()),
    }
}

/// Makes a folder that is complete as soon as it is there.
fn put_in_place(folder: &Path, fill: impl FnOnce(&Path) -> Result<(), BuildError>) -> Result<(), BuildError> {
    let written = |source| BuildError::Write { path: folder.to_owned(), source };
    let parent = folder.parent().unwrap_or(folder);
    fs::create_dir_all(parent).map_err(written)?;
    let beside = tempfile::Builder::new().prefix(".new-").tempdir_in(parent).map_err(written)?;
    fill(beside.path())?;
    fs::rename(beside.path(), folder).map_err(written)?;
    // What it would remove is not there any more.
    let _ = beside.keep();
    Ok(())
}

fn write(files: Files, folder: &Path) -> Result<(), BuildError> {
    for (name, content) in files {
        let path = folder.join(name);
        let written = |source| BuildError::Write { path: path.clone(), source };
        fs::create_dir_all(path.parent().unwrap_or(folder)).map_err(written)?;
        fs::write(&path, content).map_err(written)?;
    }
    Ok(())
}

/// Waits until no other process installs anything here. The turn ends when the file is dropped.
fn take_turn(cache: &Path) -> Result<File, BuildError> {
    let path = cache.join("lock");
    let written = |source| BuildError::Write { path: path.clone(), source };
    fs::create_dir_all(cache).map_err(written)?;
    let file = File::create(&path).map_err(written)?;
    file.lock().map_err(written)?;
    Ok(file)
}

/// A name for what is in files.
fn digest(files: Files) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in files.iter().flat_map(|(name, content)| [name, content]) {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
    }
    hasher.finalize().to_hex().chars().take(16).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(prefix: &str) -> Vec<String> {
        let files = SCRIPTS.iter().chain(PACKAGES).filter_map(|(name, _)| name.strip_prefix(prefix));
        let mut names: Vec<_> = files.filter(|name| !name.contains('/')).map(str::to_owned).collect();
        names.sort();
        names
    }

    fn found(folder: &str, ending: &str) -> Vec<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| name.ends_with(ending)).collect();
        names.sort();
        names
    }

    #[test]
    fn no_file_of_the_sdk_the_contract_or_the_scripts_is_left_out() {
        assert_eq!(listed("sdk/src/"), found("../../sdk/javascript/src", ".js"));
        assert_eq!(listed("wit/"), found("../../wit", ".wit"));
        let scripts: Vec<_> = listed("").into_iter().filter(|name| name.ends_with(".js")).collect();
        assert_eq!(scripts, found("src/javascript/node", ".js"));
    }

    #[test]
    fn the_list_of_packages_says_nothing_of_where_they_come_from() {
        for (name, content) in PACKAGES {
            assert!(!content.contains("http"), "{name}");
        }
    }

    #[test]
    fn a_folder_is_there_as_a_whole_or_not_at_all() {
        let cache = tempfile::tempdir().unwrap();
        let folder = cache.path().join("tools/one");
        let failed = put_in_place(&folder, |beside| {
            fs::write(beside.join("half"), "").unwrap();
            Err(JavaScriptError::NoNode { program: "npm" }.into())
        });
        assert!(failed.is_err());
        assert_eq!(fs::read_dir(cache.path().join("tools")).unwrap().count(), 0);
        put_in_place(&folder, |beside| write(&[("a/b.js", "1")], beside)).unwrap();
        assert_eq!(fs::read_to_string(folder.join("a/b.js")).unwrap(), "1");
        assert_eq!(fs::read_dir(cache.path().join("tools")).unwrap().count(), 1);
    }
}
