//! What must be true of any input whatever. Each [`Target`] is a function of bytes that panics when a promise is broken.
//!
//! `cargo fuzz` looks for such bytes by what they make the code do (`fuzz/`). Where that cannot be had, [`play`] changes the
//! kept inputs blindly: in the tests for seconds, by `cargo xtask torture` for hours.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is how a target says that a promise is broken"
)]

mod configuration;
mod identifiers;
mod kept;
mod mutation;
mod play;
mod values;

#[cfg(feature = "sandbox")]
mod sandbox;

pub use configuration::configuration;
pub use identifiers::identifiers;
pub use kept::{Input, kept};
pub use play::{Found, Limit, Played, play};
#[cfg(feature = "wasm-smith")]
pub use sandbox::modules::modules;
#[cfg(feature = "sandbox")]
pub use sandbox::{
    components::components, frames::frames, http::http, policy::policy, records::records, scenario::scenario,
};
pub use values::values;

/// Something that takes any bytes.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// What it is called on the command line and in `fuzz/`.
    pub name: &'static str,
    /// Tries an input. It panics when a promise is broken, and otherwise always returns.
    pub run: fn(&[u8]),
    /// The longest input that is made for it, in bytes.
    pub longest: usize,
    /// What is put into inputs here and there: words that mean something to it.
    pub words: &'static [&'static str],
}

/// All targets that need no wasm-smith, by name.
pub const TARGETS: &[Target] = &[
    #[cfg(feature = "sandbox")]
    sandbox::components::TARGET,
    configuration::TARGET,
    #[cfg(feature = "sandbox")]
    sandbox::frames::TARGET,
    #[cfg(feature = "sandbox")]
    sandbox::http::TARGET,
    identifiers::TARGET,
    #[cfg(feature = "sandbox")]
    sandbox::policy::TARGET,
    #[cfg(feature = "sandbox")]
    sandbox::records::TARGET,
    #[cfg(feature = "sandbox")]
    sandbox::scenario::TARGET,
    values::TARGET,
];

/// The target of a name.
///
/// # Panics
///
/// If there is none.
pub fn target(name: &str) -> &'static Target {
    let found = TARGETS.iter().find(|target| target.name == name);
    found.unwrap_or_else(|| panic!("there is no target {name:?}"))
}
