//! A gateway for codes that does what a test tells it. On threads of its own, so that journeys can use it as well.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

/// What it does with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Takes it.
    Takes,
    /// Answers with this status, and says that it took it.
    Status(u16),
    /// Answers with 200, and says that it did not take it.
    Refuses,
    /// Never stops answering.
    Huge,
    /// Sends elsewhere.
    Redirects,
    /// Says nothing.
    Hangs,
}

/// What it was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// The request line and the headers.
    pub(crate) head: String,
    pub(crate) body: String,
}

struct Inside {
    mood: Mood,
    asked: Vec<Asked>,
}

/// The gateway. Its thread ends with the process.
#[derive(Clone)]
pub(crate) struct Gateway {
    address: SocketAddr,
    inside: Arc<Mutex<Inside>>,
}

impl Gateway {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let inside = Arc::new(Mutex::new(Inside { mood: Mood::Takes, asked: Vec::new() }));
        let gateway = Self { address, inside };
        let serving = gateway.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let serving = serving.clone();
                std::thread::spawn(move || serving.serves(stream));
            }
        });
        gateway
    }

    /// The sections of the configuration; `factor` and `sms` are more lines of theirs.
    pub(crate) fn configuration(&self, factor: &str, sms: &str) -> String {
        let address = self.address;
        format!(
            "[second_factor]\nmethods = [\"totp\", \"passkey\", \"sms\", \"voice\"]\n{factor}\n\
             [sms]\nurl = \"http://{address}/sms\"\nheaders = [\"Authorization: Bearer {{secret}}\"]\n\
             secret = \"a secret of ours\"\nbody = '{{\"to\": \"{{to}}\", \"text\": \"{{text}}\", \"code\": \"{{code}}\"}}'\n\
             success_field = \"/status\"\nsuccess_values = [\"0\"]\nallow_private_network = true\ntimeout = \"1s\"\n{sms}\n\
             [sms.voice]\nurl = \"http://{address}/voice\"\nformat = \"form\"\n\
             body = \"to={{digits}}&say=<Say>{{text_xml}}</Say>&language={{language}}\"\n\
             allow_private_network = true\ntimeout = \"1s\"\n"
        )
    }

    pub(crate) fn becomes(&self, mood: Mood) {
        self.inside().mood = mood;
    }

    /// Everything it was asked, the oldest first.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.inside().asked.clone()
    }

    /// The code of the newest message.
    pub(crate) fn code(&self) -> String {
        let body = self.asked().last().expect("a message").body.clone();
        if let Some((_, rest)) = body.split_once("\"code\": \"") {
            return rest.split('"').next().expect("an end").to_owned();
        }
        // Read out: digit by digit, behind the colon.
        let say = url::form_urlencoded::parse(body.as_bytes()).find(|(name, _)| name == "say").expect("words").1;
        say.chars().filter(char::is_ascii_digit).take(6).collect()
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().expect("nobody failed while holding it")
    }

    fn serves(&self, mut stream: TcpStream) {
        while let Some(asked) = read(&mut stream) {
            let mood = {
                let mut inside = self.inside();
                inside.asked.push(asked);
                inside.mood
            };
            let answer = |status: u16, body: &str| {
                let length = body.len();
                format!(
                    "HTTP/1.1 {status} Whatever\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
                )
            };
            let said = match mood {
                Mood::Takes => answer(200, "{\"status\": \"0\"}"),
                Mood::Status(status) => answer(status, "{\"status\": \"0\"}"),
                Mood::Refuses => answer(200, "{\"status\": \"4\"}"),
                Mood::Huge => answer(200, &format!("{{\"status\": \"0\", \"x\": \"{}\"}}", "x".repeat(2 << 20))),
                Mood::Redirects => "HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n".to_owned(),
                // Until the other side gives up.
                Mood::Hangs => {
                    let _ = stream.read(&mut [0; 1]);
                    return;
                }
            };
            if stream.write_all(said.as_bytes()).is_err() {
                return;
            }
        }
    }
}

/// One request; `None` when the other side is gone.
fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    loop {
        let whole = bytes.windows(4).position(|window| window == b"\r\n\r\n").and_then(|end| {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length =
                head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            let body = bytes.get(end + 4..end + 4 + length.unwrap_or(0))?;
            Some(Asked { body: String::from_utf8_lossy(body).into_owned(), head })
        });
        if whole.is_some() {
            return whole;
        }
        let count = stream.read(&mut part).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&part[..count]);
    }
}
