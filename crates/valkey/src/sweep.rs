//! Deleting what has expired.

use agent_memory_store::{AGENT_KEPT, StoreError, Swept, Timestamp};

use crate::{
    ValkeyStore,
    bytes::{self, Damaged},
    names::{hour_of, key},
    reply,
};

/// How many things of each kind one call of the library deletes. Others have their turn between two calls.
const PART: &[u8] = b"100";

impl ValkeyStore {
    /// The servers delete by themselves what has expired by their clocks. A sweep deletes what has by the given one,
    /// and what the indexes still have of it.
    pub(crate) async fn sweep_everything(&self, now: Timestamp) -> Result<Swept, StoreError> {
        let mut swept = Swept::default();
        for of_bucket in self.of_all_buckets(move |base| Box::pin(self.sweep_bucket(base, now))).await? {
            swept += of_bucket;
        }
        let agents = self.names.agents();
        let gone = now.saturating_sub(AGENT_KEPT).to_be_bytes();
        self.cluster.write(&agents, "sweep_agents", &[&gone]).await?;
        self.cluster.write(&agents, "sweep_acts", &[&now.to_be_bytes()]).await?;
        self.note_sweep(hour_of(now)).await?;
        Ok(swept)
    }

    async fn sweep_bucket(&self, base: Vec<u8>, now: Timestamp) -> Result<Swept, StoreError> {
        let mut swept = Swept::default();
        loop {
            let answer = self.cluster.write(&base, "sweep", &[&now.to_be_bytes(), PART]).await?;
            let counts = self.cluster.sound(reply::list(answer))?;
            let counts = counts.iter().map(reply::count).collect::<Result<Vec<u64>, _>>();
            let [fields, identifiers, interactions, metrics, sessions, more] = self.cluster.sound(counts)?[..] else {
                return self.cluster.sound(Err(Damaged("a sweep has no counts")));
            };
            swept += Swept { fields, identifiers, interactions, metrics, sessions, ..Swept::default() };
            if more == 0 {
                return Ok(swept);
            }
        }
    }

    pub(crate) async fn note_sweep(&self, hour: Timestamp) -> Result<(), StoreError> {
        self.cluster.write(&self.names.root(), "note_sweep", &[&hour.to_be_bytes()]).await.map(drop)
    }

    /// The hour of the last sweep.
    pub(crate) async fn last_sweep(&self) -> Result<Option<Timestamp>, StoreError> {
        let root = self.names.root();
        let mut command = redis::cmd("GET");
        command.arg(key(&root, "swept", b""));
        let answer = self.cluster.ask(&root, command).await?;
        let hour = self.cluster.sound(reply::optional(answer))?;
        let hour = hour.map(|hour| bytes::times(&hour)).transpose();
        Ok(self.cluster.sound(hour)?.and_then(|hours| hours.first().copied()))
    }
}
