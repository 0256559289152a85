//! It keeps in statics, on the heap and in a thread's own what it was called with, to find it in the next turn.

use std::cell::Cell;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use agent_memory_sdk::{Conversation, function};

static CALLS: AtomicU32 = AtomicU32::new(0);
static CALLERS: Mutex<Vec<String>> = Mutex::new(Vec::new());

thread_local! {
    static OWN_CALLS: Cell<u32> = const { Cell::new(0) };
}

/// Returns who has called so far beside this caller, and how often.
#[function]
pub(crate) fn rust_keeps_in_a_static(conv: &Conversation) -> (u32, u32, usize) {
    let mut callers = CALLERS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    callers.push(conv.attributes().caller_number.unwrap_or_default());
    OWN_CALLS.set(OWN_CALLS.get() + 1);
    (CALLS.fetch_add(1, Ordering::Relaxed) + 1, OWN_CALLS.get(), callers.len())
}
