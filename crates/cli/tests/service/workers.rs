//! Functions that run in processes of their own.
#![cfg(target_os = "linux")]

use std::fs;
use std::process::Command;

use serde_json::json;

use crate::support::{SHOP, Service, root};

/// The cheese shop in JavaScript, with so many workers.
fn service(workers: &str) -> Service {
    let shop = root().join("examples/cheese-shop-javascript");
    let configuration = shop.join("config.json");
    let agent = [shop.to_str().unwrap(), "--config", configuration.to_str().unwrap(), "--workers", workers];
    Service::start("memory:", &agent)
}

/// The processes that a process has started, and not waited for.
fn children(process: u32) -> Vec<u32> {
    let processes =
        fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    let is_child = |child: &u32| {
        // After the name in brackets: the state, and the parent. The process may be gone by now.
        let stat = fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1));
        parent.is_some_and(|parent| parent == process.to_string())
    };
    processes.filter(is_child).collect()
}

#[test]
fn w6_when_a_worker_is_killed_another_takes_its_place_and_the_conversation_goes_on() {
    let service = service("1");
    let conversation = service.call_from("+441632960001");
    service.book(&conversation, "brie").expect(200);
    let workers = children(service.process_id());
    assert_eq!(workers.len(), 1, "{}", service.log());
    assert!(Command::new("kill").args(["-KILL", &workers[0].to_string()]).status().unwrap().success());

    // The worker may be found dead by this turn, which is then stopped.
    let booked = (0..100).map(|_| service.book(&conversation, "gouda").expect(200));
    let booked = booked.map(|answer| answer["turn"]["returns"].clone()).find(|returns| !returns.is_null());
    assert_eq!(booked.unwrap(), "Booked gouda for Friday.");
    let others = children(service.process_id());
    assert!(others.len() == 1 && others != workers, "{others:?}");
    let ended = service.post(&format!("{conversation}/end"), json!({})).expect(200);
    assert_eq!(ended["commit"]["status"], "committed");
    assert_eq!(service.remembered("+441632960001")["cheese_type"], "gouda");
}

#[test]
fn with_workers_off_there_is_one_process() {
    let service = service("off");
    let conversation = service.call_from("+441632960001");
    service.book(&conversation, "brie").expect(200);
    assert_eq!(children(service.process_id()), [] as [u32; 0]);
    assert_eq!(service.get(SHOP).expect(200)["project"], "local");
}
