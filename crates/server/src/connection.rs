//! Connections: how many there may be, and how long a client may leave open what it wants.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum_server::accept::Accept;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep};

/// What a client that speaks HTTP/2 begins with (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Takes connections as another acceptor does, but no more than so many at once, and none that stays silent.
#[derive(Clone)]
pub(crate) struct Guarded<A> {
    inner: A,
    places: Arc<Semaphore>,
    patience: Duration,
}

/// A connection that has a place. It breaks off if the client does not say in time which HTTP it speaks: the server's
/// own timers run from then on, and not before.
pub(crate) struct Connection<I> {
    stream: I,
    /// Runs until the client has sent something that is no beginning of [`PREFACE`], or all of it.
    silence: Option<Pin<Box<Sleep>>>,
    /// How much of [`PREFACE`] the client has sent.
    matched: usize,
    /// Given back when the connection is dropped.
    _place: OwnedSemaphorePermit,
}

impl<A> Guarded<A> {
    /// So many connections at once, each of which may say nothing for so long.
    pub(crate) fn new(inner: A, connections: usize, patience: Duration) -> Self {
        Self { inner, places: Arc::new(Semaphore::new(connections)), patience }
    }
}

impl<A, I, S> Accept<I, S> for Guarded<A>
where
    A: Accept<I, S>,
    A::Future: Send + 'static,
{
    type Stream = Connection<A::Stream>;
    type Service = A::Service;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, Self::Service)>> + Send>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        let place = Arc::clone(&self.places).try_acquire_owned();
        // Without a place the connection is closed before anything is spent on it.
        let accepted = place.map(|place| (self.inner.accept(stream, service), place));
        let patience = self.patience;
        Box::pin(async move {
            let (accepted, place) = accepted.map_err(|_| io::Error::other("there are too many connections"))?;
            let (stream, service) = accepted.await?;
            let silence = Some(Box::pin(sleep(patience)));
            Ok((Connection { stream, silence, matched: 0, _place: place }, service))
        })
    }
}

impl<I> Connection<I> {
    /// Stops waiting once it is clear from what the client has sent which HTTP it speaks.
    fn heard(&mut self, sent: &[u8]) {
        let expected = PREFACE.get(self.matched..).unwrap_or_default();
        let is_beginning = !sent.is_empty() && sent.len() < expected.len() && expected.starts_with(sent);
        if is_beginning {
            self.matched += sent.len();
        } else {
            self.silence = None;
        }
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Connection<I> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let Some(silence) = &mut self.silence else { return read };
        if read.is_ready() {
            self.heard(buffer.filled().get(before..).unwrap_or_default());
        } else if silence.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        read
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Connection<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use axum_server::accept::DefaultAcceptor;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    async fn connect(guarded: &Guarded<DefaultAcceptor>) -> io::Result<(DuplexStream, Connection<DuplexStream>)> {
        let (client, server) = duplex(64);
        Ok((client, guarded.accept(server, ()).await?.0))
    }

    #[tokio::test]
    async fn who_says_nothing_or_only_the_beginning_of_the_preface_is_let_go() {
        let guarded = Guarded::new(DefaultAcceptor, 9, Duration::from_millis(20));
        for said in ["", "P", "PRI * HTTP/2.0\r\n\r\nSM"] {
            let (mut client, mut server) = connect(&guarded).await.unwrap();
            client.write_all(said.as_bytes()).await.unwrap();
            let mut heard = Vec::new();
            let error = server.read_to_end(&mut heard).await.unwrap_err();
            assert_eq!((error.kind(), heard), (io::ErrorKind::TimedOut, said.as_bytes().to_vec()));
        }
    }

    #[tokio::test]
    async fn who_has_said_what_it_speaks_may_take_its_time() {
        let guarded = Guarded::new(DefaultAcceptor, 9, Duration::from_millis(20));
        for pieces in [["G", "ET / HTTP/1.1"], ["PRI", " * HTTP/2.0\r\n\r\nSM\r\n\r\n"], ["PRI", "VATE"]] {
            let (mut client, mut server) = connect(&guarded).await.unwrap();
            for piece in pieces {
                client.write_all(piece.as_bytes()).await.unwrap();
                server.read_exact(&mut vec![0; piece.len()]).await.unwrap();
            }
            assert!(server.silence.is_none(), "{pieces:?}");
        }
    }

    #[tokio::test]
    async fn a_connection_too_many_is_closed_until_there_is_a_place() {
        let guarded = Guarded::new(DefaultAcceptor, 2, Duration::from_secs(60));
        let first = connect(&guarded).await.unwrap();
        let _second = connect(&guarded).await.unwrap();
        assert!(connect(&guarded).await.is_err());
        drop(first);
        assert!(connect(&guarded).await.is_ok());
    }
}
