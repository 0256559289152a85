//! Stores on servers: PostgreSQL and Valkey, started here.

use std::fs;
use std::path::{Path, PathBuf};

use agent_memory_test_servers::{postgres::Postgres, valkey::Cluster};
use serde_json::json;

use crate::sealing::{AT, CALLER, SECRETS};
use crate::support::{Folder, Ran, cheese_shop};

const KEYS: [&str; 2] = ["--keys", "file:memory.keys"];

const SCENARIO: &str = r#"
config: { memory: { repeat_caller: { analytics_enabled: true, state_keys: [cheese_type, booking_day] } } }
conversations:
  - id: call-of-somebody
    at: 2026-03-02T10:20:00Z
    caller_number: "+441632960001"
    turns: [{ call: book, arguments: { cheese_type: gorgonzola, booking_day: Friday } }]
    outcome: { qa: resolved, handoff: { reason: special refund, to: billing } }
    expect: { commit: { cheese_type: kept } }
  - id: another-call
    at: 2026-03-03T10:20:00Z
    caller_number: "+441632960001"
    expect:
      memory: { cheese_type: gorgonzola, booking_day: Friday }
      metrics:
        REPEAT_CALLER_CONV_ID: call-of-somebody
        REPEAT_CALLER_DATETIME: "2026-03-02T10:00:00Z"
        REPEAT_CALLER_QA: resolved
        REPEAT_CALLER_HANDOFF_REASON: special refund
        REPEAT_CALLER_HANDOFF_TO: billing
"#;

/// Whether PostgreSQL is there, or it is known to the tests that it cannot be had.
fn has_postgres() -> bool {
    let excused = std::env::var("AGENT_MEMORY_TEST_WITHOUT").unwrap_or_default();
    !excused.split(',').any(|name| name == "postgresql")
}

fn desk() -> Folder {
    let folder = Folder::with_scenario(SCENARIO);
    folder.run(&["keys", "new", "memory.keys"]).expect(0);
    folder
}

fn play(folder: &Folder, store: &str, more: &[&str]) -> Ran {
    let arguments = ["run", "scenario.yaml", "--functions", &cheese_shop(), "--json", "--store", store];
    folder.run(&[&arguments[..], more].concat())
}

fn remembered(folder: &Folder, store: &str) -> serde_json::Value {
    let arguments = ["memory", "get", CALLER, "--json", "--store", store];
    folder.run(&[&arguments[..], &KEYS, &AT].concat()).expect(0).json()["fields"].clone()
}

/// The files below a folder in which a text is, and how many there are in all.
fn files_with(folder: &Path, text: &str) -> (Vec<PathBuf>, usize) {
    let (mut found, mut all) = (Vec::new(), 0);
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let (more, count) = files_with(&path, text);
            found.extend(more);
            all += count;
        } else if let Ok(bytes) = fs::read(&path) {
            all += 1;
            if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
                found.push(path);
            }
        }
    }
    (found, all)
}

/// Conversations are played, looked at, erased and swept, and the command says what it always says.
fn looks_after(folder: &Folder, store: &str) {
    play(folder, store, &KEYS).expect(0);
    let fields = remembered(folder, store);
    assert_eq!(fields["cheese_type"], json!({"value": "gorgonzola", "expires_at": "2026-05-31T10:00:00Z"}));
    let run = |arguments: &[&str]| folder.run(&[arguments, &["--store", store], &KEYS, &AT].concat()).expect(0);
    let figures = run(&["analytics", "--json"]).json();
    assert_eq!(figures["totals"], json!({"conversations": 2, "repeat_conversations": 1}));
    assert_eq!(run(&["memory", "export", CALLER, "--json"]).json()["conversations"].as_array().unwrap().len(), 2);
    play(folder, store, &[]).expect_refusal(&["agent-memory keys new", "--keys"]);
    folder.run(&["keys", "new", "other.keys"]).expect(0);
    play(folder, store, &["--keys", "file:other.keys"]).expect_refusal(&["sealed by other keys"]);
}

fn is_forgotten(folder: &Folder, store: &str) {
    let run = |arguments: &[&str]| folder.run(&[arguments, &["--store", store], &KEYS, &AT].concat()).expect(0);
    let erased = run(&["memory", "erase", CALLER, "--json"]).json();
    assert_eq!(erased["deleted"], json!({"fields": 2, "interactions": 1, "metrics": 2}));
    assert_eq!(remembered(folder, store), json!({}));
    run(&["sweep"]);
    let acts = run(&["audit", "--json"]);
    assert!(acts.json_lines().contains(&erased["receipt"]), "{}", acts.out);
}

#[test]
fn e2_e3_nothing_that_was_said_can_be_read_in_a_file_of_postgresql() {
    if !has_postgres() {
        return;
    }
    let (folder, server) = (desk(), Postgres::start(&[]).unwrap());
    server.create_database("memory").unwrap();
    let store = server.url("memory");
    looks_after(&folder, &store);
    let is_nowhere = |when: &str| {
        server.sql("memory", "CHECKPOINT").unwrap();
        for secret in SECRETS {
            let (found, all) = files_with(&server.data(), secret);
            assert!(all > 100 && found.is_empty(), "{secret} {when}: {found:?}");
            assert!(!fs::read_to_string(folder.path("memory.keys")).unwrap().contains(secret));
        }
    };
    is_nowhere("while it is held");
    is_forgotten(&folder, &store);
    is_nowhere("after it was erased");

    // The search finds what is there.
    server.create_database("plain").unwrap();
    play(&folder, &server.url("plain"), &["--plaintext"]).expect(0);
    server.sql("plain", "CHECKPOINT").unwrap();
    for secret in SECRETS {
        assert!(!files_with(&server.data(), secret).0.is_empty(), "{secret}");
    }
}

#[test]
fn e2_e3_nothing_that_was_said_can_be_read_in_a_file_of_valkey() {
    let persistent = [("appendonly", "yes"), ("appendfsync", "always")];
    let (folder, cluster) = (desk(), Cluster::start(1, false, &persistent).unwrap());
    let store = url(&cluster, "durability=aof");
    looks_after(&folder, &store);
    let is_nowhere = |when: &str| {
        for secret in SECRETS {
            let (found, all) = files_with(cluster.nodes()[0].folder(), secret);
            assert!(all > 2 && found.is_empty(), "{secret} {when}: {found:?}");
        }
    };
    is_nowhere("while it is held");
    is_forgotten(&folder, &store);
    is_nowhere("after it was erased");

    play(&folder, &url(&cluster, "durability=aof&prefix=plain"), &["--plaintext"]).expect(0);
    for secret in SECRETS {
        assert!(!files_with(cluster.nodes()[0].folder(), secret).0.is_empty(), "{secret}");
    }
}

#[test]
fn a_store_moves_from_a_file_to_servers_and_back() {
    if !has_postgres() {
        return;
    }
    let (folder, server) = (desk(), Postgres::start(&[]).unwrap());
    let cluster = Cluster::start(1, false, &[]).unwrap();
    server.create_database("memory").unwrap();
    play(&folder, "sqlite:first.db", &KEYS).expect(0);
    let expected = remembered(&folder, "sqlite:first.db");
    let places = ["sqlite:first.db", &server.url("memory"), &url(&cluster, "durability=async"), "sqlite:last.db"];
    let mut digests = Vec::new();
    for [from, to] in places.array_windows() {
        let copied = folder.run(&[&["copy", "--json", "--from", from, "--to", to], &AT[..]].concat()).expect(0).json();
        assert_eq!((&copied["counts"]["callers"], &copied["counts"]["marks"]), (&json!(1), &json!(2)));
        digests.push(copied["digest"].clone());
    }
    digests.dedup();
    assert_eq!(digests.len(), 1, "{digests:?}");
    for place in places {
        assert_eq!(remembered(&folder, place), expected, "{place}");
    }
}

#[test]
fn a_server_that_is_away_is_told_without_the_password() {
    let folder = desk();
    for (store, place) in [
        ("postgres://somebody:secret-password@127.0.0.1:1/memory?connect_timeout=1", "127.0.0.1:1"),
        ("valkey://somebody:secret-password@127.0.0.1:1", "127.0.0.1:1"),
    ] {
        let ran = play(&folder, store, &KEYS);
        assert!(!ran.err.contains("secret-password"), "{}", ran.err);
        ran.expect_refusal(&[place]);
    }
}

fn url(cluster: &Cluster, parameters: &str) -> String {
    let addresses: Vec<_> = cluster.addresses().iter().map(|(host, port)| format!("{host}:{port}")).collect();
    format!("valkey://{}/?{parameters}", addresses.join(","))
}

#[test]
fn several_databases_are_one_store_and_another_can_be_added() {
    if !has_postgres() {
        return;
    }
    let (folder, server) = (desk(), Postgres::start(&[]).unwrap());
    let map = |file: &str, slots: &[&str]| {
        let names = ["a", "b", "c"];
        let shards: Vec<_> = names
            .iter()
            .zip(slots)
            .map(|(name, slots)| json!({ "name": name, "url": server.url(name), "slots": slots }))
            .collect();
        folder.write(file, json!({ "agent_memory_shards": 1, "shards": shards }).to_string());
    };
    for database in ["a", "b", "c"] {
        server.create_database(database).unwrap();
    }
    map("two.json", &["0-2047", "2048-4095"]);
    looks_after(&folder, "shards:two.json");
    let before =
        folder.run(&[&["analytics", "--json", "--store", "shards:two.json"], &KEYS[..], &AT].concat()).expect(0);

    // All that was held on the caller goes elsewhere, wherever it was.
    map("three.json", &["", "", "0-4095"]);
    let moved = folder.run(&["move-slots", "--old", "two.json", "--new", "three.json", "--json"]).expect(0).json();
    assert!(moved["copied"].as_u64().unwrap() >= 5 && moved["copied"] == moved["verified"], "{moved}");
    let again = folder.run(&["move-slots", "--old", "two.json", "--new", "three.json", "--json"]).expect(0).json();
    assert_eq!(again["copied"], 0, "{again}");
    play(&folder, "shards:two.json", &KEYS).expect_refusal(&["map"]);
    let after =
        folder.run(&[&["analytics", "--json", "--store", "shards:three.json"], &KEYS[..], &AT].concat()).expect(0);
    assert_eq!(after.out, before.out);
    assert_eq!(remembered(&folder, "shards:three.json")["cheese_type"]["value"], "gorgonzola");
    is_forgotten(&folder, "shards:three.json");

    map("wrong.json", &["0-2047", "2047-4095"]);
    play(&folder, "shards:wrong.json", &KEYS).expect_refusal(&["wrong.json", "2047"]);
    play(&folder, "shards:missing.json", &KEYS).expect_refusal(&["missing.json"]);
}
