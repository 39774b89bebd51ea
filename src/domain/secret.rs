//! A value that must not leak: hidden from logs, wiped on drop, compared in constant time.
//! Not here: sealing, hashing and where secrets come from.

use std::fmt;

use aws_lc_rs::constant_time;
use zeroize::Zeroize;

/// Something that only its owner may read: a key, a password, a token.
///
/// `Debug` shows that there is a secret and nothing of it; there is no `Display`, no `PartialEq` and no serialisation.
/// The memory is overwritten on drop.
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Takes a value into custody. Copies that the caller made before are the caller's to wipe.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Each call is a place to look at in a review.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize + AsRef<[u8]>> Secret<T> {
    /// Whether `candidate` is the same bytes. The time taken depends on the lengths only, never on the content.
    pub fn matches(&self, candidate: &[u8]) -> bool {
        constant_time::verify_slices_are_equal(self.0.as_ref(), candidate).is_ok()
    }
}

impl<T: Zeroize + Clone> Clone for Secret<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Zeroize> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{cell::RefCell, rc::Rc};

    #[test]
    fn debug_tells_nothing_of_the_content() {
        let shown = format!("{:?} {:#?}", Secret::new("hunter2".to_owned()), Some(Secret::new(vec![104_u8, 117])));
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(!shown.contains("104"), "{shown}");
    }

    #[test]
    fn only_the_same_bytes_match() {
        let secret = Secret::new("hunter2".to_owned());
        assert!(secret.matches(b"hunter2"));
        for other in [&b""[..], b"hunter", b"hunter22", b"Hunter2", b"hunter3"] {
            assert!(!secret.matches(other), "{other:?}");
        }
    }

    #[test]
    fn the_value_is_wiped_on_drop() {
        struct Watched(Rc<RefCell<bool>>);
        impl Zeroize for Watched {
            fn zeroize(&mut self) {
                *self.0.borrow_mut() = true;
            }
        }
        let wiped = Rc::new(RefCell::new(false));
        let secret = Secret::new(Watched(Rc::clone(&wiped)));
        assert!(!*wiped.borrow());
        drop(secret);
        assert!(*wiped.borrow());
    }
}
