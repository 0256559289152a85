//! What sealing, opening and pseudonyms cost: `cargo bench -p agent-memory-keys`.
#![allow(missing_docs, reason = "a program has no users of its code")]
#![allow(clippy::unwrap_used, reason = "a benchmark that fails has nobody else to tell")]

use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

use agent_memory_keys::{Keys, Lifetime};

const DAY: i64 = 24 * 60 * 60;
const TODAY: i64 = 20_000 * DAY;

fn main() {
    let keys = Keys::ephemeral();
    keys.destroy_before(TODAY).unwrap();
    let place = [7; 72];
    let plain = [b'x'; 60];
    let lifetime = Lifetime::Until(TODAY + 60 * DAY);
    let sealed = keys.seal(lifetime, &place, &plain);
    for threads in [1, 2, 8] {
        measure("seal 60 bytes", threads, || drop(black_box(keys.seal(lifetime, &place, black_box(&plain)))));
        measure("open 60 bytes", threads, || drop(black_box(keys.open_sealed(&place, black_box(&sealed)).unwrap())));
        measure("pseudonym", threads, || {
            black_box(keys.pseudonym("account", black_box(&[b"identity", b"project", b"live", b"+441632960001"])));
        });
    }
    let began = Instant::now();
    let new = Keys::ephemeral();
    black_box(new.seal(lifetime, &place, &plain));
    println!("{:<24} {:>9.1?}", "first day of a new ring", began.elapsed());
    let began = Instant::now();
    black_box(keys.seal(Lifetime::Until(TODAY + 90 * DAY), &place, &plain));
    println!("{:<24} {:>9.1?}", "a day 30 days ahead", began.elapsed());
}

/// Shows the time of one call, as its thread sees it: the best of five rounds.
fn measure(what: &str, threads: u32, work: impl Fn() + Sync) {
    const CALLS: u32 = 100_000;
    let round = || {
        let began = Instant::now();
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| (0..CALLS).for_each(|_| work()));
            }
        });
        began.elapsed() / CALLS
    };
    let best = (0..5).map(|_| round()).min().unwrap_or(Duration::ZERO);
    println!("{what:<24} {threads} threads {:>6} ns", best.as_nanos());
}
