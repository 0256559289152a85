//! Failing, and using up what the sandbox allows.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering};

use agent_memory_sdk::{Conversation, Error, Handoff, Metric, function};

use crate::Json;

#[function]
pub(crate) fn fail(_: &Conversation, message: String) -> Result<(), Error> {
    Err(Error::new("ProbeFailed", &message))
}

#[expect(clippy::panic, reason = "this is what the function is for")]
#[function]
pub(crate) fn panic(_: &Conversation, message: String) {
    panic!("{message}");
}

#[function]
pub(crate) fn unreachable(_: &Conversation) {
    trap();
}

#[function]
pub(crate) fn set_then_fail(conv: &Conversation, key: String, value: Json) -> Result<(), Error> {
    leave_traces(conv, &key, &value)?;
    Err(Error::new("ProbeFailed", "the function was told to fail"))
}

#[function]
pub(crate) fn set_then_trap(conv: &Conversation, key: String, value: Json) -> Result<(), Error> {
    leave_traces(conv, &key, &value)?;
    trap()
}

#[function]
pub(crate) fn set_then_loop(conv: &Conversation, key: String, value: Json) -> Result<(), Error> {
    leave_traces(conv, &key, &value)?;
    endless()
}

#[function]
pub(crate) fn loop_forever(_: &Conversation) {
    endless();
}

/// Allocates that many bytes, writes to all of them, and returns how many there are.
#[function]
pub(crate) fn allocate(_: &Conversation, bytes: usize) -> usize {
    black_box(vec![1_u8; bytes]).len()
}

/// Tells whether that many bytes can be allocated, and leaves them unused. Allocates a little more after it.
#[function]
pub(crate) fn try_allocate(_: &Conversation, bytes: usize) -> bool {
    let got_them = black_box(Vec::<u8>::new()).try_reserve_exact(bytes).is_ok();
    black_box(vec![1_u8; 1 << 20]);
    got_them
}

/// Sets the state key `used_up`, takes all memory that there is but for a little of its own, and returns.
#[function]
pub(crate) fn allocate_all(conv: &Conversation) -> Result<(), Error> {
    conv.state().set("used_up", &true)?;
    let reserve = black_box(vec![1_u8; 4 << 10]);
    let mut size = 1 << 20;
    while size > 0 {
        let mut block = Vec::<u8>::new();
        match block.try_reserve_exact(size) {
            Ok(()) => std::mem::forget(black_box(block)),
            Err(_) => size /= 2,
        }
    }
    drop(reserve);
    Ok(())
}

#[function]
pub(crate) fn allocate_forever(_: &Conversation) {
    let mut kept = Vec::new();
    loop {
        kept.push(black_box(vec![1_u8; 1 << 20]));
    }
}

#[function]
pub(crate) fn recurse_forever(_: &Conversation) -> u64 {
    deeper(0)
}

/// Returns a text of that many bytes, quotes not counted.
#[function]
pub(crate) fn return_bytes(_: &Conversation, n: usize) -> String {
    "x".repeat(n)
}

/// How often this function has been called in this sandbox: always 1 if nothing outlives a turn.
#[function]
pub(crate) fn count(_: &Conversation) -> u32 {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    CALLS.fetch_add(1, Ordering::Relaxed) + 1
}

/// Ends the sandbox at once and without a word, as a panic would not.
pub(crate) fn trap() -> ! {
    #[cfg(target_arch = "wasm32")]
    core::arch::wasm32::unreachable();
    #[cfg(not(target_arch = "wasm32"))]
    std::process::abort();
}

pub(crate) fn endless() -> ! {
    loop {
        black_box(());
    }
}

pub(crate) fn compute(rounds: u64) {
    for round in 0..rounds {
        black_box(round);
    }
}

/// One of everything that a stopped turn loses, and a log entry, which it does not.
fn leave_traces(conv: &Conversation, key: &str, value: &Json) -> Result<(), Error> {
    conv.state().set(key, value)?;
    conv.say("said before the end");
    conv.write_metric(Metric::new("written_before_the_end"))?;
    conv.handoff(Handoff::to("handed_over_before_the_end").reason("told to"))?;
    conv.act("asked_before_the_end", &BTreeMap::<String, String>::new())?;
    conv.log().info("logged before the end");
    Ok(())
}

#[expect(unconditional_recursion, reason = "this is what the function is for")]
fn deeper(depth: u64) -> u64 {
    black_box(deeper(black_box(depth + 1)) + 1)
}
