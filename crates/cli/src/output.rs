//! What commands print.

use std::io::{self, ErrorKind, Write};

use serde::Serialize;

/// Prints a value as JSON on a line of its own, at once.
pub(crate) fn json_line(value: &impl Serialize) -> anyhow::Result<()> {
    let mut line = serde_json::to_string(value)?;
    line.push('\n');
    data(&line)
}

/// Prints data for other programs, byte by byte as it is.
pub(crate) fn data(data: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(data.as_bytes())?;
    Ok(out.flush()?)
}

/// Prints a text for people, in colours if a terminal shows it.
pub(crate) fn text(text: &str) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Whether the reader of the output has gone, such as `head` after its first lines.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe))
}
