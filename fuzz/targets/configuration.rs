//! `cargo fuzz run configuration`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| agent_memory_fuzz::configuration(data));
