//! A wire between a client and a server of a test, which can be slow, or go silent without being cut.

use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How the wire is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Everything takes this long, each way.
    After(Duration),
    /// Nothing gets through; nobody is told.
    Silent,
}

/// The wire; cut when dropped.
pub(crate) struct Wire {
    pub(crate) address: SocketAddr,
    mood: watch::Sender<Mood>,
    listening: JoinHandle<()>,
}

impl Wire {
    /// To a port of this machine.
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (mood, watching) = watch::channel(Mood::After(Duration::ZERO));
        let listening = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { continue };
                let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
                tokio::spawn(carry(from_client, to_server, watching.clone()));
                tokio::spawn(carry(from_server, to_client, watching.clone()));
            }
        });
        Self { address, mood, listening }
    }

    pub(crate) fn becomes(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// Ends with either side, or with the wire.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut mood: watch::Receiver<Mood>) {
    let mut bytes = vec![0; 64 * 1024];
    loop {
        let count = tokio::select! {
            count = from.read(&mut bytes) => count.unwrap_or(0),
            () = gone(mood.clone()) => return,
        };
        let Ok(now) = mood.wait_for(|mood| *mood != Mood::Silent).await.map(|mood| *mood) else { return };
        if let Mood::After(delay) = now {
            tokio::time::sleep(delay).await;
        }
        if count == 0 || to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}

async fn gone(mut mood: watch::Receiver<Mood>) {
    while mood.changed().await.is_ok() {}
}
