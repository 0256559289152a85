//! Commits: exactly once for a conversation, though two slots have to do with it.

use std::{collections::BTreeMap, time::Duration};

use agent_memory_store::{Commit, Committed, Effect, Ended, ErasedSince, Settled, StoreError, Timestamp};
use redis::Value;
use uuid::Uuid;

use crate::{
    ValkeyStore,
    bytes::{self, Damaged, Decoded, Pointer},
    callers::ended,
    names::{bucket_of_caller, bucket_of_conversation, key, score, ttl},
    reply,
};

/// How often it is tried to settle who commits a conversation. Each time, somebody has moved its pointer meanwhile.
const TRIES: usize = 64;

/// How many seconds longer than a mark the pointer to it lives, so that clocks of servers may differ.
const POINTER_OUTLIVES: i64 = 24 * 3600;

/// When the pointer to a mark is swept that a server does not delete by itself, as a score.
pub(crate) fn pointer_due(mark_expires: Timestamp) -> String {
    score(mark_expires.saturating_add(POINTER_OUTLIVES))
}

/// What came of an attempt.
enum Attempt {
    Done(Committed),
    /// Nothing can be committed there up to this epoch.
    Fenced(u32),
}

impl ValkeyStore {
    /// `docs/valkey.md` says why this happens exactly once.
    pub(crate) async fn commit_once(&self, commit: Commit) -> Result<Committed, StoreError> {
        let conversation = commit.conversation;
        let at_conversation = self.names.bucket(bucket_of_conversation(&conversation));
        let bucket = bucket_of_caller(&commit.identity);
        let at_caller = self.names.bucket(bucket);
        let lives = ttl(commit.mark.expires, commit.now);
        let mut request = Request::new(&commit, lives, self.cluster.touch());
        let mut seen = None;

        for _ in 0..TRIES {
            let wanted = Pointer { bucket, epoch: 1, ends_session: commit.ends_session };
            let pointer = self.claim(&at_conversation, &commit, wanted, lives).await?;
            let attempt = if pointer.bucket == bucket {
                request.set_epoch(pointer.epoch);
                let answer = self.cluster.write(&at_caller, "commit", &request.arguments()).await?;
                self.cluster.sound(attempt(&commit, answer))?
            } else if seen == Some(pointer) {
                self.fence(pointer, pointer.epoch, &commit, lives).await?
            } else {
                // Whoever has the conversation gets the time to commit it. Otherwise those who want it for different
                // callers would take it from each other for ever.
                seen = Some(pointer);
                match self.fence(pointer, 0, &commit, lives).await? {
                    Attempt::Fenced(_) => {
                        tokio::time::sleep(patience()).await;
                        continue;
                    }
                    done => done,
                }
            };
            match attempt {
                Attempt::Done(committed) => {
                    if commit.ends_session {
                        // It has ended already. If this fails, it is deleted when it expires.
                        let _ = self.cluster.write(&at_conversation, "end_session", &[&conversation.0]).await;
                    }
                    return Ok(committed);
                }
                Attempt::Fenced(epoch) => {
                    let epoch = epoch.max(pointer.epoch).saturating_add(1);
                    let next = bytes::pointer_value(Pointer { epoch, ..wanted });
                    let lives = (lives + POINTER_OUTLIVES).to_string();
                    let seen = bytes::pointer_value(pointer);
                    let arguments: [&[u8]; 4] = [&conversation.0, &seen, &next, lives.as_bytes()];
                    self.cluster.write(&at_conversation, "move", &arguments).await?;
                }
            }
        }
        Err(StoreError::Failed {
            place: self.cluster.place().to_owned(),
            reason: "too many commits of one conversation for different callers at once: try again".to_owned(),
            effect: Effect::Rejected,
        })
    }

    /// Claims a conversation for a bucket, unless another has it. Answers with what stands then.
    async fn claim(
        &self,
        base: &[u8],
        commit: &Commit,
        wanted: Pointer,
        mark_lives: i64,
    ) -> Result<Pointer, StoreError> {
        let conversation = commit.conversation;
        let lives = mark_lives + POINTER_OUTLIVES;
        let value = bytes::pointer_value(wanted);
        let mut command = redis::cmd("SET");
        command.arg(key(base, "p", &conversation.0)).arg(&value).arg("NX").arg("GET").arg("EX").arg(lives);
        let answer = self.cluster.tell(base, command).await?;
        if self.cluster.sound(reply::optional(answer))?.is_none() {
            return Ok(wanted);
        }
        let lives = lives.to_string();
        let ends: &[u8] = if wanted.ends_session { b"1" } else { b"0" };
        let due = pointer_due(commit.mark.expires);
        let arguments: [&[u8]; 5] = [&conversation.0, &value, ends, lives.as_bytes(), due.as_bytes()];
        let answer = self.cluster.write(base, "claim", &arguments).await?;
        self.cluster.sound(reply::bytes(answer).and_then(|value| bytes::pointer(&value)))
    }

    /// Makes sure that a conversation is not committed any more up to an epoch where its pointer leads, unless it is.
    async fn fence(
        &self,
        pointer: Pointer,
        epoch: u32,
        commit: &Commit,
        mark_lives: i64,
    ) -> Result<Attempt, StoreError> {
        let base = self.names.bucket(pointer.bucket);
        let now = commit.now.to_be_bytes();
        let lives = (mark_lives + 2 * POINTER_OUTLIVES).to_string();
        let epoch = epoch.to_be_bytes();
        let arguments: [&[u8]; 5] = [&now, &commit.conversation.0, &epoch, lives.as_bytes(), self.cluster.touch()];
        let answer = self.cluster.write(&base, "fence", &arguments).await?;
        self.cluster.sound(attempt(commit, answer))
    }
}

/// For how long somebody else who has a conversation is left alone: 20 to 50 ms, for each at random.
fn patience() -> Duration {
    let [random, ..] = Uuid::new_v4().into_bytes();
    Duration::from_millis(20 + u64::from(random) * 30 / 255)
}

/// The arguments of a commit, in the order in which the library takes them.
struct Request {
    arguments: Vec<Vec<u8>>,
}

/// Where the epoch stands in it.
const EPOCH: usize = 3;

impl Request {
    fn new(commit: &Commit, mark_lives: i64, touch: &[u8]) -> Self {
        let now = commit.now;
        let time = |time: Timestamp| time.to_be_bytes().to_vec();
        let decimal = |number: i64| number.to_string().into_bytes();
        let new = commit.interaction.as_ref();
        let expiries = commit.patch.iter().map(|field| field.expires).chain([commit.mark.expires]);
        let expiries: Vec<Timestamp> = expiries.chain(new.map(|new| new.interaction.expires)).collect();
        let first_due = expiries.iter().copied().fold(Timestamp::MAX, Timestamp::min);
        let lives = expiries.iter().map(|expires| ttl(*expires, now)).fold(mark_lives, i64::max);

        let mut arguments = vec![
            time(now),
            commit.conversation.0.to_vec(),
            commit.identity.0.to_vec(),
            Vec::new(),
            commit.erasures.to_be_bytes().to_vec(),
            commit.identifier.0.clone(),
            time(commit.mark.expires),
            decimal(mark_lives),
            commit.mark.report.0.clone(),
            touch.to_vec(),
            score(first_due).into_bytes(),
            decimal(lives),
        ];
        match new {
            None => arguments.push(b"0".to_vec()),
            Some(new) => arguments.extend([
                b"1".to_vec(),
                new.interaction.id.0.to_vec(),
                time(new.interaction.began),
                time(new.interaction.expires),
                decimal(ttl(new.interaction.expires, now)),
                new.interaction.record.0.clone(),
                time(new.stands_after),
                new.row.id.0.to_vec(),
                time(new.row.began),
                new.row.details.0.clone(),
            ]),
        }
        // Of several values for a key the last counts. Fields that live equally long are set together.
        let patch: BTreeMap<&str, _> = commit.patch.iter().map(|field| (field.key.as_str(), field)).collect();
        let mut groups: BTreeMap<i64, Vec<Vec<u8>>> = BTreeMap::new();
        for field in patch.into_values() {
            let group = groups.entry(ttl(field.expires, now)).or_default();
            group.extend([[b"f", field.key.as_bytes()].concat(), bytes::field_value(field)]);
        }
        for (lives, group) in groups {
            arguments.extend([decimal(lives), (group.len() / 2).to_string().into_bytes()]);
            arguments.extend(group);
        }
        Self { arguments }
    }

    fn set_epoch(&mut self, epoch: u32) {
        if let Some(argument) = self.arguments.get_mut(EPOCH) {
            *argument = epoch.to_be_bytes().to_vec();
        }
    }

    fn arguments(&self) -> Vec<&[u8]> {
        self.arguments.iter().map(Vec::as_slice).collect()
    }
}

/// What the library has answered to a commit or to a fence.
fn attempt(commit: &Commit, answer: Value) -> Decoded<Attempt> {
    let mut parts = reply::list(answer)?.into_iter();
    let mut next = || parts.next().unwrap_or_default();
    match reply::bytes(next())?.as_slice() {
        b"fenced" => Ok(Attempt::Fenced(bytes::epoch(&reply::bytes(next())?)?)),
        b"before" => {
            let (mark, row) = (next(), next());
            let found: Option<Ended> = ended(commit.conversation, mark, row, commit.now)?;
            let found = found.ok_or(Damaged("a mark that stands has expired"))?;
            Ok(Attempt::Done(Committed::Before(found)))
        }
        b"everything" => {
            let settled = Settled { erased: ErasedSince::Everything, standing: None, first: false };
            Ok(Attempt::Done(Committed::Now(settled)))
        }
        b"now" => {
            let first = reply::bytes(next())? == [1];
            let standing = reply::optional(next())?;
            let standing = standing.map(|value| bytes::interaction(&value)).transpose()?;
            let keys = reply::byte_list(next())?;
            let mut keys = keys.iter().map(|key| bytes::text(key)).collect::<Decoded<Vec<String>>>()?;
            keys.sort_unstable();
            let erased = if keys.is_empty() { ErasedSince::Nothing } else { ErasedSince::Keys(keys) };
            Ok(Attempt::Done(Committed::Now(Settled { erased, standing, first })))
        }
        _ => Err(Damaged("the library has answered something unknown")),
    }
}
