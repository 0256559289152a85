//! `agent-memory bench`, with few callers.

use serde_json::{Value, json};

use crate::support::{Folder, Ran, cheese_shop, root};

/// Runs a small benchmark with one client and with four.
fn bench(folder: &Folder, more: &[&str]) -> Ran {
    let small = ["bench", "--identities", "50", "--conversations", "40", "--concurrency", "1,4"];
    folder.run(&[&small[..], more].concat())
}

/// A line of JSON with 0 for every number.
fn form(line: &str) -> String {
    let is_of_a_number = |character: char| character.is_ascii_digit() || character == '.';
    let parts = line.split(':').map(|part| match part.trim_start_matches(is_of_a_number) {
        rest if rest.len() < part.len() => format!("0{rest}"),
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join(":")
}

#[test]
fn bench_prints_a_line_of_json_for_each_number_of_clients_and_nothing_else() {
    let folder = Folder::new();
    let ran = bench(&folder, &["--json", "--seed", "7"]).expect(0);
    assert_eq!(ran.err, "", "a pipe gets no progress");
    let lines = ran.json_lines();
    assert_eq!(lines.len(), 2);
    for line in ran.out.lines() {
        assert_eq!(
            form(line),
            "{\"concurrency\":0,\"identities\":0,\"conversations\":0,\"conversations_per_s\":0,\"cpu_us_per_turn\":0,\
            \"turn_us\":{\"p50\":0,\"p99\":0,\"p99_9\":0},\"commit_us\":{\"p50\":0,\"p99\":0},\"peak_rss_mb\":0,\
            \"bare\":{\"conversations_per_s\":0,\"cpu_us_per_turn\":0,\"turn_us\":{\"p50\":0,\"p99\":0},\
            \"commit_us\":{\"p50\":0,\"p99\":0}}}"
        );
    }
    for (line, clients) in lines.iter().zip([1, 4]) {
        assert_eq!((&line["concurrency"], &line["identities"]), (&json!(clients), &json!(50)));
        assert_eq!(line["conversations"], json!(40));
        for way in [line, &line["bare"]] {
            let figure = |pointer: &str| way.pointer(pointer).and_then(Value::as_f64).unwrap();
            let (turn, commit) = (figure("/turn_us/p50"), figure("/commit_us/p50"));
            assert!(turn > 0.0 && turn <= figure("/turn_us/p99"), "{line}");
            assert!(commit > 0.0 && commit <= figure("/commit_us/p99"), "{line}");
            // A client cannot be faster than its turns and its end, half of which take as long at least.
            let most = f64::from(clients) * 1e6 / (commit / 2.0);
            assert!(figure("/conversations_per_s") > 0.0 && figure("/conversations_per_s") < most, "{line}");
            assert!(figure("/cpu_us_per_turn") > 0.0, "{line}");
        }
        assert!(line["peak_rss_mb"].as_f64().unwrap() > 1.0, "{line}");
    }
    assert_eq!(folder.names(), [] as [&str; 0]);
}

#[test]
fn bench_prints_a_table_with_both_ways() {
    let ran = bench(&Folder::new(), &[]).expect(0);
    assert_eq!(ran.err, "", "a pipe gets no progress");
    let mut lines = ran.out.lines();
    let first = lines.next().unwrap();
    assert!(
        first.starts_with("50 callers with 5 fields of 60 bytes") && first.ends_with("40 conversations of 3 turns.")
    );
    let ways: Vec<_> =
        lines.skip(3).map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ")).collect();
    let numbers = |row: &str| ran.out.lines().find(|line| line.starts_with(row)).unwrap().split_whitespace().count();
    assert_eq!(ways.len(), 6, "{}", ran.out);
    assert!(ways[0] == "1 sandbox" && ways[3] == "4 sandbox", "{}", ran.out);
    assert!(ways[1].starts_with("bare ") && ways[2].starts_with("of bare"), "{}", ran.out);
    assert_eq!(numbers("1       sandbox"), 10);
}

#[test]
fn a_given_store_keeps_what_it_holds() {
    let folder = Folder::with_scenario(
        r#"
config: { memory: { repeat_caller: { analytics_enabled: true, state_keys: [cheese_type] } } }
conversations:
  - at: 2026-03-02T10:20:00Z
    caller_number: "+44163200000000"
    turns: [{ call: book, arguments: { cheese_type: brie } }]
"#,
    );
    let store = ["--store", "sqlite:memory.db"];
    folder.play(&store).expect(0);
    let held = |what: &str| {
        let at = ["--at", "2026-03-02T11:00:00Z", "--json"];
        folder.run(&[&["memory", what, "+44163200000000"], &store[..], &at].concat()).expect(0).out
    };
    let before = (held("get"), held("export"));
    let ran = bench(&folder, &[&["--json"], &store[..]].concat()).expect(0);
    assert_eq!(ran.json_lines().len(), 2);
    assert!(ran.err.contains("account agent-memory-bench") && ran.err.contains("agent-memory sweep"), "{}", ran.err);
    assert_eq!((held("get"), held("export")), before);

    // What it leaves there is gone with the sweep of the next day but one.
    let callers = || {
        let file = rusqlite::Connection::open(folder.path("memory.db")).unwrap();
        file.query_row("SELECT count(*) FROM callers", [], |row| row.get::<_, u64>(0)).unwrap()
    };
    assert_eq!(callers(), 1 + 2 * 50);
    let in_two_days = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(48)).to_string();
    folder.run(&[&["sweep", "--at", &in_two_days], &store[..]].concat()).expect(0);
    assert_eq!(callers(), 0, "and what the scenario left months ago");
}

#[test]
fn bench_says_what_it_cannot_measure() {
    let folder = Folder::new();
    bench(&folder, &["--functions", &cheese_shop()]).expect_refusal(&[
        "cheese-shop.wasm",
        "no function `turn`",
        "examples/benchmark",
        "book",
    ]);
    bench(&folder, &["--functions", "nowhere"]).expect_refusal(&["nowhere does not exist"]);
    bench(&folder, &["--store", "floppy:a"]).expect_refusal(&["\"floppy:a\" names no store"]);
    for (option, value) in
        [("--concurrency", "0"), ("--concurrency", "1,,2"), ("--turns", "0"), ("--identities", "many")]
    {
        let ran = folder.run(&["bench", option, value]).expect(2);
        assert!(ran.err.contains(option) && ran.err.contains("invalid value"), "{}", ran.err);
        assert_eq!(ran.out, "");
    }
    assert_eq!(folder.names(), [] as [&str; 0]);
}

#[test]
fn bench_measures_functions_of_ones_own() {
    let folder = Folder::new();
    for functions in ["python/functions.py", "javascript/functions.js"] {
        let functions = root().join("examples/benchmark").join(functions);
        let ran = bench(&folder, &["--json", "--functions", functions.to_str().unwrap()]);
        assert_eq!(ran.expect(0).json_lines().len(), 2);
    }
}
