//! Reads what leaves a shard when slots are moved.

use std::collections::{BTreeMap, HashMap};

use super::{
    Member,
    claim::{Claim, is_nobody},
    map::Slot,
    moving::Transition,
    opening::is_claim,
    transfer::claim_of_mark,
};
use crate::{Cursor, InteractionId, Kept, KeptCaller, KeptKey, KeptMark, Register, RegisterKey, StoreError, Tally};

/// How many registers are read at once.
const REGISTERS: usize = 1024;

/// Something that is moved.
pub(super) enum Thing {
    Kept(Kept),
    Register(RegisterKey, Register),
}

/// Reads, part after part, what a shard has of all that leaves one of them.
pub(super) struct Leaving<'a> {
    transition: &'a Transition<'a>,
    /// The shard that is read: the one that is left, or one that it goes to.
    on: &'a Member,
    /// The one that is left.
    from: &'a str,
    place: Place,
    /// The interactions of the callers that have been read, which lead to their metric rows.
    interactions: HashMap<InteractionId, Slot>,
}

enum Place {
    Kept(Option<Cursor>),
    Registers(Option<RegisterKey>),
    End,
}

/// What leaves a shard: by the position of where it goes.
pub(super) type Parcels = BTreeMap<usize, Vec<Thing>>;

impl<'a> Leaving<'a> {
    /// Begins to read what a shard has of all that leaves one of them.
    pub(super) fn new(transition: &'a Transition<'a>, on: &'a Member, from: &'a str) -> Self {
        Self { transition, on, from, place: Place::Kept(None), interactions: HashMap::new() }
    }

    /// The next part. It may be empty, also if there is more to come.
    pub(super) async fn next(&mut self) -> Result<Option<Parcels>, StoreError> {
        let mut parcels = Parcels::new();
        match std::mem::replace(&mut self.place, Place::End) {
            Place::Kept(after) => {
                let part = self.on.ask(self.on.store.dump(after)).await?;
                self.place = part.next.map_or(Place::Registers(None), |next| Place::Kept(Some(next)));
                for kept in part.kept {
                    let slot = self.slot(&kept).await?;
                    self.put(&mut parcels, slot, Thing::Kept(kept));
                }
            }
            Place::Registers(after) => {
                let registers = self.on.ask(self.on.store.registers(after, REGISTERS)).await?;
                if let Some((last, _)) = registers.last()
                    && registers.len() == REGISTERS
                {
                    self.place = Place::Registers(Some(last.clone()));
                }
                for (key, register) in registers.into_iter().filter(|(key, _)| is_claim(key)) {
                    let slot = Claim::conversation(&key).as_ref().map(Slot::of_conversation);
                    self.put(&mut parcels, slot, Thing::Register(key, register));
                }
            }
            Place::End => return Ok(None),
        }
        Ok(Some(parcels))
    }

    fn put(&self, parcels: &mut Parcels, slot: Option<Slot>, thing: Thing) {
        if let Some(position) = slot.and_then(|slot| self.transition.destination(slot, self.from)) {
            parcels.entry(position).or_default().push(thing);
        }
    }

    /// The slot that a thing goes with. None: it stays, because there is one of it only, or it is of use no more.
    async fn slot(&mut self, kept: &Kept) -> Result<Option<Slot>, StoreError> {
        Ok(match kept {
            Kept::Caller(KeptCaller { identity, interaction, former, .. }) => {
                let slot = Slot::of_caller(identity);
                if self.transition.destination(slot, self.from).is_some() {
                    let standing = interaction.iter().map(|interaction| interaction.id);
                    self.interactions.extend(standing.chain(former.iter().map(|(id, _)| *id)).map(|id| (id, slot)));
                }
                Some(slot)
            }
            // Whom a fence was in the way of has been stopped.
            Kept::Mark(KeptMark { recorded: Some((identity, _)), .. }) => {
                Some(Slot::of_caller(identity)).filter(|_| !is_nobody(identity))
            }
            Kept::Mark(KeptMark { conversation, recorded: None, .. }) => {
                let claim = claim_of_mark(*conversation, |conversation| self.transition.homes(conversation)).await?;
                claim.map(|(_, claim)| claim.slot)
            }
            Kept::Row(row) => self.interactions.get(&row.interaction).copied(),
            Kept::Session(session) => Some(Slot::of_conversation(&session.conversation)),
            _ => None,
        })
    }
}

impl Thing {
    pub(super) fn count(&self, tally: &mut Tally) {
        match self {
            Self::Kept(kept) => tally.add(kept),
            Self::Register(key, register) => tally.add_as("registers", &(key, register)),
        }
    }

    pub(super) fn into_key(self) -> Option<KeptKey> {
        Some(match self {
            Self::Kept(Kept::Caller(caller)) => KeptKey::Caller(caller.identity),
            Self::Kept(Kept::Mark(mark)) => KeptKey::Mark(mark.conversation),
            Self::Kept(Kept::Row(row)) => KeptKey::Row(row.interaction, row.id),
            Self::Kept(Kept::Session(session)) => KeptKey::Session(session.conversation),
            Self::Kept(_) => return None,
            Self::Register(key, _) => KeptKey::Register(key),
        })
    }
}
