//! A session as Redis keeps it: a few dozen bytes without names, since there may be millions.
//!
//! Not here: keys, and how long a value lives.

use crate::domain::id::{AccountId, RememberedId, SessionId};
use crate::domain::identity::Source;
use crate::domain::session::{Methods, Session};
use crate::domain::time::Timestamp;
use std::borrow::Cow;
use uuid::Uuid;

/// The first byte. A reader that meets another one does not guess.
const VERSION: u8 = 1;

/// The session in bytes: version, id, account, four times of six bytes, methods, browser, device, network, source. A
/// newer version may append to them; this one reads what it knows, so that both can run side by side.
pub(super) fn packed(session: &Session) -> Vec<u8> {
    let source = session.source.as_ref().map_or("", Source::key);
    let mut bytes = Vec::with_capacity(84 + session.device.len() + session.network.len() + source.len());
    bytes.push(VERSION);
    bytes.extend_from_slice(session.id.uuid().as_bytes());
    bytes.extend_from_slice(session.account.uuid().as_bytes());
    for time in [session.created_at, session.authenticated_at, session.ends_at, session.last_seen_at] {
        // Six bytes of milliseconds last for 8,900 years.
        let [_, _, six @ ..] = u64::try_from(time.millis()).unwrap_or(0).to_be_bytes();
        bytes.extend_from_slice(&six);
    }
    bytes.extend_from_slice(&session.methods.bits().to_be_bytes());
    match session.remembered {
        Some(family) => {
            bytes.push(1);
            bytes.extend_from_slice(family.uuid().as_bytes());
        }
        None => bytes.push(0),
    }
    for text in [&session.device, &session.network, source] {
        let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(text.as_bytes().get(..usize::from(length)).unwrap_or_default());
    }
    bytes
}

/// A session from its bytes; None when they are none of ours.
pub(super) fn unpacked(bytes: &[u8]) -> Option<Session> {
    let mut rest = Rest(bytes);
    let [version] = rest.take()?;
    if version != VERSION {
        return None;
    }
    let (id, account) = (rest.uuid()?, rest.uuid()?);
    let (created_at, authenticated_at, ends_at, last_seen_at) =
        (rest.time()?, rest.time()?, rest.time()?, rest.time()?);
    let methods = Methods::from_bits(u16::from_be_bytes(rest.take()?));
    let [remembered] = rest.take()?;
    let remembered = match remembered {
        0 => None,
        _ => Some(RememberedId::new(rest.uuid()?)),
    };
    let (device, network, source) = (rest.text()?, rest.text()?, rest.text()?);
    Some(Session {
        id: SessionId::new(id),
        account: AccountId::new(account),
        created_at,
        authenticated_at,
        ends_at,
        last_seen_at,
        methods,
        device: device.into(),
        network: network.into(),
        remembered,
        source: Source::from_key(&source),
    })
}

/// What is still to be read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn text(&mut self) -> Option<Cow<'a, str>> {
        let length = usize::from(u16::from_be_bytes(self.take()?));
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(String::from_utf8_lossy(taken))
    }

    fn uuid(&mut self) -> Option<Uuid> {
        self.take().map(Uuid::from_bytes)
    }

    fn time(&mut self) -> Option<Timestamp> {
        let six: [u8; 6] = self.take()?;
        let millis = six.iter().fold(0, |millis, byte| millis << 8 | i64::from(*byte));
        Some(Timestamp::from_millis(millis))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_the_bytes_are_nothing_breaks_and_a_session_read_can_be_written(bytes in any::<Vec<u8>>(), ours in any::<bool>()) {
            let bytes = if ours { [packed(&session()).as_slice(), &bytes].concat() } else { bytes };
            if let Some(read) = unpacked(&bytes) {
                prop_assert_eq!(unpacked(&packed(&read)), Some(read));
            }
        }
    }

    fn session() -> Session {
        Session {
            id: SessionId::new(Uuid::from_u128(1)),
            account: AccountId::new(Uuid::from_u128(2)),
            created_at: Timestamp::from_millis(1_800_000_000_001),
            authenticated_at: Timestamp::from_millis(1_800_000_000_002),
            ends_at: Timestamp::from_millis(1_800_000_000_003),
            last_seen_at: Timestamp::from_millis(1_800_000_000_004),
            methods: Methods::PASSWORD.and(Methods::MULTI_FACTOR),
            device: "Firefox on Linux".into(),
            network: "2001:db8::/48".into(),
            remembered: None,
            source: None,
        }
    }

    #[test]
    fn a_session_comes_back_as_it_was_and_is_small() {
        let with_browser = Session { remembered: Some(RememberedId::new(Uuid::from_u128(3))), ..session() };
        let from_corp = Session { source: Some(Source::provider("corp")), ..session() };
        for session in
            [session(), with_browser, from_corp, Session { device: "".into(), network: "".into(), ..session() }]
        {
            assert_eq!(unpacked(&packed(&session)), Some(session));
        }
        assert!(packed(&session()).len() < 96, "{}", packed(&session()).len());
    }

    #[test]
    fn what_a_newer_version_appends_is_passed_over() {
        let mut bytes = packed(&session());
        bytes.extend_from_slice(b"something new");
        assert_eq!(unpacked(&bytes), Some(session()));
    }

    #[test]
    fn what_is_cut_short_or_of_another_version_is_no_session() {
        let whole = packed(&session());
        for length in 0..whole.len() {
            assert_eq!(unpacked(&whole[..length]), None, "{length} bytes");
        }
        let mut other = whole;
        other[0] = 2;
        assert_eq!(unpacked(&other), None);
    }
}
