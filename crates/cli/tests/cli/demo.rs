//! `agent-memory demo`

use crate::support::{Folder, assert_transcript};

#[test]
fn the_demo_tells_of_two_calls_and_needs_and_leaves_nothing() {
    let folder = Folder::new();
    let ran = folder.run(&["demo"]).expect(0);
    assert_transcript("demo.txt", &ran.out);
    assert!(folder.names().is_empty());
}
