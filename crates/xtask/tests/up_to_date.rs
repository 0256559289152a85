//! What is generated and kept in the repository is what would be generated now.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::process::{Command, Output};

fn xtask(arguments: [&str; 2]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask")).args(arguments).output().unwrap()
}

fn assert_passes(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_guests_in_the_repository_are_built_from_the_sources_in_it() {
    assert_passes(&xtask(["guests", "--check"]));
}

#[test]
fn the_contract_page_describes_the_contract() {
    assert_passes(&xtask(["contract", "--check"]));
}
