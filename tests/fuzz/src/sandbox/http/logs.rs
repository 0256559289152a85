//! What is logged while an input is tried, on whatever thread.

use std::io::{self, Write};
use std::mem;
use std::sync::{Mutex, Once, PoisonError};

use tracing_subscriber::fmt::MakeWriter;

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Forgets what was logged before. From the first time on, everything is.
pub(super) fn begin() {
    static SUBSCRIBED: Once = Once::new();
    SUBSCRIBED.call_once(|| {
        tracing_subscriber::fmt().with_env_filter("info,agent_memory=trace").with_writer(Log).init();
        tracing::trace!(target: "agent_memory_host", "shows that what is logged is heard");
        assert!(end().contains("shows that what is logged is heard"), "nobody hears what is logged");
    });
    drop(taken());
}

/// What was logged since.
pub(super) fn end() -> String {
    String::from_utf8_lossy(&taken()).into_owned()
}

fn taken() -> Vec<u8> {
    mem::take(&mut *LOG.lock().unwrap_or_else(PoisonError::into_inner))
}

struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}
