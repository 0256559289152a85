//! Who is there, and how much is held.

use std::collections::BTreeMap;

use agent_memory_store::{Health, IdentityKey, InteractionId, KeptRow, MetricRow, StoreError, Timestamp};
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use redis::Value;

use crate::{
    ValkeyStore,
    bytes::{self, Decoded},
    callers::{rows_of, shown},
    names::{BUCKETS, bucket_of_caller, day_of, key, score},
    reply,
};

/// How many callers or interactions one call of the library goes through.
const PART: usize = 100;

/// How many buckets are listed ahead of the one that is being gone through.
const AHEAD: usize = 16;

/// What of a caller has not expired.
struct Census {
    identity: IdentityKey,
    has_interaction: bool,
    /// When each field expires.
    fields: Vec<Timestamp>,
}

impl Census {
    fn is_held(&self) -> bool {
        self.has_interaction || !self.fields.is_empty()
    }
}

impl ValkeyStore {
    pub(crate) async fn held_callers(
        &self,
        after: Option<IdentityKey>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<IdentityKey>, StoreError> {
        let mut found = Vec::new();
        let first = after.map_or(0, |after| bucket_of_caller(&after));
        let listed: Vec<_> = (first..BUCKETS).map(|bucket| self.callers_of(bucket).boxed()).collect();
        let mut listed = stream::iter(listed).buffered(AHEAD);
        while let Some((base, mut callers)) = listed.try_next().await? {
            callers.retain(|identity| after.is_none_or(|after| *identity > after));
            for part in callers.chunks(PART) {
                if found.len() >= limit {
                    return Ok(found);
                }
                let held = self.census(&base, part, now).await?.into_iter().filter(Census::is_held);
                let room = limit.saturating_sub(found.len());
                found.extend(held.map(|census| census.identity).take(room));
            }
        }
        Ok(found)
    }

    async fn callers_of(&self, bucket: u16) -> Result<(Vec<u8>, Vec<IdentityKey>), StoreError> {
        let base = self.names.bucket(bucket);
        let callers = self.callers(&base).await?;
        Ok((base, callers))
    }

    /// The callers of a bucket, in order, whether or not anything is held on them.
    pub(crate) async fn callers(&self, base: &[u8]) -> Result<Vec<IdentityKey>, StoreError> {
        let mut callers = Vec::new();
        let mut cursor = b"0".to_vec();
        loop {
            let mut command = redis::cmd("ZSCAN");
            command.arg(key(base, "C", b"")).arg(&cursor).arg("COUNT").arg(1000);
            let answer = self.cluster.ask(base, command).await?;
            let page = || -> Decoded<_> {
                let [next, members] = reply::fixed(answer)?;
                Ok((reply::bytes(next)?, scanned(members)?))
            };
            let (next, members) = self.cluster.sound(page())?;
            callers.extend(members);
            if next == b"0" {
                break;
            }
            cursor = next;
        }
        callers.sort_unstable();
        callers.dedup();
        Ok(callers)
    }

    async fn census(&self, base: &[u8], callers: &[IdentityKey], now: Timestamp) -> Result<Vec<Census>, StoreError> {
        let arguments: Vec<&[u8]> = callers.iter().map(|identity| &identity.0[..]).collect();
        let answer = self.cluster.read(base, "survey", &arguments).await?;
        let census = || -> Decoded<Vec<Census>> {
            let mut parts = reply::byte_list(answer)?.into_iter();
            let mut all = Vec::new();
            for identity in callers {
                let (interaction, fields) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
                let alive = |times: Vec<Timestamp>| times.into_iter().filter(|expires| *expires > now).collect();
                let interaction: Vec<Timestamp> = alive(bytes::times(&interaction)?);
                let fields = alive(bytes::times(&fields)?);
                all.push(Census { identity: *identity, has_interaction: !interaction.is_empty(), fields });
            }
            Ok(all)
        };
        self.cluster.sound(census())
    }

    pub(crate) async fn all_rows(&self, now: Timestamp) -> Result<Vec<MetricRow>, StoreError> {
        let of_buckets = self.of_all_buckets(move |base| {
            Box::pin(async move {
                let ids = self.interactions(&base, now).await?;
                self.rows(&base, &ids).await
            })
        });
        Ok(shown(of_buckets.await?.into_iter().flatten().collect(), now))
    }

    /// The interactions of a bucket whose rows have not expired at a time.
    pub(crate) async fn interactions(&self, base: &[u8], now: Timestamp) -> Result<Vec<InteractionId>, StoreError> {
        let mut command = redis::cmd("ZRANGE");
        command.arg(key(base, "R", b"")).arg(score(now)).arg("+inf").arg("BYSCORE");
        let answer = self.cluster.ask(base, command).await?;
        let ids =
            reply::byte_list(answer).and_then(|ids| ids.iter().map(|id| bytes::key16(id).map(InteractionId)).collect());
        self.cluster.sound(ids)
    }

    /// All rows of interactions of a bucket.
    pub(crate) async fn rows(&self, base: &[u8], ids: &[InteractionId]) -> Result<Vec<KeptRow>, StoreError> {
        let mut all = Vec::new();
        for part in ids.chunks(PART) {
            let arguments: Vec<&[u8]> = part.iter().map(|id| &id.0[..]).collect();
            let answer = self.cluster.read(base, "rows", &arguments).await?;
            let answers = self.cluster.sound(reply::list(answer))?;
            for (id, rows) in part.iter().zip(answers) {
                all.extend(self.cluster.sound(rows_of(*id, rows))?);
            }
        }
        Ok(all)
    }

    pub(crate) async fn count_everything(&self, now: Timestamp) -> Result<Health, StoreError> {
        let of_buckets = self.of_all_buckets(move |base| Box::pin(self.count_bucket(base, now))).await?;
        let mut health = Health { swept: self.last_sweep().await?, ..Health::default() };
        let mut expiring: BTreeMap<Timestamp, u64> = BTreeMap::new();
        for of_bucket in of_buckets {
            health.identities += of_bucket.identities;
            health.fields += of_bucket.fields;
            health.interactions += of_bucket.interactions;
            health.metrics += of_bucket.metrics;
            health.sessions += of_bucket.sessions;
            for (day, fields) in of_bucket.expiring {
                *expiring.entry(day).or_default() += fields;
            }
        }
        health.expiring = expiring.into_iter().collect();
        Ok(health)
    }

    async fn count_bucket(&self, base: Vec<u8>, now: Timestamp) -> Result<Health, StoreError> {
        let base = base.as_slice();
        let summary = self.summary(base, now).await?;
        let mut health = Health { sessions: summary.sessions, ..Health::default() };
        let mut expiring: BTreeMap<Timestamp, u64> = BTreeMap::new();
        let callers = if summary.callers == 0 { Vec::new() } else { self.callers(base).await? };
        for part in callers.chunks(PART) {
            for census in self.census(base, part, now).await? {
                health.identities += u64::from(census.is_held());
                health.interactions += u64::from(census.has_interaction);
                health.fields += census.fields.len() as u64;
                for expires in census.fields {
                    *expiring.entry(day_of(expires)).or_default() += 1;
                }
            }
        }
        health.expiring = expiring.into_iter().collect();
        if summary.interactions > 0 {
            let ids = self.interactions(base, now).await?;
            let rows = self.rows(base, &ids).await?;
            health.metrics = rows.iter().filter(|row| row.expires > now).count() as u64;
        }
        Ok(health)
    }
}

/// The members of a part of a sorted set, which come with their scores.
fn scanned(members: Value) -> Decoded<Vec<IdentityKey>> {
    let members = reply::list(members)?.into_iter().step_by(2);
    members.map(|member| bytes::key32(&reply::bytes(member)?).map(IdentityKey)).collect()
}
