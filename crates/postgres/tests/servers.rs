//! Servers that are away, slow, full of others, read-only, newer, or somebody else.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests panic when something is wrong"
)]

mod support;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    sync::Arc,
    time::{Duration, Instant},
};

use agent_memory_postgres::{Durability, PostgresStore};
use agent_memory_store::{
    Commit, Committed, ConversationKey, Effect, Erasure, Field, IdentityKey, KeptMark, Mark, Read, Register,
    RegisterKey, Registers, Replacement, Replaces, Revision, SavedSession, Sealed, Sessions, Shard, Store, StoreError,
};
use agent_memory_test_servers::{
    Signal, free_port,
    postgres::{PASSWORD, Postgres, STANDBY, USER},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_postgres::NoTls;

use support::{Database, server};

const NOW: i64 = 1_767_225_600;
const LATER: i64 = NOW + 90 * 24 * 3600;

const NOBODY: Read = Read { identity: None, conversation: None, now: NOW };

fn commit(number: u8) -> Commit {
    let field = Field { key: "a".to_owned(), written: NOW, expires: LATER, value: Sealed(vec![number]) };
    Commit {
        conversation: ConversationKey([number; 32]),
        identity: IdentityKey([number % 7; 32]),
        identifier: Sealed(vec![1]),
        erasures: 0,
        now: NOW,
        patch: vec![field],
        interaction: None,
        mark: Mark { expires: LATER, report: Sealed(vec![2]) },
        ends_session: false,
    }
}

fn session(number: u8) -> SavedSession {
    SavedSession {
        conversation: ConversationKey([number; 32]),
        expires: LATER,
        overdue: None,
        revision: Revision([number; 16]),
        session: Sealed(vec![3]),
    }
}

fn replacement() -> Replacement {
    let to = Register { value: vec![1], expires: Some(LATER) };
    Replacement { key: RegisterKey(vec![1]), from: None, to, ends: None }
}

fn mark(number: u8) -> KeptMark {
    KeptMark { conversation: ConversationKey([number; 32]), expires: LATER, recorded: None }
}

async fn open(url: &str) -> PostgresStore {
    PostgresStore::open(url, true).await.unwrap()
}

async fn refused(url: &str) -> StoreError {
    PostgresStore::open(url, true).await.expect_err("it cannot be opened")
}

/// Checks that an error is of a server that cannot be used, and has no password in it.
fn is_unavailable(error: &StoreError, expected: &str) {
    let StoreError::Unavailable { place, reason } = error else { panic!("{error:?}") };
    assert!(place.starts_with("postgres://127.0.0.1:") && !place.contains(PASSWORD), "{place}");
    assert!(reason.contains(expected) && !reason.contains(PASSWORD), "{reason}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_said_to_be_away() {
    let port = free_port().unwrap();
    let begin = Instant::now();
    let error = refused(&format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{port}/a")).await;
    is_unavailable(&error, "it does not answer");
    assert!(error.to_string().contains(&port.to_string()));
    assert!(begin.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_server_that_stands_still_is_said_to_be_away() {
    let mut server = Postgres::start(&[("fsync", "off")]).unwrap();
    let url = format!("{}?connect_timeout=1", server.url("postgres"));
    let store = open(&format!("{url}&pool_size=1")).await;
    server.signal(Signal::Stop);
    // The signal may take a moment to arrive.
    let begin = Instant::now();
    let mut opened = PostgresStore::open(&url, true).await;
    while opened.is_ok() && begin.elapsed() < Duration::from_secs(30) {
        opened = PostgresStore::open(&url, true).await;
    }
    // Nobody greets who connects,
    is_unavailable(&opened.expect_err("it cannot be opened"), "it does not answer within 3 s");
    // and who is connected goes on.
    store.load(NOBODY).await.unwrap();
    server.signal(Signal::Continue);
    open(&url).await;
}

/// One server that the test may stop.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_works_again_when_its_server_does() {
    let mut server = Postgres::start(&[("fsync", "off")]).unwrap();
    server.create_database("a").unwrap();
    let store = open(&server.url("a")).await;
    store.commit(commit(1)).await.unwrap();
    for kill in [false, true] {
        if kill {
            server.kill()
        } else {
            server.stop()
        }
        // The first may have been on its way.
        let _ = store.commit(commit(2)).await;
        is_unavailable(&store.commit(commit(2)).await.unwrap_err(), "it does not answer");
        is_unavailable(&store.load(NOBODY).await.unwrap_err(), "it does not answer");
        server.resume().unwrap();
        assert!(store.ended(ConversationKey([1; 32]), NOW).await.unwrap().is_some());
        // As if nothing had been, although nobody may have noticed that the connections had ended.
        server.stop();
        server.resume().unwrap();
        for _ in 0..20 {
            store.load(NOBODY).await.unwrap();
        }
    }
    assert!(matches!(store.commit(commit(2)).await.unwrap(), Committed::Now(_)));
    assert!(matches!(store.commit(commit(1)).await.unwrap(), Committed::Before(_)));
}

#[tokio::test]
async fn who_may_not_connect_is_told_why() {
    let port = server().port();
    let at = |who: &str, database: &str| format!("postgres://{who}@127.0.0.1:{port}/{database}");
    is_unavailable(&refused(&at(&format!("{USER}:wrong"), "postgres")).await, "refuses the user or the password");
    is_unavailable(&refused(&at(&format!("stranger:{PASSWORD}"), "a")).await, "refuses the user or the password");
    is_unavailable(&refused(&at(&format!("{USER}:{PASSWORD}"), "nowhere")).await, "no such database");
}

#[tokio::test]
async fn a_database_without_tables_is_no_store_unless_one_is_made() {
    server().create_database("bare").unwrap();
    let url = server().url("bare");
    let error = PostgresStore::open(&url, false).await.unwrap_err();
    is_unavailable(&error, "has no store in this schema");
    open(&url).await;
    PostgresStore::open(&url, false).await.unwrap();
    // Another schema is another store.
    let error = PostgresStore::open(&format!("{url}?schema=other"), false).await.unwrap_err();
    is_unavailable(&error, "has no store in this schema");
    let other = open(&format!("{url}?schema=other")).await;
    open(&url).await.commit(commit(1)).await.unwrap();
    assert_eq!(other.ended(ConversationKey([1; 32]), NOW).await.unwrap(), None);
}

#[tokio::test]
async fn who_owns_the_schema_needs_no_other_right() {
    server().create_database("limited").unwrap();
    let sql = "CREATE ROLE limited LOGIN PASSWORD 'narrow'; CREATE SCHEMA agent_memory AUTHORIZATION limited";
    server().sql("limited", sql).unwrap();
    let url = format!("postgres://limited:narrow@127.0.0.1:{}/limited", server().port());
    let store = open(&url).await;
    store.commit(commit(1)).await.unwrap();
    store.sweep(LATER).await.unwrap();
    store.durability().await.unwrap();
    // And who may not do that is told so.
    let error = refused(&format!("{url}?schema=other")).await;
    is_unavailable(&error, "its user may not do that");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn all_who_open_an_empty_database_at_once_share_it() {
    server().create_database("shared").unwrap();
    let url = server().url("shared");
    let tasks: Vec<_> = (0..8)
        .map(|number| {
            let url = url.clone();
            tokio::spawn(async move { open(&url).await.commit(commit(number)).await.unwrap() })
        })
        .collect();
    for task in tasks {
        assert!(matches!(task.await.unwrap(), Committed::Now(_)));
    }
    let store = PostgresStore::open(&url, false).await.unwrap();
    for number in 0..8 {
        assert!(store.ended(ConversationKey([number; 32]), NOW).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn tables_of_a_newer_version_are_left_alone() {
    let database = Database::empty().await;
    database.run("UPDATE store SET format = 2").await;
    let error = refused(&database.url()).await;
    let StoreError::TooNew { found: 2, known: 1, .. } = error else { panic!("{error:?}") };
    assert!(!error.to_string().contains(PASSWORD), "{error}");
    database.run("UPDATE store SET format = 1").await;
    open(&database.url()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_may_wait_is_refused_at_once() {
    let database = Database::empty().await;
    let store = Arc::new(open(&format!("{}?pool_size=2&queue=3&queue_timeout=30", database.url())).await);
    let (blocker, connection) = tokio_postgres::connect(&database.url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    blocker.batch_execute("BEGIN; LOCK TABLE agent_memory.marks").await.unwrap();
    let tasks: Vec<_> = (0..12)
        .map(|number| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.commit(commit(number)).await })
        })
        .collect();
    // Two are carried out, three wait, and the others are refused while those do.
    let mut refused = 0;
    let begin = Instant::now();
    while tasks.iter().filter(|task| task.is_finished()).count() < 7 {
        assert!(begin.elapsed() < Duration::from_secs(8), "nobody is refused");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    blocker.batch_execute("ROLLBACK").await.unwrap();
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => {}
            Err(error) => {
                assert!(matches!(error, StoreError::Overloaded { .. }), "{error:?}");
                assert_eq!(error.effect(), Effect::Rejected);
                refused += 1;
            }
        }
    }
    assert_eq!(refused, 7);
    store.commit(commit(100)).await.unwrap();
}

#[tokio::test]
async fn who_waits_too_long_for_a_connection_is_refused() {
    let database = Database::empty().await;
    let store = open(&format!("{}?pool_size=1&queue_timeout=0.1", database.url())).await;
    let (blocker, connection) = tokio_postgres::connect(&database.url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    blocker.batch_execute("BEGIN; LOCK TABLE agent_memory.marks").await.unwrap();
    let (first, second) = tokio::join!(store.commit(commit(1)), async {
        let refused = store.load(NOBODY).await;
        blocker.batch_execute("ROLLBACK").await.unwrap();
        refused
    });
    first.unwrap();
    assert!(matches!(second, Err(StoreError::Overloaded { .. })), "{second:?}");
}

#[tokio::test]
async fn what_takes_the_server_too_long_is_given_up_without_an_effect() {
    let database = Database::empty().await;
    let store = open(&format!("{}?statement_timeout=0.2", database.url())).await;
    let (blocker, connection) = tokio_postgres::connect(&database.url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    blocker.batch_execute("BEGIN; LOCK TABLE agent_memory.marks").await.unwrap();
    let error = store.commit(commit(1)).await.unwrap_err();
    assert_eq!(error.effect(), Effect::Rejected);
    assert!(error.to_string().contains("took too long"), "{error}");
    blocker.batch_execute("ROLLBACK").await.unwrap();
    assert!(matches!(store.commit(commit(1)).await.unwrap(), Committed::Now(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_can_be_read_and_not_written_and_says_what_its_primary_promises() {
    let primary = Postgres::start(&[]).unwrap();
    primary.create_database("a").unwrap();
    let store = open(&primary.url("a")).await;
    assert_eq!(store.durability().await.unwrap(), Durability::Local);
    store.commit(commit(1)).await.unwrap();
    let standby = primary.standby().unwrap();
    primary.set("synchronous_standby_names", STANDBY).unwrap();
    primary.wait_for("SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync'").unwrap();
    let replicated = |level: &str, connected| Durability::Replicated {
        level: level.to_owned(),
        standbys: STANDBY.to_owned(),
        connected: Some(connected),
    };
    let fresh = Arc::new(open(&primary.url("a")).await);
    assert_eq!(fresh.durability().await.unwrap(), replicated("on", 1));

    let read_only = PostgresStore::open(&standby.url("a"), true).await.unwrap();
    assert!(read_only.ended(ConversationKey([1; 32]), NOW).await.unwrap().is_some());
    for error in [
        read_only.commit(commit(2)).await.unwrap_err(),
        read_only.save_session(session(2), Replaces::Anything, NOW).await.unwrap_err(),
        PostgresStore::open(&format!("{}?target_session_attrs=read-write", standby.url("a")), true).await.unwrap_err(),
    ] {
        assert!(matches!(error, StoreError::ReadOnly { .. }), "{error:?}");
    }

    // Somebody cancels the wait for a standby that is away: the commit is on one disk only, and not acknowledged.
    drop(standby);
    primary.wait_for("SELECT count(*) = 0 FROM pg_stat_replication").unwrap();
    assert_eq!(fresh.durability().await.unwrap(), replicated("on", 0));
    let cancel = "SELECT count(pg_cancel_backend(pid)) > 0 FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    for _ in 0..2 {
        let committed = tokio::spawn({
            let store = Arc::clone(&fresh);
            async move { store.commit(commit(3)).await }
        });
        tokio::task::block_in_place(|| primary.wait_for(cancel)).unwrap();
        let committed = committed.await.unwrap();
        let error = committed.expect_err("it is not replicated");
        assert_eq!(error.effect(), Effect::Unknown);
    }
    // Who only asks whether the conversation has ended is not told so either.
    let asked = tokio::spawn({
        let store = Arc::clone(&fresh);
        async move { store.ended(ConversationKey([3; 32]), NOW).await }
    });
    tokio::task::block_in_place(|| primary.wait_for(cancel)).unwrap();
    assert_eq!(asked.await.unwrap().unwrap_err().effect(), Effect::Unknown);
    // The same of a register and of a mark: in the second round they are there, and waited for again.
    for _ in 0..2 {
        let replaced = tokio::spawn({
            let store = Arc::clone(&fresh);
            async move { store.replace_register(replacement()).await }
        });
        tokio::task::block_in_place(|| primary.wait_for(cancel)).unwrap();
        assert_eq!(replaced.await.unwrap().unwrap_err().effect(), Effect::Unknown);
        let marked = tokio::spawn({
            let store = Arc::clone(&fresh);
            async move { store.mark_unless(mark(4), NOW).await }
        });
        tokio::task::block_in_place(|| primary.wait_for(cancel)).unwrap();
        assert_eq!(marked.await.unwrap().unwrap_err().effect(), Effect::Unknown);
    }
    for (setting, value) in [("synchronous_commit", "off"), ("synchronous_standby_names", "")] {
        primary.set(setting, value).unwrap();
    }
    primary.wait_for("SELECT current_setting('synchronous_standby_names') = ''").unwrap();
    let volatile = open(&primary.url("a")).await;
    let expected = Durability::Volatile { setting: "synchronous_commit".to_owned() };
    assert_eq!(volatile.durability().await.unwrap(), expected);
    primary.set("full_page_writes", "off").unwrap();
    primary.wait_for("SELECT current_setting('full_page_writes') = 'off'").unwrap();
    let expected = Durability::Volatile { setting: "full_page_writes".to_owned() };
    assert_eq!(open(&primary.url("a")).await.durability().await.unwrap(), expected);
    assert!(matches!(volatile.commit(commit(3)).await.unwrap(), Committed::Before(_)));
    assert_eq!(volatile.replace_register(replacement()).await.unwrap(), Some(replacement().to));
    assert!(volatile.mark_unless(mark(4), NOW).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_host_that_takes_writes_is_found_also_if_another_stands_still() {
    let mut primary = Postgres::start(&[("fsync", "off")]).unwrap();
    primary.create_database("a").unwrap();
    open(&primary.url("a")).await.commit(commit(1)).await.unwrap();
    let standby = primary.standby().unwrap();
    let at = |first: &Postgres, second: &Postgres| {
        let (first, second) = (first.port(), second.port());
        format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{first},127.0.0.1:{second}/a?connect_timeout=1")
    };
    for url in [at(&standby, &primary), format!("{}&load_balance_hosts=random", at(&primary, &standby))] {
        let store = PostgresStore::open(&url, false).await.unwrap();
        assert!(matches!(store.commit(commit(1)).await.unwrap(), Committed::Before(_)));
    }
    primary.signal(Signal::Stop);
    // Nobody takes writes now, and one of them says so.
    let error = PostgresStore::open(&at(&primary, &standby), false).await.unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error:?}");
    standby.promote().unwrap();
    let store = PostgresStore::open(&at(&primary, &standby), false).await.unwrap();
    assert!(matches!(store.commit(commit(1)).await.unwrap(), Committed::Before(_)));
    assert!(matches!(store.commit(commit(2)).await.unwrap(), Committed::Now(_)));
}

/// Connects to a database and runs statements, whose locks are held as long as the client lives.
async fn block(database: &Database, sql: &str) -> tokio_postgres::Client {
    let (blocker, connection) = tokio_postgres::connect(&database.url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    blocker.batch_execute(&format!("SET search_path = agent_memory; BEGIN; {sql}")).await.unwrap();
    blocker
}

/// Waits until this many of a database's connections wait for a lock.
fn wait_for_waiting(database: &Database, number: usize) {
    let name = database.url().rsplit('/').next().unwrap().to_owned();
    let sql = format!(
        "SELECT count(*) = {number} FROM pg_stat_activity WHERE datname = '{name}' AND wait_event_type = 'Lock'"
    );
    tokio::task::block_in_place(|| server().wait_for(&sql)).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_a_caller_holds_up_no_other_erasure_and_no_claim() {
    let database = Database::empty().await;
    let store = Arc::new(open(&format!("{}?queue_timeout=60", database.url())).await);
    for number in [1, 2] {
        store.commit(commit(number)).await.unwrap();
    }
    store.claim(Sealed(vec![1])).await.unwrap();
    let erasure = |number| Erasure { identity: IdentityKey([number; 32]), key: None, now: NOW, expires: LATER };
    let stuck = block(&database, "SELECT 1 FROM callers WHERE get_byte(identity, 0) = 1 FOR UPDATE").await;
    let waiting = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.erase(erasure(1)).await }
    });
    wait_for_waiting(&database, 1);
    let patience = Duration::from_secs(5);
    let erased = tokio::time::timeout(patience, store.erase(erasure(2))).await.unwrap().unwrap();
    assert_eq!(erased.fields, 1);
    stuck.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap().fields, 1);

    let _erasing = block(&database, "UPDATE store SET erasures = erasures + 1").await;
    let claimed = tokio::time::timeout(patience, store.claim(Sealed(vec![2]))).await.unwrap().unwrap();
    assert_eq!(claimed, Sealed(vec![1]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_stops_waiting_leaves_nobody_a_connection_that_is_busy() {
    let database = Database::empty().await;
    let store = open(&format!("{}?pool_size=1&statement_timeout=60", database.url())).await;
    let blocker = block(&database, "LOCK TABLE marks").await;
    // It does not ask for marks.
    let read = Read { identity: Some(commit(1).identity), ..NOBODY };
    let begin = Instant::now();
    for ends_session in [false, true] {
        let commit = Commit { ends_session, ..commit(1) };
        let waiting = tokio::time::timeout(Duration::from_millis(500), store.commit(commit));
        assert!(waiting.await.is_err());
        tokio::time::timeout(Duration::from_secs(5), store.load(read)).await.unwrap().unwrap();
    }
    // The server notices that nobody waits for the answer any more.
    wait_for_waiting(&database, 0);
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
    blocker.batch_execute("ROLLBACK").await.unwrap();
    assert!(matches!(store.commit(commit(1)).await.unwrap(), Committed::Now(_)));
}

/// A pooler that does not hand on which schema a session is to use. Answers its port.
async fn forgetful_pooler() -> u16 {
    const ASKED: &[u8] = b"search_path=agent_memory";
    const HANDED_ON: &[u8; ASKED.len()] = b"geqo_seed=0.000000000000";
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((store, _)) = listener.accept().await {
            let (mut from_server, mut to_server) =
                TcpStream::connect(("127.0.0.1", server().port())).await.unwrap().into_split();
            let (mut from_store, mut to_store) = store.into_split();
            tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_store).await });
            tokio::spawn(async move {
                let mut bytes = vec![0; 65_536];
                while let Ok(length @ 1..) = from_store.read(&mut bytes).await {
                    let sent = &mut bytes[..length];
                    if let Some(at) = sent.windows(ASKED.len()).position(|found| found == ASKED) {
                        sent[at..at + ASKED.len()].copy_from_slice(HANDED_ON);
                    }
                    if to_server.write_all(sent).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_are_neither_made_nor_looked_for_in_another_schema() {
    server().create_database("pooled").unwrap();
    let pooled = format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{}/pooled", forgetful_pooler().await);
    is_unavailable(&refused(&pooled).await, "do not use the schema `agent_memory`");
    let made = "SELECT count(*) FROM pg_tables WHERE schemaname IN ('public', 'agent_memory')";
    assert_eq!(server().sql("pooled", made).unwrap().trim(), "0");
    open(&server().url("pooled")).await;
    is_unavailable(&refused(&pooled).await, "do not use the schema `agent_memory`");
    // The role's own setting does as well.
    server().sql("pooled", "ALTER DATABASE pooled SET search_path = agent_memory").unwrap();
    open(&pooled).await.commit(commit(1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_is_used_and_the_server_has_to_prove_who_it_is() {
    let certificate = |name: &str| rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let own = certificate("localhost");
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let trusted = file("trusted.pem", own.cert.pem());
    let others = file("others.pem", certificate("localhost").cert.pem());

    let mut server = Postgres::start(&[("fsync", "off")]).unwrap();
    server.create_database("a").unwrap();
    server.stop();
    let data = server.data();
    for (name, text) in [("server.crt", own.cert.pem()), ("server.key", own.signing_key.serialize_pem())] {
        let path = data.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let owner = fs::metadata(&data).unwrap();
        use std::os::unix::fs::{MetadataExt, chown};
        chown(&path, Some(owner.uid()), Some(owner.gid())).unwrap();
    }
    let mut settings = fs::read_to_string(data.join("postgresql.conf")).unwrap();
    settings.push_str("ssl = on\n");
    fs::write(data.join("postgresql.conf"), settings).unwrap();
    fs::write(data.join("pg_hba.conf"), "hostssl all all 127.0.0.1/32 scram-sha-256\n").unwrap();
    server.resume().unwrap();

    let port = server.port();
    let at = |host: &str, parameters: String| {
        format!("postgres://{USER}:{PASSWORD}@{host}:{port}/a?connect_timeout=5{parameters}")
    };
    let with = |mode: &str, roots: &std::path::Path| format!("&sslmode={mode}&sslrootcert={}", roots.display());
    // The server takes nothing else, so that all of these use it.
    for url in [
        at("localhost", String::new()),
        at("127.0.0.1", "&sslmode=require".to_owned()),
        at("localhost", with("verify-full", &trusted)),
        at("localhost", with("require", &trusted)),
        at("localhost", format!("{}&channel_binding=require", with("verify-full", &trusted))),
    ] {
        open(&url).await.load(NOBODY).await.unwrap();
    }
    for (url, expected) in [
        (at("localhost", "&sslmode=disable".to_owned()), "refuses the user or the password"),
        (at("localhost", with("verify-full", &others)), "no connection can be made"),
        (at("127.0.0.1", with("verify-full", &trusted)), "no connection can be made"),
        (at("localhost", "&sslmode=verify-full&sslrootcert=/none".to_owned()), "cannot be read"),
    ] {
        let StoreError::Unavailable { reason, .. } = refused(&url).await else { panic!("{url}") };
        assert!(reason.contains(expected), "{url}: {reason}");
    }
    // Nobody falls back to an unencrypted connection.
    server.stop();
    let settings = fs::read_to_string(data.join("postgresql.conf")).unwrap().replace("ssl = on", "ssl = off");
    fs::write(data.join("postgresql.conf"), settings).unwrap();
    fs::write(data.join("pg_hba.conf"), "host all all 127.0.0.1/32 scram-sha-256\n").unwrap();
    server.resume().unwrap();
    for mode in ["require", "verify-full"] {
        refused(&at("localhost", with(mode, &trusted))).await;
    }
    open(&at("localhost", "&sslmode=prefer".to_owned())).await;
}
