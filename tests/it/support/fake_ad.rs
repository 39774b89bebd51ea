//! A server that behaves like Active Directory where that matters: ranges of values, its rule for groups in groups, primary
//! groups, GUIDs as bytes, pointers to other servers, its codes at a refused bind. Scripted after [MS-ADTS]; it is not one.

use bytes::BytesMut;
use ldap3::asn1::{ASNTag, Enumerated, Integer, OctetString, PL, Sequence, Set, StructureTag, Tag, TagClass};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const BASE: &str = "DC=ad,DC=example,DC=org";
/// Members of the large group, of which it gives [`RANGE`] at once.
pub(crate) const MEMBERS: usize = 40;
const RANGE: usize = 15;

/// The server; gone with the test.
pub(crate) struct FakeAd {
    pub(crate) port: u16,
    /// What was asked for, as bytes.
    pub(crate) asked: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl FakeAd {
    pub(crate) async fn starts() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("an address");
        let port = listener.local_addr().expect("an address").port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(talks(client, Arc::clone(&log)));
            }
        });
        Self { port, asked }
    }

    pub(crate) fn was_asked(&self, text: &str) -> bool {
        let asked = self.asked.lock().expect("a list");
        asked.iter().any(|message| contains(message, text))
    }

    /// The configuration of a service in front of it.
    pub(crate) fn directory(&self, more: &str) -> String {
        format!(
            "[[directory]]\nslug = \"ldap\"\nhosts = [\"127.0.0.1:{}\"]\nsecurity = \"none\"\ndanger_plain = true\n\
             base_dn = \"{BASE}\"\nattributes.username = [\"sAMAccountName\"]\n{more}\n",
            self.port
        )
    }
}

fn contains(message: &[u8], text: &str) -> bool {
    message.windows(text.len()).any(|part| part.eq_ignore_ascii_case(text.as_bytes()))
}

async fn talks(mut client: TcpStream, log: Arc<Mutex<Vec<Vec<u8>>>>) -> Option<()> {
    let mut read = Vec::new();
    loop {
        while let Ok((rest, message)) = ldap3::asn1::parse_tag(&read) {
            let (length, rest) = (read.len() - rest.len(), rest.to_vec());
            let bytes = read[..length].to_vec();
            read = rest;
            log.lock().ok()?.push(bytes.clone());
            for answer in answers(message, &bytes)? {
                client.write_all(&answer).await.ok()?;
            }
        }
        if client.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
    }
}

fn inner(tag: StructureTag) -> Vec<StructureTag> {
    match tag.payload {
        PL::C(parts) => parts,
        PL::P(_) => Vec::new(),
    }
}

fn value(tag: StructureTag) -> Vec<u8> {
    match tag.payload {
        PL::P(bytes) => bytes,
        PL::C(_) => Vec::new(),
    }
}

fn answers(message: StructureTag, bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut parts = inner(message).into_iter();
    let id = value(parts.next()?).iter().fold(0_i64, |id, byte| id << 8 | i64::from(*byte));
    let op = parts.next()?;
    match op.id {
        0 => {
            let mut bind = inner(op).into_iter();
            let (_, dn, password) = (bind.next()?, value(bind.next()?), value(bind.next()?));
            Some(vec![message_of(id, bound(&String::from_utf8_lossy(&dn), &String::from_utf8_lossy(&password)))])
        }
        3 => {
            let base = value(inner(op).into_iter().next()?);
            if base.starts_with(b"CN=Silent") {
                return Some(Vec::new());
            }
            let found = found(&String::from_utf8_lossy(&base), bytes);
            let entries = found.into_iter().map(|one| message_of(id, one));
            Some(entries.chain([message_of(id, result(5, 0, ""))]).collect())
        }
        _ => None,
    }
}

fn bound(dn: &str, password: &str) -> Tag {
    let code = match password {
        "right" if dn.starts_with("CN=") => return result(1, 0, ""),
        "expired" => "532",
        "must change" => "773",
        "disabled" => "533",
        "locked out" => "775",
        _ => "52e",
    };
    let text = format!("80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data {code}, v3839\0");
    result(1, 49, &text)
}

fn found(base: &str, asked: &[u8]) -> Vec<Tag> {
    let large = format!("CN=Large,OU=Groups,{BASE}");
    if base.is_empty() {
        return vec![entry("", &[("supportedCapabilities", text(&["1.2.840.113556.1.4.800"]))])];
    }
    if contains(asked, "1.2.840.113556.1.4.1941") && base.starts_with("CN=") {
        let inside = [1, 2].into_iter().any(|number| contains(asked, &dn(number)));
        return if inside { vec![entry(base, &[("cn", text(&["Chained"]))])] } else { Vec::new() };
    }
    if let Some(number) = (0..MEMBERS).find(|number| base == dn(*number)) {
        return vec![person(number)];
    }
    if contains(asked, "1.2.840.113556.1.4.1941") {
        return vec![entry(&dn(1), &[]), entry(&dn(2), &[])];
    }
    if let Some(start) = range_asked(asked) {
        return vec![large_group(&large, start)];
    }
    if base == large {
        return vec![large_group(&large, 0)];
    }
    if base.starts_with("CN=") {
        let token = if base.contains("Primary") { "513" } else { "900" };
        let name = base.trim_start_matches("CN=").split(',').next().unwrap_or_default();
        return vec![entry(base, &[("cn", text(&[name])), ("primaryGroupToken", text(&[token]))])];
    }
    // A filter with this mark means one person.
    let one = (0..MEMBERS).find(|number| contains(asked, &format!("user{number}!")));
    let people = (0..MEMBERS).filter(|number| one.is_none_or(|one| one == *number));
    let pointer = Sequence {
        class: TagClass::Application,
        id: 19,
        inner: vec![octets(b"ldap://elsewhere.example.org/DC=elsewhere")],
    };
    people.map(person).chain([Tag::Sequence(pointer)]).collect()
}

fn range_asked(asked: &[u8]) -> Option<usize> {
    let text = String::from_utf8_lossy(asked).into_owned();
    let (_, rest) = text.split_once("member;range=")?;
    rest.split('-').next()?.parse().ok()
}

fn large_group(dn_of_group: &str, start: usize) -> Tag {
    let end = (start + RANGE).min(MEMBERS);
    let last = if end == MEMBERS { "*".to_owned() } else { (end - 1).to_string() };
    let members: Vec<String> = (start..end).map(dn).collect();
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    let range = format!("member;range={start}-{last}");
    entry(dn_of_group, &[("cn", text(&["Large"])), ("member", Vec::new()), (&range, text(&members))])
}

fn dn(number: usize) -> String {
    format!("CN=User {number}\\, the,OU=People,{BASE}")
}

fn person(number: usize) -> Tag {
    let name = format!("user{number}");
    let guid = uuid::Uuid::from_u128(0x1122_3344_5566_7788_99aa_bbcc_ddee_0000 + number as u128);
    let primary = if number == 3 { "513" } else { "512" };
    let flags = if number == 4 { "514" } else { "512" };
    entry(
        &dn(number),
        &[
            ("sAMAccountName", text(&[&name])),
            ("displayName", text(&[&format!("User {number}")])),
            ("mail", text(&[&format!("user{number}@example.org")])),
            ("objectGUID", vec![guid.to_bytes_le().to_vec()]),
            ("primaryGroupID", text(&[primary])),
            ("userAccountControl", text(&[flags])),
        ],
    )
}

fn text(values: &[&str]) -> Vec<Vec<u8>> {
    values.iter().map(|value| value.as_bytes().to_vec()).collect()
}

fn octets(bytes: &[u8]) -> Tag {
    Tag::OctetString(OctetString { inner: bytes.to_vec(), ..Default::default() })
}

fn entry(dn: &str, attributes: &[(&str, Vec<Vec<u8>>)]) -> Tag {
    let attribute = |(name, values): &(&str, Vec<Vec<u8>>)| {
        let values = Set { inner: values.iter().map(|value| octets(value)).collect(), ..Default::default() };
        Tag::Sequence(Sequence { inner: vec![octets(name.as_bytes()), Tag::Set(values)], ..Default::default() })
    };
    let attributes = Sequence { inner: attributes.iter().map(attribute).collect(), ..Default::default() };
    let inner = vec![octets(dn.as_bytes()), Tag::Sequence(attributes)];
    Tag::Sequence(Sequence { class: TagClass::Application, id: 4, inner })
}

fn result(id: u64, code: i64, said: &str) -> Tag {
    let code = Tag::Enumerated(Enumerated { inner: code, ..Default::default() });
    let inner = vec![code, octets(b""), octets(said.as_bytes())];
    Tag::Sequence(Sequence { class: TagClass::Application, id, inner })
}

fn message_of(id: i64, op: Tag) -> Vec<u8> {
    let id = Tag::Integer(Integer { inner: id, ..Default::default() });
    let message = Tag::Sequence(Sequence { inner: vec![id, op], ..Default::default() });
    let mut out = BytesMut::new();
    ldap3::asn1::write::encode_into(&mut out, message.into_structure()).expect("written");
    out.to_vec()
}
