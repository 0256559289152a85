//! Analytics, memory health and metrics over HTTP.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::support::{SHOP, Service};

/// Holds a conversation on a channel.
fn converse(service: &Service, id: &str, number: &str, channel: &str, outcome: Value) {
    let body = json!({ "id": id, "caller_number": number, "channel": channel });
    service.post(&format!("{SHOP}/conversations"), body).expect(201);
    service.post(&format!("{SHOP}/conversations/{id}/end"), json!({ "outcome": outcome })).expect(200);
}

fn with_callers() -> Service {
    let service = Service::with_shop("memory:", &[]);
    let handed_over = json!({ "qa": "unresolved", "handoff": { "reason": "refund", "to": "billing" } });
    converse(&service, "a1", "+441632960001", "sip.polyai", handed_over);
    converse(&service, "a2", "+441632960001", "sip.polyai", json!({}));
    converse(&service, "a3", "+441632960001", "webchat.polyai", json!({}));
    converse(&service, "b1", "+441632960002", "webchat.polyai", json!({ "qa": "resolved" }));
    converse(&service, "c1", "anonymous", "sip.polyai", json!({}));
    service
}

#[test]
fn a6_figures_count_first_and_returning_conversations() {
    let service = with_callers();
    let figures = service.get("/v1/analytics").expect(200);
    assert_eq!((&figures["conversations"], &figures["repeat_conversations"]), (&json!(4), &json!(2)));
    assert_eq!(figures["first_outcomes"], json!([{ "value": "unresolved", "conversations": 2 }]));
    assert_eq!(figures["handoff_reasons"], json!([{ "value": "refund", "conversations": 2 }]));
    assert_eq!(figures["handoff_destinations"], json!([{ "value": "billing", "conversations": 2 }]));
    assert_eq!(figures["days_since_first"], json!([{ "value": "0", "conversations": 2 }]));
    assert_eq!(figures["filters"]["channel"], json!(["sip.polyai", "webchat.polyai"]));
    let days = figures["by_day"].as_array().unwrap();
    assert_eq!(days.iter().map(|day| day["conversations"].as_u64().unwrap()).sum::<u64>(), 4);

    let chat = service.get("/v1/analytics?channel=webchat.polyai").expect(200);
    assert_eq!((&chat["conversations"], &chat["repeat_conversations"]), (&json!(2), &json!(1)));
    assert_eq!(service.get("/v1/analytics?project=other").expect(200)["conversations"], 0);
    assert_eq!(service.get("/v1/analytics?to=2020-01-01").expect(200)["conversations"], 0);
    service.get("/v1/analytics?from=yesterday").expect_problem(400, "malformed-request");
    service.get("/v1/analytics?chanel=x").expect_problem(400, "malformed-request");
}

#[test]
fn a6_rows_have_the_metrics_and_nothing_that_leads_to_a_caller() {
    let service = with_callers();
    let answer = service.get("/v1/analytics/rows");
    assert!(!answer.text.contains("441632"), "{}", answer.text);
    let rows = answer.expect(200);
    let mut ids: Vec<&str> = rows.as_array().unwrap().iter().map(|row| row["conversation"].as_str().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["a2", "a3"]);
    assert_eq!(rows[0]["REPEAT_CALLER_CONV_ID"], "a1");

    let csv = service.try_request("GET", "/v1/analytics/rows", &[("Accept", "text/csv")], None).unwrap();
    assert_eq!((csv.status, csv.kind.as_str()), (200, "text/csv; charset=utf-8"));
    let mut lines = csv.text.lines();
    assert!(
        lines
            .next()
            .unwrap()
            .starts_with("conversation,account,project,environment,channel,began,REPEAT_CALLER_CONV_ID")
    );
    assert_eq!(lines.count(), 2);
}

#[test]
fn memory_health_counts_what_is_held_and_how_commits_go() {
    let service = Service::with_shop("memory:", &[]);
    let conversation = service.call_from("+441632960001");
    service.book(&conversation, "brie").expect(200);
    service.post(&format!("{conversation}/end"), json!({})).expect(200);
    service.call_from("+441632960002");
    let health = service.get("/v1/memory/health").expect(200);
    assert_eq!((&health["identifiers"], &health["fields"], &health["sessions"]), (&json!(1), &json!(2), &json!(1)));
    assert_eq!(health["expiring"][0]["fields"], 2);
    assert_eq!((&health["commits"]["total"], &health["commits"]["failed"]), (&json!(1), &json!(0)));
    assert!(health["commits"]["p99_micros"].as_u64().unwrap() > 0);
}

#[test]
fn metrics_are_in_the_words_of_prometheus() {
    let service = with_callers();
    for method in ["BREW", "PROPFIND"] {
        let mut stream = TcpStream::connect(service.address()).unwrap();
        let head = format!("{method} /v1/agents HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
    }
    let metrics = service.get("/metrics");
    assert!(metrics.kind.starts_with("application/openmetrics-text"), "{}", metrics.kind);
    for line in [
        r#"agent_memory_commits_total{status="committed"} 4"#,
        r#"agent_memory_commits_total{status="no-identifier"} 1"#,
        r#"agent_memory_turns_total{outcome="returned"}"#,
        "agent_memory_turn_seconds_bucket",
        r#"route="/v1/agents/{account}/{project}/{environment}/conversations",status="201"} 5"#,
    ] {
        assert!(metrics.text.contains(line), "{line} is not in\n{}", metrics.text);
    }
    assert!(!metrics.text.contains("441632"));
    // Nobody makes metrics by making up methods.
    assert!(!metrics.text.contains("BREW") && !metrics.text.contains("PROPFIND"), "{}", metrics.text);
    let others = r#"method="other",route="/v1/agents",status="405"} 2"#;
    assert!(metrics.text.contains(others), "{}", metrics.text);
    assert_eq!(service.get("/healthz").expect(200)["status"], "ok");
    assert_eq!(service.get("/readyz").expect(200)["status"], "ok");
}
