//! One turn in one sandbox.

use crate::configuration::{KeyRules, Limits, Settings};
use crate::error::InputError;
use crate::memory::{Memory, StoredField};
use crate::session::session_expiry;
use crate::state::{State, StateEntry};
use crate::timestamp::Timestamp;

/// What a turn begins with.
#[derive(Clone, Debug)]
pub struct Turn {
    /// The configuration.
    pub settings: Settings,
    /// What the store holds on the caller.
    pub fields: Vec<StoredField>,
    /// The conversation's state.
    pub state: Vec<StateEntry>,
    /// The time.
    pub now: Timestamp,
}

/// A sandbox, which takes one turn in its life.
///
/// Before and after its turn its memory is empty, and its state takes nothing.
#[derive(Debug)]
pub struct Sandbox {
    phase: Phase,
    memory: Memory,
    state: State,
}

#[derive(Debug, PartialEq, Eq)]
enum Phase {
    Before,
    Running,
    After,
}

impl Sandbox {
    /// A sandbox that has not begun its turn.
    pub fn new() -> Self {
        Self { phase: Phase::Before, memory: Memory::default(), state: closed() }
    }

    /// Begins the turn, and tells when the session is to be deleted if nothing happens after it.
    pub fn begin(&mut self, turn: Turn) -> Result<Timestamp, InputError> {
        if self.phase != Phase::Before {
            return Err(InputError::OutOfOrder);
        }
        let rules = KeyRules::from_settings(&turn.settings)?;
        let memory = Memory::new(&rules, turn.fields, turn.now);
        self.state = State::new(rules, turn.state)?;
        self.memory = memory;
        self.phase = Phase::Running;
        Ok(session_expiry(turn.now))
    }

    /// Finishes the turn: the state as functions left it.
    pub fn finish(&mut self) -> Result<Vec<StateEntry>, InputError> {
        if self.phase != Phase::Running {
            return Err(InputError::OutOfOrder);
        }
        self.phase = Phase::After;
        self.memory = Memory::default();
        Ok(std::mem::replace(&mut self.state, closed()).into_entries())
    }

    /// The caller's memory.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// The conversation's state.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The conversation's state, to be changed.
    pub fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::new()
    }
}

/// A state that takes nothing.
fn closed() -> State {
    State::empty(KeyRules::new(
        Limits { key_bytes: 0, value_bytes: 0, state_keys: 0, state_bytes: 0 },
        false,
        Vec::new(),
    ))
}
