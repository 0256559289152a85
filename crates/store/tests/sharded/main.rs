//! Several stores as one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests panic when something is wrong"
)]

mod costs;
mod erasing;
mod faults;
mod faulty;
mod moving;
mod opening;
mod passes;
mod racing;
mod support;
