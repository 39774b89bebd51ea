//! Asks Vestibule something: HTTP/1.1 over a plain connection, which is enough for an example beside it on one machine.
//! A real application takes the HTTP library it has, and https when the two are on different machines.

use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long one question may take; Vestibule answers within milliseconds.
const PATIENCE: Duration = Duration::from_secs(2);
/// Longest answer that is read, in bytes.
const LONGEST: u64 = 256 * 1024;

/// What came back.
pub(crate) struct Answer {
    /// Status code.
    pub(crate) status: u16,
    head: String,
    /// The body.
    pub(crate) body: String,
}

impl Answer {
    /// Whether a header is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(':'));
        fields.any(|(field, _)| field.eq_ignore_ascii_case(name))
    }
}

/// Where Vestibule is asked.
pub(crate) struct Vestibule {
    /// `host:port`.
    authority: String,
}

impl Vestibule {
    /// From `http://host:port`.
    pub(crate) fn at(address: &str) -> Result<Self, String> {
        let url = url::Url::parse(address).map_err(|error| format!("{address}: {error}"))?;
        match (url.scheme(), url.host_str(), url.port_or_known_default()) {
            ("http", Some(host), Some(port)) => Ok(Self { authority: format!("{host}:{port}") }),
            _ => Err(format!("{address}: this example asks by plain http; name the inner address with --ask")),
        }
    }

    /// `GET path` with headers, whose values came in headers and so hold no line breaks. `None`: no answer.
    pub(crate) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Option<Answer> {
        let mut request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.authority);
        for (name, value) in headers {
            request.extend([name, ": ", value, "\r\n"]);
        }
        request.push_str("\r\n");
        tokio::time::timeout(PATIENCE, self.exchange(&request)).await.ok()?
    }

    async fn exchange(&self, request: &str) -> Option<Answer> {
        let mut stream = TcpStream::connect(&self.authority).await.ok()?;
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut bytes = Vec::new();
        stream.take(LONGEST).read_to_end(&mut bytes).await.ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.strip_prefix("HTTP/1.1 ")?.split(' ').next()?.parse().ok()?;
        Some(Answer { status, head: head.to_owned(), body: body.to_owned() })
    }
}
