//! Both ends of the connection between a program and a worker.

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex};

use bytes::{Buf, BytesMut};
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;
use tokio::sync::Notify;

use super::protocol::LENGTH_BYTES;
use crate::runtime::lock;

/// How much is read at once.
const READ_BYTES: usize = 64 << 10;

/// Sends frames, from any thread and without ever waiting: what the connection does not take at once is kept, and sent by
/// [`Sender::flush`].
pub(super) struct Sender {
    socket: Arc<UnixStream>,
    kept: Mutex<BytesMut>,
    keeping: Notify,
}

/// Receives frames.
pub(super) struct Receiver {
    socket: Arc<UnixStream>,
    received: BytesMut,
    longest: usize,
}

/// Both ends of a connection that takes frames of up to `longest` bytes.
pub(super) fn channel(socket: UnixStream, longest: usize) -> (Sender, Receiver) {
    let socket = Arc::new(socket);
    let sender = Sender { socket: Arc::clone(&socket), kept: Mutex::default(), keeping: Notify::new() };
    (sender, Receiver { socket, received: BytesMut::new(), longest })
}

impl Sender {
    /// Sends a frame. That the other end is gone is for the receiver to find out.
    pub(super) fn send(&self, frame: &[u8]) {
        let mut kept = lock(&self.kept);
        let sent = if kept.is_empty() { self.socket.try_write(frame).unwrap_or(0) } else { 0 };
        let left = frame.get(sent..).unwrap_or_default();
        if !left.is_empty() {
            kept.extend_from_slice(left);
            self.keeping.notify_one();
        }
    }

    /// Sends what is kept, for as long as the connection stands.
    pub(super) async fn flush(&self) -> io::Result<Infallible> {
        loop {
            self.keeping.notified().await;
            while !lock(&self.kept).is_empty() {
                self.socket.writable().await?;
                let mut kept = lock(&self.kept);
                match self.socket.try_write(&kept) {
                    Ok(sent) => kept.advance(sent),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    Err(error) => return Err(error),
                }
            }
        }
    }
}

impl Receiver {
    /// The next message. It may be dropped while it waits, and nothing is lost.
    ///
    /// # Errors
    /// If the connection has ended, or what comes is no message.
    pub(super) async fn next<T: DeserializeOwned>(&mut self) -> io::Result<T> {
        loop {
            if let Some(message) = take_message(&mut self.received, self.longest)? {
                return Ok(message);
            }
            self.socket.readable().await?;
            self.received.reserve(READ_BYTES);
            match self.socket.try_read_buf(&mut self.received) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// The first message of what was received, if all of it is there.
fn take_message<T: DeserializeOwned>(received: &mut BytesMut, longest: usize) -> io::Result<Option<T>> {
    let Some((length, rest)) = received.split_first_chunk::<LENGTH_BYTES>() else { return Ok(None) };
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(garbled)?;
    if length > longest {
        return Err(garbled("too long"));
    }
    let Some(message) = rest.get(..length) else { return Ok(None) };
    let (message, left) = postcard::take_from_bytes(message).map_err(garbled)?;
    if !left.is_empty() {
        return Err(garbled("too short"));
    }
    received.advance(LENGTH_BYTES + length);
    Ok(Some(message))
}

/// What is no message. The reason must not be told: it may quote what somebody said.
fn garbled<E>(_: E) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "what it sent is no message")
}

/// Reads all messages that some bytes begin with, as a program or as a worker does, and makes frames of them again. Where
/// they end with what is no message, the error is that.
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub fn reread_frames(bytes: &[u8], of_worker: bool) -> (Vec<Vec<u8>>, io::Result<()>) {
    use super::protocol::{FromWorker, LONGEST_FROM_WORKER, LONGEST_TO_WORKER, ToWorker, frame};

    let mut received = BytesMut::from(bytes);
    let mut frames = Vec::new();
    let mut next = || {
        let frame = if of_worker {
            take_message::<FromWorker>(&mut received, LONGEST_FROM_WORKER)?.map(|message| frame(&message))
        } else {
            take_message::<ToWorker>(&mut received, LONGEST_TO_WORKER)?.map(|message| frame(&message))
        };
        frame.transpose()
    };
    loop {
        match next() {
            Ok(Some(frame)) => frames.push(frame),
            Ok(None) => return (frames, Ok(())),
            Err(error) => return (frames, Err(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;
    use crate::workers::protocol::frame;

    async fn received(bytes: &[u8], longest: usize) -> io::Result<Vec<String>> {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let (_sender, mut receiver) = channel(ours, longest);
        let (middle, end) = bytes.split_at(bytes.len() / 2);
        let send = async {
            theirs.write_all(middle).await.unwrap();
            tokio::task::yield_now().await;
            theirs.write_all(end).await.unwrap();
            drop(theirs);
        };
        let receive = async {
            let mut messages = Vec::new();
            loop {
                match receiver.next().await {
                    Ok(message) => messages.push(message),
                    Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(messages),
                    Err(error) => return Err(error),
                }
            }
        };
        tokio::join!(send, receive).1
    }

    #[tokio::test]
    async fn messages_come_however_they_are_cut() {
        let texts = ["brie", "", "camembert"];
        let frames: Vec<_> = texts.iter().flat_map(|text| frame(text).unwrap()).collect();
        for skipped in 0..texts.len() {
            let skip: usize = texts.iter().take(skipped).map(|text| frame(text).unwrap().len()).sum();
            assert_eq!(received(&frames[skip..], 100).await.unwrap(), texts[skipped..]);
        }
    }

    #[tokio::test]
    async fn what_is_no_message_is_an_error() {
        let mut longer = frame(&"brie").unwrap();
        longer[0] += 1;
        longer.push(0);
        for bytes in [&[0, 0, 0, 0][..], &[255, 255, 255, 255], &[2, 0, 0, 0, 1, 255], &[101, 0, 0, 0], &longer] {
            let error = received(bytes, 100).await.unwrap_err();
            assert_eq!(error.to_string(), "what it sent is no message", "{bytes:?}");
        }
    }

    #[tokio::test]
    async fn what_the_connection_does_not_take_at_once_is_sent_later_and_in_order() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let ((sender, _), (_, mut receiver)) = (channel(ours, 0), channel(theirs, 1 << 20));
        let texts: Vec<_> = (0..16).map(|i| i.to_string().repeat(200_000)).collect();
        for text in &texts {
            sender.send(&frame(text).unwrap());
        }
        let receive = async {
            for text in &texts {
                assert!(receiver.next::<String>().await.unwrap() == *text);
            }
        };
        tokio::select! {
            error = sender.flush() => panic!("{:?}", error.err()),
            () = receive => {}
        }
    }
}
