//! It allocates without writing, and looks through what it was given, the stack included, for another caller's canary.

use agent_memory_sdk::{Conversation, function};

/// Returns how often it found the canary. The pieces of its name are put together only as they are looked for.
#[function]
pub(crate) fn rust_scans_the_heap(_: &Conversation) -> usize {
    // SAFETY: all of linear memory can be read, and nothing is written meanwhile.
    #[allow(unsafe_code, reason = "this is an attack")]
    let memory = unsafe { std::slice::from_raw_parts(1024 as *const u8, (core::arch::wasm32::memory_size(0) << 16) - 1024) };
    let canary = [b"can".as_slice(), b"ary-of-ano", b"ther-caller"];
    memory.windows(24).filter(|window| {
        let (first, rest) = window.split_at(3);
        let (second, third) = rest.split_at(10);
        first == canary[0] && second == canary[1] && third == canary[2]
    }).count()
}
