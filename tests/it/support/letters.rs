//! Letters as a mail program shows them.

use std::path::Path;

/// A letter from the outbox.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) to: String,
    pub(crate) subject: String,
    /// The text part.
    pub(crate) text: String,
    /// The HTML part.
    pub(crate) html: String,
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
    let (head, body) = parts_of(&raw);
    let kind = header(&head, "Content-Type:");
    let boundary = kind.split_once("boundary=\"").expect("a multipart").1.split('"').next().expect("a boundary");
    let boundary = format!("--{boundary}");
    let mut texts = body.split(&boundary).skip(1).map(|part| {
        let (head, body) = parts_of(part.trim_start_matches('\n'));
        (header(&head, "Content-Type:"), decoded(&header(&head, "Content-Transfer-Encoding:"), body))
    });
    let mut next = |wanted: &str| {
        let (kind, text) = texts.next().expect("a part");
        assert!(kind.starts_with(wanted), "{kind}");
        text
    };
    let (text, html) = (next("text/plain"), next("text/html"));
    Received { to: header(&head, "To:"), subject: header(&head, "Subject:"), text, html }
}

/// The header, unfolded, and what follows.
fn parts_of(raw: &str) -> (String, &str) {
    let (head, body) = raw.split_once("\n\n").expect("head and body");
    (head.replace("\n ", " "), body)
}

fn header(head: &str, name: &str) -> String {
    head.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned()
}

fn decoded(encoding: &str, body: &str) -> String {
    match encoding {
        "quoted-printable" => quoted_printable(body),
        "base64" => {
            use base64::Engine;
            let joined: String = body.split_whitespace().collect();
            String::from_utf8(base64::engine::general_purpose::STANDARD.decode(joined).expect("base64")).expect("UTF-8")
        }
        _ => body.to_owned(),
    }
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
