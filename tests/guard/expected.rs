//! What is expected of costs, and how what is measured compares with it.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use agent_memory_tests::root;
use serde_json::{Value, json};

/// What each thing costs, by name.
pub(crate) type Costs = BTreeMap<String, u64>;

/// Compares costs with those that are expected of their kind, or has them expected from now on if `AGENT_MEMORY_BLESS` is
/// set.
#[track_caller]
pub(crate) fn assert_costs(kind: &str, measured: &Costs) {
    // The tests of both kinds write the same file.
    static FILE: Mutex<()> = Mutex::new(());
    let _alone = FILE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut file: Value = serde_json::from_str(&fs::read_to_string(path()).unwrap()).unwrap();
    if std::env::var_os("AGENT_MEMORY_BLESS").is_some() {
        file[kind]["expected"] = json!(measured);
        fs::write(path(), format!("{file:#}\n")).unwrap();
    }
    let expected: Costs = serde_json::from_value(file[kind]["expected"].clone()).unwrap();
    let complaints = complaints(kind, measured, &expected, file[kind]["tolerance"].as_f64().unwrap());
    assert!(complaints.is_empty(), "{}\n{ADVICE}", complaints.join("\n"));
}

const ADVICE: &str = "If that is meant, accept it: AGENT_MEMORY_BLESS=1 cargo test -p agent-memory-tests --test guard";

fn path() -> PathBuf {
    root().join("tests/guard/expected.json")
}

fn complaints(kind: &str, measured: &Costs, expected: &Costs, tolerance: f64) -> Vec<String> {
    let mut complaints = Vec::new();
    for (name, &measured) in measured {
        let Some(&expected) = expected.get(name) else {
            complaints.push(format!("{name}: {measured} {kind}, and nothing was expected of it so far"));
            continue;
        };
        let change = measured as f64 / expected as f64 - 1.0;
        if change.abs() > tolerance {
            let direction = if change > 0.0 { "more" } else { "less" };
            complaints.push(format!(
                "{name}: {measured} {kind}, {:.1} % {direction} than the {expected} that are expected (within {:.0} %)",
                change.abs() * 100.0,
                tolerance * 100.0
            ));
        }
    }
    let unmeasured = expected.keys().filter(|name| !measured.contains_key(*name));
    complaints.extend(unmeasured.map(|name| format!("{name}: it is expected, but was not measured")));
    complaints
}

#[test]
fn what_costs_more_or_less_than_is_expected_is_named_with_how_much() {
    let costs = |costs: &[(&str, u64)]| costs.iter().map(|&(name, cost)| (name.to_owned(), cost)).collect::<Costs>();
    let expected = costs(&[("dearer", 100), ("gone", 5), ("same", 100), ("won", 200)]);
    let measured = costs(&[("dearer", 103), ("new", 7), ("same", 101), ("won", 150)]);
    assert_eq!(
        complaints("fuel", &measured, &expected, 0.02),
        [
            "dearer: 103 fuel, 3.0 % more than the 100 that are expected (within 2 %)",
            "new: 7 fuel, and nothing was expected of it so far",
            "won: 150 fuel, 25.0 % less than the 200 that are expected (within 2 %)",
            "gone: it is expected, but was not measured",
        ]
    );
}
