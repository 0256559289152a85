//! Playing both ways by turns.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use agent_memory_host::keys::Keys;
use agent_memory_host::store::Backend;
use agent_memory_host::{AgentDefinition, Runtime};
use serde::{Serialize, Serializer};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::figures::tenths;
use crate::fill::fill;
use crate::process::{cpu, peak_rss_mb};
use crate::workload::{CONFIGURATION, Plan, Workload, scope};
use crate::{Bare, BenchError, Figures, Latencies, Quantiles, Sandboxed, Times};

/// Of a slice, every client plays at least this many conversations, so that those who are done earlier wait for little.
const SLICE: u64 = 16;

/// There are never more slices than this of each way.
const SLICES: u64 = 10;

/// How many conversations are played unmeasured before, at most.
const WARM_UP: u64 = 200;

/// Plays conversations.
pub trait Player: Send + Sync + 'static {
    /// Plays one, and counts its times.
    fn play(&self, plan: &Plan, times: &mut Times) -> impl Future<Output = Result<(), BenchError>> + Send;
}

/// How conversations are played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By the host, in the sandbox.
    Sandboxed,
    /// Without it.
    Bare,
}

/// A filled store, and both ways to play.
pub struct Bench {
    workload: Workload,
    scope_name: String,
    sandboxed: Arc<Sandboxed>,
    bare: Arc<Bare>,
}

/// What was measured with a number of clients.
#[derive(Clone)]
pub struct Measured {
    /// How many clients played conversations at once.
    pub concurrency: u32,
    /// What was played.
    pub workload: Workload,
    /// How it went in the sandbox.
    pub sandboxed: Figures,
    /// How it went without it.
    pub bare: Figures,
    /// The most memory that the process ever had at once, in MiB.
    pub peak_rss_mb: f64,
}

impl Bench {
    /// Loads functions, and fills a store with callers. The runtime has to be one over the same store with the same keys,
    /// and its clock the machine's. `progress` is told how many more callers are in.
    ///
    /// # Errors
    /// If the functions are none, or not those that the workload calls, and if the store cannot be written.
    pub async fn prepare(
        runtime: &Runtime,
        store: Arc<dyn Backend>,
        keys: Keys,
        functions: Vec<u8>,
        workload: Workload,
        mut progress: impl FnMut(u64),
    ) -> Result<Self, BenchError> {
        let run = Uuid::new_v4().to_string();
        let definition =
            AgentDefinition { scope: scope(&run, "sandbox"), functions, configuration: CONFIGURATION.into() };
        let agent = runtime.load_agent(definition).await?;
        let sandboxed = Arc::new(Sandboxed::new(agent.clone())?);
        let bare = Arc::new(Bare::new(Arc::clone(&store), keys, scope(&run, "bare"))?);
        fill(&Arc::new(agent), &store, workload, &mut progress).await?;
        fill(&bare, &store, workload, &mut progress).await?;
        Ok(Self { workload, scope_name: run, sandboxed, bare })
    }

    /// The project that its callers are in, within the account [`ACCOUNT`](crate::ACCOUNT).
    pub fn project(&self) -> &str {
        &self.scope_name
    }

    /// Plays the workload one way and in one piece, for a profiler to look at.
    ///
    /// # Errors
    /// As [`measure`](Bench::measure).
    pub async fn play(&self, way: Way, concurrency: u32) -> Result<Figures, BenchError> {
        let (clients, numbers) = (u64::from(concurrency.max(1)), 0..self.workload.conversations);
        let mut figures = Figures::none();
        match way {
            Way::Sandboxed => self.slice(&self.sandboxed, clients, numbers, &mut figures).await?,
            Way::Bare => self.slice(&self.bare, clients, numbers, &mut figures).await?,
        }
        Ok(figures)
    }

    /// Plays the workload both ways, with so many clients at once.
    ///
    /// # Errors
    /// If a conversation does not go as planned, and if the store fails.
    pub async fn measure(&self, concurrency: u32) -> Result<Measured, BenchError> {
        let Workload { conversations, .. } = self.workload;
        let clients = u64::from(concurrency.max(1));
        let warm_up = 0..WARM_UP.min(conversations);
        self.slice(&self.sandboxed, clients, warm_up.clone(), &mut Figures::none()).await?;
        self.slice(&self.bare, clients, warm_up, &mut Figures::none()).await?;

        let slices = (conversations / clients.saturating_mul(SLICE)).clamp(1, SLICES);
        let (mut sandboxed, mut bare) = (Figures::none(), Figures::none());
        for slice in 0..slices {
            let numbers = conversations * slice / slices..conversations * (slice + 1) / slices;
            if slice % 2 == 0 {
                self.slice(&self.sandboxed, clients, numbers.clone(), &mut sandboxed).await?;
                self.slice(&self.bare, clients, numbers, &mut bare).await?;
            } else {
                self.slice(&self.bare, clients, numbers.clone(), &mut bare).await?;
                self.slice(&self.sandboxed, clients, numbers, &mut sandboxed).await?;
            }
        }
        let (workload, peak_rss_mb) = (self.workload, tenths(peak_rss_mb()));
        Ok(Measured { concurrency, workload, sandboxed, bare, peak_rss_mb })
    }

    /// Plays the conversations of these numbers, each client one after another, and adds up what it took.
    async fn slice<P: Player>(
        &self,
        player: &Arc<P>,
        clients: u64,
        numbers: std::ops::Range<u64>,
        figures: &mut Figures,
    ) -> Result<(), BenchError> {
        let plans: Arc<[Plan]> = numbers.map(|number| self.workload.plan(number)).collect();
        let next = Arc::new(AtomicU64::new(0));
        let mut tasks = JoinSet::new();
        let (began, cpu_before) = (Instant::now(), cpu());
        for _ in 0..clients {
            let (player, plans, next) = (Arc::clone(player), Arc::clone(&plans), Arc::clone(&next));
            tasks.spawn(async move {
                let mut times = Times::default();
                let take = || plans.get(usize::try_from(next.fetch_add(1, Ordering::Relaxed)).ok()?);
                while let Some(plan) = take() {
                    player.play(plan, &mut times).await?;
                }
                Ok::<_, BenchError>(times)
            });
        }
        let mut times = Vec::new();
        while let Some(client) = tasks.join_next().await {
            times.push(client.map_err(|_| BenchError::Task)??);
        }
        figures.add(began.elapsed(), cpu().saturating_sub(cpu_before), &times);
        Ok(())
    }
}

impl Measured {
    /// How many conversations a second there are in the sandbox, of those that there are without it.
    pub fn ratio(&self) -> f64 {
        self.sandboxed.conversations_per_s() / self.bare.conversations_per_s().max(f64::MIN_POSITIVE)
    }
}

impl Serialize for Measured {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { concurrency, workload, sandboxed, bare, peak_rss_mb } = self;
        let commit_us = bare.commit_us();
        let Quantiles { p50, p99, .. } = bare.turn_us();
        Line {
            concurrency: *concurrency,
            identities: workload.identities,
            conversations: workload.conversations,
            conversations_per_s: tenths(sandboxed.conversations_per_s()),
            cpu_us_per_turn: tenths(sandboxed.cpu_us_per_turn()),
            turn_us: sandboxed.turn_us(),
            commit_us: sandboxed.commit_us(),
            peak_rss_mb: *peak_rss_mb,
            bare: BareLine {
                conversations_per_s: tenths(bare.conversations_per_s()),
                cpu_us_per_turn: tenths(bare.cpu_us_per_turn()),
                turn_us: Latencies { p50, p99 },
                commit_us,
            },
        }
        .serialize(serializer)
    }
}

#[derive(Serialize)]
struct Line {
    concurrency: u32,
    identities: u64,
    conversations: u64,
    conversations_per_s: f64,
    cpu_us_per_turn: f64,
    turn_us: Quantiles,
    commit_us: Latencies,
    peak_rss_mb: f64,
    bare: BareLine,
}

#[derive(Serialize)]
struct BareLine {
    conversations_per_s: f64,
    cpu_us_per_turn: f64,
    turn_us: Latencies,
    commit_us: Latencies,
}
