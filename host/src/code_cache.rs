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

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::{BuildError, ComponentError};

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
        blake3::Hash::from_hex(digest).ok().map(|_| self.folder.join(format!("{digest}.cwasm")))
    }

    fn replace(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(content)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }
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
    fn two_processes_at_once_leave_nothing_half_written() {
        let (_folder, cache, engine) = setup();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| cache.component(&engine, &[b"key"], || compile(&engine)).unwrap());
            }
        });
        cache.component(&engine, &[b"key"], || panic!("it is kept")).unwrap();
        assert_eq!(files(&cache, ".tmp").len(), 0);
    }
}
