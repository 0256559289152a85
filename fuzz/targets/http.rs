//! `cargo fuzz run http`
#![no_main]

libfuzzer_sys::fuzz_target!(
    // Panics that the host catches are no finds. One that comes as far as libFuzzer ends the run all the same.
    init: drop(std::panic::take_hook()),
    |data: &[u8]| agent_memory_fuzz::http(data)
);
