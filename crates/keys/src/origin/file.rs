//! A ring in a file.
//!
//! A changed ring is written to a file beside it, `.NAME.new`, which is then renamed into place. That file is the lock
//! as well: whoever has locked it, and still finds it under its name, may write it. A process that dies leaves it
//! unlocked, and the next one wipes it.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::{Change, Changed, parse, read_bounded, text_of};
use crate::KeysError;
use crate::ring::Ring;

/// For how long other processes may change the file.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(5);

/// A file that has a ring.
#[derive(Debug)]
pub(crate) struct RingFile {
    path: PathBuf,
    patience: Duration,
}

/// The right to change a ring file, and the file that is to replace it. Unless it does, it is removed.
struct Successor<'a> {
    ring_file: &'a RingFile,
    path: PathBuf,
    file: File,
}

impl RingFile {
    pub(crate) fn new(path: &Path) -> Self {
        // The process may go to another folder meanwhile.
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Self { path, patience: PATIENCE }
    }

    pub(crate) fn place(&self) -> String {
        self.path.display().to_string()
    }

    pub(crate) fn read(&self) -> Result<Ring, KeysError> {
        Ok(self.open_and_read(OFlags::RDONLY)?.1)
    }

    /// Reads the ring, or makes one if there is no file.
    pub(crate) fn read_or_create(&self) -> Result<Ring, KeysError> {
        match self.read() {
            Err(KeysError::Missing { .. }) => {}
            other => return other,
        }
        if !self.folder().is_dir() {
            return Err(KeysError::Missing { place: self.place(), advice: "make their folder first" });
        }
        let mut successor = self.successor()?;
        // Somebody may just have made it.
        match self.read() {
            Err(KeysError::Missing { .. }) => {}
            other => return other,
        }
        let ring = Ring::random();
        successor.write(&ring)?;
        // A name is never taken from another file: not all who make one may know of the lock.
        match fs::hard_link(&successor.path, &self.path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return self.read(),
            linked => linked.map_err(|error| self.failed("written", error))?,
        }
        drop(successor);
        self.sync_folder()?;
        Ok(ring)
    }

    pub(crate) fn change(&self, change: &Change<'_>) -> Result<Changed, KeysError> {
        // Most often, another process of the day has been here already.
        let before = self.read()?;
        let after = change(&before)?;
        if after == before {
            return Ok(Changed { before, after, written: false });
        }
        let mut successor = self.successor()?;
        // For writing too: its text is wiped once it is replaced.
        let (mut former, before) = self.open_and_read(OFlags::RDWR)?;
        let after = change(&before)?;
        if after == before {
            return Ok(Changed { before, after, written: false });
        }
        successor.write(&after)?;
        fs::rename(&successor.path, &self.path).map_err(|error| self.failed("written", error))?;
        self.sync_folder()?;
        // Only now, so that there is a whole ring at any moment.
        wipe(&mut former).map_err(|error| self.failed("wiped of their former text", error))?;
        Ok(Changed { before, after, written: true })
    }

    fn open_and_read(&self, access: OFlags) -> Result<(File, Ring), KeysError> {
        loop {
            let mut file = self.open(access)?;
            if let Some(ring) = self.read_from(&mut file)? {
                return Ok((file, ring));
            }
        }
    }

    /// The ring in an open file. None if the file was replaced: then it may have been wiped while it was read.
    fn read_from(&self, file: &mut File) -> Result<Option<Ring>, KeysError> {
        let bytes = read_bounded(file).map_err(|error| self.failed("read", error))?;
        if !self.is_at(file, &self.path)? {
            return Ok(None);
        }
        parse(&self.place(), &text_of(&self.place(), bytes)?).map(Some)
    }

    fn open(&self, access: OFlags) -> Result<File, KeysError> {
        // A pipe is not waited for.
        let flags = access | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        match rustix::fs::open(&self.path, flags, Mode::empty()) {
            Ok(file) => self.checked(file.into(), &self.path),
            Err(Errno::NOENT) => Err(KeysError::Missing {
                place: self.place(),
                advice: "give the path of a ring file, or have a new one made if nothing was ever stored with this one",
            }),
            Err(error) => Err(self.not_opened(error, &self.path)),
        }
    }

    /// The file, if it is a file that only its owner can use, and this process is the owner's.
    fn checked(&self, file: File, path: &Path) -> Result<File, KeysError> {
        let metadata = file.metadata().map_err(|error| self.failed("read", error))?;
        let path = path.to_owned();
        if !metadata.is_file() {
            return Err(KeysError::NotAFile { path, found: kind(metadata.file_type()) });
        }
        let user = rustix::process::geteuid().as_raw();
        if metadata.uid() != user {
            return Err(KeysError::NotOwned { path, owner: metadata.uid(), user });
        }
        if metadata.mode() & 0o077 != 0 {
            return Err(KeysError::Exposed { path });
        }
        Ok(file)
    }

    fn not_opened(&self, error: Errno, path: &Path) -> KeysError {
        // What cannot be opened like a file is looked at, only to say what it is.
        match fs::symlink_metadata(path) {
            Ok(metadata) if !metadata.is_file() => {
                KeysError::NotAFile { path: path.to_owned(), found: kind(metadata.file_type()) }
            }
            _ => self.failed("opened", error.into()),
        }
    }

    /// Waits for the right to change the file.
    fn successor(&self) -> Result<Successor<'_>, KeysError> {
        let name = self.path.file_name().unwrap_or_default();
        let new_name = [".".as_ref(), name, ".new".as_ref()].into_iter().collect::<OsString>();
        let path = self.path.with_file_name(new_name);
        let deadline = Instant::now() + self.patience;
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        loop {
            let file = rustix::fs::open(&path, flags, Mode::RUSR | Mode::WUSR);
            let file = self.checked(file.map_err(|error| self.not_opened(error, &path))?.into(), &path)?;
            if let Some(successor) = self.claim(file, &path)? {
                return Ok(successor);
            }
            if Instant::now() > deadline {
                let (lock, path, seconds) = (path, self.path.clone(), self.patience.as_secs());
                return Err(KeysError::Busy { path, lock, seconds });
            }
            thread::sleep(PAUSE);
        }
    }

    /// The right to change the file, if nobody else has it and this is still the file that gives it.
    fn claim(&self, mut file: File, path: &Path) -> Result<Option<Successor<'_>>, KeysError> {
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Ok(None),
            Err(fs::TryLockError::Error(error)) => return Err(self.failed("locked", error)),
        }
        // Who had the lock before has renamed or removed the file, unless it died.
        if !self.is_at(&file, path)? {
            return Ok(None);
        }
        // It is the ring file itself, if a process died while it made that one: only the name is too many.
        if file.metadata().map_err(|error| self.failed("read", error))?.nlink() > 1 {
            fs::remove_file(path).map_err(|error| self.failed("written", error))?;
            return Ok(None);
        }
        wipe(&mut file).map_err(|error| self.failed("written", error))?;
        Ok(Some(Successor { ring_file: self, path: path.to_owned(), file }))
    }

    /// Whether an open file is the one at a path.
    fn is_at(&self, file: &File, path: &Path) -> Result<bool, KeysError> {
        let open = file.metadata().map_err(|error| self.failed("read", error))?;
        match fs::symlink_metadata(path) {
            Ok(found) => Ok((found.dev(), found.ino()) == (open.dev(), open.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(self.failed("read", error)),
        }
    }

    /// Makes sure that names of files survive a power cut.
    fn sync_folder(&self) -> Result<(), KeysError> {
        File::open(self.folder()).and_then(|folder| folder.sync_all()).map_err(|error| self.failed("written", error))
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }

    fn failed(&self, doing: &'static str, error: io::Error) -> KeysError {
        KeysError::Io { place: self.place(), doing, error }
    }
}

impl Successor<'_> {
    fn write(&mut self, ring: &Ring) -> Result<(), KeysError> {
        let written = self.file.write_all(ring.to_text().expose().as_bytes()).and_then(|()| self.file.sync_all());
        written.map_err(|error| self.ring_file.failed("written", error))
    }
}

impl Drop for Successor<'_> {
    fn drop(&mut self) {
        // Another one of this name is somebody else's.
        if self.ring_file.is_at(&self.file, &self.path).unwrap_or(false) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Overwrites what is in a file, and empties it. File systems that write changes elsewhere keep the old blocks.
fn wipe(file: &mut File) -> io::Result<()> {
    let length = file.metadata()?.len();
    if length > 0 {
        file.rewind()?;
        io::copy(&mut io::repeat(0).take(length), file)?;
        file.sync_all()?;
        file.set_len(0)?;
    }
    file.rewind()
}

fn kind(kind: fs::FileType) -> &'static str {
    if kind.is_symlink() {
        "a symbolic link"
    } else if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() || kind.is_socket() {
        "a pipe"
    } else {
        "a device"
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::OpenOptionsExt;

    use super::*;

    #[test]
    fn a_process_that_holds_the_lock_for_too_long_is_named_by_its_lock() {
        let folder = tempfile::tempdir().unwrap();
        let file = RingFile { patience: Duration::from_millis(30), ..RingFile::new(&folder.path().join("ring")) };
        file.read_or_create().unwrap();
        let successor = file.successor().unwrap();
        let error = file.change(&|ring| Ok(ring.clone().rotated().unwrap())).err().unwrap();
        assert!(matches!(&error, KeysError::Busy { lock, .. } if *lock == folder.path().join(".ring.new")), "{error}");
        drop(successor);
        assert!(file.change(&|ring| Ok(ring.clone().rotated().unwrap())).unwrap().written);
    }

    #[test]
    fn who_waited_for_a_file_that_is_the_ring_by_now_does_not_touch_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = RingFile::new(&folder.path().join("ring"));
        file.read_or_create().unwrap();
        let lock = folder.path().join(".ring.new");
        let options = || fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).clone();
        let waiting = options().open(&lock).unwrap();
        let after = file.change(&|ring| Ok(ring.clone().rotated().unwrap())).unwrap().after;
        assert!(file.is_at(&waiting, &file.path).unwrap());
        assert!(file.claim(waiting, &lock).unwrap().is_none());
        // Nor if others wait for another one by now.
        let waiting = options().open(&lock).unwrap();
        drop(file.successor().unwrap());
        let _other = options().open(&lock).unwrap();
        assert!(file.claim(waiting, &lock).unwrap().is_none());
        assert_eq!(file.read().unwrap(), after);
    }

    #[test]
    fn who_reads_a_file_that_is_replaced_reads_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = RingFile::new(&folder.path().join("ring"));
        file.read_or_create().unwrap();
        let mut reading = file.open(OFlags::RDONLY).unwrap();
        let after = file.change(&|ring| Ok(ring.clone().rotated().unwrap())).unwrap().after;
        assert_eq!(file.read_from(&mut reading).unwrap(), None);
        assert_eq!(file.read().unwrap(), after);
    }

    #[test]
    fn a_process_that_died_while_it_made_the_file_has_made_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = RingFile::new(&folder.path().join("ring"));
        let ring = file.read_or_create().unwrap();
        fs::hard_link(&file.path, folder.path().join(".ring.new")).unwrap();
        drop(file.successor().unwrap());
        assert_eq!(file.read().unwrap(), ring);
        assert!(!folder.path().join(".ring.new").exists());
    }

    #[test]
    fn what_a_process_that_died_has_left_is_wiped() {
        let folder = tempfile::tempdir().unwrap();
        let file = RingFile::new(&folder.path().join("ring"));
        file.read_or_create().unwrap();
        let mut successor = file.successor().unwrap();
        successor.write(&Ring::random()).unwrap();
        let mut left = successor.file.try_clone().unwrap();
        // It never came to removing the file, and its locks went with it.
        successor.file.unlock().unwrap();
        std::mem::forget(successor);
        assert!(left.metadata().unwrap().len() > 0);
        assert!(file.change(&|ring| Ok(ring.clone().rotated().unwrap())).unwrap().written);
        let mut text = String::new();
        left.rewind().unwrap();
        left.read_to_string(&mut text).unwrap();
        assert_eq!(text, fs::read_to_string(&file.path).unwrap(), "the file was used again, and nothing else is in it");
        assert!(!folder.path().join(".ring.new").exists());
    }
}
