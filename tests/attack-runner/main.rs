//! Hostile functions: every folder of `tests/attacks` is one, with its source and, in `outcome.txt`, the outcome that it must
//! have. After each the same has to be true: see `fight.rs`.
//!
//! With `AGENT_MEMORY_BLESS` set, `outcome.txt` is written anew instead of compared.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test has nobody else to tell"
)]
#![cfg(target_os = "linux")]

mod arena;
mod component;
mod fight;
mod generate;

use std::fs;
use std::path::PathBuf;

use agent_memory_tests::root;

/// Makes a test of each attack.
macro_rules! attacks {
    ($($name:ident,)*) => {
        $(
            #[test]
            fn $name() {
                fight::run(&stringify!($name).replace('_', "-"));
            }
        )*

        #[test]
        fn no_attack_is_without_its_test_and_no_test_without_its_attack() {
            let tests: Vec<_> = [$(stringify!($name)),*].map(|name| name.replace('_', "-")).into();
            assert_eq!(tests, names(), "the table in `main.rs`, and the folders of `tests/attacks`");
        }
    };
}

attacks! {
    actions_10_gb,
    all_the_memory,
    answer_misaligned,
    answer_out_of_bounds,
    argument_without_a_case,
    calls_what_is_no_function,
    clock_that_ticks,
    components_nested_1000_deep,
    deep_json_asked_for,
    deep_json_in_the_state,
    deep_json_returned,
    describe_asks_the_platform,
    describe_has_a_long_name,
    describe_has_a_long_name_twice,
    describe_is_endless,
    describe_is_large,
    describe_is_no_text,
    describe_loops,
    describe_points_nowhere,
    describe_says_10_gb,
    describe_traps,
    describe_uses_the_policy,
    describe_wants_memory,
    divides_by_zero,
    endless_loop,
    environment_variables,
    exports_900_things,
    exports_a_policy,
    fails_with_10_mb,
    fifty_megabytes,
    fifty_megabytes_of_nothing,
    fifty_megabytes_of_one_function,
    files,
    functions_of_another_type,
    handle_dropped_twice,
    handle_made_up,
    handle_of_another_type,
    handles_without_end,
    huge_key,
    huge_number_remembered,
    huge_number_returned,
    huge_value,
    imports_1000_things,
    imports_misspelt,
    imports_network,
    imports_store,
    imports_the_policy,
    instances_10000,
    instances_doubled_30_times,
    invalid_utf_8_remembered,
    invalid_utf_8_returned,
    invalid_utf_8_said,
    javascript_backtracks,
    javascript_breaks_the_sdk,
    javascript_keeps_in_a_module,
    javascript_leaves_a_timer,
    javascript_loops_in_microtasks,
    javascript_never_resolves,
    javascript_recurses,
    javascript_returns_a_trap,
    javascript_swallows_the_stop,
    javascript_takes_all_memory,
    keeps_in_a_global,
    log_10_gb,
    memory_at_once,
    memory_exhaustion,
    memory_of_another_type,
    metrics_10_gb,
    network_names,
    network_tcp,
    network_udp,
    post_return_calls_back,
    post_return_loops,
    post_return_traps,
    pretends_to_be_the_policy,
    prints_10_gb,
    prints_empty_lines,
    python_aborts,
    python_backtracks,
    python_computes_in_c,
    python_exits,
    python_forges_memory,
    python_keeps_in_a_module,
    python_leaves_without_a_word,
    python_looks_for_the_policy,
    python_measures_time,
    python_reads_files,
    python_recurses_in_c,
    python_swallows_the_stop,
    python_takes_all_memory,
    python_traps_in_a_finalizer,
    random_10_gb,
    random_64_mib_again_and_again,
    realloc_calls_back,
    realloc_calls_the_policy,
    realloc_gives_the_same_place_twice,
    realloc_loops,
    realloc_misaligned,
    realloc_points_nowhere,
    realloc_traps,
    realloc_traps_under_the_policy,
    request_never_answered,
    requests_10_gb,
    result_misaligned,
    result_out_of_bounds,
    result_without_a_case,
    returns_10_mb,
    returns_all_of_memory,
    returns_no_json,
    rust_catches_its_panic,
    rust_keeps_in_a_static,
    rust_reads_another_callers_memory,
    rust_scans_the_heap,
    say_10_gb,
    say_nothing_without_end,
    scans_a_table,
    scans_memory,
    stack_exhaustion,
    stack_exhaustion_before_the_host,
    start_loops,
    start_traps,
    state_10_gb,
    state_overwritten_10_gb,
    table_exhaustion,
    text_around_the_end,
    text_out_of_bounds,
    trace_of_long_names,
    traps,
    unknown_handoff,
    value_that_fills_memory,
    waits_for_a_clock,
    zeroes_10_gb,
}

/// The folder of an attack.
fn folder(name: &str) -> PathBuf {
    root().join("tests/attacks").join(name)
}

/// The names of all attacks that there are.
fn names() -> Vec<String> {
    let entries = fs::read_dir(root().join("tests/attacks")).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
