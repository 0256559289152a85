//! Moves slots from one shard to another, while nobody uses them.
//!
//! Each shard remembers that it takes part, so that nobody can open it meanwhile, and how far it has come, so that a
//! move that was broken off goes on. Nothing is deleted before all of it has been found where it belongs.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Member, ShardMap,
    leaving::{Leaving, Thing},
    map::{SLOTS, Slot},
    opening::{Belongs, members, other_map},
};
use crate::{ConversationKey, Kept, KeptKey, Shard, StoreError, Tally};

/// How much was moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// How many things were copied.
    pub copied: u64,
    /// How many were found where they belong.
    pub verified: u64,
    /// How many were deleted where they were.
    pub removed: u64,
}

/// Why not everything was moved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MoveError {
    /// A shard failed, or does not go with the maps.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The maps do not go together.
    #[error("the maps do not go together: {reason}")]
    Maps {
        /// Why not, and what to do.
        reason: String,
    },
    /// What has arrived is not what was sent.
    #[error(
        "what was copied from shard {from:?} to {to:?} differs in {}: nothing was deleted; stop what writes to either \
        of them, and start the move again",
        kinds.join(", ")
    )]
    Different {
        /// The shard that has it.
        from: String,
        /// The shard that was to get it.
        to: String,
        /// The kinds of things that differ.
        kinds: Vec<&'static str>,
    },
}

/// Moves what the new map has elsewhere than the old one. The stores are those of the new map, in its order. Everything
/// that uses any of them has to be stopped before. `progress` is told after every part how far it has come.
///
/// A move that was broken off is repeated with the same maps. What has arrived already is replaced by itself. Whoever
/// opens the shards before it has ended is refused.
///
/// The new map has all shards of the old one; one that is to go has no slots in it, and is left out of a later one. The
/// directory stays.
///
/// # Errors
/// If a shard fails, belongs to another map, the maps do not go together, or something else has arrived than was sent.
pub async fn move_slots(
    old: &ShardMap,
    new: &ShardMap,
    stores: Vec<Arc<dyn Shard>>,
    mut progress: impl FnMut(&Moved),
) -> Result<Moved, MoveError> {
    check(old, new)?;
    let members = members(new, stores)?;
    let mut moved = Moved::default();
    if old.digest() == new.digest() {
        return Ok(moved);
    }
    let transition = Transition { old, new, members: &members };
    let is_done = transition.begin().await?;
    if !is_done {
        for member in transition.sources() {
            if member.belongs().await? == Some(transition.moving(member, false)) {
                let expected = transition.copy(member, &mut moved, &mut progress).await?;
                transition.verify(member, &expected, &mut moved, &mut progress).await?;
                transition.advance(member, &transition.moving(member, false), &transition.moving(member, true)).await?;
            }
        }
        for member in transition.sources() {
            transition.remove(member, &mut moved, &mut progress).await?;
        }
    }
    transition.end().await?;
    Ok(moved)
}

/// From one map to another.
pub(super) struct Transition<'a> {
    old: &'a ShardMap,
    new: &'a ShardMap,
    members: &'a [Member],
}

impl Transition<'_> {
    /// Makes all shards remember that slots are being moved. Answers whether all of it was done before, but for making
    /// them forget that.
    async fn begin(&self) -> Result<bool, MoveError> {
        let mut found = Vec::new();
        for member in self.members {
            found.push(member.belongs().await?);
        }
        let is_done = self.members.iter().zip(&found).any(|(member, found)| *found == Some(self.settled(member)));
        for (member, found) in self.members.iter().zip(found) {
            let was = self.old.shards().iter().any(|shard| *shard.name == *member.name);
            let before = Belongs::Settled { name: member.name.to_string(), map: self.old.digest() };
            let moving = self.moving(member, false);
            match found {
                Some(found) if found == self.settled(member) => {}
                Some(found) if found == moving || found == self.moving(member, true) => {}
                Some(found) if was && !is_done && found == before => self.advance(member, &before, &moving).await?,
                None if !was && !is_done && member.is_empty().await? => {
                    if member.remember(None, &moving).await? != Some(moving) {
                        return Err(in_use(member).into());
                    }
                }
                None if !was => return Err(other_map(&member.name, "it has been in use: name an empty store").into()),
                _ => return Err(other_map(&member.name, "it does not belong to the old map: name that one").into()),
            }
        }
        Ok(is_done)
    }

    /// Makes all shards belong to the new map.
    async fn end(&self) -> Result<(), MoveError> {
        for member in self.members {
            match member.belongs().await? {
                Some(found) if found == self.settled(member) => {}
                Some(found) => self.advance(member, &found, &self.settled(member)).await?,
                None => return Err(in_use(member).into()),
            }
        }
        Ok(())
    }

    async fn advance(&self, member: &Member, from: &Belongs, to: &Belongs) -> Result<(), MoveError> {
        match member.remember(Some(from), to).await? {
            Some(found) if found == *to => Ok(()),
            _ => Err(in_use(member).into()),
        }
    }

    fn settled(&self, member: &Member) -> Belongs {
        Belongs::Settled { name: member.name.to_string(), map: self.new.digest() }
    }

    fn moving(&self, member: &Member, is_copied: bool) -> Belongs {
        Belongs::Moving { name: member.name.to_string(), old: self.old.digest(), new: self.new.digest(), is_copied }
    }

    /// The shards that slots leave.
    fn sources(&self) -> impl Iterator<Item = &Member> {
        let leave = |member: &&Member| {
            let mut slots = (0..SLOTS).filter_map(Slot::new);
            slots.any(|slot| self.destination(slot, &member.name).is_some())
        };
        self.members.iter().filter(leave)
    }

    /// Where a slot goes that a shard has by the old map. None: it does not have it, or keeps it.
    pub(super) fn destination(&self, slot: Slot, from: &str) -> Option<usize> {
        let leaves = self.old.owner_name(slot) == from && self.new.owner_name(slot) != from;
        leaves.then(|| self.new.owner(slot))
    }

    /// Where a conversation's claim may be: where it was, and where it belongs.
    pub(super) fn homes(&self, conversation: &ConversationKey) -> Vec<&Member> {
        let slot = Slot::of_conversation(conversation);
        let before = self.members.iter().find(|member| *member.name == *self.old.owner_name(slot));
        before.into_iter().chain(self.members.get(self.new.owner(slot))).collect()
    }

    /// Copies what leaves a shard. Answers what that was, by where it has gone.
    async fn copy(
        &self,
        from: &Member,
        moved: &mut Moved,
        progress: &mut impl FnMut(&Moved),
    ) -> Result<BTreeMap<usize, Tally>, MoveError> {
        let mut tallies: BTreeMap<usize, Tally> = BTreeMap::new();
        let mut leaving = Leaving::new(self, from, &from.name);
        while let Some(parcels) = leaving.next().await? {
            for (position, things) in parcels {
                let Some(to) = self.members.get(position) else { continue };
                let tally = tallies.entry(position).or_default();
                let (mut kept, mut registers) = (Vec::new(), Vec::new());
                for thing in things {
                    thing.count(tally);
                    moved.copied += 1;
                    match thing {
                        Thing::Kept(thing) => kept.push(thing),
                        Thing::Register(key, register) => registers.push((key, register)),
                    }
                }
                if !kept.is_empty() {
                    to.ask(to.store.restore(kept)).await?;
                }
                if !registers.is_empty() {
                    to.ask(to.store.put_registers(registers)).await?;
                }
            }
            progress(moved);
        }
        Ok(tallies)
    }

    /// Makes sure that what has left a shard has arrived, and nothing else.
    async fn verify(
        &self,
        from: &Member,
        expected: &BTreeMap<usize, Tally>,
        moved: &mut Moved,
        progress: &mut impl FnMut(&Moved),
    ) -> Result<(), MoveError> {
        for (position, to) in self.members.iter().enumerate().filter(|(_, to)| to.name != from.name) {
            let mut found = Tally::default();
            let mut leaving = Leaving::new(self, to, &from.name);
            while let Some(parcels) = leaving.next().await? {
                for thing in parcels.into_iter().filter(|(goes, _)| *goes == position).flat_map(|(_, things)| things) {
                    thing.count(&mut found);
                    moved.verified += 1;
                }
                progress(moved);
            }
            let nothing = Tally::default();
            let kinds = expected.get(&position).unwrap_or(&nothing).differences(&found);
            if !kinds.is_empty() {
                return Err(MoveError::Different { from: from.name.to_string(), to: to.name.to_string(), kinds });
            }
        }
        Ok(())
    }

    /// Deletes what has left a shard: callers last, because they lead to the rest.
    async fn remove(
        &self,
        from: &Member,
        moved: &mut Moved,
        progress: &mut impl FnMut(&Moved),
    ) -> Result<(), MoveError> {
        for callers in [false, true] {
            let mut leaving = Leaving::new(self, from, &from.name);
            while let Some(parcels) = leaving.next().await? {
                let things = parcels.into_values().flatten();
                let keys: Vec<KeptKey> = things
                    .filter(|thing| matches!(thing, Thing::Kept(Kept::Caller(_))) == callers)
                    .filter_map(Thing::into_key)
                    .collect();
                if !keys.is_empty() {
                    moved.removed += keys.len() as u64;
                    from.ask(from.store.remove(keys)).await?;
                }
                progress(moved);
            }
        }
        Ok(())
    }
}

/// Whether one map can follow another.
fn check(old: &ShardMap, new: &ShardMap) -> Result<(), MoveError> {
    let refused = |reason: String| Err(MoveError::Maps { reason });
    let name = |map: &ShardMap| map.shards().first().map(|shard| shard.name.clone()).unwrap_or_default();
    let (before, after) = (name(old), name(new));
    if before != after {
        return refused(format!("the first shard has to stay the first, and is {before:?} in the old map"));
    }
    for shard in old.shards() {
        if !new.shards().iter().any(|other| other.name == shard.name) {
            let name = &shard.name;
            return refused(format!("shard {name:?} is not in the new one: leave it in, with \"slots\": \"\""));
        }
    }
    Ok(())
}

fn in_use(member: &Member) -> StoreError {
    other_map(&member.name, "somebody else moves its slots at the same time: let one of them do it")
}
