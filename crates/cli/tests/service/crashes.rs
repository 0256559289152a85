//! A service that is killed at any moment.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, RwLock};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{SHOP, Service};

/// How often it is killed.
const KILLS: usize = 50;

/// How many clients it has.
const CLIENTS: usize = 16;

/// How many turns a conversation has.
const TURNS: usize = 3;

/// What a client was told of a conversation.
#[derive(Clone, Default)]
struct Told {
    /// The answers to its start and its turns, as far as they came.
    answers: Vec<Value>,
    /// What its end has committed, if that was answered.
    commit: Option<Value>,
}

#[test]
fn w4_what_was_acknowledged_is_there_after_50_kills() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("memory.db").display());
    let service = RwLock::new(Service::with_shop(&url, &["--rate", "0"]));
    let (done, told) = (AtomicBool::new(false), Mutex::new(HashMap::new()));
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (service, done, told) = (&service, &done, &told);
            scope.spawn(move || {
                for number in 0.. {
                    let id = format!("c-{client}-{number}");
                    let mut known = Told::default();
                    let came_to_its_end = hold(service, done, &id, &mut known);
                    told.lock().unwrap().insert(id, known);
                    if came_to_its_end.is_none() {
                        break;
                    }
                }
            });
        }
        let mut random = 0x2545_f491_4f6c_dd1d_u64;
        for _ in 0..KILLS {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            std::thread::sleep(Duration::from_millis(20 + random % 200));
            let mut running = service.write().unwrap();
            running.kill();
            *running = Service::start(&url, &["--rate", "0"]);
        }
        done.store(true, Ordering::Relaxed);
    });

    let service = service.into_inner().unwrap();
    let told: HashMap<String, Told> = told.into_inner().unwrap();
    let ended = told.values().filter(|told| told.commit.is_some()).count();
    assert!(ended > KILLS, "only {ended} conversations were held");
    let open = told.values().filter(|told| told.commit.is_none() && !told.answers.is_empty()).count();
    assert!(open > 0, "no conversation was left open");
    for (id, told) in &told {
        check(&service, id, told);
    }
    // One row for each commit: none came twice.
    let figures = service.get("/v1/analytics").expect(200);
    assert!(figures["conversations"].as_u64().unwrap() >= ended as u64);
    assert_eq!(figures["repeat_conversations"], 0);
}

/// The caller of a conversation: each has one of its own, so that what is remembered is what its turns have set.
fn caller(id: &str) -> String {
    let mut parts = id.split('-').skip(1).map(|part| part.parse::<u32>().unwrap());
    format!("+44{:04}{:06}", parts.next().unwrap(), parts.next().unwrap())
}

/// The start of a conversation, or one of its turns from 1: its path, its key and its body.
fn request(id: &str, turn: usize) -> (String, String, Value) {
    let key = format!("turn {turn}");
    if turn == 0 {
        return (format!("{SHOP}/conversations"), key, json!({ "id": id, "caller_number": caller(id) }));
    }
    let mut arguments = json!({ "cheese_type": cheese(id, turn) });
    if turn == 1 {
        // Set once, so that what it leads to shows whether the first turn is lost.
        arguments["booking_day"] = day(id);
    }
    (format!("{SHOP}/conversations/{id}/calls"), key, json!({ "function": "book", "arguments": arguments }))
}

fn cheese(id: &str, turn: usize) -> Value {
    if turn == 0 { Value::Null } else { format!("cheese {id} {turn}").into() }
}

fn day(id: &str) -> Value {
    format!("day {id}").into()
}

/// Holds a conversation, sending again whatever was not answered. None: it is left open, because all is over.
fn hold(service: &RwLock<Service>, done: &AtomicBool, id: &str, told: &mut Told) -> Option<()> {
    let send = |path: &str, key: &str, body: &Value| {
        while !done.load(Ordering::Relaxed) {
            let running = service.read().unwrap();
            let answer =
                running.try_request("POST", path, &[("Idempotency-Key", key)], Some(body.to_string().as_bytes()));
            drop(running);
            match answer {
                Ok(answer) if answer.status < 300 => return Some(serde_json::from_str::<Value>(&answer.text).unwrap()),
                // An answer that broke off in the middle, or a store that is being opened.
                Ok(answer) => assert!([503, 409].contains(&answer.status), "{answer:?}"),
                Err(_) => {}
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        None
    };
    for turn in 0..=TURNS {
        let (path, key, body) = request(id, turn);
        told.answers.push(send(&path, &key, &body)?);
    }
    let ended = send(&format!("{SHOP}/conversations/{id}/end"), "end", &json!({}))?;
    assert_eq!(ended["commit"]["keys"]["cheese_type"]["kept"], true, "{ended}");
    told.commit = Some(ended["commit"].clone());
    Some(())
}

/// Holds what is there of a conversation against what its client was told.
fn check(service: &Service, id: &str, told: &Told) {
    let Some(last) = told.answers.len().checked_sub(1) else { return };
    if last < TURNS {
        // Nobody has asked for its end: each turn that was acknowledged is known, and its answer.
        for (turn, answer) in told.answers.iter().enumerate() {
            let (path, key, body) = request(id, turn);
            let again =
                service.try_request("POST", &path, &[("Idempotency-Key", &key)], Some(body.to_string().as_bytes()));
            assert_eq!(&again.unwrap().expect(if turn == 0 { 201 } else { 200 }), answer, "{id}, turn {turn}");
        }
    }
    let ended = service.post(&format!("{SHOP}/conversations/{id}/end"), json!({})).expect(200);
    if let Some(commit) = &told.commit {
        assert_eq!(&ended["commit"], commit, "{id}");
    }
    // The turn that was asked for and not answered may have happened.
    let remembered = service.remembered(&caller(id));
    let next = (last + 1).min(TURNS);
    assert!([cheese(id, last), cheese(id, next)].contains(&remembered["cheese_type"]), "{id}: {remembered}");
    if last > 0 {
        assert_eq!(remembered["booking_day"], day(id), "{id}");
    }
}
