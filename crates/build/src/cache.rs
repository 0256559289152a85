//! Files that are there as a whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::{BuildError, Options};

/// Writes a file in one step: whoever reads it meets the old content or the new, also if this process is killed.
///
/// Missing folders are made.
///
/// # Errors
///
/// Those of the file system. What was there before is then still there.
pub fn write_atomically(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Temporary files are private; a file that others may have to read must not stay so.
        builder.permissions(fs::Permissions::from_mode(0o644));
    }
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// The folder in which everything is kept that can be made again, as an absolute path.
pub(crate) fn folder(options: &Options<'_>) -> PathBuf {
    let named = || std::env::var_os("AGENT_MEMORY_CACHE_DIR").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let own = || directories::ProjectDirs::from("", "", "agent-memory").map(|folders| folders.cache_dir().to_owned());
    let folder = options.cache.map(Path::to_owned).or_else(named).or_else(own);
    let folder = folder.unwrap_or_else(|| std::env::temp_dir().join("agent-memory"));
    std::path::absolute(&folder).unwrap_or(folder)
}

/// Makes a folder that is complete as soon as it is there.
pub(crate) fn put_in_place(
    folder: &Path,
    fill: impl FnOnce(&Path) -> Result<(), BuildError>,
) -> Result<(), BuildError> {
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

/// Waits until no other process installs anything in a folder. The turn ends when the file is dropped.
pub(crate) fn take_turn(folder: &Path) -> Result<File, BuildError> {
    let path = folder.join("lock");
    let written = |source| BuildError::Write { path: path.clone(), source };
    fs::create_dir_all(folder).map_err(written)?;
    let file = File::create(&path).map_err(written)?;
    file.lock().map_err(written)?;
    Ok(file)
}

/// A file that was made from something, with a note beside it of what from.
///
/// The note is written last and holds a digest of the file too, so that a file that is damaged, or was replaced by
/// another process, is not taken for what the note speaks of.
pub(crate) struct Derived {
    path: PathBuf,
    note: PathBuf,
    origin: blake3::Hash,
}

impl Derived {
    /// The file at a path, if it is or will be made from this origin. `maker` names how: another maker makes another
    /// file.
    pub(crate) fn new(path: PathBuf, maker: &str, origin: &[u8]) -> Self {
        let note = path.with_added_extension("made-from");
        let origin = blake3::Hasher::new().update(maker.as_bytes()).update(&[0]).update(origin).finalize();
        Self { path, note, origin }
    }

    /// The content, if it was made before.
    pub(crate) fn read(&self) -> Option<Vec<u8>> {
        let note = fs::read_to_string(&self.note).ok()?;
        let content = fs::read(&self.path).ok()?;
        (note == self.note_for(&content)).then_some(content)
    }

    /// Keeps the content.
    pub(crate) fn write(&self, content: &[u8]) -> Result<(), BuildError> {
        for (path, content) in [(&self.path, content), (&self.note, self.note_for(content).as_bytes())] {
            write_atomically(path, content).map_err(|source| BuildError::Write { path: path.clone(), source })?;
        }
        Ok(())
    }

    pub(crate) fn into_path(self) -> PathBuf {
        self.path
    }

    fn note_for(&self, content: &[u8]) -> String {
        format!("{}\n{}\n", self.origin, blake3::hash(content))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made/here/file");
        write_atomically(&path, b"one").unwrap();
        write_atomically(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_derived_file_is_good_for_its_origin_and_its_maker_only() {
        let folder = tempfile::tempdir().unwrap();
        let derived = |maker: &str, origin: &[u8]| Derived::new(folder.path().join("a.wasm"), maker, origin);
        assert_eq!(derived("encoder 1", b"module").read(), None);
        derived("encoder 1", b"module").write(b"component").unwrap();
        assert_eq!(derived("encoder 1", b"module").read().as_deref(), Some(&b"component"[..]));
        assert_eq!(derived("encoder 1", b"another module").read(), None);
        assert_eq!(derived("encoder 2", b"module").read(), None);
    }

    #[test]
    fn a_damaged_derived_file_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let derived = || Derived::new(folder.path().join("a.wasm"), "encoder 1", b"module");
        derived().write(b"component").unwrap();
        fs::write(folder.path().join("a.wasm"), b"compo").unwrap();
        assert_eq!(derived().read(), None);
    }

    #[test]
    fn a_folder_is_there_as_a_whole_or_not_at_all() {
        let cache = tempfile::tempdir().unwrap();
        let folder = cache.path().join("tools/one");
        let failed = put_in_place(&folder, |beside| {
            fs::write(beside.join("half"), "").unwrap();
            Err(BuildError::NotFound { path: beside.to_owned() })
        });
        assert!(failed.is_err());
        assert_eq!(fs::read_dir(cache.path().join("tools")).unwrap().count(), 0);
        put_in_place(&folder, |beside| {
            fs::write(beside.join("whole"), "1").unwrap();
            Ok(())
        })
        .unwrap();
        assert_eq!(fs::read_to_string(folder.join("whole")).unwrap(), "1");
        assert_eq!(fs::read_dir(cache.path().join("tools")).unwrap().count(), 1);
    }
}
