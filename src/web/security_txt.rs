//! `/.well-known/security.txt` (RFC 9116): whom to tell about a weakness.

use super::error::PageError;
use super::page::outcome::Failure;
use super::site::Site;
use crate::domain::language::Language;
use crate::domain::time::{Timestamp, days};
use crate::service::moment;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use std::sync::Arc;

/// Where it is.
pub const PATH: &str = "/.well-known/security.txt";

/// Days that a copy may be believed; RFC 9116 section 2.5.5 recommends less than a year.
const BELIEVED: u32 = 180;

const DAY: i64 = 86_400_000;

/// `GET /.well-known/security.txt`; not there when no contact is configured.
pub async fn get(State(site): State<Arc<Site>>) -> Result<Response, PageError> {
    let Some(contact) = &site.security_contact else { return Err(Failure::NotFound.into()) };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")),
        (CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600")),
    ];
    Ok((headers, content(contact, site.origin(), site.surroundings.now())).into_response())
}

/// The file: the same for a whole day.
fn content(contact: &str, origin: &str, now: Timestamp) -> String {
    let today = Timestamp::from_millis(now.millis() - now.millis().rem_euclid(DAY));
    let expires = moment::machine(today.after(days(BELIEVED)));
    let languages = Language::ALL.map(Language::tag).join(", ");
    // RFC 9116 section 2.5.2 wants https.
    let canonical = if origin.starts_with("https://") { format!("Canonical: {origin}{PATH}\n") } else { String::new() };
    format!("Contact: {contact}\nExpires: {expires}\nPreferred-Languages: {languages}\n{canonical}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_same_all_day_and_ends_within_a_year() {
        let morning = Timestamp::from_millis(1_795_219_200_000);
        let text = content("mailto:security@example.org", "https://login.example.org", morning);
        assert_eq!(
            text,
            "Contact: mailto:security@example.org\nExpires: 2027-05-20T00:00:00Z\nPreferred-Languages: en, de\n\
             Canonical: https://login.example.org/.well-known/security.txt\n"
        );
        let evening = morning.after(std::time::Duration::from_secs(86_399));
        assert_eq!(content("mailto:security@example.org", "https://login.example.org", evening), text);
        assert_ne!(content("mailto:security@example.org", "https://login.example.org", morning.after(days(1))), text);
    }

    #[test]
    fn no_address_is_canonical_without_https() {
        assert!(
            !content("https://example.org/s", "http://localhost:8080", Timestamp::from_millis(0)).contains("Canon")
        );
    }
}
