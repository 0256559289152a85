//! The WASI that language runtimes start with, and that has nothing behind it.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};
use wasmtime_wasi::{HostWallClock, WasiCtx, WasiCtxView, WasiView};

use super::Sandbox;
use crate::Json;
use crate::turn::{LogEntry, LogLevel};

/// How much a turn may print, in bytes. What is printed beyond that is lost.
const PRINTED_BYTES: usize = 64 << 10;

/// How many lines of either kind become entries of the log, each of which takes more room than the line. More are lost.
const PRINTED_LINES: usize = 2048;

/// How many random bytes a turn may ask for at once: the host has them in its own memory for a moment.
const RANDOM_BYTES: u64 = 1 << 20;

/// A sandbox's WASI: no files, no environment, no network. What is printed becomes entries of the log.
pub(super) struct Wasi {
    context: WasiCtx,
    resources: ResourceTable,
    printed: [(LogLevel, Printed); 2],
}

impl Wasi {
    fn new(wall_clock: Duration) -> Self {
        let (output, errors) = (Printed::new(), Printed::new());
        let context = WasiCtx::builder()
            .stdout(output.clone())
            .stderr(errors.clone())
            .wall_clock(StoppedClock(wall_clock))
            .max_random_size(RANDOM_BYTES)
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .build();
        let printed = [(LogLevel::Info, output), (LogLevel::Warning, errors)];
        Self { context, resources: ResourceTable::new(), printed }
    }

    /// Whether anything was printed.
    pub(super) fn has_printed(&self) -> bool {
        self.printed.iter().any(|(_, Printed(pipe))| !pipe.contents().is_empty())
    }

    /// What was printed, an entry for each line.
    pub(super) fn printed(&self) -> Vec<LogEntry> {
        let mut entries = Vec::new();
        for (level, Printed(pipe)) in &self.printed {
            for line in String::from_utf8_lossy(&pipe.contents()).lines().take(PRINTED_LINES) {
                entries.push(LogEntry {
                    level: *level,
                    content: line.to_owned(),
                    is_pii: false,
                    fields: Json::empty_object(),
                });
            }
        }
        entries
    }
}

impl WasiView for Sandbox {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let wasi = self.wasi.get_or_insert_with(|| Box::new(Wasi::new(self.wall_clock)));
        WasiCtxView { ctx: &mut wasi.context, table: &mut wasi.resources }
    }
}

/// A wall clock that shows the same time for the whole turn: the host's, from the embedder's clock.
struct StoppedClock(Duration);

impl HostWallClock for StoppedClock {
    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn now(&self) -> Duration {
        self.0
    }
}

/// What was printed, as far as there is room. More than that is lost without an error: nobody's function should fail
/// because it prints.
#[derive(Clone)]
struct Printed(MemoryOutputPipe);

impl Printed {
    fn new() -> Self {
        Self(MemoryOutputPipe::new(PRINTED_BYTES))
    }
}

impl IsTerminal for Printed {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Printed {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.0.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Pollable for Printed {
    async fn ready(&mut self) {}
}

impl OutputStream for Printed {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        // A pipe without any room says that it is closed.
        let room = self.0.check_write().unwrap_or(0);
        self.0.write(bytes.slice(..bytes.len().min(room)))
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PRINTED_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_kept_of_what_is_printed_than_there_is_room_for() {
        let lines = |printed: &str| {
            let wasi = Wasi::new(Duration::ZERO);
            for (_, output) in &wasi.printed {
                // Printing never fails.
                output.clone().write(Bytes::from(printed.to_owned())).unwrap();
                output.clone().write(Bytes::from(printed.to_owned())).unwrap();
            }
            wasi.printed().iter().map(|entry| entry.content.len()).collect::<Vec<_>>()
        };
        assert_eq!(lines("one\n"), [3; 4]);
        assert_eq!(lines(&"x".repeat(PRINTED_BYTES)), [PRINTED_BYTES; 2]);
        assert_eq!(lines(&"\n".repeat(PRINTED_BYTES)), [0; 2 * PRINTED_LINES]);
    }
}
