//! Servers start, end, and leave nothing behind.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests panic when something is wrong")]

use std::{
    env, fs,
    io::{BufRead, BufReader},
    net::TcpStream,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use agent_memory_test_servers::postgres::{Postgres, STANDBY};

const FAST: &[(&str, &str)] = &[("fsync", "off")];

#[test]
fn a_standby_that_is_promoted_has_what_was_committed_synchronously() {
    let mut primary = Postgres::start(FAST).unwrap();
    let standby = primary.standby().unwrap();
    primary.set("synchronous_standby_names", STANDBY).unwrap();
    primary.wait_for("SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync'").unwrap();
    primary.create_database("a").unwrap();
    primary.sql("a", "CREATE TABLE t (x int)").unwrap();
    primary.sql("a", "INSERT INTO t VALUES (7)").unwrap();
    primary.kill();
    assert!(primary.sql("a", "SELECT 1").is_err());
    standby.promote().unwrap();
    assert_eq!(standby.sql("a", "INSERT INTO t VALUES (8) RETURNING (SELECT max(x) FROM t)").unwrap().trim(), "7");
    primary.resume().unwrap();
    assert_eq!(primary.sql("a", "SELECT x FROM t").unwrap().trim(), "7");
}

/// Runs itself as another process, which is killed when its server runs.
#[test]
fn nothing_is_left_of_a_process_that_was_killed() {
    const KILLED: &str = "AGENT_MEMORY_TEST_KILLED";
    if env::var_os(KILLED).is_some() {
        let server = Postgres::start(FAST).unwrap();
        println!("\nstarted {} {}", server.port(), server.data().display());
        thread::sleep(Duration::from_secs(60));
        return;
    }
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "nothing_is_left_of_a_process_that_was_killed", "--nocapture"])
        .env(KILLED, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let line = lines.into_iter().find(|line| line.starts_with("started ")).unwrap();
    let mut words = line.split(' ').skip(1);
    let port: u16 = words.next().unwrap().parse().unwrap();
    let data = Path::new(words.next().unwrap());
    assert!(data.is_dir() && TcpStream::connect(("127.0.0.1", port)).is_ok());

    child.kill().unwrap();
    child.wait().unwrap();
    let begin = Instant::now();
    while fs::exists(data).unwrap() || TcpStream::connect(("127.0.0.1", port)).is_ok() {
        assert!(begin.elapsed() < Duration::from_secs(30), "the server is still there");
        thread::sleep(Duration::from_millis(20));
    }
}
