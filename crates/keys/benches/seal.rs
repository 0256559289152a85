//! What sealing, opening and pseudonyms cost: `cargo bench -p agent-memory-keys`.
#![allow(missing_docs, reason = "a program has no users of its code")]
#![allow(clippy::unwrap_used, reason = "a benchmark that fails has nobody else to tell")]

use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

use agent_memory_keys::{Keys, Lifetime};

const DAY: i64 = 24 * 60 * 60;
const TODAY: i64 = 20_000 * DAY;

/// A field, a short session, and a long one.
const LENGTHS: [usize; 3] = [60, 300, 16 * 1024];

fn main() {
    let keys = Keys::ephemeral();
    keys.destroy_before(TODAY).unwrap();
    let place = [7; 72];
    let lifetime = Lifetime::Until(TODAY + 60 * DAY);
    for threads in [1, 2, 8] {
        for length in LENGTHS {
            let plain = vec![b'x'; length];
            let sealed = keys.seal(lifetime, &place, &plain);
            let seal = || drop(black_box(keys.seal(lifetime, &place, black_box(&plain))));
            let open = || drop(black_box(keys.open_sealed(&place, black_box(&sealed)).unwrap()));
            measure(&format!("seal {length} bytes"), threads, seal);
            measure(&format!("open {length} bytes"), threads, open);
        }
        measure("pseudonym", threads, || {
            black_box(keys.pseudonym("account", black_box(&[b"identity", b"project", b"live", b"+441632960001"])));
        });
    }
    let began = Instant::now();
    let new = Keys::ephemeral();
    black_box(new.seal(lifetime, &place, b""));
    println!("{:<24} {:>9.1?}", "first day of a new ring", began.elapsed());
    let began = Instant::now();
    black_box(keys.seal(Lifetime::Until(TODAY + 90 * DAY), &place, b""));
    println!("{:<24} {:>9.1?}", "a day 30 days ahead", began.elapsed());
}

/// Shows the time of one call, as its thread sees it: the best of five rounds.
fn measure(what: &str, threads: u32, work: impl Fn() + Sync) {
    const CALLS: u32 = 20_000;
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
