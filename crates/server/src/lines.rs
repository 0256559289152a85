//! A body that is read line by line, however long it is.

use axum::body::{Body, BodyDataStream, Bytes};
use futures::StreamExt;

use crate::Problem;
use crate::input;

/// The longest line that is kept, in bytes.
pub(crate) const LINE_BYTES: usize = 1 << 20;

/// The lines of a body. No more than one of them is in memory.
pub(crate) struct Lines {
    body: BodyDataStream,
    /// What has arrived of the lines after this one.
    piece: Bytes,
    /// How many bytes may still arrive.
    left: usize,
}

/// A line, without its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// What it says.
    Text(Vec<u8>),
    /// It has more than [`LINE_BYTES`], and was not kept.
    TooLong,
}

impl Lines {
    /// The lines of a body, which may have so many bytes.
    pub(crate) fn new(body: Body, bytes: usize) -> Self {
        Self { body: body.into_data_stream(), piece: Bytes::new(), left: bytes }
    }

    /// The next line. None: there is no more.
    pub(crate) async fn next(&mut self) -> Result<Option<Line>, Problem> {
        let mut text = Vec::new();
        let mut is_too_long = false;
        loop {
            if self.piece.is_empty() {
                let Some(piece) = self.body.next().await else {
                    let is_line = is_too_long || !text.is_empty();
                    return Ok(is_line.then(|| line(text, is_too_long)));
                };
                self.piece = piece.map_err(|error| input::broken_off(&error))?;
                let left = self.left.checked_sub(self.piece.len());
                self.left = left.ok_or_else(|| Problem::too_large("the body has more bytes than the service takes"))?;
                continue;
            }
            let end = self.piece.iter().position(|byte| *byte == b'\n');
            let part = self.piece.split_to(end.unwrap_or(self.piece.len()));
            is_too_long |= text.len() + part.len() > LINE_BYTES;
            if is_too_long {
                text = Vec::new();
            } else {
                text.extend_from_slice(&part);
            }
            if end.is_some() {
                let _newline = self.piece.split_to(1);
                return Ok(Some(line(text, is_too_long)));
            }
        }
    }
}

fn line(text: Vec<u8>, is_too_long: bool) -> Line {
    if is_too_long { Line::TooLong } else { Line::Text(text) }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures::stream;

    use super::*;

    async fn read(pieces: &[&[u8]], bytes: usize) -> Result<Vec<Line>, Problem> {
        let pieces: Vec<_> = pieces.iter().map(|piece| Ok::<_, Infallible>(Bytes::copy_from_slice(piece))).collect();
        let mut lines = Lines::new(Body::from_stream(stream::iter(pieces)), bytes);
        let mut found = Vec::new();
        while let Some(line) = lines.next().await? {
            found.push(line);
        }
        Ok(found)
    }

    fn text(text: &str) -> Line {
        Line::Text(text.into())
    }

    #[tokio::test]
    async fn lines_are_whole_however_they_arrive() {
        let expected = [text("one"), text(""), text("two"), text("three")];
        assert_eq!(read(&[b"one\n\ntwo\nthree"], 99).await.unwrap(), expected);
        assert_eq!(read(&[b"on", b"e", b"", b"\n", b"\nt", b"wo\nthree\n"], 99).await.unwrap(), expected);
        assert_eq!(read(&[], 99).await.unwrap(), []);
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_is_not_kept_and_the_next_one_is() {
        let half = vec![b'x'; LINE_BYTES / 2];
        let longest = String::from_utf8(vec![b'x'; LINE_BYTES / 2 * 2]).unwrap();
        let lines = read(&[&half, &half, b"\n", &half, &half, b"x", &half, b"\nnext"], 9 << 20).await.unwrap();
        assert_eq!(lines, [text(&longest), Line::TooLong, text("next")]);
    }

    #[tokio::test]
    async fn a_body_that_is_too_long_is_refused() {
        assert!(read(&[b"12345", b"67890"], 10).await.is_ok());
        assert_eq!(read(&[b"12345", b"67890", b"1"], 10).await.unwrap_err().status().as_u16(), 413);
    }
}
