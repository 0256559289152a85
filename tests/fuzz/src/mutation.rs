//! Changes inputs without knowing what they do.

use fastrand::Rng;

use crate::Target;

/// Makes inputs of other inputs.
pub(crate) struct Mutator<'a> {
    target: &'a Target,
    /// Never empty.
    corpus: Vec<&'a [u8]>,
    random: Rng,
}

/// Numbers at which something ends, as they stand in a byte.
const EDGES: [u8; 8] = [0, 1, 0x7F, 0x80, 0xFF, b'0', b'"', b'\n'];

/// How many changes are made at once, at most.
const CHANGES: usize = 8;

impl<'a> Mutator<'a> {
    /// One that makes the same inputs of the same seed.
    pub(crate) fn new(target: &'a Target, mut corpus: Vec<&'a [u8]>, seed: u64) -> Self {
        if corpus.is_empty() {
            corpus.push(&[]);
        }
        Self { target, corpus, random: Rng::with_seed(seed) }
    }

    /// Another input.
    pub(crate) fn input(&mut self) -> Vec<u8> {
        let mut input = self.one_of_the_corpus().to_vec();
        // Few changes are made often, because most of an input has to stay as it is to get anywhere.
        for _ in 0..1 + self.random.usize(..CHANGES).min(self.random.usize(..CHANGES)) {
            self.change(&mut input);
        }
        input.truncate(self.target.longest);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let piece = self.piece(input.len());
        match self.random.u8(..10) {
            0 => self.with_byte(input, |byte, random| *byte ^= 1 << random.u8(..8)),
            1 => self.with_byte(input, |byte, random| *byte = random.u8(..)),
            2 => self.with_byte(input, |byte, random| *byte = EDGES[random.usize(..EDGES.len())]),
            3 => self.with_byte(input, |byte, random| *byte = byte.wrapping_add(random.u8(..8)).wrapping_sub(4)),
            4 => drop(input.drain(piece)),
            5 => {
                let copied = input[piece].to_vec();
                self.insert(input, &copied);
            }
            6 if !self.target.words.is_empty() => {
                let word = self.target.words[self.random.usize(..self.target.words.len())];
                self.insert(input, word.as_bytes());
            }
            7 => {
                // What begins as one input and goes on as another.
                let other = self.one_of_the_corpus();
                let (end, begin) = (self.position(input.len()), self.position(other.len()));
                input.truncate(end);
                input.extend_from_slice(&other[begin..]);
            }
            8 => {
                let other = self.one_of_the_corpus();
                let copied = other[self.piece(other.len())].to_vec();
                let length = copied.len().min(input.len() - piece.start);
                input.splice(piece.start..piece.start + length, copied);
            }
            _ => {
                let byte = [self.random.u8(..)];
                self.insert(input, &byte);
            }
        }
    }

    fn one_of_the_corpus(&mut self) -> &'a [u8] {
        self.corpus[self.random.usize(..self.corpus.len())]
    }

    fn position(&mut self, length: usize) -> usize {
        self.random.usize(..=length)
    }

    /// A part of so many bytes: as a rule a short one.
    fn piece(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.position(length);
        let longest = if self.random.u8(..8) == 0 { length } else { 16 };
        let left = (length - start).min(longest);
        start..start + self.position(left)
    }

    fn with_byte(&mut self, input: &mut [u8], change: impl FnOnce(&mut u8, &mut Rng)) {
        if !input.is_empty() {
            let position = self.random.usize(..input.len());
            change(&mut input[position], &mut self.random);
        }
    }

    fn insert(&mut self, input: &mut Vec<u8>, inserted: &[u8]) {
        let position = self.position(input.len());
        input.splice(position..position, inserted.iter().copied());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const TARGET: Target = Target { name: "nothing", run: |_| {}, longest: 64, words: &["word"] };

    fn inputs(seed: u64) -> Vec<Vec<u8>> {
        let mut mutator = Mutator::new(&TARGET, vec![b"the quick brown fox", b"jumps over the lazy dog"], seed);
        (0..2_000).map(|_| mutator.input()).collect()
    }

    #[test]
    fn a_seed_makes_the_same_inputs_again_and_another_seed_makes_others() {
        assert_eq!(inputs(1), inputs(1));
        assert_ne!(inputs(1), inputs(2));
    }

    #[test]
    fn inputs_differ_and_stay_within_the_longest() {
        let inputs = inputs(1);
        assert!(inputs.iter().all(|input| input.len() <= 64));
        assert!(inputs.iter().collect::<HashSet<_>>().len() > 1_800);
        let has = |text: &[u8]| inputs.iter().any(|input| input.windows(text.len()).any(|window| window == text));
        assert!(has(b"word") && has(b"quick brown fox") && has(b"lazy dog"));
    }

    #[test]
    fn nothing_is_a_beginning_too() {
        let mut mutator = Mutator::new(&TARGET, Vec::new(), 1);
        assert!((0..100).any(|_| !mutator.input().is_empty()));
    }
}
