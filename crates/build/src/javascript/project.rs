//! Where a project has its functions.

use std::fs;
use std::io;
use std::iter;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::JavaScriptError;
use crate::BuildError;

/// How files of functions end.
const ENDINGS: [&str; 4] = ["js", "mjs", "ts", "mts"];

/// Where a project without a `src/functions` may have its functions, if its `package.json` does not say.
const ENTRIES: [&str; 4] = ["src/index", "index", "src/functions", "functions"];

/// Sources that become one component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Project {
    /// What messages call it.
    pub(crate) name: String,
    /// The folder that its files are named from.
    pub(crate) root: PathBuf,
    /// The files with functions.
    pub(crate) sources: Vec<Source>,
}

/// A file with functions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Source {
    /// The file.
    pub(crate) path: PathBuf,
    /// The flow that its functions belong to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) flow: Option<String>,
    /// The name of its only function, as the file is called. None: all functions that it exports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) only: Option<String>,
}

impl Project {
    /// Whether a file is one of functions, by its name.
    pub(crate) fn is_source(path: &Path) -> bool {
        path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known))
    }

    /// The project that consists of one file, and of what that imports.
    pub(crate) fn of_file(path: &Path) -> Result<Self, BuildError> {
        let path = real(path)?;
        let folder = path.parent().unwrap_or(Path::new("/"));
        let root = folder.ancestors().find(|folder| folder.join("package.json").is_file()).unwrap_or(folder);
        Ok(Self {
            name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            root: root.to_owned(),
            sources: vec![Source { path: path.clone(), flow: None, only: None }],
        })
    }

    /// Whether a folder is a project in JavaScript or TypeScript: it has a package.json, or functions in one of them.
    pub(crate) fn is_folder(path: &Path) -> bool {
        path.join("package.json").is_file() || functions_of(path).is_ok_and(|sources| !sources.is_empty())
    }

    /// The project in a folder.
    pub(crate) fn of_folder(path: &Path) -> Result<Self, BuildError> {
        let root = real(path)?;
        let mut sources = functions_of(&root)?;
        if sources.is_empty() {
            let entry = entry_of(&root)?.ok_or_else(|| JavaScriptError::NoFunctions { path: path.to_owned() })?;
            sources.push(Source { path: entry, flow: None, only: None });
        }
        let name = root.file_name().unwrap_or(root.as_os_str()).to_string_lossy().into_owned();
        Ok(Self { name, root, sources })
    }

    /// What tells the project from others.
    pub(crate) fn identity(&self) -> Vec<u8> {
        let paths = iter::once(&self.root).chain(self.sources.iter().map(|source| &source.path));
        paths.flat_map(|path| [path.as_os_str().as_encoded_bytes(), &[0]].concat()).collect()
    }
}

/// The files of `functions` and `flows/*/functions`, in `src` or in the folder itself.
fn functions_of(root: &Path) -> Result<Vec<Source>, BuildError> {
    for base in [root.join("src"), root.to_owned()] {
        let mut sources = scripts(&base.join("functions"), None)?;
        for flow in entries(&base.join("flows"))? {
            let name = flow.file_name().unwrap_or_default().to_string_lossy().into_owned();
            sources.extend(scripts(&flow.join("functions"), Some(&name))?);
        }
        if !sources.is_empty() {
            return Ok(sources);
        }
    }
    Ok(Vec::new())
}

/// The files of a folder that have a function each, ordered by name.
fn scripts(folder: &Path, flow: Option<&str>) -> Result<Vec<Source>, BuildError> {
    let sources = entries(folder)?.into_iter().filter(|path| Project::is_source(path) && path.is_file());
    let sources = sources.filter_map(|path| {
        let stem = path.file_stem()?.to_str()?.to_owned();
        // Types, tests, and what the author has marked as private.
        let is_other = stem.contains('.') || stem.starts_with('_');
        (!is_other).then(|| Source { path, flow: flow.map(str::to_owned), only: Some(stem) })
    });
    Ok(sources.collect())
}

/// What is in a folder, ordered by name. Nothing, if there is no such folder.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, BuildError> {
    let unreadable = |source| BuildError::Read { path: folder.to_owned(), source };
    let found = match fs::read_dir(folder) {
        Ok(found) => found,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(unreadable(error)),
    };
    let mut paths =
        found.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    paths.sort();
    Ok(paths)
}

/// The file that exports all functions: the one that package.json names, or one with a usual name.
fn entry_of(root: &Path) -> Result<Option<PathBuf>, BuildError> {
    let path = root.join("package.json");
    if let Some(named) = Package::read(&path)?.and_then(Package::entry) {
        let file = root.join(&named);
        return match real(&file) {
            Ok(file) if Project::is_source(&file) => Ok(Some(file)),
            Ok(_) => Err(package(path, format!("`{named}` is no JavaScript and no TypeScript"))),
            Err(_) => Err(package(path, format!("it names the file `{named}`, which is not there"))),
        };
    }
    let candidates = ENTRIES.iter().flat_map(|entry| ENDINGS.map(|ending| root.join(format!("{entry}.{ending}"))));
    Ok(candidates.into_iter().find(|file| file.is_file()))
}

/// What we want to know of a `package.json`.
#[derive(Deserialize)]
struct Package {
    #[serde(default)]
    exports: serde_json::Value,
    #[serde(default)]
    module: Option<String>,
    #[serde(default)]
    main: Option<String>,
}

impl Package {
    fn read(path: &Path) -> Result<Option<Self>, BuildError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(package(path.to_owned(), error.to_string())),
        };
        serde_json::from_str(&text).map(Some).map_err(|error| package(path.to_owned(), error.to_string()))
    }

    /// The file that it names.
    fn entry(self) -> Option<String> {
        let root = self.exports.get(".").unwrap_or(&self.exports);
        let conditions = ["agent-memory", "import", "default"];
        let named = root.as_str().or_else(|| conditions.iter().find_map(|condition| root.get(condition)?.as_str()));
        named.map(str::to_owned).or(self.module).or(self.main)
    }
}

fn package(path: PathBuf, problem: String) -> BuildError {
    JavaScriptError::Package { path, problem }.into()
}

/// The path of a file without links, as the bundler knows it.
fn real(path: &Path) -> Result<PathBuf, BuildError> {
    fs::canonicalize(path).map_err(|source| BuildError::Read { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let root = fs::canonicalize(folder.path()).unwrap();
        (folder, root)
    }

    fn files(project: &Project) -> Vec<(String, Option<&str>, Option<&str>)> {
        let name = |source: &Source| source.path.strip_prefix(&project.root).unwrap().display().to_string();
        project.sources.iter().map(|it| (name(it), it.flow.as_deref(), it.only.as_deref())).collect()
    }

    #[test]
    fn functions_and_flows_have_a_file_for_each_function() {
        let (_folder, root) = folder(&[
            ("src/functions/book.ts", ""),
            ("src/functions/cancel.mjs", ""),
            ("src/functions/book.test.ts", ""),
            ("src/functions/types.d.ts", ""),
            ("src/functions/_shared.ts", ""),
            ("src/functions/notes.md", ""),
            ("src/flows/payment/functions/confirm.js", ""),
            ("functions/not_this_one.js", ""),
            ("package.json", r#"{"main": "nor/this.js"}"#),
        ]);
        assert!(Project::is_folder(&root));
        let project = Project::of_folder(&root).unwrap();
        assert_eq!(
            files(&project),
            [
                ("src/functions/book.ts".to_owned(), None, Some("book")),
                ("src/functions/cancel.mjs".to_owned(), None, Some("cancel")),
                ("src/flows/payment/functions/confirm.js".to_owned(), Some("payment"), Some("confirm")),
            ]
        );
    }

    #[test]
    fn a_package_names_its_file_or_has_a_usual_one() {
        for (package, file) in [
            (r#"{"exports": {".": {"types": "./t.d.ts", "default": "./lib/a.js"}}, "main": "b.js"}"#, "lib/a.js"),
            (r#"{"exports": "./lib/a.js"}"#, "lib/a.js"),
            (r#"{"main": "./b.js"}"#, "b.js"),
            (r#"{"name": "x"}"#, "src/index.ts"),
        ] {
            let (_folder, root) =
                folder(&[("package.json", package), ("lib/a.js", ""), ("b.js", ""), ("src/index.ts", "")]);
            assert_eq!(files(&Project::of_folder(&root).unwrap()), [(file.to_owned(), None, None)], "{package}");
        }
    }

    #[test]
    fn a_folder_without_functions_is_refused_with_what_to_do() {
        let (_folder, root) = folder(&[("package.json", "{}")]);
        let error = Project::of_folder(&root).unwrap_err().to_string();
        assert!(error.contains("has no functions") && error.contains("src/functions"), "{error}");
    }

    #[test]
    fn a_package_that_names_no_file_of_functions_is_refused_with_its_path() {
        for (package, problem) in [
            (r#"{"main": "dist/index.js"}"#, "it names the file `dist/index.js`, which is not there"),
            (r#"{"main": "a.css"}"#, "`a.css` is no JavaScript and no TypeScript"),
            (r#"{"main": "#, "EOF while parsing"),
        ] {
            let (_folder, root) = folder(&[("package.json", package), ("a.css", "")]);
            let error = Project::of_folder(&root).unwrap_err().to_string();
            assert!(error.contains("package.json: ") && error.contains(problem), "{error}");
        }
    }

    #[test]
    fn other_folders_are_no_projects() {
        let (_folder, root) = folder(&[("functions/book.py", ""), ("index.js", "")]);
        assert!(!Project::is_folder(&root));
    }

    #[test]
    fn a_file_belongs_to_the_package_around_it() {
        let (_folder, root) = folder(&[("package.json", "{}"), ("agents/one.js", "")]);
        let project = Project::of_file(&root.join("agents/one.js")).unwrap();
        assert_eq!((project.name.as_str(), &project.root), ("one", &root));
        assert_eq!(files(&project), [("agents/one.js".to_owned(), None, None)]);
    }
}
