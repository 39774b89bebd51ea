//! The cookies: names, attributes, sealing. Every one is Secure, `HttpOnly`, SameSite=Lax, Path=/ and sealed.

use crate::domain::secret::Secret;
use crate::domain::session::HandleHash;
use crate::service::autologin_token::AutologinToken;
use crate::service::context::Surroundings;
use crate::service::core::fingerprint;
use crate::service::key_ring::KeyRing;
use crate::service::session::Handle;
use crate::service::sign_in::AttemptHandle;
use cookie::{Cookie, SameSite};
use http::header::{COOKIE, HeaderMap, HeaderValue};

/// What the autologin cookie lives, in seconds: a year; how long the token counts is the server's decision.
const AUTOLOGIN_AGE: i64 = 365 * 86_400;
/// An attempt's cookie lives as long as the attempt.
const ATTEMPT_AGE: i64 = 15 * 60;
/// A form may stay open this long.
const CSRF_AGE: i64 = 120 * 60;
/// A note is read on the next page.
const FLASH_AGE: i64 = 5 * 60;

/// The cookies' full names, with the `__Host-` prefix where the site allows one.
#[derive(Clone, Debug)]
pub struct Cookies {
    /// The session.
    pub session: String,
    /// Stay logged in.
    pub autologin: String,
    /// This device is spared the second factor.
    pub device: String,
    /// A sign-in under way.
    pub attempt: String,
    /// The secret behind form tokens.
    pub csrf: String,
    /// A note for the next page.
    pub flash: String,
    /// Domain of the session cookie, when applications on sibling hosts share it.
    pub domain: Option<String>,
}

/// Reads and writes cookies of one site.
pub struct Jar<'a> {
    names: &'a Cookies,
    keys: &'a KeyRing,
}

impl<'a> Jar<'a> {
    /// A jar of these names and keys.
    #[must_use]
    pub const fn new(names: &'a Cookies, keys: &'a KeyRing) -> Self {
        Self { names, keys }
    }

    /// Hash of the session handle in the request, if its cookie opens: the hot path, no allocation.
    #[must_use]
    pub fn session(&self, headers: &HeaderMap) -> Option<HandleHash> {
        self.handle(headers, &self.names.session).map(|handle| fingerprint(&handle))
    }

    /// Hash of the session handle in a value given without its name.
    #[must_use]
    pub fn session_value(&self, value: &[u8]) -> Option<HandleHash> {
        self.keys.open_handle(&self.names.session, value).map(|handle| fingerprint(&handle))
    }

    /// The attempt in the request.
    #[must_use]
    pub fn attempt(&self, headers: &HeaderMap) -> Option<AttemptHandle> {
        self.handle(headers, &self.names.attempt).map(Secret::new)
    }

    /// The secret behind form tokens in the request.
    #[must_use]
    pub fn csrf(&self, headers: &HeaderMap) -> Option<Secret<[u8; 32]>> {
        self.handle(headers, &self.names.csrf).map(Secret::new)
    }

    /// The remembered browser's token in the request.
    #[must_use]
    pub fn autologin(&self, headers: &HeaderMap) -> Option<AutologinToken> {
        self.token(headers, &self.names.autologin)
    }

    /// The token in the request of a device that is spared the second factor.
    #[must_use]
    pub fn device(&self, headers: &HeaderMap) -> Option<AutologinToken> {
        self.token(headers, &self.names.device)
    }

    fn token(&self, headers: &HeaderMap, name: &str) -> Option<AutologinToken> {
        let mut values = values(headers, name);
        values.find_map(|value| AutologinToken::from_bytes(&self.keys.open(name, std::str::from_utf8(value).ok()?)?))
    }

    /// The note in the request.
    #[must_use]
    pub fn flash(&self, headers: &HeaderMap) -> Option<String> {
        let name = &self.names.flash;
        let opened = values(headers, name).find_map(|value| self.keys.open(name, std::str::from_utf8(value).ok()?));
        String::from_utf8(opened?).ok()
    }

    fn handle(&self, headers: &HeaderMap, name: &str) -> Option<[u8; 32]> {
        // A sibling host can plant a second cookie of the same name; ours is the one that opens.
        values(headers, name).find_map(|value| self.keys.open_handle(name, value))
    }

    /// Sets the session cookie: it lives as long as the browser does.
    #[must_use]
    pub fn set_session(&self, surroundings: &Surroundings, handle: &Handle) -> Option<HeaderValue> {
        let mut cookie = self.sealed(surroundings, &self.names.session, handle.expose())?;
        if let Some(domain) = &self.names.domain {
            cookie.set_domain(domain.clone());
        }
        header(&cookie)
    }

    /// Sets the autologin cookie.
    #[must_use]
    pub fn set_autologin(&self, surroundings: &Surroundings, token: &AutologinToken) -> Option<HeaderValue> {
        self.lasting(surroundings, &self.names.autologin, token.to_bytes().expose(), AUTOLOGIN_AGE)
    }

    /// Sets the cookie of a device that is spared the second factor.
    #[must_use]
    pub fn set_device(&self, surroundings: &Surroundings, token: &AutologinToken) -> Option<HeaderValue> {
        self.lasting(surroundings, &self.names.device, token.to_bytes().expose(), AUTOLOGIN_AGE)
    }

    /// Sets the attempt cookie.
    #[must_use]
    pub fn set_attempt(&self, surroundings: &Surroundings, handle: &AttemptHandle) -> Option<HeaderValue> {
        self.lasting(surroundings, &self.names.attempt, handle.expose(), ATTEMPT_AGE)
    }

    /// Sets the form secret.
    #[must_use]
    pub fn set_csrf(&self, surroundings: &Surroundings, secret: &Secret<[u8; 32]>) -> Option<HeaderValue> {
        self.lasting(surroundings, &self.names.csrf, secret.expose(), CSRF_AGE)
    }

    /// Sets a note for the next page.
    #[must_use]
    pub fn set_flash(&self, surroundings: &Surroundings, code: &str) -> Option<HeaderValue> {
        self.lasting(surroundings, &self.names.flash, code.as_bytes(), FLASH_AGE)
    }

    /// Takes the session cookie away.
    #[must_use]
    pub fn drop_session(&self) -> Option<HeaderValue> {
        let mut cookie = dressed(self.names.session.clone(), String::new());
        if let Some(domain) = &self.names.domain {
            cookie.set_domain(domain.clone());
        }
        gone(cookie)
    }

    /// Takes the autologin cookie away.
    #[must_use]
    pub fn drop_autologin(&self) -> Option<HeaderValue> {
        gone(dressed(self.names.autologin.clone(), String::new()))
    }

    /// Takes the attempt cookie away.
    #[must_use]
    pub fn drop_attempt(&self) -> Option<HeaderValue> {
        gone(dressed(self.names.attempt.clone(), String::new()))
    }

    /// Takes the note away.
    #[must_use]
    pub fn drop_flash(&self) -> Option<HeaderValue> {
        gone(dressed(self.names.flash.clone(), String::new()))
    }

    fn lasting(&self, surroundings: &Surroundings, name: &str, plain: &[u8], seconds: i64) -> Option<HeaderValue> {
        let mut cookie = self.sealed(surroundings, name, plain)?;
        cookie.set_max_age(cookie::time::Duration::seconds(seconds));
        header(&cookie)
    }

    fn sealed(&self, surroundings: &Surroundings, name: &str, plain: &[u8]) -> Option<Cookie<'static>> {
        let value = self.keys.seal(name, plain, surroundings.bytes())?;
        Some(dressed(name.to_owned(), value))
    }
}

fn dressed(name: String, value: String) -> Cookie<'static> {
    Cookie::build((name, value)).secure(true).http_only(true).same_site(SameSite::Lax).path("/").build()
}

fn gone(mut cookie: Cookie<'static>) -> Option<HeaderValue> {
    cookie.set_max_age(cookie::time::Duration::ZERO);
    header(&cookie)
}

fn header(cookie: &Cookie<'_>) -> Option<HeaderValue> {
    HeaderValue::from_str(&cookie.to_string()).ok()
}

/// All values of a cookie name in the request. Applications' cookies travel in the same header and are skipped unread.
fn values<'h>(headers: &'h HeaderMap, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
    let lines = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
    lines.flat_map(|line| line.split(|byte| *byte == b';')).filter_map(move |pair| {
        pair.trim_ascii_start().strip_prefix(name.as_bytes())?.strip_prefix(b"=").map(<[u8]>::trim_ascii_end)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::key_ring::SealingKey;
    use uuid::Uuid;

    fn names() -> Cookies {
        Cookies {
            session: "__Host-s".into(),
            autologin: "autologin".into(),
            device: "device".into(),
            attempt: "attempt".into(),
            csrf: "csrf".into(),
            flash: "flash".into(),
            domain: None,
        }
    }

    fn ring() -> KeyRing {
        KeyRing::new(vec![SealingKey::new(Uuid::from_bytes([1; 16]), &[1; 32]).unwrap()])
    }

    fn sent(line: &str) -> HeaderMap {
        HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(line).unwrap())])
    }

    #[test]
    fn attributes_are_those_of_the_contract() {
        let (names, ring) = (names(), ring());
        let jar = Jar::new(&names, &ring);
        let set = jar.set_session(&Surroundings::machine(), &Handle::new([7; 32])).unwrap();
        let text = set.to_str().unwrap();
        let (pair, attributes) = text.split_once("; ").unwrap();
        assert_eq!(attributes, "HttpOnly; SameSite=Lax; Secure; Path=/");
        assert_eq!(jar.session(&sent(pair)), Some(fingerprint(&[7; 32])));
        let token =
            AutologinToken { id: crate::domain::id::RememberedId::new(Uuid::nil()), secret: Secret::new([1; 32]) };
        let set = jar.set_autologin(&Surroundings::machine(), &token).unwrap();
        assert!(set.to_str().unwrap().ends_with("; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=31536000"));
    }

    #[test]
    fn a_cookie_is_found_among_others_and_a_planted_one_is_passed_over() {
        let (names, ring) = (names(), ring());
        let jar = Jar::new(&names, &ring);
        let good = ring.seal("__Host-s", &[7; 32], [2; 12]).unwrap();
        let line = format!("a=b; __Host-s=planted; x__Host-s=1;__Host-s={good} ; z");
        assert_eq!(jar.session(&sent(&line)), Some(fingerprint(&[7; 32])));
        let moved = ring.seal("csrf", &[7; 32], [2; 12]).unwrap();
        assert_eq!(jar.session(&sent(&format!("__Host-s={moved}"))), None);
        assert_eq!(jar.session(&HeaderMap::new()), None);
    }
}
