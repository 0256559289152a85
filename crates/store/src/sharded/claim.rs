//! Which caller's shard a conversation is committed on.
//!
//! A claim is a register on the conversation's shard. It does not name the caller, but only the caller's slot, so that
//! an erasure finds nothing to erase in it (W4).
//!
//! Two commits of one conversation may name different callers. Whoever finds a claim of another slot first makes sure
//! that nothing can be committed under it any more, by a fence: a mark in the place of the conversation's. Then the
//! claim is taken over, in the next generation. Each generation has marks of its own: it is in the conversation's key
//! under which the mark stands on the caller's shard. So a fence stays for ever in the way of those who come late, and
//! in nobody else's.

use super::map::Slot;
use crate::{
    Committed, ConversationKey, Effect, Ended, ErasedSince, IdentityKey, KeptMark, MarkRecord, Register, RegisterKey,
    Sealed, StoreError, Timestamp,
};

/// The first byte of a claim's key. The conversation's follows.
const KEY: u8 = b'c';

/// The format of a claim's bytes.
const FORMAT: u8 = 1;

/// Stands for the caller of a fence. No identity key is all zeros but by breaking its hash.
const NOBODY: IdentityKey = IdentityKey([0; 32]);

/// On which shard a conversation is committed, or is about to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    /// The caller's slot.
    pub(super) slot: Slot,
    /// How often the claim was taken over.
    pub(super) generation: u8,
    /// Whether the commit ends the session, which is on another shard: once the mark stands, the session counts as
    /// gone, although it may have to be deleted yet.
    pub(super) ends: bool,
    /// The claim is kept at least as long as the mark.
    pub(super) expires: Timestamp,
}

impl Claim {
    pub(super) fn key(conversation: &ConversationKey) -> RegisterKey {
        RegisterKey([&[KEY], conversation.0.as_slice()].concat())
    }

    /// The conversation whose claim a register is. None: it is no claim.
    pub(super) fn conversation(key: &RegisterKey) -> Option<ConversationKey> {
        match key.0.split_first() {
            Some((&KEY, conversation)) => conversation.try_into().ok().map(ConversationKey),
            _ => None,
        }
    }

    pub(super) fn register(self) -> Register {
        let [high, low] = self.slot.number().to_be_bytes();
        let value = vec![FORMAT, high, low, self.generation, u8::from(self.ends)];
        Register { value, expires: Some(self.expires) }
    }

    /// What a register says. None: it makes no sense.
    pub(super) fn read(register: &Register) -> Option<Self> {
        let [FORMAT, high, low, generation, ends] = *register.value.as_slice() else { return None };
        let slot = Slot::new(u16::from_be_bytes([high, low]))?;
        Some(Self { slot, generation, ends: ends != 0, expires: register.expires? })
    }

    /// The claim that takes this one's place when it is taken over. None: it was taken over as often as is possible.
    pub(super) fn taken_over(self, slot: Slot) -> Option<Self> {
        Some(Self { slot, generation: self.generation.checked_add(1)?, ..self })
    }

    /// This claim, kept and ending at least as much as another demands.
    pub(super) fn with(self, ends: bool, expires: Timestamp) -> Self {
        Self { ends: self.ends || ends, expires: self.expires.max(expires), ..self }
    }

    /// The key under which the mark stands on the caller's shard.
    pub(super) fn mark_key(self, conversation: ConversationKey) -> ConversationKey {
        of_generation(conversation, self.generation)
    }

    /// The mark that keeps whoever comes late from committing under this claim.
    pub(super) fn fence(self, conversation: ConversationKey, expires: Timestamp) -> KeptMark {
        let record = MarkRecord { report: Sealed(Vec::new()), erased: ErasedSince::Nothing, first: false, row: None };
        let expires = expires.max(self.expires);
        KeptMark { conversation: self.mark_key(conversation), expires, recorded: Some((NOBODY, record)) }
    }
}

/// The key of a conversation's mark in a generation, and of the conversation from that.
pub(super) fn of_generation(ConversationKey(mut key): ConversationKey, generation: u8) -> ConversationKey {
    if let Some(last) = key.last_mut() {
        *last ^= generation;
    }
    ConversationKey(key)
}

/// The report as it is kept on a shard: with the generation, which leads from the mark's key to the conversation's.
pub(super) fn wrap(report: Sealed, generation: u8) -> Sealed {
    let mut bytes = report.0;
    bytes.insert(0, generation);
    Sealed(bytes)
}

/// The generation and the report.
pub(super) fn unwrap(report: Sealed) -> (u8, Sealed) {
    let mut bytes = report.0;
    let generation = if bytes.is_empty() { 0 } else { bytes.remove(0) };
    (generation, Sealed(bytes))
}

pub(super) fn is_fence(ended: &Ended) -> bool {
    ended.recorded.as_ref().is_some_and(|recorded| is_nobody(&recorded.identity))
}

pub(super) fn is_nobody(identity: &IdentityKey) -> bool {
    *identity == NOBODY
}

/// What a mark says, as it was given.
pub(super) fn unwrap_ended(mut ended: Ended) -> Ended {
    if let Some(recorded) = &mut ended.recorded {
        recorded.report = unwrap(std::mem::replace(&mut recorded.report, Sealed(Vec::new()))).1;
    }
    ended
}

/// What a commit has done, as it was given.
pub(super) fn unwrap_committed(committed: Committed) -> Committed {
    match committed {
        Committed::Before(ended) => Committed::Before(unwrap_ended(ended)),
        now @ Committed::Now(_) => now,
    }
}

/// What is said of a claim that makes no sense.
pub(super) fn damaged(place: &str) -> StoreError {
    StoreError::Damaged { place: place.to_owned(), what: "a conversation's claim cannot be read".to_owned() }
}

/// What is said of a claim that was taken over too often.
pub(super) fn contested(place: &str) -> StoreError {
    StoreError::Failed {
        place: place.to_owned(),
        reason: "a conversation was claimed for different callers more than 255 times: commit it for one of them"
            .to_owned(),
        effect: Effect::Rejected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_read_as_it_was_written() {
        let claim = Claim { slot: Slot::new(4095).unwrap(), generation: 7, ends: true, expires: 3600 };
        assert_eq!(Claim::read(&claim.register()), Some(claim));
        // These bytes never change.
        assert_eq!(claim.register().value, [1, 0x0f, 0xff, 7, 1]);
        for value in [vec![], vec![2, 0, 0, 0, 0], vec![1, 0x10, 0, 0, 0], vec![1, 0, 0, 0, 0, 0]] {
            assert_eq!(Claim::read(&Register { value, expires: Some(1) }), None);
        }
        let key = ConversationKey([9; 32]);
        assert_eq!(Claim::conversation(&Claim::key(&key)), Some(key));
    }

    #[test]
    fn a_mark_leads_to_its_conversation() {
        let key = ConversationKey([9; 32]);
        for generation in 0..=u8::MAX {
            let mark = of_generation(key, generation);
            assert_eq!(mark == key, generation == 0);
            assert_eq!(of_generation(mark, generation), key);
            let report = Sealed(vec![1, 2]);
            assert_eq!(unwrap(wrap(report.clone(), generation)), (generation, report));
        }
    }
}
