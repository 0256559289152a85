//! What is installed for tests that drive the service from outside: into `target`, once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::root;

/// An environment of Python with the packages of a list, which is made anew when the list changes.
pub(crate) fn python(name: &str, requirements: &str) -> PathBuf {
    let folder = root().join("target/tests").join(name);
    let python = folder.join("bin/python");
    let installed = folder.join("installed.txt");
    if fs::read_to_string(&installed).is_ok_and(|installed| installed == requirements) {
        return python;
    }
    let _ = fs::remove_dir_all(&folder);
    run(Command::new("python3").args(["-m", "venv"]).arg(&folder), "Python 3 with its `venv` is needed");
    let list = folder.join("requirements.txt");
    fs::write(&list, requirements).unwrap();
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
    run(Command::new(&python).args(pip).arg(&list), "packages of Python cannot be installed");
    fs::write(installed, requirements).unwrap();
    python
}

/// A copy of a folder with a `package.json`, with the packages of its lock installed.
pub(crate) fn node(name: &str, source: &Path) -> PathBuf {
    let folder = root().join("target/tests").join(name);
    fs::create_dir_all(&folder).unwrap();
    for entry in fs::read_dir(source).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
        }
    }
    let lock = fs::read(folder.join("package-lock.json")).unwrap();
    let installed = folder.join("installed");
    if fs::read(&installed).is_ok_and(|installed| installed == lock) {
        return folder;
    }
    let npm = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    run(Command::new("npm").args(npm).current_dir(&folder), "packages of npm cannot be installed");
    fs::write(installed, lock).unwrap();
    folder
}

/// Runs a program, which has to succeed, and gives what it printed.
#[track_caller]
pub(crate) fn run(command: &mut Command, purpose: &str) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{purpose}: {command:?}: {error}"));
    let printed = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert!(output.status.success(), "{purpose}: {command:?}\n{}", printed.concat());
    printed.into_iter().next().unwrap()
}
