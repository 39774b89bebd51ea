//! Opening cookies: nothing but what was sealed under the same name opens, and the two ways to open agree.
#![no_main]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::sync::LazyLock;
use uuid::Uuid;
use vestibule::service::key_ring::{KeyRing, SealingKey};

const NAME: &str = "_vestibule_session";
const HANDLE: [u8; 32] = [7; 32];
/// Browsers keep no larger cookie (RFC 6265 section 6.1), and we open none.
const LONGEST: usize = 4096;

static RING: LazyLock<KeyRing> = LazyLock::new(|| {
    let key = |n: u8| SealingKey::new(Uuid::from_bytes([n; 16]), &[n; 32]).unwrap();
    KeyRing::new(vec![key(2), key(1)])
});

static SEALED: LazyLock<Vec<u8>> = LazyLock::new(|| RING.seal_bytes(NAME, &HANDLE, [9; 12]).unwrap());

/// The one cookie that may open: the fuzzer sees it in comparisons, and so can come up with it.
fn good(bytes: &[u8]) -> Option<&'static [u8]> {
    (bytes == SEALED.as_slice()).then_some(&HANDLE)
}

/// The first byte says what the rest is, so that seeds can be written by hand.
fn try_one(data: &[u8]) -> Option<()> {
    let (kind, rest) = data.split_first()?;
    match kind {
        // Any text, as a browser may send it.
        b't' => {
            let text = std::str::from_utf8(rest).ok()?;
            agree(text, good(&URL_SAFE_NO_PAD.decode(text).unwrap_or_default()));
        }
        // Any bytes in the right encoding.
        b'b' => agree(&URL_SAFE_NO_PAD.encode(rest), good(rest)),
        // A good cookie, replaced from some place on.
        b'x' => {
            let mut bent = SEALED.clone();
            let (at, with) = rest.split_first()?;
            for (place, byte) in bent.iter_mut().skip(usize::from(*at)).zip(with) {
                *place = *byte;
            }
            agree(&URL_SAFE_NO_PAD.encode(&bent), good(&bent));
        }
        // A nonce, a name, a NUL, and what we sealed under that name.
        b's' => {
            let (nonce, rest) = rest.split_first_chunk::<12>()?;
            let middle = rest.iter().position(|byte| *byte == 0)?;
            let (name, plain) = (std::str::from_utf8(&rest[..middle]).ok()?, &rest[middle + 1..]);
            let text = RING.seal(name, plain, *nonce)?;
            if text.len() <= LONGEST {
                agree(&text, (name == NAME).then_some(plain));
            }
        }
        _ => {}
    }
    Some(())
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    try_one(data);
});

/// Both ways to open this text give `expected`, the second only where it is a handle.
fn agree(text: &str, expected: Option<&[u8]>) {
    assert_eq!(RING.open(NAME, text).as_deref(), expected);
    let handle = expected.and_then(|plain| <[u8; 32]>::try_from(plain).ok());
    assert_eq!(RING.open_handle(NAME, text.as_bytes()), handle);
}
