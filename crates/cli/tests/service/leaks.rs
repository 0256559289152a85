//! Canaries in requests, good and bad, searched for in all that the service tells of itself and leaves behind (rule P3).

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{SHOP, Service, cheese_shop, command, configuration};

/// All that is logged, but for what the compiler tells of each instruction: it sees no caller.
const EVERYTHING: &str = "trace,cranelift_codegen=warn,cranelift_frontend=warn,regalloc2=warn,\
                          wasmtime_internal_cranelift=warn,wasmtime_environ=warn";

const CALLER: &str = "+441632737475";

/// What of it is searched for.
const CANARIES: [&str; 2] = ["1632737475", "canary-"];

/// Files of a folder, all of what is below it included, that have a canary.
fn files_with_canaries(folder: &Path) -> Vec<String> {
    let mut grep = Command::new("grep");
    grep.arg("-rlaF");
    for canary in CANARIES {
        grep.args(["-e", canary]);
    }
    let output = grep.arg(folder).output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[track_caller]
fn assert_clean(what: &str, text: &str) {
    for canary in CANARIES {
        let line = text.lines().find(|line| line.contains(canary));
        assert!(line.is_none(), "{what}: {}", line.unwrap_or_default());
    }
}

/// A service that logs all it can, in a folder that has everything that it writes.
fn service(folder: &Path, store: &str, more: &[&str]) -> Service {
    let temporary = folder.join("tmp");
    fs::create_dir_all(&temporary).unwrap();
    // Whoever starts it would have core dumps of all sizes.
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -c unlimited && exec \"$0\" \"$@\""]);
    let serve = command(&["serve", "--store", store, "--listen", "127.0.0.1:0", "--workers", "1"]);
    shell.arg(serve.get_program()).args(serve.get_args());
    for (name, value) in serve.get_envs() {
        shell.env(name, value.unwrap_or_default());
    }
    shell.args([cheese_shop().to_str().unwrap(), "--config", configuration().to_str().unwrap()]).args(more);
    shell.current_dir(folder).env("RUST_LOG", EVERYTHING).env("TMPDIR", &temporary);
    shell.stdin(std::process::Stdio::null());
    Service::of(shell)
}

/// Everything that a client can do, rightly and wrongly. Gives the path of a conversation that goes on.
fn try_everything(service: &Service) -> String {
    let start = format!("{SHOP}/conversations");
    let new = json!({
        "id": "canary-conversation", "caller_number": CALLER, "sip_headers": {"X-Canary": "canary-header"},
        "integration_attributes": {"crm": "canary-attribute"}, "state": {"platform": "canary-platform"},
    });
    service.post(&start, new.clone());
    service.post(&start, new);
    let conversation = format!("{start}/canary-conversation");
    service.book(&conversation, "canary-cheese");
    service.book(&conversation, &"canary-cheese".repeat(1_000));
    for body in [
        json!({"function": "canary-function", "arguments": {"a": "canary-argument"}}),
        json!({"function": "book", "arguments": {"canary-name": "canary-argument"}}),
        json!({"function": "book", "arguments": "canary-argument"}),
        json!({"function": "hand_over", "arguments": {"reason": "canary-reason"}}),
    ] {
        service.post(&format!("{conversation}/calls"), body);
    }
    for (method, path, body) in [
        ("POST", start.clone(), "{\"caller_number\": \"canary-cut-off"),
        ("POST", start.clone(), "{\"caller_number\": [\"canary-list\"]}"),
        ("POST", start.clone(), "{\"canary-field\": 1}"),
        ("GET", format!("{start}/canary-unknown?canary-query=canary-value"), ""),
        ("POST", format!("{start}/canary-unknown/end"), "{}"),
        ("PATCH", format!("/canary-path/{CALLER}"), "canary-body"),
        ("GET", format!("/v1/agents/canary-account/p/e/conversations/{CALLER}"), ""),
        ("POST", format!("{SHOP}/memory/read"), "{\"identifier\": {\"canary-wrong\": 1}}"),
        (
            "POST",
            format!("{SHOP}/memory/patch"),
            "{\"identifier\": \"canary-who\", \"fields\": {\"mood\": {\"value\": 1}}}",
        ),
        ("POST", format!("{SHOP}/memory/import"), "{\"identifier\": \"canary-who\"}\ncanary-line"),
        ("PUT", SHOP.to_owned(), "canary-component"),
    ] {
        let headers = [("X-Canary", "canary-header"), ("Idempotency-Key", "canary-key"), ("Cookie", "canary-cookie")];
        let _ = service.try_request(method, &path, &headers, Some(body.as_bytes()));
    }
    let bearer = [("Authorization", "Bearer canary-token")];
    let _ = service.try_request("GET", "/v1/audit", &bearer, None);
    service.post(&format!("{SHOP}/memory/read"), json!({ "identifier": CALLER }));
    service.post(&format!("{SHOP}/memory/export"), json!({ "identifier": CALLER }));
    service.post(&format!("{conversation}/end"), json!({"outcome": {"qa": "canary-qa"}}));
    service.post(&format!("{conversation}/calls"), json!({"function": "book", "arguments": {}}));
    let other = service.call_from(CALLER);
    service.book(&other, "canary-other").expect(200);
    other
}

#[test]
fn p3_no_canary_is_in_what_the_service_tells_of_itself_or_leaves_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut service = service(folder.path(), "sqlite:memory.db", &[]);
    let conversation = try_everything(&service);
    for path in [
        "/metrics",
        "/v1/audit",
        "/v1/memory/health",
        "/dashboard/",
        "/dashboard/memory",
        "/dashboard/page.js",
        "/dashboard/memory.js",
        "/dashboard/analytics.js",
    ] {
        let answer = service.get(path);
        assert_eq!(answer.status, 200, "{path}");
        assert_clean(path, &answer.text);
    }
    // Analytics tell ids of conversations, and nothing else of a caller (A6).
    let analytics = service.get("/v1/analytics").text;
    assert!(!analytics.contains(CANARIES[0]) && !analytics.contains("canary-cheese"), "{analytics}");
    service.post(&format!("{SHOP}/memory/erase"), json!({ "identifier": CALLER })).expect(200);
    service.book(&conversation, "canary-still-here").expect(200);
    let log = service.log();
    assert!(log.contains("TRACE") && log.contains("DEBUG"), "it logs all it can");
    assert_clean("the log", &log);

    // It ends in the middle of a conversation, whose values are in its memory, and leaves nothing of it.
    let status = service.abort();
    assert_eq!(status.signal(), Some(6));
    assert!(!status.core_dumped(), "a core dump was made");
    assert_clean("the log", &service.log());
    assert_eq!(files_with_canaries(folder.path()), Vec::<String>::new());
}

#[test]
fn p3_a_process_that_compiles_refuses_core_dumps_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut compiler = command(&["compile-component"]);
    compiler.arg(folder.path()).stdin(std::process::Stdio::piped());
    let mut compiler = compiler.spawn().unwrap();
    let limits = format!("/proc/{}/limits", compiler.id());
    let limit = |name: &str| {
        let limits = fs::read_to_string(&limits).unwrap();
        let line = limits.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().to_owned()
    };
    // It waits for what it is to compile once it has taken everything else from itself.
    let began = Instant::now();
    while limit("Max cpu time") == "unlimited" {
        assert!(began.elapsed() < Duration::from_secs(60), "it takes nothing from itself");
        thread::sleep(Duration::from_millis(10));
    }
    thread::sleep(Duration::from_millis(50));
    let core = limit("Max core file size");
    compiler.kill().unwrap();
    compiler.wait().unwrap();
    assert_eq!(core, "1");
}

#[test]
fn a_store_in_plain_text_and_a_careless_program_show_what_the_search_would_find() {
    let folder = tempfile::tempdir().unwrap();
    let mut service = service(folder.path(), "sqlite:memory.db", &["--plaintext"]);
    try_everything(&service);
    service.abort();
    assert!(!files_with_canaries(folder.path()).is_empty(), "the search finds nothing");

    // Any other program does leave a core dump here, unless the machine has switched them off for all.
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap_or_default();
    if pattern.trim() != "core" {
        return;
    }
    let mut careless = Command::new("sh");
    let status = careless.args(["-c", "ulimit -c unlimited; kill -ABRT $$"]).current_dir(folder.path()).status();
    assert!(status.unwrap().core_dumped(), "no program leaves a core dump here");
}
