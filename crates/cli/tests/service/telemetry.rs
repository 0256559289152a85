//! What the service tells those who watch it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;

use crate::support::Service;

#[test]
fn spans_are_sent_to_a_collector_and_name_routes_alone() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", collector.local_addr().unwrap());
    let (sender, received) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in collector.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            let (mut head, mut length) = (String::new(), 0);
            while reader.read_line(&mut head).unwrap() > 2 {
                let last = head.lines().last().unwrap().to_ascii_lowercase();
                if let Some(text) = last.strip_prefix("content-length: ") {
                    length = text.trim().parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
            if sender.send((head, body)).is_err() {
                return;
            }
        }
    });
    let mut service = Service::with_shop("memory:", &["--otlp", &url]);
    service.call_from("+441632960001");
    assert_eq!(service.stop(), 0, "what is left is sent before it ends");
    let (head, body) = received.try_recv().unwrap();
    assert!(head.starts_with("POST /v1/traces "), "{head}");
    let body = String::from_utf8_lossy(&body);
    for said in ["agent-memory", "/v1/agents/{account}/{project}/{environment}/conversations"] {
        assert!(body.contains(said), "{said} is not in {body}");
    }
    assert!(!body.contains("441632960001") && !body.contains("/v1/agents/local"), "{body}");
}
