//! Lets `domain` read the headers of a request without knowing the HTTP library.

use http::{HeaderMap, HeaderValue};

use crate::domain::forwarded::HeaderValues;

impl HeaderValues for HeaderMap {
    fn values<'a>(&'a self, name: &'static str) -> impl DoubleEndedIterator<Item = &'a [u8]> + 'a {
        self.get_all(name).iter().map(HeaderValue::as_bytes)
    }
}
