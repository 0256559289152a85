//! What administrators did, and by which keys the store is sealed.

use agent_memory_store::{Act, ActId, Sealed, StoreError, Timestamp};

use crate::{ValkeyStore, bytes, names::key, reply};

impl ValkeyStore {
    pub(crate) async fn put_act(&self, act: Act) -> Result<(), StoreError> {
        let base = self.names.agents();
        let mut command = redis::cmd("HSET");
        command.arg(key(&base, "a", b"")).arg(&act.id.0).arg(bytes::act_value(&act));
        self.cluster.tell(&base, command).await.map(drop)
    }

    pub(crate) async fn list_acts(
        &self,
        after: Option<(Timestamp, ActId)>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Act>, StoreError> {
        let mut acts = self.all_acts().await?;
        acts.retain(|act| act.expires > now && after.is_none_or(|after| (act.at, act.id) > after));
        acts.truncate(limit);
        Ok(acts)
    }

    /// All acts by their hour, expired or not. There are few: people do them.
    pub(crate) async fn all_acts(&self) -> Result<Vec<Act>, StoreError> {
        let base = self.names.agents();
        let mut command = redis::cmd("HGETALL");
        command.arg(key(&base, "a", b""));
        let answer = self.cluster.ask(&base, command).await?;
        let acts = reply::pairs(answer)
            .and_then(|pairs| pairs.iter().map(|(id, value)| bytes::act(id, value)).collect::<Result<Vec<Act>, _>>());
        let mut acts = self.cluster.sound(acts)?;
        acts.sort_by_key(|act| (act.at, act.id));
        Ok(acts)
    }

    pub(crate) async fn claim_keys(&self, keys: Sealed) -> Result<Sealed, StoreError> {
        let root = self.names.root();
        let answer = self.cluster.write(&root, "claim_keys", &[&keys.0, self.cluster.touch()]).await?;
        self.cluster.sound(reply::bytes(answer)).map(Sealed)
    }

    /// What is remembered of the keys.
    pub(crate) async fn claimed_keys(&self) -> Result<Option<Sealed>, StoreError> {
        let root = self.names.root();
        let mut command = redis::cmd("GET");
        command.arg(key(&root, "keys", b""));
        let answer = self.cluster.ask(&root, command).await?;
        Ok(self.cluster.sound(reply::optional(answer))?.map(Sealed))
    }
}
