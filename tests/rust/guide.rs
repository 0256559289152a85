//! The page on functions in Rust: all that it says is done.

use agent_memory_tests::guide;

#[test]
fn every_snippet_of_the_guide_runs_as_it_stands() {
    guide::follow("docs/guides/rust.md");
}
