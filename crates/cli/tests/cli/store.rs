//! The commands that look after a store.

use std::fs;

use serde_json::json;

use crate::support::{Folder, cheese_shop};

const CALLER: &str = "+441632960001";
const STORE: [&str; 2] = ["--store", "sqlite:memory.db"];

/// A folder with a store in which a caller has called twice, with a comma in what was said of the first call.
fn after_two_calls() -> Folder {
    let folder = Folder::with_scenario(
        r#"
config: { memory: { repeat_caller: { analytics_enabled: true, state_keys: [cheese_type, booking_day] } } }
conversations:
  - id: call-1
    at: 2026-03-02T10:20:00Z
    caller_number: "+441632960001"
    turns: [{ call: book, arguments: { cheese_type: brie, booking_day: Friday } }]
    outcome: { qa: "resolved, \"mostly\"", handoff: { reason: refund, to: billing } }
  - id: call-2
    at: 2026-03-04T16:45:00Z
    caller_number: "+441632960001"
    turns: [{ call: book, arguments: { cheese_type: stilton } }]
"#,
    );
    folder.run(&["run", "scenario.yaml", "--functions", &cheese_shop(), STORE[0], STORE[1]]).expect(0);
    folder
}

fn with_store<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [arguments, &STORE, &["--at", "2026-03-05T00:00:00Z"]].concat()
}

#[test]
fn get_shows_what_is_remembered() {
    let folder = after_two_calls();
    let ran = folder.run(&with_store(&["memory", "get", "+44 1632 960-001", "--json"])).expect(0);
    let fields = json!({
        "booking_day": {"value": "Friday", "expires_at": "2026-05-31T10:00:00Z"},
        "cheese_type": {"value": "stilton", "expires_at": "2026-06-02T16:00:00Z"},
    });
    assert_eq!(ran.json(), json!({"identifier_kind": "phone", "fields": fields}));
    assert_eq!(ran.out.lines().count(), 1);

    let one = folder.run(&with_store(&["memory", "get", CALLER, "--key", "booking_day", "--json"])).expect(0).json();
    assert_eq!(one["fields"], json!({"booking_day": fields["booking_day"]}));

    let text = folder.run(&with_store(&["memory", "get", CALLER])).expect(0).out;
    let expected = "booking_day  \"Friday\"  until Sunday 31 May 2026, 10:00 UTC\n\
                    cheese_type  \"stilton\"  until Tuesday 2 June 2026, 16:00 UTC\n";
    assert_eq!(text, expected);
}

#[test]
fn get_of_somebody_unknown_is_empty() {
    let folder = after_two_calls();
    for arguments in [
        &["+441632960002"][..],
        &[CALLER, "--kind", "custom"],
        &[CALLER, "--account", "other"],
        &[CALLER, "--project", "other"],
        &[CALLER, "--env", "live"],
    ] {
        let arguments = [&["memory", "get"], arguments].concat();
        assert_eq!(folder.run(&with_store(&arguments)).expect(0).out, "Nothing is remembered.\n");
    }
    let late = ["memory", "get", CALLER, STORE[0], STORE[1], "--at", "2026-06-02T16:00:00Z", "--json"];
    assert_eq!(folder.run(&late).expect(0).json()["fields"], json!({}));
}

#[test]
fn i4_a_withheld_number_is_no_identifier() {
    let folder = after_two_calls();
    folder.run(&with_store(&["memory", "get", "anonymous"])).expect_refusal(&["this is no identifier"]);
    folder.run(&with_store(&["memory", "erase", ""])).expect_refusal(&["this is no identifier"]);
}

#[test]
fn e3_export_shows_everything() {
    let folder = after_two_calls();
    let export = folder.run(&with_store(&["memory", "export", CALLER, "--json"])).expect(0).json();
    let members: Vec<_> = export.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["conversations", "fields", "first_interaction", "identifier_kind"]);
    assert_eq!(export["conversations"], json!(["call-1", "call-2"]));
    assert_eq!(export["first_interaction"]["REPEAT_CALLER_CONV_ID"], "call-1");
    assert_eq!(export["fields"].as_object().unwrap().len(), 2);

    let text = folder.run(&with_store(&["memory", "export", CALLER])).expect(0).out;
    assert!(text.contains("REPEAT_CALLER_HANDOFF_TO  billing") && text.contains("  call-2\n"), "{text}");
    let nobody = folder.run(&with_store(&["memory", "export", "+441632960002"])).expect(0).out;
    let expected = "Nothing is remembered.\n\nNo first interaction is recorded.\n\nNo conversation is recorded.\n";
    assert_eq!(nobody, expected);
}

#[test]
fn e3_erase_says_what_it_erased() {
    let folder = after_two_calls();
    let one = folder.run(&with_store(&["memory", "erase", CALLER, "--key", "booking_day", "--json"])).expect(0);
    let one = one.json();
    assert_eq!(one["deleted"], json!({"fields": 1, "interactions": 0, "metrics": 0}));
    assert_eq!(one["receipt"]["counts"], one["deleted"]);
    let all = folder.run(&with_store(&["memory", "erase", CALLER])).expect(0).out;
    let expected = "Erased 1 field, 1 first interaction and 2 metric rows.\n\
        No copy in a backup or a log can be read any more once it was swept on Thursday 4 June 2026 or later.\n\
        Receipt ";
    assert!(all.starts_with(expected), "{all}");
    assert_eq!(folder.run(&with_store(&["memory", "get", CALLER])).expect(0).out, "Nothing is remembered.\n");
}

#[test]
fn e2_sweep_deletes_what_has_expired() {
    let folder = after_two_calls();
    let sweep = |at| folder.run(&["sweep", STORE[0], STORE[1], "--at", at, "--json"]).expect(0).json();
    let nothing = json!({"fields": 0, "identifiers": 0, "interactions": 0, "metrics": 0, "sessions": 0});
    let keys = json!({"before": "2026-03-05T00:00:00Z", "everywhere": true});
    assert_eq!(sweep("2026-03-05T23:30:00Z"), json!({"deleted": nothing, "keys": keys}));
    assert_eq!(sweep("2026-05-31T10:00:00Z")["deleted"]["fields"], 1);
    let deleted = &sweep("2026-07-01T00:00:00Z")["deleted"];
    assert_eq!((&deleted["fields"], &deleted["identifiers"]), (&json!(1), &json!(1)));
    let text = folder.run(&["sweep", STORE[0], STORE[1], "--at", "2026-07-01T00:00:00Z"]).expect(0).out;
    let expected = "Deleted 0 fields, 0 identifiers, 0 first interactions, 0 metric rows and 0 sessions.\n\
        What expired before Wednesday 1 July 2026, 00:00 UTC cannot be read any more, wherever a copy may be.\n";
    assert_eq!(text, expected);
}

#[test]
fn a6_analytics_come_as_figures_as_json_and_as_csv() {
    let folder = after_two_calls();
    let figures = folder.run(&with_store(&["analytics", "--json"])).expect(0).json();
    assert_eq!(figures["totals"], json!({"conversations": 2, "repeat_conversations": 1}));
    let by_day = json!([
        {"day": "2026-03-02", "conversations": 1, "repeat_conversations": 0},
        {"day": "2026-03-04", "conversations": 1, "repeat_conversations": 1},
    ]);
    assert_eq!(figures["by_day"], by_day);
    assert_eq!(figures["rows"].as_array().unwrap().len(), 1);
    assert_eq!(figures["rows"][0]["conversation"], "call-2");
    assert_eq!(figures["rows"][0]["REPEAT_CALLER_QA"], "resolved, \"mostly\"");

    let csv = folder.run(&with_store(&["analytics", "--csv"])).expect(0).out;
    let expected = "conversation,account,project,environment,channel,began,REPEAT_CALLER_CONV_ID,REPEAT_CALLER_DATETIME,\
                    REPEAT_CALLER_QA,REPEAT_CALLER_HANDOFF_REASON,REPEAT_CALLER_HANDOFF_TO\n\
                    call-2,local,local,sandbox,sip.polyai,2026-03-04T16:00:00Z,call-1,2026-03-02T10:00:00Z,\
                    \"resolved, \"\"mostly\"\"\",refund,billing\n";
    assert_eq!(csv, expected);
    assert!(!csv.contains("441632960001") && !figures.to_string().contains("441632960001"));

    let text = folder.run(&with_store(&["analytics"])).expect(0).out;
    let expected = "2 conversations of known callers, 1 of them by repeat callers.\n\n\
                    day         conversations     by repeat callers\n\
                    2026-03-02              1                     0\n\
                    2026-03-04              1                     1\n";
    assert_eq!(text, expected);
}

#[test]
fn a_mistyped_store_is_told_and_not_made() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("folder")).unwrap();
    for url in ["sqlite:memroy.db", "sqlite:folder", "memroy:"] {
        for command in [
            &["memory", "get", CALLER][..],
            &["memory", "export", CALLER],
            &["memory", "erase", CALLER],
            &["sweep"],
            &["analytics"],
        ] {
            folder.run(&[command, &["--store", url]].concat()).expect_refusal(&[]);
        }
    }
    assert_eq!(folder.names(), ["folder"]);
    assert!(std::fs::read_dir(folder.path("folder")).unwrap().next().is_none());
}

#[test]
fn verify_says_what_is_damaged() {
    let folder = Folder::with_scenario(
        r#"
config: { memory: { repeat_caller: { state_keys: [cheese_type] } } }
conversations:
  - at: 2026-03-02T10:20:00Z
    caller_number: "+441632960001"
    turns: [{ call: book, arguments: { cheese_type: stilton } }]
"#,
    );
    let plain = [&STORE[..], &["--plaintext"]].concat();
    folder.run(&[&["run", "scenario.yaml", "--functions", &cheese_shop()], &plain[..]].concat()).expect(0);
    let verify = |more: &[&str]| folder.run(&[&["verify", "--at", "2026-03-05T00:00:00Z"], &plain[..], more].concat());
    assert_eq!(verify(&[]).expect(0).out, "Checked 1 caller, 1 mark, 1 value.\nAll of it is whole.\n");
    let whole = verify(&["--json"]).expect(0).json();
    assert_eq!(whole, json!({"checked": {"callers": 1, "marks": 1, "values": 1}, "problems": []}));

    let path = folder.path("memory.db");
    let mut bytes = fs::read(&path).unwrap();
    let value = b"\"stilton\"";
    let at = bytes.windows(value.len()).position(|window| window == value).unwrap();
    bytes[at] = b'x';
    fs::write(&path, bytes).unwrap();
    let why = "it was changed, or belongs to somebody or something else";
    let damaged = verify(&["--json"]).expect(1).json();
    assert_eq!(damaged["problems"], json!([{"what": "value", "why": why, "count": 1}]));
    let text = verify(&[]).expect(1).out;
    assert!(text.contains(&format!("1 value: {why}\n")), "{text}");
    assert!(text.contains("restore the store from a backup") && !text.contains("stilton"), "{text}");

    // A sweep goes on, and says so too.
    let spoil = "UPDATE callers SET record = X'01ff'";
    assert_eq!(rusqlite::Connection::open(&path).unwrap().execute(spoil, []).unwrap(), 1);
    let sweep = |more: &[&str]| folder.run(&[&["sweep", "--at", "2026-07-01T00:00:00Z"], &plain[..], more].concat());
    assert_eq!(sweep(&["--json"]).expect(1).json()["deleted"]["undecodable"], 1);
    let text = sweep(&[]).expect(1).out;
    assert!(text.contains("The store is damaged: 1 caller record cannot be decoded"), "{text}");
}
