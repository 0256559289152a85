//! What a program would do that writes the store's rows with plain statements: one thread takes what has been queued, writes
//! it in one durable transaction, and answers.

use std::thread;

use anyhow::Context;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::plain::{Rows, transaction};

/// How many conversations are queued at most, and how many share a transaction, as in the store.
const WAITING: usize = 1024;
const BATCH: usize = 256;

/// Asks the thread that writes.
#[derive(Clone)]
pub(crate) struct Plain(mpsc::Sender<(Rows, oneshot::Sender<()>)>);

impl Plain {
    /// Starts the thread. It ends when nobody can ask any more.
    pub(crate) fn start(connection: Connection) -> Self {
        let (queue, mut jobs) = mpsc::channel(WAITING);
        thread::spawn(move || -> rusqlite::Result<()> {
            let mut batch: Vec<(Rows, oneshot::Sender<()>)> = Vec::with_capacity(BATCH);
            while jobs.blocking_recv_many(&mut batch, BATCH) > 0 {
                transaction(&connection, batch.iter().map(|(rows, _)| rows))?;
                for (_, answer) in batch.drain(..) {
                    // Whoever asked waits: nobody of this benchmark goes away.
                    let _ = answer.send(()).is_ok();
                }
            }
            Ok(())
        });
        Self(queue)
    }

    /// Writes a conversation, and returns when it is durable.
    pub(crate) async fn write(&self, rows: Rows) -> anyhow::Result<()> {
        let (answer, answered) = oneshot::channel();
        self.0.send((rows, answer)).await.ok().context("the thread that writes has failed")?;
        answered.await.context("the thread that writes has failed")
    }
}
