//! Where a ring is kept, and how it is changed there.

mod command;
mod file;

use std::env;

use zeroize::Zeroizing;

use self::command::Program;
use self::file::RingFile;
use crate::ring::{NoRing, Ring};
use crate::secret::SecretText;
use crate::{KeysError, Source};

/// Where a ring is kept.
#[derive(Debug)]
pub(crate) enum Origin {
    /// In this process alone.
    Memory,
    File(RingFile),
    Environment(String),
    Command(Program),
}

/// What became of a change.
pub(crate) struct Changed {
    /// The ring as it was before: where it is kept, or in this process if it cannot be changed there.
    pub(crate) before: Ring,
    /// The ring as it is now.
    pub(crate) after: Ring,
    /// Whether it is kept like that: not where a ring cannot be written, or needs no change.
    pub(crate) written: bool,
}

/// How a ring is to be changed.
pub(crate) type Change<'a> = dyn Fn(&Ring) -> Result<Ring, KeysError> + 'a;

impl Origin {
    /// Where a source keeps its ring, and the ring. None for plaintext.
    pub(crate) fn open(source: &Source, create: bool) -> Result<Option<(Self, Ring)>, KeysError> {
        Ok(Some(match source {
            Source::Plaintext => return Ok(None),
            Source::Ephemeral => (Self::Memory, Ring::random()),
            Source::File(path) => {
                let file = RingFile::new(path);
                let ring = if create { file.read_or_create()? } else { file.read()? };
                (Self::File(file), ring)
            }
            Source::Environment(name) => (Self::Environment(name.clone()), from_environment(name)?),
            Source::Command(command) => {
                let program = Program::new(command)?;
                let (ring, _) = program.read()?;
                (Self::Command(program), ring)
            }
        }))
    }

    /// The ring as it is kept now. None if it is kept nowhere else.
    pub(crate) fn read(&self) -> Result<Option<Ring>, KeysError> {
        match self {
            Self::Memory => Ok(None),
            Self::File(file) => file.read().map(Some),
            Self::Environment(name) => from_environment(name).map(Some),
            Self::Command(program) => program.read().map(|(ring, _)| Some(ring)),
        }
    }

    /// Changes the ring where it is kept, if it can be changed there. `current` is the ring as this process knows it,
    /// for origins that have none of their own. `change` may be called more than once.
    pub(crate) fn change(&self, current: &Ring, change: &Change<'_>) -> Result<Changed, KeysError> {
        let unwritten = |kept: &Ring| Ok(Changed { before: current.clone(), after: change(kept)?, written: false });
        match self {
            Self::Memory => unwritten(current),
            Self::Environment(name) => unwritten(&from_environment(name)?),
            Self::File(file) => file.change(change),
            Self::Command(program) => program.change(change),
        }
    }

    /// The place, for errors.
    pub(crate) fn place(&self) -> String {
        match self {
            Self::Memory => "this process".to_owned(),
            Self::File(file) => file.place(),
            Self::Environment(name) => place_of_variable(name),
            Self::Command(program) => program.place(),
        }
    }
}

fn from_environment(name: &str) -> Result<Ring, KeysError> {
    let place = place_of_variable(name);
    match env::var(name) {
        Ok(text) => parse(&place, &SecretText::new(Zeroizing::new(text))),
        Err(env::VarError::NotPresent) => {
            Err(KeysError::Missing { place, advice: "set it to the text of a ring, for example of a new one" })
        }
        Err(env::VarError::NotUnicode(text)) => {
            drop(Zeroizing::new(text.into_encoded_bytes()));
            Err(KeysError::Malformed { place, what: "it is not UTF-8".to_owned() })
        }
    }
}

fn place_of_variable(name: &str) -> String {
    format!("the environment variable {name}")
}

/// Makes a ring of what was read, which is wiped by its owner.
fn parse(place: &str, text: &SecretText) -> Result<Ring, KeysError> {
    Ring::from_text(text.expose()).map_err(|error| match error {
        NoRing::TooNew(found) => KeysError::TooNew { place: place.to_owned(), found },
        NoRing::Malformed(what) => KeysError::Malformed { place: place.to_owned(), what },
    })
}

/// Makes text of what was read.
fn text_of(place: &str, mut bytes: Zeroizing<Vec<u8>>) -> Result<SecretText, KeysError> {
    match String::from_utf8(std::mem::take(&mut *bytes)) {
        Ok(text) => Ok(SecretText::new(Zeroizing::new(text))),
        Err(error) => {
            drop(Zeroizing::new(error.into_bytes()));
            Err(KeysError::Malformed { place: place.to_owned(), what: "it is not UTF-8".to_owned() })
        }
    }
}

/// Reads all of what is no longer than a ring may be, and a byte more of what is longer. What is read is not moved
/// about in memory, which would leave copies.
fn read_bounded(from: &mut impl std::io::Read) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut room = Zeroizing::new(vec![0; crate::ring::MAX_TEXT + 1]);
    let mut filled = 0;
    while let Some(rest) = room.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match from.read(rest) {
            Ok(0) => break,
            Ok(length) => filled += length,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    room.truncate(filled);
    Ok(room)
}
