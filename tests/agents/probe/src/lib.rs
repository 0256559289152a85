//! An agent for tests of the host: one function for each behaviour, good or bad.
//!
//! JSON goes in and out as the texts that they are, so that a test sees what the host did to them.

mod effects;
mod limits;
mod values;

use agent_memory_sdk::{Conversation, Error, RawValue, export, function};

use effects::{
    act, attributes, compute_then_request, handoff, history, log, log_much, malformed, metric, metric_events, request,
    request_then_loop, say, say_much,
};
use limits::{
    allocate, allocate_all, allocate_forever, count, fail, loop_forever, panic, recurse_forever, return_bytes,
    set_then_fail, set_then_loop, set_then_trap, try_allocate, unreachable,
};
use values::{get, memory_contains, memory_fields, memory_get, memory_len, remove, set, set_many, set_opaque, state};

/// Any JSON, as its exact text.
type Json = Box<RawValue>;

export!(
    start_function,
    end_function,
    memory_get,
    memory_fields,
    memory_len,
    memory_contains,
    state,
    get,
    set,
    set_opaque,
    set_many,
    remove,
    attributes,
    history,
    metric_events,
    say,
    say_much,
    log,
    log_much,
    metric,
    handoff,
    act,
    request,
    request_then_loop,
    compute_then_request,
    malformed,
    fail,
    panic,
    unreachable,
    set_then_fail,
    set_then_trap,
    set_then_loop,
    loop_forever,
    allocate,
    try_allocate,
    allocate_all,
    allocate_forever,
    recurse_forever,
    return_bytes,
    count,
);

/// Sets the state key `started`, if the state has the key `probe_start`.
#[function]
fn start_function(conv: &Conversation) -> Result<(), Error> {
    if conv.state().value("probe_start").is_some() {
        conv.state().set("started", &true)?;
    }
    Ok(())
}

/// With the state key `probe_end`: sets the state key `ended`, and then ends in the way that it names.
#[function]
fn end_function(conv: &Conversation) -> Result<(), Error> {
    let Some(way) = conv.state().get::<String>("probe_end")? else { return Ok(()) };
    conv.state().set("ended", &true)?;
    match &*way {
        "set" => Ok(()),
        "fail" => Err(Error::new("ProbeFailed", "end_function was told to fail")),
        "trap" => limits::trap(),
        "loop" => limits::endless(),
        _ => Err(Error::new("ProbeMisused", "probe_end is one of set, fail, trap, loop")),
    }
}
