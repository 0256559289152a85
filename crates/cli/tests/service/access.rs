//! Tokens, limits, and what is not listened to.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;

use crate::support::{SHOP, Service, command, run};

fn token(file: &str, name: &str, more: &[&str]) -> String {
    run(&[&["token", name, "--tokens", file], more].concat()).trim().to_owned()
}

#[test]
fn a_token_is_needed_and_does_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens.jsonl");
    let file = file.to_str().unwrap();
    let caller = token(file, "runtime", &["--may", "call", "--account", "local"]);
    let viewer = token(file, "dashboard", &["--may", "view"]);
    let other = token(file, "other", &["--may", "call,administer,view", "--account", "other"]);
    let expired = token(file, "expired", &["--may", "call", "--expires", "2020-01-01T00:00:00Z"]);
    let mut service = Service::with_shop("memory:", &["--tokens", file]);
    let start = format!("{SHOP}/conversations");

    service.post(&start, json!({})).expect_problem(401, "unauthenticated");
    for wrong in ["", "nonsense", &expired] {
        service.token = Some(wrong.to_owned());
        service.post(&start, json!({})).expect_problem(401, "unauthenticated");
    }
    service.token = Some(caller);
    service.post(&start, json!({})).expect(201);
    service.get("/v1/analytics").expect_problem(403, "forbidden");
    service
        .post(&format!("{SHOP}/memory/read"), json!({ "identifier": "+441632960001" }))
        .expect_problem(403, "forbidden");
    service.token = Some(viewer);
    service.get("/v1/analytics").expect(200);
    service.get("/v1/memory/health").expect(200);
    assert_eq!(service.get("/metrics").status, 200);
    service.get("/v1/agents").expect_problem(403, "forbidden");
    service.post(&start, json!({})).expect_problem(403, "forbidden");
    service.token = Some(other);
    service.post(&start, json!({})).expect_problem(403, "forbidden");
    assert_eq!(service.get("/v1/agents").expect(200), json!({ "agents": [] }), "another account's are not shown");
    service.get("/v1/memory/health").expect_problem(403, "forbidden");
    service.get("/metrics").expect_problem(403, "forbidden");
    // What is needed to look whether the service is there needs none.
    service.token = None;
    service.get("/healthz").expect(200);
    assert!(service.get("/dashboard/").text.contains("<html"));
}

#[test]
fn a_service_without_tokens_listens_to_its_own_machine_alone() {
    let output = command(&["serve", "--store", "memory:", "--listen", "0.0.0.0:0"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("agent-memory token") && error.contains("--tokens"), "{error}");
}

#[test]
fn too_many_requests_are_refused() {
    let service = Service::start("memory:", &["--rate", "5"]);
    let answers: Vec<_> = (0..30).map(|_| service.get("/v1/agents")).collect();
    let refused = answers.into_iter().find(|answer| answer.status == 429).expect("30 at once are too many");
    assert!(refused.retry_after.is_some());
    refused.expect_problem(429, "rate-limited");
    for _ in 0..30 {
        service.get("/healthz").expect(200);
        service.get("/readyz").expect(200);
    }
}

#[test]
fn nobody_gets_more_by_making_tokens_up() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens.jsonl");
    let file = file.to_str().unwrap();
    let good = token(file, "runtime", &["--may", "call"]);
    let mut service = Service::start("memory:", &["--tokens", file, "--rate", "5"]);
    let statuses: Vec<u16> = (0..30)
        .map(|number| {
            service.token = Some(format!("agent_memory_{number}"));
            service.get("/v1/agents").status
        })
        .collect();
    assert!(statuses.contains(&429), "{statuses:?}");
    assert!(statuses.iter().all(|status| [401, 429].contains(status)), "{statuses:?}");
    // Whoever has a token is not kept out by those of the same address who have none.
    service.token = Some(good);
    service.get("/v1/agents").expect(200);
    let statuses: Vec<u16> = (0..30).map(|_| service.get("/v1/agents").status).collect();
    assert!(statuses.contains(&429), "{statuses:?}");
}

#[test]
fn a_web_page_cannot_use_a_service_without_tokens() {
    let mut service = Service::with_shop("memory:", &[]);
    let start = format!("{SHOP}/conversations");
    let send = |service: &Service, headers: &[(&str, &str)]| {
        service.try_request("POST", &start, headers, Some(b"{}")).unwrap()
    };
    let port = service.address().rsplit(':').next().unwrap().to_owned();
    let rebound = format!("page.example:{port}");
    let detail = send(&service, &[("Host", &rebound)]).expect_problem(403, "foreign-request");
    assert!(detail.contains("Host") && detail.contains("--tokens"), "{detail}");
    for page in ["https://page.example", "null", "http://127.0.0.1:1"] {
        let detail = send(&service, &[("Origin", page)]).expect_problem(403, "foreign-request");
        assert!(detail.contains("Origin") && detail.contains("--tokens"), "{detail}");
    }
    // An empty text is what a page may send anywhere without being asked.
    let plain = [("Origin", "https://page.example"), ("Content-Type", "text/plain")];
    service.try_request("POST", &start, &plain, Some(b"")).unwrap().expect_problem(403, "foreign-request");
    let own = format!("http://localhost:{port}");
    send(&service, &[("Host", &format!("localhost:{port}")), ("Origin", &own)]).expect(201);
    assert_eq!(service.try_request("GET", "/dashboard/", &[("Host", &rebound)], None).unwrap().status, 403);

    // With tokens, it is they that say who may do what.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens.jsonl");
    let file = file.to_str().unwrap();
    let token = token(file, "runtime", &["--may", "call"]);
    service = Service::with_shop("memory:", &["--tokens", file]);
    service.token = Some(token);
    send(&service, &[("Host", "service.example"), ("Origin", "https://page.example")]).expect(201);
}

#[test]
fn what_is_large_is_not_read_for_those_who_may_not_send_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens.jsonl");
    let file = file.to_str().unwrap();
    let caller = token(file, "runtime", &["--may", "call"]);
    let service = Service::with_shop("memory:", &["--tokens", file]);
    let form = "multipart/form-data; boundary=limit";
    for (method, path, kind) in
        [("POST", format!("{SHOP}/memory/import"), "application/x-ndjson"), ("PUT", SHOP.to_owned(), form)]
    {
        // The body never arrives, and is not waited for.
        let mut stream = TcpStream::connect(service.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {caller}\r\nContent-Type: {kind}\r\n\
             Content-Length: 50000000\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut status = [0; 12];
        stream.read_exact(&mut status).unwrap();
        assert_eq!(&status, b"HTTP/1.1 403", "{method}");
    }
}
