//! `cargo fuzz run policy`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| agent_memory_fuzz::policy(data));
