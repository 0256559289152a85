//! The targets that need the host.

pub(crate) mod components;
pub(crate) mod frames;
pub(crate) mod http;
#[cfg(feature = "wasm-smith")]
pub(crate) mod modules;
pub(crate) mod policy;
pub(crate) mod records;
pub(crate) mod scenario;
mod shop;
