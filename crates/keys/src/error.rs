//! What can go wrong with keys.

use std::io;
use std::path::PathBuf;

use crate::Day;

/// Why keys could not be had, or not be changed. No message holds anything of a ring.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeysError {
    /// The text names no source. It is not shown: somebody may have given the keys themselves.
    #[error("this names no source of keys ({reason}): use `file:PATH`, `env:NAME` or `command:PROGRAM ARGUMENT...`")]
    UnknownSource {
        /// What is wrong.
        reason: &'static str,
    },
    /// There are no keys at the place.
    #[error("there are no keys at {place}: {advice}")]
    Missing {
        /// Where they were looked for.
        place: String,
        /// What to do.
        advice: &'static str,
    },
    /// Other users may read or change the file.
    #[error("other users may read or change the keys at {}: `chmod 600 {}`", .path.display(), quoted(.path))]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// The file belongs to another user.
    #[error(
        "the keys at {} belong to user {owner}, and this process runs as user {user}: run it as their owner, \
         or `chown {user} {}`",
        .path.display(), quoted(.path)
    )]
    NotOwned {
        /// The file.
        path: PathBuf,
        /// Number of the user to whom the file belongs.
        owner: u32,
        /// Number of the user as whom this process runs.
        user: u32,
    },
    /// The path names something else than a file.
    #[error("{} is {found}: name the file with the keys itself", .path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What is there.
        found: &'static str,
    },
    /// The operating system refused something.
    #[error("the keys at {place} cannot be {doing}: {error}")]
    Io {
        /// Where they are.
        place: String,
        /// What was tried: `read`, `written`, ...
        doing: &'static str,
        /// Why it did not work.
        error: io::Error,
    },
    /// Another process has been changing the file for too long.
    #[error(
        "another process has been changing the keys at {} for {seconds} s: see what holds {}",
        .path.display(), .lock.display()
    )]
    Busy {
        /// The file.
        path: PathBuf,
        /// The file that the other process has locked.
        lock: PathBuf,
        /// For how long this process has waited.
        seconds: u64,
    },
    /// What is at the place is no ring of keys.
    #[error("what is at {place} is no ring of keys: {what}; put back the text that was there")]
    Malformed {
        /// Where it is.
        place: String,
        /// What is wrong, without what was read.
        what: String,
    },
    /// The ring was written by a newer version.
    #[error("the keys at {place} have format {found}, which this version does not know: upgrade agent-memory")]
    TooNew {
        /// Where they are.
        place: String,
        /// Their format.
        found: u32,
    },
    /// Meanwhile there is another ring at the place.
    #[error(
        "the keys at {place} have been replaced by another ring: put back the former one, or start anew with this one"
    )]
    Replaced {
        /// Where they are.
        place: String,
    },
    /// Meanwhile the ring was changed in two ways.
    #[error(
        "the keys at {place} have another version {version} than this process: somebody rotated an older copy of them; \
         put back the newest copy"
    )]
    Diverged {
        /// Where they are.
        place: String,
        /// The version of which there are two.
        version: u16,
    },
    /// The program that has the keys failed.
    #[error("the program `{program}` that has the keys {what}{}", said(.stderr))]
    Command {
        /// The program, without its arguments.
        program: String,
        /// What happened.
        what: String,
        /// What it wrote to standard error, shortened.
        stderr: String,
    },
    /// The program took the keys and does not have them.
    #[error(
        "the program `{program}` took changed keys with `put` and gives others with `get`: have it keep what it takes"
    )]
    NotKept {
        /// The program, without its arguments.
        program: String,
    },
    /// The keys cannot be rotated where they are.
    #[error("the keys at {place} cannot be rotated: {advice}")]
    NotRotatable {
        /// Where they are.
        place: String,
        /// What to do instead.
        advice: &'static str,
    },
    /// The ring has as many versions as it may have.
    #[error("the keys at {place} have {versions} versions already: sweep, and rotate less often than daily")]
    TooManyVersions {
        /// Where they are.
        place: String,
        /// How many there are.
        versions: usize,
    },
}

/// Why sealed bytes were not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// What was sealed has expired, and its key exists no more.
    #[error("what was sealed has expired on {day}, and its key was destroyed")]
    Destroyed {
        /// The day of expiry.
        day: Day,
    },
    /// The ring has no such version, also after it was read again.
    #[error(
        "it was sealed by version {version} of the keys, which these keys do not have: use the newest copy of them"
    )]
    UnknownVersion {
        /// The version.
        version: u16,
    },
    /// It was changed, moved from another place, cut off, or sealed with other keys.
    #[error("sealed bytes are damaged, belong elsewhere, or were sealed with other keys")]
    Damaged,
    /// These are no sealed bytes, and the keys demand them.
    #[error("bytes are not sealed, and the keys in use demand it: they were written without keys")]
    NotSealed,
    /// The bytes are sealed, and there are no keys.
    #[error("bytes are sealed, and no keys are in use: give the keys with which they were written")]
    Sealed,
}

/// What a program said, as the end of a message.
fn said(stderr: &str) -> String {
    if stderr.is_empty() { String::new() } else { format!(": {stderr}") }
}

/// A path as it has to be typed.
fn quoted(path: &std::path::Path) -> String {
    let path = path.display().to_string();
    shlex::try_quote(&path).map(String::from).unwrap_or(path)
}
