//! Keeps compiled code on disk, so that an agent is compiled once.
//!
//! The folder holds code that will be run: it is made private to its owner, and everything that is read from it is
//! held against its digest first. An entry is a small file named by all that the code depends on, which has the
//! digest of the code; the code is in a file named by that digest. Both are written beside and moved into place, so
//! that two processes can share a folder, and what a crash leaves behind is never read.

use std::fs;
use std::hash::{Hash, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::{BuildError, ComponentError};

/// How the names of files begin that are being written.
const UNFINISHED: &str = ".agent-memory-";

/// How the names of files with code end.
const CODE: &str = ".cwasm";

/// After how long nobody is writing a file any more.
const UNFINISHED_KEPT: Duration = Duration::from_secs(60 * 60);

/// For how long code is kept that nobody loads. A process that runs for longer than that compiles it again when it starts anew.
const UNUSED_KEPT: Duration = Duration::from_secs(180 * 24 * 60 * 60);

/// How long a use is noted for.
const NOTED: Duration = Duration::from_secs(24 * 60 * 60);

/// A component's code.
pub(crate) struct Code {
    pub(crate) component: Component,
    /// The file that it is in. None if it could not be kept.
    pub(crate) file: Option<PathBuf>,
}

/// A folder of compiled code.
#[derive(Clone, Debug)]
pub(crate) struct CodeCache {
    folder: PathBuf,
}

impl CodeCache {
    /// Opens a folder, and makes it if it is not there.
    pub(crate) fn open(folder: PathBuf) -> Result<Self, BuildError> {
        let folder = std::path::absolute(&folder).unwrap_or(folder);
        let refuse = |error: io::Error| BuildError::Cache { path: folder.clone(), reason: error.to_string() };
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&folder).map_err(refuse)?;
        clean(&folder);
        Ok(Self { folder })
    }

    /// The code of a component that `key` determines, from the folder or else from `compile`.
    ///
    /// A folder that cannot be written to is no reason to fail: the code is compiled then, each time.
    pub(crate) fn component(
        &self,
        engine: &Engine,
        key: &[&[u8]],
        compile: impl FnOnce() -> Result<Component, ComponentError>,
    ) -> Result<Code, ComponentError> {
        let entry = self.folder.join(name(engine, key));
        if let Some(code) = self.load(engine, &entry) {
            return Ok(code);
        }
        let component = compile()?;
        let file = self.save(&entry, &component).inspect_err(|error| {
            tracing::warn!(%error, folder = %self.folder.display(), "compiled code could not be kept");
        });
        Ok(Code { component, file: file.ok() })
    }

    /// Whether the folder has the code of a component that `key` determines, and whole.
    pub(crate) fn has(&self, engine: &Engine, key: &[&[u8]]) -> bool {
        self.find(&self.folder.join(name(engine, key))).is_some()
    }

    fn load(&self, engine: &Engine, entry: &Path) -> Option<Code> {
        let file = self.find(entry)?;
        let component = map(engine, &file);
        let component =
            component.inspect_err(|error| tracing::warn!(%error, "compiled code is compiled again")).ok()?;
        Some(Code { component, file: Some(file) })
    }

    /// The file of an entry's code, if it is what the entry says.
    fn find(&self, entry: &Path) -> Option<PathBuf> {
        let digest = fs::read_to_string(entry).ok()?;
        let code = self.code(&digest)?;
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(fs::File::open(&code).ok()?).ok()?;
        if hasher.finalize().to_hex().as_str() != digest {
            tracing::warn!(file = %code.display(), "damaged compiled code is compiled again");
            return None;
        }
        // Where that cannot be noted, the code is compiled again in half a year.
        let _ = note_use(entry).and_then(|()| note_use(&code));
        Some(code)
    }

    fn save(&self, entry: &Path, component: &Component) -> io::Result<PathBuf> {
        let code = component.serialize().map_err(io::Error::other)?;
        let digest = blake3::hash(&code).to_hex();
        let path = self.code(&digest).ok_or_else(|| io::Error::other("a digest is always a file name"))?;
        self.replace(&path, &code)?;
        self.replace(entry, digest.as_bytes())?;
        Ok(path)
    }

    /// The file of some code. None if the digest is none, and could name a file elsewhere.
    fn code(&self, digest: &str) -> Option<PathBuf> {
        blake3::Hash::from_hex(digest).ok().map(|_| self.folder.join(format!("{digest}{CODE}")))
    }

    fn replace(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(&self.folder)?;
        file.write_all(content)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }
}

/// Deletes what nobody has used for long, and what processes have left behind that ended while they wrote. Only what has a
/// name of ours: the folder may have been somebody's before.
fn clean(folder: &Path) {
    let is_ours = |name: &str| blake3::Hash::from_hex(name.strip_suffix(CODE).unwrap_or(name)).is_ok();
    for file in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = file.file_name();
        let name = name.to_string_lossy();
        let kept = if name.starts_with(UNFINISHED) {
            UNFINISHED_KEPT
        } else if is_ours(&name) {
            UNUSED_KEPT
        } else {
            continue;
        };
        if age(&file.path()).is_ok_and(|age| age > kept) {
            // What cannot be deleted is in nobody's way. Whoever has it open goes on with it.
            let _ = fs::remove_file(file.path());
        }
    }
}

/// How long ago a file was written or noted as used.
fn age(file: &Path) -> io::Result<Duration> {
    fs::metadata(file)?.modified()?.elapsed().map_err(io::Error::other)
}

/// Notes that a file is used, but for once a day.
fn note_use(file: &Path) -> io::Result<()> {
    if age(file)? > NOTED { fs::File::open(file)?.set_modified(SystemTime::now()) } else { Ok(()) }
}

/// Maps code that is known to be good: a file of a [`CodeCache`] that was checked, or one that this process or its
/// parent has written for itself.
pub(crate) fn map(engine: &Engine, file: &Path) -> wasmtime::Result<Component> {
    #[allow(unsafe_code, reason = "the one place where compiled code is trusted: see the module's documentation")]
    // SAFETY: the file is what `Component::serialize` made. Its digest was checked against an entry that only the owner
    // of the folder can write, or nobody else knows of it. Files are replaced by renaming and never changed.
    unsafe {
        Component::deserialize_file(engine, file)
    }
}

/// A file name for all that compiled code depends on: the engine's version and settings, and the sources.
fn name(engine: &Engine, key: &[&[u8]]) -> String {
    struct Digest(blake3::Hasher);
    impl Hasher for Digest {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            0
        }
    }
    let mut digest = Digest(blake3::Hasher::new());
    engine.precompile_compatibility_hash().hash(&mut digest);
    for part in key {
        digest.write(&(part.len() as u64).to_le_bytes());
        digest.write(part);
    }
    digest.0.finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setup() -> (tempfile::TempDir, CodeCache, Engine) {
        let folder = tempfile::tempdir().unwrap();
        let cache = CodeCache::open(folder.path().join("code")).unwrap();
        (folder, cache, Engine::default())
    }

    fn compile(engine: &Engine) -> Result<Component, ComponentError> {
        Ok(Component::new(engine, wat::parse_str("(component)").unwrap()).unwrap())
    }

    fn files(cache: &CodeCache, ending: &str) -> Vec<PathBuf> {
        let files = fs::read_dir(&cache.folder).unwrap().map(|file| file.unwrap().path());
        files.filter(|path| path.to_string_lossy().ends_with(ending)).collect()
    }

    #[test]
    fn code_is_compiled_once() {
        let (_folder, cache, engine) = setup();
        assert!(!cache.has(&engine, &[b"key"]));
        cache.component(&engine, &[b"key"], || compile(&engine)).unwrap();
        assert!(cache.has(&engine, &[b"key"]));
        cache.component(&engine, &[b"key"], || panic!("compiled again")).unwrap();
    }

    #[test]
    fn every_part_of_the_key_matters() {
        let (_folder, cache, engine) = setup();
        let mut compiled = 0;
        for key in [&[&b"ab"[..], b"c"][..], &[b"a", b"bc"], &[b"abc"]] {
            cache
                .component(&engine, key, || {
                    compiled += 1;
                    compile(&engine)
                })
                .unwrap();
        }
        assert_eq!(compiled, 3);
    }

    #[test]
    fn damaged_code_is_compiled_again_and_mended() {
        let (_folder, cache, engine) = setup();
        cache.component(&engine, &[b"key"], || compile(&engine)).unwrap();
        let [code] = &files(&cache, ".cwasm")[..] else { panic!("one file of code") };
        let mut bytes = fs::read(code).unwrap();
        let middle = bytes.len() / 2;
        for damage in [&mut |bytes: &mut Vec<u8>| bytes[middle] ^= 1, &mut |bytes: &mut Vec<u8>| bytes.truncate(middle)]
            as [&mut dyn FnMut(&mut Vec<u8>); 2]
        {
            damage(&mut bytes);
            fs::write(code, &bytes).unwrap();
            assert!(!cache.has(&engine, &[b"key"]));
            let mut compiled = false;
            cache
                .component(&engine, &[b"key"], || {
                    compiled = true;
                    compile(&engine)
                })
                .unwrap();
            assert!(compiled);
            cache.component(&engine, &[b"key"], || panic!("it was mended")).unwrap();
        }
    }

    #[test]
    fn a_damaged_entry_is_no_entry() {
        let (_folder, cache, engine) = setup();
        cache.component(&engine, &[b"key"], || compile(&engine)).unwrap();
        let entry = cache.folder.join(name(&engine, &[b"key"]));
        for damage in ["", "../../etc/passwd", "zz"] {
            fs::write(&entry, damage).unwrap();
            let mut compiled = false;
            cache
                .component(&engine, &[b"key"], || {
                    compiled = true;
                    compile(&engine)
                })
                .unwrap();
            assert!(compiled, "{damage:?}");
        }
    }

    #[test]
    fn what_nobody_uses_or_has_finished_is_deleted_and_nothing_else() {
        let (_folder, cache, engine) = setup();
        let age = |file: &Path, age| fs::File::open(file).unwrap().set_modified(SystemTime::now() - age).unwrap();
        let put = |name: &str, time| {
            let file = cache.folder.join(name);
            fs::write(&file, "").unwrap();
            age(&file, time);
        };
        let long_ago = UNUSED_KEPT * 2;
        for key in [&b"used"[..], b"unused"] {
            cache.component(&engine, &[key], || compile(&engine)).unwrap();
        }
        for file in files(&cache, "") {
            age(&file, long_ago);
        }
        cache.component(&engine, &[b"used"], || panic!("it is there")).unwrap();
        put(".agent-memory-old", UNFINISHED_KEPT * 2);
        put(".agent-memory-new", UNFINISHED_KEPT / 2);
        put(".tmp-of-others", long_ago);
        put("thesis.cwasm", long_ago);
        let cache = CodeCache::open(cache.folder).unwrap();
        assert!(cache.has(&engine, &[b"used"]));
        assert!(!cache.has(&engine, &[b"unused"]));
        let names = files(&cache, "").into_iter().map(|file| file.file_name().unwrap().to_string_lossy().into_owned());
        let names: Vec<_> = names.filter(|name| blake3::Hash::from_hex(name.trim_end_matches(CODE)).is_err()).collect();
        assert_eq!(names.len(), 3, "{names:?}");
        assert!(!names.contains(&".agent-memory-old".to_owned()));
    }

    #[test]
    fn two_processes_at_once_leave_nothing_half_written() {
        let (_folder, cache, engine) = setup();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| cache.component(&engine, &[b"key"], || compile(&engine)).unwrap());
            }
        });
        cache.component(&engine, &[b"key"], || panic!("it is kept")).unwrap();
        let is_unfinished = |file: &PathBuf| file.file_name().unwrap().to_string_lossy().starts_with(UNFINISHED);
        assert!(!files(&cache, "").iter().any(is_unfinished));
    }
}
