//! A wire between a store and its server, which can be slow, and can be cut.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::{Instant, sleep_until},
};

/// Hands on what comes in on its port. It ends with the runtime.
#[derive(Clone)]
pub(crate) struct Wire {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    delay: Duration,
    fault: AtomicU8,
}

/// What becomes of answers. What the store sends arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// They arrive.
    None,
    /// The next one does not, and its connection ends.
    CutOnce,
    /// None does, and nobody notices.
    Silent,
}

impl Wire {
    /// A wire to a server on a port, on which everything takes this long each way.
    pub(crate) async fn to(server: u16, delay: Duration) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared { delay, fault: AtomicU8::new(Fault::None as u8) });
        let wire = Self { port, shared: Arc::clone(&shared) };
        tokio::spawn(async move {
            while let Ok((store, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                for socket in [&store, &server] {
                    socket.set_nodelay(true).unwrap();
                }
                let (from_store, to_store) = store.into_split();
                let (from_server, to_server) = server.into_split();
                tokio::spawn(hand_on(from_store, to_server, Arc::clone(&shared), false));
                tokio::spawn(hand_on(from_server, to_store, Arc::clone(&shared), true));
            }
        });
        wire
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn set(&self, fault: Fault) {
        self.shared.fault.store(fault as u8, Ordering::SeqCst);
    }
}

async fn hand_on(mut from: OwnedReadHalf, to: OwnedWriteHalf, shared: Arc<Shared>, is_answer: bool) {
    // What is on its way delays nothing that comes after it.
    let (sent, on_its_way) = unbounded_channel();
    tokio::spawn(arrive(on_its_way, to));
    let mut bytes = vec![0; 65_536];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        let arrives = Instant::now() + shared.delay;
        if is_answer {
            let [none, once, silent] = [Fault::None, Fault::CutOnce, Fault::Silent].map(|fault| fault as u8);
            if shared.fault.compare_exchange(once, none, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
                break;
            }
            if shared.fault.load(Ordering::SeqCst) == silent {
                continue;
            }
        }
        if sent.send((arrives, bytes[..length].to_vec())).is_err() {
            break;
        }
    }
}

async fn arrive(mut on_its_way: UnboundedReceiver<(Instant, Vec<u8>)>, mut to: OwnedWriteHalf) {
    while let Some((arrives, bytes)) = on_its_way.recv().await {
        sleep_until(arrives).await;
        if to.write_all(&bytes).await.is_err() {
            break;
        }
    }
}
