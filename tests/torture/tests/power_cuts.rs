//! What was acknowledged survives a power cut, exactly once and whole.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test has nobody else to tell")]

mod support;

use agent_memory_host::store::Durability;
use agent_memory_torture::power_cuts;

#[test]
fn w3_w4_e2_e3_twenty_power_cuts_lose_nothing_that_was_acknowledged() {
    if !support::has_disks() {
        return;
    }
    let mut figures = power_cuts::round(&support::setting(), 0).unwrap();
    figures.merge(&power_cuts::round(&support::setting(), 1).unwrap());
    println!("{figures:?}");
    assert_eq!(figures.count("power cuts"), 20);
    assert_eq!(figures.all_wrong(), 0, "{figures:?}");
    // They came in the middle of everything.
    for deed in ["acknowledged ends", "repeated ends", "of them committed before"] {
        assert!(figures.count(deed) > 20, "{deed}: {figures:?}");
    }
    let others = ["acknowledged erasures", "acknowledged sweeps", "acknowledged rotations"];
    assert!(others.iter().map(|deed| figures.count(deed)).sum::<u64>() > 0, "{figures:?}");
}

#[test]
fn a_store_that_waits_less_for_the_disk_is_found_to_lose_what_it_has_acknowledged() {
    if !support::has_disks() {
        return;
    }
    for durability in [Durability::Normal, Durability::Off] {
        let figures = power_cuts::round_with(&support::setting(), 0, durability).unwrap();
        println!("{durability:?}: {figures:?}");
        assert!(figures.count("lost") > 0, "{durability:?}: {figures:?}");
    }
}
