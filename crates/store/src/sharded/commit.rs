//! Committing exactly once, whichever caller is named, and erasing.

use std::{ops::ControlFlow, sync::atomic::Ordering};

use super::{
    Member, ShardedStore,
    claim::{Claim, contested, is_fence, unwrap_committed, unwrap_ended, wrap},
    map::Slot,
    unfinished,
};
use crate::{
    Commit, Committed, ConversationKey, Ended, Erased, Erasure, Erasures, Mark, Replacement, StoreError, Timestamp,
};

/// Numbers from here on stand for erasures that have begun and are not counted yet. Every count is below them, so that
/// every conversation began before such an erasure. The largest are below what a signed number of 64 bits holds.
const UNCOUNTED: Erasures = 1 << 62;

impl ShardedStore {
    /// 1. Claims the conversation, on its shard, for the caller's slot.
    /// 2. If it is claimed for another slot: either it is committed there, or a fence keeps it from being, and the
    ///    claim is taken over.
    /// 3. Commits on the caller's shard.
    /// 4. Deletes the session, if it is on another shard. From the moment of the commit on it counted as gone.
    ///
    /// After a crash at any point, or when others are faster, the same steps lead to one commit.
    pub(super) async fn commit_once(&self, commit: Commit) -> Result<Committed, StoreError> {
        let conversation = commit.conversation;
        let slot = Slot::of_caller(&commit.identity);
        let home = self.of_conversation(&conversation);
        let member = self.member(slot);
        // A commit itself can delete the session that is on its shard, under the key that it is given.
        let is_together = self.map.owner(slot) == self.map.owner(Slot::of_conversation(&conversation));
        let is_one = |generation| is_together && generation == 0;
        let ends = |generation| commit.ends_session && !is_one(generation);
        let first = Claim { slot, generation: 0, ends: ends(0), expires: commit.mark.expires };

        let mut standing = home.replace_claim(&conversation, None, first, false).await?;
        loop {
            let Some(found) = standing else {
                // A sweep was faster.
                standing = home.replace_claim(&conversation, None, first, false).await?;
                continue;
            };
            let ours = if found.slot == slot {
                found.with(ends(found.generation), commit.mark.expires)
            } else {
                match self.take_over(found, &commit, slot).await? {
                    ControlFlow::Continue(taken_over) => {
                        taken_over.with(ends(taken_over.generation), commit.mark.expires)
                    }
                    ControlFlow::Break(ended) => {
                        if commit.ends_session {
                            home.ask(home.store.delete_session(conversation)).await.map_err(unfinished)?;
                        }
                        let _ = home.tidy_session(&conversation, found).await.is_ok();
                        return Ok(Committed::Before(ended));
                    }
                }
            };
            if ours != found {
                standing = home.replace_claim(&conversation, Some(found), ours, false).await?;
                if standing != Some(ours) {
                    continue;
                }
            }

            let claimed = Commit {
                conversation: ours.mark_key(conversation),
                mark: Mark { report: wrap(commit.mark.report.clone(), ours.generation), ..commit.mark },
                ends_session: commit.ends_session && is_one(ours.generation),
                ..commit.clone()
            };
            match member.ask(member.store.commit(claimed)).await? {
                Committed::Before(ended) if is_fence(&ended) => {
                    // Somebody is taking the conversation over. Who is faster goes on in the next generation.
                    let next = ours.taken_over(slot).ok_or_else(|| home.error(contested(&home.name)))?;
                    standing = home.replace_claim(&conversation, Some(ours), next, false).await?;
                }
                committed => {
                    let _ = home.tidy_session(&conversation, ours).await.is_ok();
                    return Ok(unwrap_committed(committed));
                }
            }
        }
    }

    /// What was recorded of a conversation, by its claim.
    pub(super) async fn ended_under(
        &self,
        claim: Option<Claim>,
        conversation: ConversationKey,
        now: Timestamp,
    ) -> Result<Option<Ended>, StoreError> {
        let Some(claim) = claim else { return Ok(None) };
        let key = claim.mark_key(conversation);
        let member = self.member(claim.slot);
        let ended = member.ask(member.store.ended(key, now)).await?;
        Ok(ended.filter(|ended| !is_fence(ended)).map(unwrap_ended))
    }

    /// Erases, so that no conversation that has seen what is erased can commit it again:
    ///
    /// 1. Deletes on the caller's shard, and remembers the erasure under a number that no count reaches.
    /// 2. Counts it on the directory.
    /// 3. Remembers it under that count.
    ///
    /// A conversation that reads the new count can only have read the caller after the first step. A crash in between
    /// leaves commits refused, until the erasure is repeated or is to be forgotten. Of two erasures at once the one that
    /// is later in the first step stands for both, and it alone takes the third: hence every one has another number.
    pub(super) async fn erase_once(&self, erasure: Erasure) -> Result<Erased, StoreError> {
        let member = self.of_caller(&erasure.identity);
        let (identity, key) = (erasure.identity, erasure.key.clone());
        let uncounted = UNCOUNTED | (uuid::Uuid::new_v4().as_u64_pair().1 & (UNCOUNTED - 1));
        let erased = member.ask(member.store.erase_as(erasure, uncounted)).await?;
        let counted = self.directory.ask(self.directory.store.count_erasure()).await.map_err(unfinished)?;
        member.ask(member.store.renumber_erasure(identity, key, uncounted, counted)).await.map_err(unfinished)?;
        self.erasures.fetch_max(counted, Ordering::SeqCst);
        Ok(erased)
    }

    /// Makes sure that a conversation cannot be committed under another slot's claim any more, unless it is already.
    /// Answers with the claim that may take that one's place.
    async fn take_over(
        &self,
        found: Claim,
        commit: &Commit,
        slot: Slot,
    ) -> Result<ControlFlow<Ended, Claim>, StoreError> {
        let member = self.member(found.slot);
        let Some(taken_over) = found.taken_over(slot) else {
            let ended = self.ended_under(Some(found), commit.conversation, commit.now).await?;
            let home = self.of_conversation(&commit.conversation);
            return ended.map(ControlFlow::Break).ok_or_else(|| home.error(contested(&home.name)));
        };
        let fence = found.fence(commit.conversation, commit.mark.expires);
        let standing = member.ask(member.store.mark_unless(fence, commit.now)).await?;
        Ok(match standing.filter(|ended| !is_fence(ended)) {
            Some(ended) => ControlFlow::Break(unwrap_ended(ended)),
            None => ControlFlow::Continue(taken_over),
        })
    }
}

impl Member {
    /// Replaces a conversation's claim, and deletes its session with it if that is asked for. Answers what stands then.
    pub(super) async fn replace_claim(
        &self,
        conversation: &ConversationKey,
        from: Option<Claim>,
        to: Claim,
        ends_session: bool,
    ) -> Result<Option<Claim>, StoreError> {
        let replacement = Replacement {
            key: Claim::key(conversation),
            from: from.map(Claim::register),
            to: to.register(),
            ends: ends_session.then_some(*conversation),
        };
        let standing = self.ask(self.store.replace_register(replacement)).await?;
        self.read_claim(standing)
    }

    /// Deletes the session of a conversation that is committed. It counts as gone already: if this fails nobody sees
    /// it, and whoever comes across it later does it.
    pub(super) async fn tidy_session(&self, conversation: &ConversationKey, claim: Claim) -> Result<(), StoreError> {
        if claim.ends {
            let to = Claim { ends: false, ..claim };
            self.replace_claim(conversation, Some(claim), to, true).await?;
        }
        Ok(())
    }
}
