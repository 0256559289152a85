//! Canaries on the command line, searched for in what commands say of themselves, at the most talkative (rule P3).

use crate::support::{Folder, Ran, cheese_shop};

const CALLER: &str = "+441632767778";

/// What must not be in any message. The number is what somebody typed, and the rest is what was said.
const CANARIES: [&str; 2] = ["1632767778", "canary-"];

const SCENARIO: &str = r#"
config:
  memory: { repeat_caller: { analytics_enabled: true, state_keys: [cheese_type], identifier_blacklist: ["canary-listed"] } }
conversations:
  - id: canary-conversation
    at: 2026-03-02T10:20:00Z
    caller_number: "+441632767778"
    turns: [{ call: book, arguments: { cheese_type: canary-cheese } }]
    outcome: { qa: canary-qa, handoff: { reason: canary-why, to: canary-whom } }
"#;

fn run(folder: &Folder, arguments: &[&str]) -> Ran {
    Ran::of(folder.command(arguments).env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full").output().unwrap())
}

#[test]
fn p3_no_command_tells_a_canary_in_a_message() {
    let folder = Folder::with_scenario(SCENARIO);
    let shop = cheese_shop();
    let store = ["--store", "sqlite:memory.db", "--at", "2026-03-05T00:00:00Z"];
    run(&folder, &["run", "scenario.yaml", "--functions", &shop, "--store", "sqlite:memory.db"]).expect(0);
    run(&folder, &["keys", "new", "other.keys"]).expect(0);
    let other = ["--keys", "file:other.keys"];
    let of_caller = |verb: &'static str| [&["memory", verb, CALLER][..], &store].concat();
    let got = run(&folder, &[&of_caller("get")[..], &["--json"]].concat()).expect(0);
    assert!(got.out.contains("canary-cheese"), "the search finds what is asked for: {}", got.out);

    let mut commands: Vec<Vec<&str>> = Vec::new();
    for verb in ["get", "export", "erase"] {
        commands.push(of_caller(verb));
        commands.push([&of_caller(verb)[..], &other].concat());
        commands.push([&of_caller(verb)[..], &["--plaintext"]].concat());
        commands.push([&of_caller(verb)[..], &["--kind", "custom"]].concat());
        commands.push([&["memory", verb, "canary-nobody"][..], &store].concat());
        commands.push(vec!["memory", verb, CALLER, "--store", "sqlite:missing/memory.db"]);
        commands.push(vec!["memory", verb, CALLER, "--store", "sqlite:other.keys"]);
    }
    for verb in ["sweep", "analytics", "audit", "verify"] {
        commands.push([&[verb][..], &store].concat());
        commands.push([&[verb][..], &store, &other].concat());
    }
    commands.push(vec!["copy", "--from", "sqlite:memory.db", "--to", "sqlite:copy.db", "--at", "2026-03-05T00:00:00Z"]);
    commands.push(vec!["run", "scenario.yaml", "--functions", &shop, "--store", "sqlite:memory.db", "--plaintext"]);
    let mut failed = 0;
    for command in commands {
        let ran = run(&folder, &command);
        failed += usize::from(ran.code != 0);
        for canary in CANARIES {
            assert!(!ran.err.contains(canary), "{command:?} says {}", ran.err);
        }
    }
    assert!(failed >= 18, "only {failed} have failed");
}
