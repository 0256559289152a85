//! What was acknowledged survives a kill, exactly once and whole.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test has nobody else to tell")]

mod support;

use agent_memory_torture::{Figures, kills};

#[test]
fn w3_w4_e2_e3_twenty_five_kills_lose_nothing_that_was_acknowledged() {
    let setting = support::setting();
    let mut figures = Figures::default();
    for round in 0..5 {
        figures.merge(&kills::round(&setting, round).unwrap());
    }
    println!("{figures:?}");
    assert_eq!(figures.count("kills"), 25);
    assert_eq!(figures.all_wrong(), 0, "{figures:?}");
    // They came in the middle of everything.
    for deed in ["acknowledged ends", "repeated ends", "of them committed before"] {
        assert!(figures.count(deed) > 20, "{deed}: {figures:?}");
    }
    let others = ["acknowledged erasures", "acknowledged sweeps", "acknowledged rotations"];
    assert!(others.iter().map(|deed| figures.count(deed)).sum::<u64>() > 0, "{figures:?}");
}
