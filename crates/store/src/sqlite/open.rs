//! Opening the file: what is refused, and how a connection is set up.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{
    failure::{Attempt, Failure, from_io},
    schema::{self, APPLICATION_ID, FORMAT, MAX_PAGES, Stamp},
};
use crate::{Effect, StoreError};

/// The oldest SQLite that does not lose commits when its log is reset while another process writes.
const OLDEST_ENGINE: (i32, &str) = (3_051_003, "3.51.3");

/// A SQLite file has at least one page, and a page at least this many bytes.
const SMALLEST_PAGE: u64 = 512;

/// How much of the file the connection that writes keeps in memory, in KiB, as SQLite wants it: negative.
const WRITER_CACHE: i32 = -32 * 1024;

/// How many pages the log has before it is copied into the file: some 16 MB.
const LOG_PAGES: u32 = 4000;

/// How long a lock of another process is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Serialises openings within this process, so that of two that find no file only one makes it. To close a file drops
/// all locks that this process has on it, also those of SQLite.
static OPENING: Mutex<()> = Mutex::new(());

/// Whether a commit waits until it is on the disk. Whatever is less than `Full` is for tests alone, which have to show that
/// they would notice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// The log is synced at every commit: what is acknowledged survives a power cut.
    #[default]
    Full,
    /// The log is synced only before it is copied into the file.
    Normal,
    /// Nothing is ever synced.
    Off,
}

/// A file that was found to be a store.
pub(super) struct Location {
    path: PathBuf,
    /// The path for error messages.
    place: String,
    durability: Durability,
}

impl Location {
    /// Opens the file, makes it if it is not there and that is wanted, and brings it to the present format.
    pub(super) fn open(path: &Path, create: bool, durability: Durability) -> Result<(Self, Connection), StoreError> {
        check_engine(rusqlite::version_number(), rusqlite::version())?;
        let _one_at_a_time = OPENING.lock().unwrap_or_else(PoisonError::into_inner);
        let absolute = std::path::absolute(path).map_err(|error| from_io(&error, path.to_owned()))?;
        let location = Self { path: absolute, place: path.display().to_string(), durability };
        location.check_path(create)?;
        let connection = location.writer(create)?;
        Ok((location, connection))
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// A connection that writes. The file has to be there.
    pub(super) fn writer(&self, create: bool) -> Result<Connection, StoreError> {
        self.check_header(create)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags).map_err(|error| self.error(error))?;
        self.set_up_writer(&connection, create)?;
        Ok(connection)
    }

    /// A connection that cannot write, and so never checkpoints either.
    pub(super) fn reader(&self) -> Result<Connection, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags).map_err(|error| self.error(error))?;
        let set_up = || {
            connection.busy_timeout(PATIENCE)?;
            connection.pragma_update(None, "temp_store", "MEMORY")
        };
        set_up().map_err(|error| self.error(error))?;
        Ok(connection)
    }

    /// Refuses a file that another process has brought to a newer format meanwhile.
    pub(super) fn check_format(&self, connection: &Connection) -> Result<(), StoreError> {
        let format = || -> Attempt<u32> {
            Ok(connection.prepare_cached("PRAGMA user_version")?.query_row([], |row| row.get(0))?)
        };
        match format().map_err(|failure| failure.into_error(&self.place, Effect::Rejected))? {
            FORMAT => Ok(()),
            found => Err(self.too_new(found)),
        }
    }

    fn check_path(&self, create: bool) -> Result<(), StoreError> {
        let refused = |reason: &str| Err(self.unavailable(reason));
        let denied = |error: io::Error| Err(self.unavailable(&format!("{error}: check the path and who may use it")));
        match fs::metadata(self.path.parent().unwrap_or(Path::new("/"))) {
            Ok(folder) if !folder.is_dir() => return refused("what should be its folder is a file: check the path"),
            // SQLite keeps its log beside the file.
            Ok(folder) if folder.permissions().readonly() => return Err(self.read_only()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return refused("its folder does not exist: make it, or check the path");
            }
            Err(error) => return denied(error),
        }
        match fs::metadata(&self.path) {
            Ok(file) if file.is_dir() => refused("it is a folder: name a file in it"),
            Ok(file) if !file.is_file() => refused("it is no ordinary file: name another"),
            Ok(file) if file.permissions().readonly() => Err(self.read_only()),
            Ok(_) => Ok(()),
            Err(error) if error.kind() != io::ErrorKind::NotFound => denied(error),
            Err(_) if create => self.create(),
            Err(_) => refused("there is no such file: check the path"),
        }
    }

    /// Makes an empty file that only its owner can read. SQLite gives its other files the same mode.
    fn create(&self) -> Result<(), StoreError> {
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&self.path) {
            Ok(_) => Ok(()),
            // Another process was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(from_io(&error, self.path.clone())),
        }
    }

    /// Refuses a file that is not ours before SQLite has written anything to it or beside it.
    fn check_header(&self, create: bool) -> Result<(), StoreError> {
        let mut journal = self.path.clone().into_os_string();
        journal.push("-journal");
        if Path::new(&journal).exists() {
            // The header may be half-written. SQLite repairs it when it opens the file.
            return Ok(());
        }
        // SQLite takes a few bytes of anything for an empty file.
        let size = fs::metadata(&self.path).map_err(|error| from_io(&error, self.path.clone()))?.len();
        if (1..SMALLEST_PAGE).contains(&size) {
            return Err(self.not_a_store("it is no SQLite file"));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let connection =
            Connection::open_with_flags(untouched_uri(&self.path), flags).map_err(|error| self.error(error))?;
        match schema::stamp(&connection) {
            Ok(stamp) => self.check_stamp(stamp, create),
            Err(Failure::Engine(error)) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
                Err(self.not_a_store("it is no SQLite file"))
            }
            // A file makes no sense without its log if the machine stopped while the log was copied into it.
            Err(_) => Ok(()),
        }
    }

    fn check_stamp(&self, stamp: Stamp, create: bool) -> Result<(), StoreError> {
        match stamp {
            Stamp { application: 0, format: 0, empty: true } if create => Ok(()),
            Stamp { application: 0, format: 0, empty: true } => Err(self.not_a_store("it is empty")),
            Stamp { application: APPLICATION_ID, format: 0..=FORMAT, .. } => Ok(()),
            Stamp { application: APPLICATION_ID, format: found, .. } => Err(self.too_new(found)),
            _ => Err(self.not_a_store("it is a SQLite file of another application")),
        }
    }

    fn set_up_writer(&self, connection: &Connection, create: bool) -> Result<(), StoreError> {
        let failed = |error: rusqlite::Error| self.error(error);
        if connection.is_readonly("main").map_err(failed)? {
            return Err(self.read_only());
        }
        let set_up = || {
            connection.busy_timeout(PATIENCE)?;
            connection.set_prepared_statement_cache_capacity(64);
            connection.pragma_update(None, "synchronous", self.durability.pragma())?;
            connection.pragma_update(None, "secure_delete", "ON")?;
            // Nothing that is kept may reach a temporary file.
            connection.pragma_update(None, "temp_store", "MEMORY")?;
            connection.pragma_update(None, "mmap_size", 0)?;
            connection.pragma_update(None, "cache_size", WRITER_CACHE)?;
            connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
            connection.pragma_update(None, "max_page_count", MAX_PAGES)
        };
        set_up().map_err(failed)?;

        // The first format is written with a rollback journal, so that the file's header never lags behind its log.
        self.migrate(connection, create)?;
        self.use_log(connection)
    }

    /// Brings the file to the present format. No lock is taken if it has it.
    fn migrate(&self, connection: &Connection, create: bool) -> Result<(), StoreError> {
        let failed = |failure: Failure| failure.into_error(&self.place, Effect::Rejected);
        let checked_stamp = || {
            let stamp = schema::stamp(connection).map_err(failed)?;
            self.check_stamp(stamp, create).map(|()| stamp)
        };
        if checked_stamp()?.is_present() {
            return Ok(());
        }
        connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| self.error(error))?;
        // Another process may have done it meanwhile.
        let stamp = checked_stamp()?;
        if !stamp.is_present() {
            schema::migrate(connection, stamp.format).map_err(failed)?;
        }
        connection.execute_batch("COMMIT").map_err(|error| self.error(error))
    }

    /// Turns the write-ahead log on.
    fn use_log(&self, connection: &Connection) -> Result<(), StoreError> {
        let started = Instant::now();
        loop {
            let mode = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0));
            match mode.map_err(Failure::from) {
                Ok(mode) if mode == "wal" => return Ok(()),
                Ok(_) => {
                    return Err(self
                        .unavailable("its file system cannot share memory between processes: put it on a local disk"));
                }
                // SQLite's own time-out does not cover this switch.
                Err(failure) if failure.is_busy() && started.elapsed() < PATIENCE => {
                    thread::sleep(Duration::from_millis(2));
                }
                Err(failure) => return Err(failure.into_error(&self.place, Effect::Rejected)),
            }
        }
    }

    fn error(&self, error: rusqlite::Error) -> StoreError {
        Failure::from(error).into_error(&self.place, Effect::Rejected)
    }

    fn unavailable(&self, reason: &str) -> StoreError {
        StoreError::Unavailable { place: self.place.clone(), reason: reason.to_owned() }
    }

    fn not_a_store(&self, reason: &str) -> StoreError {
        StoreError::NotAStore { path: self.path.clone(), reason: reason.to_owned() }
    }

    fn too_new(&self, found: u32) -> StoreError {
        StoreError::TooNew { path: self.path.clone(), found, known: FORMAT }
    }

    fn read_only(&self) -> StoreError {
        StoreError::ReadOnly { place: self.place.clone() }
    }
}

impl Durability {
    /// As SQLite calls it.
    fn pragma(self) -> &'static str {
        match self {
            Self::Full => "FULL",
            Self::Normal => "NORMAL",
            Self::Off => "OFF",
        }
    }
}

fn check_engine(number: i32, version: &str) -> Result<(), StoreError> {
    let (oldest, needed) = OLDEST_ENGINE;
    if number < oldest {
        return Err(StoreError::OutdatedEngine { found: version.to_owned(), needed: needed.to_owned() });
    }
    Ok(())
}

/// Names a file so that SQLite reads it without locks, and without making or reading its other files.
fn untouched_uri(path: &Path) -> String {
    let mut uri = String::from("file://");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => uri.push(char::from(*byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri.push_str("?immutable=1");
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_that_loses_commits_is_refused() {
        let error = check_engine(3_051_002, "3.51.2").unwrap_err();
        assert_eq!(error, StoreError::OutdatedEngine { found: "3.51.2".to_owned(), needed: "3.51.3".to_owned() });
        check_engine(3_051_003, "3.51.3").unwrap();
        check_engine(rusqlite::version_number(), rusqlite::version()).unwrap();
    }

    #[test]
    fn a_path_with_odd_characters_is_quoted() {
        assert_eq!(untouched_uri(Path::new("/a b?c#%ü")), "file:///a%20b%3Fc%23%25%C3%BC?immutable=1");
    }
}
