//! A cable between client and server that can fall silent or break in the middle of an answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What happens when the server has sent enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// Nothing comes any more, and the connection stays.
    Silence,
    /// The connection breaks.
    Break,
}

/// The cable; gone with the test.
pub(crate) struct Cable {
    pub(crate) port: u16,
    passes: Arc<AtomicU64>,
    connections: Arc<AtomicUsize>,
}

impl Cable {
    /// To a server on this machine.
    pub(crate) async fn to(server: u16, then: Then) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("an address");
        let port = listener.local_addr().expect("an address").port();
        let (passes, connections) = (Arc::new(AtomicU64::new(u64::MAX)), Arc::new(AtomicUsize::new(0)));
        let wire = Self { port, passes: Arc::clone(&passes), connections: Arc::clone(&connections) };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                let passes = Arc::clone(&passes);
                tokio::spawn(async move { carries(client, server, passes, then).await });
            }
        });
        wire
    }

    /// From now on the server's side may send this many bytes in all, over all connections.
    pub(crate) fn passes_only(&self, bytes: u64) {
        self.passes.store(bytes, Ordering::SeqCst);
    }

    /// How many connections were made so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn carries(client: TcpStream, server: u16, passes: Arc<AtomicU64>, then: Then) -> Option<()> {
    let server = TcpStream::connect(("127.0.0.1", server)).await.ok()?;
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
        (client.into_split(), server.into_split());
    let asking = tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
    let mut buffer = vec![0; 4096];
    loop {
        let read = from_server.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
        let left = passes.load(Ordering::SeqCst);
        if (read as u64) > left {
            passes.store(0, Ordering::SeqCst);
            if then == Then::Silence {
                std::future::pending::<()>().await;
            }
            asking.abort();
            return None;
        }
        if left != u64::MAX {
            passes.store(left - read as u64, Ordering::SeqCst);
        }
        to_client.write_all(&buffer[..read]).await.ok()?;
    }
}
