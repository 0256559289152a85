//! Servers that are away, that refuse, that are of the wrong kind, and slots that move.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests panic when something is wrong"
)]

#[allow(dead_code, reason = "not every test needs all of it")]
mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use agent_memory_store::{Commit, Committed, ConversationKey, Effect, Erasure, IdentityKey, Store, StoreError};
use agent_memory_test_servers::{
    Signal, free_port,
    valkey::{Cluster, Connection, Node, Reply},
};
use agent_memory_valkey::{Durability, Settings, ValkeyStore};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use self::support::{NOW, commit, read, settings, store_in};

fn quick(cluster: &Cluster) -> Settings {
    let times = Settings {
        timeout: Duration::from_millis(800),
        acknowledge: Duration::from_millis(200),
        connect: Duration::from_millis(400),
        ..settings(cluster, Durability::Async)
    };
    Settings { nodes: times.nodes.into_iter().take(1).collect(), ..times }
}

/// Tries until it succeeds.
async fn committed_at_last(store: &ValkeyStore, number: u8) {
    for _ in 0..200 {
        if store.commit(commit(number)).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{:?}", store.commit(commit(number)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_at_the_start_is_named() {
    let url = format!("valkey://me:s3cret@127.0.0.1:{}/?connect_ms=300", free_port().unwrap());
    let error = ValkeyStore::open(&url).await.unwrap_err();
    assert!(matches!(&error, StoreError::Unavailable { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("no connection can be made: start it") && !text.contains("s3cret"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_away_is_used_again_without_a_restart() {
    let mut cluster = Cluster::start(1, false, &[("appendonly", "yes"), ("appendfsync", "always")]).unwrap();
    let store = ValkeyStore::connect(quick(&cluster)).await.unwrap();
    store.commit(commit(1)).await.unwrap();
    cluster.node(0).unwrap().kill();

    let error = store.load(read(1)).await.unwrap_err();
    assert!(matches!(&error, StoreError::Unavailable { .. }), "{error}");
    let error = store.commit(commit(2)).await.unwrap_err();
    assert_eq!(error.effect(), Effect::Unknown, "{error}");

    cluster.node(0).unwrap().restart().unwrap();
    committed_at_last(&store, 2).await;
    assert_eq!(store.load(read(1)).await.unwrap().fields.len(), 1, "it was in the log");
    assert!(matches!(store.commit(commit(1)).await.unwrap(), Committed::Before(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_falls_silent_is_not_waited_for_any_longer_than_said() {
    let mut cluster = Cluster::start(1, false, &[]).unwrap();
    let store = ValkeyStore::connect(quick(&cluster)).await.unwrap();
    cluster.node(0).unwrap().freeze().unwrap();
    let begun = std::time::Instant::now();
    let error = store.commit(commit(1)).await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    assert_eq!(error.effect(), Effect::Unknown);
    assert!(error.to_string().contains("no answer came within 800 ms"), "{error}");
    cluster.node(0).unwrap().signal(Signal::Continue);
    committed_at_last(&store, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_may_wait_is_refused_at_once() {
    let mut cluster = Cluster::start(1, false, &[]).unwrap();
    let store = Arc::new(ValkeyStore::connect(Settings { queue: 4, ..quick(&cluster) }).await.unwrap());
    cluster.node(0).unwrap().freeze().unwrap();
    let tasks: Vec<_> = (0..12)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.load(read(1)).await.unwrap_err() })
        })
        .collect();
    let mut refused = 0;
    for task in tasks {
        let error = task.await.unwrap();
        refused += usize::from(matches!(&error, StoreError::Overloaded { .. }));
        assert_eq!(error.effect(), Effect::Rejected, "{error}");
    }
    assert_eq!(refused, 8);
    cluster.node(0).unwrap().signal(Signal::Continue);
    committed_at_last(&store, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_needed_and_has_to_be_right() {
    let cluster = Cluster::start(1, false, &[("requirepass", "s3cret"), ("primaryauth", "s3cret")]).unwrap();
    let with = |password: Option<&str>| Settings { password: password.map(str::to_owned), ..quick(&cluster) };
    for (password, says) in [(None, "wants a password"), (Some("wr0ng"), "password is wrong")] {
        let error = ValkeyStore::connect(with(password)).await.unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, StoreError::Unavailable { .. }) && text.contains(says), "{text}");
        assert!(!text.contains("wr0ng"), "{text}");
    }
    ValkeyStore::connect(with(Some("s3cret"))).await.unwrap().commit(commit(1)).await.unwrap();
}

/// What `docs/valkey.md` says that a user needs.
#[tokio::test(flavor = "multi_thread")]
async fn a_user_needs_no_more_than_is_said() {
    let guide = include_str!("../../../docs/valkey.md");
    let rights = guide.lines().find_map(|line| line.strip_prefix("    ACL SETUSER ")).unwrap();
    let cluster = Cluster::start(1, false, &[]).unwrap();
    let settings = quick(&cluster);
    let rights = rights.replace("USER", "me").replace("PASSWORD", "s3cret").replace("PREFIX", &settings.prefix);
    let command: Vec<&str> = ["ACL", "SETUSER"].into_iter().chain(rights.split(' ')).collect();
    let mut connection = cluster.nodes()[0].connect().unwrap();
    connection.ask(&command).unwrap();

    let user = |name: &str| Some(name.to_owned());
    let settings = Settings { user: user("me"), password: user("s3cret"), ..settings };
    let store = ValkeyStore::connect(settings.clone()).await.unwrap();
    store.commit(commit(1)).await.unwrap();
    store.erase(Erasure { identity: IdentityKey([1; 32]), key: None, now: NOW, expires: NOW + 7200 }).await.unwrap();
    store.sweep(NOW).await.unwrap();
    store.health(NOW).await.unwrap();

    let elsewhere = Settings { prefix: "other:".to_owned(), ..settings };
    let error = ValkeyStore::connect(elsewhere).await.unwrap_err();
    assert!(matches!(&error, StoreError::Unavailable { reason, .. } if reason.contains("may not")), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_the_functions_gets_them() {
    let cluster = Cluster::start(1, true, &[]).unwrap();
    for durability in [Durability::Async, Durability::Replica] {
        let store = store_in(&cluster, durability).await;
        store.commit(commit(1)).await.unwrap();
        cluster.nodes()[0].connect().unwrap().ask(&["FUNCTION", "FLUSH"]).unwrap();
        assert!(matches!(store.commit(commit(1)).await.unwrap(), Committed::Before(_)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_deletes_what_has_not_expired_is_refused() {
    let cluster = Cluster::start(1, false, &[("maxmemory", "100mb"), ("maxmemory-policy", "allkeys-lru")]).unwrap();
    let error = ValkeyStore::connect(quick(&cluster)).await.unwrap_err();
    assert!(matches!(&error, StoreError::UnsuitableServer { reason, .. } if reason.contains("allkeys-lru")), "{error}");
}

/// It may be a primary tomorrow.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_deletes_what_has_not_expired_is_refused() {
    let mut cluster = Cluster::start(1, true, &[]).unwrap();
    let settings = settings(&cluster, Durability::Async);
    cluster.nodes()[1].connect().unwrap().ask(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lfu"]).unwrap();
    let error = ValkeyStore::connect(settings.clone()).await.unwrap_err();
    assert!(matches!(&error, StoreError::UnsuitableServer { reason, .. } if reason.contains("allkeys-lfu")), "{error}");
    // One that says nothing holds up nobody.
    cluster.node(1).unwrap().freeze().unwrap();
    ValkeyStore::connect(settings.clone()).await.unwrap();
    cluster.node(1).unwrap().kill();
    ValkeyStore::connect(settings).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_a_log_is_refused_where_one_is_waited_for() {
    let cluster = Cluster::start(1, false, &[]).unwrap();
    let error = ValkeyStore::connect(Settings { durability: Durability::Aof, ..quick(&cluster) }).await.unwrap_err();
    assert!(matches!(&error, StoreError::UnsuitableServer { reason, .. } if reason.contains("appendonly")), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_on_the_disk_survives_a_kill() {
    let mut cluster = Cluster::start(1, false, &[("appendonly", "yes"), ("appendfsync", "everysec")]).unwrap();
    let settings = Settings { durability: Durability::Aof, ..settings(&cluster, Durability::Aof) };
    let store = ValkeyStore::connect(settings).await.unwrap();
    store.commit(commit(1)).await.unwrap();
    cluster.node(0).unwrap().kill();
    cluster.node(0).unwrap().restart().unwrap();
    assert!(matches!(store.commit(commit(1)).await.unwrap(), Committed::Before(_)));
}

/// A server that has no replica cannot acknowledge. The commit may be there, and a repetition waits anew.
#[tokio::test(flavor = "multi_thread")]
async fn w4_what_no_replica_has_is_not_acknowledged() {
    let mut cluster = Cluster::start(1, true, &[]).unwrap();
    let settings = settings(&cluster, Durability::Replica);
    let short = Settings { acknowledge: Duration::from_millis(300), ..settings };
    let store = ValkeyStore::connect(short).await.unwrap();
    store.commit(commit(1)).await.unwrap();
    cluster.node(1).unwrap().freeze().unwrap();
    for _ in 0..2 {
        let error = store.commit(commit(1)).await.unwrap_err();
        assert_eq!(error.effect(), Effect::Unknown);
        assert!(error.to_string().contains("not 1 replicas have acknowledged"), "{error}");
    }
    cluster.node(1).unwrap().signal(Signal::Continue);
    assert!(matches!(store.commit(commit(1)).await.unwrap(), Committed::Before(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_full_says_so() {
    let cluster = Cluster::start(1, false, &[]).unwrap();
    let store = store_in(&cluster, Durability::Async).await;
    store.commit(commit(1)).await.unwrap();
    let mut connection = cluster.nodes()[0].connect().unwrap();
    connection.ask(&["CONFIG", "SET", "maxmemory", "1"]).unwrap();
    assert!(matches!(store.commit(commit(2)).await.unwrap_err(), StoreError::Full { .. }));
    assert_eq!(store.load(read(1)).await.unwrap().fields.len(), 1, "it can still be read,");
    let erasure = Erasure { identity: IdentityKey([1; 32]), key: None, now: NOW, expires: NOW + 7200 };
    assert_eq!(store.erase(erasure).await.unwrap().fields, 1, "erased,");
    store.sweep(NOW + 9000).await.expect("and swept");
    connection.ask(&["CONFIG", "SET", "maxmemory", "0"]).unwrap();
    store.commit(commit(2)).await.unwrap();
}

/// Functions are not taken by a server that is full. That it has them already is enough.
#[tokio::test(flavor = "multi_thread")]
async fn e1_a_store_is_opened_and_erased_from_on_a_server_that_is_full() {
    let cluster = Cluster::start(1, false, &[]).unwrap();
    let settings = settings(&cluster, Durability::Async);
    ValkeyStore::connect(settings.clone()).await.unwrap().commit(commit(1)).await.unwrap();
    cluster.nodes()[0].connect().unwrap().ask(&["CONFIG", "SET", "maxmemory", "1"]).unwrap();
    let store = ValkeyStore::connect(settings).await.unwrap();
    let erasure = Erasure { identity: IdentityKey([1; 32]), key: None, now: NOW, expires: NOW + 7200 };
    assert_eq!(store.erase(erasure).await.unwrap().fields, 1);
    assert!(matches!(store.commit(commit(2)).await.unwrap_err(), StoreError::Full { .. }));
}

/// A caller whose slot moves from one primary to another and back while commits go on.
async fn commits_go_on_while(moved: impl Fn(&mut [Connection; 2], &[Node], &str, &[String], usize)) {
    let cluster = Cluster::start(2, false, &[]).unwrap();
    let store = Arc::new(store_in(&cluster, Durability::Async).await);
    let identity = IdentityKey([0x12; 32]);
    let is_over = Arc::new(AtomicBool::new(false));
    let commits = tokio::spawn({
        let (store, is_over) = (Arc::clone(&store), Arc::clone(&is_over));
        async move {
            let mut number = 0_u16;
            while !is_over.load(Ordering::Relaxed) {
                let mut conversation = [0x12; 32];
                conversation[30..].copy_from_slice(&number.to_be_bytes());
                let commit = Commit { conversation: ConversationKey(conversation), identity, ..commit(1) };
                assert!(matches!(store.commit(commit).await.unwrap(), Committed::Now(_)));
                number += 1;
            }
            usize::from(number)
        }
    });
    tokio::task::block_in_place(|| {
        let nodes = cluster.nodes();
        let mut connections = [nodes[0].connect().unwrap(), nodes[1].connect().unwrap()];
        let mut ids = Vec::new();
        for connection in &mut connections {
            ids.push(connection.ask(&["CLUSTER", "MYID"]).unwrap().text().unwrap());
        }
        let Reply::Number(slot) = connections[0].ask(&["CLUSTER", "KEYSLOT", "{0121}"]).unwrap() else { panic!() };
        let owner = usize::from(slot >= 8192);
        for from in [owner, 1 - owner, owner] {
            std::thread::sleep(Duration::from_millis(200));
            moved(&mut connections, nodes, &slot.to_string(), &ids, from);
        }
    });
    is_over.store(true, Ordering::Relaxed);
    let committed = commits.await.unwrap();
    let held = store.export(identity, NOW).await.unwrap();
    assert_eq!(held.conversations.len(), committed);
    assert!(committed > 100, "{committed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn w4_a_slot_moves_key_by_key_while_commits_go_on() {
    commits_go_on_while(|connections, nodes, slot, ids, from| {
        let to = 1 - from;
        connections[to].ask(&["CLUSTER", "SETSLOT", slot, "IMPORTING", &ids[from]]).unwrap();
        connections[from].ask(&["CLUSTER", "SETSLOT", slot, "MIGRATING", &ids[to]]).unwrap();
        let port = nodes[to].port().to_string();
        loop {
            let keys = connections[from].ask(&["CLUSTER", "GETKEYSINSLOT", slot, "10"]).unwrap();
            let Reply::List(keys) = keys else { panic!("{keys:?}") };
            if keys.is_empty() {
                break;
            }
            let begin = ["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "REPLACE", "KEYS"];
            let mut migrate: Vec<Vec<u8>> = begin.map(|part| part.as_bytes().to_vec()).to_vec();
            for key in keys {
                let Reply::Bytes(key) = key else { panic!("{key:?}") };
                migrate.push(key);
            }
            connections[from].ask(&migrate).unwrap();
        }
        for index in [to, from] {
            connections[index].ask(&["CLUSTER", "SETSLOT", slot, "NODE", &ids[to]]).unwrap();
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn w4_a_slot_moves_at_once_while_commits_go_on() {
    commits_go_on_while(|connections, _, slot, ids, from| {
        let to = 1 - from;
        connections[from].ask(&["CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", slot, slot, "NODE", &ids[to]]).unwrap();
        for _ in 0..500 {
            std::thread::sleep(Duration::from_millis(20));
            let answer = connections[to].ask(&["CLUSTER", "COUNTKEYSINSLOT", slot]).unwrap();
            let nodes = connections[to].ask(&["CLUSTER", "NODES"]).unwrap().text().unwrap();
            let own = nodes.lines().find(|line| line.contains("myself")).unwrap_or_default().to_owned();
            if answer != Reply::Number(0) && has_slot(&own, slot) {
                return;
            }
        }
        panic!("the slot has not moved");
    })
    .await;
}

/// Whether a line of `CLUSTER NODES` has a slot.
fn has_slot(line: &str, slot: &str) -> bool {
    let slot: u16 = slot.parse().unwrap();
    line.split(' ').skip(8).filter(|range| !range.starts_with('[')).any(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        (first.parse().unwrap()..=last.parse().unwrap()).contains(&slot)
    })
}

/// Answers as a server of another version would, and gives this answer to `CLUSTER SLOTS`.
async fn older_server(listener: TcpListener, slots: String) {
    let info = "redis_version:7.2.4\r\nvalkey_version:8.1.4\r\nmaxmemory_policy:noeviction\r\n";
    while let Ok((mut stream, _)) = listener.accept().await {
        let (slots, info) = (slots.clone(), format!("${}\r\n{info}\r\n", info.len()));
        tokio::spawn(async move {
            let mut buffer = vec![0; 1 << 16];
            while let Ok(length) = stream.read(&mut buffer).await {
                if length == 0 {
                    return;
                }
                // Commands come one or more at a time. Each begins with the number of its parts.
                let text = String::from_utf8_lossy(&buffer[..length]).to_ascii_uppercase();
                for command in text.split("\r\n*").filter(|command| !command.is_empty()) {
                    let answer = match command {
                        _ if command.contains("HELLO") => "%1\r\n$5\r\nproto\r\n:3\r\n",
                        _ if command.contains("SLOTS") => &slots,
                        _ if command.contains("INFO\r\n$6\r\nSERVER") => &info,
                        _ => "+OK\r\n",
                    };
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            }
        });
    }
}

async fn open_older_server(slots: impl Fn(u16) -> String) -> StoreError {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(older_server(listener, slots(port)));
    let url = format!("valkey://127.0.0.1:{port}/?durability=async&timeout_ms=2000&acknowledge_ms=500");
    ValkeyStore::open(&url).await.unwrap_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_expiring_fields_is_refused() {
    let slots = |port| format!("*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:{port}\r\n");
    let error = open_older_server(slots).await;
    assert!(
        matches!(&error, StoreError::UnsuitableServer { reason, .. } if reason.contains("Valkey 8.1.4")),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_no_cluster_is_refused() {
    let error = open_older_server(|_| "-ERR This instance has cluster support disabled\r\n".to_owned()).await;
    assert!(matches!(&error, StoreError::UnsuitableServer { reason, .. } if reason.contains("no cluster")), "{error}");
}

/// The server of these tests has no TLS. What stands before it has, and is what it announces.
#[tokio::test(flavor = "multi_thread")]
async fn connections_are_encrypted_and_certificates_are_checked() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let cluster = Cluster::start(1, false, &[("cluster-announce-port", &port.to_string())]).unwrap();
    let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let behind = cluster.nodes()[0].port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                if let Ok(mut encrypted) = acceptor.accept(stream).await {
                    let mut plain = tokio::net::TcpStream::connect(("127.0.0.1", behind)).await.unwrap();
                    // It ends when either side does.
                    let _ = tokio::io::copy_bidirectional(&mut encrypted, &mut plain).await;
                }
            });
        }
    });

    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, certified.cert.pem()).unwrap();
    let url = format!("valkeys://127.0.0.1:{port}/?durability=async&connect_ms=1000");
    let store = ValkeyStore::open(&format!("{url}&ca={}", ca.display())).await.unwrap();
    store.commit(commit(1)).await.unwrap();
    assert_eq!(store.load(read(1)).await.unwrap().fields.len(), 1);

    // Nobody whom the system trusts has signed it.
    let error = ValkeyStore::open(&url).await.unwrap_err();
    assert!(matches!(&error, StoreError::Unavailable { .. }), "{error}");
    let error = ValkeyStore::open(&format!("{url}&ca={}", folder.path().join("none").display())).await.unwrap_err();
    assert!(error.to_string().contains("none"), "{error}");
}
