//! Keys, what they seal, the audit trail, and copies of a store.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::json;

use crate::support::{Folder, Ran, cheese_shop};

pub(crate) const CALLER: &str = "+441632960001";
const STORE: [&str; 2] = ["--store", "sqlite:memory.db"];
pub(crate) const AT: [&str; 2] = ["--at", "2026-03-05T00:00:00Z"];

/// What was said and by whom. None of it is to be found in a file.
pub(crate) const SECRETS: [&str; 4] = ["441632960001", "gorgonzola", "call-of-somebody", "special refund"];

const SCENARIO: &str = r#"
config: { memory: { repeat_caller: { analytics_enabled: true, state_keys: [cheese_type, booking_day] } } }
conversations:
  - id: call-of-somebody
    at: 2026-03-02T10:20:00Z
    caller_number: "+441632960001"
    turns: [{ call: book, arguments: { cheese_type: gorgonzola, booking_day: Friday } }]
    outcome: { qa: resolved, handoff: { reason: special refund, to: billing } }
    expect: { memory: { cheese_type: gorgonzola, booking_day: Friday } }
"#;

fn play(folder: &Folder, more: &[&str]) -> Ran {
    folder.run(&[&["run", "scenario.yaml", "--functions", &cheese_shop(), "--json"], more].concat())
}

fn after_a_call(more: &[&str]) -> Folder {
    let folder = Folder::with_scenario(SCENARIO);
    play(&folder, &[&STORE, more].concat()).expect(0);
    folder
}

fn get(folder: &Folder, more: &[&str]) -> Ran {
    folder.run(&[&["memory", "get", CALLER, "--json"], &STORE[..], &AT, more].concat())
}

/// Whether a text is in any of the store's files, the ring included.
fn is_in_files(folder: &Folder, text: &str) -> bool {
    let names = folder.names().into_iter().filter(|name| name != "scenario.yaml");
    let mut found = false;
    for name in names {
        let bytes = fs::read(folder.path(&name)).unwrap();
        found |= bytes.windows(text.len()).any(|window| window == text.as_bytes());
    }
    found
}

#[test]
fn nothing_that_was_said_can_be_read_in_a_file() {
    let sealed = after_a_call(&[]);
    assert!(sealed.names().contains(&"memory.db.keys".to_owned()), "{:?}", sealed.names());
    let mode = fs::metadata(sealed.path("memory.db.keys")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for secret in SECRETS {
        assert!(!is_in_files(&sealed, secret), "{secret}");
    }
    assert_eq!(get(&sealed, &[]).expect(0).json()["fields"]["cheese_type"]["value"], "gorgonzola");

    // The search finds what is there.
    let plain = after_a_call(&["--plaintext"]);
    for secret in SECRETS {
        assert!(is_in_files(&plain, secret), "{secret}");
    }
}

#[test]
fn e2_e3_nothing_erased_or_expired_is_in_a_file() {
    for sealing in [&[][..], &["--plaintext"]] {
        let folder = after_a_call(sealing);
        folder.run(&[&["memory", "erase", CALLER], &STORE[..], &AT, sealing].concat()).expect(0);
        for secret in SECRETS {
            assert!(!is_in_files(&folder, secret), "{secret} was erased, {sealing:?}");
        }
        let folder = after_a_call(sealing);
        folder.run(&[&["sweep", "--at", "2026-07-01T00:00:00Z"], &STORE[..], sealing].concat()).expect(0);
        for secret in SECRETS {
            assert!(!is_in_files(&folder, secret), "{secret} has expired, {sealing:?}");
        }
    }
}

#[test]
fn e2_what_has_expired_cannot_be_read_in_a_backup() {
    let folder = after_a_call(&[]);
    let backup = || fs::copy(folder.path("backup.db"), folder.path("memory.db")).unwrap();
    fs::copy(folder.path("memory.db"), folder.path("backup.db")).unwrap();
    folder.run(&[&["sweep", "--at", "2026-07-01T00:00:00Z"], &STORE[..]].concat()).expect(0);
    backup();
    // As if it were a time at which it had not expired.
    get(&folder, &[]).expect_refusal(&["the key of the day on which it expired was destroyed"]);
    // What is written after the sweep can be read, whatever the clock says.
    folder.run(&[&["memory", "erase", CALLER], &STORE[..], &AT].concat()).expect(0);
    folder.write(
        "scenario.yaml",
        SCENARIO.replace("call-of-somebody", "another-call").replace("2026-03-02", "2026-03-06"),
    );
    play(&folder, &STORE).expect(0);
}

#[test]
fn wrong_keys_are_an_error_and_never_an_empty_memory() {
    let folder = after_a_call(&[]);
    folder.run(&["keys", "new", "other.keys"]).expect(0);
    get(&folder, &["--keys", "file:other.keys"]).expect_refusal(&["the store is sealed by other keys than these"]);
    assert!(get(&folder, &["--plaintext"]).expect(2).err.contains("error: the store is sealed"));
    fs::rename(folder.path("memory.db.keys"), folder.path("moved.keys")).unwrap();
    get(&folder, &[]).expect_refusal(&["memory.db.keys", "put that file back", "--keys"]);
    assert!(!folder.path("memory.db.keys").exists(), "no other ring is made");
    get(&folder, &["--keys", "file:missing.keys"]).expect_refusal(&["missing.keys"]);
    // A store from before there were keys.
    fs::copy(folder.path("memory.db"), folder.path("old.db")).unwrap();
    rusqlite::Connection::open(folder.path("old.db")).unwrap().execute("UPDATE store SET keys = X''", []).unwrap();
    let old = ["memory", "get", CALLER, "--store", "sqlite:old.db"];
    folder.run(&old).expect_refusal(&["when there were no keys yet"]);
    folder.run(&[&old[..], &["--keys", "file:moved.keys"]].concat()).expect_refusal(&["when there were no keys yet"]);
    assert_eq!(get(&folder, &["--keys", "file:moved.keys"]).expect(0).json()["fields"].as_object().unwrap().len(), 2);

    let plain = after_a_call(&["--plaintext"]);
    get(&plain, &[]).expect_refusal(&["the store is in plain text", "--plaintext"]);
    plain.run(&["keys", "new", "some.keys"]).expect(0);
    get(&plain, &["--keys", "file:some.keys"]).expect_refusal(&["the store is in plain text"]);
    let ran = get(&plain, &["--plaintext"]).expect(0);
    assert!(ran.err.contains("nothing in this store is sealed"), "{}", ran.err);
}

#[test]
fn a_ring_that_others_can_read_is_refused() {
    let folder = after_a_call(&[]);
    let ring = folder.path("memory.db.keys");
    fs::set_permissions(&ring, fs::Permissions::from_mode(0o644)).unwrap();
    get(&folder, &[]).expect_refusal(&["memory.db.keys", "chmod 600"]);
    fs::set_permissions(&ring, fs::Permissions::from_mode(0o600)).unwrap();
    get(&folder, &[]).expect(0);
    let text = fs::read(&ring).unwrap();
    fs::write(&ring, &text[..text.len() / 2]).unwrap();
    get(&folder, &[]).expect_refusal(&["memory.db.keys"]);
}

#[test]
fn keys_can_be_somewhere_else() {
    let folder = Folder::with_scenario(SCENARIO);
    folder.run(&["keys", "new", "ring"]).expect(0);
    folder.run(&["keys", "new", "ring"]).expect_refusal(&["ring is there already"]);
    let ring = fs::read_to_string(folder.path("ring")).unwrap();
    folder.write("program", "#!/bin/sh\ncase $1 in get) cat ring ;; put) cat >ring.new && mv ring.new ring ;; esac\n");
    fs::set_permissions(folder.path("program"), fs::Permissions::from_mode(0o755)).unwrap();
    let program = format!("command:{}", folder.path("program").display());
    play(&folder, &[&STORE[..], &["--keys", &program]].concat()).expect(0);
    assert!(!Path::new(&folder.path("memory.db.keys")).exists());

    let from_variable = |command: &[&str]| {
        let arguments = [command, &STORE, &["--keys", "env:RING"]].concat();
        Ran::of(folder.command(&arguments).env("RING", &ring).output().unwrap())
    };
    let found = from_variable(&[&["memory", "get", CALLER, "--json"], &AT[..]].concat()).expect(0).json();
    assert_eq!(found["fields"]["booking_day"]["value"], "Friday");
    let swept = from_variable(&[&["sweep"], &AT[..]].concat()).expect(0);
    assert!(swept.out.contains("agent-memory keys moved-on"), "{}", swept.out);
    let moved =
        Ran::of(folder.command(&["keys", "moved-on", "--keys", "env:RING"]).env("RING", &ring).output().unwrap());
    folder.write("moved", moved.expect(0).out);
    fs::set_permissions(folder.path("moved"), fs::Permissions::from_mode(0o600)).unwrap();
    let shown = folder.run(&["keys", "show", "--keys", "file:moved", "--json"]).expect(0).json();
    assert_eq!(shown["first_day"], jiff::Timestamp::now().strftime("%F").to_string());
    let swept = folder.run(&[&["sweep", "--json", "--keys", &program], &AT[..], &STORE].concat()).expect(0).json();
    assert_eq!(swept["keys"], json!({"before": "2026-03-05T00:00:00Z", "everywhere": true}));
    assert_ne!(fs::read_to_string(folder.path("ring")).unwrap(), ring, "the program has put it there");
    // The variable that everything is named by.
    let named = folder
        .command(&[&["memory", "get", CALLER], &AT[..], &STORE].concat())
        .env("AGENT_MEMORY_KEYS", &program)
        .output();
    assert!(Ran::of(named.unwrap()).expect(0).out.contains("gorgonzola"));
    folder
        .run(&[&["memory", "get", CALLER, "--keys", "carrier-pigeon:x"], &STORE[..]].concat())
        .expect_refusal(&["file:"]);
}

#[test]
fn keys_are_rotated_without_a_pause() {
    let folder = after_a_call(&[]);
    let keys = ["--keys", "file:memory.db.keys", "--json"];
    assert_eq!(folder.run(&[&["keys", "rotate"], &keys[..]].concat()).expect(0).json(), json!({"version": 2}));
    let shown = folder.run(&[&["keys", "show"], &keys[..]].concat()).expect(0).json();
    assert_eq!(shown, json!({"first_day": "2000-01-01", "versions": [1, 2]}));
    assert_eq!(get(&folder, &[]).expect(0).json()["fields"].as_object().unwrap().len(), 2);
    folder.write("scenario.yaml", SCENARIO.replace("call-of-somebody", "later").replace("gorgonzola", "brie"));
    play(&folder, &STORE).expect(0);
    assert_eq!(get(&folder, &[]).expect(0).json()["fields"]["cheese_type"]["value"], "brie");
    let text = folder.run(&["keys", "show", "--keys", "file:memory.db.keys"]).expect(0).out;
    assert_eq!(text, "What expires on 2000-01-01 or later can be read.\nVersions: 1, 2. The last one seals.\n");
}

#[test]
fn p3_the_audit_trail_tells_what_was_done_and_to_nobody_whom() {
    let folder = after_a_call(&[]);
    get(&folder, &[]).expect(0);
    folder.run(&[&["memory", "export", CALLER], &STORE[..], &AT].concat()).expect(0);
    let erased = folder.run(&[&["memory", "erase", CALLER, "--json"], &STORE[..], &AT].concat()).expect(0).json();
    // A sweep that finds nothing is nothing.
    folder.run(&[&["sweep", "--at", "2026-03-06T10:20:00Z"], &STORE[..]].concat()).expect(0);

    let audit = |more: &[&str]| folder.run(&[&["audit", "--at", "2026-03-07T00:00:00Z"], &STORE[..], more].concat());
    let acts = audit(&["--json"]).expect(0);
    for secret in SECRETS {
        assert!(!acts.out.contains(secret), "{}", acts.out);
    }
    let acts = acts.json_lines();
    let mut kinds: Vec<_> = acts.iter().map(|act| act["act"].as_str().unwrap()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["erase", "export", "read"]);
    for act in &acts {
        assert_eq!((&act["at"], &act["completed"]), (&json!("2026-03-05T00:00:00Z"), &json!(true)), "to the hour (P1)");
    }

    // The receipt is the act in the trail.
    let receipt = &erased["receipt"];
    assert!(acts.contains(receipt), "{receipt}");
    assert_eq!(receipt["unreadable_from"], "2026-06-04T00:00:00Z");
    assert_eq!(receipt["digest"].as_str().unwrap().len(), 64);

    let text = audit(&[]).expect(0).out;
    assert!(text.contains("erase  of local/local/sandbox  fields: 2  interactions: 1  metrics: 1"), "{text}");
    let later = folder.run(&[&["audit", "--at", "2027-04-01T00:00:00Z"], &STORE[..]].concat()).expect(0).out;
    assert_eq!(later, "Nothing was done in the last year.\n");
}

#[test]
fn a_store_is_copied_and_compared() {
    let folder = after_a_call(&[]);
    let copy = |more: &[&str]| folder.run(&[&["copy", "--from", "sqlite:memory.db", "--to"], more, &AT].concat());
    let copied = copy(&["sqlite:copy.db", "--json"]).expect(0).json();
    assert_eq!(copied["counts"], json!({"callers": 1, "marks": 1, "metrics": 1}));
    assert_eq!(copy(&["sqlite:copy.db", "--json"]).expect(0).json(), copied, "again");
    let text = copy(&["sqlite:copy.db"]).expect(0).out;
    assert!(text.starts_with("Copied 1 caller, 1 mark, 1 metric.\nBoth stores hold the same"), "{text}");
    let there = ["memory", "get", CALLER, "--store", "sqlite:copy.db", "--keys", "file:memory.db.keys", AT[0], AT[1]];
    assert!(folder.run(&there).expect(0).out.contains("gorgonzola"));
    folder
        .run(&[&["memory", "get", CALLER, "--store", "sqlite:copy.db"], &AT[..]].concat())
        .expect_refusal(&["--keys"]);

    // A store with something else in it: another caller, and that somebody has looked.
    folder
        .write("scenario.yaml", SCENARIO.replace("441632960001", "441632960002").replace("call-of-somebody", "other"));
    play(&folder, &["--store", "sqlite:copy.db", "--keys", "file:memory.db.keys"]).expect(0);
    copy(&["sqlite:copy.db"]).expect_refusal(&["the stores differ in acts, callers, marks, metrics"]);
    play(&folder, &["--store", "sqlite:other.db"]).expect(0);
    copy(&["sqlite:other.db"]).expect_refusal(&["sealed by other keys"]);
    copy(&["sqlite:"]).expect_refusal(&[]);
    folder.run(&["copy", "--from", "sqlite:missing.db", "--to", "sqlite:new.db"]).expect_refusal(&["missing.db"]);
    assert!(!folder.path("new.db").exists());
}
