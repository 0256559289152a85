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
//!
//! XChaCha20-Poly1305 is two things (draft-irtf-cfrg-xchacha-03, section 2.3): `HChaCha20` of the key and the first 16
//! bytes of the nonce gives a key for this one text, and ChaCha20-Poly1305 of RFC 8439 seals it with the last 8 bytes.
//! They come from two libraries here: `chacha20` has the first, and `ring` the second, in the assembly of `BoringSSL`,
//! which opens a short text in a third of the time that the crate with both, `chacha20poly1305`, needs for it.

use std::hint::black_box;

use chacha20::cipher::array::Array;
use chacha20::{R20, hchacha};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroize;

use crate::secret::{Secret, fill_random};
use crate::{Day, SealError};

const SEALED: u8 = 0xA1;
const PLAIN: u8 = 0xB2;

const NONCE: usize = 24;
/// As many bytes at the beginning of a nonce go into the key of a text.
const NONCE_OF_KEY: usize = 16;
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
pub(crate) struct SealingKey(Secret);

/// What seals and opens one text.
struct OneText(LessSafeKey);

/// Sealed bytes, taken apart.
pub(crate) struct Parts<'a> {
    pub(crate) key: KeyName,
    header: &'a [u8; HEADER],
    nonce: &'a [u8; NONCE],
    ciphertext: &'a [u8],
    tag: &'a [u8; TAG],
}

impl SealingKey {
    pub(crate) fn new(secret: Secret) -> Self {
        Self(secret)
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
        let (key, nonce) = self.of_one_text(&nonce);
        let tag = key.0.seal_in_place_separate_tag(nonce, Aad::from(&associated), text);
        sealed.extend_from_slice(tag.expect("less than 256 GiB").as_ref());
        sealed
    }

    pub(crate) fn open(&self, parts: &Parts<'_>, place: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut text = parts.ciphertext.to_vec();
        let associated = associated(parts.header, place);
        let (key, nonce) = self.of_one_text(parts.nonce);
        let opened =
            key.0.open_in_place_separate_tag(nonce, Aad::from(&associated), (*parts.tag).into(), &mut text, 0..);
        opened.map_err(|_| SealError::Damaged)?;
        Ok(text)
    }

    /// The key of the one text that is sealed with a nonce, and what is left of the nonce.
    fn of_one_text(&self, nonce: &[u8; NONCE]) -> (OneText, Nonce) {
        let (of_key, of_text) = nonce.split_at(NONCE_OF_KEY);
        let mut input = Array::default();
        input.copy_from_slice(of_key);
        let mut subkey = hchacha::<R20>(self.0.expose().into(), &input);
        let key = OneText::new(subkey.as_ref());
        subkey.as_mut_slice().zeroize();
        let mut nonce = [0; 12];
        let (_, last) = nonce.split_at_mut(12 - of_text.len());
        last.copy_from_slice(of_text);
        (key, Nonce::assume_unique_for_key(nonce))
    }
}

impl OneText {
    fn new(key: &[u8; 32]) -> Self {
        Self(Self::unwiped(key))
    }

    #[allow(clippy::expect_used, reason = "a key of this length is one")]
    fn unwiped(key: &[u8; 32]) -> LessSafeKey {
        LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key).expect("32 bytes"))
    }
}

impl Drop for OneText {
    /// `ring` wipes no keys. Another key in the same place does, if the compiler believes that somebody looks at it. What
    /// `ring` itself copied to its stack is left there; it opens this one text only.
    fn drop(&mut self) {
        self.0 = Self::unwiped(&[0; 32]);
        black_box(&mut self.0);
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

#[cfg(test)]
mod tests {
    use chacha20poly1305::aead::{Aead, Payload};
    use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
    use proptest::prelude::*;

    use super::*;

    /// XChaCha20-Poly1305 by another library than those that this file uses.
    fn other(secret: &Secret) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(secret.expose().into())
    }

    fn secret(bytes: [u8; 32]) -> Secret {
        Secret::filled(|into| {
            *into = bytes;
            Ok::<_, ()>(())
        })
        .unwrap()
    }

    #[test]
    fn the_vector_of_the_draft_is_sealed_and_opened() {
        // draft-irtf-cfrg-xchacha-03, A.3.1.
        let key = std::array::from_fn(|at| 0x80 + u8::try_from(at).unwrap());
        let nonce = std::array::from_fn(|at| 0x40 + u8::try_from(at).unwrap());
        let associated = Aad::from(b"\x50\x51\x52\x53\xc0\xc1\xc2\xc3\xc4\xc5\xc6\xc7");
        let plain = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, \
                      sunscreen would be it.";
        let ciphertext = "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e\
                          39ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3\
                          fff921f9664c97637da9768812f615c68b13b52e";
        let tag = "c0875924c1c7987947deafd8780acf49";
        let key = SealingKey::new(secret(key));
        let hexadecimal = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();

        let mut text = plain.to_vec();
        let (one, rest) = key.of_one_text(&nonce);
        let sealed = one.0.seal_in_place_separate_tag(rest, associated, &mut text).unwrap();
        assert_eq!((hexadecimal(&text).as_str(), hexadecimal(sealed.as_ref()).as_str()), (ciphertext, tag));
        let (one, rest) = key.of_one_text(&nonce);
        assert_eq!(one.0.open_in_place_separate_tag(rest, associated, sealed, &mut text, 0..).unwrap(), plain);
    }

    proptest! {
        /// Both ways, of all lengths at which the assembly goes another way.
        #[test]
        fn another_library_seals_the_same_bytes_and_each_opens_the_others(
            bytes: [u8; 32],
            nonce: [u8; NONCE],
            place in proptest::collection::vec(any::<u8>(), 0..200),
            plain in proptest::collection::vec(any::<u8>(), 0..1200),
        ) {
            let key = SealingKey::new(secret(bytes));
            let sealed = key.seal_with(KeyName::Permanent, nonce, &place, &plain);
            let (header, rest) = sealed.split_at(HEADER);
            let associated = associated(header, &place);
            let theirs = other(&secret(bytes));
            let sealed_by_them = theirs.encrypt(&nonce.into(), Payload { msg: &plain, aad: &associated }).unwrap();
            prop_assert_eq!(rest, &sealed_by_them[..]);
            prop_assert_eq!(&theirs.decrypt(&nonce.into(), Payload { msg: rest, aad: &associated }).unwrap(), &plain);
            prop_assert_eq!(key.open(&Parts::of(&sealed).unwrap(), &place), Ok(plain));
        }
    }
}
