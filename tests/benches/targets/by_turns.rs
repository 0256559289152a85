//! Measuring several things by turns, so that whatever else the machine does meets all of them.

use std::time::{Duration, Instant};

/// Something to be measured: does it once, and may say that it failed.
pub(crate) type Subject<'a> = &'a mut dyn FnMut() -> anyhow::Result<()>;

/// How long each of several things takes: the median of so many rounds.
pub(crate) fn medians<const COUNT: usize>(
    rounds: usize,
    subjects: [Subject<'_>; COUNT],
) -> anyhow::Result<[Duration; COUNT]> {
    let mut times = [const { Vec::new() }; COUNT];
    let mut subjects = subjects;
    for round in 0..rounds + rounds / 10 {
        for (subject, times) in subjects.iter_mut().zip(&mut times) {
            // Each is done once unmeasured, so that all find the machine's caches alike: with its own code and memory.
            subject()?;
            let begin = Instant::now();
            subject()?;
            let time = begin.elapsed();
            // The first tenth warms up.
            if round >= rounds / 10 {
                times.push(time);
            }
        }
    }
    Ok(times.map(median))
}

/// The middle one of several.
pub(crate) fn median<T: PartialOrd + Default + Copy>(mut values: Vec<T>) -> T {
    values.sort_by(|one, other| one.partial_cmp(other).unwrap_or(std::cmp::Ordering::Equal));
    values.get(values.len() / 2).copied().unwrap_or_default()
}
