//! What the process does that is going to die: 64 conversations at a time, erasures, sweeps, rotations of the keys.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use agent_memory_host::keys::Keys;
use agent_memory_host::store::Durability;
use agent_memory_host::{IdentifierKind, NewConversation, Outcome};
use agent_memory_tests::{Desk, json, scope};
use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use crate::deeds::Deed;
use crate::place::{CONVERSATIONS, LIFE, Place, SHARED, caller, id, own_key, phone};

/// How many conversations go on at once.
pub(crate) const WRITERS: u64 = 64;

/// What a process is told that is going to die.
#[derive(Args, Clone, Debug)]
pub struct Life {
    /// The folder of its store.
    pub(crate) folder: PathBuf,
    /// The component of its agent.
    pub(crate) functions: PathBuf,
    /// How many lives there were before it.
    pub(crate) life: u64,
    /// Where chance begins.
    pub(crate) seed: u64,
    /// How much it waits for the disk.
    #[arg(value_parser = durability)]
    pub(crate) durability: Durability,
}

impl Life {
    /// Lives, until it is killed or its disk is gone.
    ///
    /// # Errors
    /// If the store cannot be opened.
    pub fn live(self) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(self.work())
    }

    /// The same, as arguments.
    pub(crate) fn arguments(&self) -> anyhow::Result<[String; 5]> {
        let text = |path: &Path| Ok::<_, anyhow::Error>(path.to_str().context("a path is no text")?.to_owned());
        let (folder, functions) = (text(&self.folder)?, text(&self.functions)?);
        Ok([folder, functions, self.life.to_string(), self.seed.to_string(), format!("{:?}", self.durability)])
    }

    async fn work(self) -> anyhow::Result<()> {
        let functions = std::fs::read(&self.functions).context("its agent's component")?;
        let (desk, keys) = Place(self.folder.clone()).open(functions, self.life, self.durability).await?;
        let living = Arc::new(Living { desk, keys, next: AtomicU64::new(self.life * LIFE), ended: Mutex::default() });
        Deed::Ready.tell();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..WRITERS {
            tasks.spawn(Arc::clone(&living).converse());
        }
        tasks.spawn(Arc::clone(&living).erase(fastrand::Rng::with_seed(self.seed)));
        tasks.spawn(Arc::clone(&living).sweep(fastrand::Rng::with_seed(self.seed.wrapping_add(1))));
        tasks.spawn(Arc::clone(&living).rotate(fastrand::Rng::with_seed(self.seed.wrapping_add(2))));
        while let Some(ended) = tasks.join_next().await {
            ended??;
        }
        Ok(())
    }
}

struct Living {
    desk: Desk,
    keys: Keys,
    /// The number of the next conversation.
    next: AtomicU64,
    /// How many conversations of each caller have ended.
    ended: Mutex<BTreeMap<u64, u64>>,
}

// Each of these ends when the store refuses something, and the process with it: the disk has to be gone then.
impl Living {
    async fn converse(self: Arc<Self>) -> anyhow::Result<()> {
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let start = NewConversation {
                id: Some(id(number)),
                caller_number: Some(phone(caller(number))),
                skip_start_function: true,
                ..Default::default()
            };
            let mut conversation = self.desk.agent.start(start).await?.conversation;
            for key in SHARED.map(str::to_owned).into_iter().chain([own_key(number)]) {
                let arguments = json(&json!({ "key": key, "value": number }));
                conversation.call("set", arguments).await?;
            }
            Deed::Ends(number, conversation.session().to_bytes()).tell();
            conversation.end(Outcome::default()).await?;
            Deed::Ended(number).tell();
            *self.ended.lock().unwrap_or_else(PoisonError::into_inner).entry(caller(number)).or_default() += 1;
        }
    }

    /// Erases callers all of whose conversations have ended, so that it is known what is left.
    async fn erase(self: Arc<Self>, mut chance: fastrand::Rng) -> anyhow::Result<()> {
        loop {
            tokio::time::sleep(Duration::from_millis(chance.u64(0..15))).await;
            let whole: Vec<u64> = {
                let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
                ended.iter().filter(|(_, ended)| **ended == CONVERSATIONS).map(|(caller, _)| *caller).collect()
            };
            let Some(&whose) = chance.choice(&whole) else { continue };
            self.ended.lock().unwrap_or_else(PoisonError::into_inner).remove(&whose);
            Deed::Erases(whose).tell();
            let administration = self.desk.runtime.administration();
            administration.erase(&scope(), IdentifierKind::Phone, &phone(whose), None).await?;
            Deed::Erased(whose).tell();
        }
    }

    async fn sweep(self: Arc<Self>, mut chance: fastrand::Rng) -> anyhow::Result<()> {
        loop {
            tokio::time::sleep(Duration::from_millis(chance.u64(0..20))).await;
            self.desk.runtime.administration().sweep().await?;
            Deed::Swept.tell();
        }
    }

    async fn rotate(self: Arc<Self>, mut chance: fastrand::Rng) -> anyhow::Result<()> {
        loop {
            tokio::time::sleep(Duration::from_millis(chance.u64(0..40))).await;
            let keys = self.keys.clone();
            let version = tokio::task::spawn_blocking(move || keys.rotate()).await??;
            Deed::Rotated(version).tell();
        }
    }
}

fn durability(name: &str) -> Result<Durability, String> {
    [Durability::Full, Durability::Normal, Durability::Off]
        .into_iter()
        .find(|durability| format!("{durability:?}") == name)
        .ok_or_else(|| "use Full, Normal or Off".to_owned())
}
