//! A person with a browser: cookies are kept, forms are filled in as the page gives them.

use axum::body::Body;
use http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE, USER_AGENT};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use tower::Service;
use vestibule::web::listener::Peer;
use vestibule::web::router::Entrance;

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    /// Where it sends the browser.
    pub(crate) fn location(&self) -> &str {
        self.headers.get(LOCATION).map_or("", |value| value.to_str().expect("text"))
    }

    /// A header's text.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    /// The `Set-Cookie` line that gives a cookie; not one that takes it away.
    pub(crate) fn sets(&self, name: &str) -> Option<String> {
        let lines = self.headers.get_all(SET_COOKIE).iter().map(|value| value.to_str().expect("text").to_owned());
        lines.into_iter().find(|line| line.starts_with(&format!("{name}=")) && !line.contains("Max-Age=0"))
    }

    /// The page without what is a new one each time by design: the form's token, and the question for a passkey.
    pub(crate) fn comparable(&self) -> String {
        let csrf = self.hidden("csrf").expect("a form");
        let body = self.body.replace(&csrf, "CSRF");
        match (self.hidden("ceremony"), self.body.split_once("data-options=\"")) {
            (Some(ceremony), Some((_, rest))) => {
                let options = rest.split('"').next().expect("an end");
                body.replace(&ceremony, "CEREMONY").replace(options, "OPTIONS")
            }
            _ => body,
        }
    }

    /// The value of a hidden field in the page.
    pub(crate) fn hidden(&self, name: &str) -> Option<String> {
        let mark = format!("name=\"{name}\" value=\"");
        let start = self.body.find(&mark)? + mark.len();
        let rest = &self.body[start..];
        Some(rest[..rest.find('"')?].replace("&amp;", "&").replace("&#38;", "&"))
    }
}

/// A browser.
#[derive(Clone)]
pub(crate) struct Browser {
    entrance: Entrance,
    peer: SocketAddr,
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) headers: Vec<(String, String)>,
}

impl Browser {
    pub(crate) fn at(entrance: Entrance, peer: &str) -> Self {
        let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        let headers = vec![(USER_AGENT.to_string(), agent.to_owned())];
        Self { entrance, peer: peer.parse().expect("an address"), cookies: BTreeMap::new(), headers }
    }

    /// Sends a header with every request.
    pub(crate) fn sending(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same browser started anew: what lives as long as the browser is gone.
    pub(crate) fn restarted(&self) -> Self {
        let mut browser = self.clone();
        browser.cookies.remove("_vestibule_session");
        browser
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).expect("a request")).await
    }

    /// Posts fields as they are.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = Request::post(path).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(body)).expect("a request")).await
    }

    /// Opens a page, fills in its form, sends it to `action`; hidden fields travel along.
    pub(crate) async fn submit(&mut self, page: &str, action: &str, fields: &[(&str, &str)]) -> Answer {
        let shown = self.get(page).await;
        let hidden: Vec<_> = ["csrf", "return_to", "token"]
            .into_iter()
            .filter(|name| fields.iter().all(|(given, _)| given != name))
            .filter_map(|name| Some((name, shown.hidden(name)?)))
            .collect();
        let mut all: Vec<(&str, &str)> = hidden.iter().map(|(name, value)| (*name, value.as_str())).collect();
        all.extend_from_slice(fields);
        self.post(action, &all).await
    }

    /// Signs in on the front page.
    pub(crate) async fn signs_in(&mut self, username: &str, password: &str) -> Answer {
        self.submit("/login", "/login", &[("username", username), ("password", password)]).await
    }

    /// Signs in and stays logged in.
    pub(crate) async fn signs_in_and_stays(&mut self, username: &str, password: &str) -> Answer {
        self.submit("/login", "/login", &[("username", username), ("password", password), ("stay", "1")]).await
    }

    /// Whether the account page opens.
    pub(crate) async fn is_signed_in(&mut self) -> bool {
        self.get("/account").await.status == StatusCode::OK
    }

    pub(crate) async fn send(&mut self, mut request: Request<Body>) -> Answer {
        let line: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !line.is_empty() && !request.headers().contains_key(COOKIE) {
            request.headers_mut().insert(COOKIE, line.join("; ").parse().expect("a header"));
        }
        for (name, value) in &self.headers {
            let name: http::HeaderName = name.parse().expect("a name");
            request.headers_mut().append(name, value.parse().expect("a value"));
        }
        request.extensions_mut().insert(Peer(self.peer));
        let response = match self.entrance.call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        let body = String::from_utf8_lossy(&bytes).into_owned();
        let answer = Answer { status: parts.status, headers: parts.headers, body };
        self.keep_cookies(&answer);
        answer
    }

    fn keep_cookies(&mut self, answer: &Answer) {
        for line in answer.headers.get_all(SET_COOKIE) {
            let line = line.to_str().expect("text");
            let (pair, attributes) = line.split_once("; ").expect("attributes");
            let (name, value) = pair.split_once('=').expect("a pair");
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}
