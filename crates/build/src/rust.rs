//! Rust projects.

use std::fs;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cargo_metadata::{Message, MetadataCommand, TargetKind};

use crate::cache::Derived;
use crate::toolchain::{self, TARGET, Toolchain, ToolchainError, Way};
use crate::{BuildError, Built, Options, Progress, Work, component, process};

/// The profile that guests are compiled with.
const PROFILE: &str = "guest";

/// What stands for that profile in a workspace that has none.
const PROFILE_SETTINGS: [&str; 7] =
    ["inherits='release'", "opt-level=3", "debug=false", "strip=true", "lto=true", "codegen-units=1", "panic='abort'"];

/// Builds the package of a manifest.
pub(crate) fn build(manifest: &Path, options: &Options<'_>) -> Result<Built, BuildError> {
    let project = Project::read(manifest)?;
    let way = options.way.map_or_else(Way::from_environment, |way| Ok(Some(way)))?;
    let toolchain = toolchain::prepare(way, &project.folder, &|progress| options.report(progress))?;
    let target_folder = project.wasm_folder.join(toolchain.name());

    options.report(Progress::Compiling { project: &project.name });
    let compiled = compile(&project, &toolchain, &target_folder, options)?;
    let module =
        fs::read(&compiled.module).map_err(|source| BuildError::Read { path: compiled.module.clone(), source })?;

    let path = target_folder.join("components").join(&project.name).with_added_extension("wasm");
    let derived = Derived::new(path, component::ENCODER, &module);
    let (bytes, work) = match derived.read() {
        Some(bytes) => (bytes, Work::Fresh),
        None => {
            options.report(Progress::Encoding { project: &project.name });
            let bytes = component::encode(&project.name, &module)?;
            derived.write(&bytes)?;
            (bytes, Work::Done)
        }
    };
    Ok(Built { path: derived.into_path(), bytes, work, diagnostics: compiled.diagnostics })
}

/// A package whose library is a `cdylib`.
struct Project {
    name: String,
    manifest: PathBuf,
    folder: PathBuf,
    wasm_folder: PathBuf,
    has_profile: bool,
}

impl Project {
    fn read(manifest: &Path) -> Result<Self, BuildError> {
        let folder = manifest.parent().unwrap_or(Path::new("/"));
        let arguments = MetadataCommand::new().no_deps().manifest_path(manifest).cargo_command();
        let mut command = process::rust_program("cargo", folder);
        command.args(arguments.get_args());
        process::keep_target_folder(&mut command);
        let output = command.output().map_err(|error| not_started(&error))?;
        let unreadable = |output| BuildError::Project { path: manifest.to_owned(), output };
        if !output.status.success() {
            return Err(unreadable(text(&output.stderr)));
        }
        let metadata = MetadataCommand::parse(String::from_utf8_lossy(&output.stdout))
            .map_err(|error| unreadable(error.to_string()))?;

        let is_cdylib =
            |package: &cargo_metadata::Package| package.targets.iter().any(|target| target.is_kind(TargetKind::CDyLib));
        let Some(package) =
            metadata.packages.iter().find(|package| is_same_file(package.manifest_path.as_std_path(), manifest))
        else {
            let packages = metadata.workspace_packages().into_iter().filter(|package| is_cdylib(package));
            let folders = packages.filter_map(|package| package.manifest_path.parent());
            return Err(BuildError::Workspace {
                path: manifest.to_owned(),
                packages: folders.map(|folder| folder.as_std_path().to_owned()).collect(),
            });
        };
        if !is_cdylib(package) {
            return Err(BuildError::NotCdylib { path: manifest.to_owned() });
        }
        Ok(Self {
            name: package.name.to_string(),
            manifest: manifest.to_owned(),
            folder: folder.to_owned(),
            wasm_folder: metadata.target_directory.join("wasm").into_std_path_buf(),
            has_profile: has_profile(metadata.workspace_root.join("Cargo.toml").as_std_path())?,
        })
    }
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    match (fs::canonicalize(one), fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

/// Whether a workspace says itself how guests are to be compiled.
fn has_profile(manifest: &Path) -> Result<bool, BuildError> {
    let text = fs::read_to_string(manifest).map_err(|source| BuildError::Read { path: manifest.to_owned(), source })?;
    let manifest: toml::Table = toml::from_str(&text)
        .map_err(|error| BuildError::Project { path: manifest.to_owned(), output: error.to_string() })?;
    Ok(manifest.get("profile").and_then(|profiles| profiles.get(PROFILE)).is_some())
}

/// What cargo made of a project.
struct Compiled {
    module: PathBuf,
    diagnostics: String,
}

fn compile(
    project: &Project,
    toolchain: &Toolchain,
    target_folder: &Path,
    options: &Options<'_>,
) -> Result<Compiled, BuildError> {
    let mut command = process::rust_program("cargo", &project.folder);
    command
        .args(["build", "--quiet", "--lib", "--message-format", "json-render-diagnostics"])
        .args(["--color", if options.color { "always" } else { "never" }])
        .args(["--profile", PROFILE])
        .arg("--manifest-path")
        .arg(&project.manifest)
        .arg("--target-dir")
        .arg(target_folder);
    if !project.has_profile {
        for setting in PROFILE_SETTINGS {
            command.arg("--config").arg(format!("profile.{PROFILE}.{setting}"));
        }
    }
    command.arg("--config").arg(compiler_flags(&toolchain.standard_library(&project.folder)));
    toolchain.apply(&mut command);
    run(project, command, options)
}

/// Runs a `cargo build` and finds the module among what it says that it has built.
fn run(project: &Project, mut command: Command, options: &Options<'_>) -> Result<Compiled, BuildError> {
    let failed = |output| BuildError::Compile { project: project.name.clone(), output };
    let broken = |error: std::io::Error| failed(format!("cargo's output ended: {error}"));
    let mut cargo =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(|error| not_started(&error))?;
    let (stdout, stderr) = (cargo.stdout.take(), cargo.stderr.take());
    // Both pipes are read at once: cargo would wait for ever on one that nobody empties.
    let (module, diagnostics) = std::thread::scope(|scope| {
        let diagnostics = scope.spawn(|| {
            let mut bytes = Vec::new();
            stderr.map_or(Ok(0), |mut stderr| stderr.read_to_end(&mut bytes)).map(|_| text(&bytes))
        });
        let mut module = None;
        for message in stdout.into_iter().flat_map(|stdout| Message::parse_stream(BufReader::new(stdout))) {
            let Message::CompilerArtifact(artifact) = message.map_err(broken)? else { continue };
            let is_guest = artifact.target.is_kind(TargetKind::CDyLib)
                && is_same_file(artifact.manifest_path.as_std_path(), &project.manifest);
            if is_guest {
                let mut files = artifact.filenames.iter();
                module = files.find(|file| file.extension() == Some("wasm")).map(|file| file.as_std_path().to_owned());
            }
            if !artifact.fresh && !artifact.target.is_custom_build() {
                options.report(Progress::Compiled { package: &artifact.target.name });
            }
        }
        let diagnostics = diagnostics.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok::<_, BuildError>((module, diagnostics.map_err(broken)?))
    })?;
    if !cargo.wait().map_err(broken)?.success() {
        return Err(failed(diagnostics));
    }
    let module = module.ok_or_else(|| failed(format!("cargo built no wasm module for {TARGET}\n{diagnostics}")))?;
    Ok(Compiled { module, diagnostics })
}

/// Keeps the names of this machine's folders out of panic messages inside the guest. What the compiler itself prints
/// has them still.
///
/// As a setting of the target these flags come on top of those that the project's own configuration has for it, and
/// instead of those that it, or the user, has for every build, which are meant for the host.
fn compiler_flags(standard_library: &[PathBuf]) -> String {
    let mut folders = Vec::new();
    if let Some(home) = std::env::home_dir() {
        folders.push((home, "~"));
    }
    if let Some(cargo_home) = process::cargo_home() {
        let registries = fs::read_dir(cargo_home.join("registry").join("src")).into_iter().flatten().flatten();
        let mut registries: Vec<PathBuf> = registries.map(|registry| registry.path()).collect();
        registries.sort();
        folders.push((cargo_home, "/cargo"));
        folders.extend(registries.into_iter().map(|registry| (registry, "/cargo/registry")));
    }
    folders.extend(standard_library.iter().map(|library| (library.clone(), "/rust")));
    let mut flags = vec![toml::Value::from("--remap-path-scope=macro,debuginfo,object")];
    // Of several that fit the compiler takes the last.
    flags.extend(
        folders
            .iter()
            .map(|(folder, name)| toml::Value::from(format!("--remap-path-prefix={}={name}", folder.display()))),
    );
    format!("target.{TARGET}.rustflags={}", toml::Value::from(flags))
}

fn not_started(error: &std::io::Error) -> BuildError {
    match error.kind() {
        std::io::ErrorKind::NotFound => ToolchainError::NoCargo.into(),
        _ => ToolchainError::Cargo { message: process::not_started("cargo".as_ref(), error) }.into(),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end().to_owned()
}
