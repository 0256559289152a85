//! The audit trail over HTTP.

use serde_json::{Value, json};

use crate::support::{SHOP, Service, run};

const CALLER: &str = "+441632960001";

fn acts(service: &Service) -> Vec<Value> {
    let answer = service.get("/v1/audit");
    assert_eq!((answer.status, answer.kind.as_str()), (200, "application/x-ndjson"));
    assert!(!answer.text.contains("441632960001") && !answer.text.contains("brie"), "{}", answer.text);
    answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn kinds(acts: &[Value]) -> Vec<&str> {
    let mut kinds: Vec<_> = acts.iter().map(|act| act["act"].as_str().unwrap()).collect();
    kinds.sort_unstable();
    kinds
}

#[test]
fn p3_whoever_looks_at_memory_is_noted_by_the_tokens_name_and_nobody_else_is() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens.jsonl");
    let tokens = tokens.to_str().unwrap();
    let token = |name: &str, more: &[&str]| {
        let arguments = [&["token", name, "--tokens", tokens, "--may", "administer"], more].concat();
        Some(run(&arguments).trim().to_owned())
    };
    let (alice, elsewhere) = (token("alice", &[]), token("elsewhere", &["--account", "other"]));
    let mut service = Service::with_shop("memory:", &["--tokens", tokens]);
    service.token = alice.clone();
    let memory = |what: &str| format!("{SHOP}/memory/{what}");
    let caller = json!({ "identifier": CALLER });
    let fields = json!({ "identifier": CALLER, "fields": { "cheese_type": { "value": "brie" } } });
    service.post(&memory("patch"), fields).expect(200);
    service.post(&memory("read"), caller.clone()).expect(200);
    service.post(&memory("export"), caller.clone()).expect(200);
    let receipt = service.post(&memory("erase"), caller).expect(200)["receipt"].clone();
    assert_eq!(service.get("/v1/memory").status, 200);

    let all = acts(&service);
    assert_eq!(kinds(&all), ["erase", "export", "export-all", "patch", "publish", "read"]);
    assert!(all.contains(&receipt), "{receipt}");
    assert_eq!(receipt["counts"], json!({ "fields": 1, "interactions": 0, "metrics": 0 }));
    for act in &all {
        // What is published when the service starts is nobody's.
        let by = if act["act"] == "publish" { Value::Null } else { json!("alice") };
        assert_eq!((&act["by"], &act["completed"]), (&by, &json!(true)), "{act}");
        assert!(act["at"].as_str().unwrap().ends_with(":00:00Z"), "to the hour (P1): {act}");
    }

    service.token = elsewhere;
    assert_eq!(acts(&service), Vec::<Value>::new(), "another account's are not shown");
    service.token = Some(run(&["token", "viewer", "--tokens", tokens, "--may", "view"]).trim().to_owned());
    service.get("/v1/audit").expect_problem(403, "forbidden");
}
