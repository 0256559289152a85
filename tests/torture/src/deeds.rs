//! What a process that is going to die tells of what it does: one line each, written at once.

use std::fmt;
use std::io::Write as _;
use std::str::FromStr;

/// Something that is about to be done, or that was acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Everything is set up, and the work begins.
    Ready,
    /// A file is open, and in the present format.
    Opened,
    /// A conversation is about to be ended: its number, and its session, with which its end can be repeated.
    Ends(u64, Vec<u8>),
    /// It has ended.
    Ended(u64),
    /// A caller is about to be erased.
    Erases(u64),
    /// The caller is erased.
    Erased(u64),
    /// What has expired is deleted, and so are its keys.
    Swept,
    /// There is this new version of the keys.
    Rotated(u32),
}

impl Deed {
    /// Tells of it. Nobody may be there any more to read.
    pub(crate) fn tell(&self) {
        // One write, so that a line is whole or has no end.
        let _ = std::io::stdout().lock().write_all(format!("{self}\n").as_bytes());
    }
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => f.write_str("ready"),
            Self::Opened => f.write_str("opened"),
            Self::Ends(number, session) => {
                write!(f, "ends {number} ")?;
                session.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
            Self::Ended(number) => write!(f, "ended {number}"),
            Self::Erases(caller) => write!(f, "erases {caller}"),
            Self::Erased(caller) => write!(f, "erased {caller}"),
            Self::Swept => f.write_str("swept"),
            Self::Rotated(version) => write!(f, "rotated {version}"),
        }
    }
}

/// A line that is none of these.
#[derive(Debug)]
pub(crate) struct NoDeed;

impl FromStr for Deed {
    type Err = NoDeed;

    fn from_str(line: &str) -> Result<Self, NoDeed> {
        let number = |text: &str| text.parse().map_err(|_| NoDeed);
        let mut words = line.split(' ');
        Ok(match (words.next(), words.next(), words.next()) {
            (Some("ready"), None, _) => Self::Ready,
            (Some("opened"), None, _) => Self::Opened,
            (Some("ends"), Some(conversation), Some(session)) => Self::Ends(number(conversation)?, bytes(session)?),
            (Some("ended"), Some(conversation), None) => Self::Ended(number(conversation)?),
            (Some("erases"), Some(caller), None) => Self::Erases(number(caller)?),
            (Some("erased"), Some(caller), None) => Self::Erased(number(caller)?),
            (Some("swept"), None, _) => Self::Swept,
            (Some("rotated"), Some(version), None) => Self::Rotated(version.parse().map_err(|_| NoDeed)?),
            _ => return Err(NoDeed),
        })
    }
}

fn bytes(digits: &str) -> Result<Vec<u8>, NoDeed> {
    let pairs = digits.as_bytes().chunks(2);
    let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.map(byte).collect::<Option<_>>().ok_or(NoDeed)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test has nobody else to tell")]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_understood() {
        for deed in [
            Deed::Ready,
            Deed::Opened,
            Deed::Ends(7, vec![0, 127, 255]),
            Deed::Ended(8),
            Deed::Erases(9),
            Deed::Erased(10),
            Deed::Swept,
            Deed::Rotated(3),
        ] {
            assert_eq!(deed.to_string().parse::<Deed>().unwrap(), deed);
        }
        assert!("ended".parse::<Deed>().is_err());
        assert!("ends 7 0g".parse::<Deed>().is_err());
    }
}
