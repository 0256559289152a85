//! Where an agent's functions run: in this process, or in a worker.

use std::sync::Arc;

use crate::bindings::functions;
use crate::code_cache::Code;
use crate::places::Place;
use crate::runtime::Shared;
use crate::sandbox::{Environment, Program, TurnRequest, TurnResult};
use crate::{ComponentError, PolicyFailure};

#[cfg(unix)]
use crate::workers::Remote;

/// Functions joined with the policy, and the process that they run in.
pub(crate) enum Runner {
    Here(Arc<Program>),
    #[cfg(unix)]
    Worker(Remote),
}

impl Runner {
    /// Prepares a joined component.
    pub(crate) fn new(shared: &Shared, code: Code, imports_wasi: bool) -> Result<Self, ComponentError> {
        #[cfg(unix)]
        if let Some(workers) = shared.workers.as_ref().filter(|workers| workers.run(imports_wasi)) {
            return Ok(Self::Worker(Remote::new(Arc::clone(workers), code, imports_wasi)?));
        }
        let program = Program::new(&shared.engine, &code.component, imports_wasi)?;
        Ok(Self::Here(Arc::new(program)))
    }

    /// Asks the functions what they are.
    pub(crate) async fn describe(
        &self,
        environment: &Arc<Environment>,
        place: Place,
    ) -> Result<Vec<functions::Function>, ComponentError> {
        match self {
            Self::Here(program) => Arc::clone(program).describe(Arc::clone(environment), place).await,
            #[cfg(unix)]
            Self::Worker(remote) => remote.describe().await,
        }
    }

    /// Runs a turn.
    pub(crate) async fn run(
        &self,
        environment: &Arc<Environment>,
        place: Place,
        request: TurnRequest,
    ) -> Result<TurnResult, PolicyFailure> {
        match self {
            Self::Here(program) => Arc::clone(program).run(Arc::clone(environment), place, request).await,
            #[cfg(unix)]
            Self::Worker(remote) => remote.run(environment, request).await,
        }
    }
}
