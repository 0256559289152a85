//! What builds JavaScript: Node.js, which has to be there, and packages of npm, which are installed once.
//!
//! The packages have a folder that is named by a digest of what is to be in it, and in it folders of our own scripts with
//! the SDK, named likewise. Each is made beside and moved into place when it is complete, so that what an interruption
//! leaves is never used.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use super::JavaScriptError;
use crate::cache::{put_in_place, take_turn};
use crate::files::{self, Files, files};
use crate::{BuildError, Options, Progress, process};

/// The oldest Node.js that everything runs on.
const OLDEST_NODE: u32 = 20;

/// The arguments of the npm that installs the packages. Nothing that a package brings is run.
const INSTALL: [&str; 6] = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-progress", "--loglevel=error"];

/// What there are packages for.
const PACKAGES: Files = files!("crates/build/src/javascript/node":
    "package.json",
    "package-lock.json",
    "jco/package.json",
    "jco/index.js",
    "weval/package.json",
    "weval/index.js",
);

/// Our own scripts.
const SCRIPTS: Files = files!("crates/build/src/javascript/node":
    "build.js",
    "bundle.js",
    "declare.js",
    "positions.js",
    "problems.js",
    "schema.js",
);

/// The SDK.
const SDK: Files = files!("sdk/javascript":
    "package.json",
    "index.d.ts",
    "src/arguments.js",
    "src/built.js",
    "src/component.js",
    "src/conversation.js",
    "src/errors.js",
    "src/functions.js",
    "src/host.js",
    "src/index.js",
    "src/json.js",
    "src/log.js",
    "src/memory.js",
    "src/names.js",
    "src/requests.js",
    "src/sandbox.js",
    "src/state.js",
    "src/trace.js",
    "src/values.js",
    "src/voices.js",
    "src/warm.js",
);

/// What is put beside the packages: our own scripts with the SDK and the contract in folders among them.
const OWN: [Files; 3] = [SCRIPTS, SDK, files::CONTRACT];

/// A digest of all that a component is built with, beside its sources.
pub(super) static DIGEST: LazyLock<String> =
    LazyLock::new(|| format!("{}-{}-{}", files::digest(&[PACKAGES]), files::digest(&OWN), env!("CARGO_PKG_VERSION")));

/// Everything that builds JavaScript, ready for use.
pub(super) struct Tools {
    script: PathBuf,
}

impl Tools {
    /// Finds it. What is missing is installed into the cache.
    pub(super) fn prepare(cache: &Path, options: &Options<'_>) -> Result<Self, BuildError> {
        check_node()?;
        let packages = cache.join("tools").join(files::digest(&[PACKAGES]));
        let scripts = packages.join(format!("scripts-{}", files::digest(&OWN)));
        if !scripts.is_dir() {
            // Another process may be installing the same: look again once it is our turn.
            let _turn = take_turn(cache)?;
            if !packages.is_dir() {
                put_in_place(&packages, |folder| install(folder, options))?;
            }
            if !scripts.is_dir() {
                put_in_place(&scripts, |folder| {
                    files::write(SCRIPTS, folder)?;
                    files::write(SDK, &folder.join("sdk"))?;
                    files::write(files::CONTRACT, &folder.join("wit"))
                })?;
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
    files::write(PACKAGES, folder)?;
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

#[cfg(test)]
mod tests {
    use crate::files::tests::is_all_of;

    use super::*;

    #[test]
    fn no_file_of_the_scripts_or_the_sdk_is_left_out() {
        is_all_of("crates/build/src/javascript/node", &[PACKAGES, SCRIPTS], &[".npmrc", "node_modules"]);
        let of_its_authors = [".npmrc", "README.md", "node_modules", "package-lock.json", "test", "tsconfig.json"];
        is_all_of("sdk/javascript", &[SDK], &of_its_authors);
    }

    #[test]
    fn the_list_of_packages_says_nothing_of_where_they_come_from() {
        for (name, content) in PACKAGES {
            assert!(!content.contains("http"), "{name}");
        }
    }
}
