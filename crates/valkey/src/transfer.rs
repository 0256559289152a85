//! Everything out of the cluster, and into it.

use agent_memory_store::{
    ConversationKey, Cursor, Dump, Effect, IdentityKey, InteractionId, Kept, KeptCaller, KeptMark, KeptRow,
    SavedSession, StoreError, Timestamp,
};
use futures::{FutureExt, StreamExt, TryStreamExt, stream};

use crate::{
    ValkeyStore,
    buckets::AT_ONCE,
    bytes::{self, Decoded, Mark, Pointer},
    callers::{COUNTED, HANDED_OUT},
    commits::pointer_due,
    names::{BUCKETS, bucket_of_caller, bucket_of_conversation, bucket_of_interaction, key, score},
    reply,
};

/// How many members of a bucket are read for one part of a dump.
const PART: usize = 200;

/// For how many seconds the way from an interaction to its caller's bucket is remembered, for rows that come later.
const WAY_LIVES: u32 = 7 * 24 * 3600;

/// What a part of a dump has, in this order.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// What the store knows of itself, acts and versions.
    Root,
    /// One component at a time.
    Components,
    /// Callers, and the marks that lead to them.
    Callers,
    /// Marks that lead to nobody.
    EmptyMarks,
    Rows,
    Sessions,
}

const PHASES: [Phase; 6] =
    [Phase::Root, Phase::Components, Phase::Callers, Phase::EmptyMarks, Phase::Rows, Phase::Sessions];

impl Phase {
    /// The sorted set of a bucket that has its members.
    fn index(self) -> &'static str {
        match self {
            Self::Callers => "C",
            Self::EmptyMarks => "V",
            Self::Rows => "R",
            Self::Sessions => "S",
            // These are in no bucket.
            Self::Root | Self::Components => "",
        }
    }
}

/// Where a part begins: in which phase, in which bucket and at which of its members.
#[derive(Clone, Copy, Default)]
struct Position {
    phase: u8,
    bucket: u16,
    member: u64,
}

impl ValkeyStore {
    pub(crate) async fn dump_part(&self, after: Option<Cursor>) -> Result<Dump, StoreError> {
        let at = match &after {
            Some(cursor) => position(cursor).ok_or_else(|| StoreError::Failed {
                place: self.cluster.place().to_owned(),
                reason: "this is no place to go on at: begin anew".to_owned(),
                effect: Effect::Rejected,
            })?,
            None => Position::default(),
        };
        let Some(phase) = PHASES.get(usize::from(at.phase)).copied() else {
            return Ok(Dump { kept: Vec::new(), next: None });
        };
        let next_phase = Position { phase: at.phase + 1, ..Position::default() };
        let (kept, next) = match phase {
            Phase::Root => (self.dump_root().await?, next_phase),
            Phase::Components => {
                let components = self.components().await?;
                let index = usize::try_from(at.member).unwrap_or(usize::MAX);
                match components.get(index) {
                    Some(component) => {
                        let bytes = self.component_bytes(*component).await?;
                        let kept = bytes.map(|bytes| Kept::Component { key: *component, bytes });
                        (kept.into_iter().collect(), Position { member: at.member + 1, ..at })
                    }
                    None => (Vec::new(), next_phase),
                }
            }
            Phase::Callers | Phase::EmptyMarks | Phase::Rows | Phase::Sessions => {
                let (kept, next) = self.dump_buckets(phase, at).await?;
                (kept, next.unwrap_or(next_phase))
            }
        };
        let next = (usize::from(next.phase) < PHASES.len()).then(|| cursor(next));
        Ok(Dump { kept, next })
    }

    async fn dump_root(&self) -> Result<Vec<Kept>, StoreError> {
        let erasures = self.erasures(HANDED_OUT).await?;
        let totals = Kept::Totals { erasures, keys: self.claimed_keys().await?, swept: self.last_sweep().await? };
        let acts = self.all_acts().await?.into_iter().map(Kept::Act);
        let versions = self.versions().await?.into_iter();
        let versions = versions.map(|(version, replaced)| Kept::Agent { version, replaced });
        Ok(std::iter::once(totals).chain(acts).chain(versions).collect())
    }

    /// Some members of the buckets from a position on, and where the next part begins, unless there are no more.
    async fn dump_buckets(&self, phase: Phase, at: Position) -> Result<(Vec<Kept>, Option<Position>), StoreError> {
        // Most buckets of a small store are empty, which many at once are quickly asked.
        let sizes: Vec<_> = (at.bucket..BUCKETS).map(|bucket| self.size(phase, bucket).boxed()).collect();
        let mut sizes = stream::iter(sizes).buffered(AT_ONCE);
        let mut kept = Vec::new();
        while let Some((bucket, size)) = sizes.try_next().await? {
            let mut member = if bucket == at.bucket { at.member } else { 0 };
            while member < size {
                kept.extend(self.dump_bucket(phase, bucket, member).await?);
                member = member.saturating_add(PART as u64);
                if kept.len() >= PART {
                    return Ok((kept, Some(Position { bucket, member, ..at })));
                }
            }
        }
        Ok((kept, None))
    }

    /// How many members a bucket has.
    async fn size(&self, phase: Phase, bucket: u16) -> Result<(u16, u64), StoreError> {
        let base = self.names.bucket(bucket);
        let mut command = redis::cmd("ZCARD");
        command.arg(key(&base, phase.index(), b""));
        let answer = self.cluster.ask(&base, command).await?;
        Ok((bucket, self.cluster.sound(reply::count(&answer))?))
    }

    /// Some members of a bucket, from one on.
    async fn dump_bucket(&self, phase: Phase, bucket: u16, first: u64) -> Result<Vec<Kept>, StoreError> {
        let base = self.names.bucket(bucket);
        let mut command = redis::cmd("ZRANGE");
        command.arg(key(&base, phase.index(), b"")).arg(first).arg(first.saturating_add(PART as u64 - 1));
        let answer = self.cluster.ask(&base, command).await?;
        let members = self.cluster.sound(reply::byte_list(answer))?;
        let mut kept = Vec::new();
        match phase {
            Phase::Rows => {
                let ids = members.iter().map(|id| bytes::key16(id).map(InteractionId));
                let ids = self.cluster.sound(ids.collect::<Decoded<Vec<_>>>())?;
                kept.extend(self.rows(&base, &ids).await?.into_iter().map(Kept::Row));
            }
            _ => {
                let members = members.iter().map(|member| bytes::key32(member)).collect::<Decoded<Vec<_>>>();
                let members = self.cluster.sound(members)?.into_iter();
                let dumped: Vec<_> = members.map(|member| self.dump_member(phase, &base, member).boxed()).collect();
                let dumped: Vec<Vec<Kept>> = stream::iter(dumped).buffered(AT_ONCE).try_collect().await?;
                kept.extend(dumped.into_iter().flatten());
            }
        }
        Ok(kept)
    }

    async fn dump_member(&self, phase: Phase, base: &[u8], member: [u8; 32]) -> Result<Vec<Kept>, StoreError> {
        let mut kept = Vec::new();
        let conversation = ConversationKey(member);
        match phase {
            Phase::Callers => {
                let everything = self.everything_on(IdentityKey(member)).await?;
                if !is_nothing(&everything.caller) {
                    kept.push(Kept::Caller(everything.caller));
                }
                kept.extend(everything.marks.into_iter().map(|(mark, _)| Kept::Mark(mark)));
            }
            Phase::EmptyMarks => {
                if let Some(value) = self.value(base, "m", &member).await?
                    && let Mark::Kept(mark) = self.cluster.sound(bytes::mark(conversation, &value))?
                    && mark.recorded.is_none()
                {
                    kept.push(Kept::Mark(mark));
                }
            }
            Phase::Sessions => {
                // No time is given, so its mark counts as long as it is there.
                if !self.ended_with_commit(base, conversation, Timestamp::MIN).await?
                    && let Some(value) = self.value(base, "s", &member).await?
                {
                    kept.push(Kept::Session(self.cluster.sound(bytes::session(conversation, &value))?));
                }
            }
            Phase::Root | Phase::Components | Phase::Rows => {}
        }
        Ok(kept)
    }

    pub(crate) async fn value(&self, base: &[u8], kind: &str, name: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let mut command = redis::cmd("GET");
        command.arg(key(base, kind, name));
        let answer = self.cluster.ask(base, command).await?;
        self.cluster.sound(reply::optional(answer))
    }

    /// What is put in has no time to live in the servers, because nobody says what time it is. Sweeps delete it.
    pub(crate) async fn restore_all(&self, kept: Vec<Kept>) -> Result<(), StoreError> {
        let is_caller = |kept: &Kept| matches!(kept, Kept::Caller(_));
        let (callers, others): (Vec<Kept>, Vec<Kept>) = kept.into_iter().partition(is_caller);
        for part in [callers, others] {
            let restored = stream::iter(part).map(|kept| self.restore_one(kept)).buffer_unordered(AT_ONCE);
            restored.try_collect::<()>().await?;
        }
        Ok(())
    }

    async fn restore_one(&self, kept: Kept) -> Result<(), StoreError> {
        match kept {
            Kept::Totals { erasures, keys, swept } => {
                let root = self.names.root();
                let erasures = erasures.to_string();
                // A number that is handed out is above all that conversations have begun with.
                for name in [HANDED_OUT, COUNTED] {
                    let arguments: [&[u8]; 3] = [name, erasures.as_bytes(), self.cluster.touch()];
                    self.cluster.write(&root, "raise", &arguments).await?;
                }
                if let Some(keys) = keys {
                    self.claim_keys(keys).await?;
                }
                match swept {
                    Some(hour) if self.last_sweep().await? < Some(hour) => self.note_sweep(hour).await,
                    _ => Ok(()),
                }
            }
            Kept::Caller(caller) => self.restore_caller(caller).await,
            Kept::Mark(mark) => self.restore_mark(mark).await,
            Kept::Row(row) => self.restore_row(row).await,
            Kept::Session(session) => self.restore_session(session).await,
            Kept::Agent { version, replaced } => {
                let value = bytes::version_value(&version, replaced);
                let arguments: [&[u8]; 3] = [&version.agent.0, &version.version.0, &value];
                self.cluster.write(&self.names.agents(), "restore_version", &arguments).await.map(drop)
            }
            Kept::Component { key, bytes } => {
                self.cluster.write(&self.names.agents(), "put_component", &[&key.0, &bytes]).await.map(drop)
            }
            Kept::Act(act) => self.put_act(act).await,
        }
    }

    async fn restore_caller(&self, caller: KeptCaller) -> Result<(), StoreError> {
        let bucket = bucket_of_caller(&caller.identity);
        let base = self.names.bucket(bucket);
        let fields = caller.fields.iter().map(|field| field.expires);
        let interactions = caller.interaction.iter().map(|interaction| interaction.expires);
        let former = caller.former.iter().map(|(_, expires)| *expires);
        let erasures = caller.erased.iter().chain(caller.erased_keys.iter().map(|(_, remembered)| remembered));
        let erasures = erasures.map(|remembered| remembered.expires);
        let expiries = fields.chain(interactions).chain(former).chain(erasures).chain(caller.marks_until);
        // A caller of whom nothing is held is looked at by the next sweep.
        let first_due = score(expiries.min().unwrap_or(Timestamp::MIN));
        let values = bytes::caller_values(&caller);
        let mut arguments: Vec<&[u8]> = vec![&caller.identity.0, first_due.as_bytes()];
        arguments.extend(values.iter().flat_map(|(kind, name, value)| [*kind, name.as_slice(), value.as_slice()]));
        self.cluster.write(&base, "restore_caller", &arguments).await?;
        let former = caller.former.iter().map(|(id, _)| *id);
        for id in caller.interaction.iter().map(|interaction| interaction.id).chain(former) {
            self.adopt_rows(bucket, id).await?;
        }
        Ok(())
    }

    async fn restore_mark(&self, mark: KeptMark) -> Result<(), StoreError> {
        let conversation = mark.conversation;
        let own = bucket_of_conversation(&conversation);
        let at_conversation = self.names.bucket(own);
        // One that leads to nobody may be anywhere.
        let bucket = mark.recorded.as_ref().map_or(own, |(identity, _)| bucket_of_caller(identity));
        let base = self.names.bucket(bucket);
        self.cluster.write(&base, "restore_mark", &[&conversation.0, &bytes::mark_value(&mark)]).await?;

        let pointer = bytes::pointer_value(Pointer { bucket, epoch: 1, ends_session: false });
        let due = pointer_due(mark.expires);
        let arguments: [&[u8]; 3] = [&conversation.0, &pointer, due.as_bytes()];
        let answer = self.cluster.write(&at_conversation, "restore_pointer", &arguments).await?;
        let before = self.cluster.sound(reply::optional(answer))?;
        let before = self.cluster.sound(before.map(|value| bytes::pointer(&value)).transpose())?;
        if let Some(before) = before.filter(|before| before.bucket != bucket) {
            let base = self.names.bucket(before.bucket);
            let mut command = redis::cmd("DEL");
            command.arg(key(&base, "m", &conversation.0));
            self.cluster.tell(&base, command).await?;
        }
        Ok(())
    }

    /// Nothing in a row tells whose it is. If its caller was put in before, there is a way to the bucket; if not, it
    /// stays in the bucket of its interaction until the caller comes and adopts it.
    async fn restore_row(&self, row: KeptRow) -> Result<(), StoreError> {
        let own = bucket_of_interaction(&row.interaction);
        let at_interaction = self.names.bucket(own);
        let way = self.value(&at_interaction, "i", &row.interaction.0).await?;
        let bucket = match way {
            Some(way) => self.cluster.sound(bytes::pointer(&way))?.bucket,
            None => own,
        };
        let base = self.names.bucket(bucket);
        self.put_row(&base, &row).await
    }

    async fn put_row(&self, base: &[u8], row: &KeptRow) -> Result<(), StoreError> {
        let value = bytes::row_value(row);
        self.cluster.write(base, "restore_row", &[&row.interaction.0, &row.id.0, &value]).await.map(drop)
    }

    /// Makes a way to a caller's bucket for the rows of an interaction, and adopts those that came before.
    async fn adopt_rows(&self, bucket: u16, interaction: InteractionId) -> Result<(), StoreError> {
        let own = bucket_of_interaction(&interaction);
        let at_interaction = self.names.bucket(own);
        let way = bytes::pointer_value(Pointer { bucket, epoch: 0, ends_session: false });
        let mut command = redis::cmd("SET");
        command.arg(key(&at_interaction, "i", &interaction.0)).arg(&way).arg("EX").arg(WAY_LIVES);
        self.cluster.tell(&at_interaction, command).await?;
        if own == bucket {
            return Ok(());
        }
        let rows = self.rows(&at_interaction, &[interaction]).await?;
        if rows.is_empty() {
            return Ok(());
        }
        let base = self.names.bucket(bucket);
        for row in &rows {
            self.put_row(&base, row).await?;
        }
        self.cluster.write(&at_interaction, "drop_rows", &[&interaction.0, self.cluster.touch()]).await.map(drop)
    }

    async fn restore_session(&self, session: SavedSession) -> Result<(), StoreError> {
        let base = self.names.bucket(bucket_of_conversation(&session.conversation));
        let value = bytes::session_value(&session);
        self.cluster.write(&base, "restore_session", &[&session.conversation.0, &value]).await.map(drop)
    }
}

/// Whether nothing at all is remembered of a caller.
fn is_nothing(caller: &KeptCaller) -> bool {
    caller.identifier.is_none() && caller.erased.is_none() && caller.erased_keys.is_empty()
}

fn cursor(position: Position) -> Cursor {
    let Position { phase, bucket, member } = position;
    Cursor([&[phase][..], &bucket.to_be_bytes(), &member.to_be_bytes()].concat())
}

fn position(cursor: &Cursor) -> Option<Position> {
    let (phase, rest) = cursor.0.split_first()?;
    let (bucket, member) = rest.split_at_checked(2)?;
    let bucket = u16::from_be_bytes(bucket.try_into().ok()?);
    let member = u64::from_be_bytes(member.try_into().ok()?);
    Some(Position { phase: *phase, bucket, member })
}
