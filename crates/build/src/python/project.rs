//! Which files make up a project in Python.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::BuildError;

/// How large a project's files may be together, in bytes. They all become part of the component.
const MAX_BYTES: u64 = 16 << 20;

/// Folders that are no part of an agent. `_gen` has stubs that the SDK stands in for.
const LEFT_OUT_FOLDERS: [&str; 8] =
    ["__pycache__", "_gen", "agent_settings", "node_modules", "site-packages", "target", "test", "tests"];

/// Files that nothing reads when an agent is built, or when it runs.
const LEFT_OUT_ENDINGS: [&str; 6] = ["md", "pyc", "pyi", "wasm", "yaml", "yml"];

/// Files at the top of a project that are about it, and no part of it.
const LEFT_OUT_FILES: [&str; 5] = ["config.json", "package.json", "package-lock.json", "scenario.json", "conftest.py"];

/// The file that names the packages that a project needs.
const REQUIREMENTS: &str = "requirements.txt";

/// Sources that become one component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Project {
    /// What messages call it.
    pub(crate) name: String,
    /// How it is laid out.
    pub(crate) kind: Kind,
    /// The folder, or the file.
    path: PathBuf,
    /// The same, without symbolic links.
    real: PathBuf,
}

/// How a project is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// As the platform does it: `functions`, and `flows/*/functions`.
    Project,
    /// The folder `functions` of such a project, alone.
    Functions,
    /// A package, which has an `__init__.py`.
    Package,
    /// A folder of modules.
    Folder,
    /// One file.
    File,
}

/// One of a project's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SourceFile {
    /// Its name within the project, with `/` between its parts.
    pub(crate) name: String,
    /// Its content.
    pub(crate) content: Vec<u8>,
}

impl Project {
    /// Whether a file is Python's, by its name.
    pub(crate) fn is_source(path: &Path) -> bool {
        path.extension().is_some_and(|extension| extension == "py")
    }

    /// Whether a folder is laid out as the platform does it, with functions in Python.
    pub(crate) fn has_functions(path: &Path) -> bool {
        let flows = entries(&path.join("flows")).into_iter().map(|flow| flow.join("functions"));
        flows.chain([path.join("functions")]).any(|folder| has_sources(&folder))
    }

    /// Whether there is any Python in a folder.
    pub(crate) fn is_folder(path: &Path) -> bool {
        Self::has_functions(path) || has_sources(path)
    }

    /// The project that consists of one file.
    pub(crate) fn of_file(path: &Path) -> Result<Self, BuildError> {
        Self::new(path, Kind::File)
    }

    /// The project in a folder.
    pub(crate) fn of_folder(path: &Path) -> Result<Self, BuildError> {
        let kind = if Self::has_functions(path) {
            Kind::Project
        } else if path.join("__init__.py").is_file() {
            Kind::Package
        } else {
            Kind::Folder
        };
        let project = Self::new(path, kind)?;
        let is_functions = kind != Kind::Project && project.real.file_name().is_some_and(|name| name == "functions");
        Ok(if is_functions { Self { kind: Kind::Functions, ..project } } else { project })
    }

    /// All files that are part of it, ordered by name.
    pub(crate) fn files(&self) -> Result<Vec<SourceFile>, BuildError> {
        let mut found = Vec::new();
        if self.kind == Kind::File {
            found.push((self.real.clone(), self.inside(Path::new(""))));
        } else {
            self.collect(&self.real, Path::new(""), &mut found)?;
        }
        found.sort_by(|(_, one), (_, other)| one.cmp(other));
        self.check_size(&found)?;
        let read = |(path, name): (PathBuf, String)| {
            let content = fs::read(&path).map_err(|source| BuildError::Read { path, source })?;
            Ok(SourceFile { name, content })
        };
        found.into_iter().map(read).collect()
    }

    /// The file that names the packages that it needs.
    pub(crate) fn requirements(&self) -> Option<PathBuf> {
        let above = self.real.parent().map(Path::to_owned);
        let folders = match self.kind {
            Kind::Project | Kind::Folder => vec![self.real.clone()],
            Kind::Package | Kind::Functions => [Some(self.real.clone()), above].into_iter().flatten().collect(),
            Kind::File => above.into_iter().collect(),
        };
        folders.into_iter().map(|folder| folder.join(REQUIREMENTS)).find(|path| path.is_file())
    }

    /// What identifies it on this machine.
    pub(crate) fn identity(&self) -> &Path {
        &self.real
    }

    /// A file of the project as whoever named the project would name it.
    pub(crate) fn shown(&self, name: &str) -> String {
        if self.kind == Kind::File {
            return self.path.display().to_string();
        }
        let name = name.strip_prefix(&format!("{}/", self.inside(Path::new("")))).unwrap_or(name);
        self.path.join(name).display().to_string()
    }

    fn new(path: &Path, kind: Kind) -> Result<Self, BuildError> {
        let real = fs::canonicalize(path).map_err(|source| BuildError::Read { path: path.to_owned(), source })?;
        let last = if kind == Kind::File { real.file_stem() } else { real.file_name() };
        let name = last.unwrap_or(real.as_os_str()).to_string_lossy().into_owned();
        Ok(Self { name, kind, path: path.to_owned(), real })
    }

    /// The name within the project of something in its folder. A package's files are in the package.
    fn inside(&self, relative: &Path) -> String {
        let top = match self.kind {
            Kind::Project | Kind::Folder => None,
            Kind::Functions => Some("functions".to_owned()),
            Kind::Package => Some(identifier(&self.name)),
            Kind::File => Some(format!("{}.py", self.name)),
        };
        let parts = relative.components().map(|part| part.as_os_str().to_string_lossy().into_owned());
        top.into_iter().chain(parts).collect::<Vec<_>>().join("/")
    }

    fn collect(&self, folder: &Path, relative: &Path, found: &mut Vec<(PathBuf, String)>) -> Result<(), BuildError> {
        let unreadable = |source: io::Error| BuildError::Read { path: folder.to_owned(), source };
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let (path, name) = (entry.path(), entry.file_name());
            let inner = relative.join(&name);
            let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else { continue };
            let kind = entry.file_type().map_err(unreadable)?;
            if kind.is_dir() {
                if !is_left_out_folder(name, &path, relative) {
                    self.collect(&path, &inner, found)?;
                }
            } else if path.is_file() && !self.is_left_out_file(name, relative) {
                found.push((path, self.inside(&inner)));
            }
        }
        Ok(())
    }

    fn is_left_out_file(&self, name: &str, relative: &Path) -> bool {
        let path = Path::new(name);
        let is_at_top = relative.as_os_str().is_empty();
        let is_test = self.kind != Kind::Project
            && self.kind != Kind::Functions
            && Self::is_source(path)
            && (name.starts_with("test_") || name.ends_with("_test.py"));
        let is_about = is_at_top && (LEFT_OUT_FILES.contains(&name) || name == REQUIREMENTS);
        // What is at the top of a project, beside its folders, is about it.
        let is_beside = is_at_top && self.kind == Kind::Project && !Self::is_source(path);
        let has_ending =
            path.extension().is_some_and(|ending| LEFT_OUT_ENDINGS.iter().any(|left_out| ending == *left_out));
        is_test || is_about || is_beside || has_ending || name == "_gen.py"
    }

    /// Refuses a project that is too large to be part of every turn's memory.
    fn check_size(&self, found: &[(PathBuf, String)]) -> Result<(), BuildError> {
        let size = |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.len());
        let sizes: Vec<_> = found.iter().map(|(path, name)| (size(path), name)).collect();
        let total: u64 = sizes.iter().map(|(size, _)| size).sum();
        if total <= MAX_BYTES {
            return Ok(());
        }
        let (largest, name) = sizes.iter().max().map_or((0, ""), |(size, name)| (*size, name.as_str()));
        let output = format!(
            "{}:1: the project's files have {} together, and {} are allowed: this one alone has {}; leave out what no \
             function needs",
            self.shown(name),
            in_words(total),
            in_words(MAX_BYTES),
            in_words(largest),
        );
        Err(BuildError::Compile { project: self.name.clone(), output })
    }
}

impl Kind {
    /// What the SDK calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Project | Self::Functions => "project",
            Self::Package => "package",
            Self::Folder => "folder",
            Self::File => "file",
        }
    }
}

fn is_left_out_folder(name: &str, path: &Path, relative: &Path) -> bool {
    let is_at_top = relative.as_os_str().is_empty();
    let is_environment = path.join("pyvenv.cfg").is_file();
    let is_left_out = LEFT_OUT_FOLDERS.contains(&name) && (is_at_top || name == "__pycache__");
    is_left_out || is_environment || name.ends_with(".egg-info")
}

fn has_sources(folder: &Path) -> bool {
    entries(folder).iter().any(|path| Project::is_source(path) && path.is_file())
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// A name that Python can import.
fn identifier(name: &str) -> String {
    let mut identifier: String =
        name.chars().map(|character| if character.is_alphanumeric() { character } else { '_' }).collect();
    if identifier.starts_with(|first: char| first.is_numeric()) || identifier.is_empty() {
        identifier.insert(0, '_');
    }
    identifier
}

fn in_words(bytes: u64) -> String {
    const MEBIBYTE: u64 = 1 << 20;
    let tenths = bytes.saturating_mul(10) / MEBIBYTE;
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct World(tempfile::TempDir);

    impl World {
        fn new(files: &[&str]) -> Self {
            let world = Self(tempfile::tempdir().unwrap());
            for file in files {
                let path = world.path(file);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, file).unwrap();
            }
            world
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn names(&self, folder: &str) -> (Kind, Vec<String>) {
            let project = Project::of_folder(&self.path(folder)).unwrap();
            (project.kind, project.files().unwrap().into_iter().map(|file| file.name).collect())
        }
    }

    #[test]
    fn a_project_of_the_platform_is_its_functions_and_what_they_read() {
        let world = World::new(&[
            "shop/_gen/__init__.py",
            "shop/agent_settings/experimental_config.json",
            "shop/flows/pay/function_steps/check.py",
            "shop/flows/pay/functions/charge.py",
            "shop/flows/pay/steps/one.yaml",
            "shop/functions/__pycache__/book.pyc",
            "shop/functions/book.py",
            "shop/functions/prices.csv",
            "shop/functions/tests/fixture.py",
            "shop/project.yaml",
            "shop/scenario.yaml",
            "shop/shared.py",
            "shop/tests/test_book.py",
            "shop/venv/lib/x.py",
            "shop/venv/pyvenv.cfg",
            "shop/.git/config",
        ]);
        let expected = [
            "flows/pay/function_steps/check.py",
            "flows/pay/functions/charge.py",
            "functions/book.py",
            "functions/prices.csv",
            "functions/tests/fixture.py",
            "shared.py",
        ];
        assert_eq!(world.names("shop"), (Kind::Project, expected.map(str::to_owned).to_vec()));
    }

    #[test]
    fn other_folders_are_told_apart_and_named_as_they_are_imported() {
        let world = World::new(&[
            "a-shop/__init__.py",
            "a-shop/book.py",
            "a-shop/test_book.py",
            "loose/book.py",
            "loose/prices.json",
            "loose/config.json",
            "project/functions/book.py",
        ]);
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(world.names("a-shop"), (Kind::Package, names(&["a_shop/__init__.py", "a_shop/book.py"])));
        assert_eq!(world.names("loose"), (Kind::Folder, names(&["book.py", "prices.json"])));
        assert_eq!(world.names("project/functions"), (Kind::Functions, names(&["functions/book.py"])));
        let file = Project::of_file(&world.path("loose/book.py")).unwrap();
        assert_eq!(file.files().unwrap(), [SourceFile { name: "book.py".into(), content: b"loose/book.py".to_vec() }]);
    }

    #[test]
    fn messages_name_files_as_the_author_would() {
        let world = World::new(&["shop/__init__.py", "shop/book.py", "project/functions/book.py"]);
        let shown = |folder: &str, name: &str| Project::of_folder(&world.path(folder)).unwrap().shown(name);
        let path = |name: &str| world.path(name).display().to_string();
        assert_eq!(shown("shop", "shop/book.py"), path("shop/book.py"));
        assert_eq!(shown("project", "functions/book.py"), path("project/functions/book.py"));
        assert_eq!(shown("project/functions", "functions/book.py"), path("project/functions/book.py"));
        assert_eq!(Project::of_file(&world.path("shop/book.py")).unwrap().shown("book.py"), path("shop/book.py"));
    }

    #[test]
    fn requirements_are_found_beside_what_needs_them() {
        let world = World::new(&["p/requirements.txt", "p/functions/book.py", "q/shop/__init__.py", "q/one.py"]);
        let found = |folder: &str| Project::of_folder(&world.path(folder)).unwrap().requirements();
        let file = fs::canonicalize(world.path("p/requirements.txt")).unwrap();
        assert_eq!(found("p"), Some(file.clone()));
        assert_eq!(found("p/functions"), Some(file));
        assert_eq!(found("q/shop"), None);
        assert_eq!(Project::of_file(&world.path("q/one.py")).unwrap().requirements(), None);
    }

    #[test]
    fn a_project_that_is_too_large_is_refused_with_the_file_that_makes_it_so() {
        let world = World::new(&["shop/functions/book.py"]);
        fs::File::create(world.path("shop/functions/table.py")).unwrap().set_len(50 << 20).unwrap();
        let error = Project::of_folder(&world.path("shop")).unwrap().files().unwrap_err().to_string();
        assert!(error.contains("functions/table.py:1: "), "{error}");
        assert!(error.contains("50.0 MiB together, and 16.0 MiB are allowed"), "{error}");
    }
}
