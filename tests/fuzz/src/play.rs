//! Tries inputs, and keeps those that find something.

use std::any::Any;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::kept::{kept, root};
use crate::mutation::Mutator;
use crate::{Input, Target};

/// Nothing that anybody sends may keep the machine busy for longer, even where it is slow and does other things.
const LONGEST_TIME: Duration = Duration::from_secs(20);

/// When enough was tried.
#[derive(Clone, Copy, Debug)]
pub enum Limit {
    /// After so many inputs beside those that are kept.
    Inputs(u64),
    /// After so much time beside that which they take.
    Time(Duration),
}

/// What was tried.
#[derive(Clone, Debug, Default)]
pub struct Played {
    /// How many inputs.
    pub inputs: u64,
    /// Which of them have found something.
    pub found: Vec<Found>,
}

/// An input that breaks a promise.
#[derive(Clone, Debug)]
pub struct Found {
    /// Where it was written: `AGENT_MEMORY_FUZZ_INPUT=FILE` replays it in the test of its target.
    pub path: PathBuf,
    /// What the target said.
    pub message: String,
}

/// Replays what is kept for a target, and goes on with inputs that are made of it by a seed, until something is found or
/// enough was tried.
///
/// # Panics
///
/// If what is kept cannot be read, or what is found cannot be written.
pub fn play(target: &Target, seed: u64, limit: Limit) -> Played {
    let kept = kept(target.name);
    let mut played = Played::default();
    for Input { path, bytes } in &kept {
        played.inputs += 1;
        if let Some(message) = broken(target, bytes) {
            played.found.push(Found { path: path.clone(), message });
        }
    }
    let mut mutator = Mutator::new(target, kept.iter().map(|input| input.bytes.as_slice()).collect(), seed);
    let mut count = 0;
    let began = Instant::now();
    let is_enough = |count| match limit {
        Limit::Inputs(inputs) => count >= inputs,
        Limit::Time(time) => began.elapsed() >= time,
    };
    while played.found.is_empty() && !is_enough(count) {
        count += 1;
        let input = mutator.input();
        if let Some(message) = broken(target, &input) {
            played.found.push(Found { path: keep(target, seed, count, &input), message });
        }
    }
    played.inputs += count;
    played
}

/// What a target says of an input that breaks a promise. One that takes long is tried once more: the process may have been
/// stopped meanwhile.
fn broken(target: &Target, input: &[u8]) -> Option<String> {
    let mut took = Duration::ZERO;
    for _ in 0..2 {
        let began = Instant::now();
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (target.run)(input))) {
            return Some(message(&*panic));
        }
        took = began.elapsed();
        if took <= LONGEST_TIME {
            return None;
        }
    }
    Some(format!("it took {} s", took.as_secs()))
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without a message").to_owned()
}

/// Writes an input to where it can be found again.
fn keep(target: &Target, seed: u64, count: u64, input: &[u8]) -> PathBuf {
    let folder = root().join("target/fuzz/found").join(target.name);
    fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let path = folder.join(format!("{seed}-{count}.input"));
    fs::write(&path, input).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has_no_zero(input: &[u8]) {
        assert!(!input.contains(&0), "a zero");
    }

    #[test]
    fn what_is_found_is_kept_and_told() {
        let target = Target { name: "has-no-zero", run: has_no_zero, longest: 8, words: &[] };
        let played = play(&target, 1, Limit::Inputs(100_000));
        let [Found { path, message }] = played.found.as_slice() else { panic!("{played:?}") };
        assert_eq!(message, "a zero");
        assert!(fs::read(path).unwrap().contains(&0));
        assert!(played.inputs < 100_000);
        let again = play(&target, 1, Limit::Inputs(100_000));
        assert_eq!(again.inputs, played.inputs);
    }

    #[test]
    fn it_ends_where_nothing_is_found() {
        let target = Target { name: "nothing", run: |_| {}, longest: 8, words: &[] };
        let played = play(&target, 1, Limit::Inputs(100));
        assert_eq!((played.inputs, played.found.len()), (100, 0));
        assert!(play(&target, 1, Limit::Time(Duration::from_millis(5))).inputs > 0);
    }
}
