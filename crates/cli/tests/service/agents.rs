//! Agents over HTTP.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Answer, SHOP, Service, cheese_shop, configuration};

/// Sends a form, as `curl --form` does.
fn publish(service: &Service, path: &str, fields: &[(&str, &[u8])]) -> Answer {
    let mut body = Vec::new();
    for (name, content) in fields {
        body.extend(format!("--limit\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n").bytes());
        body.extend(*content);
        body.extend(b"\r\n");
    }
    body.extend(b"--limit--\r\n");
    let kind = ("Content-Type", "multipart/form-data; boundary=limit");
    service.try_request("PUT", path, &[kind], Some(&body)).unwrap()
}

#[test]
fn an_agent_is_published_listed_shown_and_removed() {
    let service = Service::start("memory:", &[]);
    assert_eq!(service.get("/v1/agents").expect(200), json!({ "agents": [] }));
    service.get(SHOP).expect_problem(404, "unknown-agent");
    let (functions, config) = (fs::read(cheese_shop()).unwrap(), fs::read(configuration()).unwrap());
    let published = publish(&service, SHOP, &[("functions", &functions), ("configuration", &config)]).expect(200);
    assert_eq!(published["state_keys"], json!(["booking_day", "cheese_type"]));
    assert_eq!(service.get(SHOP).expect(200), published);
    assert_eq!(service.get("/v1/agents").expect(200)["agents"][0]["version"], published["version"]);

    let tools = service.get(&format!("{SHOP}/tools")).expect(200);
    let names: Vec<&Value> = tools.as_array().unwrap().iter().map(|tool| &tool["function"]["name"]).collect();
    assert_eq!(names, ["book", "hand_over"]);
    assert_eq!(tools[0]["type"], "function");
    assert_eq!(tools[0]["function"]["parameters"]["required"], json!(["cheese_type"]));

    assert_eq!(service.try_request("DELETE", SHOP, &[], None).unwrap().status, 204);
    service.post(&format!("{SHOP}/conversations"), json!({})).expect_problem(404, "unknown-agent");
    service.try_request("DELETE", SHOP, &[], None).unwrap().expect_problem(404, "unknown-agent");
}

#[test]
fn c7_a_running_conversation_keeps_the_version_that_it_began_with() {
    let service = Service::with_shop("memory:", &[]);
    let old = service.call_from("+441632960001");
    let component = service.get(SHOP).expect(200)["component"].as_str().unwrap().to_owned();
    // Named by its digest, the component need not be sent again.
    publish(&service, SHOP, &[("component", component.as_bytes()), ("configuration", b"{}")]).expect(200);
    let new = service.call_from("+441632960002");
    for (conversation, status) in [(old, "committed"), (new, "memory-off")] {
        service.book(&conversation, "brie").expect(200);
        assert_eq!(service.post(&format!("{conversation}/end"), json!({})).expect(200)["commit"]["status"], status);
    }
}

#[test]
fn a_removed_agents_conversations_go_on() {
    let service = Service::with_shop("memory:", &[]);
    let conversation = service.call_from("+441632960001");
    assert_eq!(service.try_request("DELETE", SHOP, &[], None).unwrap().status, 204);
    service.book(&conversation, "brie").expect(200);
    assert_eq!(service.post(&format!("{conversation}/end"), json!({})).expect(200)["commit"]["status"], "committed");
}

#[test]
fn what_is_no_agent_is_refused_and_changes_nothing() {
    let service = Service::with_shop("memory:", &[]);
    let before = service.get(SHOP).expect(200);
    let functions = fs::read(cheese_shop()).unwrap();
    let detail = publish(&service, SHOP, &[("functions", b"no wasm")]).expect_problem(422, "invalid-component");
    assert!(detail.contains("agent-memory build"), "{detail}");
    publish(&service, SHOP, &[("functions", &functions[..5000])]).expect_problem(422, "invalid-component");
    publish(&service, SHOP, &[("functions", b"\0asm\x01\0\0\0")]).expect_problem(422, "invalid-component");

    let wrong = br#"{"memory": {"repeat_caler": {}, "repeat_caller": {"retention_days": 91}}}"#;
    let answer = publish(&service, SHOP, &[("functions", &functions), ("configuration", wrong)]);
    let problem: Value = serde_json::from_str(&answer.text).unwrap();
    answer.expect_problem(422, "invalid-configuration");
    let paths: Vec<&Value> = problem["errors"].as_array().unwrap().iter().map(|error| &error["path"]).collect();
    assert_eq!(paths, ["memory.repeat_caler", "memory.repeat_caller.retention_days"]);

    publish(&service, SHOP, &[]).expect_problem(422, "invalid-request");
    publish(&service, SHOP, &[("file", b"x")]).expect_problem(422, "invalid-request");
    publish(&service, SHOP, &[("component", b"x")]).expect_problem(422, "invalid-request");
    let unknown = "0".repeat(64);
    publish(&service, SHOP, &[("component", unknown.as_bytes())]).expect_problem(404, "unknown-component");
    let as_json = service.try_request("PUT", SHOP, &[], Some(b"{}")).unwrap();
    as_json.expect_problem(415, "unsupported-media-type");
    assert_eq!(service.get(SHOP).expect(200), before);
}
