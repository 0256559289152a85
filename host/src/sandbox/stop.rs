//! Why a turn was stopped.

use wasmtime::{Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use super::Sandbox;
use crate::error::shortened;
use crate::turn::{Stop, StopReason};

/// The most frames of a stack that a report has.
const FRAMES: usize = 32;

/// What the host stops a turn for. A trap is whatever else ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Stopping {
    #[error("the turn ran out of time")]
    TimeLimit,
    #[error("the turn handed over too much")]
    OutputLimit,
}

impl Sandbox {
    /// Names what ended a turn.
    pub(super) fn stop(&self, error: &wasmtime::Error) -> Stop {
        let (reason, message) = self.why(error);
        Stop { reason, message, trace: trace(error) }
    }

    fn why(&self, error: &wasmtime::Error) -> (StopReason, String) {
        let trap = error.downcast_ref::<Trap>();
        match error.downcast_ref::<Stopping>() {
            Some(Stopping::TimeLimit) => (StopReason::TimeLimit, "it ran for longer than a turn may".to_owned()),
            Some(Stopping::OutputLimit) => (StopReason::OutputLimit, "it handed over more than a turn may".to_owned()),
            None if is_transfer_limit(error) => {
                (StopReason::OutputLimit, "it handed over more at once than a turn may".to_owned())
            }
            None if self.memory.refused => {
                (StopReason::MemoryLimit, "it wanted more memory than a turn may have".to_owned())
            }
            None => (StopReason::Trap, trap.map_or_else(|| untyped(error), |trap| self.describe(trap))),
        }
    }

    /// What a trap means to an author.
    fn describe(&self, trap: &Trap) -> String {
        match trap {
            Trap::StackOverflow => "its stack overflowed: is there a recursion without an end?".into(),
            Trap::UnreachableCodeReached => {
                let has_printed = self.wasi.as_ref().is_some_and(|wasi| wasi.has_printed());
                let hint = if self.effects.has_logged() || has_printed { ": see its log" } else { "" };
                format!("it aborted, as a panic or an uncaught error does{hint}")
            }
            trap => trap.to_string().trim_start_matches("wasm trap: ").to_owned(),
        }
    }
}

/// Whether wasmtime refused to copy as much as a function handed over in one call. The error has no type.
fn is_transfer_limit(error: &wasmtime::Error) -> bool {
    error.chain().any(|cause| cause.to_string().contains("fuel allocated for hostcalls has been exhausted"))
}

/// What ended a turn and is no trap of wasm's own.
fn untyped(error: &wasmtime::Error) -> String {
    if let Some(I32Exit(status)) = error.downcast_ref() {
        return format!("it ended its program with status {status}: a function has to return");
    }
    shortened(error.root_cause().to_string().lines().next().unwrap_or_default()).into_owned()
}

fn trace(error: &wasmtime::Error) -> String {
    let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() else { return String::new() };
    let names = backtrace.frames().iter().filter_map(|frame| frame.func_name());
    names.take(FRAMES).map(|name| format!("at {}", shortened(name))).collect::<Vec<_>>().join("\n")
}
