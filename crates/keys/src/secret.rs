//! Secrets: wiped when they are dropped, and shown by nobody.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A text that holds a secret. It is wiped when it is dropped, and `Debug` does not show it.
pub struct SecretText(Zeroizing<String>);

/// 32 secret bytes. They are on the heap, so that moving them leaves no copy behind.
#[derive(Clone)]
pub(crate) struct Secret(Box<Zeroizing<[u8; 32]>>);

impl SecretText {
    pub(crate) fn new(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    /// The text itself. Whoever shows it or writes it down answers for that.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText([redacted])")
    }
}

impl Secret {
    /// Bytes that nobody can guess.
    pub(crate) fn random() -> Self {
        let mut secret = Self::zero();
        fill_random(secret.0.as_mut_slice());
        secret
    }

    /// Bytes that `write` puts in place.
    pub(crate) fn filled<E>(write: impl FnOnce(&mut [u8; 32]) -> Result<(), E>) -> Result<Self, E> {
        let mut secret = Self::zero();
        write(&mut secret.0)?;
        Ok(secret)
    }

    /// What follows from this secret for one purpose: HMAC-SHA-256 under it. Under one secret no label is the
    /// beginning of another, so that no two purposes ever share a value.
    pub(crate) fn derive(&self, label: &[u8], context: &[u8]) -> Self {
        let mut mac = self.hmac();
        mac.update(label);
        mac.update(context);
        let mut derived = Self::zero();
        derived.0.copy_from_slice(&*Zeroizing::new(mac.finalize().into_bytes().0));
        derived
    }

    /// HMAC-SHA-256 under this secret.
    pub(crate) fn hmac(&self) -> Hmac<Sha256> {
        // What HMAC itself does to a key that is shorter than a block, in memory that is wiped.
        let mut block = Zeroizing::new([0; 64]);
        let (key, _) = block.split_at_mut(32);
        key.copy_from_slice(self.expose());
        Hmac::new((&*block).into())
    }

    /// The secret itself.
    pub(crate) fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    fn zero() -> Self {
        Self(Box::new(Zeroizing::new([0; 32])))
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(other.0.as_slice()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Fills `bytes` from the operating system.
#[allow(clippy::expect_used, reason = "without chance nothing may be sealed, and it lacks in no running system")]
pub(crate) fn fill_random(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system gives random bytes");
}
