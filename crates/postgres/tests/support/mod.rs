//! What the tests have in common.

use std::sync::{
    Mutex, OnceLock, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use agent_memory_postgres::PostgresStore;
use agent_memory_test_servers::postgres::Postgres;
use tokio_postgres::NoTls;

/// One server for all tests of this process. It forgets what it has when it is killed, which none of these does.
pub(crate) fn server() -> &'static Postgres {
    static SERVER: OnceLock<Postgres> = OnceLock::new();
    SERVER.get_or_init(|| Postgres::start(&[("fsync", "off")]).unwrap())
}

/// A database that no other test uses meanwhile, with a store in which nothing is.
pub(crate) struct Database {
    name: String,
}

impl Database {
    pub(crate) async fn empty() -> Self {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let free = FREE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(name) = free {
            let database = Self { name };
            let sql = "DELETE FROM callers; DELETE FROM fields; DELETE FROM marks; DELETE FROM metrics;
                DELETE FROM sessions; DELETE FROM agents; DELETE FROM components; DELETE FROM acts;
                DELETE FROM registers;
                UPDATE store SET erasures = 0, keys = NULL, swept = NULL";
            database.run(sql).await;
            return database;
        }
        let name = format!("test{}", MADE.fetch_add(1, Ordering::Relaxed));
        server().create_database(&name).unwrap();
        let database = Self { name };
        PostgresStore::open(&database.url(), true).await.unwrap();
        database
    }

    pub(crate) fn url(&self) -> String {
        server().url(&self.name)
    }

    /// Runs statements in the store's schema.
    pub(crate) async fn run(&self, sql: &str) {
        let (client, connection) = tokio_postgres::connect(&self.url(), NoTls).await.unwrap();
        let task = tokio::spawn(connection);
        client.batch_execute(&format!("SET search_path = agent_memory; {sql}")).await.unwrap();
        drop(client);
        task.await.unwrap().unwrap();
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        FREE.lock().unwrap_or_else(PoisonError::into_inner).push(std::mem::take(&mut self.name));
    }
}

static FREE: Mutex<Vec<String>> = Mutex::new(Vec::new());
