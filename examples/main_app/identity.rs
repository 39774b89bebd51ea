//! Who is there: the part of this example that a real application needs too.
//!
//! Either Vestibule is asked about the browser's cookie, or the token that the proxy got from Vestibule is checked.
//! Nothing is remembered between requests: a session that ends in Vestibule has ended here.

use crate::token::Tokens;
use crate::vestibule::Vestibule;
use http::HeaderMap;
use http::header::COOKIE;
use serde::Deserialize;

/// A person, as Vestibule says.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Person {
    /// Account id; never changes, so this is what the database refers to. Names and addresses do change.
    pub(crate) id: String,
    /// Username.
    pub(crate) username: String,
    /// Name to show.
    pub(crate) name: String,
    /// E-mail address; somebody who registered just now may have none yet.
    pub(crate) email: Option<String>,
    /// Groups.
    pub(crate) groups: Vec<String>,
}

/// Why nobody is there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Absent {
    /// Nobody is signed in: send the browser to sign in.
    SignedOut,
    /// The request brought no token that is valid: somebody went past the proxy, or it is not set up for this.
    NoToken(&'static str),
    /// Vestibule gave no answer. Nobody was signed out: ask again later, log nobody out.
    NoAnswer,
    /// Vestibule does not know this application; the operator has to mend that.
    Misconfigured,
}

/// Where the identity comes from.
pub(crate) enum Source {
    /// Vestibule is asked.
    Whoami {
        /// Where.
        asked: Vestibule,
        /// Secret of this application.
        secret: String,
    },
    /// The token in `X-Vestibule-Jwt`. `Remote-User` and the like are never believed: anybody who reaches this port
    /// could have written them.
    Headers(Box<Tokens>),
}

impl Source {
    /// Whose request this is.
    pub(crate) async fn person(&self, headers: &HeaderMap) -> Result<Person, Absent> {
        match self {
            Self::Whoami { asked, secret } => whoami(asked, secret, headers).await,
            Self::Headers(tokens) => tokens.person(headers).await,
        }
    }

    /// Its name, to show.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Whoami { .. } => "whoami: Vestibule was asked whose session the cookie is",
            Self::Headers(_) => "headers: the signed token of the proxy was checked",
        }
    }
}

#[derive(Deserialize)]
struct Whoami {
    account: Person,
}

async fn whoami(asked: &Vestibule, secret: &str, headers: &HeaderMap) -> Result<Person, Absent> {
    let session = session_cookie(headers).ok_or(Absent::SignedOut)?;
    let bearer = format!("Bearer {secret}");
    let question = [("Authorization", bearer.as_str()), ("X-Vestibule-Session", session)];
    let answer = asked.get("/api/v1/session", &question).await.ok_or(Absent::NoAnswer)?;
    match answer.status {
        200 => serde_json::from_str(&answer.body).map(|whoami: Whoami| whoami.account).map_err(|_| Absent::NoAnswer),
        // With this header it is our secret that is wrong, not the session.
        401 if answer.has("www-authenticate") => Err(Absent::Misconfigured),
        401 => Err(Absent::SignedOut),
        _ => Err(Absent::NoAnswer),
    }
}

/// Vestibule's session cookie; the other cookies of the browser are none of its business.
fn session_cookie(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    // `__Host-` when Vestibule is on https and shares no domain.
    pairs.find(|(name, _)| matches!(*name, "_vestibule_session" | "__Host-_vestibule_session")).map(|(_, value)| value)
}
