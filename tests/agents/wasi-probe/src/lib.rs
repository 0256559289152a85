//! An agent for tests of the host: shows what the sandbox's clocks, random numbers, environment and files are.

use agent_memory_sdk::{Conversation, Error, export, function};
use serde::Serialize;

use bindings::wasi;

mod bindings {
    #![allow(unsafe_code, reason = "generated")]
    #![allow(clippy::allow_attributes_without_reason, reason = "generated")]

    wit_bindgen::generate!({ path: "wit", generate_all });
}

export!(wall_clock, monotonic_elapsed, random, environment, preopens, print, wait_forever, hoard_forever, exit);

/// What a wall clock shows.
#[derive(Serialize)]
struct Time {
    seconds: u64,
    nanoseconds: u32,
}

/// What a program is started with.
#[derive(Serialize)]
struct Environment {
    variables: Vec<(String, String)>,
    arguments: Vec<String>,
}

/// The wall clock, read twice with work between.
#[function]
fn wall_clock(_: &Conversation) -> [Time; 2] {
    let read = || {
        let time = wasi::clocks::wall_clock::now();
        Time { seconds: time.seconds, nanoseconds: time.nanoseconds }
    };
    let first = read();
    work();
    [first, read()]
}

/// The nanoseconds that the monotonic clock counts during some work.
#[function]
fn monotonic_elapsed(_: &Conversation) -> u64 {
    let start = wasi::clocks::monotonic_clock::now();
    work();
    wasi::clocks::monotonic_clock::now().saturating_sub(start)
}

/// Two random numbers.
#[function]
fn random(_: &Conversation) -> [u64; 2] {
    [wasi::random::random::get_random_u64(), wasi::random::random::get_random_u64()]
}

#[function]
fn environment(_: &Conversation) -> Environment {
    Environment {
        variables: wasi::cli::environment::get_environment(),
        arguments: wasi::cli::environment::get_arguments(),
    }
}

/// The paths of the folders that can be reached.
#[function]
fn preopens(_: &Conversation) -> Vec<String> {
    wasi::filesystem::preopens::get_directories().into_iter().map(|(_, path)| path).collect()
}

/// Prints a text, of at most 4 KiB, that many times.
#[function]
fn print(
    _: &Conversation,
    /// `stdout` or `stderr`.
    output: String,
    text: String,
    times: usize,
) -> Result<(), Error> {
    let stream = match &*output {
        "stdout" => wasi::cli::stdout::get_stdout(),
        "stderr" => wasi::cli::stderr::get_stderr(),
        _ => return Err(Error::new("ProbeMisused", "output is one of stdout, stderr")),
    };
    let printed = (0..times).try_for_each(|_| stream.blocking_write_and_flush(text.as_bytes()));
    printed.map_err(|error| Error::new("NotPrinted", &format!("{error:?}")))
}

/// Waits for an hour, without computing.
#[function]
fn wait_forever(_: &Conversation) {
    wasi::clocks::monotonic_clock::subscribe_duration(3_600_000_000_000).block();
}

/// Takes one thing after the other from the host and gives none back.
#[function]
fn hoard_forever(_: &Conversation) {
    loop {
        std::mem::forget(wasi::clocks::monotonic_clock::subscribe_duration(0));
    }
}

/// Ends the program as if all had gone well.
#[function]
fn exit(_: &Conversation) {
    wasi::cli::exit::exit(Ok(()));
}

/// Takes at least some microseconds.
fn work() {
    (0..100_000_u32).for_each(|i| {
        std::hint::black_box(i);
    });
}
