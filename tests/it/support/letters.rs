//! Letters as a mail program shows them.

use std::path::Path;

/// A letter from the outbox.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) to: String,
    pub(crate) subject: String,
    pub(crate) text: String,
}

impl Received {
    /// The path and query of the link in the letter.
    pub(crate) fn link(&self) -> String {
        let start = self.text.find("http://localhost:8080").expect("a link");
        let link = self.text[start..].split_whitespace().next().expect("a link");
        link.trim_start_matches("http://localhost:8080").to_owned()
    }
}

pub(crate) fn in_folder(folder: &Path) -> Vec<Received> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    // Others are not finished yet, and gone in a moment.
    files.retain(|file| file.extension().is_some_and(|extension| extension == "eml"));
    files.sort();
    files.iter().map(|file| read(&std::fs::read_to_string(file).expect("a letter"))).collect()
}

fn read(raw: &str) -> Received {
    let raw = raw.replace("\r\n", "\n");
    let (head, body) = raw.split_once("\n\n").expect("head and body");
    let head = head.replace("\n ", " ");
    let header = |name: &str| {
        let line = head.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.trim().to_owned()
    };
    let text = match header("Content-Transfer-Encoding:").as_str() {
        "quoted-printable" => quoted_printable(body),
        "base64" => {
            use base64::Engine;
            let joined: String = body.split_whitespace().collect();
            String::from_utf8(base64::engine::general_purpose::STANDARD.decode(joined).expect("base64")).expect("UTF-8")
        }
        _ => body.to_owned(),
    };
    Received { to: header("To:"), subject: header("Subject:"), text }
}

fn quoted_printable(body: &str) -> String {
    let body = body.replace("=\n", "");
    let mut bytes = Vec::new();
    let mut rest = body.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'=' && after.len() >= 2 {
            let hex = std::str::from_utf8(&after[..2]).expect("hex");
            bytes.push(u8::from_str_radix(hex, 16).expect("hex"));
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).expect("UTF-8")
}
