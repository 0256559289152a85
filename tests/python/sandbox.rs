//! What differs between turns, what there is not, and what happens when there is not enough.

use agent_memory_host::{LogLevel, StopReason, TurnOutcome};
use serde_json::{Value, json};

use crate::support::{Desk, call, failure, state, value};

const CALLER: &str = "+441632960001";

#[tokio::test]
async fn nothing_that_was_worked_out_when_the_agent_was_built_leaks_into_turns() {
    let desk = Desk::probe("{}").await;
    let mut conversation = desk.call_from(CALLER).await;
    let first = value(&mut conversation, "chance", json!({})).await;
    let second = value(&mut conversation, "chance", json!({})).await;
    let third = value(&mut desk.call_from("+441632960002").await, "chance", json!({})).await;
    for (name, found) in first.as_object().unwrap() {
        if name == "calls" {
            assert_eq!((found, &second[name], &third[name]), (&json!(1), &json!(1), &json!(1)), "a fresh sandbox each");
        } else {
            assert!(*found != second[name] && *found != third[name] && second[name] != third[name], "{name}: {found}");
        }
    }
    let seeded = value(&mut conversation, "seeded", json!({})).await;
    assert_eq!(seeded, value(&mut conversation, "seeded", json!({})).await, "who asks for the same gets the same");
    assert_eq!(seeded[0], seeded[1]);
}

#[tokio::test]
async fn time_is_the_hosts_and_time_zones_are_there() {
    let desk = Desk::probe("{}").await;
    let mut conversation = desk.call_from(CALLER).await;
    let expected = |now: &str, time: f64, today: &str, central: &str| {
        json!({
            "now": format!("{now}+00:00"), "naive": now, "again": true, "time": time, "today": today, "central": central,
            "zones": true, "monotonic_runs": true, "parsed": "2026-03-02",
        })
    };
    let found = value(&mut conversation, "clock", json!({})).await;
    assert_eq!(found, expected("2026-03-02T10:20:00", 1_772_446_800.0, "2026-03-02", "04:20 CST"));
    desk.clock.set("2019-07-01T03:00:00Z".parse().unwrap());
    let found = value(&mut conversation, "clock", json!({})).await;
    assert_eq!(found, expected("2019-07-01T03:00:00", 1_561_950_000.0, "2019-07-01", "22:00 CDT"));
}

#[tokio::test]
async fn what_cannot_work_says_so_where_it_is_used() {
    let desk = Desk::probe("{}").await;
    let mut conversation = desk.call_from(CALLER).await;
    for (function, name, word) in [
        ("thread", "SandboxError", "functions have no threads"),
        ("thread_pool", "SandboxError", "functions have no threads"),
        ("connect", "NetworkError", "functions have no network"),
        ("own_socket", "NetworkError", "functions have no network"),
        ("fetch", "SandboxError", "no access to a network"),
        ("secure", "SandboxError", "`ssl.create_default_context` does not work here"),
        ("native", "SandboxError", "`ctypes.CDLL` does not work here: functions have no access to native code"),
        ("process", "OSError", "does not support processes"),
        ("process_pool", "ProcessError", "functions have no processes"),
        ("process_start", "ProcessError", "functions have no processes"),
        ("process_lock", "ProcessError", "functions have no processes"),
        (
            "process_executor",
            "SandboxError",
            "ProcessPoolExecutor` does not work here: functions have no access to processes",
        ),
        ("write_file", "OSError", "files cannot be written here"),
        ("read_other_file", "FileNotFoundError", "/etc/passwd"),
    ] {
        let error = failure(&mut conversation, function, json!({})).await;
        assert_eq!(error.name, name, "{function}: {error:?}");
        assert!(error.message.contains(word), "{function}: {error:?}");
        assert!(error.trace.contains("File \"probe/limits.py\", line "), "{function}: {error:?}");
        assert!(!error.trace.contains("/python/"), "{function}: {error:?}");
    }
    let error = failure(&mut conversation, "import_late", json!({"name": "colorsys"})).await;
    assert!(error.message.contains("there are no files in a turn"), "{error:?}");
    assert_eq!(value(&mut conversation, "import_late", json!({"name": "json"})).await, "json");
    let environment = value(&mut conversation, "environment", json!({})).await;
    assert_eq!(environment, json!({"variables": [], "arguments": [], "path": []}));
}

#[tokio::test]
async fn the_projects_own_files_can_be_read() {
    let desk = Desk::probe("{}").await;
    let mut conversation = desk.call_from(CALLER).await;
    let content = json!({"cheeses": ["brie", "feta"]});
    let found = value(&mut conversation, "read_files", json!({})).await;
    for way in ["open", "path", "resources"] {
        assert_eq!(found[way], content, "{way}");
    }
    assert_eq!(found["bytes"], json!(30));
    assert_eq!(found["exists"], json!([true, true, false]));
    assert_eq!(found["listed"], json!(["data.json"]));
}

#[tokio::test]
async fn what_python_prints_and_logs_by_itself_is_in_the_log() {
    let desk = Desk::probe("{}").await;
    let mut conversation = desk.call_from(CALLER).await;
    let logs = call(&mut conversation, "speak_elsewhere", json!({})).await.logs;
    let found: Vec<_> = logs.iter().map(|entry| (entry.level, entry.content.as_str())).collect();
    let expected = [
        (LogLevel::Info, "printed"),
        (LogLevel::Warning, "printed as an error"),
        (LogLevel::Warning, "logged by Python's own logging"),
    ];
    assert_eq!(found, expected);
}

#[tokio::test]
async fn w6_a_turn_that_uses_up_its_sandbox_is_stopped_and_the_conversation_goes_on() {
    let desk = Desk::probe("{}").await;
    let mut conversation = desk.call_from(CALLER).await;
    let turn = call(&mut conversation, "endless", json!({})).await;
    let TurnOutcome::Stopped(stop) = &turn.outcome else { panic!("{turn:?}") };
    assert_eq!(stop.reason, StopReason::TimeLimit);
    assert!(turn.say.is_empty());
    assert_eq!(state(&conversation, "lost"), None);

    assert_eq!(value(&mut conversation, "allocate", json!({"mebibytes": 20})).await, json!(20 << 20));
    let error = failure(&mut conversation, "allocate", json!({"mebibytes": 200})).await;
    assert_eq!(error.name, "MemoryError");
    let error = failure(&mut conversation, "exit_program", json!({})).await;
    assert_eq!((&*error.name, &*error.message), ("SystemExit", "leaving"));
}

#[tokio::test]
async fn an_endless_recursion_is_an_error_that_a_function_can_catch() {
    let desk = Desk::probe("{}").await;
    let mut conversation = desk.call_from(CALLER).await;
    for function in ["recurse", "recurse_through_python_and_c"] {
        let error = failure(&mut conversation, function, json!({})).await;
        assert_eq!(error.name, "RecursionError", "{function}: {error:?}");
    }
    // Python itself has no limit for these, so that the sandbox has to end them.
    for function in ["parse_deeply", "nest_deeply"] {
        let turn = call(&mut conversation, function, json!({})).await;
        let TurnOutcome::Stopped(stop) = &turn.outcome else { panic!("{turn:?}") };
        assert_eq!(stop.reason, StopReason::Trap, "{function}: {stop:?}");
        assert!(stop.message.contains("stack overflowed"), "{function}: {stop:?}");
    }
    assert_eq!(value(&mut conversation, "import_late", json!({"name": "json"})).await, "json");
}

#[tokio::test]
async fn values_nest_as_deeply_as_the_contract_allows() {
    let desk = Desk::probe("{}").await;
    let mut conversation = desk.call_from(CALLER).await;
    let deep = (1..120).fold(json!([]), |inner, _| json!([inner]));
    value(&mut conversation, "put", json!({"key": "deep", "value": deep})).await;
    assert_eq!(value(&mut conversation, "look", json!({"key": "deep"})).await, deep);
    let found: Option<Value> = state(&conversation, "deep");
    assert_eq!(found, Some(deep));
}
