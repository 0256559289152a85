//! Reading, amending, erasing and exporting what is held on a caller.

use std::sync::atomic::Ordering;

use agent_memory_store::{
    Amendment, ConversationKey, Effect, Ended, Erased, Erasure, Erasures, Field, Held, IdentityKey, Interaction,
    InteractionId, KeptMark, KeptRow, Loaded, MetricRow, Read, Recorded, RowId, Settled, StoreError, Timestamp,
};
use redis::Value;
use uuid::Uuid;

use crate::{
    ValkeyStore,
    bytes::{self, Damaged, Decoded, Mark},
    names::{bucket_of_caller, bucket_of_conversation, key, ttl},
    reply,
};

/// The last number that an erasure was given, perhaps without acknowledgement.
pub(crate) const HANDED_OUT: &[u8] = b"erasures";

/// The last number of an erasure that was acknowledged, which is what conversations begin with.
pub(crate) const COUNTED: &[u8] = b"counted";

/// How often an erasure is numbered that has come in the place of another meanwhile.
const TRIES: usize = 64;

impl ValkeyStore {
    pub(crate) async fn load_caller(&self, read: Read) -> Result<Loaded, StoreError> {
        let fields = self.fields(read.identity, read.now);
        let Some(conversation) = read.conversation else {
            // Nothing begins with these, so the number is not needed, and neither is the slot that has it.
            return Ok(Loaded { fields: fields.await?, erasures: 0, ended: false });
        };
        let counted_before = self.erasures.load(Ordering::Relaxed);
        let mark = self.mark_of(conversation, read.now);
        let (fields, erasures, mark) = futures::join!(fields, self.erasures(COUNTED), mark);
        let (mut fields, erasures, ended) = (fields?, erasures?, mark?.is_some());
        if erasures != counted_before {
            // The fields may be from before an erasure that is in the number: with them the conversation would seem to
            // have begun after it.
            fields = self.fields(read.identity, read.now).await?;
        }
        self.erasures.store(erasures, Ordering::Relaxed);
        Ok(Loaded { fields, erasures, ended })
    }

    async fn fields(&self, identity: Option<IdentityKey>, now: Timestamp) -> Result<Vec<Field>, StoreError> {
        let Some(identity) = identity else { return Ok(Vec::new()) };
        let base = self.names.bucket(bucket_of_caller(&identity));
        let mut command = redis::cmd("HGETALL");
        command.arg(key(&base, "c", &identity.0));
        let answer = self.cluster.ask(&base, command).await?;
        let fields = || -> Decoded<Vec<Field>> {
            let mut fields = Vec::new();
            for (name, value) in reply::pairs(answer)? {
                if let Some((b'f', key)) = name.split_first() {
                    fields.push(bytes::field(key, &value)?);
                }
            }
            Ok(fields)
        };
        let mut fields = self.cluster.sound(fields())?;
        fields.retain(|field| field.expires > now);
        fields.sort_by(|one, other| one.key.cmp(&other.key));
        Ok(fields)
    }

    /// How many erasures there were: [`COUNTED`] or [`HANDED_OUT`].
    pub(crate) async fn erasures(&self, name: &[u8]) -> Result<Erasures, StoreError> {
        let root = self.names.root();
        let mut command = redis::cmd("GET");
        command.arg([&root, name].concat());
        let answer = self.cluster.ask(&root, command).await?;
        self.cluster.sound(reply::count(&answer))
    }

    /// What is remembered of a conversation that is committed.
    pub(crate) async fn mark_of(
        &self,
        conversation: ConversationKey,
        now: Timestamp,
    ) -> Result<Option<Ended>, StoreError> {
        let base = self.names.bucket(bucket_of_conversation(&conversation));
        let mut command = redis::cmd("GET");
        command.arg(key(&base, "p", &conversation.0));
        let answer = self.cluster.ask(&base, command).await?;
        match self.cluster.sound(reply::optional(answer))? {
            Some(pointer) => {
                let pointer = self.cluster.sound(bytes::pointer(&pointer))?;
                self.mark_in(pointer.bucket, conversation, now).await
            }
            None => Ok(None),
        }
    }

    /// What is remembered in a bucket of a conversation that is committed there.
    pub(crate) async fn mark_in(
        &self,
        bucket: u16,
        conversation: ConversationKey,
        now: Timestamp,
    ) -> Result<Option<Ended>, StoreError> {
        let answer = self.cluster.read(&self.names.bucket(bucket), "mark", &[&conversation.0]).await?;
        let found = || -> Decoded<Option<Ended>> {
            let mut parts = reply::list(answer)?.into_iter();
            match parts.next() {
                Some(mark) => ended(conversation, mark, parts.next().unwrap_or_default(), now),
                None => Ok(None),
            }
        };
        self.cluster.sound(found())
    }

    pub(crate) async fn amend_interaction(&self, amendment: Amendment) -> Result<bool, StoreError> {
        let Amendment { identity, from, record } = amendment;
        let base = self.names.bucket(bucket_of_caller(&identity));
        let seen = bytes::interaction_value(&from);
        let wanted = bytes::interaction_value(&Interaction { record, ..from });
        let answer = self.cluster.write(&base, "amend", &[&identity.0, &seen, &wanted]).await?;
        Ok(self.cluster.sound(reply::number(&answer))? == 1)
    }

    /// First everything is deleted, and every commit that might have begun before is refused; then the erasure is
    /// counted; then it gets its number. If that stops in between, the refusals stay, and erasing again mends it.
    pub(crate) async fn erase_caller(&self, erasure: Erasure) -> Result<Erased, StoreError> {
        let Erasure { identity, key: erased_key, now, expires } = erasure;
        let base = self.names.bucket(bucket_of_caller(&identity));
        let token = Uuid::new_v4().into_bytes();
        let name = match &erased_key {
            Some(key) => [b"k", key.as_bytes()].concat(),
            None => b"a".to_vec(),
        };
        let lives = ttl(expires, now).to_string();
        let times = [now, expires].map(Timestamp::to_be_bytes);
        let [now, expires] = &times;
        let arguments: [&[u8]; 6] = [now, &identity.0, expires, lives.as_bytes(), &token, &name];
        let answer = self.cluster.write(&base, "erase", &arguments).await?;
        let counts = self.cluster.sound(reply::bytes(answer).and_then(|counts| bytes::times(&counts)))?;

        let numbered = self.number_erasure(&base, &identity, &name, &token).await;
        // What could be rejected comes after what was done.
        numbered.map_err(|error| self.cluster.half_done(error))?;

        match counts[..] {
            [fields, interactions, metrics] => Ok(Erased {
                fields: fields.unsigned_abs(),
                interactions: interactions.unsigned_abs(),
                metrics: metrics.unsigned_abs(),
            }),
            _ => self.cluster.sound(Err(Damaged("an erasure has no counts"))),
        }
    }

    /// Gives an erasure its number, and every other that has come in its place meanwhile and has none: whoever wants
    /// that one may have broken off.
    async fn number_erasure(
        &self,
        base: &[u8],
        identity: &IdentityKey,
        name: &[u8],
        token: &[u8],
    ) -> Result<(), StoreError> {
        let (mut name, mut token) = (name.to_vec(), token.to_vec());
        for _ in 0..TRIES {
            let number = self.count_erasure().await?.to_be_bytes();
            let answer = self.cluster.write(base, "number_erasure", &[&identity.0, &name, &token, &number]).await?;
            let mut standing = self.cluster.sound(reply::byte_list(answer))?.into_iter();
            match (standing.next(), standing.next()) {
                (Some(other_name), Some(other_token)) => (name, token) = (other_name, other_token),
                _ => return Ok(()),
            }
        }
        Err(StoreError::Failed {
            place: self.cluster.place().to_owned(),
            reason: "too many erasures of one caller at once: try again".to_owned(),
            effect: Effect::Rejected,
        })
    }

    /// Hands out the next number of an erasure, and lets conversations begin with it only once that cannot be lost:
    /// otherwise the number could be handed out again, to an erasure that they have not seen.
    async fn count_erasure(&self) -> Result<Erasures, StoreError> {
        let root = self.names.root();
        let answer = self.cluster.write(&root, "count_erasure", &[]).await?;
        let number = self.cluster.sound(reply::count(&answer))?;
        let decimal = number.to_string();
        let arguments: [&[u8]; 3] = [COUNTED, decimal.as_bytes(), self.cluster.touch()];
        self.cluster.write(&root, "raise", &arguments).await?;
        Ok(number)
    }

    pub(crate) async fn export_caller(&self, identity: IdentityKey, now: Timestamp) -> Result<Held, StoreError> {
        let everything = self.everything_on(identity).await?;
        let Everything { caller, marks, rows } = everything;
        let mut held = Held {
            identifier: None,
            fields: caller.fields,
            interaction: caller.interaction.filter(|interaction| interaction.expires > now),
            conversations: Vec::new(),
            metric_rows: shown(rows, now),
        };
        held.fields.retain(|field| field.expires > now);
        for (mark, row) in marks.into_iter().filter(|(mark, _)| mark.expires > now) {
            let conversation = mark.conversation;
            if let Some(recorded) = recorded(mark, row, now) {
                held.conversations.push((conversation, recorded));
            }
        }
        held.conversations.sort_by_key(|(conversation, _)| *conversation);
        if held != Held::default() {
            held.identifier = caller.identifier;
        }
        Ok(held)
    }

    /// All that is kept on a caller, expired or not.
    pub(crate) async fn everything_on(&self, identity: IdentityKey) -> Result<Everything, StoreError> {
        let base = self.names.bucket(bucket_of_caller(&identity));
        let answer = self.cluster.read(&base, "export", &[&identity.0]).await?;
        self.cluster.sound(everything(identity, answer))
    }
}

/// All that is kept on a caller.
pub(crate) struct Everything {
    pub(crate) caller: agent_memory_store::KeptCaller,
    /// With the rows that they are tied to.
    pub(crate) marks: Vec<(KeptMark, Option<KeptRow>)>,
    rows: Vec<KeptRow>,
}

fn everything(identity: IdentityKey, answer: Value) -> Decoded<Everything> {
    let [held, marks, rows, erasures] = reply::fixed(answer)?;
    let caller = bytes::caller(identity, &reply::pairs(held)?, &reply::pairs(erasures)?)?;
    let mut kept = Vec::new();
    let mut parts = reply::byte_list(marks)?.into_iter();
    while let (Some(conversation), Some(mark), Some(row)) = (parts.next(), parts.next(), parts.next()) {
        let conversation = ConversationKey(bytes::key32(&conversation)?);
        if let Mark::Kept(mark) = bytes::mark(conversation, &mark)? {
            let row = row_of(&mark, Some(row).filter(|row| !row.is_empty()))?;
            kept.push((mark, row));
        }
    }
    let mut parts = reply::list(rows)?.into_iter();
    let mut rows = Vec::new();
    while let (Some(id), Some(of_interaction)) = (parts.next(), parts.next()) {
        rows.extend(rows_of(InteractionId(bytes::key16(&reply::bytes(id)?)?), of_interaction)?);
    }
    Ok(Everything { caller, marks: kept, rows })
}

/// The rows of an interaction.
pub(crate) fn rows_of(interaction: InteractionId, answer: Value) -> Decoded<Vec<KeptRow>> {
    let rows = reply::pairs(answer)?.into_iter();
    rows.map(|(id, value)| bytes::row(interaction, RowId(bytes::key16(&id)?), &value)).collect()
}

/// The rows that have not expired as analytics see them, in their order.
pub(crate) fn shown(rows: Vec<KeptRow>, now: Timestamp) -> Vec<MetricRow> {
    let alive = rows.into_iter().filter(|row| row.expires > now);
    let mut rows: Vec<MetricRow> = alive
        .map(|row| MetricRow {
            id: row.id,
            interaction: row.interaction,
            began: row.began,
            details: row.details,
            repeat_of: (!row.first).then_some(row.standing_record),
        })
        .collect();
    rows.sort_by_key(|row| (row.began, row.id, row.interaction));
    rows
}

/// What a mark and its row say, unless the mark has expired.
pub(crate) fn ended(conversation: ConversationKey, mark: Value, row: Value, now: Timestamp) -> Decoded<Option<Ended>> {
    match bytes::mark(conversation, &reply::bytes(mark)?)? {
        Mark::Kept(mark) if mark.expires > now => {
            let row = row_of(&mark, reply::optional(row)?)?;
            Ok(Some(Ended { recorded: recorded(mark, row, now) }))
        }
        _ => Ok(None),
    }
}

fn row_of(mark: &KeptMark, value: Option<Vec<u8>>) -> Decoded<Option<KeptRow>> {
    let named = mark.recorded.as_ref().and_then(|(_, record)| record.row);
    match (named, value) {
        (Some((interaction, id)), Some(value)) => bytes::row(interaction, id, &value).map(Some),
        _ => Ok(None),
    }
}

/// What a mark has recorded, with the interaction that stood as its row has it, until it expires.
fn recorded(mark: KeptMark, row: Option<KeptRow>, now: Timestamp) -> Option<Recorded> {
    let (identity, record) = mark.recorded?;
    let standing = row.filter(|row| row.expires > now).map(|row| Interaction {
        id: row.interaction,
        began: row.standing_began,
        expires: row.expires,
        record: row.standing_record,
    });
    let settled = Settled { erased: record.erased, standing, first: record.first };
    Some(Recorded { identity, report: record.report, settled })
}
