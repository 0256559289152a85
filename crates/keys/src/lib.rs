//! The keys of Agent Memory.
//!
//! A store is given pseudonyms in place of identifiers, and sealed bytes. Both are made here, from one secret text: the
//! **ring**. What expires is sealed under a key of the day on which it expires, and that key is destroyed when the day
//! is over: copies of the data in free blocks, logs, replicas and backups are unreadable from then on.
//!
//! ```
//! use agent_memory_keys::{Keys, Lifetime, SealError};
//!
//! let keys = Keys::ephemeral();
//! let caller = keys.pseudonym("account", &[b"project", b"phone", b"+441632960001"]);
//! let friday = 1_795_132_800;
//! let sealed = keys.seal(Lifetime::Until(friday), &caller, b"brie");
//! assert_eq!(keys.open_sealed(&caller, &sealed).as_deref(), Ok(&b"brie"[..]));
//! assert_eq!(keys.open_sealed(b"elsewhere", &sealed), Err(SealError::Damaged));
//!
//! keys.destroy_before(friday + 24 * 60 * 60)?;
//! assert!(matches!(keys.open_sealed(&caller, &sealed), Err(SealError::Destroyed { .. })));
//! # Ok::<(), agent_memory_keys::KeysError>(())
//! ```
//!
//! # The chain
//!
//! ```text
//!  root ─────┬─▶ a key for each account ─▶ pseudonyms
//!            └─▶ the permanent key                          ring: the root, and of each version
//!                                                                 the chain key of one day
//!  chain key of day d ──▶ of d + 1 ──▶ of d + 2 ──▶ ...
//!         │                  │            │                 every arrow is HMAC-SHA-256
//!         ▼                  ▼            ▼                 and cannot be gone back
//!      key of d         key of d + 1   key of d + 2
//! ```
//!
//! The ring has the chain key of the earliest day that may still be needed. A sweep replaces it by today's. So a ring
//! stays as small as it is, whatever days are sealed for, and nothing has to be written when something is sealed.
//!
//! A key for each day in a list would do the same, and would have to be written, safely, before the first record of
//! each day. Keys that follow from one master key and the date could not be destroyed one by one.
//!
//! [`Keys::seal`], [`Keys::open_sealed`] and [`Keys::pseudonym`] take less than a microsecond for a short value, and wait
//! for nobody, except that opening reads the ring again when it meets an unknown version. All others may wait for a file or
//! a program.

mod accounts;
mod day;
mod error;
mod keys;
mod origin;
mod ring;
mod seal;
mod secret;
mod snapshot;
mod source;

pub use day::Day;
pub use error::{KeysError, SealError};
pub use keys::{Description, Destroyed, Keys, Lifetime, Reach};
pub use secret::SecretText;
pub use source::Source;
