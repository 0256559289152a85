//! What people send by mistake, and on purpose.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{SHOP, Service};

#[test]
fn what_cannot_be_read_is_a_precise_problem() {
    let service = Service::with_shop("memory:", &[]);
    let start = format!("{SHOP}/conversations");
    let send = |body: &[u8]| service.try_request("POST", &start, &[], Some(body)).unwrap();
    let detail = send(b"{\"caller_number\": \"+441632960001\"").expect_problem(400, "malformed-request");
    assert!(detail.contains("line 1"), "{detail}");
    send(b"\xff\xfe").expect_problem(400, "malformed-request");
    let detail = send(br#"{"caller_number": ["+441632960001"]}"#).expect_problem(422, "invalid-request");
    assert!(!detail.contains("441632"), "{detail}");
    let detail = send(br#"{"caller_numer": "+441632960001"}"#).expect_problem(422, "invalid-request");
    assert!(detail.contains("caller_numer") && detail.contains("caller_number"), "{detail}");
    let text = service.try_request("POST", &start, &[("Content-Type", "text/plain")], Some(b"{}")).unwrap();
    text.expect_problem(415, "unsupported-media-type");
    // Only just, so that the whole of it is sent before the answer comes.
    send(&[&b"\""[..], &vec![b'x'; 1 << 20], b"\""].concat()).expect_problem(413, "too-large");
    service.post(&start, json!({ "id": "" })).expect_problem(422, "invalid-request");
    service.post(&start, json!({ "id": "x".repeat(257) })).expect_problem(422, "invalid-request");
    service
        .post(&start, json!({ "state": { "cheese_type": "x".repeat(300_000) } }))
        .expect_problem(422, "invalid-request");
    service.get("/v1/nothing").expect_problem(404, "no-such-route");
    service.try_request("PATCH", &start, &[], Some(b"{}")).unwrap().expect_problem(405, "method-not-allowed");
    let key = "k".repeat(257);
    service
        .try_request("POST", &start, &[("Idempotency-Key", &key)], Some(b"{}"))
        .unwrap()
        .expect_problem(400, "malformed-request");
}

#[test]
fn what_there_is_not_is_said_to_be_not_there() {
    let service = Service::with_shop("memory:", &[]);
    let nowhere = format!("{SHOP}/conversations/nowhere");
    service.get(&nowhere).expect_problem(404, "unknown-conversation");
    service.book(&nowhere, "brie").expect_problem(404, "unknown-conversation");
    service.post(&format!("{nowhere}/end"), json!({})).expect_problem(404, "unknown-conversation");
    service.post("/v1/agents/local/local/live/conversations", json!({})).expect_problem(404, "unknown-agent");
    let conversation = service.call_from("+441632960001");
    let detail = service
        .post(&format!("{conversation}/calls"), json!({ "function": "bok" }))
        .expect_problem(404, "unknown-function");
    assert!(detail.contains("book"), "{detail}");
    service
        .post(&format!("{conversation}/calls"), json!({ "function": "start_function" }))
        .expect_problem(404, "unknown-function");
    let list = json!({ "function": "book", "arguments": ["brie"] });
    service.post(&format!("{conversation}/calls"), list).expect_problem(422, "invalid-request");
    // Arguments that the function does not take are the function's to refuse.
    let wrong = json!({ "function": "book", "arguments": { "cheese_type": 5 } });
    let turn = service.post(&format!("{conversation}/calls"), wrong).expect(200)["turn"].clone();
    assert_eq!((&turn["outcome"], &turn["error"]["name"]), (&json!("error"), &json!("invalid-arguments")));

    let id = conversation.rsplit('/').next().unwrap();
    service.post(&format!("{SHOP}/conversations"), json!({ "id": id })).expect_problem(409, "conversation-exists");
    service.post(&format!("{conversation}/end"), json!({})).expect(200);
    service.post(&format!("{SHOP}/conversations"), json!({ "id": id })).expect_problem(409, "conversation-ended");
}

#[test]
fn names_with_any_characters_are_kept_apart() {
    let service = Service::with_shop("memory:", &[]);
    for id in ["a/b", "a%2Fb", "ä ö", "..", "?x=1", "#"] {
        let started = service.post(&format!("{SHOP}/conversations"), json!({ "id": id })).expect(201);
        assert_eq!(started["conversation"], id);
        let encoded: String = id.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let status = service.get(&format!("{SHOP}/conversations/{encoded}")).expect(200);
        assert_eq!(status["conversation"], id);
    }
}

#[test]
fn a_slow_client_is_let_go_and_does_not_stop_others() {
    let service = Service::with_shop("memory:", &[]);
    let send = |text: &str| {
        let mut stream = TcpStream::connect(service.address()).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        stream
    };
    let body = |method: &str, path: &str, kind: &str, body: &str| {
        let path = format!("{SHOP}{path}");
        let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}");
        send(&format!("{head}\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n{body}"))
    };
    let import = || body("POST", "/memory/import", "application/x-ndjson", "{\"identi");
    // Those who never say what they want are closed without a word, or are told.
    let beginnings = ["", "P", "PRI * HTTP/2.0\r\n", "GET /v1/agents HTTP/1.1\r\nHost: localhost\r\n"];
    let silent: Vec<TcpStream> = beginnings.iter().cycle().take(60).map(|beginning| send(beginning)).collect();
    // Those whose bodies stall are told.
    let stalled = [
        body("POST", "/conversations", "application/json", "{\"caller_number\""),
        body("PUT", "", "multipart/form-data; boundary=limit", "--limit\r\n"),
        import(),
        import(),
    ];
    let started = Instant::now();
    service.call_from("+441632960001");
    // As many imports as may be are going on.
    let path = format!("{SHOP}/memory/import");
    let kind = [("Content-Type", "application/x-ndjson")];
    let turned_away = service.try_request("POST", &path, &kind, Some(b"{}")).unwrap();
    assert!(turned_away.retry_after.is_some());
    turned_away.expect_problem(503, "overloaded");

    let answer = |mut stream: TcpStream| {
        let left = Duration::from_secs(25).checked_sub(started.elapsed()).unwrap();
        stream.set_read_timeout(Some(left)).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).map(|_| String::from_utf8(answer).unwrap())
    };
    for (stream, beginning) in silent.into_iter().zip(beginnings.iter().cycle()) {
        match answer(stream) {
            Ok(answer) => assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{beginning:?}: {answer}"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{beginning:?}"),
        }
    }
    for stream in stalled {
        let answer = answer(stream).unwrap();
        assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("problem:too-slow"), "{answer}");
    }
    // There is a place again.
    service.try_request("POST", &path, &kind, Some(b"")).unwrap().expect(200);
}

#[test]
fn an_import_is_lines_of_json() {
    let service = Service::with_shop("memory:", &[]);
    let path = format!("{SHOP}/memory/import");
    let send =
        |kind: &str, lines: &[u8]| service.try_request("POST", &path, &[("Content-Type", kind)], Some(lines)).unwrap();
    for kind in ["text/plain", "application/json"] {
        let detail = send(kind, b"{}").expect_problem(415, "unsupported-media-type");
        assert!(detail.contains("application/x-ndjson"), "{detail}");
    }
    let good = br#"{"identifier": "+441632960001", "fields": {"cheese_type": {"value": "brie"}}}"#;
    let too_long = vec![b' '; (1 << 20) + 1];
    let answer = send("Application/X-NDJSON; charset=utf-8", &[&too_long[..], b"\n", good].concat()).expect(200);
    assert_eq!((&answer["written"], &answer["refused"][0]["line"]), (&json!(1), &json!(1)));
    assert_eq!(service.remembered("+441632960001"), json!({ "cheese_type": "brie" }));
}

#[test]
fn a_store_that_goes_away_and_comes_back_needs_no_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memory.db");
    let url = format!("sqlite:{}", path.display());
    let service = Service::with_shop(&url, &[]);
    let conversation = service.call_from("+441632960001");
    // Another program holds the file for longer than the service waits.
    let lock = rusqlite::Connection::open(&path).unwrap();
    lock.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let answer = service.book(&conversation, "brie");
    assert!(answer.retry_after.is_some());
    let detail = answer.expect_problem(503, "store-unavailable");
    assert!(!detail.contains("441632") && !detail.contains("memory.db"), "{detail}");
    assert_eq!(service.get("/healthz").status, 200);
    lock.execute_batch("COMMIT").unwrap();
    service.book(&conversation, "brie").expect(200);
    let ended: Value = service.post(&format!("{conversation}/end"), json!({})).expect(200);
    assert_eq!(ended["commit"]["status"], "committed");
}

#[test]
fn ten_thousand_open_conversations_are_no_matter() {
    let service = Service::with_shop("memory:", &["--rate", "0"]);
    let start = format!("{SHOP}/conversations");
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (service, start) = (&service, &start);
            scope.spawn(move || {
                for number in 0..1250 {
                    let caller = format!("+44163{thread}{number:05}");
                    service.post(start, json!({ "caller_number": caller, "run_start_function": false })).expect(201);
                }
            });
        }
    });
    let conversation = service.call_from("+441632960001");
    service.book(&conversation, "brie").expect(200);
    assert_eq!(service.get("/v1/memory/health").expect(200)["sessions"], 10_001);
}
