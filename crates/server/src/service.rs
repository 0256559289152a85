//! What all requests share.

use std::sync::Arc;
use std::time::Duration;

use agent_memory_host::{Clock, Runtime};
use jiff::Timestamp;

use crate::access::Tokens;
use crate::agents::Agents;
use crate::analytics::Figures;
use crate::conversations::Conversations;
use crate::observability::Observations;
use crate::rate::{Large, Rate};

/// What all requests share. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Service(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) runtime: Runtime,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) agents: Arc<Agents>,
    pub(crate) conversations: Conversations,
    pub(crate) figures: Figures,
    pub(crate) observations: Arc<Observations>,
    pub(crate) tokens: Option<Tokens>,
    pub(crate) rate: Option<Rate>,
    /// Components with their configuration, which are in memory as a whole.
    pub(crate) publications: Large,
    pub(crate) imports: Large,
    pub(crate) sweep_every: Option<Duration>,
}

impl Service {
    pub(crate) fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }

    /// The tokens. None: whoever can reach the service may do everything.
    pub(crate) fn tokens(&self) -> Option<&Tokens> {
        self.0.tokens.as_ref()
    }

    /// The time.
    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }
}

impl std::ops::Deref for Service {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}
