//! The callers who are remembered when a benchmark begins.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use agent_memory_host::store::{Backend, Kept, KeptCaller};
use agent_memory_host::{Agent, GivenField, IdentifierKind, Json, MemoryPatch};
use agent_memory_rules as rules;
use tokio::task::JoinSet;

use crate::BenchError;
use crate::bare::{Bare, now};
use crate::workload::{Workload, caller_number};

/// How many callers are put in at once. A store does it in one transaction, where it can.
const BATCH: u64 = 256;

/// How many batches are prepared or written at the same time.
const TASKS: usize = 4;

/// Somebody who can put callers into memory.
pub(crate) trait Fill: Send + Sync + 'static {
    /// What a store keeps of a caller of the workload.
    fn caller(&self, workload: &Workload, index: u64) -> impl Future<Output = Result<KeptCaller, BenchError>> + Send;
}

/// Puts all callers of a workload into a store, and tells how many more there are each time.
pub(crate) async fn fill<F: Fill>(
    filler: &Arc<F>,
    store: &Arc<dyn Backend>,
    workload: Workload,
    mut progress: impl FnMut(u64),
) -> Result<(), BenchError> {
    let next = Arc::new(AtomicU64::new(0));
    let mut batches = JoinSet::new();
    let spawn = |batches: &mut JoinSet<_>| {
        let (filler, store, next) = (Arc::clone(filler), Arc::clone(store), Arc::clone(&next));
        batches.spawn(async move {
            let from = next.fetch_add(BATCH, Ordering::Relaxed);
            let numbers = from..workload.identities.min(from.saturating_add(BATCH));
            let mut batch = Vec::new();
            for number in numbers {
                batch.push(Kept::Caller(filler.caller(&workload, number).await?));
            }
            let count = batch.len() as u64;
            if count > 0 {
                store.restore(batch).await?;
            }
            Ok::<_, BenchError>(count)
        });
    };
    for _ in 0..TASKS {
        spawn(&mut batches);
    }
    while let Some(batch) = batches.join_next().await {
        let count = batch.map_err(|_| BenchError::Task)??;
        if count > 0 {
            progress(count);
            spawn(&mut batches);
        }
    }
    Ok(())
}

impl Fill for Agent {
    async fn caller(&self, workload: &Workload, index: u64) -> Result<KeptCaller, BenchError> {
        let fields = workload.memory(index).into_iter().map(|(key, text)| {
            let value = Json::from_value(&text).map_err(|_| BenchError::Memory("a text is no JSON"))?;
            Ok(GivenField { key: key.to_owned(), value, expires_at: None })
        });
        let fields = fields.collect::<Result<_, BenchError>>()?;
        let patch = MemoryPatch { kind: IdentifierKind::Phone, identifier: caller_number(index), fields };
        self.kept_caller(patch).await?.ok_or(BenchError::Memory("a caller is refused"))
    }
}

impl Fill for Bare {
    async fn caller(&self, workload: &Workload, index: u64) -> Result<KeptCaller, BenchError> {
        let fields = workload.memory(index).into_iter().map(|(key, text)| rules::GivenField {
            key: key.to_owned(),
            value: rules::Json(serde_json::Value::from(text).to_string()),
            expires: None,
        });
        let now = now();
        let proposal = rules::patch(rules::Patch {
            settings: self.settings().clone(),
            kind: rules::IdentifierKind::Phone,
            text: caller_number(index),
            fields: fields.collect(),
            now,
        })?;
        let rules::Identity::Known(identifier) = proposal.identity else {
            return Err(BenchError::Memory("a caller is refused"));
        };
        let identity = self.identity_key(identifier.text());
        Ok(KeptCaller {
            identity,
            identifier: Some(self.seal_identifier(identity, identifier.text(), now)),
            // The rules keep the order, which is that of the keys.
            fields: proposal.patch.into_iter().map(|field| self.seal(identity, field)).collect(),
            interaction: None,
            former: Vec::new(),
            marks_until: None,
            erased: None,
            erased_keys: Vec::new(),
        })
    }
}
