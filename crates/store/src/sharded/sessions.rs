//! Sessions, which are on the conversation's shard. One whose commit on another shard has ended it counts as gone.

use async_trait::async_trait;
use futures::future::try_join;

use super::{Member, ShardedStore, claim::Claim, spread::few_at_once};
use crate::{ConversationKey, Replaces, SavedSession, Sessions, StoreError, StoredSession, Timestamp};

#[async_trait]
impl Sessions for ShardedStore {
    async fn save_session(
        &self,
        session: SavedSession,
        replaces: Replaces,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let conversation = session.conversation;
        let home = self.of_conversation(&conversation);
        loop {
            let save = home.ask(home.store.save_session(session.clone(), replaces, now));
            let (saved, claim) = try_join(save, home.claim(&conversation)).await?;
            let Some(claim) = claim else { return Ok(saved) };
            if claim.ends {
                if !self.is_gone(claim, conversation, now).await? {
                    return Ok(saved);
                }
                // What was there, or was saved in its place, is deleted first.
                home.tidy_session(&conversation, claim).await?;
                continue;
            }
            // Somebody may have deleted it just now, and what was saved in its place with it.
            if saved && session.expires > now {
                let there = home.ask(home.store.load_session(conversation, now)).await?;
                if there.is_some() {
                    return Ok(true);
                }
            } else if saved {
                return Ok(true);
            }
            return home.ask(home.store.save_session(session, replaces, now)).await;
        }
    }

    async fn load_session(
        &self,
        conversation: ConversationKey,
        now: Timestamp,
    ) -> Result<Option<StoredSession>, StoreError> {
        let home = self.of_conversation(&conversation);
        let load = || home.ask(home.store.load_session(conversation, now));
        match try_join(load(), home.claim(&conversation)).await? {
            (Some(_), Some(claim)) if self.is_gone(claim, conversation, now).await? => Ok(None),
            // It may have been deleted after it was read, and before the claim was.
            (Some(_), Some(claim)) if !claim.ends => load().await,
            (session, _) => Ok(session),
        }
    }

    async fn delete_session(&self, conversation: ConversationKey) -> Result<(), StoreError> {
        let home = self.of_conversation(&conversation);
        home.ask(home.store.delete_session(conversation)).await
    }

    async fn overdue_sessions(&self, now: Timestamp, limit: usize) -> Result<Vec<ConversationKey>, StoreError> {
        let overdue = self.of_all(|member| self.overdue_of(member, now, limit)).await?;
        let mut overdue: Vec<(Timestamp, ConversationKey)> = overdue.into_iter().flatten().collect();
        overdue.sort();
        Ok(overdue.into_iter().map(|(_, conversation)| conversation).take(limit).collect())
    }
}

impl ShardedStore {
    /// Whether a commit has ended the session.
    pub(super) async fn is_gone(
        &self,
        claim: Claim,
        conversation: ConversationKey,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(claim.ends && self.ended_under(Some(claim), conversation, now).await?.is_some())
    }

    /// Those of one shard. What has ended is deleted on the way: otherwise it would be found again and again.
    async fn overdue_of(
        &self,
        home: &Member,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Timestamp, ConversationKey)>, StoreError> {
        loop {
            let overdue = home.ask(home.store.overdue_since(now, limit)).await?;
            let tidied = few_at_once(overdue.clone().into_iter().map(async |(_, conversation)| {
                match self.tidy_if_gone(home, conversation, now).await {
                    // Whoever asks for that session is told, and the others are to be found all the same.
                    Err(error) if error.is_damaged() => Ok(false),
                    tidied => tidied,
                }
            }));
            if !tidied.await?.contains(&true) {
                return Ok(overdue);
            }
        }
    }

    /// Deletes a session that a commit has ended. Answers whether it was one.
    async fn tidy_if_gone(
        &self,
        home: &Member,
        conversation: ConversationKey,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(claim) = home.claim(&conversation).await? else { return Ok(false) };
        let is_gone = self.is_gone(claim, conversation, now).await?;
        if is_gone {
            home.tidy_session(&conversation, claim).await?;
        }
        Ok(is_gone)
    }
}
