//! Gateways for text messages and calls: one request for one message, as the operator described it. When a message is sent,
//! and what it says, is `service/factor/phone.rs`; nothing here remembers or repeats.

use super::fetch::{FetchError, FetchSettings, Fetcher};
use crate::domain::message_template::{Filling, MessageTemplate};
use crate::domain::phone::PhoneNumber;
use crate::domain::secret::Secret;
use http::{HeaderName, HeaderValue, Method, Request};

/// A gateway as the operator described it.
pub struct GatewaySettings {
    /// Where it is.
    pub url: MessageTemplate,
    /// How it is asked.
    pub method: Method,
    /// What is sent with it.
    pub headers: Vec<(HeaderName, MessageTemplate)>,
    /// What is sent, and its media type.
    pub body: Option<(MessageTemplate, &'static str)>,
    /// The user of this service.
    pub username: String,
    /// The secret of this service.
    pub secret: Secret<String>,
    /// When it took a message.
    pub success: Success,
    /// Whom it may be, and how long it may take.
    pub fetch: FetchSettings,
}

/// When a gateway took a message.
#[derive(Clone, Debug, Default)]
pub struct Success {
    /// This status; `None` is any from 200 to 299.
    pub status: Option<u16>,
    /// A place in its answer (RFC 6901), and what stands there.
    pub field: Option<(String, Vec<String>)>,
}

/// One message.
pub struct Message<'a> {
    /// To whom.
    pub to: &'a PhoneNumber,
    /// The sentence.
    pub text: &'a Secret<String>,
    /// The code alone.
    pub code: &'a Secret<String>,
    /// The language of the sentence.
    pub language: &'static str,
}

/// Why a message is not on its way. No text here has a number, a code or a secret in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GatewayError {
    /// There was no answer.
    #[error("{0}")]
    Unanswered(FetchError),
    /// The request cannot be put together.
    #[error("the request cannot be written: {0}")]
    Unwritten(&'static str),
    /// The answer has another status.
    #[error("the gateway answered with status {0}")]
    Status(u16),
    /// The answer has the right status, and says something else.
    #[error("the gateway's answer does not say that it took the message")]
    Refused,
}

impl GatewayError {
    /// For the audit trail.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unanswered(error) => error.code(),
            Self::Unwritten(_) => "gateway_unwritten",
            Self::Status(_) => "gateway_status",
            Self::Refused => "gateway_refused",
        }
    }
}

/// A gateway.
pub struct Gateway {
    settings: GatewaySettings,
    fetcher: Fetcher,
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway").finish_non_exhaustive()
    }
}

impl Gateway {
    /// A gateway of these settings.
    ///
    /// # Errors
    /// In words for the operator.
    pub fn new(settings: GatewaySettings) -> Result<Self, String> {
        let fetcher = Fetcher::new(&settings.fetch)?;
        let address = settings.url.fill(&Filling::SAMPLE);
        fetcher.allows(&address).map_err(|error| error.to_string())?;
        Ok(Self { settings, fetcher })
    }

    /// Hands a message over, once. Returns when the gateway has answered, or its time is over.
    ///
    /// # Errors
    /// [`GatewayError`]. After [`FetchError::TooSlow`] it may have been sent all the same.
    pub async fn send(&self, message: &Message<'_>) -> Result<(), GatewayError> {
        let request = self.request(message)?;
        let answer = self.fetcher.send(request).await.map_err(without_place)?;
        self.settings.success.judge(answer.status().as_u16(), answer.body())
    }

    fn request(&self, message: &Message<'_>) -> Result<Request<Vec<u8>>, GatewayError> {
        let settings = &self.settings;
        let filling = Filling {
            to: message.to.expose(),
            text: message.text.expose(),
            code: message.code.expose(),
            language: message.language,
            username: &settings.username,
            secret: settings.secret.expose(),
        };
        let mut request = Request::builder().method(settings.method.clone()).uri(settings.url.fill(&filling));
        if let Some((_, media_type)) = &settings.body {
            request = request.header(http::header::CONTENT_TYPE, *media_type);
        }
        for (name, template) in &settings.headers {
            let mut value =
                HeaderValue::from_str(&template.fill(&filling)).map_err(|_| GatewayError::Unwritten("a header"))?;
            value.set_sensitive(true);
            request = request.header(name, value);
        }
        let body = settings.body.as_ref().map(|(template, _)| template.fill(&filling).into_bytes());
        request.body(body.unwrap_or_default()).map_err(|_| GatewayError::Unwritten("the address"))
    }
}

/// The address may hold the number; which gateway it was, the operator knows.
fn without_place(error: FetchError) -> GatewayError {
    match error {
        FetchError::Address(_) => GatewayError::Unwritten("the address"),
        other => GatewayError::Unanswered(other),
    }
}

impl Success {
    fn judge(&self, status: u16, body: &[u8]) -> Result<(), GatewayError> {
        if !self.status.map_or((200..300).contains(&status), |wanted| wanted == status) {
            return Err(GatewayError::Status(status));
        }
        let Some((pointer, values)) = &self.field else { return Ok(()) };
        let answer = serde_json::from_slice::<serde_json::Value>(body).map_err(|_| GatewayError::Refused)?;
        let said = match answer.pointer(pointer) {
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(other @ (serde_json::Value::Number(_) | serde_json::Value::Bool(_))) => other.to_string(),
            _ => return Err(GatewayError::Refused),
        };
        if values.contains(&said) { Ok(()) } else { Err(GatewayError::Refused) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(pointer: &str, values: &[&str]) -> Success {
        let values = values.iter().map(|&value| value.to_owned()).collect();
        Success { status: None, field: Some((pointer.to_owned(), values)) }
    }

    #[test]
    fn a_status_alone_can_be_the_rule() {
        let any = Success::default();
        assert_eq!((any.judge(200, b""), any.judge(204, b"")), (Ok(()), Ok(())));
        assert_eq!(any.judge(400, b"ok"), Err(GatewayError::Status(400)));
        let one = Success { status: Some(202), field: None };
        assert_eq!((one.judge(202, b""), one.judge(200, b"")), (Ok(()), Err(GatewayError::Status(200))));
    }

    #[test]
    fn a_refusal_in_a_good_status_is_a_refusal() {
        let vonage = field("/messages/0/status", &["0"]);
        assert_eq!(vonage.judge(200, br#"{"messages":[{"status":"0"}]}"#), Ok(()));
        assert_eq!(vonage.judge(200, br#"{"messages":[{"status":0}]}"#), Ok(()));
        for bad in [
            "",
            "0",
            "{}",
            r#"{"messages":[]}"#,
            r#"{"messages":[{"status":"4"}]}"#,
            r#"{"messages":[{"status":["0"]}]}"#,
        ] {
            assert_eq!(vonage.judge(200, bad.as_bytes()), Err(GatewayError::Refused), "{bad}");
        }
        assert_eq!(vonage.judge(500, br#"{"messages":[{"status":"0"}]}"#), Err(GatewayError::Status(500)));
    }
}
