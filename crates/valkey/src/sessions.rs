//! Running conversations.

use agent_memory_store::{ConversationKey, Effect, Replaces, SavedSession, StoreError, StoredSession, Timestamp};
use redis::Value;

use crate::{
    ValkeyStore,
    bytes::{self, Damaged, Decoded, Pointer},
    names::{bucket_of_conversation, key, ttl},
    reply,
};

/// How often it is looked anew whether a session has ended, when its pointer changes meanwhile.
const TRIES: usize = 64;

/// How much is in a bucket.
pub(crate) struct Summary {
    /// Callers, whether or not anything is held on them.
    pub(crate) callers: u64,
    /// Interactions with rows, expired or not.
    pub(crate) interactions: u64,
    /// Sessions that have neither expired nor ended.
    pub(crate) sessions: u64,
}

impl ValkeyStore {
    pub(crate) async fn put_session(
        &self,
        session: SavedSession,
        replaces: Replaces,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let conversation = session.conversation;
        let base = self.names.bucket(bucket_of_conversation(&conversation));
        let value = bytes::session_value(&session);
        let lives = ttl(session.expires, now).to_string();
        let time = now.to_be_bytes();
        let replaced: &[u8] = match &replaces {
            Replaces::Anything => b"anything",
            Replaces::Nothing => b"nothing",
            Replaces::Revision(revision) => &revision.0,
        };
        let mut seen = Vec::new();
        let mut ended: &[u8] = b"0";
        for _ in 0..TRIES {
            let arguments: [&[u8]; 8] =
                [&time, &conversation.0, &value, lives.as_bytes(), replaced, &seen, ended, self.cluster.touch()];
            let answer = self.cluster.write(&base, "save_session", &arguments).await?;
            let mut answer = self.cluster.sound(reply::byte_list(answer))?.into_iter();
            match answer.next().as_deref() {
                Some(b"saved") => return Ok(true),
                Some(b"refused") => return Ok(false),
                Some(b"look") => {
                    seen = answer.next().unwrap_or_default();
                    let pointer = self.cluster.sound(bytes::pointer(&seen))?;
                    ended = if self.has_ended(pointer, conversation, now).await? { b"1" } else { b"0" };
                }
                _ => return self.cluster.sound(Err(Damaged("the library has answered something unknown"))),
            }
        }
        Err(StoreError::Failed {
            place: self.cluster.place().to_owned(),
            reason: "too many commits of one conversation at once: try again".to_owned(),
            effect: Effect::Rejected,
        })
    }

    pub(crate) async fn session(
        &self,
        conversation: ConversationKey,
        now: Timestamp,
    ) -> Result<Option<StoredSession>, StoreError> {
        let base = self.names.bucket(bucket_of_conversation(&conversation));
        let mut command = redis::cmd("MGET");
        command.arg(key(&base, "s", &conversation.0)).arg(key(&base, "p", &conversation.0));
        let answer = self.cluster.ask(&base, command).await?;
        let decoded = || -> Decoded<_> {
            let [session, pointer] = reply::fixed(answer)?;
            let session = reply::optional(session)?.map(|value| bytes::session(conversation, &value)).transpose()?;
            let pointer = reply::optional(pointer)?.map(|value| bytes::pointer(&value)).transpose()?;
            Ok((session, pointer))
        };
        let (session, pointer) = self.cluster.sound(decoded())?;
        let Some(saved) = session.filter(|session| session.expires > now) else { return Ok(None) };
        if let Some(pointer) = pointer
            && self.has_ended(pointer, conversation, now).await?
        {
            return Ok(None);
        }
        Ok(Some(StoredSession { revision: saved.revision, session: saved.session }))
    }

    pub(crate) async fn drop_session(&self, conversation: ConversationKey) -> Result<(), StoreError> {
        let base = self.names.bucket(bucket_of_conversation(&conversation));
        self.cluster.write(&base, "delete_session", &[&conversation.0, self.cluster.touch()]).await.map(drop)
    }

    pub(crate) async fn overdue(&self, now: Timestamp, limit: usize) -> Result<Vec<ConversationKey>, StoreError> {
        let mut asked = limit;
        loop {
            let (found, cut) = self.overdue_up_to(now, asked).await?;
            // Some may have ended. Then there may be others behind those that were asked for.
            if found.len() >= limit || !cut {
                return Ok(found.into_iter().take(limit).collect());
            }
            asked = asked.saturating_mul(2);
        }
    }

    /// The overdue conversations among the first ones of each bucket, and whether a bucket may have more.
    async fn overdue_up_to(&self, now: Timestamp, limit: usize) -> Result<(Vec<ConversationKey>, bool), StoreError> {
        // More are in no bucket, and Lua counts them exactly.
        let asked = limit.min(1 << 30).to_string();
        let time = now.to_be_bytes();
        let of_buckets = self.of_all_buckets(move |base| {
            let asked = asked.clone();
            Box::pin(async move {
                let answer = self.cluster.read(&base, "overdue", &[&time, asked.as_bytes()]).await?;
                self.cluster.sound(reply::byte_list(answer).and_then(overdue))
            })
        });
        let of_buckets = of_buckets.await?;
        let cut = limit > 0 && of_buckets.iter().any(|of_bucket| of_bucket.len() >= limit);
        let mut all: Vec<_> = of_buckets.into_iter().flatten().collect();
        all.sort_unstable_by_key(|(since, conversation, _)| (*since, *conversation));
        all.truncate(limit);
        let mut found = Vec::new();
        for (_, conversation, pointer) in all {
            let ended = match pointer {
                Some(pointer) => self.has_ended(pointer, conversation, now).await?,
                None => false,
            };
            if !ended {
                found.push(conversation);
            }
        }
        Ok((found, cut))
    }

    /// What is in a bucket.
    pub(crate) async fn summary(&self, base: &[u8], now: Timestamp) -> Result<Summary, StoreError> {
        let answer = self.cluster.read(base, "summary", &[&now.to_be_bytes()]).await?;
        let (mut summary, ending) = self.cluster.sound(reply::byte_list(answer).and_then(summary))?;
        for (conversation, pointer) in ending {
            summary.sessions -= u64::from(self.has_ended(pointer, conversation, now).await?);
        }
        Ok(summary)
    }

    /// Whether the session of a conversation has ended with a commit, and is only not deleted yet.
    pub(crate) async fn ended_with_commit(
        &self,
        base: &[u8],
        conversation: ConversationKey,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        match self.value(base, "p", &conversation.0).await? {
            Some(pointer) => {
                let pointer = self.cluster.sound(bytes::pointer(&pointer))?;
                self.has_ended(pointer, conversation, now).await
            }
            None => Ok(false),
        }
    }

    /// Whether a session has ended with a commit, and is only not deleted yet.
    async fn has_ended(
        &self,
        pointer: Pointer,
        conversation: ConversationKey,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(pointer.ends_session && self.mark_in(pointer.bucket, conversation, now).await?.is_some())
    }
}

type Overdue = (Timestamp, ConversationKey, Option<Pointer>);

/// What is in a bucket, with the sessions among it that may have ended.
fn summary(parts: Vec<Vec<u8>>) -> Decoded<(Summary, Vec<(ConversationKey, Pointer)>)> {
    let mut parts = parts.into_iter();
    let mut count = || reply::count(&Value::BulkString(parts.next().unwrap_or_default()));
    let summary = Summary { callers: count()?, interactions: count()?, sessions: count()? };
    let mut ending = Vec::new();
    while let (Some(conversation), Some(pointer)) = (parts.next(), parts.next()) {
        ending.push((ConversationKey(bytes::key32(&conversation)?), bytes::pointer(&pointer)?));
    }
    Ok((summary, ending))
}

fn overdue(parts: Vec<Vec<u8>>) -> Decoded<Vec<Overdue>> {
    let mut parts = parts.into_iter();
    let mut found = Vec::new();
    while let (Some(conversation), Some(since), Some(pointer)) = (parts.next(), parts.next(), parts.next()) {
        let since = bytes::times(&since)?.first().copied().ok_or(Damaged("a session has no time"))?;
        let pointer = if pointer.is_empty() { None } else { Some(bytes::pointer(&pointer)?) };
        found.push((since, ConversationKey(bytes::key32(&conversation)?), pointer));
    }
    Ok(found)
}
