//! The clock, chance, and what there is not.

use agent_memory_host::{LogLevel, TurnOutcome};
use agent_memory_tests::{call, value};
use serde_json::json;

use crate::support::{Desk, at};

#[tokio::test]
async fn the_wall_clock_is_the_hosts_and_stands_still_within_a_turn() {
    let desk = Desk::new("").await;
    let mut conversation = desk.call().await;
    for (time, milliseconds) in
        [("2026-03-02T10:20:00Z", 1_772_446_800_000_u64), ("1999-12-31T23:59:59.250Z", 946_684_799_250)]
    {
        desk.clock.set(time.parse().unwrap());
        let world = value(&mut conversation, "world", &json!({})).await;
        assert_eq!(world["now"], milliseconds);
        assert_eq!(world["stands"], true, "while the monotonic clock ran for three milliseconds");
        assert!(world["at"].as_str().unwrap().starts_with(&time[..19]), "{world}");
        assert_eq!(world["zone"], 0);
    }
}

/// A component is a snapshot of an engine that has loaded the sources: what was drawn then is the same for ever, and
/// what is drawn in a turn must have nothing to do with it.
#[tokio::test]
async fn chance_differs_between_turns_and_nothing_of_it_is_frozen() {
    let desk = Desk::new("").await;
    let mut conversation = desk.call().await;
    let mut drawn = Vec::new();
    for _ in 0..20 {
        let chance = value(&mut conversation, "chance", &json!({})).await;
        drawn.extend(chance.as_array().unwrap().iter().map(ToString::to_string));
    }
    let count = drawn.len();
    drawn.sort();
    drawn.dedup();
    assert_eq!((count, drawn.len()), (60, 60));

    let first = value(&mut conversation, "frozen", &json!({})).await;
    assert_eq!(first, value(&mut conversation, "frozen", &json!({})).await);
    assert_eq!((&first["calls"], &first["loadedBefore"]), (&json!(1), &json!(true)));
    assert!(!drawn.contains(&first["drawn"].to_string()));
}

#[tokio::test]
async fn what_is_printed_is_logged() {
    let desk = Desk::new("").await;
    let turn = call(&mut desk.call().await, "print", &json!({})).await;
    let logs: Vec<_> = turn.logs.iter().map(|log| (log.content.as_str(), log.level)).collect();
    assert_eq!(logs, [("printed { cheese: \"brie\" }", LogLevel::Info), ("printed too", LogLevel::Warning)]);
}

#[tokio::test]
async fn there_is_no_network_and_it_is_said_so() {
    let desk = Desk::new("").await;
    let turn = call(&mut desk.call().await, "fetch_something", &json!({})).await;
    let TurnOutcome::Failed(error) = turn.outcome else { panic!("{:?}", turn.outcome) };
    assert_eq!(error.name, "SandboxError");
    assert!(error.message.starts_with("functions have no network"), "{}", error.message);
    assert_eq!(error.trace, at("fetchSomething", "fetch("));
}

#[tokio::test]
async fn what_there_is_beside_the_language_is_known() {
    let desk = Desk::new("").await;
    let globals = value(&mut desk.call().await, "globals", &json!({})).await;
    assert_eq!(globals["missing"], json!([]));
    let more: Vec<_> = globals["more"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(
        more.join(" "),
        "AbortController AbortSignal Blob ByteLengthQueuingStrategy CompressionStream CountQueuingStrategy Crypto \
         CryptoKey CustomEvent DOMException DecompressionStream Event EventTarget File FormData Headers InternalError \
         MultipartFormData Performance ReadableByteStreamController ReadableStream ReadableStreamBYOBReader \
         ReadableStreamBYOBRequest ReadableStreamDefaultController ReadableStreamDefaultReader Request Response \
         SubtleCrypto TextDecoder TextEncoder TransformStream URL URLSearchParams WorkerLocation WritableStream \
         addEventListener atob btoa clearInterval clearTimeout console crypto dispatchEvent fetch location performance \
         queueMicrotask removeEventListener self setInterval setTimeout structuredClone"
    );
}

#[tokio::test]
async fn what_works_does_so_as_elsewhere() {
    let desk = Desk::new("").await;
    assert_eq!(
        value(&mut desk.call().await, "what_works", &json!({})).await,
        json!({
            "text": "käse €",
            "base64": "YnJpZQ==",
            "url": "brie",
            "clone": 1,
            "digest": "dad25620",
            "hmac": 32,
            "stream": "brie",
            "ticks": 3,
            "microtask": "yes",
            "evaluated": 2,
            "regexp": ["b", true, false],
            "upper": "STRASSE",
            "compared": "Babä",
            "sets": [1, 2, 3],
            "iterator": [2, 4],
            "local": "2026-07-01T10:00:00.000Z",
            "elsewhere": "2026-07-01T08:00:00.000Z",
            "date": "Thu Jan  1 00:00:00 1970",
            "number": "1234.5",
        })
    );
}

#[tokio::test]
async fn what_does_not_work_throws() {
    let desk = Desk::new("").await;
    assert_eq!(
        value(&mut desk.call().await, "what_does_not_work", &json!({})).await,
        json!({
            "fetch": "SandboxError",
            "timeZone": "SandboxError",
            "language": "SandboxError",
            "order": "SandboxError",
            "intl": "ReferenceError",
            "normalize": "TypeError",
            "property": "SyntaxError",
            "encryption": "TypeError",
        })
    );
}
