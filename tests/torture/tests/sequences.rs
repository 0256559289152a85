//! The first 2,000 sequences of `cargo xtask torture sequences`.

#![allow(clippy::unwrap_used, reason = "a test has nobody else to tell")]

mod support;

use std::sync::atomic::{AtomicU64, Ordering};

use agent_memory_torture::{Figures, SUBJECTS};

const ROUNDS: u64 = 40;

#[test]
fn two_thousand_sequences_go_as_the_model_has_it() {
    let subject = SUBJECTS.iter().find(|subject| subject.name == "sequences").expect("the subject is there");
    let setting = support::setting();
    let next = AtomicU64::new(0);
    let play = || {
        let mut figures = Figures::default();
        loop {
            let round = next.fetch_add(1, Ordering::Relaxed);
            if round >= ROUNDS {
                return figures;
            }
            figures.merge(&(subject.round)(&setting, round).expect("the round can be played"));
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let figures = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(play)).collect();
        let mut all = Figures::default();
        threads.into_iter().for_each(|thread| all.merge(&thread.join().expect("no panic")));
        all
    });
    println!("{}", serde_json::to_string(&figures).expect("figures are JSON"));
    assert_eq!(figures.all_wrong(), 0, "what is above was found");
    // Sequences in which nothing happens would prove nothing.
    let least = [
        ("sequences", 2_000),
        ("turns", 20_000),
        ("ends", 4_000),
        ("troubles", 3_000),
        ("half ends", 300),
        ("restarts", 1_000),
        ("erasures", 1_000),
    ];
    for (what, least) in least {
        assert!(figures.count(what) >= least, "{}: {what}", figures.count(what));
    }
}
