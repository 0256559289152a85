//! Everything out of the shards as if they were one store, and into them.
//!
//! Claims are no part of a dump: they are made anew from the marks. So what is dumped here can be restored into any
//! store, and the other way round.

use std::sync::PoisonError;

use async_trait::async_trait;
use futures::future::try_join_all;

use super::{
    Member, ShardedStore,
    claim::{Claim, is_nobody, of_generation, unwrap, wrap},
    map::Slot,
    spread::few_at_once,
};
use crate::{ConversationKey, Cursor, Dump, Effect, Kept, KeptKey, KeptMark, KeptRow, StoreError, Timestamp, Transfer};

#[async_trait]
impl Transfer for ShardedStore {
    /// One shard after the other, the directory first.
    async fn dump(&self, after: Option<Cursor>) -> Result<Dump, StoreError> {
        let (position, inner) = match after {
            None => (0, None),
            Some(cursor) => read_cursor(cursor).ok_or_else(|| foreign_cursor(&self.directory.name))?,
        };
        let Some(member) = self.members.get(usize::from(position)) else {
            return Err(foreign_cursor(&self.directory.name));
        };
        let part = member.ask(member.store.dump(inner)).await?;
        let kept = few_at_once(part.kept.into_iter().map(|kept| self.dumped(position, kept))).await?;
        let next = match part.next {
            Some(inner) => Some((position, inner.0)),
            None => Some((position + 1, Vec::new())).filter(|(next, _)| usize::from(*next) < self.members.len()),
        };
        Ok(Dump { kept: kept.into_iter().flatten().collect(), next: next.map(cursor) })
    }

    /// A metric row does not say whose it is, and has to be where its caller is. So callers are restored before their
    /// metric rows, in the order of a dump, and with the same `ShardedStore`.
    async fn restore(&self, kept: Vec<Kept>) -> Result<(), StoreError> {
        let placed = few_at_once(kept.into_iter().map(|kept| self.restored(kept))).await?;
        let mut of_all: Vec<Vec<Kept>> = self.members.iter().map(|_| Vec::new()).collect();
        for (slot, kept) in placed.into_iter().flatten() {
            let position = slot.map_or(0, |slot| self.map.owner(slot));
            if let Some(of_one) = of_all.get_mut(position) {
                of_one.push(kept);
            }
        }
        let members = self.members.iter().zip(of_all).filter(|(_, of_one)| !of_one.is_empty());
        try_join_all(members.map(|(member, of_one)| member.ask(member.store.restore(of_one)))).await?;
        Ok(())
    }

    async fn integrity(&self) -> Result<Vec<String>, StoreError> {
        let asked = self.members.iter().map(async |member| {
            let found = member.ask(member.store.integrity()).await?;
            Ok(found.into_iter().map(|what| format!("shard {:?}: {what}", member.name)).collect::<Vec<_>>())
        });
        Ok(try_join_all(asked).await?.concat())
    }
}

impl ShardedStore {
    /// A thing on a shard as a single store would keep it. None: a single store would not.
    async fn dumped(&self, position: u16, kept: Kept) -> Result<Option<Kept>, StoreError> {
        match kept {
            Kept::Totals { erasures, keys, swept } if position == 0 => {
                let mut swept = swept;
                for member in self.members.iter().skip(1) {
                    swept = swept.min(swept_of(member).await?);
                }
                Ok(Some(Kept::Totals { erasures, keys, swept }))
            }
            Kept::Totals { .. } => Ok(None),
            Kept::Mark(KeptMark { recorded: Some((identity, _)), .. }) if is_nobody(&identity) => Ok(None),
            Kept::Mark(KeptMark { conversation, expires, recorded: Some((identity, mut record)) }) => {
                let (generation, report) = unwrap(record.report);
                record.report = report;
                let conversation = of_generation(conversation, generation);
                Ok(Some(Kept::Mark(KeptMark { conversation, expires, recorded: Some((identity, record)) })))
            }
            Kept::Mark(KeptMark { conversation, expires, recorded: None }) => {
                let claim =
                    claim_of_mark(conversation, |conversation| vec![self.of_conversation(conversation)]).await?;
                let conversation = claim.map_or(conversation, |(conversation, _)| conversation);
                Ok(Some(Kept::Mark(KeptMark { conversation, expires, recorded: None })))
            }
            Kept::Session(session) => {
                let claim = self.of_conversation(&session.conversation).claim(&session.conversation).await?;
                let is_gone = match claim {
                    Some(claim) => self.is_gone(claim, session.conversation, Timestamp::MIN).await?,
                    None => false,
                };
                Ok(Some(Kept::Session(session)).filter(|_| !is_gone))
            }
            other => Ok(Some(other)),
        }
    }

    /// Where a thing belongs, and how it is kept there. Without a slot it belongs to the directory.
    async fn restored(&self, kept: Kept) -> Result<Vec<(Option<Slot>, Kept)>, StoreError> {
        match kept {
            Kept::Totals { erasures, keys, swept } => {
                // All of them were swept then.
                let swept_alone = Kept::Totals { erasures: 0, keys: None, swept };
                let others = self.members.iter().skip(1);
                try_join_all(others.map(|member| member.ask(member.store.restore(vec![swept_alone.clone()])))).await?;
                Ok(vec![(None, Kept::Totals { erasures, keys, swept })])
            }
            Kept::Caller(caller) => {
                let slot = Slot::of_caller(&caller.identity);
                let standing = caller.interaction.iter().map(|interaction| interaction.id);
                let interactions = standing.chain(caller.former.iter().map(|(id, _)| *id)).map(|id| (id, slot));
                self.restored.lock().unwrap_or_else(PoisonError::into_inner).extend(interactions);
                Ok(vec![(Some(slot), Kept::Caller(caller))])
            }
            Kept::Mark(mark) => {
                let (claim, mark) = self.restored_mark(mark).await?;
                Ok(vec![(Some(claim.slot), Kept::Mark(mark))])
            }
            Kept::Row(row) => Ok(vec![(Some(self.slot_of_row(&row)?), Kept::Row(row))]),
            Kept::Session(session) => {
                Ok(vec![(Some(Slot::of_conversation(&session.conversation)), Kept::Session(session))])
            }
            other => Ok(vec![(None, other)]),
        }
    }

    /// Claims a conversation for the mark that is restored, in place of one that is there.
    async fn restored_mark(&self, mark: KeptMark) -> Result<(Claim, KeptMark), StoreError> {
        let KeptMark { conversation, expires, mut recorded } = mark;
        let home = self.of_conversation(&conversation);
        // Nobody knows any more whose an empty mark was: it may stand anywhere.
        let slot = recorded.as_ref().map(|(identity, _)| Slot::of_caller(identity));
        let unclaimed = slot.unwrap_or_else(|| Slot::of_conversation(&conversation));
        let first = Claim { slot: unclaimed, generation: 0, ends: false, expires };
        let mut standing = home.replace_claim(&conversation, None, first, false).await?;
        let claim = loop {
            let Some(found) = standing else {
                standing = home.replace_claim(&conversation, None, first, false).await?;
                continue;
            };
            let ours = Claim { slot: slot.unwrap_or(found.slot), ..found.with(false, expires) };
            if ours == found {
                break found;
            }
            if ours.slot != found.slot {
                let member = self.member(found.slot);
                let key = KeptKey::Mark(found.mark_key(conversation));
                member.ask(member.store.remove(vec![key])).await?;
            }
            standing = home.replace_claim(&conversation, Some(found), ours, false).await?;
        };
        if let Some((_, record)) = &mut recorded {
            record.report = wrap(record.report.clone(), claim.generation);
        }
        Ok((claim, KeptMark { conversation: claim.mark_key(conversation), expires, recorded }))
    }

    fn slot_of_row(&self, row: &KeptRow) -> Result<Slot, StoreError> {
        let restored = self.restored.lock().unwrap_or_else(PoisonError::into_inner);
        restored.get(&row.interaction).copied().ok_or_else(|| StoreError::Failed {
            place: self.directory.name.to_string(),
            reason: "a metric row was restored before its caller: restore everything from the beginning".to_owned(),
            effect: Effect::Rejected,
        })
    }
}

/// The conversation of an empty mark on a shard, and its claim. `homes` tells which shards may have a conversation's
/// claim. None: there is none.
pub(super) async fn claim_of_mark<'a>(
    mark: ConversationKey,
    homes: impl Fn(&ConversationKey) -> Vec<&'a Member>,
) -> Result<Option<(ConversationKey, Claim)>, StoreError> {
    let find = async |generation| {
        let conversation = of_generation(mark, generation);
        for home in homes(&conversation) {
            if let Some(claim) = home.claim(&conversation).await?
                && claim.generation == generation
            {
                return Ok::<_, StoreError>(Some((conversation, claim)));
            }
        }
        Ok(None)
    };
    // Almost no claim was ever taken over.
    if let Some(found) = find(0).await? {
        return Ok(Some(found));
    }
    Ok(few_at_once((1..=u8::MAX).map(find)).await?.into_iter().flatten().next())
}

/// The hour in which a shard was swept last.
async fn swept_of(member: &Member) -> Result<Option<Timestamp>, StoreError> {
    let part = member.ask(member.store.dump(None)).await?;
    let swept = part.kept.iter().find_map(|kept| match kept {
        Kept::Totals { swept, .. } => Some(*swept),
        _ => None,
    });
    Ok(swept.flatten())
}

fn cursor((position, inner): (u16, Vec<u8>)) -> Cursor {
    // A shard's first part has no cursor of its own.
    Cursor([position.to_be_bytes().as_slice(), &inner].concat())
}

fn read_cursor(cursor: Cursor) -> Option<(u16, Option<Cursor>)> {
    let (position, inner) = cursor.0.split_first_chunk()?;
    Some((u16::from_be_bytes(*position), (!inner.is_empty()).then(|| Cursor(inner.to_vec()))))
}

fn foreign_cursor(place: &str) -> StoreError {
    StoreError::Failed {
        place: place.to_owned(),
        reason: "a part of a dump was asked for that another store has named".to_owned(),
        effect: Effect::Rejected,
    }
}
