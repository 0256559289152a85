//! The pages on functions in Python: all that they say is done.

use agent_memory_tests::guide;

#[test]
fn every_snippet_of_the_guide_runs_as_it_stands() {
    guide::follow("docs/guides/python.md");
}
