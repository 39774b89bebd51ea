//! The application behind a proxy: says what it was asked, and speaks WebSocket far enough to be sent bytes back.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A key and the answer to it, which proxies check (RFC 6455 section 1.3).
pub(super) const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A running application.
pub(super) struct App {
    pub(super) address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    connections: usize,
    heads: Vec<String>,
}

impl App {
    pub(super) async fn starts() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("an address");
        let address = listener.local_addr().expect("an address");
        let seen = Arc::new(Mutex::new(Seen::default()));
        let shared = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.lock().expect("whole").connections += 1;
                tokio::spawn(converses(BufReader::new(stream), Arc::clone(&shared)));
            }
        });
        Self { address, seen }
    }

    /// How many connections were made to it.
    pub(super) fn connections(&self) -> usize {
        self.seen.lock().expect("whole").connections
    }

    /// How many requests reached it.
    pub(super) fn requests(&self) -> usize {
        self.seen.lock().expect("whole").heads.len()
    }

    /// The head of the last request that reached it.
    pub(super) fn last(&self) -> String {
        self.seen.lock().expect("whole").heads.last().cloned().expect("a request")
    }
}

/// A head up to its empty line; `None` when the peer ends or breaks off.
pub(super) async fn head(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    Some(head)
}

/// What a head says under a name, each time it says something.
pub(super) fn values<'h>(head: &'h str, name: &str) -> Vec<&'h str> {
    let fields = head.lines().filter_map(|line| line.split_once(':'));
    fields.filter(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).collect()
}

/// A body of the length that its head says.
pub(super) async fn body(stream: &mut BufReader<TcpStream>, head: &str) -> Option<Vec<u8>> {
    assert!(values(head, "transfer-encoding").is_empty(), "a length is told: {head}");
    let length = values(head, "content-length").first().map_or(0, |length| length.parse().expect("a number"));
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(body)
}

async fn converses(mut stream: BufReader<TcpStream>, seen: Arc<Mutex<Seen>>) -> Option<()> {
    loop {
        let asked = head(&mut stream).await?;
        seen.lock().expect("whole").heads.push(asked.clone());
        if values(&asked, "upgrade") == ["websocket"] {
            let switch = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket";
            let answer = format!("{switch}\r\nSec-WebSocket-Accept: {ACCEPT}\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.ok()?;
            let (mut from, mut to) = tokio::io::split(stream);
            tokio::io::copy(&mut from, &mut to).await.ok()?;
            return Some(());
        }
        let sent = body(&mut stream, &asked).await?;
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", sent.len());
        stream.write_all(answer.as_bytes()).await.ok()?;
        stream.write_all(&sent).await.ok()?;
    }
}
