//! The file of tokens: their digests, what each allows, and until when.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::{Grant, Holder, Permission};
use crate::Problem;

/// What every token begins with, so that one that was published by mistake can be searched for.
const PREFIX: &str = "agent_memory_";

/// The tokens of a service, from a file that may change while the service runs.
#[derive(Debug)]
pub struct Tokens {
    path: PathBuf,
    known: Mutex<Known>,
}

/// What was last read.
#[derive(Debug)]
struct Known {
    changed: Option<SystemTime>,
    tokens: Vec<Token>,
}

/// A token in the file. It is as random as a key, so that a plain digest keeps it secret. A key that is not known is
/// refused: a misspelt `account` would be every account.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    /// What people call it.
    name: String,
    /// The SHA-256 digest of the token, in hexadecimal.
    sha256: String,
    /// Until when it is good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<Timestamp>,
    /// Where it is good, as in [`Grant`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    environment: Option<String>,
    /// What it is good for.
    may: Vec<Permission>,
}

/// A token that is to be made.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// What people call it.
    pub name: String,
    /// Where it is good, and for what.
    pub grant: Grant,
    /// Until when it is good. None: until it is taken out of the file.
    pub expires: Option<Timestamp>,
}

/// Why there are no tokens.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The file cannot be read.
    #[error("the tokens in {path} cannot be read: {source}; make one with `agent-memory token`", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("no token can be added to {path}: {source}", path = path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A line is no token.
    #[error("{path}:{line}: this is no token: {problem}", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// There is a token of that name.
    #[error("{path} has a token named {name:?}: take another name, or delete its line", path = path.display())]
    Taken {
        /// The file.
        path: PathBuf,
        /// The name.
        name: String,
    },
    /// The file has no token.
    #[error("{path} has no token, so that nobody could use the service: make one with `agent-memory token`", path = path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

impl Tokens {
    /// Reads a file of tokens: a JSON object a line.
    ///
    /// # Errors
    /// If it cannot be read, has none, or has something else.
    pub fn open(path: &Path) -> Result<Self, TokenError> {
        let (changed, tokens) = read(path)?;
        if tokens.is_empty() {
            return Err(TokenError::Empty { path: path.to_owned() });
        }
        Ok(Self { path: path.to_owned(), known: Mutex::new(Known { changed, tokens }) })
    }

    /// Makes a token and adds it to a file, which only its owner may read. What is returned is the token itself, which
    /// is nowhere else.
    ///
    /// # Errors
    /// If the file cannot be read or written, or has a token of that name.
    pub fn add(path: &Path, token: NewToken) -> Result<String, TokenError> {
        let NewToken { name, grant, expires } = token;
        let known = if path.exists() { read(path)?.1 } else { Vec::new() };
        if known.iter().any(|known| known.name == name) {
            return Err(TokenError::Taken { path: path.to_owned(), name });
        }
        let secret = format!("{PREFIX}{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let Grant { account, project, environment, may } = grant;
        let token = Token { name, sha256: digest(&secret), expires, account, project, environment, may };
        let written = |source: io::Error| TokenError::Write { path: path.to_owned(), source };
        let line = serde_json::to_string(&token).map_err(|error| written(error.into()))?;
        let mut options = fs::OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(written)?;
        // Somebody may have left the last line without its end.
        let text = fs::read_to_string(path).map_err(written)?;
        let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        file.write_all(format!("{end}{line}\n").as_bytes()).and_then(|()| file.sync_all()).map_err(written)?;
        Ok(secret)
    }

    /// Whose a token is, and what it allows now.
    pub(crate) fn holder(&self, secret: &str, now: Timestamp) -> Result<Holder, Problem> {
        let asked = digest(secret);
        let known = self.known();
        // All are looked at, whichever it is, so that the time says nothing.
        let mut found = None;
        for token in &known.tokens {
            if bool::from(token.sha256.as_bytes().ct_eq(asked.as_bytes())) {
                found = Some(token);
            }
        }
        let unknown = "the token is not known here: it was mistyped, or taken away";
        let token = found.ok_or_else(|| Problem::unauthenticated(unknown))?;
        if token.expires.is_some_and(|expires| expires <= now) {
            return Err(Problem::unauthenticated("the token has expired: make a new one with `agent-memory token`"));
        }
        let Token { name, account, project, environment, may, .. } = token.clone();
        Ok(Holder { name: Some(name), grant: Grant { account, project, environment, may } })
    }

    /// The tokens as the file has them now. A file that has become unreadable changes nothing.
    fn known(&self) -> MutexGuard<'_, Known> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = fs::metadata(&self.path).and_then(|metadata| metadata.modified()).ok();
        if changed != known.changed {
            match read(&self.path) {
                Ok((changed, tokens)) => *known = Known { changed, tokens },
                Err(error) => {
                    tracing::error!(%error, "the tokens stay as they were");
                    known.changed = changed;
                }
            }
        }
        known
    }
}

fn read(path: &Path) -> Result<(Option<SystemTime>, Vec<Token>), TokenError> {
    let failed = |source| TokenError::Read { path: path.to_owned(), source };
    let changed = fs::metadata(path).map_err(failed)?.modified().ok();
    let text = fs::read_to_string(path).map_err(failed)?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let tokens = lines.map(|(index, line)| {
        serde_json::from_str(line).map_err(|error| TokenError::Malformed {
            path: path.to_owned(),
            line: index + 1,
            problem: error.to_string(),
        })
    });
    Ok((changed, tokens.collect::<Result<_, _>>()?))
}

fn digest(secret: &str) -> String {
    Sha256::digest(secret).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(name: &str, expires: Option<Timestamp>) -> NewToken {
        let grant = Grant { account: Some("acme".into()), may: vec![Permission::Call], ..Grant::everything() };
        NewToken { name: name.into(), grant, expires }
    }

    fn now() -> Timestamp {
        "2026-03-02T10:20:00Z".parse().unwrap()
    }

    #[test]
    fn a_token_is_known_by_its_digest_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.jsonl");
        let secret = Tokens::add(&path, new("runtime", None)).unwrap();
        assert!(!fs::read_to_string(&path).unwrap().contains(&secret));
        let tokens = Tokens::open(&path).unwrap();
        assert_eq!(tokens.holder(&secret, now()).unwrap().grant.account.as_deref(), Some("acme"));
        assert_eq!(tokens.holder(&format!("{secret}0"), now()).unwrap_err().status().as_u16(), 401);
    }

    #[test]
    fn a_token_that_has_expired_is_good_for_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.jsonl");
        let secret = Tokens::add(&path, new("runtime", Some(now()))).unwrap();
        let tokens = Tokens::open(&path).unwrap();
        let before = now() - jiff::SignedDuration::from_secs(1);
        assert!(tokens.holder(&secret, before).is_ok());
        assert!(tokens.holder(&secret, now()).unwrap_err().detail().contains("expired"));
    }

    #[test]
    fn a_token_that_is_taken_out_of_the_file_is_good_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.jsonl");
        let first = Tokens::add(&path, new("first", None)).unwrap();
        let tokens = Tokens::open(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let second = Tokens::add(&path, new("second", None)).unwrap();
        let later = SystemTime::now() + std::time::Duration::from_secs(5);
        fs::File::options().append(true).open(&path).unwrap().set_modified(later).unwrap();
        assert!(tokens.holder(&first, now()).is_err());
        assert!(tokens.holder(&second, now()).is_ok());
    }

    #[test]
    fn a_line_that_was_left_without_its_end_is_not_broken_by_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.jsonl");
        let first = Tokens::add(&path, new("first", None)).unwrap();
        fs::write(&path, fs::read_to_string(&path).unwrap().trim_end()).unwrap();
        let second = Tokens::add(&path, new("second", None)).unwrap();
        let tokens = Tokens::open(&path).unwrap();
        assert!(tokens.holder(&first, now()).is_ok() && tokens.holder(&second, now()).is_ok());
    }

    #[test]
    fn a_misspelt_scope_is_refused_and_not_taken_for_every_scope() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.jsonl");
        Tokens::add(&path, new("runtime", None)).unwrap();
        for misspelt in ["acount", "env"] {
            fs::write(&path, fs::read_to_string(&path).unwrap().replace("account", misspelt)).unwrap();
            let error = Tokens::open(&path).unwrap_err().to_string();
            assert!(error.contains(misspelt) && error.contains("`account`"), "{error}");
            fs::write(&path, fs::read_to_string(&path).unwrap().replace(misspelt, "account")).unwrap();
        }
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.jsonl");
        assert!(matches!(Tokens::open(&path).unwrap_err(), TokenError::Read { .. }));
        fs::write(&path, "\n").unwrap();
        assert!(matches!(Tokens::open(&path).unwrap_err(), TokenError::Empty { .. }));
        Tokens::add(&path, new("runtime", None)).unwrap();
        assert!(matches!(Tokens::add(&path, new("runtime", None)).unwrap_err(), TokenError::Taken { .. }));
        fs::write(&path, "\n{\"name\": 1}\n").unwrap();
        assert!(matches!(Tokens::open(&path).unwrap_err(), TokenError::Malformed { line: 2, .. }));
    }
}
