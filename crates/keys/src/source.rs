//! Where keys come from, as users write it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::KeysError;

/// Where keys come from.
///
/// ```
/// use agent_memory_keys::Source;
///
/// let source: Source = "command:vault-keys --mount 'agent memory'".parse()?;
/// assert_eq!(source, Source::Command("vault-keys --mount 'agent memory'".to_owned()));
/// // Arguments may be secrets, and are never shown.
/// assert_eq!(source.to_string(), "command:vault-keys");
/// # Ok::<(), agent_memory_keys::KeysError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub enum Source {
    /// `plaintext`: nothing is sealed. For debugging.
    Plaintext,
    /// `ephemeral`: random keys that this process alone has, and that end with it.
    Ephemeral,
    /// `file:PATH`: a file that only its owner may read and write, and that changes with every sweep.
    File(PathBuf),
    /// `env:NAME`: the text of an environment variable. Somebody else has to change it.
    Environment(String),
    /// `command:PROGRAM ARGUMENT...`: a program that keeps the text, split into words as a shell does.
    ///
    /// - With the further argument `get` it writes the text to standard output.
    /// - With `put` it reads the new text from standard input and keeps it, if the text that it has is still the one
    ///   whose SHA-256 (hexadecimal) is in the environment variable `AGENT_MEMORY_KEYS_REPLACES`. If not, it changes
    ///   nothing and fails: it is asked again.
    ///
    /// It has 30 s each time. What it writes to standard error is shown if it fails.
    Command(String),
}

impl Source {
    /// The program of a command, to be named in errors.
    pub(crate) fn program(command: &str) -> String {
        shlex::split(command).and_then(|words| words.into_iter().next()).unwrap_or_default()
    }
}

impl FromStr for Source {
    type Err = KeysError;

    fn from_str(text: &str) -> Result<Self, KeysError> {
        let wrong = |reason| Err(KeysError::UnknownSource { reason });
        match text.split_once(':') {
            None if text == "plaintext" => Ok(Self::Plaintext),
            None if text == "ephemeral" => Ok(Self::Ephemeral),
            Some(("file", "")) => wrong("the path is missing"),
            Some(("file", path)) => Ok(Self::File(PathBuf::from(path))),
            Some(("env", "")) => wrong("the variable's name is missing"),
            Some(("env", name)) if name.contains(['=', '\0']) => wrong("no variable can have this name"),
            Some(("env", name)) => Ok(Self::Environment(name.to_owned())),
            Some(("command", command)) => match shlex::split(command) {
                None => wrong("a quote of the command is not closed"),
                Some(words) if words.first().is_none_or(String::is_empty) => wrong("the program is missing"),
                Some(_) => Ok(Self::Command(command.to_owned())),
            },
            _ => wrong("it begins with none of these"),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plaintext => f.write_str("plaintext"),
            Self::Ephemeral => f.write_str("ephemeral"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Environment(name) => write!(f, "env:{name}"),
            Self::Command(command) => write!(f, "command:{}", Self::program(command)),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_read_and_shown_without_arguments() {
        for (text, source) in [
            ("plaintext", Source::Plaintext),
            ("ephemeral", Source::Ephemeral),
            ("file:/etc/keys:1.json", Source::File("/etc/keys:1.json".into())),
            ("env:KEYS", Source::Environment("KEYS".into())),
        ] {
            assert_eq!(text.parse::<Source>().unwrap(), source);
            assert_eq!(source.to_string(), text);
        }
        let command: Source = "command:'my keys' --token hush".parse().unwrap();
        assert_eq!(format!("{command} {command:?}"), "command:my keys Source(command:my keys)");
    }

    #[test]
    fn what_names_no_source_is_refused_and_not_quoted() {
        for text in ["", "keys.json", "file:", "env:", "env:A=B", "command:", "command: ", "command:''", "command:a 'b"]
        {
            let error = text.parse::<Source>().unwrap_err().to_string();
            assert!(error.contains("use `file:PATH`, `env:NAME` or `command:PROGRAM ARGUMENT...`"), "{error}");
        }
        assert!(!"{\"root\":\"hush\"}".parse::<Source>().unwrap_err().to_string().contains("hush"));
    }
}
