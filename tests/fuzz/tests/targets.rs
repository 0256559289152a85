//! Every target takes what is kept for it, and whatever is made of that in a few seconds.
#![allow(clippy::unwrap_used, reason = "a test has nobody else to tell")]

use std::time::Duration;

use agent_memory_fuzz::{Found, Limit, Played, TARGETS, play, target};

/// How long inputs are made of what is kept.
const TIME: Duration = Duration::from_secs(5);

/// Names a file whose content is tried instead.
const INPUT: &str = "AGENT_MEMORY_FUZZ_INPUT";

/// Names the seed that inputs are made by, to make those of an earlier run again.
const SEED: &str = "AGENT_MEMORY_FUZZ_SEED";

fn holds(name: &str) {
    let target = target(name);
    if let Some(path) = std::env::var_os(INPUT) {
        return (target.run)(&std::fs::read(path).unwrap());
    }
    let seed = std::env::var(SEED).map_or_else(|_| fresh_seed(), |seed| seed.parse().unwrap());
    println!("{SEED}={seed}");
    let Played { inputs, found } = play(target, seed, Limit::Time(TIME));
    println!("{inputs} inputs");
    for Found { path, message } in &found {
        eprintln!("{message}\n  replay: {INPUT}={} cargo test --workspace --test targets {name}", path.display());
    }
    assert!(found.is_empty(), "{name}: a promise is broken");
}

/// Another one each time, so that every run tries something new.
fn fresh_seed() -> u64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                holds(stringify!($name));
            }
        )*

        #[test]
        fn every_target_has_a_test_and_a_corpus() {
            let mut tested = [$(stringify!($name)),*];
            tested.sort_unstable();
            assert_eq!(TARGETS.iter().map(|target| target.name).collect::<Vec<_>>(), tested);
            for name in tested {
                assert!(!agent_memory_fuzz::kept(name).is_empty(), "nothing is kept for {name}");
            }
        }
    };
}

targets! { components configuration frames http identifiers policy records scenario values }
