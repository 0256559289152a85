//! The commands of `docs/sqlite.md` that back up a store and restore it.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::{SignedDuration, Timestamp};

use crate::support::{Folder, Ran, cheese_shop, root};

const STORE: [&str; 2] = ["--store", "sqlite:memory.db"];

/// The block of the page that has this text.
fn block(text: &str) -> String {
    let page = fs::read_to_string(root().join("docs/sqlite.md")).unwrap();
    let blocks = page.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.filter(|block| block.contains(text)).map(str::to_owned).next().unwrap()
}

/// Runs a block of the page as it stands there.
fn follow(folder: &Folder, block: &str) {
    let programs = Path::new(env!("CARGO_BIN_EXE_agent-memory")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let shell = Command::new("sh").args(["-e", "-c", block]).current_dir(folder.path(".")).env("PATH", path).output();
    let ran = Ran::of(shell.unwrap()).expect(0);
    assert!(!block.contains("verify") || ran.out.contains("All of it is whole."), "{}", ran.out);
}

/// Whether there is a `sqlite3`. Under CI, it is missing only where `cargo xtask test` has tried to fetch it, and names it
/// among what was skipped.
fn has_sqlite3() -> bool {
    if Command::new("sqlite3").arg("-version").output().is_ok() {
        return true;
    }
    let excused = std::env::var("AGENT_MEMORY_TEST_WITHOUT").unwrap_or_default();
    let is_excused = excused.split(',').any(|name| name == "sqlite3");
    let is_ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty());
    let advice = "there is no sqlite3: `apt-get install sqlite3`";
    assert!(!is_ci || is_excused, "{advice}");
    println!("skipped: {advice}");
    false
}

/// The number of a caller.
fn number(caller: u32) -> String {
    format!("+44163296{caller:04}")
}

/// A caller books a cheese, and is remembered for two days.
fn call(folder: &Folder, caller: u32, at: Timestamp) {
    let scenario = format!(
        r#"
config: {{ memory: {{ repeat_caller: {{ state_keys: [cheese_type], retention_days: 2, analytics_enabled: true }} }} }}
functions: {}
conversations:
  - at: {at}
    caller_number: "{}"
    turns: [{{ call: book, arguments: {{ cheese_type: cheese of {caller} }} }}]
"#,
        cheese_shop(),
        number(caller),
    );
    let name = format!("scenario-{caller}.yaml");
    folder.write(&name, scenario);
    folder.run(&[&["run", &name], &STORE[..]].concat()).expect(0);
}

/// What is remembered of a caller.
fn get(folder: &Folder, store: &str, caller: u32, more: &[&str]) -> Ran {
    let keys = ["--keys", "file:memory.db.keys", "--json"];
    folder.run(&[&["memory", "get", &number(caller), "--store", store], &keys[..], more].concat())
}

fn is_remembered(folder: &Folder, store: &str, caller: u32) -> bool {
    let fields = get(folder, store, caller, &[]).expect(0).json()["fields"].clone();
    assert!(fields["cheese_type"].is_null() || fields["cheese_type"]["value"] == format!("cheese of {caller}"));
    !fields["cheese_type"].is_null()
}

fn erase(folder: &Folder, caller: u32) {
    folder.run(&[&["memory", "erase", &number(caller)], &STORE[..]].concat()).expect(0);
}

#[test]
fn e2_e3_a_store_that_is_restored_is_as_the_page_says() {
    if !has_sqlite3() {
        return;
    }
    let (folder, now) = (Folder::new(), Timestamp::now());
    let hours = SignedDuration::from_hours;
    let [stays, erased_before, erased_after, expired, late] = [1, 2, 3, 4, 5];
    for caller in [stays, erased_before, erased_after] {
        call(&folder, caller, now - hours(1));
    }
    call(&folder, expired, now - hours(96));
    erase(&folder, erased_before);

    // Others write meanwhile.
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (folder, is_over) = (&folder, &is_over);
        scope.spawn(move || {
            for caller in (100..).take_while(|_| !is_over.load(Ordering::Relaxed)) {
                call(folder, caller, now);
            }
        });
        follow(folder, &block(".backup"));
        is_over.store(true, Ordering::Relaxed);
    });
    follow(&folder, &block("copy --from"));
    for store in ["sqlite:backup.db", "sqlite:copy.db"] {
        assert!(is_remembered(&folder, store, stays) && is_remembered(&folder, store, erased_after));
        assert!(!is_remembered(&folder, store, erased_before) && !is_remembered(&folder, store, expired));
    }
    erase(&folder, erased_after);
    call(&folder, late, now);
    folder.run(&[&["sweep"], &STORE[..]].concat()).expect(0);

    follow(&folder, &block("cp backup.db"));
    let remembered = |caller| is_remembered(&folder, "sqlite:memory.db", caller);
    assert!(remembered(stays) && !remembered(erased_before));
    assert!(remembered(erased_after) && !remembered(late), "a backup is older than what came after it");
    erase(&folder, erased_after);
    assert!(!remembered(erased_after));
    // As if it were a time at which it had not expired: the backup has it, and nobody has its key.
    let then = (now - hours(90)).to_string();
    let refused = get(&folder, "sqlite:memory.db", expired, &["--at", &then]).expect(2);
    assert!(refused.err.contains("the key of the day on which it expired was destroyed"), "{}", refused.err);
    // And it goes on.
    call(&folder, late, now);
    assert!(remembered(late));
}
