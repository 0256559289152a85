//! The dashboard in a real browser, on conversations that were really held.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{SHOP, Service, root, run as command};
use crate::tools::{node, run};

/// Where Debian has its browser.
const BROWSER: &str = "/usr/bin/chromium";

/// A caller's number and a value that no page may have.
const SECRETS: [&str; 2] = ["+442079460123", "an unheard-of cheese"];

/// Whether there is a browser. Under CI one is missing only where `cargo xtask test` has tried to fetch it, and names it
/// among what was skipped.
fn has_browser() -> bool {
    if Path::new(BROWSER).exists() {
        return true;
    }
    let excused = std::env::var("AGENT_MEMORY_TEST_WITHOUT").unwrap_or_default();
    let is_ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty());
    let advice = format!("there is no {BROWSER}: `apt-get install chromium`");
    assert!(!is_ci || excused.split(',').any(|name| name == "chromium"), "{advice}");
    println!("skipped: {advice}");
    false
}

fn converse(service: &Service, id: &str, number: &str, channel: &str, outcome: Value) {
    let body = json!({ "id": id, "caller_number": number, "channel": channel });
    service.post(&format!("{SHOP}/conversations"), body).expect(201);
    let book = json!({ "function": "book", "arguments": { "cheese_type": SECRETS[1] } });
    service.post(&format!("{SHOP}/conversations/{id}/calls"), book).expect(200);
    service.post(&format!("{SHOP}/conversations/{id}/end"), json!({ "outcome": outcome })).expect(200);
}

#[test]
fn the_pages_show_what_happened_to_everybody_who_looks() {
    if !has_browser() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens.jsonl");
    let tokens = tokens.to_str().unwrap();
    let token = command(&["token", "test", "--tokens", tokens, "--may", "call,administer,view"]).trim().to_owned();
    let mut service = Service::with_shop("memory:", &["--tokens", tokens, "--rate", "0"]);
    service.token = Some(token.clone());
    let handed_over = json!({ "qa": "not resolved", "handoff": { "reason": "refund", "to": "billing" } });
    converse(&service, "a-1", SECRETS[0], "sip.polyai", handed_over);
    for number in 2..=4 {
        converse(&service, &format!("a-{number}"), SECRETS[0], "sip.polyai", json!({}));
    }
    converse(&service, "b-1", "+442079460124", "webchat.polyai", json!({ "qa": "resolved" }));
    converse(&service, "b-2", "+442079460124", "webchat.polyai", json!({}));

    let row = |conversation: &str, first: &str| json!({ "conversation": conversation, "REPEAT_CALLER_CONV_ID": first });
    let expected = json!({
        "views": [
            {
                "filters": {},
                "figures": { "conversations": "6", "returning": "4", "share": "66.7%", "median": "1 day" },
                "charts": {
                    "outcomes": [["not resolved", "3", "75.0%"], ["resolved", "1", "25.0%"]],
                    "destinations": [["billing", "3", "75.0%"], ["None recorded", "1", "25.0%"]],
                },
                "rows": [row("a-2", "a-1"), row("a-3", "a-1"), row("a-4", "a-1"), row("b-2", "b-1")],
            },
            {
                "filters": { "channel": "webchat.polyai" },
                "figures": { "conversations": "2", "returning": "1", "share": "50.0%" },
                "charts": { "reasons": [["None recorded", "1", "100.0%"]] },
                "rows": [row("b-2", "b-1")],
            },
        ],
        "memory": { "identifiers": "2", "fields": "2" },
        "secrets": SECRETS,
    });
    let file = folder.path().join("expected.json");
    fs::write(&file, expected.to_string()).unwrap();
    let program = node("dashboard", &root().join("tests/dashboard"));
    let screenshots = root().join("target/tests/dashboard/screenshots");
    let mut browse = Command::new("node");
    browse.arg("main.js").current_dir(&program).args(["--service", service.url(), "--token", &token]);
    browse.arg("--expected").arg(&file).arg("--screenshots").arg(&screenshots).args(["--browser", BROWSER]);
    run(&mut browse, "the dashboard");
    assert!(fs::read_dir(screenshots).unwrap().count() >= 4, "screenshots are kept");
}
