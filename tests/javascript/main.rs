//! Functions in JavaScript and TypeScript on the real host.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod calls;
mod examples;
mod failures;
mod guide;
mod sandbox;
mod sdk;
mod support;
mod values;
