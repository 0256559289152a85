//! The bytes of what is sealed.
//!
//! ```text
//! format  version  day     nonce     ciphertext  tag
//! 0xA1    u16      u16     24 bytes  ...         16 bytes    XChaCha20-Poly1305
//! 0xB2    the bytes as they are                              plaintext
//! ```
//!
//! Numbers are big-endian. Day 65535 with version 0 is for what does not expire. Everything before the ciphertext, and
//! after it the place, is associated data: it is bound to the ciphertext and not in it. The format bytes begin no text
//! in UTF-8, and differ in more than one bit.

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{KeyInit, Tag, XChaCha20Poly1305, XNonce};

use crate::secret::{Secret, fill_random};
use crate::{Day, SealError};

const SEALED: u8 = 0xA1;
const PLAIN: u8 = 0xB2;

const NONCE: usize = 24;
const HEADER: usize = 1 + 2 + 2 + NONCE;
const TAG: usize = 16;

const PERMANENT_DAY: u16 = u16::MAX;
const PERMANENT_VERSION: u16 = 0;

/// Under which key something is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyName {
    Day { version: u16, day: Day },
    Permanent,
}

/// A key that seals. It is wiped when it is dropped.
pub(crate) struct SealingKey(XChaCha20Poly1305);

/// Sealed bytes, taken apart.
pub(crate) struct Parts<'a> {
    pub(crate) key: KeyName,
    header: &'a [u8; HEADER],
    nonce: &'a [u8; NONCE],
    ciphertext: &'a [u8],
    tag: &'a [u8; TAG],
}

impl SealingKey {
    pub(crate) fn new(secret: &Secret) -> Self {
        Self(XChaCha20Poly1305::new(secret.expose().into()))
    }

    pub(crate) fn seal(&self, name: KeyName, place: &[u8], plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE];
        fill_random(&mut nonce);
        self.seal_with(name, nonce, place, plain)
    }

    #[allow(clippy::expect_used, reason = "only 256 GiB are too long to be sealed")]
    fn seal_with(&self, name: KeyName, nonce: [u8; NONCE], place: &[u8], plain: &[u8]) -> Vec<u8> {
        let (version, day) = match name {
            KeyName::Day { version, day } => (version, day.number()),
            KeyName::Permanent => (PERMANENT_VERSION, PERMANENT_DAY),
        };
        let mut sealed = Vec::with_capacity(HEADER + plain.len() + TAG);
        sealed.push(SEALED);
        sealed.extend_from_slice(&version.to_be_bytes());
        sealed.extend_from_slice(&day.to_be_bytes());
        sealed.extend_from_slice(&nonce);
        let associated = associated(&sealed, place);
        sealed.extend_from_slice(plain);
        let (_, text) = sealed.split_at_mut(HEADER);
        let tag = self.0.encrypt_inout_detached(&XNonce::from(nonce), &associated, text.into());
        sealed.extend_from_slice(&tag.expect("less than 256 GiB"));
        sealed
    }

    pub(crate) fn open(&self, parts: &Parts<'_>, place: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut text = parts.ciphertext.to_vec();
        let associated = associated(parts.header, place);
        let (nonce, tag) = (XNonce::from(*parts.nonce), Tag::from(*parts.tag));
        let opened = self.0.decrypt_inout_detached(&nonce, &associated, text.as_mut_slice().into(), &tag);
        opened.map_err(|_| SealError::Damaged)?;
        Ok(text)
    }
}

impl<'a> Parts<'a> {
    pub(crate) fn of(sealed: &'a [u8]) -> Result<Self, SealError> {
        match sealed.first() {
            Some(&SEALED) => Self::split(sealed).ok_or(SealError::Damaged),
            Some(&PLAIN) => Err(SealError::NotSealed),
            _ => Err(SealError::Damaged),
        }
    }

    fn split(sealed: &'a [u8]) -> Option<Self> {
        let (header, rest) = sealed.split_first_chunk()?;
        let (ciphertext, tag) = rest.split_last_chunk()?;
        let (fixed, nonce) = header.split_last_chunk()?;
        let [_, version @ .., day_high, day_low] = fixed else { return None };
        let version = u16::from_be_bytes(*version.first_chunk()?);
        let key = match (version, Day::from_number(u16::from_be_bytes([*day_high, *day_low]))) {
            (PERMANENT_VERSION, None) => KeyName::Permanent,
            (PERMANENT_VERSION, Some(_)) | (_, None) => return None,
            (version, Some(day)) => KeyName::Day { version, day },
        };
        Some(Self { key, header, nonce, ciphertext, tag })
    }
}

/// What is not sealed, in its own format.
pub(crate) fn plain(bytes: &[u8]) -> Vec<u8> {
    [&[PLAIN], bytes].concat()
}

/// Takes what is not sealed out of its format.
pub(crate) fn open_plain(stored: &[u8]) -> Result<Vec<u8>, SealError> {
    match stored.split_first() {
        Some((&PLAIN, bytes)) => Ok(bytes.to_vec()),
        Some((&SEALED, _)) => Err(SealError::Sealed),
        _ => Err(SealError::Damaged),
    }
}

/// The header has always the same length, so that no header and place share their associated data with others.
fn associated(header: &[u8], place: &[u8]) -> Vec<u8> {
    [header, place].concat()
}
