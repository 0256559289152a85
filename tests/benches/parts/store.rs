//! The SQLite store with one who asks, and plain statements that read and write the same rows.

use std::path::Path;

use agent_memory_host::store::{Commit, Committed, Loaded, Read, Store};
use criterion::{BatchSize, Criterion};
use rusqlite::{Connection, OpenFlags};

use crate::callers::{self, Chance, NOW};
use crate::plain;
use crate::stores::{CALLERS, Pair};

pub(crate) fn measure(criterion: &mut Criterion) {
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let pair = Pair::fill(&tokio).expect("the stores are filled");
    let load = |read: Read| -> Loaded { tokio.block_on(pair.store.load(read)).expect("the store reads") };
    let commit = |commit: Commit| match tokio.block_on(pair.store.commit(commit)).expect("the store commits") {
        Committed::Now(settled) => settled,
        Committed::Before(_) => unreachable!("each conversation has a number of its own"),
    };
    let mut group = criterion.benchmark_group("store");

    let mut chance = Chance::new(1);
    group.bench_function("load", |bencher| {
        let mut read =
            || Read { identity: Some(callers::identity(chance.below(CALLERS))), conversation: None, now: NOW };
        bencher.iter_batched(&mut read, load, BatchSize::SmallInput);
    });
    let mut chance = Chance::new(1);
    let reader = reader(&pair.plain).expect("the file opens");
    group.bench_function("load, plain SELECT", |bencher| {
        let mut identity = || callers::identity(chance.below(CALLERS)).0;
        bencher.iter_batched(
            &mut identity,
            |identity| select(&reader, &identity).expect("a row"),
            BatchSize::SmallInput,
        );
    });

    let (mut chance, mut conversations) = (Chance::new(2), 1..);
    group.bench_function("commit", |bencher| {
        let mut next =
            || callers::commit(chance.below(CALLERS), conversations.next().expect("there are enough numbers"));
        bencher.iter_batched(&mut next, commit, BatchSize::SmallInput);
    });
    let (mut chance, mut conversations) = (Chance::new(2), 1..);
    let writer = plain::connection(&pair.plain).expect("the file opens");
    group.bench_function("commit, plain transaction", |bencher| {
        let mut next = || {
            let conversation = conversations.next().expect("there are enough numbers");
            pair.template.rows(chance.below(CALLERS), conversation).expect("the caller has rows")
        };
        let write = |rows| plain::transaction(&writer, [&rows]).expect("the rows are written");
        bencher.iter_batched(&mut next, write, BatchSize::SmallInput);
    });
    group.finish();
}

/// A connection with the settings of those that the store reads with.
fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

/// The record of a caller, which has all fields.
fn select(connection: &Connection, identity: &[u8; 32]) -> rusqlite::Result<Vec<u8>> {
    let mut statement = connection.prepare_cached("SELECT record FROM callers WHERE identity = ?1")?;
    statement.query_row([identity], |row| row.get(0))
}
